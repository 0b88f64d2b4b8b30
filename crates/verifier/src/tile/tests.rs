use super::*;

fn hashes_of(level: u8, index: u64, width: u16) -> Tile {
    Tile::new(TileKind::Hashes(level), index, width).unwrap()
}

/// The specification's own example, and what else a path may be.
#[test]
fn paths_have_one_spelling() {
    for (tile, path) in [
        (hashes_of(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (hashes_of(0, 0, 1), "tile/0/000.p/1"),
        (hashes_of(63, 999, 255), "tile/63/999.p/255"),
        (hashes_of(2, 1000, 256), "tile/2/x001/000"),
        (
            Tile::new(TileKind::Entries, 1_000_000, 7).unwrap(),
            "tile/entries/x001/x000/000.p/7",
        ),
    ] {
        assert_eq!(tile.to_string(), path);
        assert_eq!(Tile::parse(path), Some(tile));
    }
    for wrong in [
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/+01",
        "tile/+0/001",
        "tile/0/x001/x234/067/",
        "tile/8/0/000",
        "tile/entries/",
        "/tile/0/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
    ] {
        assert_eq!(Tile::parse(wrong), None, "{wrong}");
    }
}

/// The specification: a tree of 70,000 has 273 full tiles at level 0, a
/// partial one of 112, one full at level 1, a partial one of 17, and one of 1.
#[test]
fn a_log_of_seventy_thousand_has_the_tiles_that_the_specification_counts() {
    let tiles = new_tiles(0, 70_000);
    let of = |kind| tiles.iter().filter(move |t| t.kind() == kind);
    let widths = |kind| {
        of(kind)
            .map(Tile::width)
            .filter(|w| *w < 256)
            .collect::<Vec<_>>()
    };
    let full = |kind| of(kind).filter(|t| t.is_full()).count();
    for (kind, whole, partial) in [
        (TileKind::Entries, 273, vec![112]),
        (TileKind::Hashes(0), 273, vec![112]),
        (TileKind::Hashes(1), 1, vec![17]),
        (TileKind::Hashes(2), 0, vec![1]),
    ] {
        assert_eq!((full(kind), widths(kind)), (whole, partial), "{kind:?}");
    }
    assert_eq!(tiles.len(), 274 + 274 + 2 + 1);
    assert_eq!(new_tiles(0, 256).iter().filter(|t| !t.is_full()).count(), 1);
    assert!(new_tiles(300, 300).is_empty());
}

#[test]
fn entry_bundles_are_read_back_and_read_strictly() {
    let long = vec![7; LARGEST_ENTRY];
    let all: [&[u8]; 3] = [b"", b"one", &long];
    let bytes = entry_bundle(all).unwrap();
    assert_eq!(bytes.get(..5), Some(&[0, 0, 0, 3, b'o'][..]));
    assert_eq!(entries(&bytes, 3).unwrap(), all);
    assert_eq!(entries(&bytes, 2), None);
    assert_eq!(entries(&bytes[..bytes.len() - 1], 3), None);
    assert_eq!(entries(&[0], 0), None);
    let longer = vec![7; LARGEST_ENTRY + 1];
    assert_eq!(entry_bundle([longer.as_slice()]), None);
}
