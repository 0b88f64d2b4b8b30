//! One case, as its steps left it.

use std::collections::BTreeSet;
use std::fmt;

use facts::{AccountId, CaseId, PersonId, Span, Timestamp};

use crate::step::{Deed, Measure, Proposal, Step};

/// How long an appeal stays open after the decision: six months.
pub const APPEAL: Span = Span::days(183);

/// The longest summary of facts, in characters.
pub const SUMMARY_MAX: usize = 5_000;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing has happened to the accounts yet.
    Proposed,
    /// Closed; nothing happens.
    Rejected,
    /// The measure acts.
    InForce,
    /// The measure acts; the accused contests.
    Appealed,
    /// The measure acts; the appeal was heard.
    Upheld,
    /// The measure was lifted.
    Overturned,
}

/// What a person wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Agree, as a second person.
    Approve,
    /// Decline, as a second person.
    Reject,
    /// Contest.
    Appeal,
    /// Decide against the appeal.
    Uphold,
    /// Decide for the appeal.
    Overturn,
}

impl Act {
    fn deed(self) -> Deed {
        match self {
            Self::Approve => Deed::Approved,
            Self::Reject => Deed::Rejected,
            Self::Appeal => Deed::Appealed,
            Self::Uphold => Deed::Upheld,
            Self::Overturn => Deed::Overturned,
        }
    }
}

/// Why a step may not be taken; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

fn refused<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    id: CaseId,
    proposal: Proposal,
    state: State,
    steps: Vec<Step>,
    /// Who proposed and who decided: they may not hear the appeal.
    involved: BTreeSet<PersonId>,
    decided: Option<Timestamp>,
}

impl Case {
    /// Opens a case by its first step.
    ///
    /// # Errors
    /// [`Refused`] when the step is not a proposal that can be decided.
    pub fn open(id: CaseId, first: Step) -> Result<Self, Refused> {
        let Deed::Proposed(proposal) = &first.deed else {
            return refused("a case begins with a proposal");
        };
        let unique: BTreeSet<&AccountId> = proposal.accounts.iter().collect();
        if unique.is_empty() || unique.len() != proposal.accounts.len() {
            return refused("a proposal names at least one account, and each once");
        }
        if proposal.summary.trim().is_empty() || proposal.exculpatory.trim().is_empty() {
            return refused(
                "a proposal states its facts, and what speaks for the accused or that nothing was found",
            );
        }
        if proposal.summary.chars().count() > SUMMARY_MAX {
            return refused(format!(
                "the facts may have at most {SUMMARY_MAX} characters"
            ));
        }
        Ok(Self {
            id,
            proposal: proposal.clone(),
            state: State::Proposed,
            involved: BTreeSet::from([first.by.clone()]),
            decided: None,
            steps: vec![first],
        })
    }

    /// The case that these steps left.
    ///
    /// # Errors
    /// [`Refused`] naming the step that could not have been taken.
    pub fn replay(id: CaseId, steps: impl IntoIterator<Item = Step>) -> Result<Self, Refused> {
        let mut steps = steps.into_iter();
        let Some(first) = steps.next() else {
            return refused("a case has at least one step");
        };
        let mut case = Self::open(id, first)?;
        for step in steps {
            let n = case.steps.len();
            case.take(step)
                .map_err(|e| Refused(format!("step {n}: {e}")))?;
        }
        Ok(case)
    }

    /// The step that `act` would be, if it may be taken now. Changes nothing.
    ///
    /// # Errors
    /// [`Refused`] saying who may act, or when.
    pub fn decide(
        &self,
        act: Act,
        by: PersonId,
        comment: String,
        at: Timestamp,
    ) -> Result<Step, Refused> {
        let step = Step {
            at,
            by,
            comment,
            deed: act.deed(),
        };
        self.allows(&step)?;
        Ok(step)
    }

    /// Takes a step.
    ///
    /// # Errors
    /// [`Refused`]; the case is as before.
    pub fn take(&mut self, step: Step) -> Result<(), Refused> {
        self.state = self.allows(&step)?;
        if matches!(step.deed, Deed::Approved | Deed::Rejected) {
            self.involved.insert(step.by.clone());
            self.decided = Some(step.at);
        }
        self.steps.push(step);
        Ok(())
    }

    /// Where the step would lead.
    fn allows(&self, step: &Step) -> Result<State, Refused> {
        if self.steps.last().is_some_and(|last| step.at < last.at) {
            return refused("a step cannot be earlier than the one before it");
        }
        match (self.state, &step.deed) {
            (State::Proposed, Deed::Approved) => self.second(step, State::InForce),
            (State::Proposed, Deed::Rejected) => self.second(step, State::Rejected),
            (State::InForce, Deed::Appealed) => self.in_time(step),
            (State::Appealed, Deed::Upheld) => self.outsider(step, State::Upheld),
            (State::Appealed, Deed::Overturned) => self.outsider(step, State::Overturned),
            (state, deed) => refused(format!(
                "a case that is {} cannot be {}",
                self.state_word_of(state),
                deed.word()
            )),
        }
    }

    fn second(&self, step: &Step, to: State) -> Result<State, Refused> {
        if self.involved.contains(&step.by) {
            return refused(format!(
                "{} proposed this case: a second person must decide it",
                step.by
            ));
        }
        Ok(to)
    }

    fn outsider(&self, step: &Step, to: State) -> Result<State, Refused> {
        if self.involved.contains(&step.by) {
            return refused(format!(
                "{} took part in this case: its appeal is decided by someone who did not",
                step.by
            ));
        }
        Ok(to)
    }

    fn in_time(&self, step: &Step) -> Result<State, Refused> {
        match self.appeal_until() {
            Some(end) if step.at <= end => Ok(State::Appealed),
            _ => refused("the six months for an appeal are over"),
        }
    }

    /// Its id.
    pub fn id(&self) -> &CaseId {
        &self.id
    }

    /// What was proposed.
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The word for where it stands, for example `suspended`.
    pub fn state_word(&self) -> &'static str {
        self.state_word_of(self.state)
    }

    fn state_word_of(&self, state: State) -> &'static str {
        match (state, self.proposal.measure) {
            (State::Proposed, _) => "proposed",
            (State::Rejected, _) => "rejected",
            (State::InForce, Measure::Notice) => "noticed",
            (State::InForce, Measure::Suspend) => "suspended",
            (State::Appealed, _) => "appealed",
            (State::Upheld, _) => "upheld",
            (State::Overturned, _) => "overturned",
        }
    }

    /// What acts on the accounts now, if anything.
    pub fn in_force(&self) -> Option<Measure> {
        match self.state {
            State::InForce | State::Appealed | State::Upheld => Some(self.proposal.measure),
            State::Proposed | State::Rejected | State::Overturned => None,
        }
    }

    /// Until when the accused may appeal; none before there is anything to appeal.
    pub fn appeal_until(&self) -> Option<Timestamp> {
        (self.state == State::InForce)
            .then(|| self.decided.map(|at| at.plus(APPEAL)))
            .flatten()
    }

    /// The statement of reasons, in words (shaped after DSA Article 17(3)).
    pub fn statement(&self) -> String {
        let p = &self.proposal;
        let accounts = p
            .accounts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let measure = match p.measure {
            Measure::Notice => "notice; nothing is restricted",
            Measure::Suspend => {
                "suspension of API access, everywhere, until this case ends otherwise"
            }
        };
        format!(
            "Accounts: {accounts}\nMeasure: {measure}\nGround: {}\nFacts: {}\nSpeaking for you: {}\n\
             Automated means: detection is automated; the decision is not: two people must agree.\n\
             Redress: appeal free of charge within six months; it is decided by someone who took no part. \
             You may read this case and export its evidence at any time, and go to court.",
            p.clause, p.summary, p.exculpatory
        )
    }
}

#[cfg(test)]
mod tests;
