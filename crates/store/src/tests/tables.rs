use facts::{Exchange, Usage};

use super::*;
use crate::{Checkpoint, ImportedAfter};

fn foreign(n: i64) -> Exchange {
    Exchange {
        id: exchange(&format!("x{n}")),
        account: account(if n % 2 == 0 { "even" } else { "odd" }),
        // Two at a time, so that the id has to break ties.
        at: Timestamp(n / 2),
        model: (n % 3 == 0).then(|| ModelName::parse("m").unwrap()),
        prompt: vec![("user".to_owned(), format!("\"{n}\" é"))],
        response: (n % 5 != 0).then(|| "yes".to_owned()),
        usage: (n % 4 == 0).then_some(Usage {
            input_tokens: 1,
            output_tokens: 2,
            estimated: n % 8 == 0,
        }),
    }
}

#[test]
fn importing_again_changes_nothing() {
    on_both(|url| async move {
        let database = Database::open(&url).await.unwrap();
        let all: Vec<Exchange> = (0..2_500).map(foreign).collect();
        assert_eq!(database.import(&all[..1_500]).await.unwrap(), 1_500);
        assert_eq!(database.import(&all).await.unwrap(), 1_000);
        assert_eq!(database.import(&all).await.unwrap(), 0);
        assert_eq!(database.imported_count().await.unwrap(), 2_500);

        let mut read = Vec::new();
        let mut after = None;
        loop {
            let page = database.imported(None, after.as_ref(), 700).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(ImportedAfter {
                at: last.at,
                exchange: last.id.clone(),
            });
            read.extend(page);
        }
        let mut expected = all;
        expected.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        assert!(read == expected, "every exchange once, in order, unchanged");
        let odd = database.imported(Some(&account("odd")), None, 5_000).await;
        assert_eq!(odd.unwrap().len(), 1_250);
    });
}

#[test]
fn a_nul_in_imported_text_is_kept_as_its_stand_in() {
    on_both(|url| async move {
        let database = Database::open(&url).await.unwrap();
        let mut odd = foreign(1);
        odd.response = Some("a\0b".to_owned());
        odd.prompt = vec![("user".to_owned(), "c\0d".to_owned())];
        assert_eq!(database.import(&[odd]).await.unwrap(), 1);
        let read = database.imported(None, None, 1).await.unwrap();
        assert_eq!(read[0].response.as_deref(), Some("a\u{fffd}b"));
        // JSON escapes it, so the prompt keeps it.
        assert_eq!(read[0].prompt[0].1, "c\0d");
    });
}

#[test]
fn a_checkpoint_only_moves_forward_from_the_one_that_was_seen() {
    on_both(|url| async move {
        let database = Database::open(&url).await.unwrap();
        let at = |size| Checkpoint {
            size,
            root: [5; 32],
            note: format!("note {size}\n"),
        };
        assert_eq!(database.latest_checkpoint().await.unwrap(), None);
        for (expected, size, done) in [
            (Some(3), 4, false),
            (None, 4, true),
            (None, 5, false),
            (Some(4), 4, false),
            (Some(4), 3, false),
            (Some(4), 9, true),
        ] {
            let moved = database.advance_checkpoint(expected, &at(size)).await;
            assert_eq!(moved.unwrap(), done, "{expected:?} to {size}");
        }
        assert_eq!(database.latest_checkpoint().await.unwrap(), Some(at(9)));
    });
}
