use facts::AccountId;

use super::*;

fn finding(account: &str, documents: u64, independent: Option<f64>) -> AccountFinding {
    AccountFinding {
        account: AccountId::parse(account).unwrap(),
        documents,
        bytes: 0,
        bits: 0.0,
        log10_p_unrelated: -0.1,
        log10_p_independent: independent,
        log10_p: -0.1,
        log10_holm: 0.0,
        log10_bh: 0.0,
    }
}

#[test]
fn so_many_human_texts_show_the_rate_that_names() {
    let others = [finding("a", 469, None), finding("b", 475, Some(-0.001))];
    let told = ToName::of(&others, (0.0024, 996_631), 20).unwrap();
    assert_eq!(told.account, "a", "b is explained by independent answers");
    assert!((told.documents_in_vain - 2_391.9).abs() < 0.1);
    let rate = rate_that_names(469, 996_631, 20);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    let texts = told.human_texts as u64;
    let shown = |of: u64| Rate { hits: 0, of }.interval().1;
    assert!(shown(texts) <= rate && shown(texts - 1) > rate);
    let words = format!("{texts} human texts");
    assert!(
        told.line.contains(&words) && told.line.contains("2392 here"),
        "{}",
        told.line
    );
}

#[test]
fn human_texts_do_not_help_where_independent_answers_explain() {
    let others = [finding("b", 475, Some(-0.001))];
    assert!(ToName::of(&others, (0.0024, 996_631), 20).is_none());
    let one = [finding("a", 1, None)];
    assert!(ToName::of(&one, (0.0024, 996_631), 1_000_000).is_none());
    assert!(ToName::of(&[], (0.0024, 996_631), 20).is_none());
}
