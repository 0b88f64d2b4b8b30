//! Texts of the act: answers, documents as people write them, and what a script makes of an answer
//! that is to be hidden. All of it is ours and made by chance from one seed.

use simulation::Random;

/// A prompt and its answer.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Place of the account among those of the act.
    pub(super) account: usize,
    /// Its name.
    pub(super) name: String,
    /// The model.
    pub(super) model: String,
    /// What was asked.
    pub(super) prompt: String,
    /// What was answered.
    pub(super) answer: String,
}

const NAMES: [&str; 16] = [
    "Alice", "Bernard", "Chidi", "Dolores", "Emeka", "Farida", "Goran", "Hannah", "Ivan", "Jun",
    "Keiko", "Lars", "Mireille", "Nadia", "Oskar", "Priya",
];
const NOUNS: [&str; 96] = [
    "harbour",
    "ledger",
    "orchard",
    "turbine",
    "violin",
    "glacier",
    "bakery",
    "compass",
    "lantern",
    "meadow",
    "archive",
    "bridge",
    "canal",
    "furnace",
    "garden",
    "hospital",
    "island",
    "journal",
    "kitchen",
    "library",
    "market",
    "needle",
    "observatory",
    "parliament",
    "quarry",
    "railway",
    "stadium",
    "theatre",
    "umbrella",
    "village",
    "workshop",
    "yard",
    "antenna",
    "barrel",
    "cathedral",
    "desert",
    "engine",
    "fountain",
    "granary",
    "hammer",
    "ink",
    "jacket",
    "kettle",
    "loom",
    "mirror",
    "notebook",
    "oven",
    "pump",
    "quilt",
    "rudder",
    "saddle",
    "tunnel",
    "urn",
    "valve",
    "wagon",
    "yeast",
    "zinc",
    "alphabet",
    "bicycle",
    "cellar",
    "drawer",
    "elevator",
    "ferry",
    "glove",
    "hinge",
    "icebox",
    "jar",
    "kiln",
    "ladder",
    "magnet",
    "net",
    "oar",
    "pebble",
    "radiator",
    "sail",
    "telescope",
    "vineyard",
    "whistle",
    "anchor",
    "beacon",
    "cradle",
    "dam",
    "embassy",
    "forge",
    "greenhouse",
    "hive",
    "inn",
    "jetty",
    "keyboard",
    "lever",
    "mill",
    "nursery",
    "opera",
    "pulley",
    "rope",
    "signal",
];
const VERBS: [&str; 64] = [
    "repairs",
    "measures",
    "inherits",
    "paints",
    "borrows",
    "carries",
    "dismantles",
    "examines",
    "forgets",
    "guards",
    "harvests",
    "imagines",
    "joins",
    "kindles",
    "lifts",
    "melts",
    "navigates",
    "observes",
    "polishes",
    "questions",
    "restores",
    "sketches",
    "translates",
    "unlocks",
    "visits",
    "weighs",
    "abandons",
    "balances",
    "collects",
    "decorates",
    "explores",
    "fastens",
    "gathers",
    "hides",
    "inspects",
    "juggles",
    "kneads",
    "labels",
    "mends",
    "notices",
    "opens",
    "plants",
    "quotes",
    "refuses",
    "sharpens",
    "tames",
    "unfolds",
    "values",
    "washes",
    "admires",
    "blames",
    "copies",
    "drains",
    "empties",
    "floods",
    "grinds",
    "heats",
    "invents",
    "knits",
    "lends",
    "moves",
    "numbers",
    "orders",
    "praises",
];
const ADJECTIVES: [&str; 64] = [
    "ancient", "brittle", "crimson", "distant", "elegant", "fragile", "gentle", "hollow", "idle",
    "jagged", "keen", "luminous", "modest", "narrow", "ornate", "patient", "quiet", "rusty",
    "slender", "tidy", "uneven", "vivid", "weary", "wooden", "bitter", "candid", "damp", "eager",
    "faded", "grand", "humble", "icy", "jolly", "kindly", "lofty", "muddy", "noble", "odd", "pale",
    "rapid", "silent", "tough", "urban", "vague", "wild", "young", "abrupt", "bold", "calm",
    "dusty", "early", "firm", "gloomy", "heavy", "insular", "joint", "lazy", "mute", "naive",
    "oval", "plain", "rough", "soft", "thin",
];
const FRAMES: [&str; 12] = [
    "N V the A n near the n.",
    "The A n of the n V every A n.",
    "In # the n V a n, and N V the n.",
    "A n V the A n because N V it.",
    "Whoever V the n also V the A n.",
    "N says that the n V the n of # A n.",
    "When the A n V, the n V the n.",
    "There are # reasons why the n V the n: the A n and the n.",
    "The n V the n, but the A n V the n.",
    "N never V a n without the A n.",
    "Under the n, N V # A n.",
    "Between the A n and the n, a n V the n.",
];

/// Unique prompts with their answers, `each` of every account.
pub(super) fn harvest(seed: u64, each: usize, accounts: &[(&str, &str)]) -> Vec<Asked> {
    let mut random = Random::new(seed);
    let mut all = Vec::new();
    for (account, (name, model)) in accounts.iter().enumerate() {
        for n in 0..each {
            let (one, other) = (random.pick(&NOUNS), random.pick(&NOUNS));
            all.push(Asked {
                account,
                name: (*name).to_owned(),
                model: (*model).to_owned(),
                prompt: format!("Question {n} of {name}: explain the {one} and the {other}."),
                answer: sentences(18, &mut random),
            });
        }
    }
    all
}

/// A document as people write them.
pub(super) fn human(random: &mut Random) -> String {
    let count = 8 + random.below(16);
    sentences(count, random)
}

/// So many sentences.
pub(crate) fn sentences(count: usize, random: &mut Random) -> String {
    let all: Vec<String> = (0..count).map(|_| sentence(random)).collect();
    all.join(" ")
}

fn sentence(random: &mut Random) -> String {
    let frame = random.pick(&FRAMES);
    let words = frame.split(' ').map(|word| {
        let (bare, end) = match word.strip_suffix(['.', ',', ':']) {
            Some(bare) => (bare, word.get(bare.len()..).unwrap_or_default()),
            None => (word, ""),
        };
        let chosen = match bare {
            "N" => random.pick(&NAMES).to_owned(),
            "V" => random.pick(&VERBS).to_owned(),
            "A" => random.pick(&ADJECTIVES).to_owned(),
            "n" => random.pick(&NOUNS).to_owned(),
            "#" => (2 + random.below(900)).to_string(),
            plain => plain.to_owned(),
        };
        format!("{chosen}{end}")
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What a script makes of an answer: one sentence in four is cut, names and numbers are others,
/// every second sentence begins in lower case.
pub(super) fn disguised(answer: &str, random: &mut Random) -> String {
    let mut kept: Vec<String> = Vec::new();
    for (n, sentence) in answer.split_inclusive(". ").enumerate() {
        if random.below(4) == 0 {
            continue;
        }
        let words = sentence.split(' ').map(|word| {
            let bare = word.trim_end_matches(['.', ',', ':']);
            let end = word.get(bare.len()..).unwrap_or_default();
            if NAMES.contains(&bare) {
                format!("{}{end}", random.pick(&NAMES))
            } else if !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit()) {
                format!("{}{end}", 1_000 + random.below(9_000))
            } else {
                word.to_owned()
            }
        });
        let sentence = words.collect::<Vec<_>>().join(" ");
        kept.push(if n % 2 == 0 {
            sentence
        } else {
            sentence.to_lowercase()
        });
    }
    kept.concat()
}
