//! Proofs as files (C2SP tlog-proof): the place of an entry, its inclusion
//! proof and the checkpoint that this is proven under, in one text.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::Checkpoint;
use crate::merkle::{Hash, ProofError, leaf_hash, verify_inclusion};
use crate::note::{Note, NoteError, Verifier};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Nodes of the longest proof that can be: one for each bit of a size.
const LONGEST: usize = 64;

/// A proof. Its `Display` is the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Data of the application, which nothing vouches for.
    pub extra: Option<Vec<u8>>,
    /// The entry's place, from zero.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling up.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as it is.
    pub checkpoint: String,
}

/// Why an entry is not proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlogProofError {
    /// The text is no proof.
    Form(&'static str),
    /// Its checkpoint does not hold.
    Note(NoteError),
    /// Its hashes do not lead to the checkpoint's root.
    Proof(ProofError),
}

impl fmt::Display for TlogProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(what) => write!(f, "this is no proof: {what}"),
            Self::Note(error) => error.fmt(f),
            Self::Proof(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TlogProofError {}

impl TlogProof {
    /// Reads a proof; nothing is checked yet. There is one spelling.
    ///
    /// # Errors
    /// [`TlogProofError::Form`] saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        let wrong = TlogProofError::Form;
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(wrong("it has no empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(wrong("its first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines.next_if(|l| l.starts_with("extra "));
        let extra = extra.and_then(|l| l.strip_prefix("extra "));
        let extra = extra.map(|l| STANDARD.decode(l)).transpose();
        let extra = extra.map_err(|_| wrong("its extra data is not base64"))?;
        let digits = lines
            .next()
            .and_then(|l| l.strip_prefix("index "))
            .ok_or(wrong("it states no index"))?;
        let index: u64 = digits
            .parse()
            .map_err(|_| wrong("its index is no number"))?;
        if index.to_string() != digits {
            return Err(wrong("its index is not spelled as a number is"));
        }
        let hashes: Vec<Hash> = lines
            .take(LONGEST + 1)
            .map(|line| STANDARD.decode(line).ok()?.try_into().ok())
            .collect::<Option<_>>()
            .ok_or(wrong("a line is not a hash in base64"))?;
        if hashes.len() > LONGEST {
            return Err(wrong("it has more than 64 hashes"));
        }
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that `entry` is in the log that `log` signs.
    ///
    /// # Errors
    /// [`TlogProofError`] saying what does not hold.
    pub fn verify(&self, entry: &[u8], log: &Verifier) -> Result<Checkpoint, TlogProofError> {
        let note = Note::parse(&self.checkpoint).map_err(TlogProofError::Note)?;
        let checkpoint = log.open_note(&note).map_err(TlogProofError::Note)?;
        verify_inclusion(
            &leaf_hash(entry),
            self.index,
            checkpoint.size,
            &self.hashes,
            &checkpoint.root,
        )
        .map_err(TlogProofError::Proof)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests;
