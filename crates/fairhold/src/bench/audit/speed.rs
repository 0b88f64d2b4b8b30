//! How many megabytes a second, of one core, beside a plain pass over the same bytes.
//!
//! Each pass is timed several times, in turn with the others, by the thread's own clock where the
//! system has one: the best counts. So a busy neighbour spoils little.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::time::Instant;

use provenance::{AuditKey, Depth, Guarantee, Judge, Registry, Scanner};
use serde_json::{Map, Value, json};
use simulation::desensitize::rows::Row;

use crate::failure::Failure;

/// Text that is scanned.
const BYTES: usize = 48 << 20;
/// Times that each pass is made.
const ROUNDS: usize = 5;

/// What is timed, and how fast it was.
#[derive(Default)]
struct Best {
    words_23: f64,
    words_39: f64,
    paraphrase: f64,
    memchr: f64,
    jsonl: f64,
}

/// Times everything beside a registry of `keys` fingerprints.
pub(super) fn measure(
    rows: &[Row],
    keys: usize,
    judge: &Judge,
) -> Result<Map<String, Value>, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::error(format!("failed to time: {e}"));
    let key = AuditKey::new(*b"timing of audits");
    let registry = Registry::of_strangers(key.id(), keys, 1);
    let documents = documents(rows);
    let bytes: usize = documents.iter().map(std::string::String::len).sum();
    let packed = packed(&documents).map_err(|e| failed(&e))?;
    let of = |depth| Scanner::new(&registry, &key, depth, judge.clone());
    let (near, far) = (Guarantee::Words23, Guarantee::Words39);
    let (words_23, words_39) = (of(Depth::Copies(near)), of(Depth::Copies(far)));
    let paraphrase = of(Depth::Paraphrases(far));
    let mut best = Best::default();
    let pass = |best: &mut f64, work: &mut dyn FnMut()| {
        let clock = Clock::start();
        work();
        *best = best.max(mega(bytes) / clock.seconds().max(1e-9));
    };
    let mut broken = None;
    for _ in 0..ROUNDS {
        pass(&mut best.memchr, &mut || {
            for text in &documents {
                black_box(memchr::memchr_iter(b'\n', text.as_bytes()).count());
            }
        });
        pass(&mut best.words_23, &mut || scan(&words_23, &documents));
        pass(&mut best.words_39, &mut || scan(&words_39, &documents));
        pass(&mut best.paraphrase, &mut || scan(&paraphrase, &documents));
        pass(&mut best.jsonl, &mut || {
            broken = jsonl(&words_39, &packed).err().or(broken.take());
        });
    }
    if let Some(why) = broken {
        return Err(failed(&why));
    }
    let two = two_over_one(&words_23, &documents);
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| told.insert(name.to_owned(), value);
    tell(
        "scan_mb_s",
        json!({"words_23": best.words_23, "words_39": best.words_39}),
    );
    tell("memchr_mb_s", json!(best.memchr));
    tell("jsonl_zst_mb_s", json!(best.jsonl));
    tell("paraphrase_mb_s", json!(best.paraphrase));
    tell("two_cores_over_one", json!(two));
    tell("registered_keys", json!(keys));
    tell("filter_mb", json!(mega(registry.filter_bytes())));
    tell("registry_mb", json!(mega(registry.bytes())));
    tell("peak_mb", json!(peak_mb()));
    tell(
        "clock",
        json!(if thread_ns().is_some() {
            "thread"
        } else {
            "wall"
        }),
    );
    Ok(told)
}

/// The texts in turn, in documents of some 64 KB, repeated until there are enough.
fn documents(rows: &[Row]) -> Vec<String> {
    const DOCUMENT: usize = 64 << 10;
    let mut documents = Vec::new();
    let mut all = 0;
    let mut document = String::new();
    for row in rows.iter().cycle() {
        document.push_str(&row.text);
        document.push('\n');
        if document.len() >= DOCUMENT {
            all += document.len();
            documents.push(std::mem::take(&mut document));
            if all >= BYTES {
                break;
            }
        }
    }
    documents
}

fn packed(documents: &[String]) -> std::io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for text in documents {
        lines.extend_from_slice(json!({"text": text}).to_string().as_bytes());
        lines.push(b'\n');
    }
    zstd::encode_all(lines.as_slice(), 3)
}

fn jsonl(scanner: &Scanner<'_>, packed: &[u8]) -> Result<(), String> {
    let decoder = zstd::Decoder::new(packed).map_err(|e| e.to_string())?;
    let mut reader = BufReader::with_capacity(1 << 18, decoder);
    let column = corpus::Text::Named("text".to_owned());
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .map_err(|e| e.to_string())?
        > 0
    {
        let text = corpus::line_text(&line, &column)?;
        black_box(scanner.scan(&text).words);
        line.clear();
    }
    Ok(())
}

fn scan(scanner: &Scanner<'_>, documents: &[String]) {
    for text in documents {
        black_box(scanner.scan(text).words);
    }
}

/// How much faster two threads are than one, by the clock on the wall: the best of each.
fn two_over_one(scanner: &Scanner<'_>, documents: &[String]) -> f64 {
    let (mut one, mut two) = (f64::INFINITY, f64::INFINITY);
    let (head, tail) = documents.split_at(documents.len() / 2);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        scan(scanner, documents);
        one = one.min(began.elapsed().as_secs_f64());
        let began = Instant::now();
        std::thread::scope(|threads| {
            threads.spawn(|| scan(scanner, head));
            threads.spawn(|| scan(scanner, tail));
        });
        two = two.min(began.elapsed().as_secs_f64());
    }
    one / two.max(1e-9)
}

struct Clock {
    thread: Option<u64>,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            thread: thread_ns(),
            wall: Instant::now(),
        }
    }

    fn seconds(&self) -> f64 {
        match (self.thread, thread_ns()) {
            (Some(began), Some(now)) => std::time::Duration::from_nanos(now - began).as_secs_f64(),
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// Nanoseconds this thread ran, as Linux tells them.
fn thread_ns() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}

/// The most memory the process ever held, as Linux tells it.
fn peak_mb() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kb: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kb * 1024.0 / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
