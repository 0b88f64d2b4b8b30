use super::*;

#[test]
fn without_repositories_every_recipe_says_what_to_clone() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = Manifest::parse(POOL_MANIFEST).unwrap();
    let digests = PoolDigests::parse(&manifest, POOL_ROWS).unwrap();
    let mut told = 0;
    let all = rebuild(
        &manifest,
        &digests,
        dir.path(),
        &dir.path().join("out"),
        &mut |_| told += 1,
    );
    let all = all.unwrap();
    assert_eq!(told, all.len());
    for done in all.iter().filter(|r| !r.no_recipe) {
        let why = done.why_not.as_deref().unwrap_or_default();
        assert!(why.contains("git clone https://"), "{}: {why}", done.source);
    }
}
