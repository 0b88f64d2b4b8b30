use super::*;
use facts::{AccountId, Exchange, ExchangeId};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn exchange(account: &str, n: usize, text: &str) -> Exchange {
    Exchange {
        id: ExchangeId::parse(&format!("{account}-{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: Timestamp(i64::try_from(n).unwrap()),
        model: None,
        prompt: vec![("user".to_owned(), text.to_owned())],
        response: None,
        usage: None,
    }
}

/// Words that no other number gives.
fn slot(n: usize) -> String {
    let letter = |k: u32| char::from(b'a' + u8::try_from((n / 26_usize.pow(k)) % 26).unwrap());
    let word: String = (0..4).map(letter).collect();
    format!("{word}one {word}two {word}three {word}four {word}five {word}six {word}seven")
}

fn harvest(account: &str, n: usize) -> Exchange {
    let text = if n.is_multiple_of(2) {
        format!(
            "Invent a fresh exercise for pupils about the theme below and write a model solution in full: {}",
            slot(n)
        )
    } else {
        format!(
            "Rate the two drafts underneath against our nine quality marks and say which of them wins: {}",
            slot(n)
        )
    };
    exchange(account, n, &text)
}

fn honest(account: &str, n: usize) -> Exchange {
    exchange(
        account,
        n,
        &format!("My landlord asks {} and I wonder", slot(n + 5_000)),
    )
}

fn new(name: &str) -> NewCampaign {
    NewCampaign {
        name: name.to_owned(),
        made_at: Timestamp(1_790_000_000_000),
        expires_at: Timestamp(1_800_000_000_000),
        rule: Rule::STANDARD,
    }
}

fn made() -> Campaign {
    let all: Vec<Exchange> = (0..100).map(|n| harvest("bad", n)).collect();
    make(&new("quiz"), &all, &BTreeSet::new()).unwrap()
}

fn parts() -> CampaignParts {
    CampaignParts {
        name: "quiz-2026.1".to_owned(),
        made_at: Timestamp(1_790_000_000_000),
        expires_at: Timestamp(1_800_000_000_000),
        made_from: MadeFrom {
            accounts: 1,
            exchanges: 100,
            prompts: 98,
        },
        rule: Rule::STANDARD,
        programmes: vec![KnownProgramme {
            prompts: 50,
            hashes: vec![1, 2, 3, 0xfeed, u64::MAX],
        }],
        back_test: Some(BackTest {
            accounts: 400,
            exchanges: 9_000,
            fired: 1,
        }),
    }
}

#[test]
fn a_sketch_keeps_each_programme_and_finds_five_exchanges_of_another_account() {
    let campaign = made();
    assert_eq!(campaign.parts().programmes.len(), 2, "{campaign:?}");
    assert_eq!(
        campaign.parts().made_from,
        MadeFrom {
            accounts: 1,
            exchanges: 100,
            prompts: 100
        }
    );
    let matcher = Matcher::new([campaign.clone()]);
    let mut tally = Tally::new();
    let mut hits = Vec::new();
    for n in 900..905 {
        hits = matcher.observe(&mut tally, &campaign_hashes(&harvest("other", n).prompt));
    }
    let [hit] = hits.as_slice() else {
        panic!("{hits:?}")
    };
    assert_eq!(
        (hit.matched, hit.within, hit.programmes.as_slice()),
        (5, 5, [0, 1].as_slice())
    );
    let words = campaign.explain(hit);
    for told in [
        "5 of the account's last 5 prompts",
        "`quiz`",
        "1 confirmed accounts",
        "not tried",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    let tested = campaign
        .tested(BackTest {
            accounts: 400,
            exchanges: 9,
            fired: 1,
        })
        .unwrap();
    assert!(
        tested
            .explain(hit)
            .contains("1 of 400 cleared accounts (95 % interval 0.01 % to 1.38 %)"),
        "{}",
        tested.explain(hit)
    );
    assert_eq!(tested.id(), campaign.id(), "a back-test changes no hash");
}

#[test]
fn two_prompts_or_three_far_apart_are_no_match() {
    let matcher = Matcher::new([made()]);
    let of = |e: Exchange| campaign_hashes(&e.prompt);
    let check = |every: usize, expected: bool| {
        let mut tally = Tally::new();
        let fired = (0..60).any(|n| {
            let next = if n % every == 0 {
                harvest("a", n)
            } else {
                honest("a", n)
            };
            !matcher.observe(&mut tally, &of(next)).is_empty()
        });
        assert_eq!(fired, expected, "one in {every}");
    };
    check(2, true);
    check(9, true);
    check(10, false);
    check(30, false);
    let mut tally = Tally::new();
    matcher.observe(&mut tally, &of(harvest("a", 0)));
    assert!(!tally.is_idle());
    (0..19).for_each(|n| drop(matcher.observe(&mut tally, &of(honest("a", n)))));
    assert!(!tally.is_idle());
    matcher.observe(&mut tally, &of(honest("a", 20)));
    assert!(tally.is_idle(), "what cannot count any more is forgotten");
}

#[test]
fn a_prompt_sent_again_and_again_is_no_frame() {
    let again: Vec<Exchange> = (0..50).map(|_| harvest("bad", 1)).collect();
    let refused = make(&new("x"), &again, &BTreeSet::new());
    assert_eq!(refused, Err(MakeError::NothingRepeats { prompts: 1 }));
}

#[test]
fn common_wording_is_no_part_of_a_sketch() {
    let all: Vec<Exchange> = (0..60).map(|n| harvest("bad", n)).collect();
    let pool: Vec<Exchange> = (0..30)
        .map(|n| harvest(if n % 4 < 2 { "x" } else { "y" }, 2 * n))
        .collect();
    let left = make(&new("x"), &all, &carried_widely(&pool, 2)).unwrap();
    assert_eq!(
        left.parts().programmes.len(),
        1,
        "the even frame is everybody's"
    );
    let stock = |n| {
        exchange(
            "bad",
            n,
            &format!(
                "You are a helpful, respectful and honest assistant. {}",
                slot(n)
            ),
        )
    };
    let stock: Vec<Exchange> = (0..60).map(stock).collect();
    assert!(
        make(&new("x"), &stock, &BTreeSet::new()).is_err(),
        "of the built-in catalogue"
    );
}

#[test]
fn the_order_of_exchanges_changes_no_sketch() {
    let mut all: Vec<Exchange> = (0..100).map(|n| harvest("bad", n)).collect();
    let once = make(&new("quiz"), &all, &BTreeSet::new()).unwrap();
    all.reverse();
    assert_eq!(make(&new("quiz"), &all, &BTreeSet::new()).unwrap(), once);
}

#[test]
fn a_thousand_campaigns_are_told_apart() {
    let many = (0..1_000_u64).map(|n| {
        let mut all = parts();
        all.name = format!("c{n}");
        all.programmes[0].hashes = (0..40).map(|k| n * 1_000 + k).collect();
        Campaign::new(all).unwrap()
    });
    let matcher = Matcher::new(many);
    assert_eq!(matcher.len(), 1_000);
    let prompt: Vec<u64> = (77_000..77_030).chain(500_000..500_004).collect();
    let found = matcher.match_prompt(&prompt);
    assert_eq!(found.len(), 1);
    let name = &matcher.campaign(found[0].campaign).unwrap().parts().name;
    assert_eq!(
        (name.as_str(), found[0].shared, found[0].of),
        ("c77", 30, 40)
    );
}

#[test]
fn a_trial_counts_accounts_and_names_them() {
    let campaign = made();
    let mut trial = Trial::of(&campaign);
    for account in 0..80 {
        let name = format!("a{account:02}");
        (0..10).for_each(|n| trial.observe(&honest(&name, 100 * account + n)));
    }
    (0..4).for_each(|n| trial.observe(&harvest("like", 2 * n)));
    let fired = trial.finish();
    assert_eq!(
        fired.result,
        BackTest {
            accounts: 81,
            exchanges: 804,
            fired: 1
        }
    );
    assert_eq!(fired.accounts, [AccountId::parse("like").unwrap()]);
    assert_eq!(
        fired.by_programme.iter().sum::<u64>(),
        1,
        "one programme only"
    );
}

#[test]
fn a_campaign_that_fires_or_was_hardly_tried_is_refused_with_the_figures() {
    #[track_caller]
    fn check(accounts: u64, fired: u64, told: Option<&str>) {
        let result = BackTest {
            accounts,
            exchanges: 0,
            fired,
        };
        let judged = Demand::STANDARD.judge(result).map_err(|e| e.to_string());
        match (judged, told) {
            (Ok(()), None) => {}
            (Err(words), Some(told)) => assert!(words.contains(told), "{words}"),
            (judged, _) => panic!("{accounts}, {fired}: {judged:?}"),
        }
    }
    check(72, 0, None);
    check(71, 0, Some("72 are enough"));
    check(0, 0, Some("0 of 0 cleared accounts"));
    check(200, 1, None);
    check(199, 1, Some("1 of 199 cleared accounts (0.50 %"));
    check(1_000, 6, Some("open a case against"));
}

/// The bytes of a file never change: houses keep and share them.
#[test]
fn the_form_has_golden_bytes() {
    let golden = concat!(
        r#"{"back_test":{"accounts":400,"exchanges":9000,"fired":1},"expires_at":1800000000000,"made_at":1790000000000,"#,
        r#""made_from":{"accounts":1,"exchanges":100,"prompts":98},"name":"quiz-2026.1","programmes":[{"hashes":["#,
        r#""0000000000000001","0000000000000002","0000000000000003","000000000000feed","ffffffffffffffff"],"prompts":50}],"#,
        r#""rule":{"hashes_min":5,"hashes_percent":20,"prompts_min":3,"prompts_within":20},"shingle":5,"text":1,"v":1}"#
    );
    let campaign = Campaign::new(parts()).unwrap();
    assert_eq!(
        String::from_utf8(campaign.canonical().unwrap()).unwrap(),
        golden
    );
    assert_eq!(Campaign::parse(golden.as_bytes()).unwrap(), campaign);
}

/// And so do the hashes, or shared files would stop to match.
#[test]
fn the_hashes_of_a_prompt_are_the_same_in_every_house() {
    let hashes = campaign_hashes(&harvest("a", 0).prompt);
    assert_eq!((hashes.len(), hashes[0]), GOLDEN);
}

const GOLDEN: (usize, u64) = (20, 1_995_297_268_037_645_131);

#[test]
fn everything_else_is_refused() {
    let text = String::from_utf8(Campaign::new(parts()).unwrap().canonical().unwrap()).unwrap();
    for (from, to, told) in [
        (r#""v":1"#, r#""v":2"#, "version 2"),
        (r#""shingle":5"#, r#""shingle":6"#, "6 words"),
        (r#""text":1"#, r#""text":2"#, "normal form 2"),
        (r#""v":1}"#, r#""v":1,"w":1}"#, "unknown field"),
        (
            r#""fired":1"#,
            r#""fired":401"#,
            "more accounts than it read",
        ),
        (
            r#""0000000000000001","0000000000000002""#,
            r#""0000000000000002","0000000000000001""#,
            "programme 1",
        ),
        (
            r#""0000000000000001","#,
            r#""0000000000000002","#,
            "programme 1",
        ),
        (r#""0000000000000001","#, "", "programme 1"),
        ("000feed", "000FEED", "not a hash"),
        ("000feed", "0feed", "not a hash"),
        ("quiz", "qu iz", "name the campaign"),
        (
            r#""expires_at":1800000000000"#,
            r#""expires_at":1790000000000"#,
            "date the campaign",
        ),
        (r#""prompts_min":3"#, r#""prompts_min":1"#, "rule"),
        (r#""hashes_min":5"#, r#""hashes_min":2"#, "rule"),
        (r#""prompts_within":20"#, r#""prompts_within":201"#, "rule"),
        (r#""v":1}"#, r#""v":1} "#, "canonical"),
        (r#""prompts":50"#, r#""prompts":9007199254740992"#, "2^53"),
    ] {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text, "{from}");
        let refused = Campaign::parse(altered.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let mut all = parts();
    all.programmes = vec![all.programmes[0].clone(); PROGRAMMES_MAX + 1];
    assert_eq!(
        Campaign::new(all),
        Err(CampaignError::Programmes(PROGRAMMES_MAX + 1))
    );
    let mut all = parts();
    all.programmes[0].hashes = (0..=HASHES_MAX as u64).collect();
    assert_eq!(Campaign::new(all), Err(CampaignError::Hashes(1)));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        hashes in prop::collection::vec(prop::collection::btree_set(any::<u64>(), 5..40), 1..6),
        made in 0_i64..1 << 40,
        prompts in 0_u64..1 << 53,
        tried in prop::option::of((0_u64..1 << 30, 0_u64..1 << 53, 0_u64..10)),
    ) {
        let mut all = parts();
        all.programmes = hashes
            .into_iter()
            .map(|h| KnownProgramme { prompts, hashes: h.into_iter().collect() })
            .collect();
        all.made_at = Timestamp(made);
        all.expires_at = Timestamp(made + 1);
        all.back_test = tried.map(|(a, exchanges, fired)| BackTest { accounts: a + fired, exchanges, fired });
        let campaign = Campaign::new(all).unwrap();
        prop_assert_eq!(Campaign::parse(&campaign.canonical().unwrap()).unwrap(), campaign);
    }

    /// The index says what a plain comparison says.
    #[test]
    fn the_index_agrees_with_counting(
        frames in prop::collection::vec(prop::collection::btree_set(0_u64..60, 5..20), 1..8),
        prompt in prop::collection::btree_set(0_u64..60, 0..40),
    ) {
        let campaigns: Vec<Campaign> = frames.iter().map(|frame| {
            let mut all = parts();
            all.programmes[0].hashes = frame.iter().copied().collect();
            Campaign::new(all).unwrap()
        }).collect();
        let matcher = Matcher::new(campaigns.clone());
        let hashes: Vec<u64> = prompt.iter().copied().collect();
        let found: BTreeSet<CampaignId> = matcher.match_prompt(&hashes).iter().map(|m| m.campaign).collect();
        let naive: BTreeSet<CampaignId> = campaigns.iter().filter(|c| {
            let own = &c.parts().programmes[0].hashes;
            let shared = own.iter().filter(|h| prompt.contains(h)).count();
            c.parts().rule.matches(shared, own.len())
        }).map(Campaign::id).collect();
        prop_assert_eq!(found, naive);
    }
}
