//! Bundles of a log with ledgers: one for each account, under a root, with
//! witnesses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use verifier::bundle::{Files, POLICY, ledger_origin};
use verifier::policy::Policy;

use super::*;
use crate::bundle::{Beginning, Ledger};
use crate::checkpoint::{Note, WitnessKey};

const ACCUSED: [&str; 2] = ["harvest-1", "harvest-2"];

fn witness(n: u8) -> WitnessKey {
    WitnessKey::from_seed(&[n; 32], &format!("witness.example/{n}")).unwrap()
}

/// Two of three witnesses are asked for.
pub(super) fn policy() -> String {
    let mut lines = format!("log {}\n", key().vkey());
    for n in 1..=3 {
        let line = format!("witness w{n} {}\n", witness(n).vkey());
        lines.push_str(&line);
    }
    lines + "group two 2 w1 w2 w3\nquorum two\n"
}

pub(super) fn step() -> String {
    format!(
        r#"{{"at":9,"by":"ann","comment":"","proposal":{{"accounts":["{}","{}"],"clause":"c/1"}},"step":"proposed"}}"#,
        ACCUSED[0], ACCUSED[1]
    )
}

fn record(account: Option<&str>, seq: u64, step: &str) -> Vec<u8> {
    let event = match account {
        None => Event::CaseStep {
            case: CaseId::parse("c1").unwrap(),
            step: "proposed".into(),
            digest: Sha256::digest(step).into(),
        },
        Some(_) => Event::Directory {
            change: "account_opened".into(),
            subject: seq.to_string(),
        },
    };
    Record {
        at: Timestamp(5),
        account: account.map(|a| facts::AccountId::parse(a).unwrap()),
        event,
    }
    .leaf(seq)
    .unwrap()
}

/// First records of the first accused that are disclosed under one proof.
pub(super) const FIRST: u64 = 37;

/// A ledger of `size` records whose first is disclosed; the root's entries so far.
fn ledger(account: Option<&str>, size: u64, from: u64, root: &mut Vec<Vec<u8>>) -> Ledger {
    let leaves: Vec<_> = (0..size)
        .map(|n| record(account, from + n, &step()))
        .collect();
    let tree = Tree::from_hashes(leaves.iter().map(|leaf| leaf_hash(leaf)));
    let origin = ledger_origin(key().name(), account);
    let checkpoint = key()
        .under(&origin)
        .unwrap()
        .checkpoint(size, &tree.root(size).unwrap());
    let note = Note::parse(&checkpoint).unwrap();
    root.push(note.text.into_bytes());
    Ledger {
        checkpoint,
        place: root.len() as u64 - 1,
        proof: Vec::new(),
        beginning: None,
        entries: vec![Entry {
            seq: from,
            index: 0,
            leaf: leaves[0].clone(),
            proof: tree.inclusion_proof(0, size).unwrap(),
        }],
    }
}

/// The same ledger with its first records under one proof, and the one after them by itself.
fn begun(mut ledger: Ledger, first: u64) -> Ledger {
    let leaves: Vec<_> = (0..300)
        .map(|n| record(Some(ACCUSED[0]), 1000 + n, &step()))
        .collect();
    let tree = Tree::from_hashes(leaves.iter().map(|leaf| leaf_hash(leaf)));
    let at = usize::try_from(first).unwrap();
    ledger.beginning = Some(Beginning {
        proof: tree.consistency_proof(first, 300).unwrap(),
        leaves: leaves[..at].to_vec(),
    });
    ledger.entries = vec![Entry {
        seq: 1000 + first,
        index: first,
        leaf: leaves[at].clone(),
        proof: tree.inclusion_proof(first, 300).unwrap(),
    }];
    ledger
}

pub(super) fn bundle(witnesses: &[u8], policy: Option<&str>, timestamp: Option<&[u8]>) -> Vec<u8> {
    let mut root = Vec::new();
    let mut ledgers = vec![
        ledger(None, 3, 100, &mut root),
        begun(ledger(Some(ACCUSED[0]), 300, 1000, &mut root), FIRST),
    ];
    root.extend((0..7_u8).map(|n| vec![n])); // ledgers of others: hashes in proofs, nothing else
    ledgers.push(ledger(Some(ACCUSED[1]), 5, 2000, &mut root));
    let around = Around {
        witnesses,
        policy,
        timestamp,
    };
    closed(ledgers, &root, &[], &around)
}

/// What stands around a root.
#[derive(Default)]
struct Around<'a> {
    witnesses: &'a [u8],
    policy: Option<&'a str>,
    timestamp: Option<&'a [u8]>,
}

/// The bundle of these ledgers, and of the root's own leaves at some places.
fn closed(mut ledgers: Vec<Ledger>, root: &[Vec<u8>], own: &[u64], around: &Around<'_>) -> Vec<u8> {
    let tree = Tree::from_hashes(root.iter().map(|body| leaf_hash(body)));
    let size = root.len() as u64;
    for ledger in &mut ledgers {
        ledger.proof = tree.inclusion_proof(ledger.place, size).unwrap();
    }
    let mut note = Note::parse(&key().checkpoint(size, &tree.root(size).unwrap())).unwrap();
    for n in around.witnesses {
        note.signatures
            .push(witness(*n).cosign(1_780_000_000, &note.text));
    }
    let timestamp = around.timestamp.map(|what| crate::bundle::Timestamp {
        response: what.to_vec(),
        chain: Vec::new(),
    });
    let entries: Vec<Entry> = own
        .iter()
        .map(|seq| Entry {
            seq: *seq,
            index: *seq,
            leaf: root[usize::try_from(*seq).unwrap()].clone(),
            proof: tree.inclusion_proof(*seq, size).unwrap(),
        })
        .collect();
    write(&Input {
        case: "c1",
        statement: "because",
        steps: &[step()],
        key: &key(),
        checkpoint: &note.to_string(),
        ledgers: &ledgers,
        entries: &entries,
        policy: around.policy,
        timestamp: timestamp.as_ref(),
        extra: &[],
    })
    .unwrap()
}

fn asked(bundle: &[u8], trust: &Trust<'_>) -> (Verdict, Vec<String>) {
    let report = super::super::verify(bundle, trust);
    let unproven = report.parts.iter().filter(|p| p.asked && !p.proven);
    let unproven = unproven.map(|p| p.part.word().to_owned()).collect();
    (report.verdict, unproven)
}

#[test]
fn records_are_proven_in_their_ledgers_and_these_under_the_root() {
    let report = verify(&bundle(&[], None, None), Some(&key().vkey()));
    assert_eq!(
        (report.verdict, report.entries, report.ledgers),
        (Verdict::Ok, 40, 3),
        "{report:?}"
    );
}

/// Whoever holds the log's key may sign two ledgers of one account, or a record beside them: an
/// account has one ledger, and its records lie nowhere else.
#[test]
fn a_record_lies_in_the_one_ledger_of_its_account() {
    let mut root = Vec::new();
    let house = |root: &mut Vec<Vec<u8>>| ledger(None, 3, 100, root);
    let forked = vec![
        house(&mut root),
        ledger(Some(ACCUSED[0]), 9, 1000, &mut root),
        ledger(Some(ACCUSED[0]), 5, 2000, &mut root),
    ];
    let forked = closed(forked, &root, &[], &Around::default());
    let mut root = Vec::new();
    let beside = vec![
        house(&mut root),
        ledger(Some(ACCUSED[0]), 9, 1000, &mut root),
    ];
    root.push(record(Some(ACCUSED[0]), 2, &step()));
    let whole = closed(beside.clone(), &root, &[], &Around::default());
    let beside = closed(beside, &root, &[2], &Around::default());
    let told = |bundle: &[u8]| {
        let report = verify(bundle, Some(&key().vkey()));
        (report.verdict, report.fault.unwrap_or_default())
    };
    assert_eq!(told(&whole).0, Verdict::Ok, "{:?}", told(&whole));
    for (bundle, why) in [(forked, "is there twice"), (beside, "where ledgers are")] {
        let (verdict, fault) = told(&bundle);
        assert_eq!(verdict, Verdict::Failed, "{why}");
        assert!(fault.contains(why), "{fault}");
        assert!(!by_hand(&bundle).status.success(), "{why}");
    }
}

/// What is asked for and absent is unproven, never a pass.
#[test]
fn what_is_absent_is_unproven() {
    let vkey = key().vkey();
    let policy = policy();
    let plain = bundle(&[], None, None);
    let trust = |key, policy, ask| Trust {
        key,
        policy,
        ask,
        ..Trust::default()
    };
    let policy_bytes = Some(policy.as_bytes());
    for (given, unproven) in [
        (trust(None, None, Some(&[][..])), vec!["key"]),
        (trust(Some(&*vkey), None, None), vec!["rulings", "detector"]),
        (
            trust(Some(&*vkey), policy_bytes, Some(&[])),
            vec!["witnesses"],
        ),
        (
            trust(
                Some(&*vkey),
                None,
                Some(&[Part::Witnesses, Part::Timestamp, Part::Bodies]),
            ),
            vec!["witnesses", "timestamp", "bodies"],
        ),
    ] {
        let told = asked(&plain, &given);
        assert_eq!(
            told,
            (
                Verdict::Unproven,
                unproven.iter().map(ToString::to_string).collect()
            )
        );
    }
    let whole = Trust {
        bundle_key: true,
        ask: Some(&[]),
        ..Trust::default()
    };
    assert_eq!(asked(&plain, &whole).0, Verdict::Ok);
    assert_eq!(Verdict::Unproven.exit_code(), 3);
}

/// A log that promised witnesses is held to it even by whoever has no policy,
/// for whom they are yet no proof: only the bundle names them.
#[test]
fn witnesses_count_by_the_policy() {
    let vkey = key().vkey();
    let policy = policy();
    for (signed, verdict) in [
        (&[][..], Verdict::Unproven),
        (&[2], Verdict::Unproven),
        (&[1, 3], Verdict::Ok),
        (&[3, 2, 1], Verdict::Ok),
        (&[9, 8, 1], Verdict::Unproven),
    ] {
        for (inside, given) in [(Some(&*policy), None), (None, Some(policy.as_bytes()))] {
            let mut trust = Trust {
                key: Some(&vkey),
                policy: given,
                ask: Some(&[]),
                ..Trust::default()
            };
            let told = asked(&bundle(signed, inside, None), &trust);
            assert_eq!(told.0, verdict, "{signed:?} {told:?}");
            trust.ask = Some(&[Part::Witnesses]);
            let told = asked(&bundle(signed, inside, None), &trust);
            let proven = given.is_some() && verdict == Verdict::Ok;
            assert_eq!(told.0 == Verdict::Ok, proven, "{signed:?} {told:?}");
        }
    }
    // The bundle's own lax policy does not weaken the caller's.
    let lax = bundle(&[], Some("quorum none\n"), None);
    let trust = Trust {
        policy: Some(policy.as_bytes()),
        ask: Some(&[]),
        ..Trust::default()
    };
    assert_eq!(
        asked(&lax, &trust),
        (Verdict::Unproven, vec!["witnesses".to_owned()])
    );
    // A policy that names another log refuses.
    let other = policy.replace(&vkey, &LogKey::from_seed(&[4; 32], "other").unwrap().vkey());
    let trust = Trust {
        policy: Some(other.as_bytes()),
        ..Trust::default()
    };
    assert_eq!(asked(&lax, &trust).0, Verdict::Failed);
}

#[test]
fn a_stripped_part_fails_and_a_stray_one_too() {
    let good = unpack(&bundle(&[1, 2], Some(&policy()), None)).unwrap();
    for name in good.keys() {
        let mut less = good.clone();
        less.remove(name);
        let report = verify(&pack(&less).unwrap(), Some(&key().vkey()));
        assert!(
            matches!(report.verdict, Verdict::Failed | Verdict::Malformed),
            "{name} stripped: {report:?}"
        );
    }
    let mut more: Files = good.clone();
    more.insert("checkpoint.tsr".to_owned(), b"x".to_vec());
    assert_eq!(
        verify(&pack(&more).unwrap(), Some(&key().vkey())).verdict,
        Verdict::Failed
    );
    // A timestamp that is none is wrong, not absent.
    let stamped = bundle(&[], None, Some(b"no token"));
    assert_eq!(
        verify(&stamped, Some(&key().vkey())).verdict,
        Verdict::Failed
    );
}

/// Whoever does not know the authority holds no proof, and no proof of a fault either.
#[test]
fn a_timestamp_counts_for_whoever_trusts_its_authority() {
    let plain = unpack(&bundle(&[], None, None)).unwrap();
    let note = &plain["checkpoint"];
    let kinds = ["p256", "p256"].map(crate::timestamp::tests::Authority::new);
    let [ours, other] = kinds
        .each_ref()
        .map(crate::timestamp::tests::Authority::root);
    let answer = kinds[0].answer(&crate::timestamp::request(note, 5).unwrap());
    let (stamp, _) = crate::timestamp::accept(&answer, note, 5, &ours).unwrap();
    let stamped = bundle(&[], None, Some(&stamp.response));
    let vkey = key().vkey();
    for (authorities, ask, verdict) in [
        (Some(&ours[..]), &[][..], Verdict::Ok),
        (Some(&other), &[], Verdict::Unproven),
        (None, &[Part::Timestamp], Verdict::Unproven),
        (None, &[], Verdict::Ok),
        (Some(b"no certificate"), &[], Verdict::Failed),
    ] {
        let trust = Trust {
            key: Some(&vkey),
            authorities,
            ask: Some(ask),
            ..Trust::default()
        };
        assert_eq!(asked(&stamped, &trust).0, verdict);
    }
}

/// Only the accused accounts' records are in it: nobody else's fits.
#[test]
fn records_of_others_are_not_written() {
    let mut root = Vec::new();
    let ledgers = [ledger(Some("bystander"), 2, 5, &mut root)];
    let checkpoint = key().checkpoint(1, &leaf_hash(&root[0]));
    let refused = write(&Input {
        case: "c1",
        statement: "because",
        steps: &[step()],
        key: &key(),
        checkpoint: &checkpoint,
        ledgers: &ledgers,
        entries: &[],
        policy: None,
        timestamp: None,
        extra: &[],
    });
    assert!(refused.unwrap_err().to_string().contains("bystander"));
    let text = bundle(&[], None, None);
    for other in ["bystander", "harvest-3"] {
        assert!(!text.windows(other.len()).any(|w| w == other.as_bytes()));
    }
}

/// A record proven in another account's ledger is not that account's.
#[test]
fn a_record_in_a_foreign_ledger_fails() {
    let mut root = Vec::new();
    let mut one = ledger(Some(ACCUSED[0]), 1, 7, &mut root);
    let foreign = record(Some(ACCUSED[1]), 7, "");
    let tree = Tree::from_hashes([leaf_hash(&foreign)]);
    let origin = ledger_origin(key().name(), Some(ACCUSED[0]));
    one.checkpoint = key()
        .under(&origin)
        .unwrap()
        .checkpoint(1, &tree.root(1).unwrap());
    one.entries[0].leaf = foreign;
    root[0] = Note::parse(&one.checkpoint).unwrap().text.into_bytes();
    let house = ledger(None, 1, 9, &mut root);
    let tree = Tree::from_hashes(root.iter().map(|body| leaf_hash(body)));
    let mut ledgers = [one, house];
    for ledger in &mut ledgers {
        ledger.proof = tree.inclusion_proof(ledger.place, 2).unwrap();
    }
    let bundle = write(&Input {
        case: "c1",
        statement: "because",
        steps: &[step()],
        key: &key(),
        checkpoint: &key().checkpoint(2, &tree.root(2).unwrap()),
        ledgers: &ledgers,
        entries: &[],
        policy: None,
        timestamp: None,
        extra: &[],
    });
    let report = verify(&bundle.unwrap(), Some(&key().vkey()));
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.fault.unwrap().contains("it is not a record of"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1))]

    #[test]
    fn a_changed_bit_anywhere_is_refused(seed in any::<u64>()) {
        let good = bundle(&[1, 2, 3], Some(&policy()), None);
        let vkey = key().vkey();
        let trust = Trust { key: Some(&vkey), ask: Some(&[]), ..Trust::default() };
        prop_assert_eq!(asked(&good, &trust).0, Verdict::Ok);
        let mut changed = good.clone();
        // 2,000 places, a stride apart, so that every file is among them.
        let (bits, start) = (good.len() * 8, usize::try_from(seed % 997).unwrap());
        for bit in (start..bits).step_by(bits / 2_000) {
            changed[bit / 8] ^= 1 << (bit % 8);
            let told = asked(&changed, &trust);
            prop_assert!(!matches!(told.0, Verdict::Ok | Verdict::Unproven), "bit {}: {:?}", bit, told);
            changed[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// The bundle's own `VERIFY.md` and its policy are what a stranger finds there.
#[test]
fn the_policy_inside_is_one() {
    let files = unpack(&bundle(&[], Some(&policy()), None)).unwrap();
    assert_eq!(Policy::parse(&files[POLICY]).unwrap().witnesses().len(), 3);
}

/// The first records of a ledger are those and all of those: none is left out, added, exchanged or
/// moved, and no other proof fits.
#[test]
fn first_records_are_whole() {
    let good = unpack(&bundle(&[], None, None)).unwrap();
    let vkey = key().vkey();
    let report = verify(&pack(&good).unwrap(), Some(&vkey));
    assert_eq!(
        (report.verdict, report.entries),
        (Verdict::Ok, usize::try_from(FIRST).unwrap() + 3),
        "{report:?}"
    );
    let leaf = |n: u64| record(Some(ACCUSED[0]), 1000 + n, &step());
    let own: Vec<_> = (0..FIRST).map(leaf).collect();
    let mut moved = own.clone();
    moved.swap(3, 4);
    let mut other = own.clone();
    other[5] = record(Some(ACCUSED[1]), 1005, &step());
    let hole = [&own[..7], &own[8..]].concat();
    let more = [&own[..], &[leaf(FIRST)]].concat();
    let wrongs: [&[Vec<u8>]; 6] = [&moved, &other, &hole, &more, &own[1..], &[]];
    for leaves in wrongs {
        let told = rewritten(&good, |files| {
            let bytes = verifier::tile::entry_bundle(leaves.iter().map(Vec::as_slice)).unwrap();
            files.insert("ledgers/1.entries".to_owned(), bytes);
        });
        assert_eq!(told.verdict, Verdict::Failed, "{told:?}");
    }
    for (name, text) in [
        ("ledgers/1.consistency", ""),
        ("ledgers/1.consistency", "AAAA\n"),
        ("ledgers/1.entries", "\u{1}"),
        ("ledgers/1.entries", ""),
    ] {
        let told = rewritten(&good, |files| {
            files.insert(name.to_owned(), text.as_bytes().to_vec());
        });
        assert_eq!(told.verdict, Verdict::Failed, "{name} {told:?}");
    }
    for name in [
        "ledgers/1.consistency",
        "ledgers/1.entries",
        "ledgers/1.body",
    ] {
        let told = rewritten(&good, |files| {
            files.remove(name);
        });
        assert_eq!(told.verdict, Verdict::Failed, "{name} {told:?}");
    }
    // The same record once more by itself, as it is proven.
    let twice = rewritten(&good, |files| {
        let leaves: Vec<_> = (0..300).map(leaf).collect();
        let tree = Tree::from_hashes(leaves.iter().map(|leaf| leaf_hash(leaf)));
        let old = String::from_utf8(files["entries/1037.tlog-proof"].clone()).unwrap();
        let mut proof = verifier::proof::TlogProof::parse(&old).unwrap();
        (proof.index, proof.hashes) = (2, tree.inclusion_proof(2, 300).unwrap());
        files.insert("entries/1002.json".to_owned(), leaf(2));
        let text = proof.to_string().into_bytes();
        files.insert("entries/1002.tlog-proof".to_owned(), text);
    });
    assert!(twice.fault.unwrap().contains("disclosed twice"));
}

/// What the key's holder says of files that it changed: the statement is made and signed anew.
fn rewritten(files: &Files, change: impl FnOnce(&mut Files)) -> Report {
    let mut files = files.clone();
    change(&mut files);
    let envelope: serde_json::Value = serde_json::from_slice(&files[STATEMENT]).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap());
    let mut statement: serde_json::Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    files.remove(STATEMENT);
    let subjects = files.iter().map(|(name, bytes)| {
        let digest = hex::encode(Sha256::digest(bytes));
        serde_json::json!({"name": name, "digest": {"sha256": digest}})
    });
    statement["subject"] = subjects.collect();
    let payload = serde_json_canonicalizer::to_vec(&statement).unwrap();
    let envelope = crate::dsse::sign(&key(), verifier::bundle::PAYLOAD, &payload);
    files.insert(STATEMENT.to_owned(), envelope.unwrap());
    verify(&pack(&files).unwrap(), Some(&key().vkey()))
}
