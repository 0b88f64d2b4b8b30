use super::Agreement;
use crate::{Conduct, Declaration, Purpose};

const WRITTEN: &str = r#"
documents = ["openrouter/terms"]
declared = ["not-distributed"]
conduct = ["key-transfer"]
request_tokens_max = 8192

[[expected]]
purpose = "evaluation"
requests_per_month = 1000

[[authorisation]]
clause = "openai-services-2026-01-01/3.3(e)"
purpose = "train_competing_model"
models = ["gpt-4*"]
from = "2026-03-01"
until = "2026-09-01"
"#;

#[test]
fn what_is_written_is_read_and_kept() {
    let agreement = Agreement::from_toml(WRITTEN).unwrap();
    assert_eq!(agreement.declared, [Declaration::NotDistributed]);
    assert_eq!(agreement.conduct, [Conduct::KeyTransfer]);
    assert_eq!(agreement.expected_of(Purpose::Evaluation), Some(1000));
    assert_eq!(agreement.expected_of(Purpose::Rag), None);
    let [given] = agreement.authorisations.as_slice() else {
        panic!("one authorisation")
    };
    assert_eq!(given.purpose, Some(Purpose::TrainCompetingModel));
    let kept = agreement.json().to_string();
    assert_eq!(Agreement::from_json(&kept).unwrap(), agreement);
    assert_eq!(Agreement::from_json("{}").unwrap(), Agreement::default());
}

#[test]
fn what_means_nothing_is_refused_with_the_reason() {
    for (from, to, reason) in [
        ("openrouter/terms", "openrouter", "provider/document"),
        ("not-distributed", "no", "a declaration"),
        ("key-transfer", "bad", "a conduct"),
        ("train_competing_model", "training", "is not a purpose"),
        ("2026-09-01", "2026-02-01", "ends before it begins"),
        ("2026-09-01", "September", "a day"),
        ("3.3(e)", "3.3 e", "clause id"),
        ("requests_per_month", "requests", "unknown field"),
    ] {
        let error = Agreement::from_toml(&WRITTEN.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let twice =
        format!("{WRITTEN}\n[[expected]]\npurpose = \"evaluation\"\nrequests_per_month = 2\n");
    let error = Agreement::from_toml(&twice).unwrap_err().to_string();
    assert!(error.contains("two volumes"), "{error}");
}
