//! `fairhold mask`: personal data replaced by pseudonyms, from stdin to stdout.

use std::io::{BufRead as _, Write as _};

use privacy::Pseudonyms;

use crate::failure::{Exit, Failure};
use crate::out::Out;

/// Runs the command, line by line; one pseudonym stands for one original throughout.
pub(crate) fn run(out: Out) -> Result<Exit, Failure> {
    let failed = |e: std::io::Error| Failure::error(format!("failed to mask: {e}"));
    let mut pseudonyms = Pseudonyms::default();
    let mut stdout = std::io::stdout().lock();
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    while input.read_line(&mut line).map_err(failed)? > 0 {
        let masked = pseudonyms.mask(&line);
        stdout.write_all(masked.as_bytes()).map_err(failed)?;
        line.clear();
    }
    stdout.flush().map_err(failed)?;
    out.say(&format!(
        "{} e-mail addresses, telephone, account and card numbers and IP addresses have pseudonyms; \
         names and postal addresses are not recognised",
        pseudonyms.len()
    ));
    Ok(Exit::Clean)
}
