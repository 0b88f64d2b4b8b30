//! Errors in the shape the client's own library expects.

use facts::Endpoint;
use serde_json::{Map, Value, json};

/// What went wrong, as the client may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status it is sent with.
    pub status: u16,
    /// Our code, for programs: `account_suspended`.
    pub code: String,
    /// For people: what happened and what to do.
    pub message: String,
    /// The field of the request at fault.
    pub param: Option<String>,
    /// The clause relied on.
    pub clause: Option<String>,
    /// Where the case can be read.
    pub case_url: Option<String>,
    /// How to appeal.
    pub appeal: Option<String>,
}

impl Problem {
    /// A problem without extras.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            param: None,
            clause: None,
            case_url: None,
            appeal: None,
        }
    }

    /// The message, with the case's address at its end unless it is in it:
    /// libraries show people the message and nothing else.
    fn full_message(&self) -> String {
        match &self.case_url {
            Some(url) if !self.message.contains(url.as_str()) => {
                format!("{} (case: {url})", self.message)
            }
            _ => self.message.clone(),
        }
    }

    fn extras(&self, into: &mut Map<String, Value>) {
        let extras = [
            ("clause", &self.clause),
            ("case_url", &self.case_url),
            ("appeal", &self.appeal),
        ];
        for (key, value) in extras {
            if let Some(value) = value {
                into.insert(key.to_owned(), value.as_str().into());
            }
        }
    }
}

impl From<&crate::PeekError> for Problem {
    fn from(error: &crate::PeekError) -> Self {
        Self {
            param: error.param().map(str::to_owned),
            ..Self::new(400, error.code(), error.to_string())
        }
    }
}

/// The body to send for a problem at `endpoint`, as JSON.
pub fn body(endpoint: Endpoint, problem: &Problem) -> Vec<u8> {
    let value = match endpoint {
        Endpoint::Messages => anthropic(problem),
        Endpoint::ChatCompletions
        | Endpoint::Completions
        | Endpoint::Embeddings
        | Endpoint::Responses => openai(problem),
    };
    value.to_string().into_bytes()
}

/// The event to send for a problem inside a stream that has begun. No terminal
/// frame may follow it.
pub fn event(endpoint: Endpoint, problem: &Problem) -> Vec<u8> {
    match endpoint {
        Endpoint::Messages => format!("event: error\ndata: {}\n\n", anthropic(problem)),
        Endpoint::Responses => {
            let mut data = json!({
                "type": "error", "code": problem.code, "message": problem.full_message(), "param": problem.param,
            });
            if let Some(data) = data.as_object_mut() {
                problem.extras(data);
            }
            format!("event: error\ndata: {data}\n\n")
        }
        Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Embeddings => {
            format!("data: {}\n\n", openai(problem))
        }
    }
    .into_bytes()
}

fn openai(problem: &Problem) -> Value {
    let mut error = Map::new();
    error.insert("message".to_owned(), problem.full_message().into());
    error.insert(
        "type".to_owned(),
        openai_type(problem.status, &problem.code).into(),
    );
    error.insert("param".to_owned(), problem.param.clone().into());
    error.insert("code".to_owned(), problem.code.as_str().into());
    problem.extras(&mut error);
    json!({ "error": error })
}

fn anthropic(problem: &Problem) -> Value {
    let mut error = Map::new();
    error.insert("type".to_owned(), anthropic_type(problem.status).into());
    error.insert("message".to_owned(), problem.full_message().into());
    error.insert("code".to_owned(), problem.code.as_str().into());
    problem.extras(&mut error);
    json!({ "type": "error", "error": error })
}

/// `OpenAI`'s `type` for a status; its libraries choose the exception by the
/// status and show the type.
pub fn openai_type(status: u16, code: &str) -> &'static str {
    match status {
        _ if code == "insufficient_quota" => "insufficient_quota",
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

/// Anthropic's `type` for a status, as its documentation lists them.
pub fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests;
