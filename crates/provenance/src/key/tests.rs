use super::*;
use siphasher::sip::SipHasher13;

#[test]
fn the_unrolled_siphash_is_siphash() {
    for n in 0..1_000_u64 {
        let (a, b) = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n << 17);
        let mut theirs = SipHasher13::new_with_keys(n, !n);
        theirs.write_u64(a);
        theirs.write_u64(b);
        assert_eq!(sip13((n, !n), (a, b)), theirs.finish());
    }
}

#[test]
fn another_key_shares_no_gram() {
    let (a, b) = (AuditKey::new([1; 16]), AuditKey::new([2; 16]));
    assert_ne!(a.id(), b.id());
    assert_ne!(a.prompt_group("hello there"), b.prompt_group("hello there"));
    assert_eq!(
        a.prompt_group("Hello, there!"),
        a.prompt_group("hello there")
    );
}

/// The words of the specification, one by one.
fn group_plainly(key: &AuditKey, prompt: &str) -> u64 {
    let mut hasher = keyed(key.secrets.channels[3]);
    for word in normal_words(prompt) {
        hasher.write(word.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish().max(1)
}

proptest::proptest! {
    #[test]
    fn a_prompts_number_is_that_of_its_normal_words(
        any in ".{0,300}", words in "([a-zA-Z0-9éßﬁ½日\u{301}\u{ad}]{1,24}[ ,.\u{3000}]){0,200}",
    ) {
        let key = AuditKey::new([7; 16]);
        for prompt in [&any, &words] {
            proptest::prop_assert_eq!(key.prompt_group(prompt), group_plainly(&key, prompt));
        }
    }
}
