use std::io::Write as _;

use facts::{AccountId, Exchange};

use super::{Reader, Tally};

fn read(files: &[(&str, &[u8])], account: Option<&str>) -> (Vec<Exchange>, Tally) {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = Reader::new(account.map(|a| AccountId::parse(a).unwrap()));
    let mut all = Vec::new();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::File::create(&path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
        let mut lines = Reader::open(&path).unwrap();
        loop {
            let batch = reader.next_batch(&mut lines).unwrap();
            if batch.is_empty() {
                break;
            }
            all.extend(batch);
        }
    }
    let (rest, tally) = reader.finish();
    all.extend(rest);
    (all, tally)
}

const GOOD: &str = r#"{"account":"a","time":"2026-01-02T03:04:05Z","messages":[{"role":"user","content":"hi"}],"response":"hello"}"#;

#[test]
fn bad_lines_are_counted_by_number_and_good_ones_kept() {
    let mut text = format!("{GOOD}\n\nnot json\n").into_bytes();
    text.extend(b"\xff\xfe\n{\"account\":\"a\"}\n");
    text.extend(GOOD.replace("hi", "ho").bytes());
    let (exchanges, tally) = read(&[("a.jsonl", &text)], None);
    assert_eq!(exchanges.len(), 2);
    let numbers: Vec<u64> = tally.bad_lines.iter().map(|b| b.line).collect();
    assert_eq!((tally.bad, numbers), (3, vec![3, 4, 5]));
}

#[test]
fn a_compressed_log_reads_like_a_plain_one() {
    let text = format!("{GOOD}\n");
    let packed = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let (plain, _) = read(&[("a.jsonl", text.as_bytes())], None);
    let (unpacked, _) = read(&[("a.jsonl.zst", &packed)], None);
    assert_eq!(plain, unpacked);
    assert_eq!(plain.len(), 1);
}

#[test]
fn a_batch_is_joined_whichever_file_comes_first() {
    let input = br#"{"custom_id":"r1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"q"}]}}"#;
    let output = br#"{"id":"b","custom_id":"r1","response":{"status_code":200,"body":{"object":"chat.completion","created":1700000000,"choices":[{"message":{"role":"assistant","content":"the answer"}}]}},"error":null}"#;
    for files in [
        [("in.jsonl", &input[..]), ("out.jsonl", &output[..])],
        [("out.jsonl", &output[..]), ("in.jsonl", &input[..])],
    ] {
        let (exchanges, tally) = read(&files, Some("acct"));
        assert_eq!(tally.bad, 0, "{tally:?}");
        assert_eq!(exchanges.len(), 1);
        assert_eq!(exchanges[0].response.as_deref(), Some("the answer"));
        assert_eq!(exchanges[0].account.as_str(), "acct");
    }
    let (exchanges, tally) = read(&[("in.jsonl", &input[..])], None);
    assert_eq!((exchanges.len(), tally.bad), (0, 1));
    assert!(tally.bad_lines[0].why.contains("--account"));
}
