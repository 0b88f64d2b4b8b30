//! A fleet as a `LiteLLM` log on stdout: `cargo run --release -p simulation --example litellm --
//! HONEST RING EACH [SEED]`.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write as _};

use serde_json::json;
use simulation::{Fleet, FleetShape};

fn main() -> io::Result<()> {
    let typed: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|n| n.parse().ok())
        .collect();
    let [honest, ring, each, seed @ ..] = typed.as_slice() else {
        return Err(io::Error::other(
            "give HONEST RING EACH [SEED], four numbers",
        ));
    };
    let shape = FleetShape {
        honest: *honest,
        ring: *ring,
        each: *each,
    };
    let seed = seed.first().copied().unwrap_or(1) as u64;
    let fleet = Fleet::generate(seed, shape).map_err(io::Error::other)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for exchange in fleet.facts() {
        let messages: Vec<_> = exchange
            .prompt
            .iter()
            .map(|(role, content)| json!({"role": role, "content": content}))
            .collect();
        let line = json!({
            "id": exchange.id.as_str(),
            "call_type": "acompletion",
            "startTime": exchange.at.0 / 1_000,
            "model": exchange.model.map(|m| m.to_string()),
            "messages": messages,
            "response": {"choices": [{"message": {"role": "assistant", "content": exchange.response}}]},
            "metadata": {"user_api_key_hash": exchange.account.as_str()},
        });
        writeln!(out, "{line}")?;
    }
    out.flush()
}
