//! How often is a derived text found, and how often is anybody accused in vain?
//!
//! Texts that answer one prompt, or are paired, stay on one side of three splits: on the first the
//! channels are weighed, on the second thresholds are set, and only the third is reported.

use std::collections::{BTreeMap, HashMap, HashSet};

use provenance::{AuditKey, OutputText, Registry, Role, SegmentBuilder};

use super::Transform;
use super::rows::{Kind, Row};
use crate::random::Random;

/// What a text is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// Channels are weighed.
    Weights,
    /// Thresholds are set.
    Calibration,
    /// Figures are taken.
    Test,
}

/// A document that is scanned, and what it truly is.
#[derive(Debug, Clone)]
pub struct Document {
    /// The row of the table.
    pub row: String,
    /// On which side.
    pub split: Split,
    /// Its text.
    pub text: String,
    /// The output it is derived from, or answers the prompt of: its place in the registry's list.
    pub output: Option<usize>,
    /// Whether it shares a run of eight words with that output, however common; asked only of
    /// answers to the same prompt.
    pub shares_gram: bool,
}

/// A registry and the documents to ask it.
#[derive(Debug)]
pub struct Setting {
    /// What is registered.
    pub registry: Registry,
    /// Under which key.
    pub key: AuditKey,
    /// What is scanned.
    pub documents: Vec<Document>,
}

/// The rows of human documents.
pub const HUMAN: &str = "human";
/// People's answers to the prompts of registered outputs.
pub const HUMAN_SAME: &str = "human_same_prompt";
/// People's answers to the prompts of registered outputs that have control twins.
pub const HUMAN_SAME_TWINNED: &str = "human_same_prompt_with_twins";
/// Another model's answer to an output's prompt, which has control twins.
pub const SAME_PROMPT: &str = "same_prompt";
/// The same without twins.
pub const SAME_PROMPT_ALONE: &str = "same_prompt_no_twins";

/// Before the rows of outputs that have control twins.
pub const TWINNED: &str = "twinned_";

struct Plan<'a> {
    rows: &'a [Row],
    /// What decides who of a group is registered, scanned, or a twin.
    roles: u64,
    /// Rows by group, in the order of the files.
    groups: BTreeMap<u64, Vec<usize>>,
    /// Registered rows with their role.
    registered: Vec<(usize, Role)>,
    /// Documents that are rows: (label, row, the row of the output).
    documents: Vec<(String, usize, Option<usize>)>,
}

/// FNV-1a: names to numbers, the same everywhere.
fn number(text: &str, seed: u64) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325 ^ seed;
    for b in text.bytes() {
        h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    }
    Random::new(h).next()
}

fn group(row: &Row) -> u64 {
    let prompt = row.prompt.as_ref().map(|p| {
        let words = provenance::normal_words(p);
        words.join(" ")
    });
    number(prompt.as_ref().or(row.pair.as_ref()).unwrap_or(&row.id), 0)
}

/// The splits are the same for every seed: the shipped judge saw the first two, never the third.
const SPLITS: u64 = 11;

fn split_of(group: u64) -> Split {
    match Random::new(group ^ SPLITS.wrapping_mul(0x9e37_79b9)).below(3) {
        0 => Split::Weights,
        1 => Split::Calibration,
        _ => Split::Test,
    }
}

fn long(row: &Row) -> bool {
    provenance::normal_words(&row.text).len() >= provenance::WORDS_MIN
}

impl<'a> Plan<'a> {
    fn new(rows: &'a [Row], seed: u64, rotation: u64) -> Self {
        let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut texts = HashSet::new();
        for (n, row) in rows.iter().enumerate() {
            // The same text twice would stand on both sides of a split.
            if texts.insert(number(&row.text, 1)) {
                groups.entry(group(row)).or_default().push(n);
            }
        }
        let mut plan = Self {
            rows,
            roles: number("roles", seed ^ (rotation << 32)),
            groups,
            registered: Vec::new(),
            documents: Vec::new(),
        };
        for members in plan.groups.clone().into_values() {
            plan.assign(&members);
        }
        plan
    }

    fn row(&self, n: usize) -> Option<&'a Row> {
        self.rows.get(n)
    }

    fn assign(&mut self, members: &[usize]) {
        let of = |wanted: fn(&Kind) -> bool| -> Vec<usize> {
            let fits = |n: &&usize| self.row(**n).is_some_and(|r| wanted(&r.kind) && long(r));
            members.iter().filter(fits).copied().collect()
        };
        let rewritten = of(|k| matches!(k, Kind::Rewritten(_)));
        let models = of(|k| *k == Kind::Model);
        let humans = members
            .iter()
            .copied()
            .filter(|n| self.row(*n).is_some_and(|r| r.kind == Kind::Human));
        let mut humans: Vec<usize> = humans.collect();
        if !rewritten.is_empty() {
            self.pairs(&rewritten, &models, &humans);
            return;
        }
        let first = members.first().map_or(0, |n| *n as u64);
        let mut random = Random::new(self.roles ^ first);
        let mut models = models;
        random.shuffle(&mut models);
        let author = |n: usize| self.row(n).map(|r| r.model.as_str());
        let document = models
            .first()
            .and_then(|x| models.iter().copied().find(|d| author(*d) != author(*x)));
        if let (Some(output), Some(document)) = (models.first().copied(), document) {
            let mut twins: Vec<usize> = models
                .iter()
                .chain(humans.iter())
                .copied()
                .filter(|n| {
                    *n != output
                        && *n != document
                        && author(*n) != author(output)
                        && self.row(*n).is_some_and(long)
                })
                .collect();
            // A person's answer is asked about instead, where a twin remains.
            let person = twins.iter().position(|n| humans.contains(n));
            if let Some(place) = person.filter(|_| twins.len() > 1 && random.below(2) == 0) {
                let answer = twins.remove(place);
                humans.retain(|n| *n != answer);
                let label = HUMAN_SAME_TWINNED.to_owned();
                self.documents.push((label, answer, Some(output)));
            }
            let label = if twins.is_empty() {
                SAME_PROMPT_ALONE
            } else {
                SAME_PROMPT
            };
            self.registered.push((output, Role::Output));
            self.registered
                .extend(twins.iter().map(|n| (*n, Role::Control)));
            self.documents
                .push((label.to_owned(), document, Some(output)));
            humans.retain(|n| !twins.contains(n));
            models.clear();
            models.push(output);
        } else {
            self.registered
                .extend(models.iter().map(|n| (*n, Role::Output)));
        }
        let (label, output) = match models.first() {
            Some(output) => (HUMAN_SAME, Some(*output)),
            None => (HUMAN, None),
        };
        for human in humans {
            self.documents.push((label.to_owned(), human, output));
        }
    }

    /// The original is registered, what was made of it is scanned.
    fn pairs(&mut self, rewritten: &[usize], models: &[usize], humans: &[usize]) {
        let original = humans
            .iter()
            .copied()
            .find(|n| self.row(*n).is_some_and(long))
            .or(models.first().copied());
        let Some(original) = original else {
            // Without its original it is a model's text like others.
            self.registered
                .extend(rewritten.iter().map(|n| (*n, Role::Output)));
            return;
        };
        self.registered.push((original, Role::Output));
        for n in rewritten {
            if let Some(Row {
                kind: Kind::Rewritten(how),
                ..
            }) = self.row(*n)
            {
                self.documents.push((how.clone(), *n, Some(original)));
            }
        }
    }

    /// What was asked: the prompt; else, of three texts or more that belong together, the words that
    /// two of them begin with, for they were asked to go on from there.
    fn asked(&self, n: usize) -> String {
        let Some(row) = self.row(n) else {
            return String::new();
        };
        if let Some(prompt) = &row.prompt {
            return prompt.clone();
        }
        let texts = self.groups.get(&group(row)).into_iter().flatten();
        let texts: Vec<Vec<String>> = texts
            .filter_map(|n| self.row(*n))
            .map(|r| provenance::normal_words(&r.text))
            .collect();
        let (Some(pair), true) = (&row.pair, texts.len() >= 3) else {
            return String::new();
        };
        let mut longest: &[String] = &[];
        for (n, a) in texts.iter().enumerate() {
            for b in texts.iter().skip(n + 1) {
                let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
                if shared > longest.len() {
                    longest = a.get(..shared).unwrap_or_default();
                }
            }
        }
        format!("{pair} {}", longest.join(" "))
    }
}

fn share_a_gram(a: &str, b: &str) -> bool {
    let (a, b) = (provenance::normal_words(a), provenance::normal_words(b));
    let grams: HashSet<&[String]> = a.windows(provenance::GRAM).collect();
    b.windows(provenance::GRAM).any(|gram| grams.contains(gram))
}

/// How many outputs of a split are transformed: one in three, so that intervals are narrow.
const TRANSFORMED: usize = 1_600;

/// Makes a registry of the rows' outputs and the documents to ask it, by one arrangement of splits
/// and one rotation of who is registered, scanned or a twin among the answers to a prompt.
///
/// # Errors
/// What cannot be an identifier or a registry, told.
pub fn setting(rows: &[Row], seed: u64, rotation: u64) -> Result<Setting, String> {
    let key = AuditKey::new(*b"trial of audits.");
    let plan = Plan::new(rows, seed, rotation);
    let split = |n: usize| plan.row(n).map_or(Split::Weights, |r| split_of(group(r)));
    let (registry, places) = registered(&plan, &key)?;
    let mut documents = Vec::new();
    let mut pages: HashMap<Split, Vec<usize>> = HashMap::new();
    for (label, n, output) in &plan.documents {
        let Some(row) = plan.row(*n) else { continue };
        let split = split(*n);
        if label == HUMAN {
            pages.entry(split).or_default().push(*n);
        }
        let asked = output.filter(|_| label == SAME_PROMPT);
        let shares_gram = asked
            .and_then(|o| plan.row(o))
            .is_some_and(|o| share_a_gram(&o.text, &row.text));
        let output = output.as_ref().and_then(|o| places.get(o).copied());
        if output.is_none() && label != HUMAN {
            continue;
        }
        documents.push(Document {
            row: label.clone(),
            split,
            text: row.text.clone(),
            output,
            shares_gram,
        });
    }
    let chosen = Chosen {
        plan: &plan,
        places: &places,
        pages: &pages,
        seed,
    };
    chosen.transform(&mut documents);
    let registry = Registry::join(key.id(), registry, None).map_err(|e| e.to_string())?;
    Ok(Setting {
        registry,
        key,
        documents,
    })
}

/// Outputs to transform, and people's pages to paste into.
struct Chosen<'a> {
    plan: &'a Plan<'a>,
    places: &'a HashMap<usize, usize>,
    pages: &'a HashMap<Split, Vec<usize>>,
    seed: u64,
}

impl Chosen<'_> {
    fn transform(&self, documents: &mut Vec<Document>) {
        let mut random = Random::new(self.seed);
        let twinned: HashSet<u64> = self
            .plan
            .registered
            .iter()
            .filter(|(_, role)| *role == Role::Control)
            .filter_map(|(n, _)| self.plan.row(*n).map(group))
            .collect();
        let mut outputs: Vec<&Row> = Vec::new();
        let mut place: HashMap<&str, usize> = HashMap::new();
        for (n, role) in &self.plan.registered {
            if let (Role::Output, Some(at), Some(row)) =
                (role, self.places.get(n), self.plan.row(*n))
            {
                outputs.push(row);
                place.insert(&row.id, *at);
            }
        }
        random.shuffle(&mut outputs);
        for split in [Split::Weights, Split::Calibration, Split::Test] {
            let here = |row: &&&Row| split_of(group(row)) == split;
            let any = outputs.iter().filter(here).take(TRANSFORMED);
            let with = |row: &&&Row| here(row) && twinned.contains(&group(row));
            let with = outputs.iter().filter(with).take(TRANSFORMED / 4);
            let named = any.map(|r| ("", *r)).chain(with.map(|r| (TWINNED, *r)));
            for (prefix, row) in named {
                for transform in Transform::ALL {
                    let pages = self.pages.get(&split).map_or(&[][..], Vec::as_slice);
                    let page = pages.get(random.below(pages.len()));
                    let page = page.and_then(|n| self.plan.row(*n));
                    let page = page.map_or("", |r| r.text.as_str());
                    documents.push(Document {
                        row: format!("{prefix}{}", transform.name()),
                        split,
                        text: transform.apply(&row.text, page, &mut random),
                        output: place.get(row.id.as_str()).copied(),
                        shares_gram: false,
                    });
                }
            }
        }
    }
}

type Registered = (Vec<provenance::Segment>, HashMap<usize, usize>);

/// One segment an author; where each row stands among the registry's outputs.
fn registered(plan: &Plan<'_>, key: &AuditKey) -> Result<Registered, String> {
    let told = |e: facts::IdError| e.to_string();
    let month = provenance::Month::of(facts::Timestamp(0));
    let mut builders: BTreeMap<String, (SegmentBuilder, Vec<usize>)> = BTreeMap::new();
    for (n, role) in &plan.registered {
        let Some(row) = plan.row(*n) else { continue };
        let author: String = format!("{}-{}", row.model, row.source)
            .chars()
            .filter(char::is_ascii_graphic)
            .take(100)
            .collect();
        let account = facts::AccountId::parse(&author).map_err(told)?;
        let (builder, members) = builders
            .entry(author.clone())
            .or_insert_with(|| (SegmentBuilder::new(key, account.clone(), month), Vec::new()));
        let prompt = plan.asked(*n);
        let output = OutputText {
            id: facts::ExchangeId::parse(&row.id).map_err(told)?,
            account,
            prompt: &prompt,
            text: &row.text,
            at: facts::Timestamp(0),
            model: facts::ModelName::parse(&author).map_err(told)?,
            role: *role,
        };
        if builder.add(&output).is_ok() {
            members.push(*n);
        }
    }
    let mut places = HashMap::new();
    let mut segments = Vec::new();
    for (builder, members) in builders.into_values() {
        for n in members {
            places.insert(n, places.len());
        }
        segments.push(builder.build());
    }
    Ok((segments, places))
}
