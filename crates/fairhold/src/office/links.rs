//! What links accounts besides what they ask: tokens are hashed at this door,
//! and detection reads hashes.
//!
//! Known here: tokens that people recorded, when accounts were active (served
//! and imported), and when a case suspended them. Not known: whether a
//! suspension was carried out (in shadow mode it is not), and blocks outside
//! this house. A token counts for accounts alike only if it was recorded for
//! accounts alike: record it at sign-up, not for suspects.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cases::{Case, Measure};
use console::{LinksView, NewLinks, OfficeError};
use detection::{Activity, Traits};
use evidence::{Event, Record};
use facts::{AccountId, Span, Timestamp};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use store::{Change, Entry, LinkKind, LinkRow};

use super::people::{malformed, refused};
use crate::keeper::Keeper;

/// Accounts per reading page.
const PAGE: u32 = 2_000;

/// The key under which tokens are hashed in this house, so that nobody outside can try cards,
/// names or addresses on a copy of the database. Its value is never printed.
#[derive(Clone, Copy)]
pub(crate) struct LinkKey(pub(crate) [u8; 32]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

impl LinkKey {
    /// The hash of a value: 64 bits of HMAC-SHA256, enough to tell a million tokens apart (chance
    /// of any collision 3e-8).
    fn token(&self, kind: LinkKind, value: &str) -> u64 {
        let Ok(mac) = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&self.0) else {
            return 0; // a key of any length is accepted
        };
        let tag = mac
            .chain_update(kind.word())
            .chain_update(b"\0")
            .chain_update(value)
            .finalize()
            .into_bytes();
        let first = tag.first_chunk::<8>().copied().unwrap_or_default();
        u64::from_be_bytes(first)
    }
}

/// The block that links: /24 of IPv4, /48 of IPv6.
fn block(text: &str) -> Result<String, OfficeError> {
    let wrong = |why: &str| OfficeError::Invalid(format!("`{text}` is no network: {why}"));
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => {
            let length = length.parse::<u8>();
            let length = length.map_err(|_| wrong("write its length as in `203.0.113.0/24`"))?;
            (address, Some(length))
        }
        None => (text, None),
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| wrong("give an IP address, or a block as in `203.0.113.0/24`"))?;
    let (address, length) = match (address, address.to_canonical()) {
        // A block of mapped addresses counts its length from the 96 bits before them.
        (IpAddr::V6(_), IpAddr::V4(mapped)) => (
            IpAddr::V4(mapped),
            length.map(|length| length.saturating_sub(96)),
        ),
        (given, _) => (given, length),
    };
    if private(address) {
        return Err(wrong(
            "a private or local address is the same everywhere and links nobody; give the public one",
        ));
    }
    let (least, most) = match address {
        IpAddr::V4(_) => (24, 32),
        IpAddr::V6(_) => (48, 128),
    };
    match length {
        Some(length) if length < least => Err(wrong(&format!(
            "blocks wider than /{least} hold strangers; give a narrower one"
        ))),
        Some(length) if length > most => Err(wrong(&format!("its length is at most {most}"))),
        _ => Ok(cut(address)),
    }
}

fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            // 100.64.0.0/10 is shared by a carrier's customers (RFC 6598).
            let shared = first == 100 && (64..128).contains(&second);
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || shared
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

fn cut(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// Hashes what is given for an account.
fn hashed(key: &LinkKey, account: &AccountId, new: &NewLinks) -> Result<Vec<LinkRow>, OfficeError> {
    let mut rows = Vec::new();
    for (kind, values) in [
        (LinkKind::Payment, &new.payment),
        (LinkKind::Identity, &new.identity),
        (LinkKind::Network, &new.network),
    ] {
        for value in values {
            let value = value.trim();
            if value.is_empty() {
                return Err(OfficeError::Invalid(format!(
                    "an empty {} links everybody; give its token",
                    kind.word()
                )));
            }
            let value = match kind {
                LinkKind::Network => block(value)?,
                LinkKind::Payment | LinkKind::Identity => value.to_owned(),
            };
            rows.push(LinkRow {
                account: account.clone(),
                kind,
                token: key.token(kind, &value),
            });
        }
    }
    Ok(rows)
}

/// Records tokens of an account, served or imported; says how many are known of it.
pub(super) async fn link(
    keeper: &Keeper,
    key: &LinkKey,
    account: &str,
    new: &NewLinks,
) -> Result<LinksView, OfficeError> {
    let account = AccountId::parse(account).map_err(|e| malformed(&e))?;
    let database = keeper.database();
    let failed = |e: store::StoreError| refused(e.into());
    let open = keeper.ask(|engine| engine.directory().account(&account).is_some());
    let imported = database.imported(Some(&account), None, 1).await;
    if !open && imported.map_err(failed)?.is_empty() {
        return Err(OfficeError::NotFound(format!(
            "there is no account `{account}`, neither open nor imported; `fairhold account list` shows the open ones"
        )));
    }
    let rows = hashed(key, &account, new)?;
    keeper.link(rows).await.map_err(refused)?;
    let known = database.links_of(&account).await.map_err(failed)?;
    let of = |kind: LinkKind| known.iter().filter(|row| row.kind == kind).count();
    Ok(LinksView {
        account: account.to_string(),
        payment: of(LinkKind::Payment),
        identity: of(LinkKind::Identity),
        network: of(LinkKind::Network),
    })
}

/// The journal's entries for new tokens; the log says that a token became known, never which.
pub(crate) fn entries(rows: Vec<LinkRow>, at: Timestamp) -> Vec<Entry> {
    let entry = |row: LinkRow| {
        let record = Record {
            at,
            account: Some(row.account.clone()),
            event: Event::Directory {
                change: format!("{}_linked", row.kind.word()),
                subject: format!("account:{}", row.account),
            },
        };
        Entry {
            change: Some(Change::Link { row, at }),
            ..Entry::of(record)
        }
    };
    rows.into_iter().map(entry).collect()
}

/// What is known of every account that was active or has a token.
///
/// # Errors
/// [`OfficeError`] when the store cannot be read.
pub(crate) async fn traits(keeper: &Keeper) -> Result<BTreeMap<AccountId, Traits>, OfficeError> {
    let failed = |e: store::StoreError| refused(e.into());
    let database = keeper.database();
    let mut all: BTreeMap<AccountId, Traits> = BTreeMap::new();
    let newest = database.newest_exchange().await.map_err(failed)?;
    if let Some(newest) = newest {
        let days = i64::try_from(detection::WINDOW_DAYS).unwrap_or(28);
        let since = newest.plus(Span(-Span::days(days).0));
        let mut after: Option<AccountId> = None;
        loop {
            let page = database.seen(after.as_ref(), PAGE, since).await;
            let page = page.map_err(failed)?;
            let Some(last) = page.last() else { break };
            after = Some(last.account.clone());
            for seen in page {
                let traits = all.entry(seen.account).or_default();
                traits.first_seen = Some(seen.first);
                traits.activity = Activity::of(seen.hours);
            }
        }
    }
    let mut after: Option<AccountId> = None;
    loop {
        let page = database.links(after.as_ref(), PAGE).await.map_err(failed)?;
        let Some(last) = page.last() else { break };
        after = Some(last.account.clone());
        for row in page {
            let traits = all.entry(row.account).or_default();
            match row.kind {
                LinkKind::Payment => traits.payment.insert(row.token),
                LinkKind::Identity => traits.identity.insert(row.token),
                LinkKind::Network => traits.network.insert(row.token),
            };
        }
    }
    for (account, at) in blocked(&super::cases::all(keeper).await?) {
        all.entry(account).or_default().blocked_at = Some(at);
    }
    Ok(all)
}

/// When cases suspended accounts, the first time; a suspension that was overturned is none.
fn blocked(cases: &[Case]) -> BTreeMap<AccountId, Timestamp> {
    let mut first: BTreeMap<AccountId, Timestamp> = BTreeMap::new();
    for case in cases {
        let refused = |m: &Measure| matches!(m, Measure::Suspend | Measure::Terminate);
        let made = case.restrictions().iter();
        let Some(since) = made
            .filter(|r| refused(&r.measure) && !r.reversed)
            .map(|r| r.from)
            .min()
        else {
            continue;
        };
        for account in case.accounts() {
            let at = first.entry(account.clone()).or_insert(since);
            *at = since.min(*at);
        }
    }
    first
}

#[cfg(test)]
mod tests;
