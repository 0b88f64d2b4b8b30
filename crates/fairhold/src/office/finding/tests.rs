use console::{NewAccount, Office as _};
use detection::LOOKS;
use simulation::FleetShape;

use super::*;
use crate::house::{House, Plan};
use crate::office::LocalOffice;

fn key() -> SketchKey {
    SketchKey::new(*b"finding's tests!")
}

fn population() -> Population {
    Population::of(Path::new("nowhere")).unwrap()
}

fn watched(exchanges: &[Exchange], batch: usize) -> Watched {
    let mut watched = Watched::new(key());
    exchanges
        .chunks(batch)
        .for_each(|batch| watched.take(batch));
    watched
}

fn fleet(each: usize) -> simulation::Fleet {
    let shape = FleetShape {
        honest: 40,
        ring: 12,
        each,
    };
    simulation::Fleet::generate(3, shape).unwrap()
}

/// Twelve accounts run one programme: a ring of strangers, or one customer's departments.
#[test]
fn accounts_of_one_customer_are_no_ring() {
    let fleet = fleet(25);
    let watched = watched(&fleet.facts(), 100);
    let strangers = found(&watched, &population(), Known::default());
    assert_eq!(strangers.rings.len(), 1);
    assert_eq!(strangers.rings[0].members.len(), 12);
    assert_eq!(strangers.rings[0].exchanges(), 300);
    let one = OrganisationId::parse("one").unwrap();
    let ring = fleet.accounts.iter().filter(|a| a.ring);
    let known = Known {
        customers: ring.map(|a| (a.name.clone(), one.clone())).collect(),
        ..Known::default()
    };
    assert!(found(&watched, &population(), known).rings.is_empty());
}

#[test]
fn passing_by_in_batches_finds_what_collecting_finds() {
    let exchanges = fleet(25).facts();
    let profiles = Profiles::of(key(), &exchanges);
    let mut settings = Settings::standard(key());
    settings.detector = Some(population().detector);
    let collected = detect_profiles(&profiles, &settings);
    let collected = view::of(&collected, &profiles, &population(), &settings);
    let mut backwards = exchanges.clone();
    backwards.reverse();
    for (exchanges, batch) in [(&exchanges, 1), (&exchanges, 97), (&backwards, 10_000)] {
        let passed = found(&watched(exchanges, batch), &population(), Known::default());
        assert_eq!(passed, collected);
    }
}

#[tokio::test]
async fn the_store_is_read_page_by_page_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), Plan::at_rest()).await.unwrap();
    let exchanges = fleet(45).facts();
    assert!(exchanges.len() > usize::try_from(PAGE).unwrap());
    house.keeper.database().import(&exchanges).await.unwrap();
    let read = in_store(&house.keeper, key(), folder.path()).await.unwrap();
    let watched = watched(&exchanges, 500);
    let known = Known {
        traits: links::traits(&house.keeper).await.unwrap(),
        ..Known::default()
    };
    assert_eq!(known.traits.len(), 52);
    assert_eq!(read, found(&watched, &population(), known));
    // Which of them are known is for the tests of links to say.
    assert_eq!(read.rings[0].edges.len(), 5);
    house.close().await;
}

#[test]
fn honest_programmes_are_all_in_the_picture() {
    let found = found(&watched(&[], 1), &population(), Known::default());
    let with = found.compared_with.unwrap();
    assert_eq!(with.looks.len(), LOOKS.len());
    for look in &with.looks {
        let drawn: f64 = look.programmes.iter().sum();
        let compared = f64::from(u32::try_from(look.compared).unwrap());
        assert!((drawn - compared).abs() < 1e-6, "{look:?}");
        assert!((look.floor - 1.0 / (compared + 1.0)).abs() < 1e-12);
    }
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
