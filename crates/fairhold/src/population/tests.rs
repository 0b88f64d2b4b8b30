use super::*;

#[test]
fn the_folder_s_own_population_comes_before_the_shipped_one() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Population::of(&folder.path().join("not/there")).unwrap();
    assert!(!nowhere.own);
    let text = nowhere.detector.to_text().unwrap();
    std::fs::write(folder.path().join(FILE), text).unwrap();
    let own = Population::of(folder.path()).unwrap();
    assert!(own.own);
    assert_eq!(own.detector.manifest, nowhere.detector.manifest);
}

#[test]
fn a_population_that_cannot_be_read_is_not_replaced_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), "{}").unwrap();
    let why = Population::of(folder.path()).unwrap_err();
    assert!(
        why.contains(FILE) && why.contains("remove it") && why.contains("fairhold calibrate"),
        "{why}"
    );
}
