//! How the program speaks: data on stdout, talk on stderr.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Where the words go, and whether data is JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    json: bool,
}

impl Out {
    /// Speaks JSON on stdout when `json`.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A line of data for people; nothing when JSON was asked for.
    pub(crate) fn line(self, text: &str) {
        if !self.json {
            write_stdout(text);
        }
    }

    /// The data as one JSON object on one line; nothing unless asked for.
    pub(crate) fn data<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string(value)
                .map_err(|e| Failure::error(format!("failed to write the answer: {e}")))?;
            write_stdout(&text);
        }
        Ok(())
    }

    /// Talk: what happens, on stderr.
    #[expect(clippy::unused_self, reason = "who talks must hold the one `Out`")]
    pub(crate) fn say(self, text: &str) {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// The next command to try.
    pub(crate) fn next(self, command: &str) {
        self.say(&format!("next: {command}"));
    }

    /// A progress bar of `length` steps; hidden unless stderr is a terminal.
    pub(crate) fn progress(self, length: u64, what: &'static str) -> indicatif::ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new(length);
        if let Ok(style) =
            indicatif::ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {per_sec} {eta}")
        {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }
}

/// Writes one line at once; a reader that left (`| head`) is not an error.
fn write_stdout(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
