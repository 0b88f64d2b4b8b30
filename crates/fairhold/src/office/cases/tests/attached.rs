//! What comes with a case: the files of an appeal, within their bounds and as
//! long as their key; and bundles of evidence, told of once for each state.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cases::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX};
use console::{AuditAsked, NewAttachment, NewEndpoint, NewErasure};

use super::*;

fn file(name: &str, kind: &str, bytes: &[u8]) -> NewAttachment {
    NewAttachment {
        name: name.to_owned(),
        kind: kind.to_owned(),
        data: STANDARD.encode(bytes),
    }
}

fn said(step: CaseStep, by: &str, attachments: Vec<NewAttachment>) -> console::Step {
    console::Step {
        step,
        by: by.to_owned(),
        comment: "because".to_owned(),
        attachments,
    }
}

#[tokio::test]
async fn files_keep_within_their_number_size_and_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    bench.suspend(&case).await;
    let before = bench.office.case(&case).await.unwrap().timeline.len();
    let most = usize::try_from(ATTACHMENT_BYTES_MAX).unwrap();
    let text = |size: usize| file("a.txt", "text/plain", &vec![b'a'; size]);
    let broken = NewAttachment {
        data: "no base64!".to_owned(),
        ..text(1)
    };
    for (what, files) in [
        ("too large", vec![text(most + 1)]),
        ("empty", vec![text(0)]),
        ("too many", vec![text(1); ATTACHMENTS_MAX + 1]),
        ("broken", vec![broken]),
        ("a page", vec![file("a.html", "text/html", b"<script>")]),
        (
            "a picture that runs",
            vec![file("a.svg", "image/svg+xml", b"<svg/>")],
        ),
        (
            "no PDF",
            vec![file("a.pdf", "application/pdf", b"<script>")],
        ),
        ("no PNG", vec![file("a.png", "image/png", b"GIF89a")]),
        ("no text", vec![file("a.txt", "text/plain", b"\xff\xfe")]),
        ("no JSON", vec![file("a.json", "application/json", b"{")]),
        ("no name", vec![file("", "text/plain", b"a")]),
        ("a path", vec![file("../../etc/passwd", "text/plain", b"a")]),
        (
            "a header",
            vec![file("a\r\nset-cookie: b", "text/plain", b"a")],
        ),
    ] {
        let refused = bench
            .office
            .step(&case, said(CaseStep::Appeal, "a", files))
            .await;
        assert!(
            matches!(
                refused,
                Err(OfficeError::Invalid(_) | OfficeError::Conflict(_))
            ),
            "{what}"
        );
    }
    let after = bench.office.case(&case).await.unwrap();
    assert_eq!(
        (after.timeline.len(), after.state.as_str()),
        (before, "suspended")
    );
    let five = vec![text(most), text(1), text(2), text(3), text(4)];
    let taken = bench
        .office
        .step(&case, said(CaseStep::Appeal, "a", five))
        .await
        .unwrap();
    let files = &taken.timeline.last().unwrap().attachments;
    assert_eq!(files.len(), ATTACHMENTS_MAX);
    let whole = bench
        .office
        .attachment(&case, &files.first().unwrap().sha256)
        .await;
    assert_eq!(whole.unwrap().bytes.len(), most);
    bench.close().await;
}

#[tokio::test]
async fn a_file_is_kept_for_its_case_and_goes_with_its_sender() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    let case = bench.observe("a", &[]).await;
    bench.suspend(&case).await;
    let files = vec![file("proof.txt", "text/plain", b"ticket 4711")];
    let taken = bench
        .office
        .step(&case, said(CaseStep::Appeal, "a", files))
        .await
        .unwrap();
    let digest = taken
        .timeline
        .last()
        .unwrap()
        .attachments
        .first()
        .unwrap()
        .sha256
        .clone();
    // Retention lets bodies go, not what an open case needs.
    let asked = console::RetentionAsked::default();
    bench.office.let_go(asked).await.unwrap();
    assert!(bench.office.attachment(&case, &digest).await.is_ok());
    let order = NewErasure {
        account: "a".to_owned(),
        subject: None,
        by: "eve".to_owned(),
        reason: "it asked".to_owned(),
    };
    bench.office.erase(order).await.unwrap();
    assert!(bench.office.attachment(&case, &digest).await.is_err());
    // The case still says that it was there, and what it was.
    let view = bench.office.case(&case).await.unwrap();
    let kept = view.timeline.iter().flat_map(|step| &step.attachments);
    assert_eq!(
        kept.map(|file| file.sha256.as_str()).collect::<Vec<_>>(),
        [digest.as_str()]
    );
    bench.close().await;
}

#[tokio::test]
async fn a_bundle_is_told_of_once_for_each_state_of_its_case() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(folder.path()).await;
    for account in [None, Some("a"), Some("b")] {
        let new = NewEndpoint {
            account: account.map(str::to_owned),
            kind: "email".to_owned(),
            target: "x@example.org".to_owned(),
        };
        bench.office.add_endpoint(new).await.unwrap();
    }
    let told = async |case: &str| {
        let database = bench.house.keeper.database();
        let mut rows = database.notices(None, Some(case), 99).await.unwrap();
        rows.retain(|row| row.event == "evidence.sealed");
        rows
    };
    let case = bench.observe("a", &[]).await;
    bench.office.export(&case).await.unwrap();
    let whose = |rows: &[store::OutboxRow]| {
        let mut all: Vec<String> = rows.iter().map(|row| row.account.clone()).collect();
        all.sort();
        all
    };
    // Nobody has told the accused of the case yet.
    assert_eq!(whose(&told(&case).await), [""]);
    bench.suspend(&case).await;
    let bundle = bench.office.export(&case).await.unwrap();
    bench.office.export(&case).await.unwrap();
    let rows = told(&case).await;
    assert_eq!(whose(&rows), ["", "", "a"]);
    let digest = hex::encode(sha2::Digest::finalize(sha2::Digest::chain_update(
        <sha2::Sha256 as sha2::Digest>::new(),
        &bundle,
    )));
    let own = rows.iter().find(|row| row.account == "a").unwrap();
    assert!(own.payload.contains(&digest), "{}", own.payload);
    for (account, count) in [(None, 2), (Some("a"), 2), (Some("b"), 0)] {
        let asked = AuditAsked {
            event_types: vec!["evidence.sealed".to_owned()],
            account: account.map(str::to_owned),
            ..AuditAsked::default()
        };
        let page = bench.office.audit_logs(asked).await.unwrap();
        assert_eq!(page.data.len(), count, "{account:?}");
        let last = page
            .data
            .first()
            .map(|event| serde_json::to_string(event).unwrap());
        assert!(last.is_none_or(|last| last.contains(&digest) && last.contains(&case)));
    }
    bench.close().await;
}
