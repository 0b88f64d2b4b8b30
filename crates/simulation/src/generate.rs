//! A fleet of our own words: honest customers with templates of their own, and
//! one ring that spreads a single programme over many small accounts.

use facts::{AccountId, IdError, Timestamp};

use crate::fleet::{Fleet, FleetAccount, FleetExchange};
use crate::random::Random;

mod words;

use words::{ADJECTIVES, ADVERBS, KINDS, NOUNS, OPENINGS, TOPICS, VERBS};

/// How large a fleet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetShape {
    /// Honest accounts, each a customer of its own.
    pub honest: usize,
    /// Accounts of the ring.
    pub ring: usize,
    /// Exchanges of each account.
    pub each: usize,
}

impl Default for FleetShape {
    /// 110 accounts with 5,500 exchanges.
    fn default() -> Self {
        Self {
            honest: 90,
            ring: 20,
            each: 50,
        }
    }
}

impl Fleet {
    /// Makes a fleet; the same seed makes the same one.
    ///
    /// # Errors
    /// [`IdError`] never in practice: the names are made here.
    pub fn generate(seed: u64, shape: FleetShape) -> Result<Self, IdError> {
        let mut random = Random::new(seed);
        let mut fleet = Self::default();
        for n in 0..shape.honest {
            let kind = KINDS.get(n % KINDS.len()).copied().unwrap_or("customer");
            let template = template(&mut random, kind);
            let name = format!("{kind}-{n:03}");
            fleet.open(&name, kind, false)?;
            for _ in 0..shape.each {
                let task = format!("{}\n\n{}", template.1, text(&mut random, 2));
                let conversation = vec![
                    ("system".to_owned(), template.0.clone()),
                    ("user".to_owned(), task),
                ];
                fleet.say(conversation, text(&mut random, 2));
            }
        }
        let programme = programme(&mut random);
        let mut queue: Vec<usize> = (0..shape.ring * shape.each).collect();
        random.shuffle(&mut queue);
        let mut queue = queue.into_iter();
        for n in 0..shape.ring {
            fleet.open(&format!("reader-{n:03}"), "harvest", true)?;
            for item in queue.by_ref().take(shape.each) {
                let opening = random.pick(&OPENINGS);
                let asked = format!("{opening} {}", programme.replace("{topic}", &topic(item)));
                fleet.say(vec![("user".to_owned(), asked)], text(&mut random, 3));
            }
        }
        fleet.mix(&mut random);
        Ok(fleet)
    }

    fn open(&mut self, name: &str, kind: &str, ring: bool) -> Result<(), IdError> {
        let name = AccountId::parse(name)?;
        self.accounts.push(FleetAccount {
            name,
            kind: kind.to_owned(),
            ring,
        });
        Ok(())
    }

    /// An exchange of the account opened last.
    fn say(&mut self, conversation: Vec<(String, String)>, answer: String) {
        let account = self.accounts.len().saturating_sub(1);
        let model = "replay-1".to_owned();
        self.exchanges.push(FleetExchange {
            account,
            conversation,
            answer,
            model,
            at: Timestamp(0),
        });
    }

    /// Puts the exchanges into a random order, one second apart.
    pub(crate) fn mix(&mut self, random: &mut Random) {
        /// 2026-01-01T00:00:00Z.
        const BEGIN: i64 = 1_767_225_600_000;
        random.shuffle(&mut self.exchanges);
        for (at, exchange) in (BEGIN..).step_by(1_000).zip(&mut self.exchanges) {
            exchange.at = Timestamp(at);
        }
    }
}

/// A sentence that hardly anyone else makes.
fn sentence(random: &mut Random) -> String {
    format!(
        "The {} {} {} {} the {} {} {}.",
        random.pick(&ADJECTIVES),
        random.pick(&NOUNS),
        random.pick(&ADVERBS),
        random.pick(&VERBS),
        random.pick(&ADJECTIVES),
        random.pick(&NOUNS),
        random.pick(&ADVERBS),
    )
}

fn text(random: &mut Random, sentences: usize) -> String {
    (0..sentences)
        .map(|_| sentence(random))
        .collect::<Vec<_>>()
        .join(" ")
}

/// An honest customer's own template: instructions and the frame of a task.
fn template(random: &mut Random, kind: &str) -> (String, String) {
    let house = format!("{} {}", random.pick(&NOUNS), random.pick(&NOUNS));
    let system = format!(
        "You do {kind} for the house of {house}. {}",
        text(random, 3)
    );
    let frame = format!("{}: {}", kind, sentence(random));
    (system, frame)
}

/// One item of the ring's queue; no two are equal below 46,080.
fn topic(item: usize) -> String {
    let word =
        |words: &[&'static str], n: usize| words.get(n % words.len()).copied().unwrap_or_default();
    let (a, t) = (ADJECTIVES.len(), TOPICS.len());
    format!(
        "{} {} and the {}",
        word(&ADJECTIVES, item),
        word(&TOPICS, item / a),
        word(&NOUNS, item / (a * t))
    )
}

/// The ring's programme, with a slot for the topic.
fn programme(random: &mut Random) -> String {
    format!(
        "write one difficult question about {{topic}} together with a complete worked answer. Think through every step \
         before the answer, number the steps, and end with a line that begins with RESULT. Give the whole as one JSON \
         object with the members instruction, reasoning and output, and nothing around it. {}",
        sentence(random)
    )
}

#[cfg(test)]
mod tests;
