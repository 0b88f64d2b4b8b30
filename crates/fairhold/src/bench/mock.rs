//! The mock upstream of a benchmark: fixed answers at the least cost.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use simulation::Random;
use tokio::net::TcpListener;

use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Events of one stream, as in the peers' measurements (design: 24).
const EVENTS: usize = 24;

const PLAIN: &[u8] = br#"{"id":"chatcmpl-mock","object":"chat.completion","created":1700000000,"model":"mock-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello to you."},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":4,"total_tokens":16}}"#;
/// The same around an answer of so many words.
const BEFORE: &str = r#"{"id":"chatcmpl-mock","object":"chat.completion","created":1700000000,"model":"mock-1","choices":[{"index":0,"message":{"role":"assistant","content":""#;
const BEHIND: &str = r#""},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":400,"total_tokens":412}}"#;
const EVENT: &[u8] = b"data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello \"},\"finish_reason\":null}]}\n\n";
const USAGE: &[u8] = b"data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":24,\"total_tokens\":36}}\n\n";
const DONE: &[u8] = b"data: [DONE]\n\n";

/// The frames still to be sent.
struct Frames(std::vec::IntoIter<&'static [u8]>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(
            self.0
                .next()
                .map(|part| Ok(Frame::data(Bytes::from_static(part)))),
        )
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self.0.as_slice() {
            [only] => hyper::body::SizeHint::with_exact(only.len() as u64),
            _ => hyper::body::SizeHint::default(),
        }
    }
}

/// Serves until it is stopped; greets with its address.
pub(super) async fn serve(words: Option<u32>, out: Out) -> Result<Exit, Failure> {
    let broken = |e: std::io::Error| Failure::error(format!("failed to listen on loopback: {e}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
    out.line(&listener.local_addr().map_err(broken)?.to_string());
    // One answer for as long as the process lives.
    let plain = words.map_or(PLAIN, |words| {
        Box::leak(long(words).into_boxed_str()).as_bytes()
    });
    loop {
        let (stream, _) = listener.accept().await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        tokio::spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(
                    TokioIo::new(stream),
                    service_fn(move |request| answer(request, plain)),
                );
            // A client that leaves ends its connection; nothing is owed to it.
            let _ = served.await;
        });
    }
}

/// A plain answer of so many words.
fn long(words: u32) -> String {
    format!("{BEFORE}{}{BEHIND}", prose(words))
}

/// So many words of prose with function words, capitals, names and numbers: the same for the same length.
fn prose(words: u32) -> String {
    // A sentence has more than one word.
    let text = crate::demo::sentences(words as usize, &mut Random::new(u64::from(words)));
    let kept: Vec<&str> = text.split(' ').take(words as usize).collect();
    kept.join(" ")
}

async fn answer(
    request: Request<Incoming>,
    plain: &'static [u8],
) -> Result<Response<Frames>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let streamed = body.get(..160.min(body.len())).is_some_and(asks_for_stream);
    let (kind, frames) = if streamed {
        let mut frames = vec![EVENT; EVENTS];
        frames.extend([USAGE, DONE]);
        ("text/event-stream", frames)
    } else {
        ("application/json", vec![plain])
    };
    let mut response = Response::new(Frames(frames.into_iter()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    Ok(response)
}

/// Our own load names `stream` within its first bytes.
fn asks_for_stream(head: &[u8]) -> bool {
    head.windows(13).any(|w| w == b"\"stream\":true")
}

#[cfg(test)]
mod tests;
