//! Recorded streams of real models pass byte for byte, however they are cut.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use facts::Ending;
use tokio::io::AsyncWriteExt as _;

use crate::support::*;

fn recordings() -> Vec<Vec<u8>> {
    let data = std::env::var_os("FAIRHOLD_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let archive = data.join("raw_api/samples.tar.zst");
    let packed = std::fs::read(&archive).unwrap_or_else(|e| {
        panic!(
            "{}: {e}; put the shared data beside the repository or set FAIRHOLD_DATA",
            archive.display()
        )
    });
    let mut files = tar::Archive::new(zstd::Decoder::new(&packed[..]).unwrap());
    let mut found = Vec::new();
    for entry in files.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().to_string_lossy().contains("_stream.") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            found.push(bytes);
        }
    }
    assert!(
        !found.is_empty(),
        "no recorded stream in {}",
        archive.display()
    );
    found
}

/// Sizes of chunks from a small generator, so that every run cuts the same way.
fn cuts(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % 3_000 + 1
    })
}

#[tokio::test]
async fn recorded_streams_pass_unchanged() {
    let current: Arc<Mutex<(Vec<u8>, u64)>> = Arc::default();
    let now = Arc::clone(&current);
    let server = upstream(move |mut stream, _| {
        let (bytes, seed) = now.lock().unwrap().clone();
        async move {
            stream.write_all(EVENTS).await.unwrap();
            let mut left = &bytes[..];
            for size in cuts(seed) {
                if left.is_empty() {
                    break;
                }
                let (now, later) = left.split_at(size.min(left.len()));
                stream.write_all(now).await.unwrap();
                left = later;
            }
        }
    })
    .await;
    let gateway = Gateway::before(server, "").await;
    // The client asks for usage itself, so nothing may be hidden; HTTP/1.0 shows the body unframed.
    let body =
        r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
    let asking = request("/v1/chat/completions", body).replace("HTTP/1.1", "HTTP/1.0");
    let mut exchanges = 0;
    for recording in recordings() {
        for seed in 1..4 {
            *current.lock().unwrap() = (recording.clone(), seed);
            let answer = ask(gateway.address, asking.as_bytes()).await;
            let body = answer.split_once("\r\n\r\n").unwrap().1;
            assert!(
                body.as_bytes() == recording,
                "seed {seed}: {} of {} bytes",
                body.len(),
                recording.len()
            );
            exchanges += 1;
            let ended = gateway.desk.ended(exchanges).await;
            assert_eq!(ended[exchanges - 1].0.ending, Ending::Completed);
            assert_eq!(
                ended[exchanges - 1].0.delivered_bytes,
                recording.len() as u64
            );
        }
    }
}
