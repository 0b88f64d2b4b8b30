//! By what detector is a case judged? Written down with the case, so that the
//! score can be made again with that one, whatever is calibrated later.

use std::path::Path;

use cases::Case;
use console::OfficeError;
use evidence::{Event, Kept, Record};
use store::SystemClock;

use super::super::people::refused;
use crate::keeper::{Keeper, KeeperError};
use crate::watch::model;

/// The record of what judged a case: the finding that it names with the detector that made it,
/// else the detector in force. None where the detector cannot be read: whoever must act is not
/// kept from it, and the bundle says that nothing names a detector.
pub(super) async fn rests_on(
    keeper: &Keeper,
    folder: &Path,
    case: &Case,
    finding: Option<&str>,
) -> Result<Vec<Record>, OfficeError> {
    let named = match finding {
        Some(id) => of_finding(keeper, case, id).await?,
        None => None,
    };
    let (detector, finding) = if let Some((detector, kept)) = named {
        (detector, Some(kept))
    } else {
        let loaded = model::load(folder).map_err(|e| e.message);
        match loaded.and_then(|detector| model::keep(folder, &detector)) {
            Ok(detector) => (detector, None),
            Err(why) => {
                tracing::error!("no record names what judged {}: {why}", case.id());
                return Ok(Vec::new());
            }
        }
    };
    Ok(vec![Record {
        at: SystemClock.now(),
        account: None,
        event: Event::Judged {
            detector,
            finding,
            case: Some(case.id().clone()),
        },
    }])
}

/// As the log names a finding of the accused; none of one that earlier versions made.
async fn of_finding(
    keeper: &Keeper,
    case: &Case,
    id: &str,
) -> Result<Option<([u8; 32], Kept)>, OfficeError> {
    for account in case.accounts() {
        let rows = keeper
            .database()
            .records_of_kind("judged", Some(account), i64::MAX.unsigned_abs())
            .await
            .map_err(|e| refused(KeeperError::Store(e)))?;
        let records = rows.iter().filter_map(|row| Record::parse(&row.leaf).ok());
        for (_, record) in records {
            if let Event::Judged {
                detector,
                finding: Some(kept),
                case: None,
            } = record.event
                && kept.id == id
            {
                return Ok(Some((detector, kept)));
            }
        }
    }
    Ok(None)
}
