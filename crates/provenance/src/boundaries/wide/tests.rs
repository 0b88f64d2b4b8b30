use super::*;
use crate::normaliser::{Place, alone, place};

/// Every character of three bytes, at each place of a stretch.
#[test]
fn what_is_passed_is_what_the_rules_say() {
    let mut passed = [0, 0];
    for c in (0x800..=0xffff).filter_map(char::from_u32) {
        for n in [0, 1, 5, 6, 15] {
            let mut text: Vec<char> = vec!['一'; 16];
            text[n] = c;
            let text: String = text.into_iter().chain("ab".chars()).collect();
            let asked = text.as_bytes().first_chunk().unwrap();
            let (ideographs, separators) = classes(asked);
            let at = |mask: u64| mask >> (3 * n) & 1 == 1;
            assert!(!(at(ideographs) && at(separators)), "{c}");
            if at(ideographs) {
                assert_eq!((place(c), alone(c)), (Place::Alone, Some(c)), "{c}");
                passed[0] += 1;
            }
            if at(separators) {
                assert_eq!(place(c), Place::Separator, "{c:?}");
                passed[1] += 1;
            }
        }
    }
    // U+4E00 to U+9FFF that are assigned or not, and 5 + 25 + 15 + 7 + 24.
    assert_eq!(passed, [5 * 0x5200, 5 * 76]);
}
