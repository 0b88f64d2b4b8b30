//! The texts that the program carries.

use super::Source;

macro_rules! sources {
    ($($name:literal,)*) => {
        /// Each with its facts, its policies and its cases.
        pub(super) const SOURCES: &[Source<'static>] = &[$(Source {
            name: $name,
            facts: include_str!(concat!("../../catalogue/", $name, "/facts.toml")),
            policies: include_str!(concat!("../../catalogue/", $name, "/policies.cedar")),
            cases: include_str!(concat!("../../catalogue/", $name, "/cases.toml")),
        },)*];
    };
}

sources! {
    "alibaba-qwen-chat-2026-07-08",
    "anthropic-commercial-2026-03-11",
    "anthropic-usage-policy-2026-08-14",
    "bytedance-doubao-2026-07-15",
    "deepseek-open-platform-2026-04-21",
    "google-gemini-api-2025-05-20",
    "google-gemma-2025-03-24",
    "meta-llama-2-2023-07-18",
    "meta-llama-3-1-2024-07-23",
    "meta-llama-3-2024-04-18",
    "meta-llama-4-2025-04-05",
    "meta-model-api-2026-08-22",
    "mistral-commercial-2026-05-28",
    "mistral-la-plateforme-2025-02-06",
    "moonshot-kimi-2025-12-10",
    "openai-services-2023-10-16",
    "openai-services-2026-01-01",
    "openrouter-terms-2026-05-12",
    "together-terms-2026-05-20",
    "xai-enterprise-2026-05-12",
    "xai-enterprise-2026-08-14",
}
