//! Does the time of a refusal tell whether a key's public part is known?

use std::time::Instant;

use engine::Command;
use engine::key::{Key, RANDOM_BYTES};
use engine::quota::Limits;
use facts::AccountId;
use gateway::Desk as _;
use serde::Serialize;

use super::{BUSY, failed};
use crate::failure::Failure;
use crate::keeper::Keeper;

/// Keys of each kind.
const KEYS: usize = 500;
/// Times that all of them are tried.
const ROUNDS: usize = 200;

/// Refusals of two kinds, in turn.
#[derive(Debug, Serialize)]
pub(super) struct Keys {
    /// Nanoseconds to refuse a key that nobody has; the middle of the rounds.
    unknown_ns: u64,
    /// To refuse a known key's public part with another secret.
    wrong_ns: u64,
    /// The middle of the rounds' ratios, wrong to unknown, in thousandths,
    ratio_permille: u64,
    /// and the rounds' tenth and ninetieth percentile: the noise.
    noise_permille: (u64, u64),
}

impl Keys {
    /// What is told of them.
    pub(super) fn words(&self) -> String {
        format!(
            "refusing a key: unknown {} ns, known with a wrong secret {} ns; ratio {:.3}, from round to round {:.3} to {:.3}",
            self.unknown_ns,
            self.wrong_ns,
            thousandths(self.ratio_permille),
            thousandths(self.noise_permille.0),
            thousandths(self.noise_permille.1),
        )
    }
}

fn thousandths(n: u64) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from) / 1_000.0
}

fn at(sorted: &[u64], percent: usize) -> u64 {
    let place = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(place).copied().unwrap_or_default()
}

/// Issues keys, then tries others with the same public parts, and others yet.
pub(super) async fn tried(keeper: &Keeper) -> Result<Keys, Failure> {
    let account = AccountId::parse(BUSY).map_err(failed)?;
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..KEYS {
        let mut random = store::random::<RANDOM_BYTES>().map_err(failed)?;
        let key = Key::mint(&random);
        let command = Command::IssueKey {
            id: key.id().clone(),
            account: account.clone(),
            digest: key.digest(),
            limits: Limits::UNLIMITED,
        };
        keeper.command(command).await.map_err(failed)?;
        // The first eight bytes are the public part.
        for byte in random.iter_mut().skip(8) {
            *byte = !*byte;
        }
        wrong.push(Key::mint(&random).expose().to_owned());
        let other = store::random::<RANDOM_BYTES>().map_err(failed)?;
        unknown.push(Key::mint(&other).expose().to_owned());
    }
    let spent = |keys: &[String]| {
        let began = Instant::now();
        let opened = keys.iter().filter(|key| keeper.identify(key).is_ok());
        let opened = opened.count();
        let each = began.elapsed().as_nanos() / keys.len().max(1) as u128;
        (opened == 0).then(|| u64::try_from(each).unwrap_or(u64::MAX))
    };
    let (mut times, mut ratios) = ([Vec::new(), Vec::new()], Vec::new());
    for round in 0..ROUNDS {
        // Neither is always the first.
        let (first, second) = (spent(&unknown), spent(&wrong));
        let (third, fourth) = (spent(&wrong), spent(&unknown));
        let pair = if round % 2 == 0 {
            first.zip(second)
        } else {
            fourth.zip(third)
        };
        let (one, other) = pair.ok_or_else(|| failed("a key that was never issued opened"))?;
        times[0].push(one);
        times[1].push(other);
        ratios.push(other.saturating_mul(1_000) / one.max(1));
    }
    ratios.sort_unstable();
    for kind in &mut times {
        kind.sort_unstable();
    }
    let [one, other] = &times;
    Ok(Keys {
        unknown_ns: at(one, 50),
        wrong_ns: at(other, 50),
        ratio_permille: at(&ratios, 50),
        noise_permille: (at(&ratios, 10), at(&ratios, 90)),
    })
}
