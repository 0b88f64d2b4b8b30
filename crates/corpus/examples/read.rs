//! How fast are documents read, and in how much memory? `read THREADS PATH..`; `-` is stdin.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on stops here"
)]

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use corpus::{Columns, Control, Document, Job, Manifest, Options, Place, Plan, Text};

/// Adds up the bytes of every text, so that none is left unread.
struct Sum;

impl Job for Sum {
    type Said = u64;

    fn nothing(&self) -> u64 {
        0
    }

    fn look(&self, document: &Document<'_>, said: &mut u64) {
        for byte in document.text.bytes() {
            *said = said.wrapping_add(u64::from(byte));
        }
    }

    fn write(&self, said: u64, _place: Place<'_>, to: &mut Vec<u8>) {
        to.extend_from_slice(&said.to_le_bytes());
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let threads: usize = args.next().unwrap().parse().unwrap();
    let paths: Vec<PathBuf> = args.map(PathBuf::from).collect();
    let folder = std::env::temp_dir().join(format!("corpus-read-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let marks = folder.join("marks");
    let manifest = Manifest::open(&marks, &folder.join("said")).unwrap();
    let plan = Plan::of(&paths).unwrap();
    let control = Control {
        threads,
        read: &|_| {},
        stop: &AtomicBool::new(false),
    };
    let began = Instant::now();
    let options = Options::new(Columns::text(Text::Usual));
    let totals = corpus::run((&plan, &options), &Sum, (manifest, &marks, ""), &control).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    #[expect(clippy::cast_precision_loss, reason = "megabytes are enough")]
    let speed = totals.text_bytes as f64 / 1e6 / seconds;
    println!(
        "{} documents, {} bytes of text, {} bad, {seconds:.2} s, {speed:.0} MB/s of text, {}",
        totals.documents,
        totals.text_bytes,
        totals.bad,
        peak.unwrap_or("peak unknown")
    );
    std::fs::remove_dir_all(folder).unwrap();
}
