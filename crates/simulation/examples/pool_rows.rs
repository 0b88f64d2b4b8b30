//! Writes the manifest's row digests from a pool: `pool_rows POOL_DIR OUT`.

use std::io::BufRead as _;

use serde_json::Value;
use simulation::benchmark::{Manifest, POOL_MANIFEST, row_digest};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut given = std::env::args().skip(1);
    let pool = given.next().ok_or("name the pool's folder")?;
    let out = given.next().ok_or("name the file to write")?;
    let mut bytes = Vec::new();
    for source in Manifest::parse(POOL_MANIFEST)?.sources() {
        let path = std::path::Path::new(&pool).join(format!("{}.jsonl.zst", source.name));
        let file = zstd::Decoder::new(std::fs::File::open(path)?)?;
        for line in std::io::BufReader::new(file).lines() {
            let row: Value = serde_json::from_str(&line?)?;
            let messages = row.get("prompt").and_then(Value::as_array);
            let prompt = messages.into_iter().flatten().map(|message| {
                let field = |name| {
                    message
                        .get(name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                (field("role"), field("content"))
            });
            let response = row.get("response").and_then(Value::as_str);
            bytes.extend(row_digest(prompt, response));
        }
    }
    Ok(std::fs::write(out, bytes)?)
}
