//! A small pool of our own text, so that the benchmark runs anywhere.
//!
//! Templates and words are written for it; it shows that everything works,
//! and its figures say nothing about real traffic.

use std::collections::HashSet;

use detection::Reader;

use crate::benchmark::pool::{Item, Pool, Source, item};
use crate::random::Random;

/// Rows of each programme.
const ROWS: usize = 110;

const SUBJECTS: [&str; 24] = [
    "harbour pilots",
    "bread ovens",
    "glacier maps",
    "violin strings",
    "tram timetables",
    "bee hives",
    "lighthouse lamps",
    "tax returns",
    "rose grafting",
    "bicycle gears",
    "river locks",
    "film lenses",
    "cheese cellars",
    "choir practice",
    "roof tiles",
    "sea kelp",
    "chess endings",
    "ink pens",
    "hill walks",
    "clock repair",
    "salt pans",
    "steam engines",
    "paper kites",
    "night trains",
];
const PLACES: [&str; 16] = [
    "in the north",
    "near the border",
    "by the lake",
    "in winter",
    "for beginners",
    "after the storm",
    "in small towns",
    "on islands",
    "in old books",
    "at night",
    "with little money",
    "for two people",
    "without a licence",
    "in an hour",
    "before the law changed",
    "on a Sunday",
];
const NAMES: [&str; 12] = [
    "Ada", "Bram", "Chidi", "Dora", "Emre", "Fenna", "Goran", "Hoa", "Ines", "Jarl", "Kofi", "Lena",
];

/// Campaigns: lineage, template.
const HARVESTS: [(&str, &str); 10] = [
    (
        "seeded",
        "Come up with 12 diverse tasks about {s} {p}. Do not repeat a verb, vary the kind of task, and give each an input and an output. The tasks will be given to a language model.\n\n1. {n} asks about {s}\n2.",
    ),
    (
        "seeded",
        "Write twenty new instructions on {s} {p} for an assistant. Each instruction must be different from the examples and should be challenging.\nInstruction:",
    ),
    (
        "evolving",
        "Rewrite the given prompt so that it is more complex and harder to answer. Add one constraint, keep it reasonable.\n#Prompt#: tell me about {s} {p}\n#New prompt#:",
    ),
    (
        "evolving",
        "Draw inspiration from the given instruction and create a brand new, rarer instruction in the same domain.\nGiven instruction: explain {s} {p} to {n}\nCreated instruction:",
    ),
    (
        "dialogues",
        "Generate a realistic conversation between a user and an AI assistant about {s} {p}. The user is called {n}. At least 8 turns, natural and specific.",
    ),
    (
        "dialogues",
        "Imagine you are {n}, who works with {s} {p}. Generate a question that this persona would ask a chatbot. Only output the question.",
    ),
    (
        "reasoning",
        "Create a difficult problem about {s} {p} with a detailed solution. Make sure that the reasoning is complete, and end with the final answer. Problem for {n}:",
    ),
    (
        "tools",
        "Here is the description of a tool for {s} {p}. Generate five diverse user requests that need this tool. Each request should be realistic.\nTool: {n}\nRequests:",
    ),
    (
        "personas",
        "Create a detailed persona who cares about {s} {p}, then write three prompts that the persona may give to a language model. Name: {n}",
    ),
    (
        "paraphrases",
        "Produce 10 paraphrases of the question below. They should be as different as possible and keep the meaning.\nQuestion: what does {n} need for {s} {p}?",
    ),
];

/// Honest lineages with their templates.
const HONEST: [(&str, &str); 26] = [
    (
        "chat-a",
        "hi, i am {n}. can you help me with my {s} {p}? i do not know where to begin, thanks",
    ),
    (
        "chat-b",
        "why do my {s} always fail {p}? what should i change",
    ),
    ("chat-c", "what is the best way to learn about {s} {p}"),
    (
        "chat-d",
        "my neighbour {n} says that {s} are cheaper {p}. is it true?",
    ),
    (
        "chat-e",
        "please correct my letter: dear {n}, we come to see the {s} {p}.",
    ),
    (
        "mail",
        "Summarise the mail below in two sentences for {n}.\n\nMail: we had trouble with the {s} {p}.",
    ),
    (
        "tickets",
        "Classify the ticket as billing, fault or question. Return the label only.\nTicket: the {s} {p} do not work, says {n}",
    ),
    (
        "sentiment",
        "Is the review positive or negative? Answer with one word.\nReview: {n} liked the {s} {p}.",
    ),
    (
        "fields",
        "Extract name, object and place as JSON from the text.\nText: {n} ordered {s} {p}.",
    ),
    (
        "sql",
        "Translate the question into SQL. Tables: orders(id, customer, product).\nQuestion: how many {s} did {n} order {p}?",
    ),
    (
        "rag-a",
        "Answer from the passage only. If it is not there, say so.\nPassage: The {s} {p} were repaired by {n}.\nQuestion: who repaired them?",
    ),
    (
        "rag-b",
        "Context: {n} wrote about {s} {p}.\nBased on the context, what did {n} write about?",
    ),
    (
        "exam-a",
        "Question: which of these belongs to {s} {p}?\nA. {n}\nB. a ladder\nC. a kite\nD. a bell\nAnswer:",
    ),
    (
        "exam-b",
        "Q: {n} has 12 {s} and gives away 5 {p}. How many are left?\nA: think step by step.",
    ),
    (
        "exam-c",
        "True or false: {s} are used {p}. Answer with true or false. {n}",
    ),
    (
        "code-a",
        "def count_{n}(items):\n    \"\"\"count the {s} {p}\"\"\"\n",
    ),
    (
        "code-b",
        "Review this function and find the bug:\nfunction f(x) { return x + '{s}' } // {n} {p}",
    ),
    (
        "shop",
        "You are the assistant of a shop. Customer {n}: where is my order of {s} {p}?",
    ),
    (
        "hotel",
        "Booking desk. Guest {n} asks: is there a room near the {s} {p}?",
    ),
    (
        "bank",
        "Bank support. Message of {n}: my card was refused when i paid for {s} {p}",
    ),
    (
        "translate",
        "Translate into French: the {s} {p} belong to {n}.",
    ),
    ("search", "{s} {p} {n}"),
    (
        "news",
        "Write a headline of at most eight words for this article: {n} opens a museum of {s} {p}.",
    ),
    (
        "minutes",
        "Meeting notes of {n}: we spoke about {s} {p}. List the decisions.",
    ),
    (
        "moderate",
        "Does the comment break the rules (insult, threat, none)? Return one word. Comment by {n}: your {s} are bad {p}",
    ),
    (
        "essay",
        "write a short essay about {s} {p} for my class, my name is {n}",
    ),
];

/// Programmes of each honest lineage: houses with a greeting of their own.
const HOUSES: usize = 5;

/// The pool of one seed.
pub fn own_pool(seed: u64) -> Pool {
    let mut random = Random::new(seed ^ 0x0e11);
    let mut reader = Reader::default();
    let mut pool = Pool::default();
    for (n, (lineage, template)) in HARVESTS.iter().enumerate() {
        let name = format!("own_harvest_{lineage}_{n}");
        pool.sources.push(source(
            &name,
            lineage,
            true,
            &[(*template).to_owned()],
            &mut reader,
            &mut random,
        ));
    }
    for (lineage, template) in HONEST {
        let houses: Vec<String> = (0..HOUSES)
            .map(|house| match NAMES.get(house).filter(|_| house > 0) {
                Some(name) => format!(
                    "{name} and Sons, {} desk. {template}",
                    SUBJECTS.get(house * 3).copied().unwrap_or_default()
                ),
                None => template.to_owned(),
            })
            .collect();
        let name = format!("own_honest_{lineage}");
        pool.sources.push(source(
            &name,
            lineage,
            false,
            &houses,
            &mut reader,
            &mut random,
        ));
    }
    pool.exchanges = pool.sources.iter().map(|s| s.items.len()).sum();
    pool
}

fn source(
    name: &str,
    lineage: &str,
    harvest: bool,
    templates: &[String],
    reader: &mut Reader,
    random: &mut Random,
) -> Source {
    let mut known = HashSet::new();
    let mut items: Vec<Item> = Vec::new();
    for (programme, template) in templates.iter().enumerate() {
        let most = items.len() + if harvest { 4 * ROWS } else { ROWS };
        for _ in 0..20 * ROWS {
            if items.len() >= most {
                break;
            }
            let text = template
                .replace("{s}", random.pick(&SUBJECTS))
                .replace("{p}", random.pick(&PLACES))
                .replace("{n}", random.pick(&NAMES));
            let made = item(reader, vec![("user".to_owned(), text)], &mut known);
            items.extend(made.map(|item| Item { programme, ..item }));
        }
    }
    Source {
        name: name.to_owned(),
        lineage: lineage.to_owned(),
        harvest,
        programmes: (0..templates.len())
            .map(|n| format!("{name}/{n}"))
            .collect(),
        items,
        repeated: 0,
    }
}
