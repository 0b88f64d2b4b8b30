//! Files with an answer: what a browser's form may hold, and where it breaks.

use super::*;

async fn send(kind: &str, body: Vec<u8>) -> (StatusCode, Vec<String>) {
    let (office, router) = house();
    let request = Request::builder()
        .method("POST")
        .uri("/fairhold/v1/cases/C-1/evidence")
        .header(header::AUTHORIZATION, "Bearer key-of-bad")
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
        .unwrap();
    let status = router.oneshot(request).await.unwrap().status();
    let asked = office.asked.lock().unwrap().clone();
    (status, asked)
}

const KIND: &str = "multipart/form-data; boundary=edge";

fn field(name: &str, file: Option<&str>, value: &str) -> String {
    let file = file.map_or_else(String::new, |file| {
        format!("; filename=\"{file}\"\r\ncontent-type: text/plain")
    });
    format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n")
}

#[tokio::test]
async fn a_form_with_files_is_read_whole() {
    let tricky = "--edg\r\n--edg-not\n--\r\nedge--";
    let body = [
        field("text", None, "so it is"),
        field("files", Some("a.txt"), tricky),
        field("files", Some(""), ""),
        field("files", Some("b.txt"), "b"),
        "--edge--\r\n".to_owned(),
    ]
    .concat();
    let (status, asked) = send(KIND, body.into_bytes()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        asked,
        [
            format!("file a.txt of {} bytes", tricky.len()),
            "file b.txt of 1 bytes".to_owned(),
            "Evidence C-1 by acct_bad: so it is".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_form_that_breaks_changes_nothing() {
    let text = field("text", None, "so");
    let end = "--edge--\r\n";
    let whole = format!("{text}{end}");
    for (what, kind, body) in [
        ("no boundary", "multipart/form-data", whole.clone()),
        (
            "another boundary",
            "multipart/form-data; boundary=other",
            whole.clone(),
        ),
        ("no end", KIND, text.clone()),
        ("cut in a head", KIND, "--edge\r\ncontent-dispo".to_owned()),
        (
            "cut in a file",
            KIND,
            format!("{text}{}", field("files", Some("a"), "b").trim_end()),
        ),
        (
            "no text",
            KIND,
            format!("{}{end}", field("files", Some("a.txt"), "b")),
        ),
        (
            "an unknown field",
            KIND,
            format!("{text}{}{end}", field("by", None, "ann")),
        ),
        ("nothing", KIND, String::new()),
        ("no form at all", KIND, "\0\0\0".to_owned()),
    ] {
        let (status, asked) = send(kind, body.into_bytes()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{what}");
        assert!(asked.is_empty(), "{what}: {asked:?}");
    }
    // Bytes that are no text, where text is asked for.
    let mut body = field("text", None, "@").into_bytes();
    for byte in &mut body {
        if *byte == b'@' {
            *byte = 0xff;
        }
    }
    body.extend_from_slice(end.as_bytes());
    let (_, asked) = send(KIND, body).await;
    assert!(
        asked.iter().all(|said| !said.contains('\u{ff}')),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_form_is_bounded() {
    let large = "x".repeat(13 << 20);
    let body = [
        field("text", None, "so"),
        field("files", Some("a.txt"), &large),
        "--edge--\r\n".to_owned(),
    ]
    .concat();
    let (status, asked) = send(KIND, body.into_bytes()).await;
    assert!(status.is_client_error(), "{status}");
    assert!(asked.is_empty());
    let json = format!("{{\"text\":\"{large}\"}}");
    let (status, asked) = send("application/json", json.into_bytes()).await;
    assert!(status.is_client_error() && asked.is_empty(), "{status}");
}
