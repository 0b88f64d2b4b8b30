use super::*;

#[test]
fn credentials_and_hops_stay_behind() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer fh_live_secret"),
        ("x-api-key", "fh_live_secret"),
        ("connection", "keep-alive, X-Hop"),
        ("x-hop", "1"),
        ("cookie", "a=b"),
        ("accept-encoding", "gzip"),
        ("x-fairhold-purpose", "support"),
        ("content-type", "application/json"),
        ("anthropic-beta", "tools"),
    ] {
        headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    let sent = passed_on(&headers);
    let mut names: Vec<&str> = sent.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["anthropic-beta", "content-type"]);
}
