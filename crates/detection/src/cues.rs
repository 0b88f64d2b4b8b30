//! Of what kind of request does the wording speak?
//!
//! About fifty families of cues, each a count in one prompt: words that ask
//! for data to be made ("come up with 20 diverse tasks"), that grade an
//! answer, that pose as a person, that name an exam's options, and so on.
//! A single cue says next to nothing; what a programme's cues look like on
//! average is what the linear head weighs.
//!
//! Nothing here reads who sent the request, which model was asked, whether
//! an answer exists, or where in the conversation a text stands: those tell
//! how a log was made, not what was asked.

mod lexicon;
mod shape;

use std::collections::HashMap;

use lexicon::{LEXICON, PHRASE_MAX};
pub(crate) use shape::Shape;

use crate::sketch::SketchKey;
use crate::text;

/// One family of cues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cue {
    /// Verbs that make: generate, come up with, craft.
    Generate,
    /// To write, which people ask for too.
    Write,
    /// What training sets are made of: questions, instructions, dialogues.
    DataNoun,
    /// Things counted in lists and sets.
    Quantity,
    /// Demands for variety.
    Diversity,
    /// Talk of language models and assistants.
    Model,
    /// Talk of prompts and instructions.
    Prompt,
    /// Fields of a record: input, output, response.
    Field,
    /// Words of grading.
    Rubric,
    /// Comparing answers.
    Compare,
    /// Words of rewriting.
    Rewrite,
    /// Posing as someone.
    Simulate,
    /// Parties of a conversation.
    Party,
    /// Demands for reasoning.
    Reasoning,
    /// Demands on form.
    Format,
    /// Must, should, never.
    Constraint,
    /// Hard, realistic, detailed.
    Quality,
    /// I, my, we.
    FirstPerson,
    /// You, your.
    SecondPerson,
    /// Question words.
    QuestionWord,
    /// Please, thanks, hello.
    Polite,
    /// Only a label is wanted.
    LabelOnly,
    /// Options of an exam.
    Option,
    /// A text is given to answer from.
    Context,
    /// Summarise, translate, classify, extract.
    Application,
    /// Databases.
    Database,
    /// Programs.
    Code,
    /// Sums.
    Mathematics,
    /// Shops, bookings, tickets.
    Service,
    /// Learners and teachers.
    Education,
    /// Illness and its treatment.
    Medicine,
    /// Examples are given.
    Example,
    /// Slots: given, above, below.
    Given,
    /// Training and evaluation of models.
    Training,
    /// Subjects that a task may be about.
    Topic,
    /// People for whom something is made.
    Audience,
    /// Nothing else may be said.
    NothingElse,
    /// Tools and interfaces.
    Tool,
    /// Stories and pictures.
    Creative,
    /// A maker's verb close before what data are made of.
    MakesData,
    /// A rewriter's verb close before a prompt or a text.
    RewritesPrompt,
    /// A grader's word close to an answer.
    GradesAnswer,
    /// A number close before what data are made of.
    CountsData,
    /// Variety close to what data are made of.
    VariesData,
    /// Someone is posed as, close to a party of a conversation.
    PosesAsParty,
    /// Lines.
    Lines,
    /// Lines that begin with a label and a colon.
    LabelLines,
    /// Lines that begin with a number.
    NumberedLines,
    /// Lines that begin with a bullet.
    BulletLines,
    /// Hashes and rules that divide a prompt into parts.
    Dividers,
    /// Square and angle brackets: slots and tags.
    Slots,
    /// Braces and semicolons.
    Punctuated,
    /// Question marks.
    QuestionMarks,
    /// Quotation marks.
    Quotes,
    /// Numbers.
    Numbers,
    /// Words in capitals.
    Capitals,
    /// The prompt ends in an open slot: a colon, a number with a point.
    OpenEnd,
    /// Words, logarithmic.
    Length,
    /// Different words of a hundred.
    Richness,
}

/// How many families there are.
pub const CUES: usize = 59;

impl Cue {
    /// All of them, in their order.
    pub const ALL: [Self; CUES] = [
        Self::Generate,
        Self::Write,
        Self::DataNoun,
        Self::Quantity,
        Self::Diversity,
        Self::Model,
        Self::Prompt,
        Self::Field,
        Self::Rubric,
        Self::Compare,
        Self::Rewrite,
        Self::Simulate,
        Self::Party,
        Self::Reasoning,
        Self::Format,
        Self::Constraint,
        Self::Quality,
        Self::FirstPerson,
        Self::SecondPerson,
        Self::QuestionWord,
        Self::Polite,
        Self::LabelOnly,
        Self::Option,
        Self::Context,
        Self::Application,
        Self::Database,
        Self::Code,
        Self::Mathematics,
        Self::Service,
        Self::Education,
        Self::Medicine,
        Self::Example,
        Self::Given,
        Self::Training,
        Self::Topic,
        Self::Audience,
        Self::NothingElse,
        Self::Tool,
        Self::Creative,
        Self::MakesData,
        Self::RewritesPrompt,
        Self::GradesAnswer,
        Self::CountsData,
        Self::VariesData,
        Self::PosesAsParty,
        Self::Lines,
        Self::LabelLines,
        Self::NumberedLines,
        Self::BulletLines,
        Self::Dividers,
        Self::Slots,
        Self::Punctuated,
        Self::QuestionMarks,
        Self::Quotes,
        Self::Numbers,
        Self::Capitals,
        Self::OpenEnd,
        Self::Length,
        Self::Richness,
    ];

    /// Its place in [`Counts`].
    pub(crate) fn place(self) -> usize {
        usize::from(self as u8)
    }

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Write => "write",
            Self::DataNoun => "data_noun",
            Self::Quantity => "quantity",
            Self::Diversity => "diversity",
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::Field => "field",
            Self::Rubric => "rubric",
            Self::Compare => "compare",
            Self::Rewrite => "rewrite",
            Self::Simulate => "simulate",
            Self::Party => "party",
            Self::Reasoning => "reasoning",
            Self::Format => "format",
            Self::Constraint => "constraint",
            Self::Quality => "quality",
            Self::FirstPerson => "first_person",
            Self::SecondPerson => "second_person",
            Self::QuestionWord => "question_word",
            Self::Polite => "polite",
            Self::LabelOnly => "label_only",
            Self::Option => "option",
            Self::Context => "context",
            Self::Application => "application",
            Self::Database => "database",
            Self::Code => "code",
            Self::Mathematics => "mathematics",
            Self::Service => "service",
            Self::Education => "education",
            Self::Medicine => "medicine",
            Self::Example => "example",
            Self::Given => "given",
            Self::Training => "training",
            Self::Topic => "topic",
            Self::Audience => "audience",
            Self::NothingElse => "nothing_else",
            Self::Tool => "tool",
            Self::Creative => "creative",
            Self::MakesData => "makes_data",
            Self::RewritesPrompt => "rewrites_prompt",
            Self::GradesAnswer => "grades_answer",
            Self::CountsData => "counts_data",
            Self::VariesData => "varies_data",
            Self::PosesAsParty => "poses_as_party",
            Self::Lines => "lines",
            Self::LabelLines => "label_lines",
            Self::NumberedLines => "numbered_lines",
            Self::BulletLines => "bullet_lines",
            Self::Dividers => "dividers",
            Self::Slots => "slots",
            Self::Punctuated => "punctuated",
            Self::QuestionMarks => "question_marks",
            Self::Quotes => "quotes",
            Self::Numbers => "numbers",
            Self::Capitals => "capitals",
            Self::OpenEnd => "open_end",
            Self::Length => "length",
            Self::Richness => "richness",
        }
    }

    /// In words, for people who must judge what it means.
    pub fn words(self) -> &'static str {
        match self {
            Self::Generate => "verbs of making (generate, come up with)",
            Self::Write => "to write, which people ask for too",
            Self::DataNoun => "what training sets are made of (questions, tasks, dialogues)",
            Self::Quantity => "lists and sets to be filled",
            Self::Diversity => "demands for variety",
            Self::Model => "talk of language models and assistants",
            Self::Prompt => "talk of prompts and instructions",
            Self::Field => "fields of a record: input, output, response",
            Self::Rubric => "words of grading",
            Self::Compare => "comparing answers",
            Self::Rewrite => "words of rewriting",
            Self::Simulate => "posing as someone",
            Self::Party => "parties of a conversation to be written",
            Self::Reasoning => "demands for reasoning",
            Self::Format => "demands on form",
            Self::Constraint => "rules for the answer",
            Self::Quality => "demands on difficulty and realism",
            Self::FirstPerson => "i, my, we",
            Self::SecondPerson => "you, your",
            Self::QuestionWord => "question words",
            Self::Polite => "please, thanks, hello",
            Self::LabelOnly => "only a label is wanted",
            Self::Option => "options of an exam",
            Self::Context => "a text is given to answer from",
            Self::Application => "summarise, translate, classify, extract",
            Self::Database => "databases",
            Self::Code => "programs",
            Self::Mathematics => "sums",
            Self::Service => "shops, bookings, tickets",
            Self::Education => "learners and teachers",
            Self::Medicine => "illness and its treatment",
            Self::Example => "examples are given",
            Self::Given => "slots: given, above, below",
            Self::Training => "training and evaluation of models",
            Self::Topic => "subjects that a task may be about",
            Self::Audience => "people for whom something is made",
            Self::NothingElse => "nothing else may be said",
            Self::Tool => "tools and interfaces",
            Self::Creative => "stories and pictures",
            Self::MakesData => "a verb of making close before what data are made of",
            Self::RewritesPrompt => "rewriting of prompts",
            Self::GradesAnswer => "a grader's word close to an answer",
            Self::CountsData => "a number of data to be made",
            Self::VariesData => "variety demanded of data",
            Self::PosesAsParty => "posing as a party of a conversation",
            Self::Lines => "lines",
            Self::LabelLines => "lines that begin with a label and a colon",
            Self::NumberedLines => "lines that begin with a number",
            Self::BulletLines => "lines that begin with a bullet",
            Self::Dividers => "hashes and rules that divide a prompt into parts",
            Self::Slots => "square and angle brackets: slots and tags",
            Self::Punctuated => "braces and semicolons",
            Self::QuestionMarks => "question marks",
            Self::Quotes => "quotation marks",
            Self::Numbers => "numbers",
            Self::Capitals => "words in capitals",
            Self::OpenEnd => "prompts that end in an open slot",
            Self::Length => "words, logarithmic",
            Self::Richness => "different words of a hundred",
        }
    }
}

/// How often each family occurs in one prompt.
pub type Counts = [u16; CUES];

/// How many words may lie between the two parts of a cue of two parts.
const WINDOW: usize = 10;

/// The lexicon, hashed.
#[derive(Debug, Clone)]
pub(crate) struct Lexicon {
    key: SketchKey,
    phrases: HashMap<u64, Cue, Plain>,
    /// Words that may begin a phrase, by sixteen bits of their hash: most words begin none, and
    /// are asked for no further.
    begins: Vec<u64>,
}

/// The word and the bit of a hash's sixteen bits.
fn bit(hash: u64) -> (usize, u64) {
    let [a, b, ..] = hash.to_le_bytes();
    let sixteen = u16::from_le_bytes([a, b]);
    (usize::from(sixteen >> 6), 1 << (sixteen & 63))
}

/// The keys are hashes already.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Plain(u64);

impl std::hash::Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

impl std::hash::BuildHasher for Plain {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

/// The hash of some words in a row, from theirs.
pub(crate) fn joined(words: &[u64]) -> u64 {
    words.iter().fold(0, |state: u64, word| {
        (state ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    })
}

impl Lexicon {
    pub(crate) fn new(key: SketchKey) -> Self {
        let mut phrases = HashMap::with_hasher(Plain(0));
        let mut begins = vec![0; 1 << 10];
        for (cue, words) in LEXICON {
            for phrase in words.split(',') {
                let tokens: Vec<u64> = text::normalised(phrase)
                    .split(' ')
                    .map(|word| key.hash(word.as_bytes()))
                    .collect();
                let (word, bit) = tokens.first().map_or((0, 0), |first| bit(*first));
                if let Some(word) = begins.get_mut(word) {
                    *word |= bit;
                }
                phrases.insert(joined(&tokens), *cue);
            }
        }
        Self {
            key,
            phrases,
            begins,
        }
    }

    /// The hash of one normalised word.
    pub(crate) fn word(&self, word: &str) -> u64 {
        self.key.hash(word.as_bytes())
    }

    /// The longest phrase that begins here.
    fn at(&self, words: &[u64]) -> Option<(Cue, usize)> {
        let (word, bit) = bit(*words.first()?);
        if self.begins.get(word).is_none_or(|bits| bits & bit == 0) {
            return None;
        }
        (1..=PHRASE_MAX.min(words.len())).rev().find_map(|n| {
            let hash = joined(words.get(..n)?);
            self.phrases.get(&hash).map(|cue| (*cue, n))
        })
    }

    /// Counts the cues of some words in a row into `counts`.
    pub(crate) fn count(&self, words: &[u64], counts: &mut Counts) {
        let mut near = Near::default();
        let mut at = 0;
        while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some((cue, n)) = self.at(rest) {
                bump(counts, cue);
                near.see(cue, at, counts);
                at += n;
            } else {
                at += 1;
            }
        }
    }
}

pub(crate) fn bump(counts: &mut Counts, cue: Cue) {
    if let Some(count) = counts.get_mut(cue.place()) {
        *count = count.saturating_add(1);
    }
}

/// Where the parts of two-part cues were last seen.
#[derive(Default)]
struct Near {
    made: Option<usize>,
    rewritten: Option<usize>,
    graded: Option<usize>,
    counted: Option<usize>,
    varied: Option<usize>,
    posed: Option<usize>,
    data: Option<usize>,
    answer: Option<usize>,
}

impl Near {
    fn see(&mut self, cue: Cue, at: usize, counts: &mut Counts) {
        let close = |part: Option<usize>, most: usize| part.is_some_and(|p| at - p <= most);
        let mut pair = |yes: bool, cue: Cue| {
            if yes {
                bump(counts, cue);
            }
        };
        match cue {
            Cue::Generate | Cue::Write => self.made = Some(at),
            Cue::Rewrite => self.rewritten = Some(at),
            Cue::Rubric | Cue::Compare => {
                pair(close(self.answer, WINDOW), Cue::GradesAnswer);
                self.graded = Some(at);
            }
            Cue::Quantity => self.counted = Some(at),
            Cue::Diversity => {
                pair(close(self.data, WINDOW), Cue::VariesData);
                self.varied = Some(at);
            }
            Cue::Simulate => self.posed = Some(at),
            Cue::DataNoun | Cue::Prompt => {
                pair(close(self.made, WINDOW), Cue::MakesData);
                pair(close(self.rewritten, WINDOW), Cue::RewritesPrompt);
                pair(close(self.counted, 4), Cue::CountsData);
                pair(close(self.varied, 6), Cue::VariesData);
                self.data = Some(at);
            }
            Cue::Field => {
                pair(close(self.graded, WINDOW), Cue::GradesAnswer);
                self.answer = Some(at);
            }
            Cue::Party | Cue::Model => pair(close(self.posed, WINDOW), Cue::PosesAsParty),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
