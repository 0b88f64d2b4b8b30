//! What is remembered of one account: its sums, and what was seen at its looks.

use detection::{Account, Calibration, Detector, Judgement, LOOKS, Peers, Unreadable};
use sha2::{Digest as _, Sha256};

/// The head that statistics were made with; those of two heads do not compare.
pub(crate) type HeadId = [u8; 8];

/// What was seen at one look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// Its place in [`LOOKS`].
    pub(crate) place: u8,
    /// The statistic.
    pub(crate) statistic: f64,
    /// How often honest accounts score as high at this look, as it was told then.
    pub(crate) p: f64,
    /// The least p of this and all earlier looks, as it was told then.
    pub(crate) least: f64,
}

/// One account, as the watch knows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// Sums over its exchanges.
    pub(crate) account: Account,
    /// Its looks so far, in their order.
    pub(crate) looks: Vec<Look>,
    /// Whether a finding was made.
    pub(crate) told: bool,
    head: HeadId,
}

/// The stored form's version.
const VERSION: u8 = 1;

/// The id of a detector's head.
pub(crate) fn head_id(detector: &Detector) -> HeadId {
    let head = &detector.head;
    let mut digest = Sha256::new().chain_update(head.bias.to_bits().to_le_bytes());
    for of in [&head.mean, &head.spread, &head.weight] {
        for value in of {
            digest.update(value.to_bits().to_le_bytes());
        }
    }
    let mut id = HeadId::default();
    let digest = digest.finalize();
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    id
}

impl State {
    /// The look that the account reaches with its latest exchange, if one, by its place.
    pub(crate) fn look(&self) -> Option<usize> {
        LOOKS.iter().position(|look| *look == self.account.seen())
    }

    /// Judges the account at a look, and remembers what was seen. Statistics of another head are
    /// dropped first.
    pub(crate) fn judge(
        &mut self,
        detector: &Detector,
        head: HeadId,
        declared: Option<Peers>,
    ) -> Option<Judgement> {
        if self.head != head {
            self.looks.clear();
            self.head = head;
        }
        let judgement = detector.judge(
            &self.account,
            declared,
            self.least(&detector.calibration, declared),
        )?;
        let place = LOOKS.iter().position(|look| *look == judgement.look)?;
        self.looks.push(Look {
            place: u8::try_from(place).unwrap_or(u8::MAX),
            statistic: judgement.intent.statistic,
            p: judgement.rank.p,
            least: judgement.least,
        });
        Some(judgement)
    }

    /// The least p so far, of statistics as today's calibration ranks them: a deployment that
    /// calibrates on its own accounts is not bound by what was told before.
    fn least(&self, calibration: &Calibration, declared: Option<Peers>) -> Option<f64> {
        let looks = self.looks.iter();
        let ranks = looks.map(|look| {
            let rank = calibration.rank(look.statistic, usize::from(look.place), declared);
            rank.p
        });
        ranks.min_by(f64::total_cmp)
    }

    /// The stored form.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(self.head);
        out.push(u8::from(self.told));
        out.push(u8::try_from(self.looks.len()).unwrap_or(u8::MAX));
        for look in &self.looks {
            out.push(look.place);
            for value in [look.statistic, look.p, look.least] {
                out.extend(value.to_bits().to_le_bytes());
            }
        }
        out.extend(self.account.to_bytes());
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Unreadable`] when it is of another version or cut short.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut rest = bytes;
        let [version] = take::<1>(&mut rest)?;
        let head = take::<8>(&mut rest)?;
        let [told] = take::<1>(&mut rest)?;
        let [looks] = take::<1>(&mut rest)?;
        if version != VERSION || told > 1 || usize::from(looks) > LOOKS.len() {
            return Err(Unreadable);
        }
        let mut state = Self {
            head,
            told: told == 1,
            ..Self::default()
        };
        for _ in 0..looks {
            let [place] = take::<1>(&mut rest)?;
            let mut number = || take::<8>(&mut rest).map(|b| f64::from_bits(u64::from_le_bytes(b)));
            state.looks.push(Look {
                place,
                statistic: number()?,
                p: number()?,
                least: number()?,
            });
        }
        state.account = Account::from_bytes(rest)?;
        Ok(state)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Unreadable> {
    let (first, more) = rest.split_first_chunk::<N>().ok_or(Unreadable)?;
    *rest = more;
    Ok(*first)
}

#[cfg(test)]
mod tests;
