//! Under which key is a body sealed? The keys of subjects that are in use, and
//! the way to those that are kept.
//!
//! A subject's key is made at its first request of a month and becomes durable
//! in the transaction of that request's intent, so that no body is kept without
//! its key. What is in memory is bounded, and let go of when a subject is erased.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evidence::seal::keys::month;
use evidence::seal::{Format, Kek, KekId, Owner, SubjectDigest, SubjectKey};
use facts::{AccountId, Timestamp};
use store::{Database, SubjectKeyRow};
use tokio::sync::RwLockWriteGuard;

use super::KeeperError;

/// Keys held at once, beyond those in use: 100,000 x about 300 bytes.
const HELD_MAX: usize = 100_000;

/// Subjects that are looked up at once.
const LANES: usize = 16;

/// Bodies that are taken into custody in one transaction.
const ADOPTED: u32 = 2_000;

/// The KEKs that a house is opened with.
#[derive(Debug, Clone)]
pub struct Keks {
    /// New keys are wrapped under it.
    pub current: Kek,
    /// Others that keys may still be wrapped under.
    pub others: Vec<Kek>,
    /// Of which bodies of version 1 were sealed.
    pub version_one: Kek,
}

impl Keks {
    /// One for everything.
    pub fn one(kek: Kek) -> Self {
        Self {
            version_one: kek.clone(),
            current: kek,
            others: Vec::new(),
        }
    }
}

/// A subject's key while requests are sealed under it.
pub(crate) struct InUse {
    row: Arc<SubjectKeyRow>,
    key: SubjectKey,
    kept: AtomicBool,
    recent: AtomicBool,
    gone: AtomicBool,
}

impl fmt::Debug for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InUse").field(&self.row.id).finish()
    }
}

impl InUse {
    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        self.row.id
    }

    /// The key.
    pub(crate) fn key(&self) -> &SubjectKey {
        &self.key
    }

    /// Its row, unless it is known to be durable.
    pub(crate) fn unkept(&self) -> Option<Arc<SubjectKeyRow>> {
        let kept = self.kept.load(Ordering::Acquire);
        (!kept).then(|| Arc::clone(&self.row))
    }

    /// Its row became durable.
    pub(crate) fn now_kept(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// Whether it was destroyed: nothing more is kept under it.
    pub(crate) fn gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Nobody seals under it, and no row of it waits to be written.
    fn idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && Arc::strong_count(&self.row) == 1
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Whose {
    account: AccountId,
    subject: SubjectDigest,
    month: String,
}

/// The keys of a house.
pub(crate) struct KeyRing {
    /// New keys are wrapped under the first.
    keks: Vec<(KekId, Kek)>,
    /// Of which digests of subjects are made.
    digests: SubjectKey,
    held: Mutex<HashMap<Whose, Arc<InUse>>>,
    most: usize,
    next: AtomicU64,
    lanes: [tokio::sync::Mutex<()>; LANES],
    erasing: tokio::sync::RwLock<()>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").finish_non_exhaustive()
    }
}

/// The owner of the house's own key: nobody.
const HOUSE: SubjectDigest = SubjectDigest([0; 32]);

impl KeyRing {
    /// Opens the house's own key, makes it if there is none, and takes into custody the keys of
    /// bodies that earlier versions sealed.
    pub(crate) async fn open(database: &Database, keks: Keks) -> Result<Self, KeeperError> {
        let all = std::iter::once(keks.current).chain(keks.others);
        let version_one = keks.version_one;
        let keks: Vec<(KekId, Kek)> = all.map(|kek| (kek.id(), kek)).collect();
        let kept = database
            .subject_key("", "", &HOUSE, Format::Subject)
            .await?;
        let mut ring = Self {
            keks,
            digests: SubjectKey::new([0; 32]),
            held: Mutex::default(),
            most: HELD_MAX,
            next: AtomicU64::new(database.next_key().await?),
            lanes: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            erasing: tokio::sync::RwLock::default(),
        };
        ring.digests = if let Some(row) = kept {
            ring.opened(&row)?
        } else {
            let (row, key) = ring.made("", "", &HOUSE)?;
            database.keep_keys(&[row], &[]).await?;
            key
        };
        ring.adopt(database, &version_one).await?;
        Ok(ring)
    }

    /// The digest that stands for a subject of an account; none: the account itself.
    pub(crate) fn digest(&self, account: &AccountId, subject: Option<&str>) -> SubjectDigest {
        self.digests.digest(account, subject.unwrap_or_default())
    }

    /// The key of a subject at a moment; made if there is none.
    pub(crate) async fn of(
        &self,
        database: &Database,
        account: &AccountId,
        subject: Option<&str>,
        at: Timestamp,
    ) -> Result<Arc<InUse>, KeeperError> {
        let whose = Whose {
            account: account.clone(),
            subject: self.digest(account, subject),
            month: month(at),
        };
        if let Some(held) = self.held_of(&whose) {
            return Ok(held);
        }
        // While something is erased nobody is looked up: a key that is about to be destroyed
        // would be taken for a live one.
        let _not_erasing = self.erasing.read().await;
        let lane = usize::from(whose.subject.0.first().copied().unwrap_or(0)) % LANES;
        let _one_at_a_time = match self.lanes.get(lane) {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        if let Some(held) = self.held_of(&whose) {
            return Ok(held);
        }
        let kept = database
            .subject_key(
                account.as_str(),
                &whose.month,
                &whose.subject,
                Format::Subject,
            )
            .await?;
        let (row, key, kept) = if let Some(row) = kept {
            let key = self.opened(&row)?;
            (row, key, true)
        } else {
            let (row, key) = self.made(account.as_str(), &whose.month, &whose.subject)?;
            (row, key, false)
        };
        let made = Arc::new(InUse {
            row: Arc::new(row),
            key,
            kept: AtomicBool::new(kept),
            recent: AtomicBool::new(true),
            gone: AtomicBool::new(false),
        });
        let mut held = self.held();
        if held.len() >= self.most {
            let_go(&mut held);
        }
        held.insert(whose, Arc::clone(&made));
        Ok(made)
    }

    /// Opens a kept key; none when no KEK of ours wraps it.
    pub(crate) fn open_key(&self, row: &SubjectKeyRow) -> Option<SubjectKey> {
        self.opened(row).ok()
    }

    /// The same key, wrapped under the current KEK; none when it is already.
    pub(crate) fn rewrapped(
        &self,
        row: &SubjectKeyRow,
    ) -> Result<Option<SubjectKeyRow>, KeeperError> {
        let (id, kek) = self.current()?;
        if row.kek == *id {
            return Ok(None);
        }
        let key = self.opened(row)?;
        Ok(Some(SubjectKeyRow {
            kek: *id,
            wrapped: wrap(kek, row, &key)?,
            ..row.clone()
        }))
    }

    /// The name of the current KEK.
    pub(crate) fn kek(&self) -> Result<KekId, KeeperError> {
        self.current().map(|(id, _)| *id)
    }

    /// Holds back everybody who looks for a key that is not in memory.
    pub(crate) async fn erasing(&self) -> RwLockWriteGuard<'_, ()> {
        self.erasing.write().await
    }

    /// Lets go of the keys of an account, or of one of its subjects; gives their numbers. Nothing
    /// more is sealed under them for keeping.
    pub(crate) fn forget(&self, account: &AccountId, subject: Option<&SubjectDigest>) -> Vec<u64> {
        let mut gone = Vec::new();
        self.held().retain(|whose, held| {
            let theirs = whose.account == *account
                && subject.is_none_or(|subject| whose.subject == *subject);
            if theirs {
                held.gone.store(true, Ordering::Release);
                gone.push(held.id());
            }
            !theirs
        });
        gone.sort_unstable();
        gone
    }

    /// Keys in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(&self) -> usize {
        self.held().len()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Whose, Arc<InUse>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_of(&self, whose: &Whose) -> Option<Arc<InUse>> {
        let held = self.held();
        let found = held.get(whose)?;
        found.recent.store(true, Ordering::Relaxed);
        Some(Arc::clone(found))
    }

    fn current(&self) -> Result<&(KekId, Kek), KeeperError> {
        let none = || KeeperError::Key("no KEK was given".to_owned());
        self.keks.first().ok_or_else(none)
    }

    fn opened(&self, row: &SubjectKeyRow) -> Result<SubjectKey, KeeperError> {
        let Some((_, kek)) = self.keks.iter().find(|(id, _)| *id == row.kek) else {
            let have: Vec<String> = self.keks.iter().map(|(id, _)| id.to_string()).collect();
            return Err(KeeperError::Key(format!(
                "the store's keys are wrapped under the KEK {}, and the one given is {}; give that one, or both while a rotation is finished",
                row.kek,
                have.join(", ")
            )));
        };
        kek.unwrap(&owner(row), row.format, &row.wrapped)
            .map_err(|_| {
                KeeperError::Key(format!(
                    "key {} does not open under its KEK {}: its row was altered",
                    row.id, row.kek
                ))
            })
    }

    fn made(
        &self,
        account: &str,
        month: &str,
        subject: &SubjectDigest,
    ) -> Result<(SubjectKeyRow, SubjectKey), KeeperError> {
        let key = SubjectKey::new(random()?);
        Ok((self.row(account, month, subject, &key)?, key))
    }

    /// A new row for a key.
    fn row(
        &self,
        account: &str,
        month: &str,
        subject: &SubjectDigest,
        key: &SubjectKey,
    ) -> Result<SubjectKeyRow, KeeperError> {
        let (id, kek) = self.current()?;
        let mut row = SubjectKeyRow {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            account: account.to_owned(),
            month: month.to_owned(),
            format: key.format(),
            subject: *subject,
            kek: *id,
            wrapped: Vec::new(),
        };
        row.wrapped = wrap(kek, &row, key)?;
        Ok(row)
    }

    /// Bodies of version 1 get the account-month key that they were sealed under, as a kept key:
    /// from then on it can be rewrapped and destroyed like any other.
    async fn adopt(&self, database: &Database, first: &Kek) -> Result<(), KeeperError> {
        loop {
            let page = database.unkeyed_bodies(ADOPTED).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut ids: HashMap<(AccountId, String), u64> = HashMap::new();
            let (mut rows, mut bodies) = (Vec::new(), Vec::with_capacity(page.len()));
            for body in page {
                let whose = (body.account, month(body.at));
                let id = if let Some(id) = ids.get(&whose) {
                    *id
                } else {
                    let row = self.adopted(database, first, (&whose.0, &whose.1)).await?;
                    let id = row.id;
                    rows.push(row);
                    ids.insert(whose, id);
                    id
                };
                bodies.push((body.seq, id));
            }
            database.keep_keys(&rows, &bodies).await?;
        }
    }

    async fn adopted(
        &self,
        database: &Database,
        first: &Kek,
        (account, month): (&AccountId, &str),
    ) -> Result<SubjectKeyRow, KeeperError> {
        let subject = self.digest(account, None);
        let format = Format::AccountMonth;
        let kept = database
            .subject_key(account.as_str(), month, &subject, format)
            .await?;
        if let Some(row) = kept {
            return Ok(row);
        }
        let key = first.version_one(account, month);
        self.row(account.as_str(), month, &subject, &key)
    }
}

fn owner(row: &SubjectKeyRow) -> Owner<'_> {
    Owner {
        account: &row.account,
        month: &row.month,
        subject: &row.subject,
    }
}

fn wrap(kek: &Kek, row: &SubjectKeyRow, key: &SubjectKey) -> Result<Vec<u8>, KeeperError> {
    let wrapped = kek.wrap(&owner(row), key, &random()?);
    wrapped.map_err(|e| KeeperError::Key(e.to_string()))
}

fn random<const N: usize>() -> Result<[u8; N], KeeperError> {
    store::random().map_err(|e| KeeperError::Key(format!("no random bytes: {e}")))
}

/// Those that were not asked for since the last time, and then, if that is none, all that are idle.
fn let_go(held: &mut HashMap<Whose, Arc<InUse>>) {
    let before = held.len();
    held.retain(|_, key| key.recent.swap(false, Ordering::Relaxed) || !key.idle());
    if held.len() == before {
        held.retain(|_, key| !key.idle());
    }
}

#[cfg(test)]
mod tests;
