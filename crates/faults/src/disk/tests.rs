use super::*;

fn write(name: &str, at: u64, byte: u8, n: usize) -> Op {
    Op::Write {
        name: name.to_owned(),
        at,
        bytes: vec![byte; n],
    }
}

fn states(ops: &[Op]) -> Vec<BTreeMap<String, Vec<u8>>> {
    let mut disk = Disk::default();
    for op in ops {
        disk.apply(op);
    }
    (0..300)
        .map(|seed| disk.after_power_cut(&mut Chance::of(seed)))
        .collect()
}

#[test]
fn what_is_synced_survives_every_cut() {
    let name = "f".to_owned();
    let ops = [
        Op::Create(name.clone()),
        write("f", 0, 1, 3000),
        Op::Sync(name),
        Op::SyncFolder,
    ];
    assert!(states(&ops).iter().all(|files| files["f"] == [1; 3000]));
}

#[test]
fn what_is_not_synced_tears_at_sectors() {
    let ops = [
        Op::Create("f".to_owned()),
        Op::SyncFolder,
        write("f", 100, 1, 2000),
    ];
    let states = states(&ops);
    assert!(states.iter().any(|files| files["f"].is_empty()));
    assert!(states.iter().any(|files| files["f"].len() == 2100));
    let torn = |files: &BTreeMap<String, Vec<u8>>| {
        let f = &files["f"];
        f.len() == 2100 && f[512..1024].iter().all(|b| *b != 1) && f[1024..1536] == [1; 512]
    };
    assert!(states.iter().any(torn));
}

#[test]
fn a_name_counts_once_its_folder_is_synced() {
    let mut ops = vec![
        Op::Create("new".to_owned()),
        write("new", 0, 1, 10),
        Op::Sync("new".to_owned()),
        Op::Rename {
            from: "new".to_owned(),
            to: "old".to_owned(),
        },
    ];
    let some = states(&ops);
    assert!(some.iter().any(|files| !files.contains_key("old")));
    assert!(some.iter().any(|files| files.contains_key("old")));
    ops.push(Op::SyncFolder);
    assert!(states(&ops).iter().all(|files| files["old"] == [1; 10]));
}
