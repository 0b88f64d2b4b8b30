//! The figures of a trial.

use std::collections::BTreeMap;

use provenance::{
    Calibrated, Calibration, CorpusTally, Depth, Features, Fusion, Guarantee, Judge, Measured,
    Output, Rate, Role, Scanner, Tail, WORDS_MIN,
};

use super::rows::Row;
use super::trial::{
    Document, HUMAN, HUMAN_SAME, HUMAN_SAME_TWINNED, SAME_PROMPT, SAME_PROMPT_ALONE, Setting,
    Split, TWINNED, setting,
};
use crate::random::Random;

/// At most this share of human documents may be flagged: what the threshold is set to, far enough under
/// the half of one per cent that is promised for another sample to stay under it.
const UNRELATED_MAX: f64 = 0.003;
/// Bits by which the strongest match of a human document grows each time that the outputs double:
/// from 10 bits beside 684 outputs to 39 beside 42,000.
const PER_DOUBLING: f64 = 4.9;
/// At most this share of independent answers may be flagged: what the contrast is set to.
const INDEPENDENT_MAX: f64 = 0.005;

/// Arrangements of who is registered, scanned or a twin among the answers to one prompt.
const ROTATIONS: u64 = 4;

/// What a trial came to, all on its third split.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Derived documents of at least 40 words that were found, by what was done to them; of
    /// outputs without control twins, which most outputs are.
    pub recall: BTreeMap<String, Rate>,
    /// The same of every length.
    pub recall_any_length: BTreeMap<String, Rate>,
    /// Of at least 40 words, of outputs that have control twins.
    pub recall_with_twins: BTreeMap<String, Rate>,
    /// People's texts that were flagged, of those that answer no registered output's prompt.
    pub human: Rate,
    /// People's answers to the prompts of registered outputs without control twins that were flagged.
    pub human_same_prompt: Rate,
    /// The same where there are twins.
    pub human_same_prompt_with_twins: Rate,
    /// Other models' answers that were flagged as derived from the output whose prompt they answer,
    /// although control twins were asked.
    pub same_prompt: Rate,
    /// The same answers flagged for any output, also one whose prompt has no twins.
    pub same_prompt_any_output: Rate,
    /// The same answers, had there been no twins.
    pub same_prompt_without_twins: Rate,
    /// Other models' answers to prompts of outputs that have none.
    pub same_prompt_alone: Rate,
    /// The answers with twins, had any shared run of eight words been enough.
    pub any_shared_gram: Rate,
    /// The bits that a finding must come to.
    pub threshold: f64,
    /// Registered outputs and control twins.
    pub outputs: usize,
    /// Bytes, and whether flagged: of derived documents, and of people's.
    pub told: [Vec<(u64, bool)>; 2],
}

/// What is scanned in one arrangement: the main setting, and others that only add answers to the same
/// prompts.
fn settings(rows: &[Row], seed: u64) -> Result<Vec<Setting>, String> {
    let mut all = vec![setting(rows, seed, 0)?];
    for rotation in 1..ROTATIONS {
        let mut other = setting(rows, seed, rotation)?;
        let row = |d: &Document| d.row == SAME_PROMPT || d.row == HUMAN_SAME_TWINNED;
        other
            .documents
            .retain(|d| row(d) || d.row.starts_with(TWINNED));
        all.push(other);
    }
    Ok(all)
}

/// Makes a judge: weights by the first split, thresholds by the second. Its rates are measured on
/// derived documents of the second, which no threshold was set by, and on human ones of each of the
/// first two at the threshold of the other.
///
/// # Errors
/// What cannot be registered, told.
pub fn calibrate(
    rows: &[Row],
    seed: u64,
    mut progress: impl FnMut(usize, usize),
) -> Result<Calibrated, String> {
    let settings = settings(rows, seed)?;
    let main = settings.first().ok_or("no setting")?;
    let all = settings.iter().map(|s| s.documents.len()).sum();
    let mut done = 0;
    let mut tick = || {
        done += 1;
        progress(done, all);
    };
    let before = before_the_test(main, &mut tick);
    let fusion = chosen(&before);
    let mut contrasts = contrasts(&before, main);
    for other in settings.iter().skip(1) {
        contrasts.extend(self::contrasts(&before_the_test(other, &mut tick), other));
    }
    let alone = alone(&before);
    let unrelated = humans(&before, (main, Split::Calibration), &fusion);
    let others = humans(&before, (main, Split::Weights), &fusion);
    let specificity = crossed(&unrelated, &others);
    let mut made = Calibrated {
        measured_on: format!(
            "a benchmark of {} outputs and {} human documents, mostly English",
            main.registry.outputs().len(),
            unrelated.len()
        ),
        judge: Judge {
            fusion,
            calibration: Calibration::new(unrelated, contrasts, alone),
            unrelated_max: UNRELATED_MAX,
            independent_max: INDEPENDENT_MAX,
            texts: real(main.registry.outputs().len() + 1).max(4096.0),
            per_doubling: PER_DOUBLING,
        },
        measured: Measured {
            sensitivity: NONE,
            specificity,
        },
        same_prompt_alone: NONE,
    };
    let mut found = Figures::of(main);
    let scanner = Scanner::new(&main.registry, &main.key, DEPTH, made.judge.clone());
    for document in &main.documents {
        if document.split == Split::Calibration {
            found.count(document, &scanner);
        }
    }
    for rate in found.recall_any_length.values() {
        made.measured.sensitivity.hits += rate.hits;
        made.measured.sensitivity.of += rate.of;
    }
    for rate in [found.human_same_prompt, found.same_prompt_alone] {
        made.same_prompt_alone.hits += rate.hits;
        made.same_prompt_alone.of += rate.of;
    }
    Ok(made)
}

/// How closely is looked, as the product does unless told otherwise.
const DEPTH: Depth = Depth::Paraphrases(Guarantee::Words23);

/// Measures a judge on the third split, in one arrangement.
///
/// # Errors
/// What cannot be registered, told.
pub fn measure(
    rows: &[Row],
    judge: &Judge,
    seed: u64,
    mut progress: impl FnMut(usize, usize),
) -> Result<Figures, String> {
    let settings = settings(rows, seed)?;
    let main = settings.first().ok_or("no setting")?;
    let mut figures = Figures::of(main);
    let wanted = |s: &Setting| {
        let documents = s.documents.iter();
        documents.filter(|d| d.split == Split::Test).count()
    };
    let all = settings.iter().map(wanted).sum();
    let mut done = 0;
    for setting in &settings {
        let scanner = Scanner::new(&setting.registry, &setting.key, DEPTH, judge.clone());
        figures.threshold = judge.threshold(&main.registry);
        let documents = setting.documents.iter();
        for document in documents.filter(|d| d.split == Split::Test) {
            figures.count(document, &scanner);
            done += 1;
            progress(done, all);
        }
    }
    Ok(figures)
}

const NONE: Rate = Rate { hits: 0, of: 0 };

fn count(rate: &mut Rate, hit: bool) {
    rate.hits += u64::from(hit);
    rate.of += 1;
}

impl Figures {
    fn of(setting: &Setting) -> Self {
        Self {
            recall: BTreeMap::new(),
            recall_any_length: BTreeMap::new(),
            recall_with_twins: BTreeMap::new(),
            human: NONE,
            human_same_prompt: NONE,
            human_same_prompt_with_twins: NONE,
            same_prompt_alone: NONE,
            same_prompt: NONE,
            same_prompt_any_output: NONE,
            same_prompt_without_twins: NONE,
            any_shared_gram: NONE,
            threshold: 0.0,
            outputs: setting.registry.outputs().len(),
            told: [Vec::new(), Vec::new()],
        }
    }

    fn count(&mut self, document: &Document, scanner: &Scanner<'_>) {
        let verdict = scanner.scan(&document.text);
        let flagged = verdict.derived();
        let bytes = document.text.len() as u64;
        // Equal outputs to other prompts are one family: either name is right.
        let named = verdict.matches.iter().filter(|m| {
            let truth = document.output;
            truth.is_some_and(|t| m.output == t || m.family.contains(&t))
        });
        let (mut derived, mut resembles) = (false, false);
        for one in named {
            derived |= one.derived;
            resembles |= one.resembles;
        }
        match document.row.as_str() {
            HUMAN => {
                count(&mut self.human, flagged);
                self.told[1].push((bytes, flagged));
            }
            HUMAN_SAME => count(&mut self.human_same_prompt, derived),
            HUMAN_SAME_TWINNED => count(&mut self.human_same_prompt_with_twins, derived),
            SAME_PROMPT => {
                count(&mut self.same_prompt, derived);
                count(&mut self.same_prompt_any_output, flagged);
                count(&mut self.same_prompt_without_twins, resembles);
                count(&mut self.any_shared_gram, document.shares_gram);
            }
            SAME_PROMPT_ALONE => count(&mut self.same_prompt_alone, derived),
            row => {
                if let Some(row) = row.strip_prefix(TWINNED) {
                    if verdict.words >= WORDS_MIN {
                        let rate = self.recall_with_twins.entry(row.to_owned());
                        count(rate.or_insert(NONE), derived);
                    }
                    return;
                }
                if document.output.is_some_and(|t| scanner.has_twins(t)) {
                    return;
                }
                let rate = self.recall_any_length.entry(row.to_owned());
                count(rate.or_insert(NONE), derived);
                if verdict.words >= WORDS_MIN {
                    count(self.recall.entry(row.to_owned()).or_insert(NONE), derived);
                }
                self.told[0].push((bytes, flagged));
            }
        }
    }

    /// Over `corpora` made of the documents at hand, in how many the interval holds the true share
    /// of documents, bytes and tokens: with rates that were measured elsewhere, or without them with such as
    /// are measured anew each time, on documents drawn like the corpus.
    pub fn coverage(&self, corpora: usize, seed: u64, rates: Option<&Measured>) -> [Rate; 3] {
        let mut random = Random::new(seed);
        let mut held = [NONE; 3];
        let [derived, human] = &self.told;
        if derived.is_empty() || human.is_empty() {
            return held;
        }
        for _ in 0..corpora {
            let mut rate = |from: &[(u64, bool)], wanted: bool| {
                let mut rate = NONE;
                for _ in 0..from.len().min(1_000) {
                    let one = from.get(random.below(from.len()));
                    count(&mut rate, one.is_some_and(|(_, f)| *f == wanted));
                }
                rate
            };
            let drawn = Measured {
                sensitivity: rate(derived, true),
                specificity: rate(human, false),
            };
            let measured = rates.copied().unwrap_or(drawn);
            // From half of one in a hundred to half of all.
            let share = 5 + random.below(496);
            let mut tally = CorpusTally::default();
            let mut truth = [Rate { hits: 0, of: 0 }; 3];
            for _ in 0..1_000 {
                let is = random.below(1_000) < share;
                let from = if is { derived } else { human };
                let Some((bytes, flagged)) = from.get(random.below(from.len())) else {
                    continue;
                };
                let tokens = bytes / 4 + 1;
                tally.add(*bytes, tokens, *flagged);
                for (truth, weight) in truth.iter_mut().zip([1, *bytes, tokens]) {
                    truth.hits += weight * u64::from(is);
                    truth.of += weight;
                }
            }
            let shares = tally.shares(&measured);
            let shares = [shares.documents, shares.bytes, shares.tokens];
            for ((held, share), truth) in held.iter_mut().zip(shares).zip(truth) {
                let truth = truth.value();
                count(held, share.lo <= truth && truth <= share.hi);
            }
        }
        held
    }
}

/// What the first two splits say of a document.
struct Seen<'a> {
    document: &'a Document,
    /// Of every output it shares a key with.
    candidates: Vec<(usize, Features)>,
}

fn before_the_test<'a>(setting: &'a Setting, tick: &mut impl FnMut()) -> Vec<Seen<'a>> {
    let judge = Judge {
        fusion: Fusion::STANDARD,
        calibration: Calibration::default(),
        unrelated_max: 0.0,
        independent_max: 0.0,
        texts: 1.0,
        per_doubling: 0.0,
    };
    let scanner = Scanner::new(&setting.registry, &setting.key, DEPTH, judge);
    let outputs = setting.registry.outputs();
    let mut seen = Vec::new();
    for document in &setting.documents {
        if document.split == Split::Test {
            continue;
        }
        let mut candidates = scanner.candidates(&document.text);
        // Of the others only the strongest can be the first, whatever the weights.
        let truth = document.output;
        let group = truth.and_then(|t| outputs.get(t)).map_or(0, |o| o.prompt);
        let strength = |f: &Features| f.bits.iter().sum::<f64>();
        candidates.sort_by(|a, b| strength(&b.1).total_cmp(&strength(&a.1)));
        let mut kept = 0;
        candidates.retain(|(output, _)| {
            kept += 1;
            let of_group = outputs
                .get(*output)
                .is_some_and(|o| group != 0 && o.prompt == group);
            kept <= 16 || Some(*output) == truth || of_group
        });
        seen.push(Seen {
            document,
            candidates,
        });
        tick();
    }
    seen
}

/// What may be chosen: only ratios count, for thresholds follow.
fn choices() -> Vec<Fusion> {
    let mut all = Vec::new();
    for skeleton in [1.0, 0.5] {
        for triples in [0.2, 0.25, 0.3, 0.35, 0.45] {
            all.push(Fusion {
                weights: [1.0, skeleton, triples],
            });
        }
    }
    all
}

/// The weights with the best mean recall over all rows of the first split, at the threshold that would be
/// set by its human documents; of equal ones the first.
fn chosen(seen: &[Seen<'_>]) -> Fusion {
    const FLAGGED: f64 = UNRELATED_MAX;
    let mut best = (f64::NEG_INFINITY, Fusion::STANDARD);
    for fusion in choices() {
        let mut human = Vec::new();
        let mut rows: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for one in seen.iter().filter(|s| s.document.split == Split::Weights) {
            let bits = |(_, f): &(usize, Features)| fusion.bits(f);
            match one.document.row.as_str() {
                HUMAN => human.push(one.candidates.iter().map(bits).fold(0.0, f64::max)),
                HUMAN_SAME | HUMAN_SAME_TWINNED | SAME_PROMPT | SAME_PROMPT_ALONE => {}
                row if row.starts_with(TWINNED) => {}
                row => {
                    let truth = |c: &&(usize, Features)| Some(c.0) == one.document.output;
                    let found = one.candidates.iter().find(truth).map_or(0.0, bits);
                    rows.entry(row).or_default().push(found);
                }
            }
        }
        let threshold = Tail::new(human).threshold(FLAGGED);
        let recall = |scores: &Vec<f64>| {
            let found = scores.iter().filter(|s| **s > threshold).count();
            real(found) / real(scores.len().max(1))
        };
        let mean = rows.values().map(recall).sum::<f64>() / real(rows.len().max(1));
        if mean > best.0 + 1e-9 {
            best = (mean, fusion);
        }
    }
    best.1
}

/// How many human documents of two halves are not flagged at the threshold of the other half.
fn crossed(one: &[f64], other: &[f64]) -> Rate {
    let mut unflagged = NONE;
    for (of, by) in [(one, other), (other, one)] {
        let tail = Tail::new(by.to_vec());
        for bits in of {
            count(&mut unflagged, tail.p(*bits) > UNRELATED_MAX);
        }
    }
    unflagged
}

/// The bits of the strongest match of each human document of a split.
fn humans(seen: &[Seen<'_>], (setting, split): (&Setting, Split), fusion: &Fusion) -> Vec<f64> {
    let outputs = setting.registry.outputs();
    let recognisable = |c: &&(usize, Features)| {
        let output: Option<&Output> = outputs.get(c.0);
        output.is_some_and(|o| o.role == Role::Output)
    };
    let wanted = |s: &&Seen<'_>| s.document.row == HUMAN && s.document.split == split;
    let strongest = |s: &Seen<'_>| {
        let bits = s.candidates.iter().filter(recognisable);
        bits.map(|(_, f)| fusion.bits(f)).fold(0.0, f64::max)
    };
    seen.iter().filter(wanted).map(strongest).collect()
}

/// How near independent answers are to an output, whoever else answered.
fn alone(seen: &[Seen<'_>]) -> Vec<f64> {
    const ROWS: [&str; 4] = [
        SAME_PROMPT,
        SAME_PROMPT_ALONE,
        HUMAN_SAME,
        HUMAN_SAME_TWINNED,
    ];
    let answers = seen
        .iter()
        .filter(|s| ROWS.contains(&s.document.row.as_str()));
    let near = answers.map(|one| {
        let truth = |c: &&(usize, Features)| Some(c.0) == one.document.output;
        let found = one.candidates.iter().find(truth);
        found.map_or(0.0, |(_, features)| features.ordered())
    });
    near.collect()
}

/// How much nearer independent answers are to an output than to its control twins. Weights are not
/// chosen by them, so both splits before the test may tell.
fn contrasts(seen: &[Seen<'_>], setting: &Setting) -> Vec<f64> {
    let outputs = setting.registry.outputs();
    let mut found = Vec::new();
    for one in seen.iter().filter(|s| s.document.row == SAME_PROMPT) {
        let truth = one.document.output;
        let group = truth.and_then(|t| outputs.get(t)).map(|o| o.prompt);
        let (mut own, mut twin) = (0.0_f64, 0.0_f64);
        for (output, features) in &one.candidates {
            let of_group = outputs.get(*output).filter(|o| Some(o.prompt) == group);
            match of_group.map(|o| o.role) {
                Some(Role::Control) => twin = twin.max(features.ordered()),
                Some(Role::Output) if Some(*output) == truth => own = features.ordered(),
                _ => {}
            }
        }
        found.push(own - twin);
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn real(n: usize) -> f64 {
    n as f64
}
