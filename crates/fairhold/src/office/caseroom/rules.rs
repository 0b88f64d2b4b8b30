//! What would a rule have done? A level of the watch, or a document that binds
//! everybody, tried on accounts of which cases said something and on the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cases::Outcome;
use console::{
    BackTestView, FindingView, HitsView, NewShadow, OfficeError, RuleAsked, RulesView, ShadowView,
};
use detection::bounds::clopper_pearson;
use detection::{Detector, LOOKS};
use evidence::{Event, Record};
use facts::{AccountId, Span, Timestamp};
use store::{ShadowRow, SystemClock};
use terms::{Act, Agreement, Catalogue, Countries, DocumentId, Library, Question, Verdict};

use super::super::people::refused;
use super::{broken, signal};
use crate::judge::Documents;
use crate::keeper::Keeper;
use crate::office::cases::all;
use crate::watch::model;

/// Records that a document is tried on: the latest.
const RECORDS: u64 = 50_000;
/// Records read at once.
const PAGE: u64 = 5_000;
/// Names that a row of a table gives.
const NAMED: usize = 20;

/// What rules are tried with.
pub(super) struct Bench<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) detector: &'a Detector,
    pub(super) documents: Option<&'a Documents>,
    pub(super) level: f64,
}

/// A rule that was read.
enum Rule {
    Level(f64),
    Document(DocumentId),
}

fn read(asked: &RuleAsked) -> Result<Rule, OfficeError> {
    let invalid = |why: String| Err(OfficeError::Invalid(why));
    let value = asked.value.trim();
    match asked.what.as_str() {
        "level" => match value.parse::<f64>() {
            Ok(level) if level > 0.0 && level <= 0.2 => Ok(Rule::Level(level)),
            _ => invalid(format!(
                "`{value}` is no level: give the share of honest accounts that may be asked, above 0 and at most 0.2"
            )),
        },
        "document" => match DocumentId::parse(value) {
            Some(document) => Ok(Rule::Document(document)),
            None => invalid(format!("`{value}` is not `provider/document`")),
        },
        other => invalid(format!(
            "`{other}` is no rule that can be tried: level or document"
        )),
    }
}

/// What cases say of accounts.
async fn labels(keeper: &Keeper) -> Result<BTreeMap<AccountId, Outcome>, OfficeError> {
    let mut labels = BTreeMap::new();
    for case in all(keeper).await? {
        let outcome = case.outcome();
        for account in case.accounts() {
            let known = labels.entry(account.clone()).or_insert(outcome);
            // What is in force weighs more than what was closed.
            if outcome == Outcome::Confirmed || *known == Outcome::Open {
                *known = outcome;
            }
        }
    }
    Ok(labels)
}

/// Accounts that were tried, and those that the rule hits.
#[derive(Default)]
struct Tried {
    seen: BTreeSet<AccountId>,
    hit: BTreeSet<AccountId>,
}

impl Tried {
    fn by_standing(&self, labels: &BTreeMap<AccountId, Outcome>) -> Vec<HitsView> {
        let rows = [
            ("confirmed", Outcome::Confirmed),
            ("cleared", Outcome::Cleared),
            ("unknown", Outcome::Open),
        ];
        let row = |(who, outcome): (&str, Outcome)| {
            let label =
                |a: &&AccountId| labels.get(*a).copied().unwrap_or(Outcome::Open) == outcome;
            let accounts = self.seen.iter().filter(label).count();
            let hit: Vec<&AccountId> = self.hit.iter().filter(label).collect();
            HitsView {
                who: who.to_owned(),
                accounts,
                hit: hit.len(),
                interval: if accounts == 0 {
                    (0.0, 1.0)
                } else {
                    clopper_pearson(hit.len(), accounts, 0.05)
                },
                names: hit.iter().take(NAMED).map(ToString::to_string).collect(),
            }
        };
        rows.into_iter().map(row).collect()
    }
}

impl Bench<'_> {
    /// Everything on the page.
    pub(super) async fn all(&self, tried: Option<RuleAsked>) -> Result<RulesView, OfficeError> {
        let catalogue = Catalogue::builtin().map_err(broken)?;
        let labels = labels(self.keeper).await?;
        let tried = match tried {
            None => None,
            Some(asked) => Some(self.tried(asked, &labels).await?),
        };
        let rows = self.keeper.database().shadows().await.map_err(broken)?;
        let mut shadows = Vec::new();
        for row in rows.into_iter().take(10) {
            shadows.push(self.watched(row, &labels).await?);
        }
        let binding = self.documents.map(|documents| {
            let bound = documents.binding(&Agreement::default(), None);
            bound
                .into_iter()
                .map(|(document, _)| document.to_string())
                .collect()
        });
        Ok(RulesView {
            level: self.level,
            reach: model::reach(self.detector),
            binding: binding.unwrap_or_default(),
            documents: catalogue
                .documents()
                .iter()
                .map(ToString::to_string)
                .collect(),
            tried,
            shadows,
        })
    }

    async fn tried(
        &self,
        asked: RuleAsked,
        labels: &BTreeMap<AccountId, Outcome>,
    ) -> Result<BackTestView, OfficeError> {
        let rule = read(&asked)?;
        let tried = self.hits(&rule, Timestamp(0)).await?;
        let (said, limits) = match &rule {
            Rule::Level(level) => (
                format!(
                    "A finding would be made where an honest account would ever look like it with chance {level} or less; now it is {}.",
                    self.level
                ),
                "Each account by its latest look and by the findings that were made of it; earlier looks that were no finding are not kept.".to_owned(),
            ),
            Rule::Document(document) => (
                format!("Requests that `{document}` forbids for the purpose they name would be refused."),
                format!("Tried on the latest {RECORDS} records, by the purpose that each request named or its project declared first; countries and agreed volumes are not looked at."),
            ),
        };
        Ok(BackTestView {
            rule: asked,
            said,
            hits: tried.by_standing(labels),
            accounts: tried.seen.len(),
            limits,
        })
    }

    async fn hits(&self, rule: &Rule, since: Timestamp) -> Result<Tried, OfficeError> {
        match rule {
            Rule::Level(level) => self.level(*level).await,
            Rule::Document(document) => self.document(document, since).await,
        }
    }

    async fn level(&self, level: f64) -> Result<Tried, OfficeError> {
        let database = self.keeper.database();
        let mut tried = Tried::default();
        for look in database.latest_looks(None).await.map_err(broken)? {
            let place = LOOKS.iter().position(|exchanges| *exchanges == look.look);
            if let Some(place) = place {
                let statistic = signal::millionths(look.statistic);
                let calibration = &self.detector.calibration;
                let p = calibration.rank(statistic, place, None).p;
                if calibration.anytime(p).p <= level {
                    tried.hit.insert(look.account.clone());
                }
            }
            tried.seen.insert(look.account);
        }
        for row in database.findings(None).await.map_err(broken)? {
            let finding: FindingView = serde_json::from_str(&row.json).map_err(broken)?;
            if finding.kind == "finding" && finding.anytime_p <= level {
                tried.hit.insert(row.account.clone());
            }
            tried.seen.insert(row.account);
        }
        Ok(tried)
    }

    async fn document(
        &self,
        document: &DocumentId,
        since: Timestamp,
    ) -> Result<Tried, OfficeError> {
        let library = Library::new(Catalogue::builtin().map_err(broken)?, Countries::new());
        let bound = library.bound(std::slice::from_ref(document));
        let terms = bound.map_err(|e| OfficeError::Invalid(e.to_string()))?;
        let database = self.keeper.database();
        let end = database.count().await.map_err(broken)?;
        let mut from = end.saturating_sub(RECORDS);
        let mut tried = Tried::default();
        let mut ruled = HashMap::new();
        while from < end {
            for row in database.records(from..from + PAGE).await.map_err(broken)? {
                if row.kind != "intent" || row.at < since {
                    continue;
                }
                let Ok((_, record)) = Record::parse(&row.leaf) else {
                    continue;
                };
                let (
                    Some(account),
                    Event::Intent {
                        endpoint,
                        model,
                        purpose,
                        ..
                    },
                ) = (record.account, record.event)
                else {
                    continue;
                };
                let agreed = self.keeper.ask(|engine| {
                    let directory = engine.directory();
                    let row = directory.account(&account)?;
                    let project = directory.project(&row.project);
                    let first = project.and_then(|p| p.purposes.first().cloned());
                    Some((row.agreement.clone(), first))
                });
                let Some((agreement, declared)) = agreed else {
                    continue;
                };
                let purpose = purpose.or(declared);
                let key = (account.clone(), model.to_string(), purpose.clone());
                let denied = *ruled.entry(key).or_insert_with(|| {
                    let act = Act::Infer {
                        model: &model,
                        endpoint,
                    };
                    let question = Question {
                        purpose: purpose.as_deref(),
                        declared: &agreement.declared,
                        conduct: &agreement.conduct,
                        authorisations: &agreement.authorisations,
                        ..Question::new(&account, act, record.at)
                    };
                    terms.in_force(record.at).is_some()
                        && terms.rule(&question).verdict != Verdict::Allow
                });
                if denied {
                    tried.hit.insert(account.clone());
                }
                tried.seen.insert(account);
            }
            from += PAGE;
        }
        Ok(tried)
    }

    async fn watched(
        &self,
        row: ShadowRow,
        labels: &BTreeMap<AccountId, Outcome>,
    ) -> Result<ShadowView, OfficeError> {
        let rule = RuleAsked {
            what: row.what,
            value: row.value,
        };
        let tried = self.hits(&read(&rule)?, row.began_at).await?;
        let state = if row.ended_at.is_some() {
            "ended"
        } else if row.until <= SystemClock.now() {
            "over"
        } else {
            "watching"
        };
        Ok(ShadowView {
            id: row.id,
            rule,
            by: row.by,
            reason: row.reason,
            from: row.began_at.rfc3339(),
            until: row.until.rfc3339(),
            state: state.to_owned(),
            hits: tried.by_standing(labels),
        })
    }
}

/// Begins to watch a rule; it acts on nobody.
pub(super) async fn shadow(keeper: &Keeper, new: NewShadow) -> Result<(), OfficeError> {
    read(&new.rule)?;
    if new.reason.trim().is_empty() || !(1..=365).contains(&new.days) {
        let why = "say why, and for how many days: 1 to 365";
        return Err(OfficeError::Invalid(why.to_owned()));
    }
    let now = SystemClock.now();
    let random: [u8; 8] = store::random().map_err(broken)?;
    let row = ShadowRow {
        id: format!("shadow-{}", hex::encode(random)),
        what: new.rule.what,
        value: new.rule.value.trim().to_owned(),
        by: new.by,
        reason: new.reason,
        began_at: now,
        until: now.plus(Span::days(i64::from(new.days))),
        ended_at: None,
    };
    let database = keeper.database();
    database.keep_shadow(&row).await.map_err(broken)?;
    let subject = format!("{} {} by {}", row.what, row.value, row.by);
    keeper
        .note("rule_shadowed", &subject)
        .await
        .map_err(refused)?;
    Ok(())
}

/// Stops to watch a rule.
pub(super) async fn end(keeper: &Keeper, id: &str, by: &str) -> Result<(), OfficeError> {
    let ended = keeper.database().end_shadow(id, SystemClock.now());
    if !ended.await.map_err(broken)? {
        return Err(OfficeError::NotFound(format!("no rule `{id}` is watched")));
    }
    let subject = format!("{id} by {by}");
    keeper
        .note("rule_shadow_ended", &subject)
        .await
        .map_err(refused)?;
    Ok(())
}
