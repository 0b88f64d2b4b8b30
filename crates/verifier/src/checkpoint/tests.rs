use super::*;

/// The specification's own example of a cosignature, and what is around it.
const COSIGNED: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

#[test]
fn a_note_keeps_the_signatures_that_it_does_not_know() {
    let note = Note::parse(COSIGNED).unwrap();
    assert_eq!(note.signatures.len(), 2);
    assert_eq!(note.to_string(), COSIGNED);
    let checkpoint = Checkpoint::parse(&note.text).unwrap();
    assert_eq!(
        (checkpoint.size, checkpoint.body()),
        (20_852_163, note.text.clone())
    );
    let (time, _) = cosignature(&note.signatures[1]).unwrap();
    assert_eq!(time, 1_679_315_147);
    let message = cosigned_message(time, &note.text);
    assert!(message.starts_with(b"cosignature/v1\ntime 1679315147\nexample.com/behind"));
}

#[test]
fn bodies_are_read_strictly() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for (body, good) in [
        (format!("o\n1\n{root}\n"), true),
        (format!("o\n0\n{root}\nextension\n"), true),
        (format!("o\n1\n{root}"), false),
        (format!("o\n01\n{root}\n"), false),
        (format!("o\n+1\n{root}\n"), false),
        (format!("\n1\n{root}\n"), false),
        (format!("o\n1\n{root}\n\n"), false),
        ("o\n1\nAAAA\n".to_owned(), false),
        ("o\n1\n".to_owned(), false),
    ] {
        assert_eq!(Checkpoint::parse(&body).is_ok(), good, "{body}");
    }
}
