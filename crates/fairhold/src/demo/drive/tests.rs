use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const REFUSED: &[u8] = b"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\n\
content-length: 40\r\n\r\n{\"error\":{\"code\":\"account_suspended\"}}  ";
const CUT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
content-length: 11\r\n\r\ndata: {}\n\n\n";

async fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut peer, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0_u8; 4096];
                while peer.read(&mut asked).await.is_ok_and(|n| n > 0) {
                    let _ = peer.write_all(answer).await;
                }
            });
        }
    });
    address
}

fn calls() -> Vec<Call> {
    (0..9)
        .map(|account| Call {
            account,
            key: "fh_live_x".into(),
            body: Bytes::from_static(b"{}"),
        })
        .collect()
}

#[tokio::test]
async fn refusals_carry_their_code() {
    let outcomes = drive(server(REFUSED).await, calls(), 3, || {}).await;
    assert_eq!(outcomes.len(), 9);
    for outcome in outcomes {
        assert_eq!(outcome.status, 403);
        assert_eq!(outcome.code.as_deref(), Some("account_suspended"));
        assert!(!outcome.served());
    }
}

#[tokio::test]
async fn a_stream_without_its_end_is_not_served() {
    let outcomes = drive(server(CUT).await, calls(), 3, || {}).await;
    assert!(outcomes.iter().all(|o| o.status == 200 && !o.served()));
}

#[tokio::test]
async fn a_closed_door_is_no_answer() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let outcomes = drive(address, calls(), 3, || {}).await;
    assert!(outcomes.iter().all(|o| o.status == 0 && !o.served()));
}
