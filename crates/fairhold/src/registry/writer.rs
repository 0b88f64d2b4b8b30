//! Who makes fingerprints and writes them, in one process with who follows the log or in one of
//! its own (`apart.rs`): it does what it is asked, in order.

use facts::Exchange;
use provenance::{Role, Segment};
use store::Passed;

use super::forget::{Erased, Left};
use super::tiers::Small;
use super::{Folder, Kind, Making, RegistryError, Writing, role};

/// What a writer is asked to do.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// Hold the fingerprints of what has just passed.
    Passed(Vec<Passed>),
    /// Hold those of what was read from the log.
    Read(Vec<Exchange>),
    /// Write what is held, of these records of the log, and how far that is.
    Write {
        /// The first record.
        from: u64,
        /// The one behind the last.
        to: u64,
    },
    /// Take outputs out of what is held, and out of the files.
    TakeOut(Erased),
    /// Join all files of each account and month.
    Join,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Outputs that are held now.
    pub(crate) held: usize,
    /// What left the registry.
    pub(crate) left: Left,
}

/// Writes one registry; nobody else does for as long as it lives.
pub(crate) struct Writer {
    folder: Folder,
    right: Writing,
    making: Making,
    /// Its small files; none: they are not known (any more).
    small: Option<Small>,
    /// Models whose outputs are control twins.
    twins: Vec<String>,
}

impl Writer {
    /// Of the registry of a store; outputs of these models are control twins, from now on.
    pub(crate) fn open(folder: Folder, twins: &[String]) -> Result<Self, RegistryError> {
        let right = folder.lock()?;
        let twins = folder.claim(&right, Kind::Store, twins)?;
        Ok(Self {
            making: Making::new(folder.key()),
            small: None,
            folder,
            right,
            twins,
        })
    }

    /// The registry.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Whether an exchange is an output or a control twin.
    pub(crate) fn role(&self, exchange: &Exchange) -> Role {
        role(&self.twins, exchange.model.as_ref())
    }

    /// What it has made so far.
    pub(crate) fn made(&self) -> &Making {
        &self.making
    }

    /// Keeps what stands before the log's first record.
    pub(crate) fn keep(&self, segments: Vec<Segment>) -> Result<(), RegistryError> {
        self.folder.write(&self.right, segments, (0, 0)).map(drop)
    }

    /// Does what it is asked. After a failure it is of no more use: what it held is read again.
    pub(crate) fn answer(&mut self, ask: &Ask) -> Result<Done, RegistryError> {
        let mut left = Left::default();
        match ask {
            Ask::Passed(passed) => {
                for passed in passed {
                    self.making.take_passed(passed, &self.twins);
                }
            }
            Ask::Read(exchanges) => {
                for exchange in exchanges {
                    let role = self.role(exchange);
                    self.making.take(exchange, role);
                }
            }
            Ask::Write { from, to } => self.write((*from, *to))?,
            Ask::TakeOut(erased) => left = self.take_out(erased)?,
            Ask::Join => {
                self.small = None;
                self.folder.merge(&self.right)?;
            }
        }
        Ok(Done {
            held: self.making.len(),
            left,
        })
    }

    fn write(&mut self, range: (u64, u64)) -> Result<(), RegistryError> {
        let segments = self.making.build();
        self.folder
            .write_on(&self.right, segments, range, &mut self.small)
    }

    fn take_out(&mut self, erased: &Erased) -> Result<Left, RegistryError> {
        let held = self.making.take_out(erased);
        // Files become smaller, and some go.
        self.small = None;
        Ok(held.and(self.folder.take_out(&self.right, erased)?))
    }
}
