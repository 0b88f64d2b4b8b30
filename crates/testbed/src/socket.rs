//! Clients and upstreams by hand: what is on the wire is what the test wrote.
//!
//! They panic where something does not come: a test's way to fail.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "used by tests only"
)]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Waits that should never be needed in full.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Opens a connection and sends `request`.
pub async fn connect(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    // The server may answer and close before it has read all of a bad request.
    let _ = stream.write_all(request).await;
    stream
}

/// What comes back until the connection ends, as text.
pub async fn ask(address: SocketAddr, request: &[u8]) -> String {
    let stream = connect(address, request).await;
    rest(stream).await
}

/// What is left on a connection.
pub async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = async {
        let mut some = vec![0; 16 * 1024];
        // A reset after the last bytes counts as the end.
        while let Ok(n @ 1..) = stream.read(&mut some).await {
            all.extend_from_slice(&some[..n]);
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the answer must end");
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until the connection has brought `needle`.
pub async fn until(stream: &mut TcpStream, needle: &str) -> String {
    let mut all = Vec::new();
    let read = async {
        let mut some = vec![0; 4096];
        while !String::from_utf8_lossy(&all).contains(needle) {
            let n = stream.read(&mut some).await.unwrap();
            assert!(
                n > 0,
                "the answer ended before {needle}: {}",
                String::from_utf8_lossy(&all)
            );
            all.extend_from_slice(&some[..n]);
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .unwrap_or_else(|_| panic!("{needle} must come"));
    String::from_utf8_lossy(&all).into_owned()
}

/// An upstream that reads one request per connection and then does as told.
pub async fn upstream<F, R>(script: F) -> SocketAddr
where
    F: Fn(TcpStream, String) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let script = Arc::clone(&script);
            tokio::spawn(async move {
                if let Some(asked) = one_request(&mut stream).await {
                    script(stream, asked).await;
                }
            });
        }
    });
    address
}

async fn one_request(stream: &mut TcpStream) -> Option<String> {
    let mut all = Vec::new();
    let mut some = vec![0; 64 * 1024];
    loop {
        let n = stream.read(&mut some).await.ok()?;
        if n == 0 {
            return None;
        }
        all.extend_from_slice(&some[..n]);
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|l| {
                    l.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .map(|v| v.trim().parse().unwrap())
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
    }
}

/// The head of an event stream that ends with its connection.
pub const EVENTS: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// One content event.
pub fn event(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}
