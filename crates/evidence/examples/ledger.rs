//! A ledger as files (C2SP tlog-tiles), for programs that are not ours to check:
//! `cargo run -p evidence --example ledger -- write FOLDER 200000` writes one,
//! `... -- check FOLDER [FLIPS]` checks it as any stranger would, with
//! `verifier` alone; FOLDER may hold all of a store's, as `fairhold export
//! ledger FOLDER --all` writes them. `query` writes the request for a timestamp over its
//! checkpoint, `stamp` takes an authority's answer. FLIPS is a file of lines `NAME BYTE BIT`: for each, the
//! same check runs on the ledger with that bit of that file changed, and must refuse.
//!
//! What is remembered between checks are results of pure functions, by the
//! whole of what they were given: files that did not change are not hashed
//! again, a changed one always is.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use evidence::checkpoint::LogKey;
use evidence::merkle::{Hash, Missing, Tree};
use evidence::{Event, Record, timestamp};
use facts::{AccountId, ExchangeId, Timestamp};
use verifier::bundle::ledger_origin;
use verifier::checkpoint::{Checkpoint, Note, Verifier};
use verifier::merkle::{self, Nodes, leaf_hash, verify_consistency};
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
        ["check", folder, flips] => flipped(Files::new(folder), &std::fs::read_to_string(flips)?)?,
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

/// Files below a folder, one of them changed in memory if so wished, and what
/// was found in those that were read before.
struct Files {
    folder: PathBuf,
    changed: Option<(String, Rc<[u8]>)>,
    kept: RefCell<BTreeMap<String, Rc<[u8]>>>,
    bundles: RefCell<BTreeMap<String, Hashed>>,
    opened: RefCell<BTreeMap<(String, String), Checkpoint>>,
}

/// A bundle's bytes and what they hash to.
type Hashed = (Rc<[u8]>, Rc<Bundle>);

/// A bundle of entries and the tree over them alone.
struct Bundle {
    entries: Vec<Vec<u8>>,
    tree: Tree,
}

impl Files {
    fn new(folder: &str) -> Self {
        Self {
            folder: folder.into(),
            changed: None,
            kept: RefCell::default(),
            bundles: RefCell::default(),
            opened: RefCell::default(),
        }
    }

    fn read(&self, name: &str) -> Result<Rc<[u8]>, Failed> {
        match &self.changed {
            Some((changed, bytes)) if changed == name => return Ok(Rc::clone(bytes)),
            _ => {}
        }
        if let Some(bytes) = self.kept.borrow().get(name) {
            return Ok(Rc::clone(bytes));
        }
        let path = self.folder.join(name);
        let bytes: Rc<[u8]> = std::fs::read(path)
            .map_err(|e| format!("{name}: {e}"))?
            .into();
        let mut kept = self.kept.borrow_mut();
        kept.insert(name.to_owned(), Rc::clone(&bytes));
        Ok(bytes)
    }

    fn text(&self, name: &str) -> Result<String, Failed> {
        Ok(String::from_utf8(self.read(name)?.to_vec())?)
    }

    fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_dir()
    }

    fn names(&self, folder: &str, ending: &str) -> Result<Vec<String>, Failed> {
        let mut names = Vec::new();
        if self.has(folder) {
            for entry in std::fs::read_dir(self.folder.join(folder))? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                names.extend(name.strip_suffix(ending).map(str::to_owned));
            }
        }
        names.sort();
        Ok(names)
    }

    /// The entries of a bundle and their tree: remembered for these very bytes.
    fn bundle(&self, name: &str, width: u16) -> Result<Rc<Bundle>, Failed> {
        let bytes = self.read(name)?;
        if let Some((known, bundle)) = self.bundles.borrow().get(name)
            && *known == bytes
            && bundle.entries.len() == usize::from(width)
        {
            return Ok(Rc::clone(bundle));
        }
        let all = entries(&bytes, width).ok_or(format!("{name}: no entries"))?;
        let bundle = Rc::new(Bundle {
            tree: Tree::from_hashes(all.iter().map(|entry| leaf_hash(entry))),
            entries: all.into_iter().map(<[u8]>::to_vec).collect(),
        });
        let mut bundles = self.bundles.borrow_mut();
        bundles
            .entry(name.to_owned())
            .or_insert_with(|| (bytes, Rc::clone(&bundle)));
        Ok(bundle)
    }

    /// The checkpoint of a note that this key signed: remembered for this very note.
    fn open(&self, log: &Verifier, note: String) -> Result<Checkpoint, Failed> {
        let asked = (log.vkey(), note);
        if let Some(known) = self.opened.borrow().get(&asked) {
            return Ok(known.clone());
        }
        let opened = log.open(&asked.1)?;
        self.opened.borrow_mut().insert(asked, opened.clone());
        Ok(opened)
    }
}

/// One ledger at a place below the folder, every entry and tile of it held against its checkpoint.
struct Ledger<'a> {
    files: &'a Files,
    at: &'a str,
    log: Verifier,
    checkpoint: Checkpoint,
    bundles: Vec<Rc<Bundle>>,
    /// Over the roots of full bundles: its leaves are the nodes of level 8.
    above: Tree,
}

impl Nodes for &Ledger<'_> {
    type Error = Missing;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Missing> {
        match level {
            0..8 => {
                let n = usize::try_from(index >> (8 - level)).map_err(|_| Missing)?;
                let bundle = self.bundles.get(n).ok_or(Missing)?;
                (&bundle.tree).node(level, index & ((1 << (8 - level)) - 1))
            }
            _ => (&self.above).node(level - 8, index),
        }
    }
}

impl<'a> Ledger<'a> {
    fn open(files: &'a Files, at: &'a str, log: Verifier) -> Result<Self, Failed> {
        let checkpoint = files.open(&log, files.text(&format!("{at}checkpoint"))?)?;
        let mut ledger = Self {
            files,
            at,
            log,
            checkpoint,
            bundles: Vec::new(),
            above: Tree::default(),
        };
        let tiles = new_tiles(0, ledger.checkpoint.size);
        for tile in tiles.iter().filter(|tile| tile.kind() == TileKind::Entries) {
            let bundle = files.bundle(&format!("{at}{tile}"), tile.width())?;
            if tile.is_full() {
                let whole = bundle.tree.root(256).ok_or("a full bundle is not whole")?;
                ledger.above.push(whole);
            }
            ledger.bundles.push(bundle);
        }
        let size = ledger.checkpoint.size;
        if merkle::root(&mut &ledger, size).map_err(|Missing| "a node is missing")?
            != ledger.checkpoint.root
        {
            return Err("the entries do not hash to the checkpoint's root".into());
        }
        for tile in tiles {
            ledger.tile(tile)?;
        }
        Ok(ledger)
    }

    fn read(&self, name: &str) -> Result<Rc<[u8]>, Failed> {
        self.files.read(&format!("{}{name}", self.at))
    }

    /// A tile of hashes is what the entries hash to.
    fn tile(&self, tile: Tile) -> Result<(), Failed> {
        let none = || format!("{tile}: the tree does not reach it");
        let expected = match tile.kind() {
            TileKind::Entries => return Ok(()),
            TileKind::Hashes(0) => {
                let of = self
                    .bundles
                    .get(usize::try_from(tile.index())?)
                    .ok_or_else(none)?;
                let first = Tile::new(TileKind::Hashes(0), 0, tile.width()).ok_or_else(none)?;
                of.tree.tile(first)
            }
            TileKind::Hashes(level) => {
                let above = Tile::new(TileKind::Hashes(level - 1), tile.index(), tile.width());
                self.above.tile(above.ok_or_else(none)?)
            }
        };
        if expected.as_deref() == Some(&*self.read(&tile.to_string())?) {
            Ok(())
        } else {
            Err(format!("{tile}: not what the entries hash to").into())
        }
    }

    fn entry(&self, index: u64) -> Result<&[u8], Failed> {
        let bundle = self.bundles.get(usize::try_from(index / 256)?);
        let entry = bundle.and_then(|b| b.entries.get(usize::try_from(index % 256).ok()?));
        Ok(entry.ok_or("an entry beyond the log")?)
    }

    fn inclusion(&self) -> Result<usize, Failed> {
        let proofs = format!("{}proofs", self.at);
        let names = self.files.names(&proofs, ".tlog-proof")?;
        let size = self.checkpoint.size;
        let mut tiles = Tiles::new(size, |tile: Tile| {
            self.read(&tile.to_string()).map(|b| b.to_vec())
        });
        for name in &names {
            let proof =
                TlogProof::parse(&self.files.text(&format!("{proofs}/{name}.tlog-proof"))?)?;
            let index: u64 = name.parse()?;
            let under = proof.verify(self.entry(index)?, &self.log)?;
            let ours = tiles.inclusion_proof(index).map_err(|e| e.to_string())?;
            if proof.index != index || under != self.checkpoint || ours != proof.hashes {
                return Err(format!("{name}: a proof of something else").into());
            }
        }
        Ok(names.len())
    }

    fn consistency(&self) -> Result<usize, Failed> {
        let folder = format!("{}earlier", self.at);
        let names = self.files.names(&folder, ".checkpoint")?;
        for name in &names {
            let earlier = self.files.text(&format!("{folder}/{name}.checkpoint"))?;
            let earlier = self.files.open(&self.log, earlier)?;
            let text = self.files.text(&format!("{folder}/{name}.hashes"))?;
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
            let now = &self.checkpoint;
            verify_consistency(earlier.size, &earlier.root, now.size, &now.root, &hashes)?;
        }
        Ok(names.len())
    }
}

/// Everything: the checkpoint's signature, every entry against its tile, every
/// tile against the root, every proof, the timestamp where there is one.
fn check(files: &Files) -> Result<String, Failed> {
    if files.has("log") {
        return export(files);
    }
    let log = Verifier::parse(&files.text("log.vkey")?)?;
    let ledger = Ledger::open(files, "", log)?;
    if files.has("tsa") {
        let token = files.read("checkpoint.tsr")?;
        let (root, chain) = (files.read("tsa/root.pem")?, files.read("tsa/chain.pem")?);
        timestamp::verify(&token, &files.read("checkpoint")?, &root, &chain)?;
    }
    let (proofs, earlier) = (ledger.inclusion()?, ledger.consistency()?);
    Ok(format!(
        "ok: {} entries, {proofs} inclusion proofs, {earlier} consistency proofs",
        ledger.checkpoint.size
    ))
}

/// Every ledger of a store, and that each is the last that the root log states of it.
fn export(files: &Files) -> Result<String, Failed> {
    let log = Verifier::parse(&files.text("log.vkey")?)?;
    let root = Ledger::open(files, "log/", log.clone())?;
    let mut stated = BTreeMap::new();
    for index in 0..root.checkpoint.size {
        let body = String::from_utf8(root.entry(index)?.to_vec())?;
        stated.insert(Checkpoint::parse(&body)?.origin, body);
    }
    let mut places = Vec::new();
    if files.has("house") {
        places.push(("house/".to_owned(), None));
    }
    for name in files.names("ledgers", "")? {
        let account = percent_decoded(&name)?;
        places.push((format!("ledgers/{name}/"), Some(account)));
    }
    let mut count = 0;
    for (place, account) in &places {
        let origin = ledger_origin(log.name(), account.as_deref());
        let ledger = Ledger::open(files, place, log.under(&origin)?)?;
        count += ledger.checkpoint.size;
        let signed = Note::parse(&files.text(&format!("{place}checkpoint"))?)?;
        if stated.get(&origin) != Some(&signed.text) {
            return Err(format!("{place}: the root log does not end with this checkpoint").into());
        }
    }
    if stated.len() != places.len() {
        return Err("a ledger is missing".into());
    }
    Ok(format!(
        "ok: {} ledgers of {count} entries under a root log of {}",
        places.len(),
        root.checkpoint.size
    ))
}

/// The account whose folder this is.
fn percent_decoded(name: &str) -> Result<String, Failed> {
    let mut bytes = Vec::new();
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let two: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(&String::from_utf8(two)?, 16)?
            }
            other => other,
        });
    }
    Ok(String::from_utf8(bytes)?)
}

/// Runs the check as it is, then once for each flip, and counts what was refused.
fn flipped(mut files: Files, flips: &str) -> Result<String, Failed> {
    let told = check(&files)?;
    let (mut made, mut refused) = (0, 0);
    for line in flips.lines() {
        let [name, byte, bit] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("`{line}` is not NAME BYTE BIT").into());
        };
        files.changed = None;
        let mut bytes = files.read(name)?.to_vec();
        *bytes
            .get_mut(byte.parse::<usize>()?)
            .ok_or("no such byte")? ^= 1 << bit.parse::<u8>()?;
        files.changed = Some((name.to_owned(), bytes.into()));
        made += 1;
        match check(&files) {
            Err(_) => refused += 1,
            Ok(_) => writeln!(std::io::stderr(), "passed: {line}")?,
        }
    }
    if made == refused && made > 0 {
        Ok(format!("{told}; refused {refused} of {made} flips"))
    } else {
        Err(format!("refused only {refused} of {made} flips").into())
    }
}
