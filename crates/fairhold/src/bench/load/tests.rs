use super::*;
use tokio::net::TcpListener;

#[test]
fn heads_are_read_only_when_whole() {
    assert_eq!(
        Head::read(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"),
        None
    );
    let sized = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let head = Head::read(sized).unwrap();
    assert_eq!((head.status, head.length), (200, Some(2)));
    assert!(head.is_whole(sized));
    assert!(!head.is_whole(&sized[..sized.len() - 1]));
    let chunked = b"HTTP/1.1 429 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let head = Head::read(chunked).unwrap();
    assert_eq!((head.status, head.length), (429, None));
    assert!(head.is_whole(chunked));
    assert!(!head.is_whole(&chunked[..chunked.len() - 5]));
}

/// Answers every request with `answer` until the peer leaves.
async fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut peer, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0_u8; 1024];
                while peer.read(&mut asked).await.is_ok_and(|n| n > 0) {
                    if peer.write_all(answer).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn load(target: SocketAddr, rate: Option<u32>) -> Load {
    Load {
        target,
        request: Arc::from(&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..]),
        connections: 4,
        lasting: Duration::from_millis(200),
        rate,
    }
}

#[tokio::test]
async fn a_fixed_rate_sends_exactly_its_requests() {
    let target = server(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let tally = drive(&load(target, Some(100))).await;
    assert_eq!((tally.answers, tally.errors), (20, 0));
    assert_eq!(tally.whole.len(), 20);
    assert!(
        tally
            .first
            .iter()
            .zip(&tally.whole)
            .all(|(first, whole)| first <= whole)
    );
}

#[tokio::test]
async fn refusals_and_closed_doors_are_errors() {
    let target = server(b"HTTP/1.1 429 No\r\ncontent-length: 0\r\n\r\n").await;
    let tally = drive(&load(target, Some(100))).await;
    assert_eq!((tally.answers, tally.errors), (0, 20));
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let tally = drive(&load(closed, Some(100))).await;
    assert_eq!(tally.answers, 0);
    assert!(tally.errors > 0);
}
