use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::checkpoint::{LogKey, Note, Verifier, WitnessKey};
use evidence::merkle::{Hash, Tree, leaf_hash};

use tokio::net::TcpListener;

use super::serve::{Answer, WitnessDesk, router};
use super::{Asked, Witnesses};

fn log() -> LogKey {
    LogKey::from_seed(&[7; 32], "example.org/log").unwrap()
}

fn vkey(key: &LogKey) -> Verifier {
    Verifier::parse(&key.vkey()).unwrap()
}

fn desk(folder: &std::path::Path) -> WitnessDesk {
    let key = WitnessKey::from_seed(&[9; 32], "example.org/witness").unwrap();
    WitnessDesk::open(key, vec![vkey(&log())], folder.to_path_buf()).unwrap()
}

/// A history of a log: the leaves of `name`.
fn history(name: &str, size: u64) -> Tree {
    Tree::from_hashes((0..size).map(|n| leaf_hash(format!("{name}{n}").as_bytes())))
}

fn note(key: &LogKey, tree: &Tree, size: u64) -> String {
    key.checkpoint(size, &tree.root(size).unwrap())
}

fn request(old: u64, proof: &[Hash], note: &str) -> String {
    let lines: String = proof.iter().map(|h| STANDARD.encode(h) + "\n").collect();
    format!("old {old}\n{lines}\n{note}")
}

/// What a log that holds this history would post.
fn honest(tree: &Tree, old: u64, size: u64) -> String {
    let proof = tree.consistency_proof(old, size).unwrap();
    request(old, &proof, &note(&log(), tree, size))
}

#[track_caller]
fn cosigned(answer: &Answer, note: &str) {
    let Answer::Cosigned(lines) = answer else {
        panic!("{answer:?}");
    };
    let witness = WitnessKey::from_seed(&[9; 32], "example.org/witness").unwrap();
    let witness = Verifier::parse(&witness.vkey()).unwrap();
    let signed = Note::parse(&format!("{note}{lines}")).unwrap();
    assert!(witness.cosigned(&signed).unwrap().is_some());
    assert_eq!(
        vkey(&log()).open_note(&signed).unwrap().origin,
        "example.org/log"
    );
}

#[tokio::test]
async fn only_what_continues_is_cosigned() {
    let folder = tempfile::tempdir().unwrap();
    let tree = history("a", 40);
    let fork = history("b", 40);
    let witness = desk(folder.path());
    let add = async |body: String| witness.add(body.as_bytes()).await;

    cosigned(&add(honest(&tree, 0, 10)).await, &note(&log(), &tree, 10));
    cosigned(&add(honest(&tree, 10, 10)).await, &note(&log(), &tree, 10));
    cosigned(&add(honest(&tree, 10, 25)).await, &note(&log(), &tree, 25));

    // Rolled back: the log's own key signs it, and it is refused.
    assert_eq!(add(honest(&tree, 0, 10)).await, Answer::Conflict(25));
    assert_eq!(add(honest(&tree, 10, 20)).await, Answer::Conflict(25));
    let back = request(25, &[], &note(&log(), &tree, 20));
    assert!(matches!(add(back).await, Answer::Malformed(_)));
    // Forked: at the same size, and beyond it with the fork's own proof.
    let same = request(25, &[], &note(&log(), &fork, 25));
    assert!(matches!(add(same).await, Answer::Inconsistent(_)));
    assert!(matches!(
        add(honest(&fork, 25, 30)).await,
        Answer::Inconsistent(_)
    ));
    // A fork from what was seen on, with the true tree's proof.
    let proof = tree.consistency_proof(25, 30).unwrap();
    let mixed = request(25, &proof, &note(&log(), &fork, 30));
    assert!(matches!(add(mixed).await, Answer::Inconsistent(_)));
    // After all of that it still stands where it stood.
    cosigned(&add(honest(&tree, 25, 40)).await, &note(&log(), &tree, 40));
}

#[tokio::test]
async fn every_single_bit_of_a_checkpoint_counts() {
    let folder = tempfile::tempdir().unwrap();
    let tree = history("a", 12);
    let witness = desk(folder.path());
    witness.add(honest(&tree, 0, 5).as_bytes()).await;
    let good = honest(&tree, 5, 12).into_bytes();
    let mut altered = good.clone();
    for place in 0..good.len() {
        altered[place] ^= 1;
        let answer = witness.add(&altered).await;
        assert!(!matches!(answer, Answer::Cosigned(_)), "byte {place}");
        altered[place] ^= 1;
    }
    assert!(matches!(witness.add(&good).await, Answer::Cosigned(_)));
}

#[tokio::test]
async fn strangers_and_nonsense_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let tree = history("a", 12);
    let witness = desk(folder.path());
    let other = LogKey::from_seed(&[7; 32], "example.org/other").unwrap();
    let unknown = request(0, &[], &note(&other, &tree, 5));
    assert_eq!(witness.add(unknown.as_bytes()).await, Answer::Unknown);
    let stranger = LogKey::from_seed(&[8; 32], "example.org/log").unwrap();
    let forged = request(0, &[], &note(&stranger, &tree, 5));
    assert!(matches!(
        witness.add(forged.as_bytes()).await,
        Answer::Unsigned(_)
    ));
    let proven = request(0, &[[1; 32]], &note(&log(), &tree, 5));
    assert!(matches!(
        witness.add(proven.as_bytes()).await,
        Answer::Inconsistent(_)
    ));
    let empty = log().checkpoint(0, &[3; 32]);
    let empty = request(0, &[], &empty);
    assert!(matches!(
        witness.add(empty.as_bytes()).await,
        Answer::Inconsistent(_)
    ));
    let good = honest(&tree, 0, 5);
    let proof_lines = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".repeat(64);
    for body in [
        String::new(),
        good.replace("old 0", "old 00"),
        good.replace("old 0", "old -1"),
        good.replace("old 0", "0"),
        good.replace("old 0\n", "old 0\nnot base64\n"),
        good.replace("old 0\n", &format!("old 0\n{proof_lines}")),
        good.replace("\n\n", "\n"),
    ] {
        let answer = witness.add(body.as_bytes()).await;
        assert!(matches!(answer, Answer::Malformed(_)), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn what_was_seen_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let tree = history("a", 12);
    let witness = desk(folder.path());
    witness.add(honest(&tree, 0, 10).as_bytes()).await;
    drop(witness);
    let witness = desk(folder.path());
    let back = witness.add(honest(&tree, 0, 5).as_bytes()).await;
    assert_eq!(back, Answer::Conflict(10));
    drop(witness);
    let state = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let path = state.unwrap().path();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("10", "11", 1)).unwrap();
    let key = WitnessKey::from_seed(&[9; 32], "example.org/witness").unwrap();
    let opened = WitnessDesk::open(key, vec![vkey(&log())], folder.path().to_path_buf());
    let error = opened.unwrap_err();
    assert!(
        error.contains("this witness did not sign it"),
        "it does not begin anew: {error}"
    );
}

/// A witness on loopback, and how a log reaches it.
pub(crate) async fn listening(folder: &std::path::Path, logs: Vec<Verifier>) -> Asked {
    let (asked, listener, desk) = deaf(folder, logs).await;
    tokio::spawn(listen(listener, desk));
    asked
}

/// The same, which does not answer yet.
pub(crate) async fn deaf(
    folder: &std::path::Path,
    logs: Vec<Verifier>,
) -> (Asked, TcpListener, Arc<WitnessDesk>) {
    let key = WitnessKey::from_seed(&[9; 32], "example.org/witness").unwrap();
    let desk = WitnessDesk::open(key, logs, folder.to_path_buf()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::parse(&url, &desk.vkey()).unwrap();
    (asked, listener, Arc::new(desk))
}

pub(crate) async fn listen(listener: TcpListener, desk: Arc<WitnessDesk>) {
    axum::serve(listener, router(desk)).await.unwrap();
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = WitnessKey::from_seed(&[9; 32], "example.org/witness").unwrap();
    let other = LogKey::from_seed(&[8; 32], "example.org/log").unwrap();
    let third = LogKey::from_seed(&[8; 32], "example.org/third").unwrap();
    let logs = vec![vkey(&log()), vkey(&third), vkey(&other)];
    let opened = WitnessDesk::open(key, logs, folder.path().to_path_buf());
    let error = opened.unwrap_err();
    assert!(
        error.contains("two keys") && error.contains("`example.org/log`"),
        "{error}"
    );
}

#[test]
fn a_policy_names_all_witnesses() {
    let key = |n: u8| WitnessKey::from_seed(&[n; 32], "w").unwrap().vkey();
    let asked = |n| Asked::parse(&format!("http://127.0.0.1:{n}"), &key(n)).unwrap();
    for (n, quorum) in [
        (0, "quorum none"),
        (1, "quorum w1"),
        (3, "quorum all-of-them"),
    ] {
        let policy = Witnesses::new((1..=n).map(asked).collect()).policy(&log().vkey());
        let read = verifier::policy::Policy::parse(policy.as_bytes()).unwrap();
        assert_eq!(read.witnesses().len(), usize::from(n));
        assert!(policy.ends_with(&format!("{quorum}\n")), "{policy}");
    }
    assert!(Asked::parse("ftp://x", &key(1)).is_err());
    assert!(Asked::parse("http://x", &log().vkey()).is_err());
}
