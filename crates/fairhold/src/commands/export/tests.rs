use std::time::SystemTime;

use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_made_whole_again_and_never_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let house = House::open(&data, Plan::at_rest()).await.unwrap();
    let office = LocalOffice::of(&house);
    for n in 0..260 {
        house.keeper.note("noted", &format!("s{n}")).await.unwrap();
    }
    let files = |dir: &str| Files {
        dir: folder.path().join(dir),
        account: None,
        root: false,
        all: true,
    };
    let out = files("out");
    ledgers(&office, &out, Out::silent()).await.unwrap();
    let changed = |path: &str| -> SystemTime {
        let file = std::fs::metadata(out.dir.join(path)).unwrap();
        file.modified().unwrap()
    };
    assert!(changed("log/checkpoint") >= changed("house/checkpoint"));

    // Cut short, as by a failure of power: written again. What is whole is left alone.
    let (entries, hashes) = (
        out.dir.join("house/tile/entries/000"),
        out.dir.join("house/tile/0/000"),
    );
    let whole = [&entries, &hashes].map(|path| std::fs::read(path).unwrap());
    std::fs::write(&entries, &whole[0][..100]).unwrap();
    let before = changed("house/tile/0/000");
    ledgers(&office, &out, Out::silent()).await.unwrap();
    assert_eq!(std::fs::read(&entries).unwrap(), whole[0]);
    assert_eq!(changed("house/tile/0/000"), before);
    std::fs::write(&hashes, b"").unwrap();
    ledgers(&office, &out, Out::silent()).await.unwrap();
    assert_eq!(std::fs::read(&hashes).unwrap(), whole[1]);

    // Another tree of the same name.
    let kept = std::fs::read_to_string(out.dir.join("house/checkpoint")).unwrap();
    let root = kept.lines().nth(2).unwrap();
    let other = kept.replace(root, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    std::fs::write(out.dir.join("house/checkpoint"), &other).unwrap();
    let refused = ledgers(&office, &out, Out::silent()).await.unwrap_err();
    assert!(refused.to_string().contains("another tree"), "{refused}");
    std::fs::write(out.dir.join("house/checkpoint"), &kept).unwrap();

    // After a rotation the tiles are those of another tree.
    office.rotate("a test").await.unwrap();
    let refused = ledgers(&office, &out, Out::silent()).await.unwrap_err();
    assert!(refused.to_string().contains("another folder"), "{refused}");
    let still = std::fs::read_to_string(out.dir.join("house/checkpoint")).unwrap();
    assert_eq!(still, kept);
    ledgers(&office, &files("new"), Out::silent())
        .await
        .unwrap();
    drop(office);
    house.close().await;
}
