//! `fairhold bench detection`: how often honest accounts are accused and
//! campaigns are found, on sources that were never seen.

mod median;
mod page;
mod plot;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use detection::{Account, Detector, Reader};
use serde_json::{Map, Value, json};
use simulation::benchmark::{
    LEAK, Pool, Recipe, SeedResult, Split, once, own_pool, split_seed, tested_with, whole,
};
use simulation::{KnownSettings, known_campaigns};

use crate::args::bench::DetectionBench;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Where recorded traffic lies beside the project, if it does.
const BESIDE: &str = "../shared/data/traffic";

/// Runs it; exit 1 when the pool leaks: one raw field tells harvest from honest.
pub(super) fn run(data: &Path, what: &DetectionBench, out: Out) -> Result<Exit, Failure> {
    let asked = Asked::of(data, what)?;
    out.say(&format!("pool: {}", asked.said()));
    let bar = out.progress(0, "sources read");
    let read =
        |dir: &Path| Pool::read(dir, |_| bar.inc(1)).map_err(|e| Failure::error(e.to_string()));
    let (train, pool) = match &asked {
        Asked::Own => (None, own_pool(1)),
        Asked::Split(dir) | Asked::Shipped(dir) => (None, read(dir)?),
        Asked::Apart(train, test) => (Some(read(train)?), read(test)?),
    };
    bar.finish_and_clear();
    let speed = speed(&pool);
    let seeds = what.seed..what.seed + what.seeds.max(1);
    let results = every_seed(&asked, train.as_ref(), &pool, seeds, out)?;
    let mut report = median::of(&results)?;
    let rest = rest(&asked, train.as_ref(), &pool, what.seed, out)?;
    report.extend(rest);
    report.insert("exchanges_per_second_per_core".to_owned(), json!(speed));
    report.insert(
        "plain_scan_per_second_per_core".to_owned(),
        json!(plain_scan(&pool)),
    );
    report.insert("pool".to_owned(), facts(&asked, &pool));
    report.insert("seeds".to_owned(), json!(results.len()));
    let report = Value::Object(report);
    if let Some(path) = &what.html {
        let text = page::page(&report, &results);
        std::fs::write(path, text)
            .map_err(|e| Failure::error(format!("failed to write `{}`: {e}", path.display())))?;
        out.say(&format!("report: {}", path.display()));
    }
    out.data(&report)?;
    for line in page::table(&report) {
        out.line(&line);
    }
    if what.html.is_none() {
        out.next("fairhold bench detection --html detection.html");
    }
    let leaks = report.get("leaks").and_then(Value::as_object);
    let worst = leaks
        .into_iter()
        .flat_map(|l| l.iter())
        .find(|(_, auc)| auc.as_f64() > Some(LEAK));
    if let Some((field, auc)) = worst {
        out.say(&format!("the pool leaks: `{field}` alone has an area of {auc} (at most {LEAK}); what is measured on it flatters"));
        return Ok(Exit::Finding);
    }
    Ok(Exit::Clean)
}

/// What is tested on what.
enum Asked {
    /// Our own text.
    Own,
    /// One folder, split by lineage.
    Split(PathBuf),
    /// One folder, tested with the shipped detector.
    Shipped(PathBuf),
    /// Trained and calibrated on the first, tested on the second.
    Apart(PathBuf, PathBuf),
}

impl Asked {
    fn of(data: &Path, what: &DetectionBench) -> Result<Self, Failure> {
        match (&what.train, &what.test) {
            (Some(train), Some(test)) => Ok(Self::Apart(train.clone(), test.clone())),
            (None, Some(test)) => Ok(Self::Shipped(test.clone())),
            (Some(_), None) => Err(Failure::error(
                "failed to choose what to test: `--train DIR` needs `--test DIR`",
            )),
            (None, None) if what.own => Ok(Self::Own),
            (None, None) if holds_traffic(data) => Ok(Self::Split(data.to_owned())),
            // The data folder of a house is no pool: nobody asked for it here.
            (None, None)
                if data == Path::new("fairhold-data") || data.join("master.key").exists() =>
            {
                let beside = PathBuf::from(BESIDE);
                Ok(if holds_traffic(&beside) {
                    Self::Split(beside)
                } else {
                    Self::Own
                })
            }
            (None, None) => Err(Failure::error(format!(
                "failed to read `{}`: it holds no `<source>.jsonl.zst`",
                data.display()
            ))),
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Own => "a small set of our own text (it shows that everything works; its figures say nothing about real traffic); --data DIR for recorded traffic".to_owned(),
            Self::Split(dir) => format!("{}, split by lineage into eight folds", dir.display()),
            Self::Shipped(dir) => format!("{}, tested with the shipped detector", dir.display()),
            Self::Apart(train, test) => format!(
                "trained and calibrated on {}, tested on {}",
                train.display(),
                test.display()
            ),
        }
    }
}

fn holds_traffic(dir: &Path) -> bool {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files
        .map(|f| f.file_name())
        .any(|name| name.to_string_lossy().ends_with(".jsonl.zst"))
}

/// The detector that never saw the tested pool, if there is one; else the pool is split.
fn given(
    asked: &Asked,
    train: Option<&Pool>,
    seed: u64,
) -> Result<Option<simulation::benchmark::Detector>, Failure> {
    match (asked, train) {
        (_, Some(train)) => Ok(Some(whole(train, seed, Recipe::default()))),
        (Asked::Shipped(_), None) => {
            let shipped = Detector::shipped().map_err(|e| Failure::error(e.to_string()))?;
            Ok(Some(simulation::benchmark::Detector {
                head: shipped.head,
                calibration: shipped.calibration,
            }))
        }
        (Asked::Own | Asked::Split(_) | Asked::Apart(..), None) => Ok(None),
    }
}

/// All seeds, on as many cores as there are.
fn every_seed(
    asked: &Asked,
    train: Option<&Pool>,
    pool: &Pool,
    seeds: std::ops::Range<u64>,
    out: Out,
) -> Result<Vec<SeedResult>, Failure> {
    let one = |seed: u64| {
        let given = given(asked, train, seed)?;
        Ok(given.map_or_else(
            || split_seed(pool, seed).1,
            |detector| tested_with(&detector, pool, seed),
        ))
    };
    let bar = out.progress(seeds.end - seeds.start, "seeds");
    let next = AtomicU64::new(seeds.start);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut own = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return own;
            }
            own.push((seed, one(seed)));
            bar.inc(1);
        }
    };
    let mut all: Vec<(u64, Result<SeedResult, Failure>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap_or_default())
            .collect()
    });
    bar.finish_and_clear();
    if seeds.end - seeds.start != all.len() as u64 {
        return Err(Failure::error(
            "failed to run every seed: one panicked, see above",
        ));
    }
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, made)| made).collect()
}

/// Splits on which rings are looked for.
const SPLITS: u64 = 3;

/// What is measured once.
fn rest(
    asked: &Asked,
    train: Option<&Pool>,
    pool: &Pool,
    seed: u64,
    out: Out,
) -> Result<Map<String, Value>, Failure> {
    let bar = out.progress(2, "fleets, baselines, known campaigns");
    let splits = (seed..seed + SPLITS).map(|seed| {
        Ok(match given(asked, train, seed)? {
            Some(detector) => Split::given(pool, seed, &detector),
            None => Split::of(pool, seed, Recipe::default()),
        })
    });
    let splits = splits.collect::<Result<Vec<Split>, Failure>>()?;
    let told = serde_json::to_value(once(pool, &splits, seed));
    let told = told.map_err(|e| Failure::error(format!("failed to write the report: {e}")))?;
    bar.inc(1);
    let mut made = match told {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let dir = match asked {
        Asked::Own => None,
        Asked::Split(dir) | Asked::Shipped(dir) | Asked::Apart(_, dir) => Some(dir),
    };
    let known = dir
        .map(|dir| known_campaigns(dir, seed, &KnownSettings::STANDARD))
        .transpose();
    let known = known.map_err(|e| Failure::error(e.to_string()))?;
    bar.finish_and_clear();
    let known = known.map_or(Value::Null, |known| {
        let [fpr, at_20, at_100] = known.fpr();
        json!({"recall": known.recall(), "fpr": fpr, "fpr_20": at_20, "fpr_100": at_100})
    });
    made.insert("known_campaign".to_owned(), known);
    Ok(made)
}

/// Prompts that are timed.
const MOST: usize = 40_000;

/// Exchanges read and summed a second of one core's time.
fn speed(pool: &Pool) -> f64 {
    let prompts: Vec<_> = pool.sources.iter().flat_map(|s| &s.items).collect();
    let step = (prompts.len() / MOST).max(1);
    let mut reader = Reader::default();
    let mut account = Account::default();
    let mut read = |times: usize| {
        let some = prompts.iter().step_by(step).cycle().take(times);
        some.for_each(|item| account.observe(reader.read(&item.prompt)));
    };
    read(2_000);
    let (clock, busy) = (Instant::now(), busy());
    read(MOST);
    let spent = match (busy, self::busy()) {
        (Some(before), Some(after)) => after - before,
        _ => clock.elapsed().as_secs_f64(),
    };
    detection::bounds::real(MOST) / spent.max(1e-9)
}

/// The same bytes, merely scanned for spaces.
fn plain_scan(pool: &Pool) -> f64 {
    let prompts = pool.sources.iter().flat_map(|s| &s.items).take(MOST);
    let (clock, busy) = (Instant::now(), busy());
    let mut read = 0_usize;
    let mut spaces = 0_usize;
    for item in prompts {
        read += 1;
        for (_, text) in &item.prompt {
            spaces += memchr::memchr_iter(b' ', text.as_bytes()).count();
        }
    }
    std::hint::black_box(spaces);
    let spent = match (busy, self::busy()) {
        (Some(before), Some(after)) => after - before,
        _ => clock.elapsed().as_secs_f64(),
    };
    detection::bounds::real(read) / spent.max(1e-9)
}

/// Seconds that this thread was on a core, where the system tells (Linux).
fn busy() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos: f64 = told.split_whitespace().next()?.parse().ok()?;
    Some(nanos / 1e9)
}

fn facts(asked: &Asked, pool: &Pool) -> Value {
    let count = |harvest: bool| pool.sources.iter().filter(|s| s.harvest == harvest).count();
    json!({
        "what": asked.said(),
        "campaigns": count(true),
        "honest_sources": count(false),
        "exchanges": pool.exchanges,
        "repeated_left_out": pool.sources.iter().map(|s| s.repeated).sum::<usize>(),
    })
}
