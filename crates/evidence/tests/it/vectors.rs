//! The published vectors of RFC 6962 proofs (transparency-dev/merkle), read
//! from beside the repository. They must be there: missing data fails.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use evidence::merkle::{Hash, verify_consistency, verify_inclusion};
use serde_json::Value;

fn vectors(folder: &str) -> Vec<(String, Value)> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors/merkle/testdata.tar.zst");
    let packed = std::fs::read(&archive).unwrap_or_else(|e| {
        panic!(
            "{}: {e}; put the shared vectors beside the repository",
            archive.display()
        )
    });
    let mut files = tar::Archive::new(zstd::Decoder::new(&packed[..]).unwrap());
    let mut found = Vec::new();
    for entry in files.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let ours = name.split('/').any(|part| part == folder);
        if ours && Path::new(&name).extension().is_some_and(|e| e == "json") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((name, serde_json::from_str(&text).unwrap()));
        }
    }
    found
}

fn bytes(value: &Value) -> Vec<u8> {
    value.as_str().map_or_else(Vec::new, |text| {
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap()
    })
}

/// None when a node is not 32 bytes long: such a proof cannot even be stated to us.
fn proof(value: &Value) -> Option<Vec<Hash>> {
    value
        .as_array()
        .map_or(Some(Vec::new()), |nodes| nodes.iter().map(hash).collect())
}

fn hash(value: &Value) -> Option<Hash> {
    bytes(value).try_into().ok()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// The only good vector that cannot be stated in 32-byte hashes.
const NOT_A_HASH: &str = "sizes-are-equal-one-and-proof-is-empty.json";

fn agree(folder: &str, count: usize, holds: impl Fn(&Value) -> Option<bool>) {
    let all = vectors(folder);
    assert_eq!(all.len(), count, "vectors in {folder}");
    let mut good = 0;
    for (name, vector) in all {
        let wanted = !vector
            .get("wantErr")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        good += usize::from(wanted);
        let held = holds(&vector);
        if held.is_none() && name.ends_with(NOT_A_HASH) {
            continue;
        }
        assert_eq!(held.unwrap_or(false), wanted, "{name}");
    }
    assert!(good > 0, "no vector of {folder} is a good one");
}

#[test]
fn inclusion_vectors() {
    agree("inclusion", 98, |v| {
        let (leaf, root, proof) = (
            hash(&v["leafHash"])?,
            hash(&v["root"])?,
            proof(&v["proof"])?,
        );
        Some(
            verify_inclusion(
                &leaf,
                number(v, "leafIdx"),
                number(v, "treeSize"),
                &proof,
                &root,
            )
            .is_ok(),
        )
    });
}

#[test]
fn consistency_vectors() {
    agree("consistency", 98, |v| {
        let (old, new, proof) = (hash(&v["root1"])?, hash(&v["root2"])?, proof(&v["proof"])?);
        Some(verify_consistency(number(v, "size1"), &old, number(v, "size2"), &new, &proof).is_ok())
    });
}
