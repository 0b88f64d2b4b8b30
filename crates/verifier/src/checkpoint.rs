//! Checkpoints (C2SP tlog-checkpoint) and the cosignatures of witnesses below
//! them (C2SP tlog-cosignature, Ed25519).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::merkle::Hash;
use crate::note::KeyKind;
pub use crate::note::{Note, NoteError, NoteSignature, Verifier};

/// The state of a log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The note's text: origin, size and root, one line each.
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// Reads a note's text. Lines below the third are the log's own extensions
    /// and not read.
    ///
    /// # Errors
    /// [`NoteError`] when it is no checkpoint.
    pub fn parse(body: &str) -> Result<Self, NoteError> {
        const SHAPE: NoteError = NoteError("the signed text is not a checkpoint");
        let mut lines = body.strip_suffix('\n').ok_or(SHAPE)?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(SHAPE);
        };
        let number: u64 = size.parse().map_err(|_| SHAPE)?;
        if number.to_string() != size || origin.is_empty() || lines.any(str::is_empty) {
            return Err(SHAPE);
        }
        let root = STANDARD.decode(root).ok().and_then(|b| b.try_into().ok());
        Ok(Self {
            origin: origin.to_owned(),
            size: number,
            root: root.ok_or(SHAPE)?,
        })
    }
}

/// What a witness signs: the time it saw the checkpoint and the checkpoint's
/// text.
pub fn cosigned_message(time: u64, body: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{body}").into_bytes()
}

/// A cosignature as it stands on its line: time and signature.
fn cosignature(line: &NoteSignature) -> Option<(u64, [u8; 64])> {
    let (time, signature) = line.signature.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    let signature = signature.try_into().ok()?;
    i64::try_from(time).is_ok().then_some((time, signature))
}

impl Verifier {
    /// The checkpoint in a note, once this key's signature holds; of a log's
    /// key under its own name.
    ///
    /// # Errors
    /// [`NoteError`] saying what is wrong.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        self.open_note(&Note::parse(note)?)
    }

    /// [`Verifier::open`] of a note read before.
    ///
    /// # Errors
    /// [`NoteError`] saying what is wrong.
    pub fn open_note(&self, note: &Note) -> Result<Checkpoint, NoteError> {
        if self.kind() != KeyKind::Ed25519 {
            return Err(NoteError("this is a witness's key, not a log's"));
        }
        let line = self.line(note)?.ok_or(NoteError(
            "no signature of the checkpoint is of the expected key",
        ))?;
        let holds = <[u8; 64]>::try_from(line.signature.as_slice())
            .is_ok_and(|signature| self.holds(note.text.as_bytes(), &signature));
        if !holds {
            return Err(NoteError("the checkpoint's signature does not hold"));
        }
        let checkpoint = Checkpoint::parse(&note.text)?;
        if checkpoint.origin == self.name() {
            Ok(checkpoint)
        } else {
            Err(NoteError("the checkpoint is of another log than its key"))
        }
    }

    /// When this witness saw the checkpoint of a note, in seconds since 1970;
    /// none when it did not sign.
    ///
    /// # Errors
    /// [`NoteError`] when its signature does not hold.
    pub fn cosigned(&self, note: &Note) -> Result<Option<u64>, NoteError> {
        if self.kind() != KeyKind::Cosignature {
            return Err(NoteError("this is a log's key, not a witness's"));
        }
        let Some(line) = self.line(note)? else {
            return Ok(None);
        };
        let (time, signature) = cosignature(line).ok_or(NoteError(
            "a witness's line is not a time and an Ed25519 signature",
        ))?;
        if self.holds(&cosigned_message(time, &note.text), &signature) {
            Ok(Some(time))
        } else {
            Err(NoteError("a witness's cosignature does not hold"))
        }
    }
}

#[cfg(test)]
mod tests;
