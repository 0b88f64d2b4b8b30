use console::{NewAccount, Office as _};
use simulation::FleetShape;

use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;

fn key() -> SketchKey {
    SketchKey::new(*b"finding's tests!")
}

/// Twelve accounts run one programme: a ring of strangers, or one customer's departments.
#[test]
fn accounts_of_one_customer_are_no_ring() {
    let shape = FleetShape {
        honest: 40,
        ring: 12,
        each: 15,
    };
    let fleet = simulation::Fleet::generate(3, shape).unwrap();
    let exchanges = fleet.facts();
    let strangers = found(&exchanges, key(), BTreeMap::new());
    assert_eq!(strangers.rings.len(), 1);
    assert_eq!(strangers.rings[0].members.len(), 12);
    let one = OrganisationId::parse("one").unwrap();
    let ring = fleet.accounts.iter().filter(|a| a.ring);
    let customers = ring.map(|a| (a.name.clone(), one.clone())).collect();
    assert!(found(&exchanges, key(), customers).rings.is_empty());
}

#[tokio::test]
async fn customers_are_the_organisations_of_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), Plan::at_rest()).await.unwrap();
    let office = LocalOffice::of(&house);
    for (account, project, organisation) in
        [("a", "p", "acme"), ("b", "q", "acme"), ("c", "r", "other")]
    {
        let new = NewAccount {
            account: account.to_owned(),
            project: project.to_owned(),
            organisation: organisation.to_owned(),
            ..NewAccount::default()
        };
        office.open_account(new).await.unwrap();
    }
    let told = house.keeper.ask(|engine| customers(engine.directory()));
    let told: Vec<_> = told.iter().map(|(a, o)| (a.as_str(), o.as_str())).collect();
    assert_eq!(told, [("a", "acme"), ("b", "acme"), ("c", "other")]);
    drop(office);
    house.close().await;
}
