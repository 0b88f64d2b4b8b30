use std::io::Write as _;

use super::*;

async fn check(needle: &[u8], at: usize, length: usize) -> bool {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut bytes = vec![0x5a; length];
    bytes[at..at + needle.len()].copy_from_slice(needle);
    file.write_all(&bytes).unwrap();
    let needles = Needles::of(vec![vec![1; 60], needle.to_vec()]);
    let (searched, found) = search(file.path(), &needles).await.unwrap();
    assert!(found || searched == length as u64);
    found
}

#[tokio::test]
async fn a_needle_is_found_wherever_it_lies() {
    let needle: Vec<u8> = (0..60).map(|n| n * 3 + 1).collect();
    let length = 2 * BLOCK + 100;
    for at in [
        0,
        1,
        4_000,
        BLOCK - 59,
        BLOCK - 30,
        BLOCK - 1,
        BLOCK,
        length - 60,
    ] {
        assert!(check(&needle, at, length).await, "at {at}");
    }
    for at in [0, BLOCK - 30, length - 60] {
        let mut other = needle.clone();
        other[59] ^= 1;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = vec![0x5a; length];
        bytes[at..at + 60].copy_from_slice(&other);
        file.write_all(&bytes).unwrap();
        let (searched, found) = search(file.path(), &Needles::of(vec![needle.clone()]))
            .await
            .unwrap();
        assert_eq!((searched, found), (length as u64, false));
    }
}
