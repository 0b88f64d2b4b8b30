//! A ledger as files (C2SP tlog-tiles), for programs that are not ours to check:
//! `cargo run -p evidence --example ledger -- write FOLDER 200000` writes one,
//! `... -- check FOLDER [FLIPS]` checks it as any stranger would, with
//! `verifier` alone. `query` writes the request for a timestamp over its
//! checkpoint, `stamp` takes an authority's answer. FLIPS is a file of lines `NAME BYTE BIT`: for each, the
//! check runs on the ledger with that bit of that file changed, and must refuse.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use evidence::checkpoint::LogKey;
use evidence::merkle::{Hash, Tree};
use evidence::{Event, Record, timestamp};
use facts::{AccountId, ExchangeId, Timestamp};
use verifier::checkpoint::{Checkpoint, Verifier};
use verifier::merkle::{leaf_hash, verify_consistency};
use verifier::proof::TlogProof;
use verifier::tile::{Tile, TileKind, Tiles, entries, entry_bundle, new_tiles};

type Failed = Box<dyn Error>;

/// Inclusion proofs that are written beside the ledger.
const PROOFS: u64 = 64;
/// Earlier checkpoints that are, with their consistency proofs.
const EARLIER: u64 = 16;

fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = match words.as_slice() {
        ["write", folder, size] => write(Path::new(folder), size.parse()?)?,
        ["query", folder] => query(&Files::new(folder))?,
        ["stamp", folder, answer, root] => stamp(&Files::new(folder), answer, root)?,
        ["check", folder] => check(&Files::new(folder))?,
        ["check", folder, flips] => flipped(folder, &std::fs::read_to_string(flips)?)?,
        _ => return Err("usage: ledger write FOLDER SIZE | query FOLDER | stamp FOLDER ANSWER ROOT | check FOLDER [FLIPS]".into()),
    };
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

/// What a gateway's ledger holds: intents do not matter here, their size does.
fn record(seq: u64) -> Result<Vec<u8>, Failed> {
    let record = Record {
        at: Timestamp(1_780_000_000_000 + i64::try_from(seq)?),
        account: Some(AccountId::parse(&format!("account-{}", seq % 97))?),
        event: Event::Refusal {
            exchange: ExchangeId::parse(&format!("exchange-{seq}"))?,
            code: "rate_limit_exceeded".to_owned(),
            clauses: Vec::new(),
            policy: None,
            purpose: None,
        },
    };
    Ok(record.leaf(seq)?)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failed> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    Ok(std::fs::write(path, bytes)?)
}

fn write(folder: &Path, size: u64) -> Result<String, Failed> {
    let key = LogKey::from_seed(&[42; 32], "example.com/ledger")?;
    let leaves: Vec<Vec<u8>> = (0..size).map(record).collect::<Result<_, _>>()?;
    let tree = Tree::from_hashes(leaves.iter().map(|leaf| leaf_hash(leaf)));
    let small = "the tree is smaller than its size";
    let note = key.checkpoint(size, &tree.root(size).ok_or(small)?);
    put(folder, "checkpoint", note.as_bytes())?;
    put(folder, "log.vkey", key.vkey().as_bytes())?;
    for tile in new_tiles(0, size) {
        let bytes = match tile.kind() {
            TileKind::Hashes(_) => tree.tile(tile),
            TileKind::Entries => {
                let from = usize::try_from(tile.index() * 256)?;
                let part = leaves.iter().skip(from).take(usize::from(tile.width()));
                entry_bundle(part.map(Vec::as_slice))
            }
        };
        put(folder, &tile.to_string(), &bytes.ok_or(small)?)?;
    }
    for n in 0..PROOFS.min(size) {
        let index = n * (size - 1) / (PROOFS - 1);
        let proof = TlogProof {
            extra: None,
            index,
            hashes: tree.inclusion_proof(index, size).ok_or(small)?,
            checkpoint: note.clone(),
        };
        let name = format!("proofs/{index}.tlog-proof");
        put(folder, &name, proof.to_string().as_bytes())?;
    }
    for n in 1..=EARLIER {
        let earlier = n * size / (EARLIER + 1);
        let note = key.checkpoint(earlier, &tree.root(earlier).ok_or(small)?);
        put(
            folder,
            &format!("earlier/{earlier}.checkpoint"),
            note.as_bytes(),
        )?;
        let proof = tree.consistency_proof(earlier, size).ok_or(small)?;
        let lines: Vec<String> = proof.iter().map(|hash| hex::encode(hash) + "\n").collect();
        put(
            folder,
            &format!("earlier/{earlier}.hashes"),
            lines.concat().as_bytes(),
        )?;
    }
    Ok(format!(
        "wrote {size} entries, {} tiles",
        new_tiles(0, size).len()
    ))
}

/// One nonce for all: there is one request.
const NONCE: u64 = 4_242;

fn query(files: &Files) -> Result<String, Failed> {
    let request = timestamp::request(&files.read("checkpoint")?, NONCE)?;
    put(&files.folder, "checkpoint.tsq", &request)?;
    Ok("wrote the request for a timestamp".to_owned())
}

fn stamp(files: &Files, answer: &str, root: &str) -> Result<String, Failed> {
    let (answer, root) = (std::fs::read(answer)?, std::fs::read(root)?);
    let (stamp, stamped) = timestamp::accept(&answer, &files.read("checkpoint")?, NONCE, &root)?;
    put(&files.folder, "checkpoint.tsr", &stamp.response)?;
    put(&files.folder, "tsa/chain.pem", &stamp.chain)?;
    put(&files.folder, "tsa/root.pem", &root)?;
    Ok(format!("stamped at {}", stamped.time))
}

/// The ledger's files, one of them changed in memory if so wished.
struct Files {
    folder: PathBuf,
    changed: BTreeMap<String, Vec<u8>>,
}

impl Files {
    fn new(folder: &str) -> Self {
        Self {
            folder: folder.into(),
            changed: BTreeMap::new(),
        }
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Failed> {
        if let Some(bytes) = self.changed.get(name) {
            return Ok(bytes.clone());
        }
        std::fs::read(self.folder.join(name)).map_err(|e| format!("{name}: {e}").into())
    }

    fn text(&self, name: &str) -> Result<String, Failed> {
        Ok(String::from_utf8(self.read(name)?)?)
    }

    fn names(&self, folder: &str, ending: &str) -> Result<Vec<String>, Failed> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.folder.join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(ending).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }
}

/// Everything: the checkpoint's signature, every entry against its tile, every
/// tile against the root, every proof.
fn check(files: &Files) -> Result<String, Failed> {
    let log = Verifier::parse(&files.text("log.vkey")?)?;
    let checkpoint = log.open(&files.text("checkpoint")?)?;
    let size = checkpoint.size;
    let mut tree = Tree::default();
    for tile in new_tiles(0, size) {
        let bytes = files.read(&tile.to_string())?;
        match tile.kind() {
            TileKind::Entries => {
                let all = entries(&bytes, tile.width()).ok_or(format!("{tile}: no entries"))?;
                for entry in &all {
                    tree.push(leaf_hash(entry));
                }
            }
            // Entries come first: what they say is compared with every tile.
            TileKind::Hashes(_) => {
                if tree.tile(tile) != Some(bytes) {
                    return Err(format!("{tile}: not what the entries hash to").into());
                }
            }
        }
    }
    if tree.size() != size || tree.root(size) != Some(checkpoint.root) {
        return Err("the entries do not hash to the checkpoint's root".into());
    }
    if let Ok(token) = files.read("checkpoint.tsr") {
        let (root, chain) = (files.read("tsa/root.pem")?, files.read("tsa/chain.pem")?);
        timestamp::verify(&token, &files.read("checkpoint")?, &root, &chain)?;
    }
    let proofs = inclusion(files, &log, &checkpoint)?;
    let earlier = consistency(files, &log, &checkpoint)?;
    Ok(format!(
        "ok: {size} entries, {proofs} inclusion proofs, {earlier} consistency proofs"
    ))
}

fn inclusion(files: &Files, log: &Verifier, checkpoint: &Checkpoint) -> Result<usize, Failed> {
    let names = files.names("proofs", ".tlog-proof")?;
    let mut tiles = Tiles::new(checkpoint.size, |tile: Tile| files.read(&tile.to_string()));
    for name in &names {
        let proof = TlogProof::parse(&files.text(&format!("proofs/{name}.tlog-proof"))?)?;
        let index: u64 = name.parse()?;
        let tile = Tile::in_log(TileKind::Entries, index / 256, checkpoint.size)
            .ok_or("a proof beyond the log")?;
        let bundle = files.read(&tile.to_string())?;
        let all = entries(&bundle, tile.width()).ok_or("no entries")?;
        let entry = all
            .get(usize::try_from(index % 256)?)
            .ok_or("no such entry")?;
        let under = proof.verify(entry, log)?;
        let ours = tiles.inclusion_proof(index).map_err(|e| e.to_string())?;
        if proof.index != index || under != *checkpoint || ours != proof.hashes {
            return Err(format!("{name}: a proof of something else").into());
        }
    }
    Ok(names.len())
}

fn consistency(files: &Files, log: &Verifier, checkpoint: &Checkpoint) -> Result<usize, Failed> {
    let names = files.names("earlier", ".checkpoint")?;
    for name in &names {
        let earlier = log.open(&files.text(&format!("earlier/{name}.checkpoint"))?)?;
        let text = files.text(&format!("earlier/{name}.hashes"))?;
        let mut hashes: Vec<Hash> = Vec::new();
        for line in text
            .strip_suffix('\n')
            .ok_or("a line does not end")?
            .split('\n')
        {
            let mut hash = [0; 32];
            hex::decode_to_slice(line, &mut hash)?;
            if hex::encode(hash) != line {
                return Err("a hash is not in lower case".into());
            }
            hashes.push(hash);
        }
        let (old, new) = (&earlier.root, &checkpoint.root);
        verify_consistency(earlier.size, old, checkpoint.size, new, &hashes)?;
    }
    Ok(names.len())
}

/// Runs the check once for each flip and counts what was refused.
fn flipped(folder: &str, flips: &str) -> Result<String, Failed> {
    let (mut made, mut refused) = (0, 0);
    for line in flips.lines() {
        let [name, byte, bit] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("`{line}` is not NAME BYTE BIT").into());
        };
        let mut files = Files::new(folder);
        let mut bytes = files.read(name)?;
        *bytes
            .get_mut(byte.parse::<usize>()?)
            .ok_or("no such byte")? ^= 1 << bit.parse::<u8>()?;
        files.changed.insert(name.to_owned(), bytes);
        made += 1;
        match check(&files) {
            Err(_) => refused += 1,
            Ok(_) => writeln!(std::io::stderr(), "passed: {line}")?,
        }
    }
    if made == refused {
        Ok(format!("refused {refused} of {made} flips"))
    } else {
        Err(format!("refused only {refused} of {made} flips").into())
    }
}
