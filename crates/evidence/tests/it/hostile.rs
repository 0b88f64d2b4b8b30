//! Signed originals, changed at random: no door panics, and none accepts what
//! differs from the original in anything that was signed.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use evidence::bundle::{Entry, Input, write};
use evidence::checkpoint::{LogKey, WitnessKey};
use evidence::dsse;
use evidence::merkle::{Tree, leaf_hash};
use evidence::submission::Submission;
use evidence::verify::{Trust, Verdict, verify};
use evidence::{Event, Record};
use facts::{CaseId, Timestamp};
use sha2::{Digest as _, Sha256};
use verifier::checkpoint::{Note, Verifier};
use verifier::policy::Policy;
use verifier::proof::TlogProof;
use verifier::tile::{Tile, TileKind, Tiles, entries, entry_bundle};
use verifier::timestamp;

/// Changed inputs for each door.
const ROUNDS: u32 = 20_000;

/// `SplitMix64`: the same bytes on every run and machine.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (bound.max(1) as u64)).unwrap_or_default()
    }

    /// One to three changes: a bit, a byte, a cut, a doubled or moved part, a doubled line, a
    /// letter of base64.
    fn changed(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len() + 1);
            let end = (at + 1 + self.below(48)).min(bytes.len());
            match self.below(8) {
                0..3 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                3 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                4 if at < bytes.len() => bytes.drain(at..end).for_each(drop),
                5 if at < bytes.len() => {
                    let part = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, part).for_each(drop);
                }
                6 => {
                    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
                    let mut lines: Vec<Vec<u8>> = lines.into_iter().map(<[u8]>::to_vec).collect();
                    if !lines.is_empty() {
                        let (from, to) = (self.below(lines.len()), self.below(lines.len()));
                        let line = lines[from].clone();
                        lines.insert(to, line);
                    }
                    bytes = lines.concat();
                }
                7 if at < bytes.len() => bytes[at] = b"Aa0+/=\n z"[self.below(9)],
                _ => bytes.truncate(at),
            }
        }
        bytes
    }
}

/// Puts `ROUNDS` changed originals through a door, which asserts what it must not accept; how many
/// it accepted nevertheless, because what differs in them is not signed.
fn through(name: &str, original: &[u8], door: impl Fn(&[u8]) -> bool) -> u32 {
    assert!(door(original), "{name}: the original must be accepted");
    let mut seeded = Seeded(0x0fa1_2401d);
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let bytes = seeded.changed(original);
        let held = catch_unwind(AssertUnwindSafe(|| door(&bytes)));
        let shown = String::from_utf8_lossy(&bytes);
        accepted += u32::from(held.unwrap_or_else(|_| panic!("{name}, round {round}: {shown:?}")));
    }
    accepted
}

fn key() -> LogKey {
    LogKey::from_seed(&[9; 32], "log.example").unwrap()
}

fn log() -> Verifier {
    Verifier::parse(&key().vkey()).unwrap()
}

fn leaf(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

fn tree(size: u64) -> Tree {
    Tree::from_hashes((0..size).map(|n| leaf_hash(&leaf(n))))
}

fn note(size: u64) -> String {
    key().checkpoint(size, &tree(size).root(size).unwrap())
}

#[test]
fn a_changed_tile_does_not_lead_to_the_root() {
    let size = 300;
    let tree = tree(size);
    let root = tree.root(size).unwrap();
    let first = Tile::new(TileKind::Hashes(0), 0, 256).unwrap();
    let original = tree.tile(first).unwrap();
    through("tile", &original, |bytes| {
        let source = |tile: Tile| {
            if tile == first {
                Ok(bytes.to_vec())
            } else {
                tree.tile(tile).ok_or("no such tile")
            }
        };
        // The tile above is made of this one.
        let mut tiles = Tiles::new(size, source);
        let above = tiles.leaf(0).and_then(|_| tiles.root());
        let made = verifier::tile::hashes(bytes, 256).map(|hashes| {
            let all = hashes
                .into_iter()
                .chain((256..size).map(|n| leaf_hash(&leaf(n))));
            Tree::from_hashes(all).root(size).unwrap()
        });
        let holds = above.is_ok() && made == Some(root);
        assert!(!holds || bytes == original);
        holds
    });
    let leaves: Vec<Vec<u8>> = (0..256).map(leaf).collect();
    let original = entry_bundle(leaves.iter().map(Vec::as_slice)).unwrap();
    let whole = Tree::from_hashes(leaves.iter().map(|leaf| leaf_hash(leaf))).root(256);
    through("entries", &original, |bytes| {
        let Some(found) = entries(bytes, 256) else {
            return false;
        };
        let holds = Tree::from_hashes(found.iter().map(|leaf| leaf_hash(leaf))).root(256) == whole;
        assert!(!holds || bytes == original);
        holds
    });
}

#[test]
fn a_changed_proof_proves_nothing_else() {
    let (size, index) = (300, 77);
    let proof = TlogProof {
        extra: Some(b"of the application".to_vec()),
        index,
        hashes: tree(size).inclusion_proof(index, size).unwrap(),
        checkpoint: note(size),
    };
    let under = proof.verify(&leaf(index), &log()).unwrap();
    let accepted = through("tlog-proof", proof.to_string().as_bytes(), |bytes| {
        let Ok(read) = std::str::from_utf8(bytes)
            .map_err(|_| ())
            .and_then(|t| TlogProof::parse(t).map_err(|_| ()))
        else {
            return false;
        };
        assert_eq!(
            read.to_string().as_bytes(),
            bytes,
            "a proof has two spellings"
        );
        let Ok(checkpoint) = read.verify(&leaf(index), &log()) else {
            return false;
        };
        assert_eq!(
            (read.index, &read.hashes, &checkpoint),
            (index, &proof.hashes, &under)
        );
        assert!(read.verify(&leaf(index + 1), &log()).is_err());
        true
    });
    assert!(accepted > 0, "what nobody vouches for may differ");
}

#[test]
fn a_changed_submission_is_no_other_checkpoint() {
    let sent = Submission {
        old: 200,
        proof: tree(300).consistency_proof(200, 300).unwrap(),
        note: Note::parse(&note(300)).unwrap(),
    };
    let signed = log().open_note(&sent.note).unwrap();
    through("submission", sent.to_string().as_bytes(), |bytes| {
        let Ok(read) = Submission::parse(bytes) else {
            return false;
        };
        assert_eq!(
            read.to_string().as_bytes(),
            bytes,
            "a request has two spellings"
        );
        let Ok(checkpoint) = log().open_note(&read.note) else {
            return false;
        };
        assert_eq!(checkpoint, signed);
        let known = tree(300).root(read.old.min(300)).unwrap();
        let continued = verifier::merkle::verify_consistency(
            read.old,
            &known,
            checkpoint.size,
            &checkpoint.root,
            &read.proof,
        );
        assert!(continued.is_err() || read.old == 0 || read.old == 300 || read.proof == sent.proof);
        true
    });
}

#[test]
fn a_changed_policy_lets_no_absent_witness_count() {
    let witnesses = [1, 2, 3]
        .map(|n| WitnessKey::from_seed(&[n; 32], &format!("witness.example/{n}")).unwrap());
    let mut text = format!("log {}\n", key().vkey());
    for (n, witness) in witnesses.iter().enumerate() {
        writeln!(text, "witness w{n} {}", witness.vkey()).unwrap();
    }
    text += "group two 2 w0 w1 w2\nquorum two\n";
    let bare = Note::parse(&note(300)).unwrap();
    let mut seen = bare.clone();
    for witness in &witnesses[..2] {
        seen.signatures
            .push(witness.cosign(1_780_000_000, &seen.text));
    }
    through("tlog-policy", text.as_bytes(), |bytes| {
        let read = Policy::parse(bytes);
        assert_eq!(read, Policy::parse(bytes));
        let Ok(policy) = read else {
            return false;
        };
        for (note, most) in [(&bare, 0), (&seen, 2)] {
            let Ok(standing) = policy.ask(note) else {
                continue;
            };
            assert_eq!(standing.checkpoint, log().open_note(note).unwrap());
            assert!(standing.seen_by.len() <= most, "{standing:?}");
            assert!(!standing.quorum || most > 0 || !policy.asks_witnesses());
        }
        policy.ask(&seen).is_ok_and(|standing| standing.quorum)
    });
}

#[test]
fn a_changed_envelope_does_not_open() {
    let kind = "application/vnd.in-toto+json";
    let original = dsse::sign(&key(), kind, br#"{"predicate":{"case":"c"},"subject":[]}"#).unwrap();
    through("dsse", &original, |bytes| {
        let opened = dsse::open(&log(), kind, bytes).is_ok();
        assert!(!opened || bytes == original);
        opened
    });
}

#[test]
fn a_changed_timestamp_does_not_hold() {
    let seed = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/timestamp/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    };
    let (data, token, root) = (seed("checkpoint"), seed("checkpoint.tsr"), seed("ca.pem"));
    through("timestamp", &token, |bytes| {
        let held = timestamp::verify(bytes, &data, &root, b"").is_ok();
        assert!(!held || bytes == token);
        held
    });
    through("stamped data", &data, |bytes| {
        let held = timestamp::verify(&token, bytes, &root, b"").is_ok();
        assert!(!held || bytes == data);
        held
    });
}

#[test]
fn a_changed_bundle_is_no_bundle_of_the_log() {
    let step = r#"{"at":1,"by":"ann","comment":"","step":"approved"}"#.to_owned();
    let event = Event::CaseStep {
        case: CaseId::parse("c").unwrap(),
        step: "approved".to_owned(),
        digest: Sha256::digest(&step).into(),
    };
    let record = Record {
        at: Timestamp(5),
        account: None,
        event,
    };
    let leaf = record.leaf(0).unwrap();
    let checkpoint = key().checkpoint(1, &leaf_hash(&leaf));
    let entries = [Entry {
        seq: 0,
        index: 0,
        leaf,
        proof: Vec::new(),
    }];
    let extra = [("disclosure.txt".to_owned(), b"{}".to_vec())];
    let steps = [step];
    let original = write(&Input {
        case: "c",
        statement: "because",
        steps: &steps,
        key: &key(),
        checkpoint: &checkpoint,
        ledgers: &[],
        entries: &entries,
        policy: Some("quorum none\n"),
        timestamp: None,
        extra: &extra,
    })
    .unwrap();
    let vkey = key().vkey();
    let trust = Trust {
        key: Some(&vkey),
        ask: Some(&[]),
        ..Trust::default()
    };
    assert_eq!(verify(&original, &trust).fault, None);
    through("bundle", &original, |bytes| {
        let held = verify(bytes, &trust).verdict;
        assert!(matches!(held, Verdict::Failed | Verdict::Malformed) || bytes == original);
        held == Verdict::Ok
    });
}
