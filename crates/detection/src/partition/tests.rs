use super::*;

fn prompt(n: u64, topic: u32) -> Prompt {
    Prompt {
        shingles: Box::new([1, 2, 3]),
        words: Box::new([topic * 4, topic * 4 + u32::try_from(n % 4).unwrap()]),
        whole: n,
        levels: Box::new([0; crate::cues::CUES]),
    }
}

fn owned(prompts: &[Prompt], owner: impl Fn(usize) -> usize) -> Vec<Vec<&Prompt>> {
    let mut out = vec![Vec::new(); 12];
    for (n, one) in prompts.iter().enumerate() {
        out[owner(n)].push(one);
    }
    out
}

fn queue() -> Vec<Prompt> {
    (0..240)
        .map(|n: u64| prompt(n, u32::try_from(n / 20).unwrap()))
        .collect()
}

#[test]
fn a_divided_queue_is_told_from_strangers_matters() {
    let prompts = queue();
    let dealt = partition(&owned(&prompts, |n| (n * 7 + n / 12) % 12));
    assert!(dealt.divided(), "{dealt:?}");
    let strangers = partition(&owned(&prompts, |n| n / 20));
    assert!(strangers.z > 10.0 && !strangers.divided(), "{strangers:?}");
}

#[test]
fn work_done_twice_is_no_divided_queue() {
    let mut prompts = queue();
    for n in 0..12 {
        prompts[n * 20 + 1].whole = 0;
    }
    let seen = partition(&owned(&prompts, |n| (n * 7 + n / 12) % 12));
    assert!(seen.repeated > 0.02 && !seen.divided(), "{seen:?}");
}

#[test]
fn empty_hands_are_nothing() {
    let none = partition(&[]);
    assert_eq!((none.prompts, none.z, none.repeated), (0, 0.0, 0.0));
}
