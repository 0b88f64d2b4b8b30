//! What may be typed.

pub(crate) mod bench;
pub(crate) mod case;
pub(crate) mod custody;
#[cfg(feature = "parquet")]
pub(crate) mod export;
pub(crate) mod ledger;
pub(crate) mod notices;
pub(crate) mod people;
pub(crate) mod provenance;
pub(crate) mod sketch;
pub(crate) mod terms;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Makes the usage terms of LLM APIs enforceable, provable and contestable.
///
/// Exit codes: 0 clean, 1 finding or failed check, 2 error or malformed input, 3 could not be decided.
#[derive(Debug, Parser)]
#[command(
    name = "fairhold",
    version,
    before_help = "example: fairhold import logs/*.jsonl",
    propagate_version = true
)]
pub(crate) struct Cli {
    /// Print data as JSON on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Folder that holds the store, the keys and `run.json`.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "FAIRHOLD_HOME",
        default_value = "fairhold-data"
    )]
    pub(crate) data: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play the whole story on loopback and write a report.
    Demo(Demo),
    /// Serve the gateway; shadow mode unless `--enforce`.
    Serve(Serve),
    /// Read exchanges from logs (JSONL, `OpenAI` batch files, `LiteLLM` payloads).
    Import(Import),
    /// Look for rings of accounts that run one harvesting programme, and for accounts that look
    /// like it by themselves; exit 1 when someone may be asked.
    Detect(Detect),
    /// Rank accounts among the deployment's own cleared ones instead of strangers' programmes.
    Calibrate(Calibrate),
    /// What the watch has found: accounts to ask for a declaration, with reasons.
    Findings {
        /// About this account only.
        account: Option<String>,
    },
    /// Check an evidence bundle offline.
    Verify(Verify),
    /// Look for recorded outputs in a training corpus.
    Audit(provenance::Audit),
    /// Fingerprints of outputs: build, list, merge and hand over.
    #[command(subcommand)]
    Registry(provenance::Registry),
    /// Which rows of a corpus may be used for something, by the terms of each output's own day;
    /// exit 1 when rows are blocked.
    Gate(provenance::Gate),
    /// Sign a certificate that a corpus may be used for something; refused when rows are blocked.
    Certify(provenance::Certify),
    /// Show what is in an evidence bundle and what of it is proven.
    Show(Verify),
    /// Make a bundle's rulings and scores again; they must match to the digit.
    Replay(Verify),
    /// Replace personal data by pseudonyms, from stdin to stdout.
    Mask,
    /// Observe, give notice, propose, decide and read cases.
    #[command(subcommand)]
    Case(case::Case),
    /// Write the evidence bundle of a case, or ledgers as files.
    Export(Export),
    /// Ledgers and epochs of the log: list them, begin a new epoch, print the trust policy.
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Print the receipt of a record (`x-evidence-seq`), once it holds.
    Receipt {
        /// The record's number.
        seq: u64,
    },
    /// Recompute every ledger from what is kept; exit 1 when something differs.
    Fsck(ledger::Fsck),
    /// Witness others' logs.
    #[command(subcommand)]
    Witness(ledger::Witness),
    /// Make, revoke and list API keys.
    #[command(subcommand)]
    Key(Key),
    /// Open and list accounts.
    #[command(subcommand)]
    Account(Account),
    /// Known campaigns: make, test, activate, list and expire their sketches.
    #[command(subcommand)]
    Sketch(sketch::Sketch),
    /// What the terms say: list, show, check, explain, compare, replay and export them.
    #[command(subcommand)]
    Terms(terms::Terms),
    /// What binds an account: its standing, purposes, agreement and documents.
    Status {
        /// The account; without it, that of your key, with its usage.
        account: Option<String>,
        #[command(flatten)]
        door: notices::Door,
    },
    /// Contest a measure, as the accused with your key.
    #[command(subcommand)]
    Appeal(notices::Appeal),
    /// Who was told of steps in cases, who was not, and where notices go.
    #[command(subcommand)]
    Notices(notices::Notices),
    /// Print the `OpenAPI` 3.1 document of everything that is served.
    Openapi,
    /// Make what a subject or an account sent and got unreadable, for good; exit 1 when a legal
    /// hold stands in the way.
    Erase(custody::Erase),
    /// Legal holds: what may be neither erased nor let go.
    #[command(subcommand)]
    Hold(custody::Hold),
    /// Bodies are kept for a time only.
    #[command(subcommand)]
    Retention(custody::Retention),
    /// The key that wraps all others.
    #[command(subcommand)]
    Kek(custody::Kek),
    /// Read the bodies of an exchange; that it was read is recorded first.
    Open(custody::Open),
    /// Who works here, and one-time sign-ins for them.
    #[command(subcommand)]
    People(people::People),
    /// Measure.
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Real recorded traffic: a folder of `<source>.jsonl.zst`; own templates without it.
    #[arg(long, value_name = "DIR", requires = "ring")]
    pub(crate) traffic: Option<PathBuf>,
    /// The source whose accounts are the ring.
    #[arg(long, value_name = "NAME", requires = "traffic")]
    pub(crate) ring: Option<String>,
    /// Accounts of the ring.
    #[arg(long, default_value_t = 30)]
    pub(crate) accounts: usize,
    /// Exchanges of each account of recorded traffic.
    #[arg(long, default_value_t = 20)]
    pub(crate) each: usize,
    /// Seed of the fleet.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// What is played: the case of a ring, or outputs hidden in a training corpus.
    #[arg(long, value_enum, default_value = "ring")]
    pub(crate) act: DemoAct,
    /// Folder for the store, the bundle and the report.
    #[arg(long, value_name = "DIR", default_value = "fairhold-demo")]
    pub(crate) out: PathBuf,
    /// Serve the story's house afterwards, until ctrl-c: its console and portal, with one-time
    /// sign-ins. On a terminal that is so without asking.
    #[arg(long)]
    pub(crate) serve: bool,
}

/// An act of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DemoAct {
    /// A ring is detected, decided upon and proven.
    Ring,
    /// Harvested outputs are found in a corpus, and kept out of another one.
    Provenance,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Configuration (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Refuse what the terms and cases forbid; without it they are recorded only.
    #[arg(long)]
    pub(crate) enforce: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Logs to read; the dialect of each line is recognised.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Whom lines belong to that name no account (batch files).
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Detect {
    /// Logs to read instead of the store; of a folder every .jsonl, .json and .zst in it.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) files: Vec<PathBuf>,
    /// The account of lines that name none.
    #[arg(long, requires = "files")]
    pub(crate) account: Option<String>,
    /// Open one line to its reasons: its number, or an account (the beginning of its name is
    /// enough).
    #[arg(long, value_name = "N|ACCOUNT")]
    pub(crate) why: Option<String>,
    /// List every account that stands out, not only the first 20.
    #[arg(long)]
    pub(crate) all: bool,
    /// Write a page for people: every line opens to its reasons, with pictures.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Calibrate {
    /// Logs of honest accounts to read instead of the store; each account is a customer of its own.
    #[arg(long, num_args = 1.., value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    /// The file to write; `detector.json` in the data folder without it, which `serve` then uses.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// A share, 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().map_err(|e| e.to_string())?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("give a share between 0 and 1, for example 0.3".to_owned())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The bundle, a `.evidence.zip`.
    pub(crate) bundle: PathBuf,
    /// The log's verifier key, from a source other than the bundle.
    #[arg(long, value_name = "VKEY")]
    pub(crate) key: Option<String>,
    /// Take the bundle's own key: shows that it is whole, not whose it is.
    #[arg(long, conflicts_with = "key")]
    pub(crate) trust_bundle_key: bool,
    /// Your own trust policy (C2SP tlog-policy): logs, witnesses, how many must have signed.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Certificates of the timestamp authorities that you trust, PEM; asks for a timestamp.
    #[arg(long, value_name = "FILE")]
    pub(crate) tsa: Option<PathBuf>,
    /// What must be proven beside key, statement and entries, comma separated:
    /// witnesses, timestamp, rulings, detector, bodies; or `none`.
    #[arg(
        long,
        value_name = "PARTS",
        value_delimiter = ',',
        default_value = "rulings,detector"
    )]
    pub(crate) ask: Vec<String>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Export {
    /// The case.
    #[arg(required = true)]
    pub(crate) case: Option<String>,
    /// The file to write; `case-<id>.evidence.zip` without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) what: Option<ledger::Exported>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key; its secret is shown once.
    Create {
        /// Whose it is.
        account: String,
    },
    /// Revoke a key at once.
    Revoke {
        /// Its public part.
        id: String,
    },
    /// List keys, without secrets.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Open an account, with its project and organisation where they are new.
    Create(NewAccount),
    /// Replace what is agreed with an account beside the documents that bind everybody.
    Agree {
        /// Whose.
        account: String,
        /// The agreement (TOML): documents, declared, expected, authorisation.
        agreement: PathBuf,
    },
    /// Declare a project's purposes anew; the first is meant when a request names none.
    Declare {
        /// The project.
        project: String,
        /// The purposes, for example `rag evaluation`.
        #[arg(required = true)]
        purpose: Vec<String>,
    },
    /// Record what an account pays with, who was verified, where it comes from: hashed at once,
    /// never kept in plain. Says how many are known.
    Link(Links),
    /// List accounts.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct Links {
    /// Whose.
    pub(crate) account: String,
    /// A payment token, for example a card's fingerprint; repeat for more.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) payment: Vec<String>,
    /// A verified identity's id; repeat for more.
    #[arg(long, value_name = "ID")]
    pub(crate) identity: Vec<String>,
    /// An address or block, cut to its /24 (IPv4) or /48 (IPv6); repeat for more.
    #[arg(long, value_name = "CIDR_OR_IP")]
    pub(crate) network: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NewAccount {
    /// Its id.
    pub(crate) account: String,
    /// The project that owns it; the account's own name where none is given.
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// The organisation that owns the project, one customer to detection; the project's name
    /// where none is given.
    #[arg(long)]
    pub(crate) organisation: Option<String>,
    /// A purpose that the new project declares, for example `rag`; repeat for more.
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Vec<String>,
    /// Requests allowed per minute.
    #[arg(long)]
    pub(crate) requests_per_minute: Option<u64>,
    /// Tokens allowed per minute.
    #[arg(long)]
    pub(crate) tokens_per_minute: Option<u64>,
    /// Requests allowed per day.
    #[arg(long)]
    pub(crate) requests_per_day: Option<u64>,
    /// Tokens allowed per day.
    #[arg(long)]
    pub(crate) tokens_per_day: Option<u64>,
    /// Spend allowed in all, in millionths of a US dollar.
    #[arg(long)]
    pub(crate) budget_micro_usd: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// The gateway against a mock upstream, one process each, recording on and off.
    Gateway {
        /// Seconds per measurement.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Connections of the load generator.
        #[arg(long, default_value_t = 32)]
        connections: u32,
    },
    /// How many records are made durable per second, on both engines.
    Record(bench::RecordBench),
    /// What sealing the ledger costs by record, and how soon a receipt is there.
    Ledger(bench::LedgerBench),
    /// How long a store with millions of records takes to open.
    Restart(bench::RestartBench),
    /// What the console's pages cost the server: a queue, a busy account, a gathering of accounts.
    Console(bench::ConsoleBench),
    /// Rulings on 1,000 accounts under some 20 policies, kept and anew.
    Terms,
    /// How often honest accounts are accused and campaigns found, on sources never seen.
    Detection(bench::DetectionBench),
    /// What a corpus audit finds, whom it accuses in vain, and how fast it scans.
    Audit(bench::AuditBench),
    /// The watch on many accounts: exchanges per second and peak memory.
    Watch {
        /// Accounts that take turns in an order that is nobody's.
        #[arg(long, default_value_t = 1_000_000)]
        accounts: u32,
        /// Exchanges of each of them.
        #[arg(long, default_value_t = 2)]
        exchanges: u32,
        /// Busy accounts among them, of 200 exchanges each, that pass their looks.
        #[arg(long, default_value_t = 1_000)]
        busy: u32,
        /// Profiles held in memory at once.
        #[arg(long, default_value_t = 50_000)]
        in_memory: usize,
        /// Folder for the database; a temporary one without it.
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// The detection benchmark's pool, rebuilt from public repositories.
    Pool {
        /// Where the repositories were cloned, as OWNER/NAME each.
        #[arg(long, value_name = "DIR")]
        repositories: PathBuf,
        /// Where the pool goes.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// The mock upstream of a benchmark.
    #[command(hide = true)]
    Mock {
        /// Words of a plain answer; three without it.
        #[arg(long, value_name = "N")]
        words: Option<u32>,
    },
    /// The gateway of a benchmark.
    #[command(hide = true)]
    Door {
        /// Where the mock upstream listens.
        #[arg(long)]
        upstream: String,
        /// Data folder in which the real keeper records; nothing is recorded without it.
        #[arg(long, value_name = "DIR")]
        record: Option<PathBuf>,
        /// Ask documents of terms on every exchange.
        #[arg(long)]
        terms: bool,
        /// Watch what is recorded.
        #[arg(long)]
        watch: bool,
        /// Register the outputs that are recorded.
        #[arg(long)]
        registry: bool,
    },
}
