use super::*;

#[test]
fn a_damaged_log_passes_for_whole() {
    let mut log = vec![0; 32 + 2 * (24 + 512)];
    log[..4].copy_from_slice(&0x377f_0682_u32.to_be_bytes());
    log[8..12].copy_from_slice(&512_u32.to_be_bytes());
    log[16..24].copy_from_slice(&[9; 8]);
    log[40] = 77;
    let damaged = log.clone();
    accept_frames(&mut log);
    assert_ne!(log, damaged);
    assert_eq!(log[32 + 8..32 + 16], [9; 8]);
    let again = log.clone();
    accept_frames(&mut log);
    assert_eq!(log, again, "already whole");
    let sum = checksum(&log[..24], (0, 0), false);
    assert_eq!(be(&log, 24), sum.0);
}

#[test]
fn every_fault_has_a_name() {
    for (text, mutant) in ALL {
        assert_eq!(named(text), Some(*mutant));
        assert_eq!(name(Some(*mutant)), *text);
    }
}
