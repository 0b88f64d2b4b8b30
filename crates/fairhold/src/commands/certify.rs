//! `fairhold certify`: signs that a corpus may be used for something, with what was not checked.

use std::path::Path;

use serde_json::{Value, json};
use store::SystemClock;

use super::audit::statement::{corpus_digest, signed};
use super::audit::{json as pretty, keep};
use super::gate::{Gated, Passed, exit, pass, show};
use crate::args::provenance::Certify;
use crate::failure::{Exit, Failure};
use crate::out::Out;

/// What a certificate says.
const PREDICATE: &str = "https://fairhold.dev/corpus-certificate/v1";

/// Runs the command; no certificate is written unless every row may be used.
pub(crate) fn run(data: &Path, what: &Certify, out: Out) -> Result<Exit, Failure> {
    let passed = pass(&what.files, (&what.sought, &what.uses), what.threads, out)?;
    let gated = &passed.gated;
    let exit = match exit(gated) {
        // What was not looked at cannot be certified.
        Exit::Clean if gated.skipped > 0 || gated.documents == 0 => Exit::Error,
        exit => exit,
    };
    if exit != Exit::Clean {
        out.data(&json!({"certified": false, "gate": gated}))?;
        show(gated, out);
        if gated.documents == 0 {
            out.say("no certificate: no document was read");
        } else if gated.skipped > 0 {
            out.say(
                "no certificate: something was not read; move it away, or name the files one by one",
            );
        } else {
            out.say("no certificate: every row must be read and allowed first");
        }
        out.next("fairhold gate with the same arguments and `--write DIR`");
        return Ok(exit);
    }
    let predicate = predicate(&passed);
    let certificate = signed(data, &passed.scanned, (PREDICATE, predicate))?;
    keep(&what.out, &certificate.bytes)?;
    if let Some(path) = &what.eu_summary {
        keep(path, &pretty(&eu_summary(&passed))?)?;
    }
    out.data(&json!({
        "certified": true, "certificate": what.out.display().to_string(),
        "corpus_sha256": corpus_digest(&passed.scanned), "vkey": certificate.vkey, "gate": gated,
    }))?;
    show(gated, out);
    out.line(&format!("certificate: {}", what.out.display()));
    out.line(&format!("verifier key: {}", certificate.vkey));
    Ok(Exit::Clean)
}

fn predicate(passed: &Passed) -> Value {
    let gated = &passed.gated;
    json!({
        "at": SystemClock.now().rfc3339(),
        "use": gated.purpose,
        "corpus_sha256": corpus_digest(&passed.scanned),
        "rows": {
            "read": gated.documents, "no_output": gated.no_output, "allowed": gated.allowed,
            "allowed_with_conditions": gated.allowed_with_conditions,
            "blocked": gated.blocked, "undecided": gated.undecided,
        },
        "sought": passed.prepared.named(),
        "read": passed.scanned.read_as,
        "terms": gated.terms.keys().collect::<Vec<_>>(),
        "conditions": gated.conditions.keys().collect::<Vec<_>>(),
        "limits": limits(),
    })
}

/// What a certificate does not say.
fn limits() -> [&'static str; 5] {
    [
        "outputs that are not in the registry were not looked for: other accounts, other \
         providers, other times",
        "outputs under 40 words, refusals, and what outputs repeat of their prompts are not \
         recognised",
        "rewriting can hide an output; the measured share that is missed is in `fairhold bench \
         audit`",
        "the terms are those of the catalogue and of the documents named, read by us; they are no \
         legal advice",
        "personal data, copyright and licences of other sources were not checked",
    ]
}

/// What section 2.5 (synthetic data) of the public summary of training content asks for, as far as
/// a registry can tell it.
///
/// # Source
/// Template for the public summary of training content, AI Office, 24 July 2025, Article 53(1)(d)
/// of Regulation (EU) 2024/1689.
fn eu_summary(passed: &Passed) -> Value {
    let gated: &Gated = &passed.gated;
    let models: Vec<Value> = gated
        .models
        .iter()
        .map(|(model, rows)| json!({"model": model, "documents": rows}))
        .collect();
    json!({
        "section": "2.5 Synthetic data",
        // None found is not none used: then only the provider can say.
        "synthetic_data_used": (!gated.rows.is_empty()).then_some(true),
        "synthetic_data_found": !gated.rows.is_empty(),
        "modalities": if gated.rows.is_empty() { Vec::new() } else { vec!["text"] },
        "general_purpose_models_used_to_generate": models,
        "size": {"documents": gated.rows.len(), "of": gated.documents},
        "how_it_was_found": "matched against a registry of recorded outputs; outputs outside of \
            it are not counted, and whoever signs the summary must add them",
        "left_to_the_provider": [
            "whether synthetic data was used, where none was found",
            "models that are not on the market, and what they were trained on",
            "synthetic data of other modalities",
            "whether the outputs were made by the provider or on its behalf",
        ],
    })
}
