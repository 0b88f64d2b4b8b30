//! Which of many campaigns does a prompt belong to, at the cost of one look-up for each of its
//! shingles?

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use facts::Timestamp;

use super::{Campaign, CampaignId};

/// The keys are hashes already; one multiplication spreads them over the table.
#[derive(Debug, Clone, Copy, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = (self.0 ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// One programme of one campaign.
#[derive(Debug, Clone, Copy)]
struct Place {
    campaign: usize,
    programme: usize,
    hashes: usize,
}

/// A prompt belongs to a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptMatch {
    /// Which campaign.
    pub campaign: CampaignId,
    /// The programme of which it carries most, from 0.
    pub programme: usize,
    /// Hashes of that programme that it carries.
    pub shared: usize,
    /// Hashes of that programme.
    pub of: usize,
}

/// An account sent enough prompts of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Matching prompts.
    pub matched: u32,
    /// Among so many in a row, the last one included.
    pub within: u32,
    /// The programmes they belong to, from 0, ascending.
    pub programmes: Vec<usize>,
}

/// What is remembered of one account: its recent matches. Empty for nearly everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    seen: u32,
    recent: Vec<(CampaignId, usize, u32)>,
}

impl Tally {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing recent is remembered, so that it may be forgotten without loss.
    pub fn is_idle(&self) -> bool {
        self.recent.is_empty()
    }
}

/// The campaigns that are looked for. Holds no clock: whoever builds it leaves out what has
/// expired and builds another at [`Matcher::valid_until`].
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    campaigns: Vec<(CampaignId, Campaign)>,
    places: Vec<Place>,
    index: HashMap<u64, Vec<u32>, BuildHasherDefault<Spread>>,
    within_max: u32,
}

impl Matcher {
    /// Looks for these; of two with the same hashes the first counts.
    pub fn new(active: impl IntoIterator<Item = Campaign>) -> Self {
        let mut made = Self::default();
        let mut known = BTreeSet::new();
        for campaign in active {
            let id = campaign.id();
            if known.insert(id) {
                made.add(id, campaign);
            }
        }
        made
    }

    fn add(&mut self, id: CampaignId, campaign: Campaign) {
        for (n, programme) in campaign.parts().programmes.iter().enumerate() {
            let Ok(at) = u32::try_from(self.places.len()) else {
                return; // four thousand million programmes
            };
            for hash in &programme.hashes {
                self.index.entry(*hash).or_default().push(at);
            }
            self.places.push(Place {
                campaign: self.campaigns.len(),
                programme: n,
                hashes: programme.hashes.len(),
            });
        }
        self.within_max = self.within_max.max(campaign.parts().rule.prompts_within);
        self.campaigns.push((id, campaign));
    }

    /// How many campaigns are looked for.
    pub fn len(&self) -> usize {
        self.campaigns.len()
    }

    /// Whether none is looked for.
    pub fn is_empty(&self) -> bool {
        self.campaigns.is_empty()
    }

    /// When the first of them expires.
    pub fn valid_until(&self) -> Option<Timestamp> {
        let ends = self.campaigns.iter();
        ends.map(|(_, c)| c.parts().expires_at).min()
    }

    /// The same without what has expired at `now`.
    #[must_use]
    pub fn without_expired(&self, now: Timestamp) -> Self {
        let left = self.campaigns.iter().map(|(_, campaign)| campaign);
        Self::new(left.filter(|c| c.parts().expires_at > now).cloned())
    }

    /// A campaign that is looked for.
    pub fn campaign(&self, id: CampaignId) -> Option<&Campaign> {
        let found = self.campaigns.iter().find(|(own, _)| *own == id);
        found.map(|(_, campaign)| campaign)
    }

    /// The campaigns to which a prompt with these hashes
    /// ([`campaign_hashes`](super::campaign_hashes)) belongs, each once.
    pub fn match_prompt(&self, hashes: &[u64]) -> Vec<PromptMatch> {
        let mut shared: HashMap<u32, usize> = HashMap::new();
        for hash in hashes {
            for place in self.index.get(hash).into_iter().flatten() {
                *shared.entry(*place).or_default() += 1;
            }
        }
        let mut found: Vec<PromptMatch> = shared
            .into_iter()
            .filter_map(|(at, shared)| self.matched(at, shared))
            .collect();
        found.sort_unstable_by(|a, b| {
            (a.campaign, b.shared, a.programme).cmp(&(b.campaign, a.shared, b.programme))
        });
        found.dedup_by_key(|m| m.campaign);
        found
    }

    fn matched(&self, at: u32, shared: usize) -> Option<PromptMatch> {
        let place = self.places.get(usize::try_from(at).ok()?)?;
        let (id, campaign) = self.campaigns.get(place.campaign)?;
        let rule = campaign.parts().rule;
        rule.matches(shared, place.hashes).then_some(PromptMatch {
            campaign: *id,
            programme: place.programme,
            shared,
            of: place.hashes,
        })
    }

    /// Takes an account's next prompt into account; says of which campaigns it now sent enough.
    /// Says so again with each further one: who acts on a hit remembers it.
    pub fn observe(&self, tally: &mut Tally, hashes: &[u64]) -> Vec<Hit> {
        let matches = self.match_prompt(hashes);
        self.count(tally, &matches)
    }

    /// The same where the prompt was matched already.
    pub fn count(&self, tally: &mut Tally, matches: &[PromptMatch]) -> Vec<Hit> {
        tally.seen = tally.seen.saturating_add(1);
        let now = tally.seen;
        if !tally.recent.is_empty() {
            let reach = self.within_max;
            tally.recent.retain(|(_, _, at)| now - at < reach);
        }
        let mut hits = Vec::new();
        for found in matches {
            tally.recent.push((found.campaign, found.programme, now));
            hits.extend(self.hit(tally, found.campaign));
        }
        hits
    }

    fn hit(&self, tally: &Tally, campaign: CampaignId) -> Option<Hit> {
        let rule = self.campaign(campaign)?.parts().rule;
        let recent = tally
            .recent
            .iter()
            .filter(|(own, _, at)| *own == campaign && tally.seen - at < rule.prompts_within);
        let (mut matched, mut programmes, mut first) = (0, BTreeSet::new(), tally.seen);
        for (_, programme, at) in recent {
            matched += 1;
            programmes.insert(*programme);
            first = first.min(*at);
        }
        (matched >= rule.prompts_min).then(|| Hit {
            campaign,
            matched,
            within: tally.seen - first + 1,
            programmes: programmes.into_iter().collect(),
        })
    }
}
