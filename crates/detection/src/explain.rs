//! Why a gathering is named, or not, in words that its accounts could be shown.

use crate::edges::Edge;
use crate::partition::{Partition, REPEATED_MAX, Z_MAX};
use crate::settings::Background;
use crate::sketch::SCALE;
use crate::standing::May;
use crate::suspect::{Pooled, population};

/// The figures of one gathering.
pub(crate) struct Facts<'a> {
    pub(crate) accounts: usize,
    pub(crate) customers: usize,
    pub(crate) of: usize,
    pub(crate) outside: usize,
    pub(crate) reference: usize,
    pub(crate) background: &'a Background,
    pub(crate) alpha: f64,
    pub(crate) bound: f64,
    pub(crate) looks: usize,
    pub(crate) fixed: usize,
    pub(crate) prompts: usize,
    pub(crate) sampled: usize,
    pub(crate) partition: Partition,
    pub(crate) pooled: Option<&'a Pooled>,
    pub(crate) edges: &'a [Edge],
    pub(crate) may: &'a May,
}

/// The reasons; when a test fails, the last says which.
pub(crate) fn reasons(facts: &Facts<'_>) -> Vec<String> {
    let mut out = vec![linkage(facts), background(facts), queue(facts.partition)];
    out.extend(facts.pooled.map(intent));
    out.extend(facts.edges.iter().map(|edge| edge.said.clone()));
    out.push(may(facts.may).to_owned());
    if facts.bound > facts.alpha {
        out.push(format!(
            "Not named: the bound {} is above the allowed {}.",
            figure(facts.bound),
            figure(facts.alpha)
        ));
    } else if !facts.partition.divided() {
        out.push(
            "Not named: the items do not lie as one queue divided; strangers who use one public \
             template look like this."
                .to_owned(),
        );
    }
    out
}

fn intent(pooled: &Pooled) -> String {
    let carried = if pooled.carried.is_empty() {
        "nothing".to_owned()
    } else {
        pooled.carried.join(", ")
    };
    format!(
        "What the programme asks for: the chance that an honest programme scores so high is \
         estimated at {:.4}, compared with {}. Carried by: {carried}.",
        pooled.rank.p,
        population(&pooled.rank)
    )
}

fn may(may: &May) -> &'static str {
    match may {
        May::Observe => "All that may follow: watch; intent does not pass.",
        May::AskForDeclaration => {
            "All that may follow: ask for a declaration; a notice needs a divided queue, intent and an \
             independent edge together."
        }
        May::Notice(_) => "May follow: a notice, proposed by a person and approved by a second.",
    }
}

fn linkage(facts: &Facts<'_>) -> String {
    let scale = usize::try_from(SCALE).unwrap_or(1);
    let customers = if facts.customers == facts.accounts {
        String::new()
    } else {
        format!(" of {} customers", facts.customers)
    };
    format!(
        "{} accounts{customers} send prompts with one frame: half of them or more share about {} \
         runs of five words that are in no catalogue. {} of their {} prompts compared are of this \
         programme.",
        facts.accounts,
        facts.fixed * scale,
        facts.prompts,
        facts.sampled
    )
}

fn background(facts: &Facts<'_>) -> String {
    match facts.background {
        Background::Reference(_) => format!(
            "{} of {} tested customers and {} of {} unrelated customers carry it. If the tested \
             were no different, a gathering like this would be named somewhere in the report with \
             a chance of at most {} (exact permutation bound, corrected for {} tests).",
            facts.customers,
            facts.of,
            facts.outside,
            facts.reference,
            figure(facts.bound),
            facts.looks
        ),
        Background::Assumed { rate } => format!(
            "{} of {} customers carry it. If unrelated customers chose their prompts independently \
             and at most {} of them carried any one programme outside the catalogue (assumed, not \
             measured here), a gathering like this would be named somewhere in the report with a \
             chance of at most {} (exact binomial bound, corrected for {} programmes).",
            facts.customers,
            facts.of,
            percent(*rate),
            figure(facts.bound),
            facts.looks
        ),
    }
}

fn queue(partition: Partition) -> String {
    format!(
        "Over {} prompts, those of one account are {:.1} standard deviations more alike than \
         chance would divide one queue (below {Z_MAX} is a divided queue), and {} repeat a prompt \
         of another account (below {} is a divided queue).",
        partition.prompts,
        partition.z,
        percent(partition.repeated),
        percent(REPEATED_MAX)
    )
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A probability: plain when it can be read, else as a power of ten.
fn figure(chance: f64) -> String {
    if chance >= 0.001 {
        format!("{chance:.3}")
    } else {
        format!("{chance:.0e}")
    }
}

#[cfg(test)]
mod tests;
