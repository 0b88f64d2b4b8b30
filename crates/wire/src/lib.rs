//! What did they say on the wire?
//!
//! Reads what the house needs from the bodies of `OpenAI`'s and Anthropic's APIs
//! and leaves the bytes alone: what was judged is what is forwarded. Also reads
//! the dialects of logs that are imported.
//!
//! Nothing here opens a socket, reads a clock or touches a file.

#![forbid(unsafe_code)]

pub mod conversation;
mod count;
pub mod errors;
pub mod import;
pub mod include_usage;
mod lean;
pub mod peek;
pub mod sse;
pub mod usage;

pub use conversation::{StreamText, answer_text, answer_text_of_stream, conversation, prompt_text};
pub use include_usage::{is_usage_frame, splice as splice_include_usage};
pub use peek::{Peek, PeekError, peek};
pub use sse::{Event, Mark, Parser, SseError};
pub use usage::{Meter, Reading};
