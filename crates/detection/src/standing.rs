//! What may a finding do?
//!
//! Nearly nothing, and types hold it. What is asked (intent) alone ends at
//! [`Mild`]: observe, or ask for a declaration. A [`Notice`] has two doors and
//! no third: a divided queue *and* intent *and* an independent edge, all of
//! the same accounts; or the match of a back-tested sketch. There is no value
//! here that suspends anyone: that is a case's, decided by two people.
//!
//! # Source
//! `design/detection.md`, "What a finding may do".

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use facts::AccountId;

use crate::bounds::clopper_pearson;
use crate::edges::{EdgeEvidence, Kind};
use crate::families::Chance;
use crate::partition::Partition;

/// Whom a finding is about; at least one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(Arc<BTreeSet<AccountId>>);

impl Subject {
    /// These accounts; none when there are none.
    pub fn of(accounts: impl IntoIterator<Item = AccountId>) -> Option<Self> {
        let accounts: BTreeSet<AccountId> = accounts.into_iter().collect();
        (!accounts.is_empty()).then(|| Self(Arc::new(accounts)))
    }

    /// The accounts, by id.
    pub fn accounts(&self) -> &BTreeSet<AccountId> {
        &self.0
    }
}

/// Why evidence does not pass.
#[derive(Debug, Clone, PartialEq)]
pub enum NotPassed {
    /// So few honest programmes are known that no p could ever be small enough.
    Floor {
        /// The least p that could have been shown.
        floor: f64,
        /// What was asked.
        alpha: f64,
    },
    /// It is not rare enough.
    Above {
        /// Its p.
        p: f64,
        /// What was asked.
        alpha: f64,
    },
    /// The work does not look like one queue divided.
    NotDivided(Partition),
    /// The work is divided among fewer than are ever named.
    TooFew {
        /// Accounts.
        accounts: usize,
        /// Needed.
        least: usize,
    },
    /// A sketch that may accuse this share of honest accounts is not used.
    Fires {
        /// Cleared accounts on which it fired.
        fired: usize,
        /// Cleared accounts.
        cleared: usize,
        /// Upper bound of the share.
        bound: f64,
        /// The largest share allowed.
        most: f64,
    },
    /// Too little of the sketch was found.
    Matched {
        /// Prompts that match.
        found: usize,
        /// Needed.
        least: usize,
    },
    /// The evidence is about other accounts.
    OtherAccounts,
}

impl fmt::Display for NotPassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Floor { floor, alpha } => write!(
                f,
                "abstain: no p below {floor} can be shown, and {alpha} is asked; calibrate on more honest programmes"
            ),
            Self::Above { p, alpha } => write!(f, "find nothing: p is {p}, above {alpha}"),
            Self::NotDivided(found) => write!(
                f,
                "find no divided queue: z is {:.2}, {:.1} % of the items are done twice",
                found.z,
                found.repeated * 100.0
            ),
            Self::TooFew { accounts, least } => write!(
                f,
                "name {accounts} accounts: at least {least} must share the work"
            ),
            Self::Fires {
                fired,
                cleared,
                bound,
                most,
            } => write!(
                f,
                "use the sketch: it fired on {fired} of {cleared} cleared accounts, so up to {bound:.4} of honest ones may be accused, and {most} is allowed; test it on more of them or make it narrower"
            ),
            Self::Matched { found, least } => {
                write!(
                    f,
                    "find the campaign: {found} of {least} prompts needed match"
                )
            }
            Self::OtherAccounts => write!(
                f,
                "join the evidence: it is about other accounts; test all of it on the same ones"
            ),
        }
    }
}

impl std::error::Error for NotPassed {}

/// What is asked is rarer than alpha among honest programmes.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentPassed {
    subject: Subject,
    p: Chance,
}

impl IntentPassed {
    /// Passes a p of at most `alpha`, unless `floor`, the least p that could have been shown, is
    /// above it.
    ///
    /// # Errors
    /// [`NotPassed::Floor`], [`NotPassed::Above`].
    pub fn at(subject: Subject, p: Chance, floor: Chance, alpha: f64) -> Result<Self, NotPassed> {
        let (floor, shown) = (floor.value(), p.value());
        if floor > alpha {
            return Err(NotPassed::Floor { floor, alpha });
        }
        if shown > alpha {
            return Err(NotPassed::Above { p: shown, alpha });
        }
        Ok(Self { subject, p })
    }

    /// The p.
    pub fn p(&self) -> Chance {
        self.p
    }

    /// All that intent alone may do.
    ///
    /// It is no way to a notice:
    /// ```compile_fail,E0308
    /// # use detection::{Chance, Declaration, IntentPassed, Notice, Subject};
    /// # let who = Subject::of([facts::AccountId::parse("a").unwrap()]).unwrap();
    /// # let p = Chance::of(0.001).unwrap();
    /// let intent = IntentPassed::at(who, p, p, 0.01).unwrap();
    /// let notice: Notice = intent.may(Declaration::Missing);
    /// ```
    pub fn may(&self, declaration: Declaration) -> Mild {
        match declaration {
            Declaration::Missing => Mild::AskForDeclaration,
            Declaration::Given => Mild::Observe,
        }
    }
}

/// Whether the account has said what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaration {
    /// It declared a purpose.
    Given,
    /// It did not, or was not asked.
    Missing,
}

/// What needs no more than a suspicion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mild {
    /// Nothing is done or said; people see it.
    Observe,
    /// The account is asked what it does; nothing depends on it meanwhile.
    AskForDeclaration,
}

/// The work looks like one queue divided among enough accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionPassed {
    subject: Subject,
    found: Partition,
}

impl PartitionPassed {
    /// Passes a divided queue of at least `least` accounts.
    ///
    /// # Errors
    /// [`NotPassed::TooFew`], [`NotPassed::NotDivided`].
    pub fn of(subject: Subject, found: Partition, least: usize) -> Result<Self, NotPassed> {
        let accounts = subject.accounts().len();
        if accounts < least {
            return Err(NotPassed::TooFew { accounts, least });
        }
        if !found.divided() {
            return Err(NotPassed::NotDivided(found));
        }
        Ok(Self { subject, found })
    }

    /// What was found.
    pub fn found(&self) -> &Partition {
        &self.found
    }
}

/// Something besides what they ask links the accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgePassed {
    subject: Subject,
    p: Chance,
    kinds: Vec<Kind>,
}

impl EdgePassed {
    /// Passes edges of which one at least is at most `alpha` after Holm's correction.
    ///
    /// # Errors
    /// [`NotPassed::Above`].
    pub fn of(subject: Subject, edges: &EdgeEvidence, alpha: f64) -> Result<Self, NotPassed> {
        let p = edges.chance();
        if p.value() > alpha {
            let p = p.value();
            return Err(NotPassed::Above { p, alpha });
        }
        Ok(Self {
            subject,
            p,
            kinds: edges.kinds(alpha),
        })
    }

    /// The strongest edge's p, corrected.
    pub fn p(&self) -> Chance {
        self.p
    }

    /// The kinds that pass.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }
}

/// A sketch that was tried on cleared accounts and may be used.
#[derive(Debug, Clone, PartialEq)]
pub struct BackTested {
    cleared: usize,
    fired: usize,
    bound: f64,
}

impl BackTested {
    /// Passes a sketch whose false matches, by the upper end of a 95 % interval over cleared
    /// accounts, are at most `most`.
    ///
    /// # Errors
    /// [`NotPassed::Fires`]; also when no account was cleared.
    pub fn on(cleared: usize, fired: usize, most: f64) -> Result<Self, NotPassed> {
        let bound = if cleared == 0 {
            1.0
        } else {
            clopper_pearson(fired, cleared, 0.1).1
        };
        if bound > most {
            return Err(NotPassed::Fires {
                fired,
                cleared,
                bound,
                most,
            });
        }
        Ok(Self {
            cleared,
            fired,
            bound,
        })
    }

    /// Up to what share of honest accounts may match.
    pub fn bound(&self) -> f64 {
        self.bound
    }
}

/// An account runs a known campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct SketchMatch {
    subject: Subject,
    tested: BackTested,
    found: usize,
}

impl SketchMatch {
    /// Passes at least `least` prompts that match a back-tested sketch.
    ///
    /// # Errors
    /// [`NotPassed::Matched`].
    pub fn of(
        subject: Subject,
        tested: BackTested,
        found: usize,
        least: usize,
    ) -> Result<Self, NotPassed> {
        if found < least.max(1) {
            return Err(NotPassed::Matched { found, least });
        }
        Ok(Self {
            subject,
            tested,
            found,
        })
    }
}

/// What a notice rests on.
#[derive(Debug, Clone, PartialEq)]
enum Ground {
    Work {
        partition: PartitionPassed,
        intent: IntentPassed,
        edge: EdgePassed,
    },
    Sketch(SketchMatch),
}

/// Accounts that may be told of a finding, and why. Nothing is restricted by it.
///
/// It cannot be put together by hand:
/// ```compile_fail,E0451
/// # use detection::Notice;
/// fn forged() -> Notice {
///     Notice { ground: panic!() }
/// }
/// ```
///
/// Nor from a part of the evidence:
/// ```compile_fail,E0061
/// # use detection::{IntentPassed, Notice, PartitionPassed};
/// fn without_an_edge(partition: PartitionPassed, intent: IntentPassed) {
///     let _ = Notice::of_work(partition, intent);
/// }
/// ```
///
/// Nor from an edge that was not passed:
/// ```compile_fail,E0308
/// # use detection::{EdgeEvidence, IntentPassed, Notice, PartitionPassed};
/// fn untested(partition: PartitionPassed, intent: IntentPassed, edge: EdgeEvidence) {
///     let _ = Notice::of_work(partition, intent, edge);
/// }
/// ```
///
/// And nothing it may do is called a suspension:
/// ```compile_fail,E0599
/// let _ = detection::May::Suspend;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    ground: Ground,
}

impl Notice {
    /// The notice of a divided harvest: all three, about the same accounts.
    ///
    /// # Errors
    /// [`NotPassed::OtherAccounts`].
    pub fn of_work(
        partition: PartitionPassed,
        intent: IntentPassed,
        edge: EdgePassed,
    ) -> Result<Self, NotPassed> {
        if partition.subject != intent.subject || partition.subject != edge.subject {
            return Err(NotPassed::OtherAccounts);
        }
        Ok(Self {
            ground: Ground::Work {
                partition,
                intent,
                edge,
            },
        })
    }

    /// The notice of a known campaign.
    pub fn of_sketch(found: SketchMatch) -> Self {
        Self {
            ground: Ground::Sketch(found),
        }
    }

    /// Whom it is about.
    pub fn subject(&self) -> &Subject {
        match &self.ground {
            Ground::Work { partition, .. } => &partition.subject,
            Ground::Sketch(found) => &found.subject,
        }
    }

    /// What it rests on, in words.
    pub fn reasons(&self) -> Vec<String> {
        match &self.ground {
            Ground::Work {
                partition,
                intent,
                edge,
            } => {
                let kinds: Vec<&str> = edge.kinds.iter().map(|k| k.word()).collect();
                vec![
                    format!(
                        "{} prompts lie over the accounts as one divided queue (z {:.2}, {:.1} % done twice)",
                        partition.found.prompts,
                        partition.found.z,
                        partition.found.repeated * 100.0
                    ),
                    format!(
                        "what is asked is rarer than {:.4} among honest programmes",
                        intent.p.value()
                    ),
                    format!(
                        "linked besides by {} (p {:.4} after correction for all kinds looked at)",
                        kinds.join(", "),
                        edge.p.value()
                    ),
                ]
            }
            Ground::Sketch(found) => vec![format!(
                "{} prompts match a known campaign's sketch; it fired on {} of {} cleared accounts (at most {:.4} of honest ones)",
                found.found, found.tested.fired, found.tested.cleared, found.tested.bound
            )],
        }
    }
}

/// All that a finding may do. More is a case's, and two people decide it.
#[derive(Debug, Clone, PartialEq)]
pub enum May {
    /// People see it.
    Observe,
    /// The account is asked what it does.
    AskForDeclaration,
    /// The accounts may be told, if a person proposes it and a second agrees.
    Notice(Notice),
}

impl From<Mild> for May {
    fn from(mild: Mild) -> Self {
        match mild {
            Mild::Observe => Self::Observe,
            Mild::AskForDeclaration => Self::AskForDeclaration,
        }
    }
}

impl From<Notice> for May {
    fn from(notice: Notice) -> Self {
        Self::Notice(notice)
    }
}

#[cfg(test)]
mod tests;
