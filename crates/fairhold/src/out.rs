//! How the program speaks: data on stdout, talk on stderr.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;

/// Where the words go, and whether data is JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    json: bool,
    silent: bool,
}

impl Out {
    /// Speaks JSON on stdout when `json`.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            silent: false,
        }
    }

    /// Says nothing: for commands that are played inside another one.
    pub(crate) fn silent() -> Self {
        Self {
            json: false,
            silent: true,
        }
    }

    /// A line of data for people; nothing when JSON was asked for.
    pub(crate) fn line(self, text: &str) {
        if !self.json && !self.silent {
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

    /// Whether somebody sits at a terminal and reads words.
    pub(crate) fn is_read_by_a_person(self) -> bool {
        !self.json && !self.silent && std::io::stdout().is_terminal()
    }

    /// Talk: what happens, on stderr.
    pub(crate) fn say(self, text: &str) {
        if self.silent {
            return;
        }
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// The next command to try.
    pub(crate) fn next(self, command: &str) {
        self.say(&format!("next: {command}"));
    }

    /// A progress bar of `length` steps; hidden unless stderr is a terminal.
    pub(crate) fn progress(self, length: u64, what: &'static str) -> ProgressBar {
        self.bar(length, what, "{msg} {bar:30} {pos}/{len} {per_sec} {eta}")
    }

    /// The same over bytes: how many were read, how fast, how long it still takes.
    pub(crate) fn bytes(self, length: u64, what: &'static str) -> ProgressBar {
        const LOOK: &str = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
        self.bar(length, what, LOOK)
    }

    /// Something that turns while nobody knows how long it takes.
    pub(crate) fn busy(self, what: &'static str) -> ProgressBar {
        let bar = self.bar(0, what, "{spinner} {msg} {elapsed}");
        if !bar.is_hidden() {
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
        }
        bar
    }

    fn bar(self, length: u64, what: &'static str, look: &str) -> ProgressBar {
        if self.json || self.silent || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template(look) {
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
