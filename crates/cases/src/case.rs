//! One case, as its steps left it.

mod guard;
mod look;

use std::collections::BTreeSet;

use facts::{CaseId, Timestamp};

use crate::actor::{Actor, Role};
use crate::refused::Refused;
use crate::restriction::{EMERGENCY, Restriction};
use crate::step::{Condition, Deed, Limits, Measure, Notice, Observation, Proposal, Step};

pub use look::{Awaited, Awaits, Outcome, State};

/// The longest account of facts or reasons, in characters (the limit of the
/// DSA Transparency Database's `decision_facts`).
pub const FACTS_MAX: usize = 5_000;
/// The longest comment, in characters: an appeal may be long.
pub const COMMENT_MAX: usize = 20_000;
/// The most conditions of an undertaking.
pub const CONDITIONS_MAX: usize = 20;
/// The most files of one answer.
pub const ATTACHMENTS_MAX: usize = 5;
/// The largest of them, in bytes.
pub const ATTACHMENT_BYTES_MAX: u64 = 5 << 20;
/// The kinds of files that are taken: what a browser shows without running anything.
pub const ATTACHMENT_KINDS: [&str; 6] = [
    "text/plain",
    "text/csv",
    "application/json",
    "application/pdf",
    "image/png",
    "image/jpeg",
];

/// What is to be done once a step is recorded, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell the accused, before anything acts.
    Inform,
    /// What acts on the accounts changed: see [`Case::standing`].
    Enforce,
    /// Every case that rests on this one is to take a step [`Deed::Reopened`].
    Reopen(CaseId),
}

/// What a person decided last about the whole case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ruling {
    Upheld,
    Overturned,
    Reinstated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    Dismissed,
    Overturned,
}

/// What the accused offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undertaking {
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Whether it was taken up.
    pub accepted: bool,
    /// For each condition whether it was found met; none before it was checked.
    pub met: Vec<Option<bool>>,
}

/// A proposal that awaits a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What.
    pub proposal: Proposal,
    /// Who proposed.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    id: CaseId,
    observation: Observation,
    steps: Vec<Step>,
    notice: Option<(Timestamp, Notice)>,
    answered: bool,
    undertaking: Option<Undertaking>,
    pending: Option<Pending>,
    restrictions: Vec<Restriction>,
    /// How many restrictions there were when the pending appeal was opened.
    appeal: Option<usize>,
    review: Option<(CaseId, Timestamp)>,
    reopened: BTreeSet<CaseId>,
    ruling: Option<Ruling>,
    closed: Option<Closed>,
}

impl Case {
    /// Opens a case by its first step.
    ///
    /// # Errors
    /// [`Refused`] when the step is no observation that can be answered.
    pub fn open(id: CaseId, first: Step) -> Result<Self, Refused> {
        let Deed::Observed(observation) = &first.deed else {
            return Err(Refused::Opening);
        };
        guard::opening(&first, observation)?;
        Ok(Self {
            id,
            observation: observation.clone(),
            steps: vec![first],
            notice: None,
            answered: false,
            undertaking: None,
            pending: None,
            restrictions: Vec::new(),
            appeal: None,
            review: None,
            reopened: BTreeSet::new(),
            ruling: None,
            closed: None,
        })
    }

    /// The case that these steps left.
    ///
    /// # Errors
    /// [`Refused::Replay`] naming the step that could not have been taken.
    pub fn replay(id: CaseId, steps: impl IntoIterator<Item = Step>) -> Result<Self, Refused> {
        let at = |n: usize| {
            move |why| Refused::Replay {
                n,
                why: Box::new(why),
            }
        };
        let mut steps = steps.into_iter();
        let Some(first) = steps.next() else {
            return Err(Refused::Opening);
        };
        let mut case = Self::open(id, first).map_err(at(0))?;
        for step in steps {
            let n = case.steps.len();
            case.take(step).map_err(at(n))?;
        }
        Ok(case)
    }

    /// Takes a step; says what is to be done once it is recorded.
    ///
    /// # Errors
    /// [`Refused`]; the case is as before.
    pub fn take(&mut self, step: Step) -> Result<Vec<Effect>, Refused> {
        self.allows(&step)?;
        let at = step.at;
        let effects = match &step.deed {
            Deed::Noticed(notice) => {
                self.notice = Some((at, notice.clone()));
                self.ruling = None;
                vec![Effect::Inform]
            }
            Deed::Declared => self.answer(),
            Deed::Undertaken(conditions) => {
                self.undertaking = Some(Undertaking {
                    conditions: conditions.clone(),
                    accepted: false,
                    met: vec![None; conditions.len()],
                });
                self.answer()
            }
            Deed::Accepted => {
                self.undertaking
                    .as_mut()
                    .iter_mut()
                    .for_each(|u| u.accepted = true);
                vec![Effect::Inform]
            }
            Deed::Checked { condition, met } => self.checked(*condition, *met),
            Deed::Proposed(proposal) => {
                self.pending = Some(Pending {
                    proposal: proposal.clone(),
                    by: step.by.clone(),
                    at,
                });
                Vec::new()
            }
            Deed::Approved => self.approve(at),
            Deed::Returned => {
                self.pending = None;
                Vec::new()
            }
            Deed::Emergency(limits) => self.stop(*limits, at, &step.comment),
            Deed::Appealed => {
                self.appeal = Some(self.restrictions.len());
                Vec::new()
            }
            // A second observation was refused by `allows`.
            Deed::EvidenceAdded | Deed::Observed(_) => Vec::new(),
            Deed::Upheld => self.uphold(at),
            Deed::Overturned => self.overturn(at),
            Deed::Reinstated => self.reinstate(at),
            Deed::Dismissed => {
                self.settle(at);
                self.pending = None;
                self.closed = Some(Closed::Dismissed);
                vec![Effect::Inform]
            }
            Deed::Reopened(because) => {
                self.pending = None;
                self.reopened.insert(because.clone());
                // The first reversal sets the day; a second one grants no delay.
                self.review.get_or_insert((because.clone(), at));
                vec![Effect::Inform, Effect::Enforce]
            }
        };
        self.steps.push(step);
        Ok(effects)
    }

    fn stop(&mut self, limits: Limits, at: Timestamp, reason: &str) -> Vec<Effect> {
        let restriction = Restriction {
            until: Some(at.plus(EMERGENCY)),
            emergency: true,
            ..self.fresh(Measure::Throttle(limits), at, reason)
        };
        self.restrict(restriction)
    }

    fn answer(&mut self) -> Vec<Effect> {
        self.answered |= self.notice.is_some();
        self.ruling = None;
        Vec::new()
    }

    fn checked(&mut self, condition: u32, met: bool) -> Vec<Effect> {
        let place = usize::try_from(condition).unwrap_or(usize::MAX);
        let all = self.undertaking.as_mut().map(|u| &mut u.met);
        if let Some(found) = all.and_then(|met| met.get_mut(place)) {
            *found = Some(met);
        }
        vec![Effect::Inform]
    }

    fn fresh(&self, measure: Measure, at: Timestamp, reason: &str) -> Restriction {
        Restriction {
            measure,
            from: at,
            until: None,
            reason: reason.to_owned(),
            exculpatory: self.observation.exculpatory.clone(),
            emergency: false,
            lifted: None,
            heard: false,
            reversed: false,
        }
    }

    fn approve(&mut self, at: Timestamp) -> Vec<Effect> {
        let Some(Pending { proposal, .. }) = self.pending.take() else {
            return Vec::new();
        };
        let restriction = Restriction {
            until: proposal.until,
            exculpatory: proposal.exculpatory.clone(),
            ..self.fresh(proposal.measure, at, &proposal.reason)
        };
        self.restrict(restriction)
    }

    /// A measure takes the place of what acts of its kind.
    fn restrict(&mut self, restriction: Restriction) -> Vec<Effect> {
        for earlier in &mut self.restrictions {
            if earlier.measure.word() == restriction.measure.word() {
                earlier.lift(restriction.from);
            }
        }
        self.restrictions.push(restriction);
        self.ruling = None;
        vec![Effect::Inform, Effect::Enforce]
    }

    /// A review ends: what lapsed while nobody decided stays lapsed.
    fn settle(&mut self, at: Timestamp) {
        if let Some((_, since)) = self.review.take() {
            let lapse = since.plus(crate::restriction::REVIEW);
            if lapse <= at {
                self.restrictions.iter_mut().for_each(|r| r.lift(lapse));
            }
        }
    }

    fn uphold(&mut self, at: Timestamp) -> Vec<Effect> {
        self.settle(at);
        if let Some(contested) = self.appeal.take() {
            for restriction in self.restrictions.iter_mut().take(contested) {
                restriction.heard = true;
            }
        }
        self.ruling = Some(Ruling::Upheld);
        vec![Effect::Inform, Effect::Enforce]
    }

    fn overturn(&mut self, at: Timestamp) -> Vec<Effect> {
        self.settle(at);
        self.appeal = None;
        self.pending = None;
        for restriction in &mut self.restrictions {
            restriction.lift(at);
            restriction.reversed = true;
        }
        self.ruling = Some(Ruling::Overturned);
        self.closed = Some(Closed::Overturned);
        vec![
            Effect::Inform,
            Effect::Enforce,
            Effect::Reopen(self.id.clone()),
        ]
    }

    fn reinstate(&mut self, at: Timestamp) -> Vec<Effect> {
        // What lapsed under a review is not acting, and keeps its end.
        let lapsed = self
            .review
            .as_ref()
            .map(|(_, since)| since.plus(crate::restriction::REVIEW));
        let end = lapsed.map_or(at, |lapse| lapse.min(at));
        self.restrictions.iter_mut().for_each(|r| r.lift(end));
        self.ruling = Some(Ruling::Reinstated);
        vec![Effect::Inform, Effect::Enforce]
    }

    /// Who may not decide what is contested: everyone who worked on the case.
    fn involved(&self) -> impl Iterator<Item = &Actor> {
        let people = self.steps.iter().map(|step| &step.by);
        people.filter(|by| match by.role {
            Role::Customer | Role::System => false,
            Role::Reviewer | Role::Approver | Role::Administrator | Role::Auditor => true,
        })
    }
}

#[cfg(test)]
mod tests;
