use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;
use gateway::Desk as _;

use super::*;
use crate::registry::forget::tests::{Bench, on_both, set};

#[test]
fn it_never_takes_more_than_its_share_of_a_core() {
    for worked in [0, 1, 10, 40, 1_000] {
        let worked = Duration::from_millis(worked);
        for (records, least) in [
            (0, PAUSE),
            (1, SOON),
            (PAGE - 1, SOON),
            (PAGE, Duration::ZERO),
        ] {
            for (read, share) in [(false, 1), (true, 9)] {
                let rest = pause(worked, Step { records, read });
                assert_eq!(rest, least.max(worked * share));
            }
        }
    }
}

/// A plain answer.
fn plain(text: &str) -> Bytes {
    let answer = serde_json::json!({"choices": [{"message": {"content": text}}]});
    Bytes::from(answer.to_string())
}

/// The same as a stream, some words at a time.
fn streamed(text: &str) -> Bytes {
    let parts = text.as_bytes().chunks(9).map(String::from_utf8_lossy);
    let events = parts.map(|part| {
        let event = serde_json::json!({"choices": [{"index": 0, "delta": {"content": part}}]});
        format!("data: {event}\n\n")
    });
    let stream: String = events.collect();
    Bytes::from(stream + "data: [DONE]\n\n")
}

/// One exchange with this answer.
async fn answered(bench: &mut Bench, answer: impl Fn(&str) -> Bytes, words: usize) -> String {
    let text = bench.words(words);
    let (id, ended) = bench.admitted("ada", 0).await;
    let keeper = &bench.house().keeper;
    keeper.complete(ended, answer(&text)).await.unwrap();
    id
}

/// The segments of a registry, by their files.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = Folder::open(folder).unwrap().files().unwrap();
    let named = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    files
        .iter()
        .map(|file| (named(&file.path), std::fs::read(&file.path).unwrap()))
        .collect()
}

/// A registry of the same key that is made of the log alone.
async fn of_the_log(bench: &Bench) -> BTreeMap<String, Vec<u8>> {
    bench.house().keeper.handed().follow(false);
    let here = Folder::open(bench.house().outputs.path()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other");
    let folder = Folder::make_with(&path, here.secret()).unwrap();
    let writer = Writer::open(folder, &[]).unwrap();
    let mut follow = Follow::here(Arc::clone(&bench.house().keeper), writer).unwrap();
    follow.catch_up().await.unwrap();
    files(&path)
}

#[test]
fn what_is_handed_over_makes_the_registry_that_the_log_makes() {
    on_both(|url| async move { handed_over_or_read(&url, false).await });
}

#[test]
fn a_writer_apart_makes_the_registry_that_the_log_makes() {
    on_both(|url| async move { handed_over_or_read(&url, true).await });
}

async fn handed_over_or_read(url: &str, apart: bool) {
    let mut bench = Bench::open(url).await;
    let mut follow = bench.follow_by(apart).await;
    let follows = |bench: &Bench, follows| bench.house().keeper.handed().follow(follows);
    follows(&bench, true);
    let mut seed = 11_u32;
    for _ in 0..60 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match seed >> 29 {
            0 => drop(answered(&mut bench, plain, 10).await),
            1 | 2 => drop(answered(&mut bench, streamed, 60).await),
            3 => {
                // In flight while nobody follows.
                follows(&bench, false);
                let text = bench.words(50);
                let (_, ended) = bench.admitted("bob", 0).await;
                follows(&bench, true);
                let keeper = &bench.house().keeper;
                keeper.complete(ended, plain(&text)).await.unwrap();
            }
            4 => drop(follow.step().await.unwrap()),
            5 => {
                follows(&bench, false);
                follows(&bench, true);
            }
            _ => drop(answered(&mut bench, plain, 45).await),
        }
    }
    answered(&mut bench, plain, 45).await;
    follow.catch_up().await.unwrap();
    let handed = bench.house().keeper.handed().take(follow.next, 1);
    let nothing_new = Taken::Passed {
        to: follow.next,
        passed: Vec::new(),
    };
    assert_eq!(handed, nothing_new, "the log was not read to the end");
    follow.close().await;
    let made = files(bench.house().outputs.path());
    assert!(bench.known().len() > 30, "{}", bench.known().len());
    assert_eq!(made, of_the_log(&bench).await);
    bench.close().await;
}

#[test]
fn an_ending_that_nobody_waits_for_is_registered() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        let mut follow = bench.follow();
        bench.house().keeper.handed().follow(true);
        let text = bench.words(60);
        let (_, ended) = bench.admitted("ada", 0).await;
        let keeper = Arc::clone(&bench.house().keeper);
        let mut ending: Pin<Box<_>> = Box::pin(keeper.complete(ended, plain(&text)));
        let begun = std::future::poll_fn(|context| {
            std::task::Poll::Ready(ending.as_mut().poll(context).is_pending())
        });
        assert!(begun.await);
        drop(ending);
        answered(&mut bench, plain, 60).await;
        follow.catch_up().await.unwrap();
        assert_eq!(bench.known(), set(&["x1", "x2"]));
        drop((follow, keeper));
        bench.close().await;
    });
}

#[test]
fn what_was_erased_is_not_taken_from_the_hand_over() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        let outputs = Arc::clone(&bench.house().outputs);
        *outputs.still().await.follow() = Some(bench.follow_by(true).await);
        bench.house().keeper.handed().follow(true);
        let in_flight = bench.words(60);
        let (_, ended) = bench.admitted("ada", 0).await;
        for subject in ["ada", "bob"] {
            bench.exchange(subject, 0).await;
        }
        assert!(bench.erase(Some("ada")).await.seq.is_some());
        let taken = bench.house().keeper.handed().take(0, 9);
        let behind = matches!(taken, Taken::InLog { to: Some(_) });
        assert!(behind, "it is empty but for the erasure: {taken:?}");
        let keeper = &bench.house().keeper;
        keeper.complete(ended, plain(&in_flight)).await.unwrap();
        bench.exchange("bob", 0).await;
        let follow = outputs.still().await.follow().take();
        follow.unwrap().catch_up().await.unwrap();
        assert_eq!(bench.known(), set(&["x3", "x4"]));
        bench.close().await;
    });
}

#[test]
fn a_kill_loses_and_doubles_nothing_of_what_was_handed_over() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        let mut all = Vec::new();
        for round in 0..8 {
            let mut follow = bench.follow_by(round % 4 < 2).await;
            bench.house().keeper.handed().follow(true);
            for _ in 0..3 {
                all.push(bench.exchange("ada", 0).await);
            }
            follow.step().await.unwrap();
            all.push(bench.exchange("bob", 0).await);
            if round % 2 == 0 {
                follow.write().await.unwrap();
            }
            // Killed with some in its hands and some not taken yet.
            follow.close().await;
            bench.again().await;
        }
        let mut follow = bench.follow();
        all_taken(&mut follow).await;
        follow.write().await.unwrap();
        drop(follow);
        // Files are not joined: what were in two of them would be counted twice.
        let kept = bench.all_known();
        all.sort();
        assert_eq!(kept, all);
        bench.close().await;
    });
}

#[test]
fn a_writer_that_is_lost_is_opened_again_and_reads_what_it_missed() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        let mut follow = bench.follow_by(true).await;
        bench.house().keeper.handed().follow(true);
        let mut all = Vec::new();
        for round in 0..6 {
            all.push(bench.exchange("ada", 0).await);
            follow.step().await.unwrap();
            all.push(bench.exchange("bob", 0).await);
            match round % 3 {
                0 => follow.write().await.unwrap(),
                1 => follow.scribe.lose(),
                _ => {
                    follow.step().await.unwrap();
                    follow.scribe.lose();
                }
            }
        }
        all_taken(&mut follow).await;
        follow.write().await.unwrap();
        follow.close().await;
        all.sort();
        assert_eq!(bench.all_known(), all);
        bench.close().await;
    });
}

#[test]
fn what_a_writer_apart_holds_is_erased() {
    on_both(|url| async move { erased_from_its_hands(&url, false).await });
}

#[test]
fn what_a_lost_writer_held_is_erased_all_the_same() {
    on_both(|url| async move { erased_from_its_hands(&url, true).await });
}

/// Takes all there is; nothing is written for that, and no files are joined.
async fn all_taken(follow: &mut Follow) {
    while follow.step().await.unwrap().records > 0 {}
}

async fn erased_from_its_hands(url: &str, lost: bool) {
    let mut bench = Bench::open(url).await;
    let outputs = Arc::clone(&bench.house().outputs);
    let mut follow = bench.follow_by(true).await;
    bench.house().keeper.handed().follow(true);
    for subject in ["ada", "bob"] {
        bench.exchange(subject, 0).await;
    }
    all_taken(&mut follow).await;
    follow.write().await.unwrap();
    for subject in ["ada", "bob"] {
        bench.exchange(subject, 0).await;
    }
    all_taken(&mut follow).await;
    if lost {
        follow.scribe.lose();
    }
    *outputs.still().await.follow() = Some(follow);
    let erased = bench.erase(Some("ada")).await;
    assert_eq!(erased.fingerprints_remain, None);
    // What it held is not there to be counted.
    assert_eq!(erased.outputs, if lost { 1 } else { 2 });
    assert!(!bench.due().await);
    let mut follow = outputs.still().await.follow().take().unwrap();
    follow.catch_up().await.unwrap();
    follow.close().await;
    assert_eq!(bench.all_known(), ["x2", "x4"]);
    bench.close().await;
}

#[test]
fn a_writer_that_does_not_answer_holds_up_no_end() {
    on_both(|url| async move {
        let mut bench = Bench::open(&url).await;
        let registering = Registering::with(bench.house(), |folder| {
            Scribe::apart(folder, crate::registry::apart::tests::silent)
        });
        let registering = registering.await.unwrap();
        bench.exchange("ada", 0).await;
        let outputs = Arc::clone(&bench.house().outputs);
        // It is being asked.
        while tokio::time::timeout(SOON, outputs.still()).await.is_ok() {}
        let ends = tokio::time::timeout(GRACE * 3, registering.stop());
        assert!(ends.await.is_ok());
        assert!(outputs.still().await.follow().is_none());
        bench.registered().await;
        assert_eq!(bench.all_known(), ["x1"]);
        bench.close().await;
    });
}
