//! What is kept beside the steps: notices, summaries, held decisions, files.

use console::{CasesAsked, CasesView, NewAttachment, NewEndpoint, NoticesAsked};
use facts::Span;
use store::Sending;

use super::*;
use crate::notices::message;

fn one_step(step: CaseStep, by: &str) -> console::Step {
    console::Step {
        step,
        by: by.to_owned(),
        comment: "because".to_owned(),
        attachments: Vec::new(),
    }
}

async fn endpoint(bench: &Bench, account: Option<&str>) -> String {
    let new = NewEndpoint {
        account: account.map(str::to_owned),
        kind: "webhook".to_owned(),
        target: "https://example.com/hook".to_owned(),
    };
    bench.office.add_endpoint(new).await.unwrap().id
}

async fn list(bench: &Bench, asked: CasesAsked) -> CasesView {
    bench.office.cases(asked).await.unwrap()
}

#[tokio::test]
async fn a_step_is_written_with_its_notices_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let (house, own) = (
        endpoint(&bench, None).await,
        endpoint(&bench, Some("a")).await,
    );
    endpoint(&bench, Some("b")).await;
    let case = bench.observe("a", &[]).await;
    bench.suspend(&case).await;
    assert!(bench.step(&case, CaseStep::Approve, "bob").await.is_err());
    let rows = bench
        .house
        .keeper
        .database()
        .notices(None, Some(&case), 99)
        .await;
    let mut told: Vec<(String, String)> = rows
        .unwrap()
        .into_iter()
        .map(|row| (row.endpoint, row.event))
        .collect();
    told.sort();
    let of = |endpoint: &str, events: &[&str]| -> Vec<(String, String)> {
        events
            .iter()
            .map(|e| (endpoint.to_owned(), (*e).to_owned()))
            .collect()
    };
    let mut wanted = of(
        &house,
        &[
            "policy.violation.detected",
            "enforcement.throttled",
            "enforcement.proposed",
            "enforcement.approved",
            "enforcement.suspended",
        ],
    );
    wanted.extend(of(
        &own,
        &["enforcement.throttled", "enforcement.suspended"],
    ));
    wanted.sort();
    assert_eq!(
        told, wanted,
        "the accused hears of what acts on it, others of nothing"
    );
    bench.close().await;
}

#[tokio::test]
async fn the_accused_reads_the_statement_in_the_notice_and_no_names() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let own = endpoint(&bench, Some("a")).await;
    let case = bench.observe("a", &[]).await;
    bench.suspend(&case).await;
    let rows = bench
        .house
        .keeper
        .database()
        .notices(None, Some(&case), 99)
        .await
        .unwrap();
    let suspended = rows
        .iter()
        .find(|row| row.event == "enforcement.suspended")
        .unwrap();
    assert_eq!(
        (&suspended.endpoint, suspended.state),
        (&own, Sending::Queued)
    );
    let payload: serde_json::Value = serde_json::from_str(&suspended.payload).unwrap();
    let said = |path: &str| {
        payload
            .pointer(path)
            .and_then(|v| v.as_str())
            .unwrap_or_default()
    };
    assert_eq!(said("/data/id"), suspended.id);
    assert!(said("/data/statement/en").contains("t/1") && !said("/data/statement/zh").is_empty());
    assert_eq!(
        said("/data/dsa/decision_account"),
        "DECISION_ACCOUNT_SUSPENDED"
    );
    for name in ["ann", "bob"] {
        assert!(
            !suspended.payload.contains(&format!("\"{name}\"")),
            "{}",
            suspended.payload
        );
    }
    let row = store::EndpointRow {
        id: own,
        account: "a".to_owned(),
        kind: "webhook".to_owned(),
        target: String::new(),
        created_at: Timestamp(0),
        removed_at: None,
    };
    let trials = [
        message::trial(&row, Timestamp(0), [1; 16]),
        message::trial(&row, Timestamp(0), [2; 16]),
    ];
    let [first, second] = trials;
    assert_ne!(first.id, second.id);
    bench.close().await;
}

#[tokio::test]
async fn a_list_shows_what_each_case_shows_and_outlives_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(bench.observe("a", &[]).await);
    }
    let suspended = ids.first().unwrap().clone();
    bench.suspend(&suspended).await;
    bench
        .step(ids.last().unwrap(), notice(), "ann")
        .await
        .unwrap();
    let all = list(&bench, CasesAsked::default()).await;
    assert_eq!(all.cases.len(), 5);
    for line in &all.cases {
        let whole = bench.office.case(&line.case).await.unwrap();
        assert_eq!(
            (
                &line.state,
                &line.action,
                &line.in_force,
                &line.deadlines,
                &line.accounts
            ),
            (
                &whole.state,
                &whole.action,
                &whole.in_force,
                &whole.deadlines,
                &whole.accounts
            )
        );
    }
    // Page by page, each case once.
    let (mut asked, mut seen) = (
        CasesAsked {
            limit: Some(2),
            ..CasesAsked::default()
        },
        Vec::new(),
    );
    loop {
        let page = list(&bench, asked.clone()).await;
        seen.extend(page.cases.into_iter().map(|line| line.case));
        let Some(next) = page.next else { break };
        asked.after = Some(next);
    }
    assert_eq!(
        seen,
        all.cases.iter().map(|l| l.case.clone()).collect::<Vec<_>>()
    );
    let of_state = CasesAsked {
        state: Some("suspended".to_owned()),
        ..CasesAsked::default()
    };
    let found = list(&bench, of_state).await.cases;
    assert_eq!(
        found.iter().map(|l| &l.case).collect::<Vec<_>>(),
        [&suspended]
    );
    assert_eq!(all.counts.get("notice"), Some(&3));
    bench.close().await;
}

#[tokio::test]
async fn what_lists_show_is_made_anew_where_it_is_missing_or_old() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let suspended = bench.observe("a", &[]).await;
    for _ in 0..4 {
        bench.observe("a", &[]).await;
    }
    bench.suspend(&suspended).await;
    bench.close().await;
    // The table is derived: without it, it is made anew.
    let url = format!("sqlite:{}", folder.path().join("fairhold.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("UPDATE case_summaries SET version = 0")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM case_accounts")
        .execute(&pool)
        .await
        .unwrap();
    let other = "INSERT INTO case_steps (case_id, n, json, digest) VALUES ('case-old', 0, '{\"v\":9,\"at\":5,\"step\":{\"observed\":{\"accounts\":[\"a\"]}}}', x'00')";
    sqlx::query(&other.replace("x'00'", &format!("x'{}'", "00".repeat(32))))
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let bench = Bench::open(folder.path()).await;
    let again = list(
        &bench,
        CasesAsked {
            account: Some("a".to_owned()),
            ..CasesAsked::default()
        },
    )
    .await;
    assert_eq!(again.cases.len(), 6);
    let odd = again
        .cases
        .iter()
        .find(|line| line.case == "case-old")
        .unwrap();
    assert!(
        odd.unreadable.as_ref().unwrap().contains("version 9"),
        "{odd:?}"
    );
    // Other cases go on.
    bench
        .step(&suspended, CaseStep::Reinstate, "bob")
        .await
        .unwrap();
    bench.close().await;
}

#[tokio::test]
async fn a_held_decision_does_nothing_until_its_time_and_may_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    let decide = |step| bench.office.hold_step(&case, one_step(step, "ann"));
    assert!(
        decide(CaseStep::Emergency(LEFT)).await.is_err(),
        "it cannot wait"
    );
    assert!(
        decide(CaseStep::Approve).await.is_err(),
        "the case would refuse it"
    );
    let first = decide(notice()).await.unwrap();
    assert!(decide(CaseStep::Dismiss).await.is_err(), "one at a time");
    let keeper = &bench.house.keeper;
    let due = |later| held::due(keeper, folder.path(), SystemClock.now().plus(later));
    assert_eq!(due(Span::seconds(0)).await.unwrap(), 0);
    assert!(
        bench.office.take_back(&first.id, "bob").await.is_err(),
        "who decided takes back"
    );
    bench.office.take_back(&first.id, "ann").await.unwrap();
    assert_eq!(due(Span::seconds(31)).await.unwrap(), 0);
    assert_eq!(bench.office.case(&case).await.unwrap().state, "observed");
    decide(notice()).await.unwrap();
    assert_eq!(due(Span::seconds(31)).await.unwrap(), 1);
    assert_eq!(bench.office.case(&case).await.unwrap().state, "noticed");
    assert_eq!(due(Span::seconds(31)).await.unwrap(), 0, "once");
    // What the case refuses meanwhile is told and not tried again.
    decide(propose("mark")).await.unwrap();
    bench.step(&case, CaseStep::Dismiss, "bob").await.unwrap();
    assert_eq!(due(Span::seconds(31)).await.unwrap(), 0);
    let left = bench.office.held_steps().await.unwrap();
    assert!(left.first().unwrap().refused.is_some());
    bench.close().await;
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent_and_is_sealed_at_rest() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    bench.suspend(&case).await;
    let text = "we never trained on it: see ticket 4711";
    let with = |kind: &str, text: &str| {
        let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
        console::Step {
            attachments: vec![NewAttachment {
                name: "proof.txt".to_owned(),
                kind: kind.to_owned(),
                data,
            }],
            ..one_step(CaseStep::Appeal, "a")
        }
    };
    for (kind, text) in [
        ("application/pdf", text),
        ("text/html", "<p>"),
        ("text/plain", ""),
    ] {
        assert!(
            bench.office.step(&case, with(kind, text)).await.is_err(),
            "{kind}"
        );
    }
    let view = bench
        .office
        .step(&case, with("text/plain", text))
        .await
        .unwrap();
    let file = view
        .timeline
        .last()
        .unwrap()
        .attachments
        .first()
        .unwrap()
        .clone();
    assert_eq!(
        (file.name.as_str(), file.size),
        ("proof.txt", text.len() as u64)
    );
    let opened = bench.office.attachment(&case, &file.sha256).await.unwrap();
    assert_eq!(opened.bytes, text.as_bytes());
    let other = bench.observe("b", &[]).await;
    assert!(bench.office.attachment(&other, &file.sha256).await.is_err());
    bench.close().await;
    for name in ["fairhold.db", "fairhold.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        assert!(
            memchr::memmem::find(&bytes, b"ticket 4711").is_none(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_audit_log_is_what_records_say() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    bench.suspend(&case).await;
    bench.observe("b", &[]).await;
    let ask = |asked: console::AuditAsked| bench.office.audit_logs(asked);
    let most = console::AuditAsked {
        limit: Some(100),
        ..Default::default()
    };
    let all = ask(most).await.unwrap();
    let kinds: Vec<&str> = all.data.iter().map(|event| event.kind.as_str()).collect();
    assert!(
        kinds.contains(&"enforcement.suspended") && kinds.contains(&"api_key.created"),
        "{kinds:?}"
    );
    let suspended = console::AuditAsked {
        event_types: vec!["enforcement.suspended".to_owned()],
        actor_ids: vec!["bob".to_owned()],
        project_ids: vec!["a".to_owned()],
        ..console::AuditAsked::default()
    };
    let found = ask(suspended.clone()).await.unwrap();
    let event = found.data.first().unwrap();
    assert_eq!(
        event
            .details
            .get("enforcement.suspended")
            .unwrap()
            .get("id")
            .unwrap(),
        &case
    );
    assert_eq!(event.actor.session.as_ref().unwrap().user.id, "bob");
    let none = console::AuditAsked {
        actor_ids: vec!["ann".to_owned()],
        ..suspended
    };
    assert!(ask(none).await.unwrap().data.is_empty());
    bench.close().await;
}

#[tokio::test]
async fn the_audit_log_is_read_both_ways_and_by_customers() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    bench.suspend(&case).await;
    bench.observe("b", &[]).await;
    let ask = |asked: console::AuditAsked| bench.office.audit_logs(asked);
    // Both ways through the list, each event once.
    let (mut asked, mut seen) = (
        console::AuditAsked {
            limit: Some(3),
            ..Default::default()
        },
        Vec::new(),
    );
    loop {
        let page = ask(asked.clone()).await.unwrap();
        asked.after = page.last_id;
        seen.extend(page.data.into_iter().map(|event| event.id));
        if !page.has_more {
            break;
        }
    }
    let many = console::AuditAsked {
        limit: Some(100),
        ..Default::default()
    };
    let whole: Vec<String> = ask(many)
        .await
        .unwrap()
        .data
        .into_iter()
        .map(|e| e.id)
        .collect();
    assert_eq!(seen, whole);
    let back = console::AuditAsked {
        limit: Some(2),
        before: Some(whole[4].clone()),
        ..Default::default()
    };
    let page = ask(back).await.unwrap();
    let ids: Vec<&String> = page.data.iter().map(|event| &event.id).collect();
    assert_eq!((ids, page.has_more), (vec![&whole[2], &whole[3]], true));
    // A customer sees its own, and roles instead of names.
    let own = console::AuditAsked {
        account: Some("a".to_owned()),
        limit: Some(100),
        ..Default::default()
    };
    let own = serde_json::to_string(&ask(own).await.unwrap()).unwrap();
    assert!(
        own.contains("enforcement.suspended") && own.contains("approver"),
        "{own}"
    );
    assert!(!own.contains("bob") && !own.contains("\"b\""), "{own}");
    let listed = bench.office.notices(NoticesAsked::default()).await.unwrap();
    assert!(listed.is_empty(), "there is nobody to tell");
    bench.close().await;
}
