use super::*;
use wire::{Meter, Parser};

fn replay() -> Replay {
    let recordings: Recordings = [Recording {
        conversation: vec![("user".into(), "Where is my parcel?".into())],
        answer: "It left the depot this morning and arrives before noon.".into(),
    }]
    .into_iter()
    .collect();
    Replay {
        recordings,
        pace: Duration::ZERO,
    }
}

fn call(endpoint: Endpoint, stream: bool, ask: &str) -> Call {
    let conversation = serde_json::json!([{"role": "user", "content": ask}]);
    let mut body = serde_json::json!({"model": "m", "stream": stream});
    let field = if endpoint == Endpoint::Responses {
        "input"
    } else {
        "messages"
    };
    body[field] = conversation;
    if stream && endpoint == Endpoint::ChatCompletions {
        body["stream_options"] = serde_json::json!({"include_usage": true});
    }
    Call {
        endpoint,
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        stream,
    }
}

async fn collect(mut answer: Answer) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(chunk) = answer.chunks.next().await {
        all.extend_from_slice(&chunk.unwrap());
    }
    all
}

#[tokio::test]
async fn recorded_answers_come_back_in_every_shape() {
    for endpoint in [
        Endpoint::ChatCompletions,
        Endpoint::Responses,
        Endpoint::Messages,
    ] {
        let plain = collect(replay().answer(&call(endpoint, false, "Where is my parcel?"))).await;
        let text = wire::answer_text(endpoint, &plain).unwrap();
        assert!(text.starts_with("It left the depot"), "{endpoint:?}");
        let plain_usage = wire::usage::of_body(endpoint, &plain).usage().unwrap();

        let streamed = collect(replay().answer(&call(endpoint, true, "Where is my parcel?"))).await;
        assert_eq!(wire::answer_text_of_stream(endpoint, &streamed), Some(text));
        let (mut parser, mut meter) = (Parser::default(), Meter::new(endpoint));
        parser.push(&streamed);
        let mut last = wire::Mark::Silent;
        while let Some(event) = parser.next_event().unwrap() {
            meter.observe(&event);
            last = event.mark(endpoint);
        }
        assert_eq!(last, wire::Mark::End, "{endpoint:?}");
        assert_eq!(meter.reading().usage(), Some(plain_usage), "{endpoint:?}");
    }
}

#[tokio::test]
async fn what_was_not_recorded_is_said_so() {
    let answer = replay().answer(&call(Endpoint::ChatCompletions, false, "Something else"));
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(
        String::from_utf8(collect(answer).await)
            .unwrap()
            .contains("no_recording")
    );
}
