//! Files with answers: read at the door, sealed with the step.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cases::{ATTACHMENTS_MAX, Attachment};
use console::{AttachmentFile, NewAttachment, OfficeError};
use facts::{AccountId, CaseId};
use sha2::{Digest as _, Sha256};
use store::FileRow;

use super::view::file;
use super::{one, refused};
use crate::keeper::{InUse, Keeper};

/// A file that was sent.
pub(super) struct Sent {
    /// What the step says of it.
    pub(super) named: Attachment,
    bytes: Vec<u8>,
}

/// What each kind of file begins with, where it has such a sign. A file that is not what it says
/// is not taken; the case itself says which kinds there are.
fn as_it_says(kind: &str, bytes: &[u8]) -> bool {
    match kind {
        "application/pdf" => bytes.starts_with(b"%PDF-"),
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        "application/json" => serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(),
        "text/plain" | "text/csv" => {
            std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
        }
        _ => true,
    }
}

/// Reads what was sent.
pub(super) fn read(sent: Vec<NewAttachment>) -> Result<Vec<Sent>, OfficeError> {
    if sent.len() > ATTACHMENTS_MAX {
        return Err(OfficeError::Invalid(format!(
            "send at most {ATTACHMENTS_MAX} files"
        )));
    }
    let one = |new: NewAttachment| {
        let wrong = |why: &str| OfficeError::Invalid(format!("the file `{}` {why}", new.name));
        let bytes = STANDARD.decode(&new.data);
        let bytes = bytes.map_err(|_| wrong("is not base64"))?;
        // Browsers say more than the kind, for example a character set.
        let kind = new.kind.split(';').next().unwrap_or_default().trim();
        if !as_it_says(kind, &bytes) {
            return Err(wrong(&format!("is not `{kind}` as it says")));
        }
        Ok(Sent {
            named: Attachment {
                kind: kind.to_owned(),
                size: bytes.len() as u64,
                digest: Sha256::digest(&bytes).into(),
                name: new.name,
            },
            bytes,
        })
    };
    sent.into_iter().map(one).collect()
}

/// Seals them under a key of whoever sent them.
pub(super) fn seal(
    key: &InUse,
    case: &CaseId,
    account: &AccountId,
    files: &[Sent],
) -> Result<Vec<FileRow>, OfficeError> {
    let each = files.iter().map(|file| {
        let named = (hex::encode(file.named.digest), file.bytes.as_slice());
        Keeper::seal_file(key, case, account, named).map_err(refused)
    });
    each.collect()
}

/// Opens one that the case names.
pub(crate) async fn open(
    keeper: &Keeper,
    case: &str,
    sha256: &str,
) -> Result<AttachmentFile, OfficeError> {
    let case = one(keeper, case).await?;
    let files = case.steps().iter().flat_map(|step| &step.attachments);
    let named = files.map(file).find(|view| view.sha256 == sha256);
    let view = named.ok_or_else(|| {
        OfficeError::NotFound(format!(
            "there is no file `{sha256}` in case `{}`",
            case.id()
        ))
    })?;
    let bytes = keeper.open_file(case.id(), sha256).await.map_err(refused)?;
    Ok(AttachmentFile { view, bytes })
}
