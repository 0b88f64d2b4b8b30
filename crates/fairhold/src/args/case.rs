//! What may be typed about cases.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Case {
    /// Open a case against an account; nothing happens to it yet.
    Observe(Observe),
    /// Give notice: the clause, what is counted, the number to get under, the day.
    Notice(Notice),
    /// Say what the account is for, as the accused (in `--comment`).
    Declare(Step),
    /// Offer conditions, as the accused.
    Undertake(Undertake),
    /// Take up the conditions offered: no measure follows while they are kept.
    Accept(Step),
    /// Check a condition of an accepted undertaking.
    Check(Check),
    /// Propose a measure in a case; with `--clause` or `--finding`, open one against an account too.
    Propose(Propose),
    /// Agree, as a second person: the measure takes effect.
    Approve(Step),
    /// Hand a proposal back without a ruling (why: in `--comment`).
    Return(Step),
    /// Throttle for four hours, alone and once in a case (why: in `--comment`).
    Emergency(Emergency),
    /// Contest, as the accused (in `--comment`).
    Appeal(Step),
    /// Add evidence to an appeal, as the accused (in `--comment`).
    Evidence(Step),
    /// Decide an appeal against the accused, as someone who took no part.
    Uphold(Step),
    /// Decide an appeal for the accused, as someone who took no part: everything is lifted.
    Overturn(Step),
    /// Lift measures without an appeal.
    Reinstate(Step),
    /// Close a case without a measure.
    #[command(alias = "reject")]
    Dismiss(Step),
    /// List cases.
    List,
    /// Show one case.
    Show {
        /// The case.
        case: String,
    },
}

/// What a case is opened with.
#[derive(Debug, Args)]
pub(crate) struct Facts {
    /// Further accounts of the same case.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) also: Vec<String>,
    /// The facts, in words the customer reads; those of the finding where one is named.
    #[arg(long)]
    pub(crate) summary: Option<String>,
    /// A finding that it rests on (`fairhold findings`): it supports a notice, nothing more.
    #[arg(long, value_name = "ID")]
    pub(crate) finding: Option<String>,
    /// A case without which this one would not stand; repeat for more.
    #[arg(long, value_name = "CASE")]
    pub(crate) rests_on: Vec<String>,
    /// Found by a person, without automated means.
    #[arg(long)]
    pub(crate) by_hand: bool,
    /// What speaks for the accused; what the finding says, or `none found`.
    #[arg(long)]
    pub(crate) exculpatory: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Observe {
    /// The accused account.
    pub(crate) account: String,
    /// The clause relied on.
    #[arg(long)]
    pub(crate) clause: String,
    #[command(flatten)]
    pub(crate) facts: Facts,
    /// Who opens it.
    #[arg(long)]
    pub(crate) by: String,
}

/// What a notice names.
#[derive(Debug, Args)]
pub(crate) struct Number {
    /// What is counted.
    #[arg(
        long,
        default_value = "exchanges a day of the kind that the facts describe"
    )]
    pub(crate) metric: String,
    /// The number to get under; fewer than 20 exchanges are never judged.
    #[arg(long, default_value = "20")]
    pub(crate) under: String,
    /// Days to answer in, at least 3.
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    pub(crate) due: u32,
    /// Ask for no declaration of purpose.
    #[arg(long)]
    pub(crate) no_declaration: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Notice {
    /// The case.
    pub(crate) case: String,
    #[command(flatten)]
    pub(crate) number: Number,
    /// Who gives it.
    #[arg(long)]
    pub(crate) by: String,
    /// What is said with it.
    #[arg(long, default_value = "")]
    pub(crate) comment: String,
}

#[derive(Debug, Args)]
pub(crate) struct Undertake {
    /// The case.
    pub(crate) case: String,
    /// What will be so; repeat `--promise`, `--check` and `--days` for each condition.
    #[arg(long, required = true)]
    pub(crate) promise: Vec<String>,
    /// How it is checked.
    #[arg(long, required = true)]
    pub(crate) check: Vec<String>,
    /// In how many days.
    #[arg(long, required = true)]
    pub(crate) days: Vec<u32>,
    /// The accused account.
    #[arg(long)]
    pub(crate) by: String,
    /// What is said with it.
    #[arg(long, default_value = "")]
    pub(crate) comment: String,
}

#[derive(Debug, Args)]
#[group(id = "outcome", required = true, args = ["met", "broken"])]
pub(crate) struct Check {
    /// The case.
    pub(crate) case: String,
    /// The condition's number, from 1.
    pub(crate) condition: u32,
    /// It was met.
    #[arg(long, conflicts_with = "broken")]
    pub(crate) met: bool,
    /// It was broken.
    #[arg(long)]
    pub(crate) broken: bool,
    /// Who checked.
    #[arg(long)]
    pub(crate) by: String,
    /// What was seen.
    #[arg(long, default_value = "")]
    pub(crate) comment: String,
}

/// What a throttle leaves.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Left {
    /// Requests per minute that a throttle leaves; 10 where nothing is said.
    #[arg(long, value_name = "N")]
    pub(crate) requests_per_minute: Option<u64>,
    /// Tokens per minute that a throttle leaves.
    #[arg(long, value_name = "N")]
    pub(crate) tokens_per_minute: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    /// The case; with `--clause` the account to open one against.
    #[arg(value_name = "CASE|ACCOUNT")]
    pub(crate) target: String,
    /// The clause relied on, to open a case.
    #[arg(long)]
    pub(crate) clause: Option<String>,
    #[command(flatten)]
    pub(crate) facts: Facts,
    /// What is proposed; with a finding a notice, which takes effect at once, else a throttle.
    #[arg(long, value_parser = ["notice", "throttle", "mark", "suspend", "terminate"])]
    pub(crate) action: Option<String>,
    /// Why this measure and no milder one; the facts where nothing is said.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) left: Left,
    /// Days after which the measure ends by itself.
    #[arg(long)]
    pub(crate) days: Option<u32>,
    #[command(flatten)]
    pub(crate) number: Number,
    /// Who proposes.
    #[arg(long)]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct Emergency {
    /// The case.
    pub(crate) case: String,
    #[command(flatten)]
    pub(crate) left: Left,
    /// Who acts.
    #[arg(long)]
    pub(crate) by: String,
    /// Why it cannot wait.
    #[arg(long)]
    pub(crate) comment: String,
}

#[derive(Debug, Args)]
pub(crate) struct Step {
    /// The case.
    pub(crate) case: String,
    /// Who acts.
    #[arg(long)]
    pub(crate) by: String,
    /// Why; kept on the timeline.
    #[arg(long, default_value = "")]
    pub(crate) comment: String,
}
