//! Statements of reasons: what the accused is told, in words and as data.
//!
//! Generated from the case alone, so that the words cannot say what the steps
//! do not. The words are in template files, one a language.

mod dsa;
mod template;

use facts::Timestamp;

use crate::case::Case;
use crate::restriction::{Restriction, TERMINATION};
use crate::step::{Measure, Notice};

pub use dsa::StatementJson;
pub use template::{Language, Template, TemplateError};

/// Words to fill in, by name.
type Words = Vec<(&'static str, String)>;

fn limits(of: &Restriction, template: &Template) -> String {
    let Measure::Throttle(limits) = of.measure else {
        return String::new();
    };
    let said = |section, number: Option<u64>| {
        number.map(|n| template.fill(section, &[("number", n.to_string())]))
    };
    let parts = [
        said("limits.requests", limits.requests_per_minute),
        said("limits.tokens", limits.tokens_per_minute),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(template.section("limits.and"))
}

fn measure(of: &Restriction, template: &Template) -> String {
    let section = match of.measure {
        Measure::Throttle(_) => "measure.throttle",
        Measure::Mark => "measure.mark",
        Measure::Suspend => "measure.suspend",
        Measure::Terminate => "measure.terminate",
    };
    template.fill(section, &[("limits", limits(of, template))])
}

fn duration(of: &Restriction, template: &Template) -> String {
    match (of.until, of.measure) {
        (Some(until), _) => template.fill("duration.until", &[("until", until.rfc3339())]),
        (None, Measure::Terminate) => template.section("duration.forever").to_owned(),
        (None, _) => template.section("duration.open").to_owned(),
    }
}

impl Case {
    /// The statement of reasons of the last measure, or the notice, or what was
    /// observed: whatever the accused was told last, in English.
    pub fn statement(&self) -> String {
        self.statement_in(Language::English)
    }

    /// The same in `language`.
    pub fn statement_in(&self, language: Language) -> String {
        let template = language.template();
        if let Some(restriction) = self.restrictions().last() {
            return self.restricted(restriction, &template);
        }
        if let Some((at, notice)) = self.notice() {
            return self.noticed(at, notice, &template);
        }
        template.fill("observation", &self.words(&template))
    }

    /// The statement of one restriction, by its place in
    /// [`Case::restrictions`]; none where there is no such one.
    pub fn statement_of(&self, place: usize, language: Language) -> Option<String> {
        let restriction = self.restrictions().get(place)?;
        Some(self.restricted(restriction, &language.template()))
    }

    /// The words of the notice, where one was given.
    pub fn notice_in(&self, language: Language) -> Option<String> {
        let (at, notice) = self.notice()?;
        Some(self.noticed(at, notice, &language.template()))
    }

    fn words(&self, template: &Template) -> Words {
        let accounts: Vec<String> = self.accounts().iter().map(ToString::to_string).collect();
        let detection = if self.observation().automated {
            "detection.automated"
        } else {
            "detection.manual"
        };
        vec![
            ("case", self.id().to_string()),
            ("accounts", accounts.join(", ")),
            ("facts", self.observation().summary.clone()),
            ("exculpatory", self.observation().exculpatory.clone()),
            ("clause", self.clause().to_string()),
            ("detection", template.section(detection).to_owned()),
            ("undecided", template.section("undecided").to_owned()),
            ("answer", template.section("answer").to_owned()),
        ]
    }

    fn noticed(&self, at: Timestamp, notice: &Notice, template: &Template) -> String {
        let declaration = if notice.declaration {
            "declaration.asked"
        } else {
            "declaration.none"
        };
        let mut words = self.words(template);
        words.extend([
            ("metric", notice.metric.clone()),
            ("under", notice.under.clone()),
            ("due", notice.due.rfc3339()),
            ("declaration", template.section(declaration).to_owned()),
            ("termination", at.plus(TERMINATION).rfc3339()),
        ]);
        template.fill("notice", &words)
    }

    fn restricted(&self, restriction: &Restriction, template: &Template) -> String {
        let decision = if restriction.emergency {
            "decision.emergency"
        } else {
            "decision.two"
        };
        let until = restriction.from.plus(crate::restriction::APPEAL);
        let redress = template.fill("redress", &[("appeal_until", until.rfc3339())]);
        let mut words = self.words(template);
        words.retain(|(name, _)| *name != "exculpatory");
        words.extend([
            ("exculpatory", restriction.exculpatory.clone()),
            ("measure", measure(restriction, template)),
            ("from", restriction.from.rfc3339()),
            ("duration", duration(restriction, template)),
            ("reason", restriction.reason.clone()),
            ("decision", template.section(decision).to_owned()),
            ("redress", redress),
        ]);
        template.fill("restriction", &words)
    }
}

#[cfg(test)]
mod tests;
