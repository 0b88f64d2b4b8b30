//! What is written in these files?
//!
//! Training sets, document by document: JSON lines (also .zst and .gz), Parquet and Arrow files
//! (feature `parquet`), `WebDataset` tar files and plain text. Nothing is read whole: memory is
//! bounded by a few batches of a megabyte, whatever the size of the corpus.
//!
//! - [`Plan`]: which files, in which order, as which form; a Parquet row group is a unit of its own.
//! - [`run`]: every document once, on every core; what a [`Job`] says of them is written in the
//!   order of the corpus, whatever the cores did first.
//! - [`Manifest`]: how far it came, so that a killed run goes on and ends with the same bytes.
//! - [`clean`]: the same files without some of their rows.
//!
//! Paths may be URLs of object storage (feature `object-store`), read by ranges.
//!
//! A file that is damaged is told by name and place; the others are read on.
#![forbid(unsafe_code)]

mod clean;
mod document;
mod engine;
mod fault;
mod json;
mod manifest;
mod plan;
mod read;
#[cfg(feature = "object-store")]
mod remote;
mod source;

pub use clean::{CleanError, Cleaned, clean};
pub use document::{Column, Columns, Document, Text};
pub use engine::{Control, Job, Place, RunError, run};
pub use fault::Fault;
pub use json::{line_text, line_text_slowly};
pub use manifest::{Manifest, ManifestError, Totals};
pub use plan::{Form, Options, Packing, Plan, PlanError, PlannedFile, STDIN};
