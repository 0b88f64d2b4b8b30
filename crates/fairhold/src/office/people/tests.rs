use std::sync::Arc;

use console::Office as _;

use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;

fn new(account: &str, organisation: &str, purposes: &[&str]) -> NewAccount {
    NewAccount {
        account: account.to_owned(),
        project: "chat".to_owned(),
        organisation: organisation.to_owned(),
        purposes: purposes.iter().map(ToString::to_string).collect(),
        ..NewAccount::default()
    }
}

#[tokio::test]
async fn accounts_of_a_new_customer_open_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), Plan::at_rest()).await.unwrap();
    let office = Arc::new(LocalOffice::of(&house));
    let mut opening = tokio::task::JoinSet::new();
    for n in 0..20 {
        let office = Arc::clone(&office);
        opening.spawn(async move {
            office
                .open_account(new(&format!("a{n}"), "acme", &[]))
                .await
        });
    }
    for opened in opening.join_all().await {
        assert_eq!(opened.unwrap().organisation, "acme");
    }
    // What is another's stays so, and leaves nothing behind.
    let other = office.open_account(new("b", "other", &[])).await;
    assert!(
        matches!(other, Err(OfficeError::Conflict(why)) if why.contains("belongs to organisation `acme`"))
    );
    let id = OrganisationId::parse("other").unwrap();
    let known = |engine: &Engine| engine.directory().organisation(&id).is_some();
    assert!(!house.keeper.ask(known));
    let again = office.open_account(new("b", "acme", &["rag"])).await;
    assert!(
        matches!(again, Err(OfficeError::Conflict(why)) if why.contains("declared its purposes already"))
    );
    drop(office);
    house.close().await;
}
