//! Streams: chunks pass at once, the terminal frame waits for its record.

use bytes::{Bytes, BytesMut};
use facts::Ending;
use http::Response;
use tokio::sync::mpsc;
use wire::errors::Problem;
use wire::{Event, Mark, Meter, Parser};

use super::{End, Exchange, Head, stalled, unreachable, unread};
use crate::desk::Desk;
use crate::reply::{self, Cut, Reply};
use crate::tally::{Delivered, Said};
use crate::upstream::{Answer, Chunks};

type Client = mpsc::Sender<Result<Bytes, Cut>>;

/// Why a stream ends, with the bytes that may follow once that is recorded.
struct Last {
    ending: Ending,
    /// The upstream's terminal frame, or our own error event.
    frame: Bytes,
    /// Whether the transfer ends cleanly: the frame is the upstream's terminal one.
    whole: bool,
    /// Whether the frame is an event of our own.
    ours: bool,
}

impl Last {
    fn of(ending: Ending) -> Self {
        Self {
            ending,
            frame: Bytes::new(),
            whole: false,
            ours: false,
        }
    }
}

/// What the events so far have told.
struct Reader {
    parser: Parser,
    meter: Meter,
    hide_usage: bool,
    /// Whether the response's id was read (Responses only).
    named: bool,
    /// Whether what was passed on ends inside an event: an event of ours must
    /// then not become part of it.
    ragged: bool,
}

/// Relays a stream to its client and records its end.
pub(super) async fn relay<D: Desk>(exchange: Exchange<'_, D>, answer: Answer, head: Head) {
    let Answer {
        status,
        headers,
        mut chunks,
    } = answer;
    let (client, receiver) = mpsc::channel(1);
    let mut response = Response::new(Reply::Stream(receiver));
    *response.status_mut() = status;
    *response.headers_mut() = reply::shown(&headers);
    exchange.label(response.headers_mut());
    let endpoint = exchange.admitted.endpoint;
    let limits = &exchange.shared.config.limits;
    let mut reader = Reader {
        parser: Parser::new(limits.event_bytes),
        meter: Meter::new(endpoint),
        hide_usage: exchange.hide_usage,
        named: endpoint != facts::Endpoint::Responses,
        ragged: false,
    };
    let mut delivered = Delivered::new(limits.kept_answer_bytes);
    let mut last = if head.send(response).is_err() {
        Last::of(Ending::ClientGone)
    } else {
        exchange
            .pass(&mut chunks, &client, &mut reader, &mut delivered)
            .await
    };
    // Nothing after the end is of interest: dropping the body cancels the upstream.
    drop(chunks);
    let reading = reader.meter.reading();
    exchange.note(reading);
    if last.ours && reader.ragged {
        last.frame = apart(&last.frame);
    }
    delivered.add(&last.frame);
    let sum = delivered.finish();
    let said = Said {
        endpoint,
        reading,
        whole: last.ending == Ending::Completed,
        streamed: true,
        asked: &exchange.body,
        answered: &sum,
    };
    let end = End {
        ending: last.ending,
        status: status.as_u16(),
        usage: exchange.shared.counter.usage(said).await,
    };
    let shared = exchange.shared;
    let (frame, whole) = if exchange.complete(end, sum).await.is_ok() {
        (last.frame, last.whole)
    } else {
        let text = "the end of this answer could not be recorded";
        let problem = Problem::new(503, "recording_unavailable", text);
        let event = wire::errors::event(endpoint, &problem);
        let event = if reader.ragged {
            apart(&event)
        } else {
            event.into()
        };
        (event, false)
    };
    if !frame.is_empty() {
        let _ = tokio::time::timeout(unread(shared), client.send(Ok(frame))).await;
    }
    if !whole {
        let _ = tokio::time::timeout(unread(shared), client.send(Err(Cut))).await;
    }
}

impl<D: Desk> Exchange<'_, D> {
    /// Passes events on until the stream ends, whichever way.
    async fn pass(
        &self,
        chunks: &mut Chunks,
        client: &Client,
        reader: &mut Reader,
        delivered: &mut Delivered,
    ) -> Last {
        let timeouts = self.shared.config.timeouts;
        let (mut wait, mut first) = (timeouts.first_token(), true);
        loop {
            let next = tokio::select! {
                biased;
                () = client.closed() => return Last::of(Ending::ClientGone),
                next = tokio::time::timeout(wait, chunks.next()) => next,
            };
            let (out, last) = match next {
                Err(_) => (
                    Bytes::new(),
                    Some(self.broken(Ending::UpstreamStall, &stalled())),
                ),
                Ok(Some(Err(error))) => (
                    Bytes::new(),
                    Some(self.broken(Ending::UpstreamError, &unreachable(&error))),
                ),
                Ok(Some(Ok(chunk))) => {
                    self.first_token(&mut first);
                    reader.parser.push(&chunk);
                    self.read(reader, false)
                }
                Ok(None) => self.read(reader, true),
            };
            wait = timeouts.idle();
            // Before anything more is passed on, so that not one further event is.
            if !self.shared.desk.still_welcome(&self.admitted) {
                let problem = Problem::new(
                    403,
                    "policy_stop",
                    "this stream was stopped: its key or account is barred",
                );
                return self.broken(Ending::PolicyStop, &problem);
            }
            if !out.is_empty() {
                delivered.add(&out);
                match tokio::time::timeout(unread(self.shared), client.send(Ok(out))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => return Last::of(Ending::ClientGone),
                }
            }
            if let Some(last) = last {
                return last;
            }
        }
    }

    /// An end that is not the upstream's own: an error event and no terminal frame.
    fn broken(&self, ending: Ending, problem: &Problem) -> Last {
        let frame = wire::errors::event(self.admitted.endpoint, problem).into();
        Last {
            ending,
            frame,
            whole: false,
            ours: true,
        }
    }

    /// Reads the events that have arrived: what to pass on, and the end if it came.
    fn read(&self, reader: &mut Reader, at_end: bool) -> (Bytes, Option<Last>) {
        let mut out = Out::default();
        let mut last = None;
        loop {
            match reader.parser.next_event() {
                Ok(Some(event)) => last = self.event(reader, &event, &mut out),
                Ok(None) => break,
                Err(error) => {
                    let problem = Problem::new(502, "upstream_error", error.to_string());
                    last = Some(self.broken(Ending::UpstreamError, &problem));
                }
            }
            if last.is_some() {
                return (out.take(), last);
            }
        }
        if !at_end {
            return (out.take(), None);
        }
        for event in reader.parser.finish().unwrap_or_default() {
            // An event cut inside a line is no event; a terminal one may lack its line end.
            let cut = !event.raw().ends_with(b"\n") && !event.raw().ends_with(b"\r");
            if !cut || event.mark(self.admitted.endpoint) == Mark::End {
                last = last.or(self.event(reader, &event, &mut out));
            }
        }
        let cut = || {
            let problem = Problem::new(
                502,
                "upstream_error",
                "the model's server ended the stream before its end",
            );
            self.broken(Ending::UpstreamError, &problem)
        };
        (out.take(), Some(last.unwrap_or_else(cut)))
    }

    fn event(&self, reader: &mut Reader, event: &Event, out: &mut Out) -> Option<Last> {
        reader.meter.observe(event);
        if !reader.named && !event.data().is_empty() {
            reader.named = true;
            let owner = &self.admitted.account;
            self.shared.owners.learn(event.data(), owner);
        }
        let end = |ending, whole| {
            Some(Last {
                ending,
                frame: event.raw().clone(),
                whole,
                ours: false,
            })
        };
        match event.mark(self.admitted.endpoint) {
            Mark::End => end(Ending::Completed, true),
            Mark::EndFailed => end(Ending::UpstreamError, true),
            Mark::Error => end(Ending::UpstreamError, false),
            _ if reader.hide_usage && wire::is_usage_frame(event) => None,
            _ => {
                reader.ragged = !is_closed(event.raw());
                out.add(event.raw());
                None
            }
        }
    }
}

/// The event after a blank line, so that it does not become part of the one before.
fn apart(event: &[u8]) -> Bytes {
    [b"\n", event].concat().into()
}

/// Whether the bytes of an event end with the blank line that closes it.
fn is_closed(raw: &[u8]) -> bool {
    let blank: [&[u8]; 3] = [b"\n\n", b"\r\n\r\n", b"\r\r"];
    blank.iter().any(|end| raw.ends_with(end)) || raw == b"\n" || raw == b"\r\n"
}

/// Events gathered from one chunk; a single one is passed without copying.
#[derive(Default)]
struct Out {
    one: Option<Bytes>,
    more: BytesMut,
}

impl Out {
    fn add(&mut self, raw: &Bytes) {
        if self.one.is_none() && self.more.is_empty() {
            self.one = Some(raw.clone());
            return;
        }
        if let Some(one) = self.one.take() {
            self.more.extend_from_slice(&one);
        }
        self.more.extend_from_slice(raw);
    }

    fn take(&mut self) -> Bytes {
        self.one
            .take()
            .unwrap_or_else(|| self.more.split().freeze())
    }
}
