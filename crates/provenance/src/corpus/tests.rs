use super::*;

/// Seeded, so that the test says the same each time.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / (f64::from(u32::MAX) + 1.0)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.unit();
        (self.0 >> 20).wrapping_mul(0x9e37_79b9_7f4a_7c15) % n
    }

    fn rate(&mut self, p: f64, of: u64) -> Rate {
        let hits = (0..of).filter(|_| self.unit() < p).count() as u64;
        Rate { hits, of }
    }
}

/// Over 1,000 corpora, each with rates measured anew, the intervals hold the truth 94 times in 100.
#[test]
fn the_interval_covers_what_it_says() {
    let mut dice = Dice(7);
    let (mut documents, mut bytes) = (0, 0);
    for _ in 0..1_000 {
        let share = 0.005 + 0.5 * dice.unit();
        let measured = Measured {
            sensitivity: dice.rate(0.97, 400),
            specificity: dice.rate(0.996, 1_000),
        };
        let mut tally = CorpusTally::default();
        let (mut derived, mut derived_bytes, mut all_bytes) = (0_u64, 0_u64, 0_u64);
        for _ in 0..1_000 {
            let is = dice.unit() < share;
            let size = 200 + dice.below(1_000) * dice.below(1_000) / 300;
            derived += u64::from(is);
            derived_bytes += size * u64::from(is);
            all_bytes += size;
            let flagged = dice.unit() < if is { 0.97 } else { 0.004 };
            tally.add(size, size / 4, flagged);
        }
        let shares = tally.shares(&measured);
        let held = |s: &Share, truth: f64| s.lo <= truth && truth <= s.hi;
        documents += u32::from(held(&shares.documents, ratio(derived, 1_000)));
        bytes += u32::from(held(&shares.bytes, ratio(derived_bytes, all_bytes)));
    }
    assert!(documents >= 940 && bytes >= 940, "{documents} {bytes}");
}

#[test]
fn tallies_add_up() {
    let (mut all, mut a, mut b) = <(CorpusTally, CorpusTally, CorpusTally)>::default();
    for n in 0..100_u64 {
        all.add(n, 2 * n, n % 7 == 0);
        if n % 3 == 0 { &mut a } else { &mut b }.add(n, 2 * n, n % 7 == 0);
    }
    a.merge(&b);
    assert_eq!(a, all);
    assert_eq!((all.documents(), all.flagged()), (100, 15));
}

/// A clean corpus flagged at the measured rate is not said to hold anything.
#[test]
fn what_is_flagged_in_vain_is_taken_off() {
    let measured = Measured {
        sensitivity: Rate { hits: 99, of: 100 },
        specificity: Rate {
            hits: 995,
            of: 1_000,
        },
    };
    let mut tally = CorpusTally::default();
    (0..1_000).for_each(|n| tally.add(100, 25, n % 200 == 0));
    let shares = tally.shares(&measured);
    assert!(shares.documents.share < 1e-9 && shares.documents.lo < 1e-9);
    assert!(shares.documents.hi < 0.02, "{shares:?}");
    let nothing = CorpusTally::default().shares(&measured);
    assert!(nothing.documents.lo < 1e-9 && nothing.documents.hi > 0.999);
}
