//! What may be typed after `fairhold audit`, `registry`, `gate` and `certify`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::terms::{Kind, Verb};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) what: Option<AuditWhat>,
    /// Files and folders to look through, of the forms that `audit corpus` reads.
    #[arg(value_name = "CORPUS", requires = "answers")]
    pub(crate) corpus: Vec<PathBuf>,
    /// Logs that hold the answers.
    #[arg(long, num_args = 1.., value_name = "LOG")]
    pub(crate) answers: Vec<PathBuf>,
    /// The account of lines that name none.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// The least share of an answer, 0 to 1, that a document must hold.
    #[arg(long, default_value_t = 0.3, value_parser = super::share)]
    pub(crate) share: f64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditWhat {
    /// A training corpus against a registry of outputs: shares with intervals, accounts, a report.
    /// The same command goes on where a killed one stopped.
    Corpus(AuditCorpus),
}

/// Where documents are and how they are read.
#[derive(Debug, Clone, Args)]
pub(crate) struct CorpusFiles {
    /// Files and folders: .jsonl .json .parquet .arrow .tar .txt, also .zst and .gz; `-` is stdin.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The field or column that holds the text; `text`, else every string of a row.
    #[arg(long, value_name = "NAME")]
    pub(crate) text_field: Option<String>,
    /// The field that holds a row's own id, carried through to every report.
    #[arg(long, value_name = "NAME")]
    pub(crate) id_field: Option<String>,
    /// A document a paragraph of text files.
    #[arg(long)]
    pub(crate) paragraphs: bool,
}

/// What is looked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sought {
    /// The registry's folder (`fairhold registry build`).
    #[arg(long, value_name = "DIR", required_unless_present_any = ["answers", "with"])]
    pub(crate) registry: Option<PathBuf>,
    /// Logs that hold the outputs, instead of a registry; the report then shows both texts.
    #[arg(long, num_args = 1.., value_name = "LOG")]
    pub(crate) answers: Vec<PathBuf>,
    /// The account of lines that name none.
    #[arg(long, value_name = "ID", requires = "answers")]
    pub(crate) account: Option<String>,
    /// Logs of independent answers to the same prompts by other models: what chance looks like.
    #[arg(long, num_args = 1.., value_name = "LOG")]
    pub(crate) twins: Vec<PathBuf>,
    /// How closely: copies only (fast), or rewritten ones too.
    #[arg(long, value_enum, default_value = "paraphrases")]
    pub(crate) depth: Closely,
    /// The shortest run of words that is found without fail.
    #[arg(long, value_enum, default_value = "23")]
    pub(crate) guarantee: Words,
    #[command(flatten)]
    pub(crate) other: Other,
}

/// A registry that another party holds.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Other {
    /// Ask another party's registry (`fairhold registry serve`) instead: neither side shows the
    /// other its text.
    #[arg(long, value_name = "URL", conflicts_with_all = ["registry", "answers", "twins"])]
    pub(crate) with: Option<String>,
    /// Its key; any other is refused.
    #[arg(long, value_name = "HEX", requires = "with")]
    pub(crate) server_key: Option<String>,
    /// Its token.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "FAIRHOLD_AUDIT_TOKEN",
        hide_env_values = true
    )]
    pub(crate) with_token: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditCorpus {
    #[command(flatten)]
    pub(crate) files: CorpusFiles,
    #[command(flatten)]
    pub(crate) sought: Sought,
    /// Files of human texts of the corpus's kind, 200 or more, that hold no outputs: shares are
    /// corrected by how many of these are flagged, and at most 0.5 % of them may be.
    #[arg(long, num_args = 1.., value_name = "PATH", conflicts_with = "with")]
    pub(crate) human: Vec<PathBuf>,
    /// Folder for the report, the hits and the manifest; nothing is written without it.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The manifest to go on from; `manifest.jsonl` of `--out` without it.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub(crate) resume: Option<PathBuf>,
    /// Cores to use; all without it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

/// How closely documents are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Closely {
    /// Copies, whole or in part.
    Copies,
    /// Also what was rewritten, desensitized, translated back.
    Paraphrases,
}

/// The shortest run that is found without fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Words {
    /// 23 words.
    #[value(name = "23")]
    Words23,
    /// 39 words: faster.
    #[value(name = "39")]
    Words39,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Registry {
    /// Take fingerprints of recorded outputs: of logs, or of the store.
    Build {
        /// Logs to read instead of the store.
        #[arg(long, num_args = 1.., value_name = "LOG", requires = "out")]
        logs: Vec<PathBuf>,
        /// The account of lines that name none.
        #[arg(long, value_name = "ID", requires = "logs")]
        account: Option<String>,
        /// The registry's folder; `registry` in the data folder without it.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Logs of independent answers to the same prompts, as control twins.
        #[arg(long, num_args = 1.., value_name = "LOG", requires = "out")]
        twins: Vec<PathBuf>,
        /// Outputs of this model are control twins; a name, or a beginning followed by `*`.
        #[arg(long, value_name = "MODEL")]
        twin_model: Vec<String>,
    },
    /// What a registry holds, by account and month.
    List {
        /// The registry's folder; `registry` in the data folder without it.
        dir: Option<PathBuf>,
    },
    /// Join the files of each account and month into one.
    Merge {
        /// The registry's folder; `registry` in the data folder without it.
        dir: Option<PathBuf>,
    },
    /// Remove every fingerprint of an account from a registry that `fairhold erase` does not reach:
    /// one in another folder, or one that was handed over.
    Forget {
        /// The account.
        account: String,
        /// The registry's folder; `registry` in the data folder without it.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Answer another party that compares its corpus with this registry (`fairhold audit corpus
    /// --with URL`): neither side shows the other its text.
    Serve(RegistryServe),
    /// Write a registry for the server that started this.
    #[command(hide = true)]
    Writer {
        /// The registry's folder.
        dir: PathBuf,
        /// What its key is known by.
        #[arg(long, value_name = "NAME")]
        key: String,
    },
    /// Make a part of a registry anew for another party, under a key of its own.
    Handover {
        /// The registry's folder.
        dir: PathBuf,
        /// Where the copy goes; an empty folder, or none yet.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Of these accounts only.
        #[arg(long, value_name = "ID")]
        account: Vec<String>,
        /// Of this month and later (YYYY-MM).
        #[arg(long, value_name = "MONTH")]
        since: Option<String>,
        /// Until this month (YYYY-MM).
        #[arg(long, value_name = "MONTH")]
        until: Option<String>,
        /// Copy the fingerprints as they are, with the key of the registry itself.
        #[arg(long)]
        same_key: bool,
    },
}

/// How another party is answered.
#[derive(Debug, Args)]
pub(crate) struct RegistryServe {
    /// The registry's folder; `registry` in the data folder without it.
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: Option<PathBuf>,
    /// The address to listen on; put TLS before it where it leaves this machine.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7443")]
    pub(crate) listen: SocketAddr,
    /// Fingerprints that are answered in all.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) budget: u64,
    /// Fingerprints a second of one client.
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,
    /// Tell accounts and exchanges by their names, not by aliases.
    #[arg(long)]
    pub(crate) names: bool,
    /// What the other party must know; made up without it.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "FAIRHOLD_AUDIT_TOKEN",
        hide_env_values = true
    )]
    pub(crate) token: Option<String>,
}

/// A use, and the terms that outputs came under.
#[derive(Debug, Clone, Args)]
pub(crate) struct UseOf {
    /// What is to be done with the corpus.
    #[arg(long = "use", value_enum, value_name = "VERB")]
    pub(crate) verb: Verb,
    /// What is made of it: `competing` is short for a fine-tuned model that competes.
    #[arg(long, value_enum)]
    pub(crate) target: Option<Aim>,
    /// Others get the model.
    #[arg(long, requires = "target")]
    pub(crate) distributed: bool,
    /// The model is made inside the provider's own service.
    #[arg(long, requires = "target")]
    pub(crate) on_provider: bool,
    /// Which documents bound outputs: `MODEL=provider/document`, a model's name or a beginning
    /// followed by `*`; repeat for more. Rows of a model that none names are undecided, exit 3.
    #[arg(long, required = true, num_args = 1.., value_name = "MODEL=DOCUMENT")]
    pub(crate) terms: Vec<String>,
    /// The agreement (TOML): declarations, authorisations, further documents.
    #[arg(long, value_name = "FILE")]
    pub(crate) agreement: Option<PathBuf>,
}

/// What is made of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Aim {
    /// A fine-tuned model that competes with the provider.
    Competing,
    /// A fine-tuned model that does not.
    Finetuned,
    /// A classifier.
    Classifier,
    /// A model trained from the beginning.
    Foundation,
}

impl Aim {
    /// As the terms know it, and whether it competes.
    pub(crate) fn kind(self) -> (Kind, bool) {
        match self {
            Self::Competing => (Kind::Finetuned, true),
            Self::Finetuned => (Kind::Finetuned, false),
            Self::Classifier => (Kind::Classifier, false),
            Self::Foundation => (Kind::Foundation, true),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Gate {
    #[command(flatten)]
    pub(crate) files: CorpusFiles,
    #[command(flatten)]
    pub(crate) sought: Sought,
    #[command(flatten)]
    pub(crate) uses: UseOf,
    /// Write the corpus without the blocked rows into this folder, each file in its form.
    #[arg(long, value_name = "DIR")]
    pub(crate) write: Option<PathBuf>,
    /// Cores to use; all without it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Certify {
    #[command(flatten)]
    pub(crate) files: CorpusFiles,
    #[command(flatten)]
    pub(crate) sought: Sought,
    #[command(flatten)]
    pub(crate) uses: UseOf,
    /// The certificate to write (in-toto statement in a DSSE envelope).
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Also write the synthetic-data section of the EU's public summary of training content.
    #[arg(long, value_name = "FILE")]
    pub(crate) eu_summary: Option<PathBuf>,
    /// Cores to use; all without it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}
