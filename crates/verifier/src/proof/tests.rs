use super::*;

const NOTE: &str = "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} o AAAAAAAA\n";

#[test]
fn proofs_are_read_as_they_are_written() {
    for extra in [None, Some(vec![]), Some(b"salt".to_vec())] {
        for hashes in [vec![], vec![[7; 32], [9; 32]]] {
            let proof = TlogProof {
                extra: extra.clone(),
                index: 73_894,
                hashes,
                checkpoint: NOTE.to_owned(),
            };
            assert_eq!(TlogProof::parse(&proof.to_string()).unwrap(), proof);
        }
    }
}

#[test]
fn other_spellings_are_refused() {
    let hash = STANDARD.encode([7; 32]);
    for head in [
        "c2sp.org/tlog-proof@v2\nindex 1".to_owned(),
        "c2sp.org/tlog-proof@v1".to_owned(),
        "c2sp.org/tlog-proof@v1\nindex 01".to_owned(),
        "c2sp.org/tlog-proof@v1\nindex +1".to_owned(),
        "c2sp.org/tlog-proof@v1\nindex -1".to_owned(),
        "c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA".to_owned(),
        "c2sp.org/tlog-proof@v1\nextra !\nindex 1".to_owned(),
        format!("c2sp.org/tlog-proof@v1\nindex 1\n{hash} "),
        format!(
            "c2sp.org/tlog-proof@v1\nindex 1{}",
            format!("\n{hash}").repeat(65)
        ),
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA".to_owned(),
    ] {
        let text = format!("{head}\n\n{NOTE}");
        assert!(TlogProof::parse(&text).is_err(), "{text}");
    }
    assert!(TlogProof::parse("c2sp.org/tlog-proof@v1\nindex 1\n").is_err());
}
