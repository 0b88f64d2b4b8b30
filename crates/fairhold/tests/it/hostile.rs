//! The functions of the fuzz targets, on seeded input, on stable.

use std::collections::BTreeSet;
use std::path::Path;

#[expect(unreachable_pub, reason = "public in the fuzz targets' own workspace")]
#[path = "../../../../fuzz/src/lib.rs"]
mod doors;

/// One parser, with input that it accepts.
type Door = (&'static str, fn(&[u8]), &'static [&'static [u8]]);

/// One of two witnesses must have signed; their keys are those of RFC 8032's test vectors.
const POLICY: &[u8] = b"log fuzz+5be0b5d5+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\n\
    witness w1 witness.example/1+000952e9+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM\n\
    witness w2 witness.example/2+00b17477+BPxRzY5iGKGjjaR+0AIw8FgIFu0TujMDrF3rkRVIkIAl\n\
    group any any w1 w2\n\
    quorum any\n";

const DOORS: &[Door] = &[
    (
        "peek",
        doors::peek,
        &[
            br#"{"model":"gpt-4o","stream":true,"max_tokens":7,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"tools":[]}"#,
            br#"{"model":"claude","max_tokens":1024,"system":"s","messages":[{"role":"user","content":"hi"}]}"#,
            br#"{"model":"m","input":["a","b"],"prompt":"p","n":2}"#,
        ],
    ),
    (
        "sse",
        doors::sse,
        &[
            b"data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
            b"\xef\xbb\xbfevent: message_start\r\ndata: {\"type\":\"x\"}\r\n\r\n: ping\r\rdata: a\ndata: b\n\n",
        ],
    ),
    (
        "import_line",
        doors::import_line,
        &[
            br#"{"account":"a","time":"2026-01-02T03:04:05Z","messages":[{"role":"user","content":"hi"}],"response":"yes","usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            br#"{"id":"b","custom_id":"r1","response":{"status_code":200,"body":{"choices":[]}},"error":null}"#,
            br#"[{"startTime":1.5,"call_type":"completion","metadata":{"user_api_key_hash":"k"},"messages":[]}]"#,
        ],
    ),
    (
        "record",
        doors::record,
        &[br#"{"account":"a","at":1,"change":"opened","seq":0,"subject":"s","type":"directory"}"#],
    ),
    ("bundle", doors::bundle, &[b"PK\x03\x04statement.dsse.json", b""]),
    (
        "note",
        doors::note,
        &["fuzz\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} fuzz AAAAAAAA\n".as_bytes(), b"fuzz+00000000+AQ=="],
    ),
    (
        "submission",
        doors::submission,
        &["old 2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nfuzz\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} fuzz AAAAAAAA\n".as_bytes()],
    ),
    (
        "step",
        doors::step,
        &[br#"{"at":1,"by":"ann","comment":"","step":"approved"}"#],
    ),
    (
        "campaign",
        doors::campaign,
        &[
            br#"{"expires_at":2,"made_at":1,"made_from":{"accounts":1,"exchanges":9,"prompts":9},"name":"q","programmes":[{"hashes":["0000000000000001","0000000000000002","0000000000000003"],"prompts":9}],"rule":{"hashes_min":3,"hashes_percent":20,"prompts_min":3,"prompts_within":20},"shingle":5,"text":1,"v":1}"#,
            br#"{"payload":"e30=","payloadType":"application/vnd.fairhold.campaign+json","signatures":[{"keyid":"fuzz","sig":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}]}"#,
        ],
    ),
    (
        "corpus_line",
        doors::corpus_line,
        &[
            br#"{"text":"a \"b\" \u00e9\ud83d\ude00\n","n":[1,2.5,{"k":null}],"t":true}"#,
            br#"{"instruction":"x","output":["y"],"score":-0.5}"#,
        ],
    ),
    (
        "tile",
        doors::tile,
        &[
            b"tile/0/x001/234.p/5",
            b"tile/entries/067",
            b"\x01\x00\x05hello\x00\x00",
            &[7; 65],
            &[0xff; 1 + 256 * 32],
        ],
    ),
    (
        "tlog_policy",
        doors::tlog_policy,
        &[
            b"# whom we believe\nlog fuzz+5be0b5d5+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea https://example.com/\nquorum none\n",
            POLICY,
        ],
    ),
    (
        "tlog_proof",
        doors::tlog_proof,
        &["c2sp.org/tlog-proof@v1\nextra AAEC\nindex 2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nfuzz\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} fuzz AAAAAAAA\n".as_bytes()],
    ),
    ("timestamp", doors::timestamp, &[doors::STAMP, doors::AUTHORITY]),
    (
        "dsse",
        doors::dsse,
        &[br#"{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"fuzz","sig":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}]}"#],
    ),
    ("key", doors::key, &[b"fh_live_00000000000_00000000000000000000000000000000000000000000000000"]),
];

/// `SplitMix64`: the same bytes on every run and machine.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (bound.max(1) as u64)).unwrap_or_default()
    }

    fn mutated(&mut self, seeds: &[&[u8]]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].to_vec();
        for _ in 0..self.below(5) {
            let at = self.below(bytes.len() + 1);
            let other = seeds[self.below(seeds.len())];
            match self.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, u8::try_from(self.below(256)).unwrap_or_default()),
                2 => bytes
                    .splice(
                        at..at,
                        b"\"{}[],:\\\n\r\0\xff"[self.below(12)..]
                            .iter()
                            .copied()
                            .take(1),
                    )
                    .for_each(drop),
                3 => bytes.extend(&other[self.below(other.len())..]),
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
        bytes
    }

    fn noise(&mut self) -> Vec<u8> {
        (0..self.below(200))
            .map(|_| u8::try_from(self.below(256)).unwrap_or_default())
            .collect()
    }
}

#[test]
fn every_door_survives_hostile_bytes() {
    for (name, door, seeds) in DOORS {
        let mut seeded = Seeded(0x0fa1_2401d);
        seeds.iter().for_each(|seed| door(seed));
        for round in 0..4_000 {
            let bytes = if round % 8 == 0 {
                seeded.noise()
            } else {
                seeded.mutated(seeds)
            };
            let held = std::panic::catch_unwind(|| door(&bytes));
            assert!(
                held.is_ok(),
                "{name}, round {round}: {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

/// The fuzz targets' workspace is not built here, but all of it that can break is held: its functions
/// are compiled into this test, and each target is the one line that calls the one of its name.
#[test]
fn every_fuzz_target_is_a_door_here() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let read = |name: &str| std::fs::read_to_string(fuzz.join(name)).unwrap();
    let doors: BTreeSet<String> = DOORS.iter().map(|(name, ..)| (*name).to_owned()).collect();

    let library = read("src/lib.rs");
    let functions = library.lines().filter_map(|line| {
        let (name, takes) = line.strip_prefix("pub fn ")?.split_once('(')?;
        takes.starts_with("bytes: &[u8])").then(|| name.to_owned())
    });
    assert_eq!(functions.collect::<BTreeSet<_>>(), doors, "src/lib.rs");

    let files = std::fs::read_dir(fuzz.join("fuzz_targets")).unwrap();
    let targets = files.map(|file| {
        let path = file.unwrap().path();
        path.file_stem().unwrap().to_str().unwrap().to_owned()
    });
    assert_eq!(targets.collect::<BTreeSet<_>>(), doors, "fuzz_targets");

    let manifest = read("Cargo.toml");
    for name in &doors {
        let path = format!("fuzz_targets/{name}.rs");
        let line = format!(
            "#![no_main]\nlibfuzzer_sys::fuzz_target!(|bytes: &[u8]| fairhold_fuzz::{name}(bytes));\n"
        );
        assert_eq!(read(&path), line, "{path}");
        let bin = format!("[[bin]]\nname = \"{name}\"\npath = \"{path}\"\n");
        assert!(manifest.contains(&bin), "{name} is no binary");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), doors.len());

    for room in std::fs::read_dir(fuzz.join("../crates")).unwrap() {
        let room = room.unwrap().file_name().into_string().unwrap();
        let used = library.contains(&format!("{room}::"));
        let named = manifest.contains(&format!("\n{room} = {{ path = \"../crates/{room}\" }}\n"));
        assert_eq!(used, named, "{room}: used, and named in the manifest");
    }
}
