use std::fs;

use super::*;

#[test]
fn a_folder_is_every_known_file_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    for name in ["z.jsonl", "a.txt.gz", "b/x.TAR", "b/picture.png", "c.tgz"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let plan = Plan::of(&[folder.path().to_path_buf()]).unwrap();
    let told: Vec<_> = plan.files.iter().map(|f| (f.form, f.packing)).collect();
    let expected = [
        (Form::Text, Packing::Gzip),
        (Form::Tar, Packing::Plain),
        (Form::Tar, Packing::Gzip),
        (Form::Lines, Packing::Plain),
    ];
    assert_eq!(told, expected);
    assert_eq!(plan.bytes(), 4);
}

#[cfg(unix)]
#[test]
fn what_is_not_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("hidden.jsonl"), "{}").unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    for name in ["a.jsonl", "b/a.jsonl", "b/words.csv", "noending"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let link = folder.path().join("link.jsonl");
    std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
    let plan = Plan::of(&[folder.path().to_path_buf()]).unwrap();
    let names: Vec<&str> = plan
        .skipped
        .iter()
        .map(|name| name.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["words.csv", "link.jsonl", "noending"]);
    let relative: Vec<_> = plan.files.iter().map(|f| f.relative.clone()).collect();
    assert_eq!(relative, [Path::new("a.jsonl"), Path::new("b/a.jsonl")]);
}

#[test]
fn what_cannot_be_read_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    fs::write(&path, "x").unwrap();
    let why = Plan::of(std::slice::from_ref(&path)).unwrap_err();
    assert!(why.to_string().contains(".jsonl"), "{why}");
    assert!(matches!(
        Plan::of(&[folder.path().to_path_buf()]),
        Err(PlanError::Empty)
    ));
    assert!(matches!(
        Plan::of(&[folder.path().join("none.txt")]),
        Err(PlanError::Path { .. })
    ));
}

#[cfg(not(feature = "object-store"))]
#[test]
fn a_url_needs_the_feature_that_reads_it() {
    let error = Plan::of(&["s3://bucket/corpus.jsonl".into()]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("without the feature `object-store`"),
        "{error}"
    );
}
