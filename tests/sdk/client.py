"""The Python SDKs of OpenAI and Anthropic, unmodified, against a running gateway."""

import os

import anthropic
import openai

BASE = os.environ["FAIRHOLD_BASE"]
SAY = [{"role": "user", "content": "Say hello in three words."}]
TOOLS = [{
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}]


def client(name="FAIRHOLD_KEY"):
    return openai.OpenAI(base_url=BASE + "/v1", api_key=os.environ[name], max_retries=0)


def plain():
    reply = client().chat.completions.create(model="mock-1", messages=SAY)
    assert reply.choices[0].message.content, reply
    assert reply.usage.prompt_tokens > 0 and reply.usage.completion_tokens > 0, reply.usage


def streaming_with_usage():
    text, usage = "", None
    stream = client().chat.completions.create(
        model="mock-1", messages=SAY, stream=True, stream_options={"include_usage": True})
    for chunk in stream:
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        usage = chunk.usage or usage
    assert text and usage and usage.completion_tokens > 0, (text, usage)


def streaming_hides_usage():
    for chunk in client().chat.completions.create(model="mock-1", messages=SAY, stream=True):
        assert chunk.choices, "a usage frame reached a client that did not ask"
        assert chunk.usage is None, chunk


def tools():
    reply = client().chat.completions.create(model="mock-1", messages=SAY, tools=TOOLS, tool_choice="required")
    call = reply.choices[0].message.tool_calls[0]
    assert call.function.name == "weather", reply


def embeddings():
    reply = client().embeddings.create(model="mock-embedding", input=["one", "two"])
    assert len(reply.data) == 2 and len(reply.data[0].embedding) > 0, reply


def completions_and_responses():
    assert client().completions.create(model="mock-1", prompt="Once").choices[0].text
    assert client().responses.create(model="mock-1", input="Once").output_text


def models():
    assert "mock-1" in [m.id for m in client().models.list().data]


def errors():
    try:
        client().chat.completions.create(model="no-such-model", messages=SAY)
        raise AssertionError("an unknown model was served")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error.body
    wrong = openai.OpenAI(base_url=BASE + "/v1", api_key="fh_live_wrong", max_retries=0)
    try:
        wrong.chat.completions.create(model="mock-1", messages=SAY)
        raise AssertionError("a wrong key was served")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key", error.body


def too_many():
    tight = client("FAIRHOLD_KEY_TIGHT")
    try:
        for _ in range(3):
            tight.chat.completions.create(model="mock-1", messages=SAY)
        raise AssertionError("three requests passed a limit of one per minute")
    except openai.RateLimitError as error:
        assert error.code == "rate_limit_exceeded", error.body
        assert int(error.response.headers["retry-after"]) >= 0


def suspended():
    try:
        client("FAIRHOLD_KEY_SUSPENDED").chat.completions.create(model="mock-1", messages=SAY)
        raise AssertionError("a suspended account was served")
    except openai.PermissionDeniedError as error:
        assert error.code == "account_suspended", error.body
        assert os.environ["FAIRHOLD_CASE"] in error.body["case_url"], error.body
        assert error.body["clause"], error.body


def anthropic_sdk():
    claude = anthropic.Anthropic(base_url=BASE, api_key=os.environ["FAIRHOLD_KEY"], max_retries=0)
    reply = claude.messages.create(model="claude-mock", max_tokens=64, messages=SAY)
    assert reply.content[0].text and reply.usage.output_tokens > 0, reply
    with claude.messages.stream(model="claude-mock", max_tokens=64, messages=SAY) as stream:
        assert "".join(stream.text_stream)
        assert stream.get_final_message().usage.output_tokens > 0
    assert [m.id for m in claude.models.list().data]
    barred = anthropic.Anthropic(base_url=BASE, api_key=os.environ["FAIRHOLD_KEY_SUSPENDED"], max_retries=0)
    try:
        barred.messages.create(model="claude-mock", max_tokens=64, messages=SAY)
        raise AssertionError("a suspended account was served")
    except anthropic.PermissionDeniedError as error:
        assert error.body["type"] == "error", error.body


for test in (plain, streaming_with_usage, streaming_hides_usage, tools, embeddings,
             completions_and_responses, models, errors, too_many, suspended, anthropic_sdk):
    test()
    print(f"python {test.__name__}: ok")
