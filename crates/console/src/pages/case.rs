//! One case as a page: what, why, what happened, how to answer and contest.

use std::fmt::Write as _;

use super::{document, escaped};
use crate::cases::{CaseView, TextView};

/// What a state means to the accused.
pub(super) fn meaning(state: &str) -> &'static str {
    match state {
        "observed" => "Facts were written down. Nothing is restricted.",
        "noticed" => "You were given notice. Nothing is restricted yet; please answer.",
        "declared" => "You answered. Your declaration is being read.",
        "undertaking" => "You offered an undertaking.",
        "throttled" => "Your account is slowed down.",
        "marked" => "Your account is served, and its answers are marked.",
        "suspended" => "Your account is suspended.",
        "terminated" => "Your account is terminated.",
        "appealed" => "You contested. Someone who took no part decides.",
        "reopened" => {
            "A case on which this one rests was reversed. Someone who took no part decides anew."
        }
        "upheld" => "Your appeal was heard, and the decision stands.",
        "overturned" => "Your appeal was heard, and everything was lifted.",
        "reinstated" => "Measures against your account were lifted.",
        "dismissed" => "The case was closed without a measure.",
        _ => "",
    }
}

fn said<'a>(texts: &'a [TextView], language: &str) -> Option<&'a str> {
    let own = texts.iter().find(|text| text.language == language);
    own.or(texts.first()).map(|text| text.text.as_str())
}

/// What the accused was told last, in the reader's language where it is one of ours.
fn statement<'a>(case: &'a CaseView, language: &str) -> &'a str {
    let last = case.statements.last().map(|s| &s.text);
    let notice = case.notice.as_ref().map(|n| &n.text);
    let texts = last.or(notice);
    texts
        .and_then(|texts| said(texts, language))
        .unwrap_or(&case.statement)
}

/// The page.
pub fn case_page(case: &CaseView, language: &str) -> String {
    let id = escaped(&case.case);
    let mut body = format!(
        "<h1>Case {id}</h1><p>{}</p><dl><dt>Account</dt><dd>{}</dd><dt>State</dt><dd>{}</dd>\
         <dt>Measure</dt><dd>{}</dd><dt>Clause</dt><dd>{}</dd></dl>",
        meaning(&case.state),
        escaped(&case.account),
        escaped(&case.state),
        escaped(&case.action),
        escaped(&case.clause),
    );
    acting(case, &mut body);
    let _ = write!(
        body,
        "<h2>Statement of reasons</h2><pre>{}</pre>",
        escaped(statement(case, language))
    );
    happened(case, &mut body);
    answer(case, &id, &mut body);
    contest(case, &id, &mut body);
    document(&format!("Case {id}"), &body)
}

fn acting(case: &CaseView, body: &mut String) {
    if !case.in_force.is_empty() {
        body.push_str("<h2>In force</h2><ul>");
        for measure in &case.in_force {
            let until = measure
                .until
                .as_deref()
                .unwrap_or("the case ends otherwise");
            let _ = write!(
                body,
                "<li>{} since {} until {}{}</li>",
                escaped(&measure.measure),
                escaped(&measure.from),
                escaped(until),
                if measure.emergency {
                    " (an emergency: it ends by itself)"
                } else {
                    ""
                }
            );
        }
        body.push_str("</ul>");
    }
    if !case.deadlines.is_empty() {
        body.push_str("<h2>Days to know</h2><ul>");
        for deadline in &case.deadlines {
            let what = deadline.what.replace('_', " ");
            let _ = write!(
                body,
                "<li><time>{}</time> {}</li>",
                escaped(&deadline.at),
                escaped(&what)
            );
        }
        body.push_str("</ul>");
    }
}

fn happened(case: &CaseView, body: &mut String) {
    body.push_str("<h2>What happened</h2><ol>");
    for step in &case.timeline {
        let _ = write!(
            body,
            "<li><time>{}</time> {} by {} ({}) {} {}</li>",
            escaped(&step.at),
            escaped(&step.step),
            escaped(&step.by),
            escaped(&step.role),
            escaped(&step.detail),
            escaped(&step.comment)
        );
    }
    body.push_str("</ol>");
}

fn answer(case: &CaseView, id: &str, body: &mut String) {
    let closed = matches!(
        case.state.as_str(),
        "dismissed" | "overturned" | "reinstated"
    );
    let told = case.notice.is_some() || !case.statements.is_empty();
    if closed || !told {
        return;
    }
    let _ = write!(
        body,
        "<h2>Answer</h2><form method=\"post\" action=\"/fairhold/v1/cases/{id}/declare\"><p>\
         <label>What the account is used for<br><textarea name=\"text\" rows=\"4\" cols=\"70\" required>\
         </textarea></label></p><p><button>Declare</button></p></form>\
         <form method=\"post\" action=\"/fairhold/v1/cases/{id}/undertake\"><p><label>What you will change<br>\
         <input name=\"promise\" size=\"70\" maxlength=\"500\" required></label></p><p><label>How it can be checked<br>\
         <input name=\"check\" size=\"70\" maxlength=\"500\" required></label></p><p><label>In how many days\
         <input name=\"days\" type=\"number\" min=\"1\" max=\"365\" required></label></p>\
         <p><button>Undertake</button></p></form>"
    );
}

fn contest(case: &CaseView, id: &str, body: &mut String) {
    body.push_str("<h2>Contest it</h2>");
    let (path, button, text) = match (&case.appeal_until, case.state.as_str()) {
        (_, "appealed") => (
            "evidence",
            "Add to your appeal",
            "Your appeal awaits its decision.".to_owned(),
        ),
        (Some(until), _) => (
            "appeal",
            "Open an appeal",
            format!(
                "An appeal is free and open until {}; someone who took no part decides it.",
                escaped(until)
            ),
        ),
        (None, _) => {
            body.push_str("<p>No restriction can be appealed now.</p>");
            return;
        }
    };
    let _ = write!(
        body,
        "<p>{text}</p><form method=\"post\" action=\"/fairhold/v1/cases/{id}/{path}\"><p><label>What is wrong\
         <br><textarea name=\"text\" rows=\"6\" cols=\"70\" required></textarea></label></p>\
         <p><button>{button}</button></p></form>"
    );
}
