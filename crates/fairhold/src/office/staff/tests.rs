use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;
use console::{CaseStep, NewAccount, NewCase, NewMeasure, Office as _, Step};

async fn house(folder: &std::path::Path) -> House {
    House::open(folder, Plan::at_rest()).await.unwrap()
}

async fn hire(office: &LocalOffice, name: &str, role: &str) {
    let new = NewInvite {
        name: Some(name.to_owned()),
        role: Some(role.to_owned()),
        by: "operator".to_owned(),
        ..NewInvite::default()
    };
    let invited = office.invite(new).await.unwrap();
    assert!(invited.path.starts_with("/sign-in/"));
}

fn step(step: CaseStep, by: &str) -> Step {
    Step {
        step,
        by: by.to_owned(),
        comment: "because".to_owned(),
        attachments: Vec::new(),
    }
}

#[tokio::test]
async fn two_names_of_one_person_count_as_one_also_for_what_was_done_before() {
    let folder = tempfile::tempdir().unwrap();
    let house = house(folder.path()).await;
    let office = LocalOffice::of(&house);
    for (name, role) in [
        ("ann", "reviewer"),
        ("ann2", "approver"),
        ("bob", "approver"),
    ] {
        hire(&office, name, role).await;
    }
    let new = NewAccount {
        account: "a".to_owned(),
        project: "a".to_owned(),
        organisation: "a".to_owned(),
        ..NewAccount::default()
    };
    office.open_account(new).await.unwrap();
    let new = NewCase {
        account: "a".to_owned(),
        clause: "t/1".to_owned(),
        summary: "facts".to_owned(),
        exculpatory: "none found".to_owned(),
        by: "ann".to_owned(),
        ..NewCase::default()
    };
    let case = office.propose(new).await.unwrap().case;
    let measure = CaseStep::Propose(NewMeasure {
        measure: "mark".to_owned(),
        ..NewMeasure::default()
    });
    office.step(&case, step(measure, "ann")).await.unwrap();
    // It turns out that both names are one person, after the proposal was made.
    let database = house.keeper.database();
    let ann = database.person("ann").await.unwrap().unwrap();
    database.same_person("ann2", &ann.identity).await.unwrap();
    let refused = office.step(&case, step(CaseStep::Approve, "ann2")).await;
    assert!(
        matches!(refused, Err(OfficeError::Conflict(_))),
        "{refused:?}"
    );
    let stranger = office.step(&case, step(CaseStep::Approve, "eve")).await;
    assert!(stranger.unwrap_err().to_string().contains("invite"));
    let view = office
        .step(&case, step(CaseStep::Approve, "bob"))
        .await
        .unwrap();
    assert_eq!(view.state, "marked");
    office.end_person("bob", "operator").await.unwrap();
    let left = office.step(&case, step(CaseStep::Reinstate, "bob")).await;
    assert!(matches!(left, Err(OfficeError::Conflict(_))));
    drop(office);
    house.close().await;
}

#[tokio::test]
async fn whoever_is_invited_again_stays_the_same_person() {
    let folder = tempfile::tempdir().unwrap();
    let house = house(folder.path()).await;
    let office = LocalOffice::of(&house);
    hire(&office, "ann", "reviewer").await;
    let before = office.people().await.unwrap();
    hire(&office, "ann", "approver").await;
    let after = office.people().await.unwrap();
    assert_eq!(before[0].identity, after[0].identity);
    assert_eq!(after[0].role, "approver");
    let wrong = NewInvite {
        name: Some("eve".to_owned()),
        role: Some("customer".to_owned()),
        ..NewInvite::default()
    };
    assert!(matches!(
        office.invite(wrong).await,
        Err(OfficeError::Invalid(_))
    ));
    let nobody = NewInvite {
        account: Some("none".to_owned()),
        ..NewInvite::default()
    };
    assert!(matches!(
        office.invite(nobody).await,
        Err(OfficeError::NotFound(_))
    ));
    drop(office);
    house.close().await;
}
