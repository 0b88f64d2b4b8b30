//! What may be typed after `fairhold terms`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Terms {
    /// The documents of the catalogue, a line a version.
    List {
        /// Versions in force on this day only (YYYY-MM-DD).
        #[arg(long, value_name = "DAY")]
        at: Option<String>,
    },
    /// One document: its clauses, exceptions, process and source.
    Show {
        /// `provider/document`, or one version `provider-document-version`.
        document: String,
        /// The version in force on this day (YYYY-MM-DD); the last without it.
        #[arg(long, value_name = "DAY")]
        at: Option<String>,
        /// Show the Cedar policies as well.
        #[arg(long)]
        policies: bool,
    },
    /// Check policies, cases and mutants, of the catalogue or of a folder of versions.
    Check {
        /// A folder with a folder for each version: `facts.toml`, `policies.cedar`, `cases.toml`.
        dir: Option<PathBuf>,
    },
    /// Answer one question with its clause.
    Explain(Explain),
    /// Which requests change verdict between two versions.
    Diff {
        /// The older, `provider-document-version` or a version's folder.
        old: String,
        /// The newer, likewise.
        new: String,
    },
    /// Replay recorded exchanges against proposed versions.
    Test(Test),
    /// An agreement in another vocabulary.
    Export(Export),
}

/// Whom and what a question is about.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The documents that bind, `provider/document`; the strictest wins.
    #[arg(long, required = true, num_args = 1.., value_name = "DOCUMENT")]
    pub(crate) document: Vec<String>,
    /// The purpose, for example `classifier-internal`.
    #[arg(long)]
    pub(crate) purpose: Option<String>,
    /// What the customer declares, for example `not-distributed`.
    #[arg(long, num_args = 1..)]
    pub(crate) declare: Vec<String>,
    /// What was established against the customer, for example `key-transfer`.
    #[arg(long, num_args = 1..)]
    pub(crate) conduct: Vec<String>,
    /// The agreement (TOML): declarations, authorisations, further documents.
    #[arg(long, value_name = "FILE")]
    pub(crate) agreement: Option<PathBuf>,
    /// Where the request comes from, two letters.
    #[arg(long, requires = "supported", conflicts_with = "verb")]
    pub(crate) country: Option<String>,
    /// The countries that a clause on countries admits.
    #[arg(long, num_args = 1.., requires = "country", value_name = "COUNTRY")]
    pub(crate) supported: Vec<String>,
    /// The day (YYYY-MM-DD); today without it.
    #[arg(long, value_name = "DAY")]
    pub(crate) at: Option<String>,
    /// The model asked.
    #[arg(long, default_value = "any")]
    pub(crate) model: String,
    /// A use of outputs made on that day, instead of a request.
    #[arg(
        long = "use",
        value_enum,
        value_name = "VERB",
        conflicts_with = "purpose"
    )]
    pub(crate) verb: Option<Verb>,
    /// What kind of model is made of the outputs.
    #[arg(long, value_enum, requires = "verb")]
    pub(crate) target: Option<Kind>,
    /// The model competes with the provider.
    #[arg(long, requires = "target")]
    pub(crate) competes: bool,
    /// Others get the model.
    #[arg(long, requires = "target")]
    pub(crate) distributed: bool,
    /// The model is made inside the provider's own service.
    #[arg(long, requires = "target")]
    pub(crate) on_provider: bool,
    /// The outputs were altered: paraphrased, translated, desensitized.
    #[arg(long, requires = "verb", value_name = "HOW")]
    pub(crate) transformed: Option<String>,
    /// What the holder's mark on the altered copy says.
    #[arg(long, requires = "transformed", value_name = "MARK")]
    pub(crate) marked: Option<String>,
}

/// What is done with outputs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Verb {
    Train,
    Distill,
    Evaluate,
    Label,
    Redistribute,
}

/// What kind of model is made.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Classifier,
    Finetuned,
    Foundation,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The proposed versions: a folder with a folder for each.
    pub(crate) dir: PathBuf,
    /// Exchanges from this day on (YYYY-MM-DD).
    #[arg(long, value_name = "DAY")]
    pub(crate) since: Option<String>,
    /// The documents that bind, `provider/document`; those of the proposal without it.
    #[arg(long, num_args = 1.., value_name = "DOCUMENT")]
    pub(crate) document: Vec<String>,
    /// The store, `postgres://...`, where the server's configuration names one.
    #[arg(long, value_name = "URL", conflicts_with = "logs")]
    pub(crate) store: Option<String>,
    /// Logs to replay instead of the store.
    #[arg(long, num_args = 1.., value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    /// The account of lines that name none.
    #[arg(long, requires = "logs", value_name = "ID")]
    pub(crate) account: Option<String>,
    /// The purpose of exchanges that declare none.
    #[arg(long)]
    pub(crate) purpose: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The documents that bind, `provider/document`.
    #[arg(long, required = true, num_args = 1.., value_name = "DOCUMENT")]
    pub(crate) document: Vec<String>,
    /// Whose agreement.
    #[arg(long, default_value = "customer")]
    pub(crate) account: String,
    /// The agreement (TOML): its authorisations and further documents count.
    #[arg(long, value_name = "FILE")]
    pub(crate) agreement: Option<PathBuf>,
    /// The day (YYYY-MM-DD); today without it.
    #[arg(long, value_name = "DAY")]
    pub(crate) at: Option<String>,
    /// The vocabulary.
    #[arg(long = "as", value_enum, default_value = "odrl")]
    pub(crate) form: Form,
}

/// A vocabulary.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// ODRL 2.2, JSON-LD.
    Odrl,
    /// CAWG training and data mining assertion.
    Cawg,
    /// AIPREF usage preference.
    Aipref,
    /// Every case, decided by each form.
    Table,
}
