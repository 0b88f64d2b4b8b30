//! What a scan writes down: a line for each document that holds an output, and a line for each
//! batch with the sums of all others. The lines are the scan's memory: a report is made of them
//! alone, whether the scan was ever interrupted or not.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use provenance::{Channel, CorpusTally, Features, Independent, Match, Registry, Span, Verdict};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A line of the scan.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// A document that holds an output.
    Document(Box<Found>),
    /// A batch.
    Batch(Box<Batch>),
}

/// What the line of a batch begins with.
const BATCH: &[u8] = b"{\"sums\":";

/// A document that holds an output, or its family, or has a source in common with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Its file.
    pub(crate) file: String,
    /// The file's number in the corpus.
    pub(crate) number: usize,
    /// Its row, from 1.
    pub(crate) row: u64,
    /// The member of an archive that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) member: Option<String>,
    /// Its own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Bytes of its text.
    pub(crate) bytes: usize,
    /// Its words.
    pub(crate) words: usize,
    /// Bytes inside spans of findings.
    pub(crate) bytes_derived: usize,
    /// SHA-256 of its text.
    pub(crate) sha256: String,
    /// What it resembles, the strongest first.
    pub(crate) matches: Vec<Resembled>,
    /// A piece of it, of the first documents of a batch only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) excerpt: Option<Excerpt>,
}

/// A piece of a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Excerpt {
    /// Where it begins in the document.
    pub(crate) from: usize,
    /// The text.
    pub(crate) text: String,
}

/// An output that a document resembles.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Resembled {
    /// Its place in the registry.
    pub(crate) output: usize,
    /// The exchange.
    pub(crate) exchange: String,
    /// Whose.
    pub(crate) account: String,
    /// Who wrote it.
    pub(crate) model: String,
    /// When.
    pub(crate) at: String,
    /// The channel that tells most.
    pub(crate) channel: String,
    /// All channels together.
    pub(crate) bits: f64,
    /// The share of the output's own keys of that channel.
    pub(crate) share: f64,
    /// The chance in unrelated human text.
    pub(crate) p_unrelated: f64,
    /// What independent answers to the same prompt say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) independent: Option<Independent>,
    /// The share of independent answers to the same prompt that are so near.
    pub(crate) p_same_prompt: f64,
    /// Whether unrelated human text does not explain it.
    pub(crate) resembles: bool,
    /// Whether an independent answer does not either.
    pub(crate) derived: bool,
    /// First byte, the one behind the last, place in the output, channel.
    pub(crate) spans: Vec<(usize, usize, usize, String)>,
    /// The exchanges of its family.
    pub(crate) family: Vec<String>,
    /// Their places in the registry.
    pub(crate) family_outputs: Vec<usize>,
}

/// The sums of a batch, found documents among them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// Of every document.
    pub(crate) sums: [[u128; 4]; 3],
    /// Documents that hold nothing, with the twins their best match was compared with: output,
    /// twins, those as near, whether human text does not explain it.
    pub(crate) compared: Vec<(usize, usize, usize, bool)>,
    /// Documents that human text does not explain and control twins do: no findings, but nothing to
    /// be waved through either where the use is forbidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) near: Vec<Found>,
}

impl Resembled {
    /// A match as a line tells it.
    pub(crate) fn of(one: &Match, registry: &Registry) -> Option<Self> {
        let outputs = registry.outputs();
        let output = outputs.get(one.output)?;
        let family = one.family.iter().filter_map(|n| outputs.get(*n));
        Some(Self {
            output: one.output,
            exchange: output.id.to_string(),
            account: output.account.to_string(),
            model: output.model.to_string(),
            at: output.at.rfc3339(),
            channel: one.channel.name().to_owned(),
            bits: one.bits,
            share: one.share,
            p_unrelated: one.p_unrelated,
            independent: one.independent,
            p_same_prompt: one.p_same_prompt,
            resembles: one.resembles,
            derived: one.derived,
            spans: one
                .spans
                .iter()
                .map(|s| (s.start, s.end, s.position, s.channel.name().to_owned()))
                .collect(),
            family: family.map(|o| o.id.to_string()).collect(),
            family_outputs: one.family.clone(),
        })
    }

    fn back(&self) -> Match {
        let channel = |name: &str| {
            let found = Channel::ALL.into_iter().find(|c| c.name() == name);
            found.unwrap_or(Channel::Words)
        };
        Match {
            output: self.output,
            channel: channel(&self.channel),
            features: Features::default(),
            bits: self.bits,
            share: self.share,
            spans: self
                .spans
                .iter()
                .map(|(start, end, position, name)| Span {
                    start: *start,
                    end: *end,
                    position: *position,
                    channel: channel(name),
                })
                .collect(),
            p_unrelated: self.p_unrelated,
            independent: self.independent,
            p_same_prompt: self.p_same_prompt,
            family: self.family_outputs.clone(),
            resembles: self.resembles,
            derived: self.derived,
        }
    }
}

impl Found {
    /// The verdict that the line was made of, for the sums.
    pub(crate) fn verdict(&self) -> Verdict {
        Verdict {
            bytes: self.bytes,
            words: self.words,
            matches: self.matches.iter().map(Resembled::back).collect(),
            bytes_derived: self.bytes_derived,
        }
    }

    /// The strongest match that is a finding.
    pub(crate) fn strongest(&self) -> Option<&Resembled> {
        self.matches.iter().find(|one| one.derived)
    }
}

impl Batch {
    /// The verdicts that stand for its documents without a finding: those that were compared with
    /// twins, then the others, which count only.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = Verdict> + '_ {
        let tally = CorpusTally::of_sums(self.sums);
        let clean = tally.documents().saturating_sub(tally.flagged());
        let plain = clean.saturating_sub(self.compared.len() as u64);
        let empty = |matches| Verdict {
            bytes: 0,
            words: 0,
            matches,
            bytes_derived: 0,
        };
        let compared = self
            .compared
            .iter()
            .map(move |(output, twins, as_near, resembles)| {
                empty(vec![Match {
                    output: *output,
                    channel: Channel::Words,
                    features: Features::default(),
                    bits: 0.0,
                    share: 0.0,
                    spans: Vec::new(),
                    p_unrelated: 1.0,
                    independent: Some(Independent {
                        twins: *twins,
                        fleet: 0,
                        as_near: *as_near,
                        rank_p: 1.0,
                        contrast: 0.0,
                        p: 1.0,
                        strongest: 0.0,
                        compared: true,
                    }),
                    p_same_prompt: 1.0,
                    family: Vec::new(),
                    resembles: *resembles,
                    derived: false,
                }])
            });
        compared.chain((0..plain).map(move |_| empty(Vec::new())))
    }
}

/// Hands on the lines of a scan.
pub(crate) fn each(path: &Path, mut take: impl FnMut(Line)) -> Result<(), Failure> {
    let fault = |e: &dyn std::fmt::Display| {
        Failure::error(format!("failed to read `{}`: {e}", path.display()))
    };
    let mut lines = BufReader::with_capacity(1 << 18, File::open(path).map_err(|e| fault(&e))?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(|e| fault(&e))? > 0 {
        // The sums of a batch are wider than what an untagged enum can hold while it chooses.
        let read = if line.starts_with(BATCH) {
            serde_json::from_slice(&line).map(|batch| Line::Batch(Box::new(batch)))
        } else {
            serde_json::from_slice(&line).map(Line::Document)
        };
        take(read.map_err(|e| fault(&e))?);
        line.clear();
    }
    Ok(())
}

/// The documents of a scan, without its sums.
pub(crate) fn copy(scan: &Path, to: &Path) -> Result<(), Failure> {
    let fault = |e: &dyn std::fmt::Display| {
        Failure::error(format!("failed to write `{}`: {e}", to.display()))
    };
    let mut out = BufWriter::new(File::create(to).map_err(|e| fault(&e))?);
    let mut wrong = None;
    each(scan, |line| {
        if let Line::Document(found) = line {
            let written = serde_json::to_writer(&mut out, &found)
                .map_err(std::io::Error::from)
                .and_then(|()| out.write_all(b"\n"));
            wrong = wrong.take().or(written.err());
        }
    })?;
    let ended = wrong.map_or_else(|| out.flush(), Err);
    ended.map_err(|e| fault(&e))
}
