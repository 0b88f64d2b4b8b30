use std::collections::BTreeSet;
use std::path::PathBuf;

use facts::{AccountId, Exchange, ExchangeId, Timestamp};
use proptest::prelude::*;
use provenance::Role;

use super::super::{Making, covered};
use super::*;

proptest! {
    #[test]
    fn a_byte_is_written_anew_once_a_tier_and_files_stay_few(
        writes in prop::collection::vec(0_u32..22, 1..600),
    ) {
        // Of each file its size, and how often its bytes were written anew.
        let mut files: Vec<(u64, u32)> = Vec::new();
        for bits in writes {
            let size = 100 + (1_u64 << bits) + u64::from(bits) * 37;
            files.push((size, 0));
            loop {
                let sizes: Vec<u64> = files.iter().map(|(size, _)| *size).collect();
                let Some(range) = joined_next(&sizes) else { break };
                prop_assert!(range.len() > 1);
                let highest = sizes[range.clone()].iter().map(|s| tier(*s)).max().unwrap();
                let some: Vec<_> = files.drain(range.clone()).collect();
                let total: u64 = some.iter().map(|(size, _)| size).sum();
                prop_assert!(tier(total) > highest && highest < LAST);
                let often = some.iter().map(|(_, often)| often).max().unwrap() + 1;
                prop_assert!(often <= LAST);
                files.insert(range.start, (total, often));
            }
        }
        // What stands before a file of the last tier stays; behind it there are few, whatever their sizes.
        let behind = files.iter().rev().take_while(|(size, _)| tier(*size) < LAST).count();
        prop_assert!(behind < 80, "{behind}");
    }

    #[test]
    fn equal_writes_leave_fewer_than_eight_files_a_tier(size in 60_u64..50_000, writes in 1_usize..3_000) {
        let mut files: Vec<u64> = Vec::new();
        for _ in 0..writes {
            files.push(size);
            while let Some(range) = joined_next(&files) {
                let total = files.drain(range.clone()).sum();
                files.insert(range.start, total);
            }
        }
        let mut by_tier = [0_u32; LAST as usize + 1];
        for size in files {
            by_tier[tier(size) as usize] += 1;
        }
        prop_assert!(by_tier[..LAST as usize].iter().all(|n| *n < 8), "{by_tier:?}");
    }

    #[test]
    fn groups_are_neighbours_and_not_too_large(sizes in prop::collection::vec(1_u64..60, 0..40)) {
        let groups = together(&sizes, 100);
        let mut end = 0;
        for group in groups {
            prop_assert!(group.start >= end && group.len() > 1);
            prop_assert!(sizes[group.clone()].iter().sum::<u64>() <= 100);
            end = group.end;
        }
    }

    #[test]
    fn what_covers_a_file_is_found(ranges in prop::collection::btree_set((0_u8..2, 0_u64..12, 0_u64..12), 0..20)) {
        let file = |(of, a, b): &(u8, u64, u64)| SegmentFile {
            of: (of.to_string(), "2026-01".to_owned()),
            from: *a.min(b),
            to: *a.max(b),
            path: PathBuf::from(format!("{of}/{}-{}", a.min(b), a.max(b))),
        };
        let files: BTreeSet<SegmentFile> = ranges.iter().map(file).collect();
        let plainly = |file: &SegmentFile| {
            let other = |o: &SegmentFile| o.of == file.of && o != file && o.from <= file.from && file.to <= o.to;
            file.from < file.to && files.iter().any(other)
        };
        let expected: Vec<_> = files.iter().map(|file| (file.clone(), plainly(file))).collect();
        prop_assert_eq!(covered(files.into_iter().collect()), expected);
    }
}

fn made(folder: &Folder, n: u64, account: &str) -> Vec<Segment> {
    let mut making = Making::new(folder.key());
    let words: Vec<String> = (0..60).map(|k| format!("word{}", n * 1_000 + k)).collect();
    let exchange = Exchange {
        id: ExchangeId::parse(&format!("e{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: Timestamp(1_780_000_000_000),
        model: None,
        prompt: vec![("user".to_owned(), "why?".to_owned())],
        response: Some(words.join(" ")),
        usage: None,
    };
    making.take(&exchange, Role::Output);
    making.build()
}

fn outputs(folder: &Folder) -> usize {
    let segments = folder.segments().unwrap();
    let all: BTreeSet<_> = segments
        .iter()
        .flat_map(Segment::outputs)
        .map(|o| o.id.clone())
        .collect();
    let counted: usize = segments.iter().map(|s| s.outputs().len()).sum();
    assert_eq!(all.len(), counted, "none is there twice");
    counted
}

#[test]
fn joined_files_hold_the_same_and_only_those_of_who_was_written_are_joined() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    let mut small = None;
    for n in 0..60 {
        let account = if n % 6 == 5 { "rare" } else { "busy" };
        let made = made(&folder, n, account);
        folder
            .write_on(&right, made, (n, n + 1), &mut small)
            .unwrap();
        assert_eq!(outputs(&folder), usize::try_from(n).unwrap() + 1);
        if n % 17 == 3 {
            // Whoever opens it later lists what is there.
            small = None;
        }
    }
    let files = folder.files().unwrap();
    assert!((2..20).contains(&files.len()), "{}", files.len());
    assert_eq!(folder.next().unwrap(), 60);
    folder.merge(&right).unwrap();
    assert_eq!((folder.files().unwrap().len(), outputs(&folder)), (2, 60));
}

#[test]
fn a_join_that_is_cut_off_anywhere_is_finished() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_make(temporary.path()).unwrap();
    let right = folder.lock().unwrap();
    for n in 0..10 {
        folder
            .write(&right, made(&folder, n, "a"), (n, n + 1))
            .unwrap();
    }
    folder.advance(&right, 10).unwrap();
    drop(right);
    let before = folder.files().unwrap();
    let bytes: Vec<Vec<u8>> = before
        .iter()
        .map(|f| std::fs::read(&f.path).unwrap())
        .collect();
    // Killed before the joined file was renamed.
    let torn = before[0].path.with_file_name(".2026-05.0-10.seg.00.tmp");
    std::fs::write(&torn, b"FHSEG").unwrap();
    assert_eq!((folder.files().unwrap().len(), outputs(&folder)), (10, 10));
    let right = folder.lock().unwrap();
    assert_eq!(folder.merge(&right).unwrap(), 10);
    drop(right);
    // Killed after it was there, with all of the others, or some, still there.
    for cut in 0..before.len() {
        for (file, bytes) in before.iter().zip(&bytes).skip(cut) {
            std::fs::write(&file.path, bytes).unwrap();
        }
        assert_eq!(outputs(&folder), 10);
        drop(folder.lock().unwrap());
        assert!(before.iter().all(|file| !file.path.exists()));
        assert_eq!((folder.files().unwrap().len(), outputs(&folder)), (1, 10));
    }
}
