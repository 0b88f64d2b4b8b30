//! The ledgers as the public and a customer read them.

use super::*;

/// Status, named header and body of a GET.
async fn fetch(router: &Router, path: &str, auth: &str, name: &str) -> (u16, String, String) {
    let mut request = Request::builder().uri(path);
    if !auth.is_empty() {
        request = request.header(header::AUTHORIZATION, auth);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let value = response.headers().get(name).cloned();
    let value = value.map_or_else(String::new, |v| v.to_str().unwrap().to_owned());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, value, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn the_root_log_is_public_and_a_ledger_is_its_customers() {
    let (_, router) = house();
    let cached = async |path: &str, auth: &str| fetch(&router, path, auth, "cache-control").await;
    let (status, cache, body) = cached("/fairhold/v1/log/checkpoint", "").await;
    assert_eq!(
        (status, cache.as_str(), body.as_str()),
        (200, "no-cache", "checkpoint")
    );
    let (status, cache, _) = cached("/fairhold/v1/log/tile/0/000", "").await;
    assert_eq!(
        (status, cache.as_str()),
        (200, "public, max-age=31536000, immutable")
    );
    let (status, _, body) = cached("/fairhold/v1/log/tile/0/001", "").await;
    assert!(
        status == 503 && body.contains("refuses to sign"),
        "{status} {body}"
    );
    let own = "/fairhold/v1/ledgers/acct_bad/tile/0/000";
    let (status, cache, _) = cached(own, "Bearer key-of-bad").await;
    assert_eq!(
        (status, cache.as_str()),
        (200, "private, max-age=31536000, immutable")
    );
    assert_eq!(cached(own, "Bearer key-of-other").await.0, 404);
    assert_eq!(cached(own, "").await.0, 401);
    assert_eq!(
        cached("/admin/house/checkpoint?epoch=1", "Bearer token")
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn a_receipt_is_here_or_will_be() {
    let (office, router) = house();
    let path = |n| format!("/fairhold/v1/receipts/{n}");
    let key = "Bearer key-of-bad";
    let (status, seq, body) = fetch(&router, &path(1), key, "x-evidence-seq").await;
    assert_eq!((status, seq.as_str()), (200, "1"));
    assert!(body.starts_with("c2sp.org/tlog-proof@v1"), "{body}");
    let json = fetch(&router, &(path(1) + "?format=json"), key, "content-type").await;
    assert!(json.2.contains("ledger_proof"), "{json:?}");
    let (status, wait, _) = fetch(&router, &path(2), key, "retry-after").await;
    assert_eq!((status, wait.as_str()), (404, "1"));
    let (status, wait, _) = fetch(&router, &path(3), key, "retry-after").await;
    assert_eq!((status, wait.as_str()), (404, ""));
    assert_eq!(fetch(&router, &path(1), "", "x").await.0, 401);
    let asked = office.asked.lock().unwrap().clone();
    assert_eq!(asked[0], "receipt 1 of acct_bad");
}
