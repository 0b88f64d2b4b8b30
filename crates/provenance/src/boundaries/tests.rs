use proptest::prelude::*;

use super::*;
use crate::normal_words;

/// The same, byte by byte.
fn plain_sixteen(bytes: &[u8; 16]) -> (u16, u16) {
    let (mut letters, mut beyond) = (0, 0);
    for (n, byte) in bytes.iter().enumerate() {
        letters |= u16::from(byte.is_ascii_alphanumeric()) << n;
        beyond |= u16::from(!byte.is_ascii()) << n;
    }
    (letters, beyond)
}

struct Every(Vec<usize>);

impl Words for Every {
    fn skips(&self) -> usize {
        0
    }

    fn skip(&mut self, _: usize) {}

    fn word(&mut self, start: usize, ends: Option<usize>) {
        assert!(ends.is_none_or(|end| end > start));
        self.0.push(start);
    }

    fn alone(&mut self, (start, end): (usize, usize), _: u64) {
        assert!(end > start);
        self.0.push(start);
    }
}

proptest! {
    #[test]
    fn both_ways_class_bytes_alike(bytes in any::<[u8; 16]>()) {
        prop_assert_eq!(sixteen(&bytes), plain_sixteen(&bytes));
    }

    #[test]
    fn blocks_see_the_words_of_the_specification(
        text in "([a-zA-Z0-9]{0,40}[ ,.\\n'-]{0,3}|[éßжñ一ガ\u{200b}’—]{0,2}|[一中的龥，。“”…「０Ａ々〇\u{3000}\u{302a}한a1]{0,90}){0,60}"
    ) {
        let words = normal_words(&text);
        prop_assert_eq!(count(&text), words.len());
        let mut every = Every(Vec::new());
        walk(&text, &mut every);
        prop_assert_eq!(every.0.len(), words.len());
        for (start, word) in every.0.iter().zip(&words) {
            let from = normal_words(text.get(*start..).unwrap());
            prop_assert_eq!(&from[0], word);
        }
    }
}
