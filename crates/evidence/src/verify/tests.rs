mod ledgers;

use std::collections::BTreeMap;

use super::{Part, Report, Trust, Verdict};
use crate::bundle::{Entry, Input, write};
use crate::checkpoint::LogKey;
use crate::merkle::{Tree, leaf_hash};
use crate::{Event, Record};
use facts::{CaseId, Timestamp};
use sha2::{Digest as _, Sha256};
use verifier::bundle::{STATEMENT, pack, unpack};
use zip::ZipArchive;

/// Asks for what these small bundles have: no rulings, no detector.
fn verify(bundle: &[u8], key: Option<&str>) -> Report {
    let trust = Trust {
        key,
        ask: Some(&[]),
        ..Trust::default()
    };
    super::verify(bundle, &trust)
}

fn key() -> LogKey {
    LogKey::from_seed(&[3; 32], "fairhold/ledger").unwrap()
}

/// A bundle over a log of `size` leaves whose steps are at `places`.
fn sample(case: &str, steps: &[&str], size: u64) -> Vec<u8> {
    telling(case, steps, size, steps)
}

/// The same with a statement that tells other steps than the log holds.
fn telling(case: &str, steps: &[&str], size: u64, told: &[&str]) -> Vec<u8> {
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
    let leaf = |seq: u64| {
        let event = match usize::try_from(seq).ok().and_then(|n| steps.get(n)) {
            Some(step) => Event::CaseStep {
                case: CaseId::parse(case).unwrap(),
                step: "proposed".into(),
                digest: Sha256::digest(step).into(),
            },
            None => Event::Directory {
                change: "account_opened".into(),
                subject: seq.to_string(),
            },
        };
        Record {
            at: Timestamp(5),
            account: None,
            event,
        }
        .leaf(seq)
        .unwrap()
    };
    let tree = Tree::from_hashes((0..size).map(|seq| leaf_hash(&leaf(seq))));
    let entries: Vec<Entry> = (0..steps.len() as u64)
        .map(|seq| Entry {
            seq,
            index: seq,
            leaf: leaf(seq),
            proof: tree.inclusion_proof(seq, size).unwrap(),
        })
        .collect();
    let checkpoint = key().checkpoint(size, &tree.root(size).unwrap());
    write(&Input {
        case,
        statement: "because",
        steps: &told,
        key: &key(),
        checkpoint: &checkpoint,
        ledgers: &[],
        entries: &entries,
        policy: None,
        timestamp: None,
        extra: &[("detector/report.json".to_owned(), b"{}".to_vec())],
    })
    .unwrap()
}

#[test]
fn good_bundles_are_ok_and_always_the_same() {
    let bundle = sample("c1", &["a", "b"], 11);
    assert_eq!(bundle, sample("c1", &["a", "b"], 11));
    let report = verify(&bundle, Some(&key().vkey()));
    assert_eq!(
        (report.verdict, report.entries, report.key_was_given),
        (Verdict::Ok, 2, true),
        "{report:?}"
    );
    assert_eq!(report.case.as_deref(), Some("c1"));
    assert!(!verify(&bundle, None).key_was_given);
    let other = LogKey::from_seed(&[4; 32], "fairhold/ledger").unwrap();
    assert_eq!(
        verify(&bundle, Some(&other.vkey())).verdict,
        Verdict::Failed
    );
}

#[test]
fn one_altered_byte_anywhere_fails() {
    let bundle = sample("c1", &["a"], 3);
    let mut altered = bundle.clone();
    for place in 0..bundle.len() {
        for flip in [1, 0x80] {
            altered[place] ^= flip;
            let report = verify(&altered, None);
            assert_eq!(report.verdict, Verdict::Failed, "byte {place}: {report:?}");
            altered[place] ^= flip;
        }
    }
    assert_eq!(
        verify(&[&bundle[..], b"x"].concat(), None).verdict,
        Verdict::Failed
    );
    for cut in (1..bundle.len()).step_by(37) {
        assert_ne!(verify(&bundle[..cut], None).verdict, Verdict::Ok);
    }
}

#[test]
fn what_is_no_bundle_is_malformed() {
    let zip = pack(&BTreeMap::from([("a".to_owned(), b"b".to_vec())])).unwrap();
    for bytes in [&b""[..], b"hello", b"PK\x03\x04", &zip] {
        assert_eq!(verify(bytes, None).verdict, Verdict::Malformed);
    }
}

/// Without the key nobody can exchange, drop or add a file.
#[test]
fn other_files_do_not_fit() {
    let (one, two) = (
        unpack(&sample("c1", &["a", "b"], 9)).unwrap(),
        unpack(&sample("c2", &["x", "b"], 9)).unwrap(),
    );
    for name in one.keys() {
        let mut dropped = one.clone();
        dropped.remove(name);
        assert_ne!(
            verify(&pack(&dropped).unwrap(), None).verdict,
            Verdict::Ok,
            "{name} dropped"
        );
        if one[name] != two[name] {
            let mut swapped = one.clone();
            swapped.insert(name.clone(), two[name].clone());
            assert_eq!(
                verify(&pack(&swapped).unwrap(), None).verdict,
                Verdict::Failed,
                "{name} swapped"
            );
        }
    }
    let mut more = one;
    more.insert("entries/7.json".to_owned(), b"{}".to_vec());
    assert_eq!(verify(&pack(&more).unwrap(), None).verdict, Verdict::Failed);
}

/// The key's holder cannot leave a step out of the log either.
#[test]
fn a_step_that_is_not_in_the_log_fails() {
    let steps = ["never logged".to_owned()];
    let record = Record {
        at: Timestamp(5),
        account: None,
        event: Event::Directory {
            change: "account_opened".into(),
            subject: "a".into(),
        },
    };
    let leaf = record.leaf(0).unwrap();
    let checkpoint = key().checkpoint(1, &leaf_hash(&leaf));
    let bundle = write(&Input {
        case: "c",
        statement: "because",
        steps: &steps,
        key: &key(),
        checkpoint: &checkpoint,
        ledgers: &[],
        policy: None,
        timestamp: None,
        entries: &[Entry {
            seq: 0,
            index: 0,
            leaf,
            proof: Vec::new(),
        }],
        extra: &[],
    });
    let report = verify(&bundle.unwrap(), None);
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.fault.unwrap().contains("step 0"));
}

/// Nor tell them in another order, twice, or only the first of them.
#[test]
fn steps_are_the_logs_own_in_its_order() {
    for (told, fault) in [
        (&["a", "b", "c"][..], None),
        (&["b", "a", "c"], Some("step 0")),
        (&["a", "a", "b", "c"], Some("step 1")),
        (&["a", "b"], Some("only 2")),
        (&["a", "c"], Some("step 1")),
    ] {
        let report = verify(&telling("c1", &["a", "b", "c"], 9, told), None);
        let held = report.fault.as_deref();
        match fault {
            None => assert_eq!(held, None, "{told:?}"),
            Some(fault) => assert!(held.is_some_and(|h| h.contains(fault)), "{told:?} {held:?}"),
        }
    }
}

/// What VERIFY.md's own Python says of a bundle, under these variables.
fn by_hand_under(bundle: &[u8], variables: &[(&str, &str)]) -> std::process::Output {
    let howto = include_str!("../bundle/VERIFY.md");
    let script = howto.split("```python\n").nth(1).unwrap();
    let script = script.split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (program, file) = (folder.path().join("verify.py"), folder.path().join("c.zip"));
    std::fs::write(&program, script).unwrap();
    std::fs::write(&file, bundle).unwrap();
    std::process::Command::new("python3")
        .args([program.as_os_str(), file.as_os_str(), key().vkey().as_ref()])
        .envs(variables.iter().copied())
        .output()
        .expect("python3 must be installed (Debian packages python3, openssl)")
}

fn by_hand(bundle: &[u8]) -> std::process::Output {
    by_hand_under(bundle, &[])
}

/// What VERIFY.md tells a stranger to run really verifies, and really refuses.
#[test]
fn the_instructions_work_without_our_software() {
    let run = by_hand;
    let good = sample("c1", &["a", "b", "c"], 13);
    let told = run(&good);
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    assert!(String::from_utf8_lossy(&told.stdout).starts_with("ok: c1"));
    // Its checks are assertions: where those are off it says nothing.
    let mute = by_hand_under(&good, &[("PYTHONOPTIMIZE", "1")]);
    assert!(!mute.status.success() && mute.stdout.is_empty(), "{mute:?}");
    let policy = ledgers::policy();
    let many = ledgers::bundle(&[1, 2], Some(&policy), None);
    let told = run(&many);
    let said = String::from_utf8_lossy(&told.stdout);
    let records = ledgers::FIRST + 3;
    let expected = format!("{records} records in 3 ledgers");
    assert!(said.contains(&expected), "{told:?}");
    for (bundle, name) in [
        (&good, "entries/1.json"),
        (&many, "entries/1037.json"),
        (&many, "ledgers/1.entries"),
        (&many, "ledgers/1.consistency"),
        (&many, "entries/2000.tlog-proof"),
        (&many, "ledgers/1.body"),
        (&many, "ledgers/9.tlog-proof"),
        (&many, "checkpoint"),
        (&many, STATEMENT),
    ] {
        let mut files = unpack(bundle).unwrap();
        files.get_mut(name).unwrap()[40] ^= 1;
        assert!(!run(&pack(&files).unwrap()).status.success(), "{name}");
    }
}

/// The envelope around the signed payload is not signed itself: it has one form.
#[test]
fn the_envelope_cannot_be_rewritten() {
    let good = unpack(&sample("c1", &["a"], 3)).unwrap();
    let envelope = String::from_utf8(good[STATEMENT].clone()).unwrap();
    for changed in [
        envelope.replacen('{', "{ ", 1),
        format!("{envelope}\n"),
        envelope.replace("\"keyid\":\"fairhold/ledger\"", "\"keyid\":\"other\""),
    ] {
        assert_ne!(envelope, changed);
        let mut files = good.clone();
        files.insert(STATEMENT.to_owned(), changed.into_bytes());
        let report = verify(&pack(&files).unwrap(), Some(&key().vkey()));
        assert_eq!(report.verdict, Verdict::Failed, "{report:?}");
    }
}

/// A compressed archive, or one whose files overlap, is refused before it fills memory.
#[test]
fn archives_do_not_grow_when_read() {
    let mut deflated = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    deflated.start_file(STATEMENT, options).unwrap();
    std::io::Write::write_all(&mut deflated, &[0; 100]).unwrap();
    let deflated = deflated.finish().unwrap().into_inner();
    assert!(unpack(&deflated).is_none());

    // Nine names in the directory for one stored file.
    let one = pack(&BTreeMap::from([("f0".to_owned(), vec![7; 4096])])).unwrap();
    let (body, end) = one.split_at(one.len() - 22);
    let start = u32::from_le_bytes(end[16..20].try_into().unwrap()) as usize;
    let mut overlapping = body[..start].to_vec();
    for n in b'0'..=b'8' {
        let mut record = body[start..].to_vec();
        record[47] = n;
        overlapping.extend(record);
    }
    let mut end = end.to_vec();
    let length = u32::try_from(overlapping.len() - start).unwrap();
    end[8] = 9;
    end[10] = 9;
    end[12..16].copy_from_slice(&length.to_le_bytes());
    overlapping.extend(end);
    assert_eq!(
        ZipArchive::new(std::io::Cursor::new(&overlapping))
            .unwrap()
            .len(),
        9
    );
    assert!(unpack(&overlapping).is_none());
}
