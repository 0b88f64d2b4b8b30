//! Trust policies (C2SP tlog-policy): whose log is accepted, and how many of
//! which witnesses must have seen a checkpoint.
//!
//! Names are opaque octets, as the specification asks: nothing here folds,
//! trims or compares them as text.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::checkpoint::{Checkpoint, Note, NoteError, Verifier};
use crate::note::KeyKind;

/// Logs, witnesses and groups that are read at most, each.
const MOST: usize = 1024;

/// Why a policy cannot be used; names its line, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    line: usize,
    what: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "read the trust policy: {}", self.what)
        } else {
            write!(
                f,
                "read the trust policy: line {}: {}",
                self.line, self.what
            )
        }
    }
}

impl std::error::Error for PolicyError {}

/// A log that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its key; the key's name is the log's origin.
    pub key: Verifier,
    /// Where it is served.
    pub url: Option<String>,
}

/// A witness that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// Its key.
    pub key: Verifier,
    /// Where it is asked.
    pub url: Option<String>,
}

/// Who must have signed: a witness, or a group above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// What the quorum line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    None,
    Of(Member),
}

/// At least so many of these.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    least: usize,
    of: Vec<Member>,
}

/// A policy that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

/// A witness that signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which of the policy's witnesses. Its name is not enough: names are
    /// octets, and two may look alike as text.
    witness: usize,
    /// What the policy calls it.
    pub name: String,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// What a policy says of a checkpoint whose log signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The witnesses that signed it and when, in seconds since 1970.
    pub seen_by: Vec<Seen>,
    /// Whether they are enough. Never a pass by itself when false: the
    /// checkpoint is then unproven.
    pub quorum: bool,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`] naming the line and what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let mut reading = Reading::default();
        let whole = bytes.strip_suffix(b"\n").ok_or(PolicyError {
            line: 0,
            what: "its last line does not end".to_owned(),
        });
        let whole = if bytes.is_empty() { bytes } else { whole? };
        for (n, line) in whole.split(|b| *b == b'\n').enumerate() {
            let fault = |what| PolicyError { line: n + 1, what };
            if line
                .iter()
                .any(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f)
            {
                return Err(fault("it holds a control character".to_owned()));
            }
            let words: Vec<&[u8]> = line
                .split(|b| matches!(b, b' ' | b'\t'))
                .filter(|word| !word.is_empty())
                .collect();
            match words.first() {
                None => {}
                Some(word) if word.starts_with(b"#") => {}
                Some(_) => reading.line(&words).map_err(fault)?,
            }
        }
        let quorum = reading.quorum.ok_or_else(|| PolicyError {
            line: 0,
            what: "it has no `quorum` line; write `quorum none` if no witness is needed".to_owned(),
        })?;
        Ok(Self {
            logs: reading.logs,
            witnesses: reading.witnesses,
            groups: reading.groups,
            quorum,
        })
    }

    /// The logs that are accepted.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses that count.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether any witness is needed.
    pub fn asks_witnesses(&self) -> bool {
        self.quorum != Quorum::None
    }

    /// What the policy says of a note: which of its logs signed it, which of
    /// its witnesses saw it, and whether that is enough.
    ///
    /// # Errors
    /// [`NoteError`] when none of its logs signed the note, or a signature of a
    /// log or witness that the policy names does not hold.
    pub fn ask(&self, note: &Note) -> Result<Standing, NoteError> {
        let mut checkpoint = None;
        for log in &self.logs {
            if log.key.line(note)?.is_some() {
                checkpoint = Some(log.key.open_note(note)?);
            }
        }
        let checkpoint = checkpoint.ok_or(NoteError(
            "no log that the trust policy names signed the checkpoint",
        ))?;
        let seen_by = self.seen(note)?;
        let quorum = self.is_enough(&seen_by);
        Ok(Standing {
            checkpoint,
            seen_by,
            quorum,
        })
    }

    /// The witnesses that signed a note.
    ///
    /// # Errors
    /// [`NoteError`] when the signature of one does not hold.
    pub fn seen(&self, note: &Note) -> Result<Vec<Seen>, NoteError> {
        let mut seen = Vec::new();
        for (n, witness) in self.witnesses.iter().enumerate() {
            if let Some(time) = witness.key.cosigned(note)? {
                seen.push(Seen {
                    witness: n,
                    name: witness.name.clone(),
                    time,
                });
            }
        }
        Ok(seen)
    }

    /// Whether these witnesses are enough.
    pub fn is_enough(&self, seen: &[Seen]) -> bool {
        self.enough(&seen.iter().map(|seen| seen.witness).collect())
    }

    /// Groups name only what stands above them, so one pass in order decides all.
    fn enough(&self, seen: &HashSet<usize>) -> bool {
        let mut met = Vec::with_capacity(self.groups.len());
        let holds = |met: &[bool], member: &Member| match member {
            Member::Witness(n) => seen.contains(n),
            Member::Group(n) => met.get(*n).copied().unwrap_or(false),
        };
        for group in &self.groups {
            let count = group.of.iter().filter(|m| holds(&met, m)).count();
            met.push(count >= group.least);
        }
        match &self.quorum {
            Quorum::None => true,
            Quorum::Of(member) => holds(&met, member),
        }
    }
}

#[derive(Default)]
struct Reading {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    names: HashMap<Vec<u8>, Member>,
    /// Names that are in a group: each may be in one only, so that no witness
    /// counts twice.
    grouped: HashSet<Vec<u8>>,
    quorum: Option<Quorum>,
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(80).collect()
}

impl Reading {
    fn line(&mut self, words: &[&[u8]]) -> Result<(), String> {
        if self.names.len() + self.logs.len() > MOST {
            return Err(format!("more than {MOST} logs, witnesses and groups"));
        }
        match words {
            [b"log", vkey] => self.log(vkey, None),
            [b"log", vkey, url] => self.log(vkey, Some(url)),
            [b"witness", name, vkey] => self.witness(name, vkey, None),
            [b"witness", name, vkey, url] => self.witness(name, vkey, Some(url)),
            [b"group", name, least, members @ ..] => self.group(name, least, members),
            [b"quorum", name] => self.set_quorum(name),
            [word, ..] => Err(format!(
                "`{}` with {} words is not known; lines are `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|K NAME...` and `quorum NAME`",
                shown(word),
                words.len() - 1
            )),
            [] => Ok(()),
        }
    }

    fn key(vkey: &[u8], kind: KeyKind) -> Result<Verifier, String> {
        let text = std::str::from_utf8(vkey).map_err(|_| "a key is not text".to_owned())?;
        let key = Verifier::parse(text).map_err(|e| e.to_string())?;
        match (kind, key.kind()) {
            (KeyKind::Ed25519, KeyKind::Cosignature) => {
                Err("this is a witness's key, not a log's".to_owned())
            }
            (KeyKind::Cosignature, KeyKind::Ed25519) => {
                Err("this is a log's key, not a witness's (type 0x04)".to_owned())
            }
            _ => Ok(key),
        }
    }

    fn log(&mut self, vkey: &[u8], url: Option<&&[u8]>) -> Result<(), String> {
        let key = Self::key(vkey, KeyKind::Ed25519)?;
        if self.logs.iter().any(|l| l.key.public() == key.public()) {
            return Err("this log's key stands above already".to_owned());
        }
        let url = url.map(|u| String::from_utf8_lossy(u).into_owned());
        self.logs.push(Log { key, url });
        Ok(())
    }

    fn name(&mut self, name: &[u8], member: Member) -> Result<(), String> {
        if name == b"none" || self.names.contains_key(name) {
            return Err(format!("the name `{}` is taken", shown(name)));
        }
        self.names.insert(name.to_vec(), member);
        Ok(())
    }

    fn witness(&mut self, name: &[u8], vkey: &[u8], url: Option<&&[u8]>) -> Result<(), String> {
        let key = Self::key(vkey, KeyKind::Cosignature)?;
        let same = |w: &Witness| w.key.public() == key.public();
        if self.witnesses.iter().any(same) {
            return Err("this witness's key stands above already".to_owned());
        }
        self.name(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness {
            name: String::from_utf8_lossy(name).into_owned(),
            key,
            url: url.map(|u| String::from_utf8_lossy(u).into_owned()),
        });
        Ok(())
    }

    fn group(&mut self, name: &[u8], least: &[u8], members: &[&[u8]]) -> Result<(), String> {
        if members.is_empty() {
            return Err("a group has at least one member".to_owned());
        }
        let least = match least {
            b"all" => members.len(),
            b"any" => 1,
            digits => std::str::from_utf8(digits)
                .ok()
                .filter(|d| d.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|d| d.parse().ok())
                .filter(|k| (1..=members.len()).contains(k))
                .ok_or_else(|| {
                    format!(
                        "`{}` is not `all`, `any` or a number from 1 to {}",
                        shown(digits),
                        members.len()
                    )
                })?,
        };
        let mut of = Vec::with_capacity(members.len());
        for member in members {
            of.push(self.defined(member)?);
            if !self.grouped.insert(member.to_vec()) {
                return Err(format!("`{}` is in a group already", shown(member)));
            }
        }
        self.name(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { least, of });
        Ok(())
    }

    fn defined(&self, name: &[u8]) -> Result<Member, String> {
        let member = self.names.get(name).copied();
        member.ok_or_else(|| format!("`{}` is not defined above", shown(name)))
    }

    fn set_quorum(&mut self, name: &[u8]) -> Result<(), String> {
        if self.quorum.is_some() {
            return Err("there is a `quorum` line above already".to_owned());
        }
        let member = match name {
            b"none" => Quorum::None,
            name => Quorum::Of(self.defined(name)?),
        };
        self.quorum = Some(member);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
