//! The model's own routes. The gateway serves them; their bodies are `OpenAI`'s
//! and Anthropic's, which we pass on and do not define.

use facts::Endpoint;
use serde_json::Value;

use super::{Api, Told, told};
use crate::office::Office;

fn words(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::ChatCompletions => "A chat completion (OpenAI), streamed where asked",
        Endpoint::Completions => "A completion (OpenAI)",
        Endpoint::Embeddings => "Embeddings (OpenAI)",
        Endpoint::Responses => "A response (OpenAI)",
        Endpoint::Messages => "A message (Anthropic)",
    }
}

fn plain(summary: &'static str) -> Told {
    told::<Value>(summary)
}

/// Adds what the gateway serves by itself.
pub(super) fn describe<O: Office>(api: &mut Api<O>) {
    for endpoint in Endpoint::ALL {
        let told = plain(words(endpoint)).takes::<Value>();
        api.describe("post", endpoint.path(), &told);
    }
    api.describe("get", "/v1/models", &plain("The models that may be asked"));
    api.describe("get", "/v1/models/{*model}", &plain("One of them"));
    let text = |summary| plain(summary).bytes("text/plain").public();
    api.describe("get", "/healthz", &text("Whether the process lives"));
    api.describe("get", "/readyz", &text("Whether it serves"));
    api.describe("get", "/metrics", &text("Figures for Prometheus"));
}
