use super::*;

const CHAT: Endpoint = Endpoint::ChatCompletions;
static ASKED: Bytes =
    Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":"hello there"}]}"#);

fn stream(events: usize) -> Vec<u8> {
    (0..events)
        .flat_map(|_| {
            b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}]}\n\n".to_vec()
        })
        .collect()
}

fn said(reading: Reading, whole: bool, answered: &Sum) -> Said<'_> {
    Said {
        endpoint: CHAT,
        reading,
        whole,
        streamed: true,
        asked: &ASKED,
        answered,
    }
}

fn upstream(output_tokens: u64) -> Reading {
    Reading::Usage(Usage {
        input_tokens: 9,
        output_tokens,
        estimated: false,
    })
}

#[test]
fn a_sum_is_the_same_however_the_answer_came() {
    let all = stream(7);
    let mut parts = Delivered::new(100);
    all.chunks(13).for_each(|chunk| parts.add(chunk));
    let (one, other) = (parts.finish(), Sum::of(&all.clone().into(), 100));
    assert_eq!(
        (one.bytes, one.sha256, &one.kept),
        (other.bytes, other.sha256, &other.kept)
    );
    assert_eq!(one.kept, all[..100]);
    assert_eq!(one.bytes, all.len() as u64);
}

#[tokio::test]
async fn what_was_delivered_is_counted_when_the_upstream_could_not_say() {
    let counter = Counter::default();
    let sum = Sum::of(&stream(10).into(), 1 << 20);
    let usage = counter.usage(said(Reading::Absent, true, &sum)).await;
    assert_eq!(
        (usage.output_tokens, usage.estimated),
        (10, true),
        "{usage:?}"
    );
    assert!(usage.input_tokens >= 3, "{usage:?}");
    // The figure at a stream's start is not the figure at its end.
    let cut = counter.usage(said(upstream(1), false, &sum)).await;
    assert_eq!(
        (cut.input_tokens, cut.output_tokens, cut.estimated),
        (9, 10, true)
    );
    let whole = counter.usage(said(upstream(1), true, &sum)).await;
    assert_eq!((whole.output_tokens, whole.estimated), (1, false));
    assert_eq!(counter.skipped(), 0);
}

#[tokio::test]
async fn an_answer_beyond_what_is_kept_is_scaled() {
    let all: Bytes = stream(1_000).into();
    let sum = Sum::of(&all, all.len() / 4);
    let usage = Counter::default()
        .usage(said(Reading::Absent, true, &sum))
        .await;
    assert!(
        (990..=1_010).contains(&usage.output_tokens),
        "{} tokens",
        usage.output_tokens
    );
}

#[tokio::test]
async fn a_full_queue_gives_a_coarse_figure_and_is_counted() {
    let counter = Counter::default();
    let all = counter
        .waiting
        .acquire_many(u32::try_from(WAITING).unwrap())
        .await
        .unwrap();
    let sum = Sum::of(&stream(10).into(), 1 << 20);
    let usage = counter.usage(said(Reading::Absent, false, &sum)).await;
    assert_eq!(usage.output_tokens, sum.bytes.div_ceil(4));
    assert_eq!(counter.skipped(), 1);
    drop(all);
}
