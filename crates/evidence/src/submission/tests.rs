use super::*;
use crate::checkpoint::LogKey;

fn submission(lines: usize) -> Submission {
    let key = LogKey::from_seed(&[7; 32], "example.org/log").unwrap();
    Submission {
        old: 5,
        proof: vec![[3; 32]; lines],
        note: Note::parse(&key.checkpoint(9, &[4; 32])).unwrap(),
    }
}

#[test]
fn what_is_written_is_read_again() {
    for lines in [0, 1, 63] {
        let said = submission(lines);
        let text = said.to_string();
        assert_eq!(Submission::parse(text.as_bytes()), Ok(said));
    }
}

#[test]
fn there_is_one_spelling() {
    let good = submission(1).to_string();
    for bad in [
        String::new(),
        submission(64).to_string(),
        good.replace("old 5", "old 05"),
        good.replace("old 5", "old +5"),
        good.replace("old 5", "5"),
        good.replace("AwM=", "AwN="),
        good.replace("AwM=", "AwM"),
        good.replace("old 5\n", "old 5\r\n"),
        good.replace("\n\n", "\n"),
    ] {
        assert_ne!(bad, good);
        assert!(Submission::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}
