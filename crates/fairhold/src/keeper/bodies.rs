//! What becomes of bodies: sealed, opened, read by people, erased, held, let go.

use std::collections::BTreeSet;

use evidence::seal::{Body, Label, SubjectDigest, seal};
use evidence::{Commitment, Event, Record};
use facts::{AccountId, ExchangeId, Span, Timestamp};
use sha2::{Digest as _, Sha256};
use store::{Change, Entry, Forget, HoldChange, HoldRow, Scrubbed, SealedBody};

use super::keys::InUse;
use super::{Keeper, KeeperError};

/// Bodies let go in one transaction: about half a second of the journal's time at most.
const LET_GO: u32 = 5_000;

/// Whose bodies, why, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The account.
    pub account: AccountId,
    /// The subject as requests name it; none: the whole account.
    pub subject: Option<String>,
    /// Who orders it.
    pub by: String,
    /// Why. Its digest is recorded, not its text.
    pub reason: String,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The place of its record; none when nothing was kept.
    pub seq: Option<u64>,
    /// The digest that stands for the subject in the record.
    pub subject: Option<SubjectDigest>,
    /// The months whose keys were destroyed.
    pub months: Vec<String>,
    /// Keys destroyed.
    pub keys: u64,
    /// Sealed bodies deleted.
    pub bodies: u64,
    /// Imported exchanges deleted.
    pub imported: u64,
    /// Bodies of the account that name no subject because an earlier version sealed them, and
    /// imported exchanges, which name none either: they stay when one subject is erased.
    pub unattributed: u64,
    /// What was done about the files.
    pub scrubbed: Scrubbed,
}

/// What was let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LetGo {
    /// Keys destroyed.
    pub keys: u64,
    /// Sealed bodies deleted.
    pub bodies: u64,
    /// Bodies whose time is over and that are kept for a hold or a case.
    pub kept: u64,
}

/// A body that a person reads: with what a stranger needs to check its commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBody {
    /// `request` or `answer`.
    pub what: String,
    /// Its exact bytes.
    pub plaintext: Vec<u8>,
    /// The salt of its commitment.
    pub salt: [u8; 32],
    /// The commitment in the log.
    pub commitment: Commitment,
}

/// A point at which an erasure can be cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EraseStep {
    /// Keys in memory were let go of.
    Forgotten,
    /// The record and what it says are durable.
    Recorded,
    /// The files were scrubbed.
    Scrubbed,
}

/// What may cut work short, in tests.
pub(crate) type Cut<'a, S> = &'a (dyn Fn(S) -> Result<(), KeeperError> + Sync);

impl Keeper {
    /// Seals one body of an exchange; says what goes into its record, and what is kept: nothing,
    /// when its subject was erased meanwhile.
    pub(super) fn sealed(
        key: &InUse,
        label: &Label<'_>,
        bytes: &[u8],
    ) -> Option<(Option<SealedBody>, Commitment)> {
        let fresh = store::random().ok()?;
        let sealed = seal(key.key(), label, &fresh, bytes).ok()?;
        let kept = (!key.gone()).then(|| SealedBody {
            what: label.body.word().to_owned(),
            bytes: sealed.bytes,
            key: key.id(),
        });
        Some((kept, sealed.commitment))
    }

    /// Destroys the keys of a subject, or of a whole account, in all months, and deletes what was
    /// sealed under them, in the transaction that records it; then takes the bytes out of the
    /// files.
    ///
    /// # Errors
    /// [`KeeperError::Held`] when a legal hold stands in the way; nothing was changed.
    /// [`StoreError::Remains`](store::StoreError::Remains) when the keys are destroyed and the
    /// files could not be scrubbed: ask again.
    pub async fn erase(&self, order: &Order) -> Result<Erased, KeeperError> {
        self.erase_until(order, &|_| Ok(())).await
    }

    pub(crate) async fn erase_until(
        &self,
        order: &Order,
        reached: Cut<'_, EraseStep>,
    ) -> Result<Erased, KeeperError> {
        let _one_at_a_time = self.commands.lock().await;
        let now = self.clock.now();
        let account = &order.account;
        let named = order.subject.as_deref();
        let subject = named.map(|name| self.keys.digest(account, Some(name)));
        self.not_held(account, subject.as_ref(), now).await?;
        let nobody_looks = self.keys.erasing().await;
        let rows = self
            .database
            .keys_of(account.as_str(), subject.as_ref())
            .await?;
        let in_use = self.keys.forget(account, subject.as_ref());
        reached(EraseStep::Forgotten)?;
        let months: BTreeSet<String> = rows.iter().map(|row| row.month.clone()).collect();
        let mut erased = Erased {
            seq: None,
            subject,
            months: months.into_iter().collect(),
            keys: 0,
            bodies: 0,
            imported: 0,
            unattributed: 0,
            scrubbed: Scrubbed::default(),
        };
        let imported = self.database.imported_of(account).await?;
        let due = self.database.scrub_due().await?.is_some();
        let let_go = self.database.answers_let_go(account, subject.as_ref());
        let something = !rows.is_empty() || !in_use.is_empty() || let_go.await? > 0;
        if something || named.is_none() && imported > 0 {
            let entry = erasure(order, subject, in_use, now);
            let seq = self.journal.append(entry).await?;
            self.counted(seq, &mut erased).await?;
        } else if named.is_none() {
            // Fingerprints may be all that is left of it.
            self.database.forget_outputs_of(account, now).await?;
        }
        drop(nobody_looks);
        reached(EraseStep::Recorded)?;
        if erased.seq.is_some() || due {
            let needles = rows.into_iter().map(|row| row.wrapped).collect();
            // Texts of imports are not sealed: where pages were moved, copies may lie.
            let rewrite = erased.imported > 0 || erased.seq.is_none();
            erased.scrubbed = self.database.scrub(needles, rewrite).await?;
        }
        reached(EraseStep::Scrubbed)?;
        if named.is_some() {
            erased.unattributed = self.unattributed(account).await? + imported;
        }
        Ok(erased)
    }

    /// Bodies of an account that an earlier version sealed for no subject.
    async fn unattributed(&self, account: &AccountId) -> Result<u64, KeeperError> {
        let rows = self.database.keys_of(account.as_str(), None).await?;
        let old = rows
            .iter()
            .filter(|row| row.format == evidence::seal::Format::AccountMonth);
        let old: Vec<u64> = old.map(|row| row.id).collect();
        Ok(self.database.bodies_under(&old).await?)
    }

    /// What the record at a place says was erased.
    async fn counted(&self, seq: u64, erased: &mut Erased) -> Result<(), KeeperError> {
        let said = self.database.records(seq..seq + 1).await?;
        let record = said.first().and_then(|row| Record::parse(&row.leaf).ok());
        if let Some((_, record)) = record
            && let Event::Erased {
                keys,
                bodies,
                imported,
                ..
            } = record.event
        {
            (erased.keys, erased.bodies, erased.imported) = (keys, bodies, imported);
        }
        erased.seq = Some(seq);
        Ok(())
    }

    async fn not_held(
        &self,
        account: &AccountId,
        subject: Option<&SubjectDigest>,
        now: Timestamp,
    ) -> Result<(), KeeperError> {
        let holds = self.database.holds().await?;
        let binding = holds
            .into_iter()
            .find(|hold| hold.binds(now) && hold.concerns(account, subject));
        binding.map_or(Ok(()), |hold| Err(KeeperError::Held(Box::new(hold))))
    }

    /// Places a legal hold.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing was changed.
    pub async fn hold(
        &self,
        order: &Order,
        until: Option<Timestamp>,
    ) -> Result<HoldRow, KeeperError> {
        let _one_at_a_time = self.commands.lock().await;
        let random: [u8; 6] =
            store::random().map_err(|e| KeeperError::Key(format!("no random bytes: {e}")))?;
        let named = order.subject.as_deref();
        let row = HoldRow {
            id: format!("hold-{}", hex::encode(random)),
            account: order.account.clone(),
            subject: named.map(|name| self.keys.digest(&order.account, Some(name))),
            placed_at: self.clock.now(),
            placed_by: order.by.clone(),
            reason: order.reason.clone(),
            until,
            released: None,
        };
        let change = HoldChange::Placed(row.clone());
        self.change_hold("hold_placed", &row, change).await?;
        Ok(row)
    }

    /// Ends a legal hold.
    ///
    /// # Errors
    /// [`KeeperError`]; nothing was changed.
    pub async fn release(&self, id: &str, by: &str) -> Result<HoldRow, KeeperError> {
        let _one_at_a_time = self.commands.lock().await;
        let at = self.clock.now();
        let mut holds = self.database.holds().await?.into_iter();
        let unknown = || KeeperError::Unknown(format!("there is no hold `{id}`"));
        let mut row = holds.find(|hold| hold.id == id).ok_or_else(unknown)?;
        let change = HoldChange::Released {
            id: id.to_owned(),
            at,
            by: by.to_owned(),
        };
        row.released = Some((at, by.to_owned()));
        self.change_hold("hold_released", &row, change).await?;
        Ok(row)
    }

    async fn change_hold(
        &self,
        word: &str,
        row: &HoldRow,
        change: HoldChange,
    ) -> Result<(), KeeperError> {
        let mut entry = Entry::of(Record {
            at: self.clock.now(),
            account: Some(row.account.clone()),
            event: Event::Directory {
                change: word.to_owned(),
                subject: format!("hold:{}", row.id),
            },
        });
        entry.change = Some(Change::Hold(change));
        self.journal.append(entry).await?;
        Ok(())
    }

    /// Lets go of bodies that are older than `days` whole days, and of keys of past months that
    /// open nothing any more; not of what a legal hold binds or `accounts` need. `progress` is
    /// told the share done, in thousandths.
    ///
    /// # Errors
    /// [`KeeperError`]; what was let go before it is recorded.
    pub async fn retain(
        &self,
        days: u32,
        accounts: &BTreeSet<AccountId>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<LetGo, KeeperError> {
        let now = self.clock.now();
        let days = i64::from(days.max(1)) * Span::days(1).0;
        let midnight = now.0 - now.0.rem_euclid(Span::days(1).0);
        let before = Timestamp(midnight.saturating_sub(days));
        let end = self.database.place_at(before).await?;
        let (mut done, mut from) = (LetGo::default(), 0);
        let mut needles = Vec::new();
        loop {
            // Between two pages others get their turn, and may place a hold.
            let _one_at_a_time = self.commands.lock().await;
            let held = self.held_keys(now).await?;
            let page = self.database.old_bodies(from..end, LET_GO).await?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            let (kept, go): (Vec<_>, Vec<_>) = page.into_iter().partition(|body| {
                body.key.is_some_and(|key| held.contains(&key))
                    || body.account.as_ref().is_some_and(|a| accounts.contains(a))
            });
            done.kept += kept.len() as u64;
            let bodies: Vec<u64> = go.iter().map(|body| body.seq).collect();
            self.expire(before, bodies, Vec::new(), &mut done).await?;
            progress(from * 1_000 / end.max(1));
        }
        let month = evidence::seal::keys::month(before);
        let mut after = 0;
        loop {
            let _one_at_a_time = self.commands.lock().await;
            let held = self.held_keys(now).await?;
            let idle = self.database.idle_keys(&month, after, LET_GO).await?;
            let Some(last) = idle.last() else { break };
            after = last.id;
            let go: Vec<_> = idle.into_iter().filter(|k| !held.contains(&k.id)).collect();
            let keys = go.iter().map(|key| key.id).collect();
            needles.extend(go.into_iter().map(|key| key.wrapped));
            self.expire(before, Vec::new(), keys, &mut done).await?;
        }
        if done.bodies + done.keys > 0 || self.database.scrub_due().await?.is_some() {
            self.database.scrub(needles, false).await?;
        }
        Ok(done)
    }

    /// The keys that a legal hold binds.
    async fn held_keys(&self, now: Timestamp) -> Result<BTreeSet<u64>, KeeperError> {
        let mut held = BTreeSet::new();
        for hold in self.database.holds().await? {
            if hold.binds(now) {
                let keys = self
                    .database
                    .keys_of(hold.account.as_str(), hold.subject.as_ref());
                held.extend(keys.await?.into_iter().map(|key| key.id));
            }
        }
        Ok(held)
    }

    async fn expire(
        &self,
        before: Timestamp,
        bodies: Vec<u64>,
        keys: Vec<u64>,
        done: &mut LetGo,
    ) -> Result<(), KeeperError> {
        if bodies.is_empty() && keys.is_empty() {
            return Ok(());
        }
        let mut entry = Entry::of(Record {
            at: self.clock.now(),
            account: None,
            event: Event::Expired {
                before,
                keys: 0,
                bodies: 0,
            },
        });
        entry.change = Some(Change::Forget(Forget::Expired { bodies, keys }));
        let seq = self.journal.append(entry).await?;
        let said = self.database.records(seq..seq + 1).await?;
        let record = said.first().and_then(|row| Record::parse(&row.leaf).ok());
        if let Some((_, record)) = record
            && let Event::Expired { keys, bodies, .. } = record.event
        {
            done.keys += keys;
            done.bodies += bodies;
        }
        Ok(())
    }

    /// Opens the bodies of an exchange for a person, once it is recorded that they are read.
    ///
    /// # Errors
    /// [`KeeperError::Unknown`] when there is nothing to read.
    pub async fn read_bodies(
        &self,
        exchange: &ExchangeId,
        by: &str,
        reason: &str,
    ) -> Result<Vec<ReadBody>, KeeperError> {
        let bodies = self.opened_bodies(exchange).await?;
        let Some((account, _)) = bodies.first() else {
            return Err(KeeperError::Unknown(format!(
                "there is no body of exchange `{exchange}`: it was erased, its time was over, or there never was one"
            )));
        };
        let entry = Entry::of(Record {
            at: self.clock.now(),
            account: Some(account.clone()),
            event: Event::BodyRead {
                exchange: exchange.clone(),
                by: by.to_owned(),
                reason: Sha256::digest(reason).into(),
            },
        });
        self.journal.append(entry).await?;
        Ok(bodies.into_iter().map(|(_, body)| body).collect())
    }

    /// The bodies of an exchange, opened.
    async fn opened_bodies(
        &self,
        exchange: &ExchangeId,
    ) -> Result<Vec<(AccountId, ReadBody)>, KeeperError> {
        let records = self.database.records_of_exchange(exchange).await?;
        let mut all = Vec::new();
        for kept in self.database.bodies_of_exchange(exchange).await? {
            let body = match kept.what.as_str() {
                "request" => Body::Request,
                _ => Body::Answer,
            };
            for row in &records {
                let Ok((_, record)) = Record::parse(&row.leaf) else {
                    continue;
                };
                let (Some(account), Some(commitment)) =
                    (record.account, committed(&record.event, body))
                else {
                    continue;
                };
                let label = Label {
                    account: &account,
                    exchange,
                    body,
                };
                let Some(key) = self.keys.open_key(&kept.key) else {
                    continue;
                };
                if let Ok(opened) = evidence::seal::open(&key, &label, &kept.bytes, &commitment) {
                    let body = ReadBody {
                        what: kept.what.clone(),
                        plaintext: opened.plaintext,
                        salt: opened.salt,
                        commitment,
                    };
                    all.push((account, body));
                }
            }
        }
        Ok(all)
    }
}

/// The commitment of a record to a body.
fn committed(event: &Event, body: Body) -> Option<Commitment> {
    match (event, body) {
        (Event::Intent { request, .. }, Body::Request) => Some(*request),
        (Event::Completion { answer, .. }, Body::Answer) => *answer,
        _ => None,
    }
}

fn erasure(
    order: &Order,
    subject: Option<SubjectDigest>,
    in_use: Vec<u64>,
    now: Timestamp,
) -> Entry {
    let mut entry = Entry::of(Record {
        at: now,
        account: Some(order.account.clone()),
        event: Event::Erased {
            subject: subject.map(|s| s.0),
            keys: 0,
            bodies: 0,
            imported: 0,
            by: order.by.clone(),
            reason: Sha256::digest(&order.reason).into(),
        },
    });
    entry.change = Some(Change::Forget(Forget::Subject {
        account: order.account.clone(),
        subject,
        in_use,
    }));
    entry
}

#[cfg(test)]
mod tests;
