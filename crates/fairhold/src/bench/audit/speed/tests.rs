use super::*;

#[test]
fn a_short_pass_is_made_until_enough_time_was_measured() {
    let (mut best, mut passes) = (0.0, 0_u32);
    pass(&mut best, 1_000_000, &mut || passes += 1);
    assert!(passes > 1 && best > 0.0);
    // Each pass is one megabyte, and all of them took at least so long.
    assert!(best * LEAST.as_secs_f64() <= f64::from(passes), "{best}");
}

#[test]
fn texts_are_repeated_until_there_are_enough_and_none_is_no_loop() {
    let row = |text: &str| Row {
        text: text.to_owned(),
        ..simulation::desensitize::own::rows(1).remove(0)
    };
    let rows = [row("abcd"), row("\u{e9}")];
    let texts = Texts::of(rows.iter());
    assert!((BYTES..BYTES + (64 << 10) + 8).contains(&texts.bytes));
    // Two bytes of eight, newlines among them.
    assert!((texts.beyond_ascii() - 0.25).abs() < 0.001);
    let ascii = Texts::of(rows.iter().filter(|row| row.text.is_ascii()));
    assert!(ascii.bytes >= BYTES && ascii.beyond_ascii() < 1e-9);
    assert_eq!(Texts::of(rows.iter().take(0)).bytes, 0);
}
