use evidence::seal::{Body, Label, open, seal};
use facts::ExchangeId;
use proptest::prelude::*;

use super::*;

const NOVEMBER: Timestamp = Timestamp(1_795_000_000_000);
const DECEMBER: Timestamp = Timestamp(1_797_000_000_000);

fn account(name: &str) -> AccountId {
    AccountId::parse(name).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

async fn ring(database: &Database, kek: u8) -> Result<KeyRing, KeeperError> {
    KeyRing::open(database, Keks::one(Kek::new([kek; 32]))).await
}

#[test]
fn a_key_is_one_per_account_subject_and_month_and_outlives_a_restart() {
    testbed::on_both(|url| {
        runtime().block_on(async {
            let database = Database::open(url).await.unwrap();
            let first = ring(&database, 1).await.unwrap();
            let (a, b) = (account("a"), account("b"));
            let of = async |ring: &KeyRing, account: &AccountId, subject, at| {
                ring.of(&database, account, subject, at).await.unwrap()
            };
            let mut all = vec![
                of(&first, &a, Some("ada"), NOVEMBER).await,
                of(&first, &a, Some("bob"), NOVEMBER).await,
                of(&first, &a, Some("ada"), DECEMBER).await,
                of(&first, &a, None, NOVEMBER).await,
                of(&first, &b, Some("ada"), NOVEMBER).await,
            ];
            let again = of(&first, &a, Some("ada"), NOVEMBER).await;
            assert!(Arc::ptr_eq(&again, &all[0]));
            all.sort_by_key(|key| *key.key().expose());
            all.dedup_by_key(|key| *key.key().expose());
            assert_eq!(all.len(), 5);

            let rows: Vec<_> = all
                .iter()
                .map(|key| (*key.unkept().unwrap()).clone())
                .collect();
            database.keep_keys(&rows, &[]).await.unwrap();
            let second = ring(&database, 1).await.unwrap();
            let kept = of(&second, &a, Some("ada"), NOVEMBER).await;
            assert!(kept.unkept().is_none());
            assert_eq!(kept.key().expose(), again.key().expose());
            let made = of(&second, &a, Some("eve"), NOVEMBER).await;
            assert!(all.iter().all(|key| key.id() != made.id()));

            let stranger = ring(&database, 2).await.unwrap_err().to_string();
            assert!(stranger.contains("wrapped under the KEK"), "{stranger}");
        });
    });
}

#[test]
fn keys_in_use_are_never_let_go_and_the_rest_is_bounded() {
    runtime().block_on(async {
        let bed = testbed::databases();
        let database = Database::open(&bed.sqlite).await.unwrap();
        let mut ring = ring(&database, 1).await.unwrap();
        ring.most = 10;
        let a = account("a");
        let mut busy = Vec::new();
        for n in 0..200 {
            let name = format!("s{n}");
            let key = ring.of(&database, &a, Some(&name), NOVEMBER).await.unwrap();
            if n < 5 {
                busy.push(key);
            }
            assert!(ring.in_memory() <= 10 + busy.len(), "{}", ring.in_memory());
        }
        // A row that waits to be written holds its key too.
        let waiting = busy.pop().unwrap().unkept().unwrap();
        for n in 200..300 {
            let name = format!("s{n}");
            ring.of(&database, &a, Some(&name), NOVEMBER).await.unwrap();
        }
        for (n, key) in busy.iter().enumerate() {
            let name = format!("s{n}");
            let now = ring.of(&database, &a, Some(&name), NOVEMBER).await.unwrap();
            assert!(Arc::ptr_eq(&now, key), "{name}");
        }
        let now = ring.of(&database, &a, Some("s4"), NOVEMBER).await.unwrap();
        assert_eq!(now.id(), waiting.id);
    });
}

#[test]
fn what_is_forgotten_is_not_kept_under_any_more() {
    runtime().block_on(async {
        let bed = testbed::databases();
        let database = Database::open(&bed.sqlite).await.unwrap();
        let ring = ring(&database, 1).await.unwrap();
        let (a, b) = (account("a"), account("b"));
        let ada = ring.of(&database, &a, Some("ada"), NOVEMBER).await.unwrap();
        let bob = ring.of(&database, &a, Some("bob"), NOVEMBER).await.unwrap();
        let other = ring.of(&database, &b, Some("ada"), NOVEMBER).await.unwrap();
        let digest = ring.digest(&a, Some("ada"));
        assert_eq!(ring.forget(&a, Some(&digest)), [ada.id()]);
        assert!(ada.gone() && !bob.gone() && !other.gone());
        let anew = ring.of(&database, &a, Some("ada"), NOVEMBER).await.unwrap();
        assert_ne!(anew.id(), ada.id());
        assert_ne!(anew.key().expose(), ada.key().expose());
        let mut both = vec![bob.id(), anew.id()];
        both.sort_unstable();
        assert_eq!(ring.forget(&a, None), both);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn bodies_open_after_any_number_of_rotations(keks in prop::collection::vec(any::<[u8; 32]>(), 2..5), body in ".{0,80}") {
        prop_assume!(keks.windows(2).all(|pair| pair[0] != pair[1]));
        let a = account("a");
        let exchange = ExchangeId::parse("x").unwrap();
        let label = Label { account: &a, exchange: &exchange, body: Body::Request };
        runtime().block_on(async {
            let bed = testbed::databases();
            let database = Database::open(&bed.sqlite).await.unwrap();
            let first = KeyRing::open(&database, Keks::one(Kek::new(keks[0]))).await.unwrap();
            let key = first.of(&database, &a, Some("ada"), NOVEMBER).await.unwrap();
            let sealed = seal(key.key(), &label, &[5; 44], body.as_bytes()).unwrap();
            database.keep_keys(&[(*key.unkept().unwrap()).clone()], &[]).await.unwrap();
            for pair in keks.windows(2) {
                let both = Keks { current: Kek::new(pair[1]), others: vec![Kek::new(pair[0])], version_one: Kek::new(pair[0]) };
                let ring = KeyRing::open(&database, both).await.unwrap();
                let old = database.keys_not_under(&Kek::new(pair[1]).id(), 0, 9).await.unwrap();
                let anew: Vec<_> = old.iter().map(|row| ring.rewrapped(row).unwrap().unwrap()).collect();
                assert_eq!(anew.len(), 2, "the house's key and the subject's");
                database.rewrap(&anew).await.unwrap();
            }
            let last = KeyRing::open(&database, Keks::one(Kek::new(keks[keks.len() - 1]))).await.unwrap();
            let key = last.of(&database, &a, Some("ada"), NOVEMBER).await.unwrap();
            let opened = open(key.key(), &label, &sealed.bytes, &sealed.commitment).unwrap();
            assert_eq!(opened.plaintext, body.as_bytes());
        });
    }
}
