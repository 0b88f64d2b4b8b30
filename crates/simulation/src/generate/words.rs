//! The words that fleets are made of.

pub(super) const KINDS: [&str; 9] = [
    "support",
    "coding",
    "translation",
    "summaries",
    "tutoring",
    "extraction",
    "search",
    "drafting",
    "moderation",
];

pub(super) const OPENINGS: [&str; 6] = [
    "Please",
    "Now",
    "As a careful teacher,",
    "For my notes,",
    "Once more,",
    "If you would,",
];

pub(super) const TOPICS: [&str; 24] = [
    "algebra",
    "harbours",
    "metabolism",
    "sorting",
    "inheritance",
    "tides",
    "contracts",
    "optics",
    "syntax",
    "glaciers",
    "auctions",
    "vaccines",
    "recursion",
    "fermentation",
    "orbits",
    "grammar",
    "bridges",
    "enzymes",
    "statistics",
    "magnetism",
    "photosynthesis",
    "navigation",
    "geometry",
    "caching",
];

pub(super) const ADJECTIVES: [&str; 40] = [
    "amber", "brisk", "calm", "dusty", "eager", "faint", "gentle", "hollow", "idle", "jagged",
    "keen", "late", "mellow", "narrow", "odd", "pale", "quiet", "rapid", "sober", "tidy", "upper",
    "vivid", "warm", "young", "zesty", "broad", "crisp", "deep", "early", "firm", "grand", "humid",
    "inner", "light", "moist", "neat", "open", "plain", "round", "steep",
];

pub(super) const NOUNS: [&str; 48] = [
    "ledger", "orchard", "parcel", "turbine", "window", "invoice", "garden", "engine", "letter",
    "harbour", "meadow", "ticket", "shelf", "bakery", "valley", "printer", "station", "carpet",
    "ladder", "basket", "clinic", "bridge", "kettle", "mirror", "pencil", "quarry", "ribbon",
    "saddle", "tunnel", "violin", "wagon", "anchor", "beacon", "candle", "drawer", "easel",
    "ferry", "gravel", "hammer", "island", "jacket", "kitchen", "lantern", "market", "needle",
    "office", "pillow", "roof",
];

pub(super) const VERBS: [&str; 30] = [
    "follows", "carries", "repairs", "answers", "weighs", "guards", "paints", "counts", "lifts",
    "mends", "opens", "reads", "sells", "turns", "visits", "warms", "writes", "borrows", "checks",
    "draws", "feeds", "gathers", "helps", "joins", "keeps", "leads", "moves", "orders", "packs",
    "rents",
];

pub(super) const ADVERBS: [&str; 24] = [
    "slowly", "often", "twice", "gladly", "rarely", "quietly", "together", "outside", "today",
    "again", "softly", "barely", "nearby", "early", "kindly", "firmly", "upstairs", "later",
    "mostly", "never", "inside", "weekly", "openly", "somehow",
];
