//! One exchange, from the bytes of a request to its recorded end.
//!
//! It runs on a task of its own, so that it ends in order even when the client
//! leaves: whatever was admitted is completed, exactly once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::{Admitted, Ask, Completion};
use facts::{Ending, Endpoint, Usage};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tokio::sync::oneshot;
use wire::Peek;
use wire::errors::Problem;

use crate::desk::{Desk, NotRecorded, Recorded};
use crate::metrics::Decision;
use crate::reply::{self, Reply};
use crate::server::Shared;
use crate::tally::{Said, Sum};
use crate::upstream::{Answer, Call, Upstream, UpstreamError};

mod stream;

/// A request that may be judged.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) peek: Peek,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Where the head of the answer goes; closed when the client has left.
pub(crate) type Head = oneshot::Sender<Response<Reply>>;

/// Judges, asks, answers and records.
pub(crate) async fn run<D: Desk>(shared: Arc<Shared<D>>, asked: Asked, head: Head) {
    let endpoint = asked.peek.endpoint;
    let began = Instant::now();
    let upstream = match door(&shared, &asked) {
        Ok(upstream) => upstream,
        Err(problem) => {
            shared.metrics.request(endpoint, Decision::of(&problem));
            let _ = head.send(reply::problem(endpoint, &problem));
            return;
        }
    };
    let verdict = shared.desk.admit(asked.ask, asked.body.clone()).await;
    shared.metrics.decided(began.elapsed());
    let admitted = match verdict {
        Ok(admitted) => admitted,
        Err(Recorded { what: refusal, seq }) => {
            let unavailable = matches!(refusal, engine::Refusal::Recording);
            let decision = if unavailable {
                Decision::Unavailable
            } else {
                Decision::Refused
            };
            shared.metrics.request(endpoint, decision);
            let url = shared.config.public_url.as_deref();
            let mut response = refused(endpoint, &refusal, url);
            reply::evidence(response.headers_mut(), seq);
            let _ = head.send(response);
            return;
        }
    };
    shared.metrics.request(endpoint, Decision::Admitted);
    let exchange = Exchange {
        hide_usage: upstream.may_include_usage() && asked.peek.wants_usage_injected(),
        shared: &shared,
        seq: admitted.seq,
        admitted: admitted.what,
        stream: asked.peek.stream,
        headers: asked.headers,
        body: asked.body,
        began,
    };
    exchange.serve(upstream, head).await;
}

/// What needs no judgement: the model is served, and stored responses belong to
/// the asker. Whoever has no live key learns neither.
fn door<'a, D: Desk>(shared: &'a Shared<D>, asked: &Asked) -> Result<&'a Upstream, Box<Problem>> {
    let upstream = shared.upstreams.of(asked.peek.model.as_str());
    let stored = asked.peek.previous_response_id.as_deref();
    if upstream.is_some() && stored.is_none() && asked.peek.conversation_id.is_none() {
        return upstream.ok_or_else(|| no_model(asked.peek.model.as_str()));
    }
    let account = reply::identify(shared, &asked.ask.secret)?;
    let upstream = upstream.ok_or_else(|| no_model(asked.peek.model.as_str()))?;
    // No route makes conversations, so none belongs to anybody.
    if asked.peek.conversation_id.is_some() {
        return Err(not_yours("conversation"));
    }
    match stored {
        Some(id) if !shared.owners.owns(id, &account) => Err(not_yours("previous_response_id")),
        _ => Ok(upstream),
    }
}

fn no_model(model: &str) -> Box<Problem> {
    let text =
        format!("the model `{model}` is not served here; `GET /v1/models` lists those that are");
    Box::new(Problem {
        param: Some("model".to_owned()),
        ..Problem::new(404, "model_not_found", text)
    })
}

fn not_yours(param: &str) -> Box<Problem> {
    let text = format!(
        "`{param}` names nothing that this account was given here lately; send the whole input instead"
    );
    Box::new(Problem {
        param: Some(param.to_owned()),
        ..Problem::new(400, "previous_response_not_found", text)
    })
}

fn refused(endpoint: Endpoint, refusal: &engine::Refusal, url: Option<&str>) -> Response<Reply> {
    let (problem, retry) = reply::refusal(refusal, url);
    let mut response = reply::problem(endpoint, &problem);
    let headers = response.headers_mut();
    if let engine::Refusal::RateLimited {
        state,
        retry_after_ms,
        ..
    } = refusal
    {
        reply::limits(headers, state);
        headers.insert(
            HeaderName::from_static("retry-after-ms"),
            (*retry_after_ms).into(),
        );
    }
    if let Some(seconds) = retry {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An admitted exchange on its way.
struct Exchange<'a, D> {
    shared: &'a Shared<D>,
    admitted: Admitted,
    /// The number of its intent.
    seq: Option<u64>,
    stream: bool,
    hide_usage: bool,
    headers: HeaderMap,
    body: Bytes,
    began: Instant,
}

/// What is known at the end, to be recorded.
struct End {
    ending: Ending,
    status: u16,
    usage: Usage,
}

impl<D: Desk> Exchange<'_, D> {
    async fn serve(self, upstream: &Upstream, mut head: Head) {
        let call = Call {
            endpoint: self.admitted.endpoint,
            headers: self.headers.clone(),
            body: self.outgoing(),
            stream: self.stream,
        };
        let waiting = tokio::time::timeout(
            self.shared.config.timeouts.first_token(),
            upstream.ask(call),
        );
        let answer = tokio::select! {
            biased;
            answer = waiting => answer,
            () = head.closed() => return self.left().await,
        };
        match answer {
            Err(_) => self.failed(head, Ending::UpstreamStall, &stalled()).await,
            Ok(Err(error)) => {
                self.failed(head, Ending::UpstreamError, &unreachable(&error))
                    .await;
            }
            Ok(Ok(answer)) if is_refused_upstream(answer.status) => {
                tracing::error!(
                    status = answer.status.as_u16(),
                    "the upstream refused our key"
                );
                self.failed(head, Ending::UpstreamError, &key_refused())
                    .await;
            }
            Ok(Ok(answer)) if is_stream(&answer) => stream::relay(self, answer, head).await,
            Ok(Ok(answer)) => self.plain(answer, head).await,
        }
    }

    /// The bytes that go upstream: those that were judged, with usage asked for
    /// where the client did not.
    fn outgoing(&self) -> Bytes {
        if !self.hide_usage {
            return self.body.clone();
        }
        match wire::splice_include_usage(&self.body) {
            std::borrow::Cow::Borrowed(_) => self.body.clone(),
            std::borrow::Cow::Owned(changed) => changed.into(),
        }
    }

    /// The client left before the answer began.
    async fn left(self) {
        let sum = Sum::of(&Bytes::new(), 0);
        let end = End {
            ending: Ending::ClientGone,
            status: 499,
            usage: self.usage(wire::Reading::Absent, &sum).await,
        };
        let _ = self.complete(end, sum).await;
    }

    async fn usage(&self, reading: wire::Reading, answered: &Sum) -> Usage {
        let said = Said {
            endpoint: self.admitted.endpoint,
            reading,
            whole: true,
            streamed: false,
            asked: &self.body,
            answered,
        };
        self.shared.counter.usage(said).await
    }

    /// The upstream gave no answer.
    async fn failed(self, head: Head, ending: Ending, problem: &Problem) {
        let body = wire::errors::body(self.admitted.endpoint, problem).into();
        let sum = self.sum(&body);
        let end = End {
            ending,
            status: problem.status,
            usage: Usage::default(),
        };
        let response = reply::problem(self.admitted.endpoint, problem);
        self.finish(head, end, sum, response).await;
    }

    /// A plain answer: read whole, recorded, then released.
    async fn plain(self, answer: Answer, mut head: Head) {
        let Answer {
            status,
            headers,
            mut chunks,
        } = answer;
        let mut parts: Vec<Bytes> = Vec::new();
        let (mut size, mut first) = (0, true);
        loop {
            let wait = if first {
                self.shared.config.timeouts.first_token()
            } else {
                self.shared.config.timeouts.idle()
            };
            let next = tokio::select! {
                biased;
                next = tokio::time::timeout(wait, chunks.next()) => next,
                () = head.closed() => return self.left().await,
            };
            match next {
                Err(_) => return self.failed(head, Ending::UpstreamStall, &stalled()).await,
                Ok(Some(Err(error))) => {
                    return self
                        .failed(head, Ending::UpstreamError, &unreachable(&error))
                        .await;
                }
                Ok(Some(Ok(chunk))) => {
                    self.first_token(&mut first);
                    size += chunk.len();
                    if size > self.shared.config.limits.answer_bytes {
                        return self.failed(head, Ending::UpstreamError, &too_large()).await;
                    }
                    parts.push(chunk);
                }
                Ok(None) => break,
            }
        }
        let body = joined(parts);
        self.deliver(head, status, &headers, body).await;
    }

    async fn deliver(self, head: Head, status: StatusCode, headers: &HeaderMap, body: Bytes) {
        let endpoint = self.admitted.endpoint;
        let good = status.is_success();
        let sum = self.sum(&body);
        let usage = if good {
            if endpoint == Endpoint::Responses {
                self.shared.owners.learn(&body, &self.admitted.account);
            }
            let reading = wire::usage::of_body(endpoint, &body);
            self.note(reading);
            self.usage(reading, &sum).await
        } else {
            Usage::default()
        };
        let ending = if good {
            Ending::Completed
        } else {
            Ending::UpstreamError
        };
        let mut response = Response::new(Reply::whole(body));
        *response.status_mut() = status;
        *response.headers_mut() = reply::shown(headers);
        self.finish(
            head,
            End {
                ending,
                status: status.as_u16(),
                usage,
            },
            sum,
            response,
        )
        .await;
    }

    fn sum(&self, body: &Bytes) -> Sum {
        Sum::of(body, self.shared.config.limits.kept_answer_bytes)
    }

    /// Records the end, then releases the reply; without a record it is withheld.
    async fn finish(self, head: Head, end: End, sum: Sum, mut response: Response<Reply>) {
        self.label(response.headers_mut());
        let (shared, endpoint) = (self.shared, self.admitted.endpoint);
        let response = match self.complete(end, sum).await {
            Ok(()) => response,
            Err(NotRecorded) => refused(
                endpoint,
                &engine::Refusal::Recording,
                shared.config.public_url.as_deref(),
            ),
        };
        let _ = head.send(response);
    }

    async fn complete(self, end: End, sum: Sum) -> Result<(), NotRecorded> {
        self.shared.metrics.ended(end.ending);
        let completion = Completion {
            at: (self.shared.clock)(),
            ending: end.ending,
            status: end.status,
            usage: end.usage,
            delivered_bytes: sum.bytes,
            answer_sha256: sum.sha256,
            admitted: self.admitted,
        };
        self.shared
            .desk
            .complete(completion, sum.kept)
            .await
            .map(drop)
    }

    fn label(&self, headers: &mut HeaderMap) {
        reply::limits(headers, &self.admitted.limits);
        reply::evidence(headers, self.seq);
        // A mark is disclosed: whoever reads the answer reads why, too.
        let marked = self.admitted.marked.as_ref();
        if let Some(Ok(case)) = marked.map(|case| HeaderValue::from_str(case.as_str())) {
            headers.insert(HeaderName::from_static("x-fairhold-marked"), case);
        }
    }

    fn first_token(&self, first: &mut bool) {
        if std::mem::take(first) {
            self.shared.metrics.first_token(self.began.elapsed());
        }
    }

    fn note(&self, reading: wire::Reading) {
        if reading == wire::Reading::Refused {
            tracing::warn!(exchange = %self.admitted.exchange, "the upstream's usage cannot be true; counted here");
            self.shared.metrics.usage_refused();
        }
    }
}

fn joined(mut parts: Vec<Bytes>) -> Bytes {
    match parts.len() {
        0 => Bytes::new(),
        1 => parts.swap_remove(0),
        _ => parts.concat().into(),
    }
}

fn is_stream(answer: &Answer) -> bool {
    answer.status.is_success()
        && answer
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| {
                kind.as_bytes()
                    .to_ascii_lowercase()
                    .starts_with(b"text/event-stream")
            })
}

/// Our key was refused upstream: not the client's fault, and not its business.
fn is_refused_upstream(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403 | 407)
}

fn unreachable(error: &UpstreamError) -> Problem {
    tracing::warn!(%error, "no answer from the upstream");
    let (code, text) = match error {
        UpstreamError::Unreachable(_) => (
            "upstream_unreachable",
            "the model's server cannot be reached; try again",
        ),
        UpstreamError::Broken(_) => ("upstream_error", "the model's server broke off; try again"),
    };
    Problem::new(502, code, text)
}

fn stalled() -> Problem {
    Problem::new(
        504,
        "upstream_stall",
        "the model's server stayed silent too long; try again",
    )
}

fn too_large() -> Problem {
    Problem::new(
        502,
        "upstream_error",
        "the model's server sent more than this gateway passes on",
    )
}

fn key_refused() -> Problem {
    Problem::new(
        502,
        "upstream_refused",
        "the model's server does not accept this gateway; its operator was told",
    )
}

/// How long a client may leave one chunk unread.
fn unread<D>(shared: &Shared<D>) -> Duration {
    Duration::from_secs(shared.config.limits.unread_seconds)
}
