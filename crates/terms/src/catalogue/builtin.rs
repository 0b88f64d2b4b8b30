//! The texts that the program carries.

use super::Source;

macro_rules! source {
    ($name:literal) => {
        Source {
            name: $name,
            facts: include_str!(concat!("../../catalogue/", $name, ".toml")),
            policies: include_str!(concat!("../../policies/", $name, ".cedar")),
        }
    };
}

/// Each with its facts and its policies.
pub(super) const SOURCES: [Source<'static>; 6] = [
    source!("anthropic-commercial-2026-03-11"),
    source!("anthropic-usage-policy-2026-08-14"),
    source!("deepseek-open-platform-2026-04-21"),
    source!("mistral-commercial-2026-08-07"),
    source!("openai-services-2023-10-16"),
    source!("openai-services-2026-01-01"),
];
