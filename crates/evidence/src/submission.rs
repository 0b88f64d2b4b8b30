//! What does a log say to a witness (C2SP tlog-witness, `add-checkpoint`)? The
//! size that the witness is believed to have seen, the proof from there, and
//! the signed checkpoint.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::Note;
use crate::merkle::Hash;

#[cfg(test)]
mod tests;

/// Lines of the longest proof.
const PROOF_LINES_MAX: usize = 63;

/// A request to cosign a checkpoint; its text is what is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The size that the witness cosigned last.
    pub old: u64,
    /// That the checkpoint's tree continues the one of that size.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
}

impl Submission {
    /// Reads what was posted.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(body).map_err(|_| "the request is not text")?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or("there is no empty line before the checkpoint")?;
        let mut lines = head.split('\n');
        let digits = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .ok_or("the first line is not `old <size>`")?;
        let old: u64 = digits.parse().map_err(|_| "the old size is no number")?;
        if old.to_string() != digits {
            return Err("the old size is not spelled as a number is");
        }
        let proof: Vec<Hash> = lines
            .take(PROOF_LINES_MAX + 1)
            .map(|line| STANDARD.decode(line).ok()?.try_into().ok())
            .collect::<Option<_>>()
            .ok_or("a line of the proof is not a hash in base64")?;
        if proof.len() > PROOF_LINES_MAX {
            return Err("the proof has more than 63 lines");
        }
        let note = Note::parse(note).map_err(|_| "the checkpoint is no signed note")?;
        Ok(Self { old, proof, note })
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.note)
    }
}
