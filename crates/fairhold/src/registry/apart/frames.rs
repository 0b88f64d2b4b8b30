//! What is said between a gateway and the writer of its registry.
//!
//! A frame is the length of its head (4 bytes, the least first), the head as JSON, and the bodies
//! that it speaks of, one behind the other, as they are. An answer is a frame without bodies. Both
//! ends are the same program, so there are no versions.

use std::borrow::Cow;
use std::io::{self, Read as _};

use bytes::Bytes;
use facts::{AccountId, Endpoint, Exchange, ExchangeId, ModelName, Timestamp};
use serde::{Deserialize, Serialize};
use store::{OutputsOf, Passed, ToForget};

use super::super::forget::{Erased, Left};
use super::super::prompt_text;
use super::super::writer::{Ask, Done};

/// The head of a frame to the writer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told<'a> {
    /// Take the right to write.
    Open,
    /// See [`Ask::Passed`]; each with its request and its answer for bodies.
    #[serde(borrow)]
    Passed(Vec<Output<'a>>),
    /// See [`Ask::Read`]; each with the texts of its prompt and its answer for bodies.
    Read(Vec<Output<'a>>),
    /// See [`Ask::Write`].
    Write { from: u64, to: u64 },
    /// See [`Ask::TakeOut`].
    TakeOut { now: i64, list: Vec<Gone<'a>> },
    /// See [`Ask::Join`].
    Join,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Output<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    account: Cow<'a, str>,
    /// Of what was read from the log it may be unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<Cow<'a, str>>,
    /// The path of the operation; of what was read from the log nobody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<Cow<'a, str>>,
    /// Milliseconds since 1970.
    at: i64,
    /// Bytes of both bodies.
    bytes: (u64, u64),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Gone<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    of: Which<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which<'a> {
    #[serde(borrow)]
    Exchanges(Vec<Cow<'a, str>>),
    Until(i64),
}

/// A frame to the writer.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) told: Told<'a>,
    pub(super) bodies: Vec<Cow<'a, [u8]>>,
}

impl<'a> Frame<'a> {
    /// The first one.
    pub(super) fn opens() -> Self {
        Self::of(Told::Open)
    }

    fn of(told: Told<'a>) -> Self {
        Self {
            told,
            bodies: Vec::new(),
        }
    }

    /// What a writer in this process is asked in so many words.
    pub(super) fn asks(ask: &'a Ask) -> Self {
        match ask {
            Ask::Passed(passed) => Self::of_passed(passed),
            Ask::Read(exchanges) => Self::of_read(exchanges),
            Ask::Write { from, to } => Self::of(Told::Write {
                from: *from,
                to: *to,
            }),
            Ask::TakeOut(erased) => Self::of(Told::TakeOut {
                now: erased.now().0,
                list: erased.list().iter().map(gone).collect(),
            }),
            Ask::Join => Self::of(Told::Join),
        }
    }

    fn of_passed(passed: &'a [Passed]) -> Self {
        let outputs = passed.iter().map(|passed| Output {
            id: passed.exchange.as_str().into(),
            account: passed.account.as_str().into(),
            model: Some(passed.model.as_str().into()),
            endpoint: Some(passed.endpoint.path().into()),
            at: passed.at.0,
            bytes: (passed.request.len() as u64, passed.answer.len() as u64),
        });
        let bodies = passed.iter().flat_map(|p| [&p.request[..], &p.answer[..]]);
        Self {
            told: Told::Passed(outputs.collect()),
            bodies: bodies.map(Cow::Borrowed).collect(),
        }
    }

    fn of_read(exchanges: &'a [Exchange]) -> Self {
        let (mut outputs, mut bodies) = (Vec::new(), Vec::new());
        for exchange in exchanges {
            let Some(answer) = &exchange.response else {
                continue;
            };
            let prompt = prompt_text(exchange).into_bytes();
            outputs.push(Output {
                id: exchange.id.as_str().into(),
                account: exchange.account.as_str().into(),
                model: exchange.model.as_ref().map(|model| model.as_str().into()),
                endpoint: None,
                at: exchange.at.0,
                bytes: (prompt.len() as u64, answer.len() as u64),
            });
            bodies.extend([Cow::Owned(prompt), Cow::Borrowed(answer.as_bytes())]);
        }
        Self {
            told: Told::Read(outputs),
            bodies,
        }
    }

    /// The bytes before the bodies.
    pub(super) fn head(&self) -> io::Result<Vec<u8>> {
        headed(&self.told)
    }
}

fn gone(of: &ToForget) -> Gone<'_> {
    Gone {
        account: of.account.as_str().into(),
        of: match &of.outputs {
            OutputsOf::Exchanges(ids) => {
                Which::Exchanges(ids.iter().map(|id| id.as_str().into()).collect())
            }
            OutputsOf::Until(until) => Which::Until(until.0),
        },
    }
}

/// What the writer answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It has the right to write, and goes on from here.
    Opened { next: u64 },
    /// See [`Done`].
    Done {
        held: usize,
        outputs: u64,
        fingerprints: u64,
    },
    /// It is of no more use.
    Failed { why: String },
}

impl Answer {
    pub(super) fn of(done: Done) -> Self {
        Self::Done {
            held: done.held,
            outputs: done.left.outputs,
            fingerprints: done.left.fingerprints,
        }
    }

    pub(super) fn done(&self) -> Option<Done> {
        match self {
            Self::Done {
                held,
                outputs,
                fingerprints,
            } => Some(Done {
                held: *held,
                left: Left {
                    outputs: *outputs,
                    fingerprints: *fingerprints,
                },
            }),
            Self::Opened { .. } | Self::Failed { .. } => None,
        }
    }
}

/// A frame that was read.
#[derive(Debug)]
pub(super) enum Read {
    Open,
    Ask(Ask),
}

/// Reads a frame; none when there are no more.
pub(super) fn read(input: &mut impl io::Read) -> io::Result<Option<Read>> {
    let Some(length) = length(input)? else {
        return Ok(None);
    };
    let head = exactly(input, length.into())?;
    let read = match parsed(&head)? {
        Told::Open => Read::Open,
        Told::Passed(outputs) => {
            let passed = outputs.iter().map(|output| passed(input, output));
            Read::Ask(Ask::Passed(passed.collect::<io::Result<_>>()?))
        }
        Told::Read(outputs) => {
            let exchanges = outputs.iter().map(|output| exchange(input, output));
            Read::Ask(Ask::Read(exchanges.collect::<io::Result<_>>()?))
        }
        Told::Write { from, to } => Read::Ask(Ask::Write { from, to }),
        Told::TakeOut { now, list } => {
            let list = list.iter().map(to_forget).collect::<io::Result<_>>()?;
            Read::Ask(Ask::TakeOut(Erased::new(list, Timestamp(now))))
        }
        Told::Join => Read::Ask(Ask::Join),
    };
    Ok(Some(read))
}

/// Says an answer.
pub(super) fn answer(output: &mut impl io::Write, answer: &Answer) -> io::Result<()> {
    output.write_all(&headed(answer)?)
}

/// What a head says.
pub(super) fn parsed<'a, T: Deserialize<'a>>(head: &'a [u8]) -> io::Result<T> {
    serde_json::from_slice(head).map_err(|_| garbled())
}

/// The other end says what nobody understands.
pub(super) fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it says what is no frame")
}

fn headed(head: &impl Serialize) -> io::Result<Vec<u8>> {
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).map_err(|_| garbled())?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(head);
    Ok(bytes)
}

/// The length of the next head; none at the end.
fn length(input: &mut impl io::Read) -> io::Result<Option<u32>> {
    let mut length = Vec::with_capacity(4);
    input.take(4).read_to_end(&mut length)?;
    if length.is_empty() {
        return Ok(None);
    }
    let length = <[u8; 4]>::try_from(length.as_slice());
    Ok(Some(u32::from_le_bytes(length.map_err(|_| cut())?)))
}

/// So many bytes, for which no memory is taken before they are there.
fn exactly(input: &mut impl io::Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(cut());
    }
    Ok(bytes)
}

fn cut() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

fn passed(input: &mut impl io::Read, output: &Output<'_>) -> io::Result<Passed> {
    let endpoint = output.endpoint.as_deref().and_then(Endpoint::from_path);
    let (request, answer) = output.bytes;
    Ok(Passed {
        exchange: ExchangeId::parse(&output.id).map_err(|_| garbled())?,
        account: AccountId::parse(&output.account).map_err(|_| garbled())?,
        model: model(output)?.ok_or_else(garbled)?,
        endpoint: endpoint.ok_or_else(garbled)?,
        at: Timestamp(output.at),
        request: Bytes::from(exactly(input, request)?),
        answer: Bytes::from(exactly(input, answer)?),
    })
}

fn exchange(input: &mut impl io::Read, output: &Output<'_>) -> io::Result<Exchange> {
    let mut text = |length| {
        let bytes = exactly(input, length)?;
        String::from_utf8(bytes).map_err(|_| garbled())
    };
    let (prompt, answer) = output.bytes;
    Ok(Exchange {
        id: ExchangeId::parse(&output.id).map_err(|_| garbled())?,
        account: AccountId::parse(&output.account).map_err(|_| garbled())?,
        at: Timestamp(output.at),
        model: model(output)?,
        prompt: vec![(String::new(), text(prompt)?)],
        response: Some(text(answer)?),
        usage: None,
    })
}

fn model(output: &Output<'_>) -> io::Result<Option<ModelName>> {
    let parse = |model: &Cow<'_, str>| ModelName::parse(model).map_err(|_| garbled());
    output.model.as_ref().map(parse).transpose()
}

fn to_forget(gone: &Gone<'_>) -> io::Result<ToForget> {
    let parse = |id: &Cow<'_, str>| ExchangeId::parse(id).map_err(|_| garbled());
    Ok(ToForget {
        account: AccountId::parse(&gone.account).map_err(|_| garbled())?,
        outputs: match &gone.of {
            Which::Exchanges(ids) => {
                OutputsOf::Exchanges(ids.iter().map(parse).collect::<io::Result<_>>()?)
            }
            Which::Until(until) => OutputsOf::Until(Timestamp(*until)),
        },
    })
}

#[cfg(test)]
mod tests;
