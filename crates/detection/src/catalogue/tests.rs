use facts::{AccountId, ExchangeId, Timestamp};

use super::*;

fn key() -> SketchKey {
    SketchKey::new([3; 16])
}

fn said(account: &str, n: usize, text: &str) -> Exchange {
    Exchange {
        id: ExchangeId::parse(&format!("{account}-{n}")).unwrap(),
        account: AccountId::parse(account).unwrap(),
        at: Timestamp(0),
        model: None,
        prompt: vec![("user".into(), text.into())],
        response: None,
        usage: None,
    }
}

fn left(catalogue: &Catalogue, text: &str) -> usize {
    let all = sketch::prompt_sketch(key(), &[("user".into(), text.into())]);
    catalogue.without_common(&all).len()
}

#[test]
fn stock_phrases_vanish_and_own_words_stay() {
    let catalogue = Catalogue::built_in(key());
    for phrase in STOCK {
        assert_eq!(left(&catalogue, phrase), 0, "{phrase}");
    }
    let own = "our heron counts the barges on the canal each dawn and tells the lock keeper who \
               paid and who slipped through behind a tug in the fog";
    assert!(left(&catalogue, own) > 3);
    assert_eq!(left(&catalogue, own), left(&Catalogue::empty(), own));
}

#[test]
fn what_unrelated_accounts_share_is_learned() {
    let common = "the quick survey of harbour pilots asks how often the tide tables were wrong \
                  last winter and whether anyone noticed";
    let own = "a single baker wrote at length about rye loaves and why the oven by the river \
               always burns the left side first";
    let pool = [
        said("a", 1, common),
        said("b", 1, common),
        said("c", 1, common),
        said("c", 2, own),
        said("c", 3, own),
    ];
    let catalogue = Catalogue::learned(key(), &pool, 3);
    assert_eq!(left(&catalogue, common), 0);
    assert!(
        left(&catalogue, own) > 3,
        "one account's habit is not common"
    );
}
