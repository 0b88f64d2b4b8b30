//! How are dates, numbers and steps written on pages?

use std::fmt::Display;

/// A number, however a template hands it over.
pub(crate) trait Real {
    /// It.
    fn real(&self) -> f64;
}

impl Real for f64 {
    fn real(&self) -> f64 {
        *self
    }
}

impl<T: Real> Real for &T {
    fn real(&self) -> f64 {
        (**self).real()
    }
}

/// A whole number, likewise.
pub(crate) trait Whole {
    /// It.
    fn whole(&self) -> u64;
}

impl Whole for u64 {
    fn whole(&self) -> u64 {
        *self
    }
}

impl<T: Whole> Whole for &T {
    fn whole(&self) -> u64 {
        (**self).whole()
    }
}

/// A moment (RFC 3339) to the minute, in UTC.
pub(crate) fn when(at: &str) -> String {
    let cut: String = at.chars().take(16).collect();
    cut.replacen('T', " ", 1)
}

/// The day of a moment.
pub(crate) fn day(at: &str) -> String {
    at.chars().take(10).collect()
}

/// A whole number, its digits in groups of three.
pub(crate) fn n(number: impl Display) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in per cent, to two digits that say something.
pub(crate) fn percent(share: impl Real) -> String {
    let share = share.real() * 100.0;
    if share == 0.0 || share >= 10.0 {
        format!("{share:.0} %")
    } else if share >= 1.0 {
        format!("{share:.1} %")
    } else {
        format!("{share:.2} %")
    }
}

/// A chance, with how seldom that is.
pub(crate) fn chance(p: impl Real) -> String {
    let p = p.real();
    if p <= 0.0 {
        return "0".to_owned();
    }
    if p >= 0.1 {
        return format!("{p:.2}");
    }
    format!("{p:.2e} (1 in {})", n(format!("{:.0}", 1.0 / p)))
}

/// A number with two decimals.
pub(crate) fn two(value: impl Real) -> String {
    format!("{:.2}", value.real())
}

/// Millionths of a dollar, as dollars.
pub(crate) fn dollars(micro: impl Whole) -> String {
    let cents = micro.whole() / 10_000;
    format!("${}.{:02}", n(cents / 100), cents % 100)
}

/// A machine's word for people.
pub(crate) fn plain(word: &str) -> String {
    word.replace(['_', '.'], " ")
}

/// Path segments of ids.
pub(crate) fn id(text: &str) -> String {
    super::frame::segment(text)
}

/// What happens by itself when a day is over.
pub(crate) fn at_timeout(deadline: &str) -> &'static str {
    match deadline {
        "notice_due" => "a suspension may be proposed",
        "termination_possible" => "a termination may be proposed",
        "condition_due" => "the undertaking no longer protects",
        "measure_ends" | "emergency_ends" => "the measure ends",
        "review_due" => "its measures end",
        "appeal_closes" => "no appeal can be opened",
        _ => "nothing",
    }
}

/// What a case awaits, as a request to whoever reads it.
pub(crate) fn awaited(word: &str) -> &'static str {
    match word {
        "appeal" => "decide the appeal",
        "review" => "decide anew",
        "approval" => "approve or return",
        "undertaking" => "take up the offer",
        "check" => "check a condition",
        "answer" => "read the answer",
        "reply" => "the accused replies",
        "notice" => "give notice",
        "nothing" => "nothing to do",
        _ => "look",
    }
}

/// What was done, by the code that a redirect carries.
pub(crate) fn told(code: Option<&str>) -> &'static str {
    match code.unwrap_or_default() {
        "held" => "Decided. It takes effect when the time to undo is over.",
        "done" => "Done, and recorded.",
        "undone" => "Taken back. Nothing happened.",
        "claimed" => "The case is yours for now.",
        "released" => "Somebody else may take the case now.",
        "invited" => "Invited.",
        "ended" => "They work here no longer; their sign-ins ended.",
        "revoked" => "The key no longer opens anything.",
        "passkey" => "The passkey is registered.",
        "removed" => "The passkey no longer opens anything.",
        "linked" => "Both names are one person now.",
        "issuer" => "You are one person here and at the issuer now.",
        "signed-out" => "The other sign-ins ended.",
        "shadow" => "The rule is watched. It acts on nobody.",
        "welcome" => "You are signed in.",
        "sent" => "Sent, and recorded.",
        _ => "",
    }
}
