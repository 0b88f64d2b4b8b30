use super::*;

use detection::campaign::{CampaignParts, KnownProgramme, MadeFrom, Rule};
use evidence::checkpoint::LogKey;
use evidence::{Event, Record};
use store::{CampaignChange, Change, Entry, Journal};

fn campaign(name: &str, expires_at: i64, hash: u64) -> Campaign {
    Campaign::new(CampaignParts {
        name: name.to_owned(),
        made_at: Timestamp(0),
        expires_at: Timestamp(expires_at),
        made_from: MadeFrom {
            accounts: 1,
            exchanges: 1,
            prompts: 1,
        },
        rule: Rule::STANDARD,
        programmes: vec![KnownProgramme {
            prompts: 1,
            hashes: (hash..hash + 9).collect(),
        }],
        back_test: None,
    })
    .unwrap()
}

fn entry(key: &LogKey, campaign: &Campaign) -> Entry {
    let payload = campaign.canonical().unwrap();
    let mut entry = Entry::of(Record {
        at: Timestamp(1),
        account: None,
        event: Event::Directory {
            change: "campaign_activated".to_owned(),
            subject: campaign.parts().name.clone(),
        },
    });
    entry.change = Some(Change::Campaign(CampaignChange::Activated(CampaignRow {
        name: campaign.parts().name.clone(),
        activated_at: Timestamp(1),
        activated_by: "ann".to_owned(),
        expires_at: campaign.parts().expires_at,
        expired: None,
        file: dsse::sign(key, CAMPAIGN_KIND, &payload).unwrap(),
    })));
    entry
}

#[tokio::test]
async fn campaigns_are_loaded_and_end_in_memory_too_and_a_strangers_file_does_not_act() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("x.db").display());
    let database = Database::open(&url).await.unwrap();
    let leaf = |record: &Record, seq| record.leaf(seq).unwrap();
    let (journal, _task) = Journal::start(database.clone(), leaf, Timestamp(1), None)
        .await
        .unwrap();
    let own = LogKey::from_seed(&[1; 32], "own").unwrap();
    let stranger = LogKey::from_seed(&[2; 32], "own").unwrap();
    for entry in [
        entry(&own, &campaign("short", 100, 10)),
        entry(&own, &campaign("long", 200, 50)),
        entry(&stranger, &campaign("foreign", 200, 90)),
    ] {
        journal.append(entry).await.unwrap();
    }
    let key = Verifier::parse(&own.vkey()).unwrap();
    let known = KnownCampaigns::default();
    assert!(
        known.current(Timestamp(5)).is_empty(),
        "nothing is read yet"
    );
    known.reload(&database, &key, Timestamp(5)).await.unwrap();
    let now = known.current(Timestamp(5));
    assert_eq!((now.len(), now.valid_until()), (2, Some(Timestamp(100))));
    assert_eq!(now.match_prompt(&(10..19).collect::<Vec<_>>()).len(), 1);
    assert!(now.match_prompt(&(90..99).collect::<Vec<_>>()).is_empty());
    assert_eq!(known.current(Timestamp(100)).len(), 1);
    assert!(known.current(Timestamp(200)).is_empty());
    let later = active_campaigns(&database, &key, Timestamp(150))
        .await
        .unwrap();
    assert_eq!(later.len(), 1);
}
