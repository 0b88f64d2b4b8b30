//! How many megabytes a second, of one core, beside a plain pass over the same bytes.
//!
//! Each pass is timed several times, in turn with the others, by the thread's own clock where the
//! system has one: the best counts. So a busy neighbour spoils little. That clock moves by the
//! scheduler's ticks, of up to 10 ms: a short pass is made again and again until 0.3 s went by.

use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use corpus::{Columns, Control, Document, Job, Manifest, Options, Place, Plan, Text};
use provenance::{AuditKey, Depth, Guarantee, Judge, Registry, Scanner};
use serde_json::{Map, Value, json};
use simulation::desensitize::rows::Row;

use crate::failure::Failure;

/// Text that is scanned.
const BYTES: usize = 48 << 20;
/// Times that each pass is made.
const ROUNDS: usize = 5;

/// Less is not measured: thirty ticks of the coarsest clock.
const LEAST: Duration = Duration::from_millis(300);

/// What is timed, and how fast it was.
#[derive(Default)]
struct Best {
    words_23: f64,
    words_39: f64,
    paraphrase: f64,
    memchr: f64,
    jsonl_39: f64,
    jsonl_23: f64,
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
    let of = |depth| Scanner::new(&registry, &key, depth, judge.clone());
    let (near, far) = (Guarantee::Words23, Guarantee::Words39);
    let (words_23, words_39) = (of(Depth::Copies(near)), of(Depth::Copies(far)));
    let paraphrase = of(Depth::Paraphrases(far));
    let texts = Texts::of(rows.iter());
    let packed = Packed::of(&texts.documents).map_err(|e| failed(&e))?;
    let best = all(&texts, &packed, [&words_23, &words_39, &paraphrase]);
    let best = best.map_err(|e| failed(&e))?;
    let two = two_over_one(&packed, &words_23).map_err(|e| failed(&e))?;
    let peak = peak_mb();
    let beyond_ascii = texts.beyond_ascii();
    drop((packed, texts));
    let ascii = Texts::of(rows.iter().filter(|row| row.text.is_ascii()));
    let (mut ascii_23, mut ascii_39) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        pass(&mut ascii_23, ascii.bytes, &mut || ascii.scan(&words_23));
        pass(&mut ascii_39, ascii.bytes, &mut || ascii.scan(&words_39));
    }
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| told.insert(name.to_owned(), value);
    tell(
        "scan_mb_s",
        json!({"words_23": best.words_23, "words_39": best.words_39}),
    );
    tell(
        "scan_ascii_mb_s",
        json!({"words_23": ascii_23, "words_39": ascii_39}),
    );
    tell("beyond_ascii", json!(beyond_ascii));
    tell("memchr_mb_s", json!(best.memchr));
    tell("jsonl_zst_mb_s", json!(best.jsonl_39));
    tell("jsonl_zst_words_23_mb_s", json!(best.jsonl_23));
    tell("paraphrase_mb_s", json!(best.paraphrase));
    tell("two_cores_over_one", json!(two));
    tell("registered_keys", json!(keys));
    tell("filter_mb", json!(mega(registry.filter_bytes())));
    tell("registry_mb", json!(mega(registry.bytes())));
    tell("peak_mb", json!(peak));
    let thread = thread_ns().is_some();
    tell("clock", json!(if thread { "thread" } else { "wall" }));
    Ok(told)
}

/// Every pass over all texts, in turn.
fn all(texts: &Texts, packed: &Packed, by: [&Scanner<'_>; 3]) -> Result<Best, String> {
    let [words_23, words_39, paraphrase] = by;
    let mut best = Best::default();
    let mut broken = None;
    let bytes = texts.bytes;
    for _ in 0..ROUNDS {
        pass(&mut best.memchr, bytes, &mut || {
            for text in &texts.documents {
                black_box(memchr::memchr_iter(b'\n', text.as_bytes()).count());
            }
        });
        pass(&mut best.words_23, bytes, &mut || texts.scan(words_23));
        pass(&mut best.words_39, bytes, &mut || texts.scan(words_39));
        pass(&mut best.paraphrase, bytes, &mut || texts.scan(paraphrase));
        for (best, scanner) in [
            (&mut best.jsonl_39, words_39),
            (&mut best.jsonl_23, words_23),
        ] {
            pass(best, bytes, &mut || {
                broken = packed.scan(scanner, 1).err().or(broken.take());
            });
        }
    }
    broken.map_or(Ok(best), Err)
}

/// Makes a pass over so many bytes until enough time was measured, and keeps the best rate.
fn pass(best: &mut f64, bytes: usize, work: &mut dyn FnMut()) {
    let clock = Clock::start();
    let mut passes = 0;
    loop {
        work();
        passes += 1;
        // To ask the thread's own clock takes longer.
        if clock.wall.elapsed() < LEAST {
            continue;
        }
        let seconds = clock.seconds();
        if seconds >= LEAST.as_secs_f64() {
            *best = best.max(mega(bytes) * f64::from(passes) / seconds);
            return;
        }
    }
}

/// Texts in turn, in documents of some 64 KB, repeated until there are enough.
struct Texts {
    documents: Vec<String>,
    bytes: usize,
}

impl Texts {
    fn of<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Self {
        const DOCUMENT: usize = 64 << 10;
        let mut texts = Self {
            documents: Vec::new(),
            bytes: 0,
        };
        let mut document = String::new();
        for row in rows.cycle() {
            document.push_str(&row.text);
            document.push('\n');
            if document.len() >= DOCUMENT {
                texts.bytes += document.len();
                texts.documents.push(std::mem::take(&mut document));
                if texts.bytes >= BYTES {
                    break;
                }
            }
        }
        texts
    }

    /// The share of bytes that are no ASCII.
    fn beyond_ascii(&self) -> f64 {
        let of = |text: &String| text.bytes().filter(|byte| !byte.is_ascii()).count();
        let beyond = self.documents.iter().map(of).sum();
        mega(beyond) / mega(self.bytes.max(1))
    }

    fn scan(&self, scanner: &Scanner<'_>) {
        for text in &self.documents {
            black_box(scanner.scan(text).words);
        }
    }
}

/// The same texts as `.jsonl.zst` files, read and scanned as `audit corpus` does.
struct Packed {
    folder: std::path::PathBuf,
    plan: Plan,
}

impl Drop for Packed {
    fn drop(&mut self) {
        // A leftover in the system's temporary folder is harmless.
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Packed {
    fn of(documents: &[String]) -> Result<Self, String> {
        const FILES: usize = 8;
        let said = |e: std::io::Error| e.to_string();
        let name = store::random::<8>().map_err(|e| e.to_string())?;
        let folder = std::env::temp_dir().join(format!("fairhold-bench-{}", hex::encode(name)));
        std::fs::create_dir(&folder).map_err(said)?;
        let mut packed = Self {
            folder,
            plan: Plan {
                files: Vec::new(),
                skipped: Vec::new(),
            },
        };
        let mut paths = Vec::new();
        for (n, part) in documents
            .chunks(documents.len().div_ceil(FILES).max(1))
            .enumerate()
        {
            let mut lines = Vec::new();
            for text in part {
                lines.extend_from_slice(json!({"text": text}).to_string().as_bytes());
                lines.push(b'\n');
            }
            let path = packed.folder.join(format!("{n}.jsonl.zst"));
            let bytes = zstd::encode_all(lines.as_slice(), 3).map_err(said)?;
            std::fs::write(&path, bytes).map_err(said)?;
            paths.push(path);
        }
        packed.plan = Plan::of(&paths).map_err(|e| e.to_string())?;
        Ok(packed)
    }

    fn scan(&self, scanner: &Scanner<'_>, threads: usize) -> Result<(), String> {
        let marks = self.folder.join("marks");
        let found = self.folder.join("found");
        for old in [&marks, &found] {
            std::fs::remove_file(old).ok();
        }
        let manifest = Manifest::open(&marks, &found).map_err(|e| e.to_string())?;
        let control = Control {
            threads,
            read: &|_| {},
            stop: &AtomicBool::new(false),
        };
        let options = Options::new(Columns::text(Text::Usual));
        let run = (manifest, marks.as_path(), "");
        let totals = corpus::run((&self.plan, &options), &Count(scanner), run, &control);
        let bad = totals.map_err(|e| e.to_string())?.bad;
        if bad > 0 {
            return Err(format!("{bad} rows could not be read"));
        }
        Ok(())
    }
}

/// Scans every document and says how many hold an output.
struct Count<'a>(&'a Scanner<'a>);

impl Job for Count<'_> {
    type Said = u64;

    fn nothing(&self) -> u64 {
        0
    }

    fn look(&self, document: &Document<'_>, said: &mut u64) {
        *said += u64::from(self.0.scan(&document.text).derived());
    }

    fn write(&self, said: u64, _place: Place<'_>, to: &mut Vec<u8>) {
        to.extend_from_slice(&said.to_le_bytes());
    }
}

/// How much faster two threads are than one at packed files, by the clock on the wall: the best of each.
fn two_over_one(packed: &Packed, scanner: &Scanner<'_>) -> Result<f64, String> {
    let (mut one, mut two) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        for (threads, best) in [(1, &mut one), (2, &mut two)] {
            let began = Instant::now();
            packed.scan(scanner, threads)?;
            *best = best.min(began.elapsed().as_secs_f64());
        }
    }
    Ok(one / two.max(1e-9))
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
            (Some(began), Some(now)) => Duration::from_nanos(now - began).as_secs_f64(),
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

#[cfg(test)]
mod tests;
