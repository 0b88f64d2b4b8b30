//! Terms as a customer reads, agrees to and declares them.

use super::*;

#[tokio::test]
async fn a_customer_reads_its_own_terms_and_people_agree_and_declare() {
    let (office, router) = house();
    let own = "Bearer key-of-bad";
    let (status, _) = ask(&router, "GET", "/v1/terms", "", "").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, body) = ask(&router, "GET", "/v1/terms", own, "").await;
    assert_eq!(status, StatusCode::OK);
    let terms: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&terms["account"], &terms["purposes"][0]),
        (&"acct_bad".into(), &"rag".into())
    );
    let browser = Request::builder()
        .uri("/v1/terms")
        .header(header::AUTHORIZATION, own)
        .header(header::ACCEPT, "text/html,*/*")
        .body(Body::empty())
        .unwrap();
    let response = router.clone().oneshot(browser).await.unwrap();
    let page = response.into_body().collect().await.unwrap().to_bytes();
    let page = String::from_utf8_lossy(&page);
    assert!(
        page.contains("&lt;b&gt;Terms") && !page.contains("<b>Terms"),
        "{page}"
    );
    let path = "/admin/accounts/a/terms";
    let (status, _) = ask(&router, "PUT", path, "Bearer token", "{\"declared\":[]}").await;
    assert_eq!(status, StatusCode::OK);
    let path = "/admin/accounts/a/links";
    let links = "{\"network\":[\"203.0.113.1\"]}";
    let (status, body) = ask(&router, "POST", path, "Bearer token", links).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!body.contains("203.0"), "{body}");
    let (status, _) = ask(
        &router,
        "POST",
        path,
        "Bearer token",
        "{\"country\":[\"DE\"]}",
    )
    .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let path = "/admin/projects/p/purposes";
    let (status, body) = ask(&router, "PUT", path, "Bearer token", "[\"rag\"]").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "[\"rag\"]"));
    let asked = office.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        [
            "agree a {\"declared\":[]}",
            "link a 203.0.113.1",
            "declare p rag"
        ]
    );
}
