use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;

use super::*;
use crate::AuditKey;

#[test]
fn the_vectors_of_the_specification_hold() {
    let vectors: [(&str, &[&str]); 14] = [
        (
            "The ﬁrst, “quick” FOX\n42-b",
            &["the", "first", "quick", "fox", "42", "b"],
        ),
        (
            "don't / don’t / donʼt",
            &["don", "t", "don", "t", "don", "t"],
        ),
        ("ze\u{200b}ro\u{ad}wi\u{2060}dth", &["zerowidth"]),
        ("Ｆｕｌｌｗｉｄｔｈ １２", &["fullwidth", "12"]),
        ("𝓜𝓪𝓽𝓱 𝟙𝟚", &["math", "12"]),
        ("résumé re\u{301}sume\u{301}", &["resume", "resume"]),
        ("Straße STRASSE", &["strasse", "strasse"]),
        ("рaypal аррӏе", &["paypal", "apple"]),
        ("ΣΊΣΥΦΟΣ σίσυφος", &["σiσuφoσ", "σiσuφoσ"]),
        ("日本go", &["日", "本", "go"]),
        ("ガ ｶﾞ カ", &["カ", "カ", "カ"]),
        ("snake_case 3.14", &["snake", "case", "3", "14"]),
        ("… !", &[]),
        ("İstanbul ISTANBUL", &["istanbul", "istanbul"]),
    ];
    for (text, words) in vectors {
        assert_eq!(normal_words(text), words, "{text}");
    }
}

/// What [`read_words`] hands to the channels, in words.
fn told(word: &Word) -> (u64, u64, u64) {
    (word.lo, word.hi, word.rest)
}

fn check(text: &str) {
    let key = AuditKey::new([9; 16]);
    let mut read = Vec::new();
    read_words(text, 0, key.secrets(), &mut read);
    let plain: Vec<_> = normal_words(text)
        .iter()
        .map(|w| told(&word(w.as_bytes(), key.secrets(), (0, 0), Shape::default())))
        .collect();
    assert_eq!(read.iter().map(told).collect::<Vec<_>>(), plain, "{text:?}");
    for (word, normal) in read.iter().zip(normal_words(text)) {
        assert_eq!(
            normal_words(text.get(word.start..word.end).unwrap()),
            [normal]
        );
    }
}

proptest! {
    #[test]
    fn reading_agrees_with_the_specification(text in "([a-zA-Z0-9 ,.\\[\\]]{0,20}|\\PC{0,6}){0,20}") {
        check(&text);
    }

    #[test]
    fn canonical_forms_fold_alike_and_others_keep_the_letters(text in "\\PC{0,40}") {
        let words = normal_words(&text);
        for form in [
            text.nfc().collect::<String>(),
            text.nfd().collect(),
            text.nfkc().collect(),
            text.nfkd().collect(),
        ] {
            // A compatibility form may spell one separator by several, or one letter by letters and separators.
            prop_assert_eq!(normal_words(&form).concat(), words.concat());
        }
        prop_assert_eq!(normal_words(&text.nfd().collect::<String>()), normal_words(&text.nfc().collect::<String>()));
    }
}

#[test]
fn compatibility_forms_may_part_words() {
    assert_eq!(normal_words("½"), ["12"]);
    let nfkc: String = "½".nfkc().collect();
    assert_eq!(normal_words(&nfkc), ["1", "2"]);
    // Folded after case, as the page says.
    assert_eq!(normal_words("Ν Υ"), ["v", "u"]);
}

#[test]
fn endless_words_are_one() {
    assert_eq!(normal_words(&"x".repeat(600)).len(), 1);
    check(&"x".repeat(600));
    check(&format!("{} y", "é".repeat(300)));
}
