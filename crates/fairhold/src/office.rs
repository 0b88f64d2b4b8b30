//! The office of the house that this process holds open.

mod people;

use std::sync::Arc;

use console::{
    AccountView, CaseView, CheckpointView, DetectionView, KeyView, NewAccount, NewCase, NewKey,
    Office, OfficeError, Step,
};
use gateway::Desk as _;

use crate::house::House;
use crate::keeper::Keeper;

/// What people ask, carried out by the keeper.
#[derive(Debug)]
pub(crate) struct LocalOffice {
    keeper: Arc<Keeper>,
}

impl LocalOffice {
    /// The office of an open house.
    pub(crate) fn of(house: &House) -> Self {
        Self {
            keeper: Arc::clone(&house.keeper),
        }
    }
}

/// Cases are decided by the room `cases`, which this build does not hold yet.
fn no_cases() -> OfficeError {
    OfficeError::Unavailable("this build keeps no cases yet".to_owned())
}

impl Office for LocalOffice {
    async fn open_account(&self, new: NewAccount) -> Result<AccountView, OfficeError> {
        people::open(&self.keeper, new).await
    }

    async fn accounts(&self) -> Result<Vec<AccountView>, OfficeError> {
        Ok(people::accounts(&self.keeper))
    }

    async fn create_key(&self, account: &str) -> Result<NewKey, OfficeError> {
        people::create_key(&self.keeper, account).await
    }

    async fn revoke_key(&self, id: &str) -> Result<KeyView, OfficeError> {
        people::revoke_key(&self.keeper, id).await
    }

    async fn keys(&self) -> Result<Vec<KeyView>, OfficeError> {
        Ok(people::keys(&self.keeper))
    }

    async fn propose(&self, _: NewCase) -> Result<CaseView, OfficeError> {
        Err(no_cases())
    }

    async fn step(&self, _: &str, _: Step) -> Result<CaseView, OfficeError> {
        Err(no_cases())
    }

    async fn cases(&self) -> Result<Vec<CaseView>, OfficeError> {
        Err(no_cases())
    }

    async fn case(&self, _: &str) -> Result<CaseView, OfficeError> {
        Err(no_cases())
    }

    async fn export(&self, _: &str) -> Result<Vec<u8>, OfficeError> {
        Err(no_cases())
    }

    async fn detect(&self) -> Result<DetectionView, OfficeError> {
        Err(OfficeError::Unavailable(
            "this build holds no detector yet".to_owned(),
        ))
    }

    async fn checkpoint(&self) -> Result<CheckpointView, OfficeError> {
        Err(OfficeError::Unavailable(
            "this build signs no checkpoints yet".to_owned(),
        ))
    }

    fn whose(&self, secret: &str) -> Option<String> {
        let account = self.keeper.identify(secret).ok()?;
        Some(account.to_string())
    }
}
