"""OpenAI's own SDK, unmodified, with another base URL: to a provider that speaks OpenAI, and to one that speaks Anthropic."""

import json

import openai
import pydantic
import pytest

from http_cases import CALL_OSLO, CALL_TWO, CITY, PNG, ROUTES, SPOKEN, TALKERS, aborted, floats, model_of

assert ROUTES  # the cluster's

every_talker = pytest.mark.parametrize("model", TALKERS)
TOOLS = [
    {"type": "function", "function": {"name": name, "description": "of a city", "parameters": CITY}}
    for name in ("get_weather", "get_time")
]


@pytest.fixture
def sdk(cluster):
    with openai.OpenAI(base_url=f"{cluster.http}/v1", api_key="unused", max_retries=0) as made:
        yield made


def user(text):
    return [{"role": "user", "content": text}]


def text_of(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


# ---- chats ----


@every_talker
def test_a_chat_is_answered(sdk, model):
    reply = sdk.chat.completions.create(model=model, messages=user("Hello there"), temperature=0.5)
    choice = reply.choices[0]
    assert SPOKEN[model] in choice.message.content and '"Hello there"' in choice.message.content
    assert "temperature=0.5" in choice.message.content
    assert (reply.object, choice.finish_reason, choice.message.role) == ("chat.completion", "stop", "assistant")
    assert reply.usage.prompt_tokens == 2
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply._request_id


@every_talker
def test_a_conversation_arrives_whole(sdk, model):
    messages = [
        {"role": "system", "content": "Be brief"},
        *user("one"),
        {"role": "assistant", "content": "two"},
        *user("three"),
    ]
    text = sdk.chat.completions.create(model=model, messages=messages).choices[0].message.content
    for turn in ('system: "Be brief"', 'user: "one"', 'assistant: "two"', 'user: "three"'):
        assert turn in text


@every_talker
def test_a_stream_is_the_whole_answer_word_by_word(sdk, model):
    whole = sdk.chat.completions.create(model=model, messages=user("Hello"))
    chunks = list(sdk.chat.completions.create(model=model, messages=user("Hello"), stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert text_of(chunks) == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert {(chunk.id, chunk.object) for chunk in chunks} == {(chunks[0].id, "chat.completion.chunk")}
    assert len(chunks) > 8


@every_talker
def test_a_stream_tells_its_usage_when_asked(sdk, model):
    whole = sdk.chat.completions.create(model=model, messages=user("Hello"))
    asked = {"model": model, "messages": user("Hello"), "stream": True, "stream_options": {"include_usage": True}}
    chunks = list(sdk.chat.completions.create(**asked))
    last = chunks[-1]
    assert last.choices == []
    assert last.usage.prompt_tokens == whole.usage.prompt_tokens
    assert last.usage.completion_tokens == whole.usage.completion_tokens


@every_talker
def test_the_stream_helper_puts_the_answer_together(sdk, model):
    with sdk.chat.completions.stream(model=model, messages=user("Hello")) as stream:
        final = stream.get_final_completion()
    assert SPOKEN[model] in final.choices[0].message.content


@every_talker
def test_a_limit_of_tokens_ends_an_answer(sdk, model):
    reply = sdk.chat.completions.create(model=model, messages=user("Hello"), max_completion_tokens=3)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == (SPOKEN[model], "length")


# ---- tools ----


@every_talker
def test_a_tool_is_called_and_its_result_taken(sdk, model):
    messages = user(CALL_OSLO)
    choice = sdk.chat.completions.create(model=model, messages=messages, tools=TOOLS).choices[0]
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, call.function.name) == ("tool_calls", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": "8 C"}]
    answer = sdk.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    assert 'The tool said: "8 C"' in answer.choices[0].message.content


@every_talker
def test_two_tools_are_called_at_once_in_a_stream(sdk, model):
    stream = sdk.chat.completions.create(model=model, messages=user(CALL_TWO), tools=TOOLS, stream=True)
    names, arguments, finish, fragments = {}, {}, None, 0
    for chunk in stream:
        finish = chunk.choices[0].finish_reason or finish
        for call in chunk.choices[0].delta.tool_calls or []:
            if call.id:
                names[call.index] = call.function.name
            arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
            fragments += 1
    assert names == {0: "get_weather", 1: "get_time"}
    assert [json.loads(arguments[index]) for index in (0, 1)] == [{"city": "Oslo"}, {"city": "Rome"}]
    assert finish == "tool_calls" and fragments > 4


@every_talker
def test_a_tool_can_be_forced(sdk, model):
    choice = {"type": "function", "function": {"name": "get_time"}}
    reply = sdk.chat.completions.create(model=model, messages=user("Oslo"), tools=TOOLS, tool_choice=choice)
    assert [call.function.name for call in reply.choices[0].message.tool_calls] == ["get_time"]


# ---- what else a chat has ----


@every_talker
def test_an_image_arrives(sdk, model):
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    messages = user([{"type": "text", "text": "look"}, image])
    text = sdk.chat.completions.create(model=model, messages=messages).choices[0].message.content
    assert "look [image image/png 16 bytes #" in text


@every_talker
def test_an_answer_of_a_schema_is_parsed(sdk, model):
    class Place(pydantic.BaseModel):
        city: str
        people: int

    reply = sdk.chat.completions.parse(model=model, messages=user("Oslo"), response_format=Place)
    assert reply.choices[0].message.parsed == Place(city="Oslo", people=4)


# ---- the other endpoints ----


def test_embeddings_are_the_same_numbers_however_they_travel(sdk):
    asked = {"model": "embed", "input": ["one", "two"], "dimensions": 8}
    usual = sdk.embeddings.create(**asked)  # asks for base64, and reads it
    plain = sdk.embeddings.create(**asked, encoding_format="float")
    raw = sdk.embeddings.create(**asked, encoding_format="base64")
    assert [row.index for row in usual.data] == [0, 1] and usual.usage.prompt_tokens == 2
    for i in (0, 1):
        assert len(usual.data[i].embedding) == 8
        assert usual.data[i].embedding == pytest.approx(plain.data[i].embedding)
        assert floats(raw.data[i].embedding) == pytest.approx(plain.data[i].embedding)
    assert len(sdk.embeddings.create(model="embed", input="x").data[0].embedding) == 1536
    assert sdk.embeddings.create(model="embed", input=[1, 2, 3]).usage.total_tokens == 3


def test_a_text_is_completed_whole_and_streamed(sdk):
    whole = sdk.completions.create(model="gpt", prompt="Once upon")
    assert '"Once upon"' in whole.choices[0].text
    chunks = list(sdk.completions.create(model="gpt", prompt="Once upon", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text
    assert len(chunks) > 5


def test_models_are_those_that_can_be_asked(sdk):
    ids = [model.id for model in sdk.models.list()]
    assert {"gpt", "claude", "embed"} <= set(ids)
    found = sdk.models.retrieve("gpt")
    assert (found.id, found.object) == ("gpt", "model")
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("no-such-model")


# ---- errors ----


@every_talker
def test_what_the_provider_refuses_is_a_bad_request(sdk, model):
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model=model, messages=[])
    assert caught.value.type == "invalid_request_error" and "messages" in caught.value.message
    assert caught.value.request_id


def test_an_unknown_model_is_not_found(sdk):
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(model="no-such-model", messages=user("x"))
    assert "no-such-model" in caught.value.message


@every_talker
def test_the_providers_refusal_of_our_key_is_not_the_callers_fault(cluster, sdk, model):
    with pytest.raises(openai.InternalServerError) as caught:
        sdk.with_options(max_retries=2).chat.completions.create(model=f"{model}-refused", messages=user("x"))
    assert "sk-canary" not in str(caught.value)


@every_talker
@pytest.mark.parametrize("fault", ["busy", "broken"])
def test_the_sdk_asks_again_as_often_as_it_was_told_to(cluster, sdk, model, fault):
    asked = {"model": f"{model}-{fault}", "messages": user("x")}
    upstream = model_of(asked["model"])

    def calls(retries):
        before = len(cluster.simulator.asked(upstream))
        with pytest.raises(openai.APIStatusError) as caught:
            sdk.with_options(max_retries=retries).chat.completions.create(**asked)
        assert caught.value.status_code in (429, 502, 503)
        return len(cluster.simulator.asked(upstream)) - before

    assert calls(2) == 3 * calls(0)


def test_the_sdks_own_retry_gets_over_a_provider_that_is_busy_once(cluster, sdk):
    cluster.simulator.script([{"fault": "429", "times": 1, "retry_after": 0, "model": "gpt-4o-mini"}])
    reply = sdk.with_options(max_retries=2).chat.completions.create(model="gpt", messages=user("Hello"))
    assert SPOKEN["gpt"] in reply.choices[0].message.content


@every_talker
@pytest.mark.parametrize("fault", ["cut", "short", "error"])
def test_a_stream_that_breaks_raises_after_what_came(sdk, model, fault):
    text = ""
    with pytest.raises(openai.APIError) as caught:
        for chunk in sdk.chat.completions.create(model=f"{model}-{fault}", messages=user("x"), stream=True):
            text += chunk.choices[0].delta.content or ""
    assert text.startswith(f"[simulated {'openai' if model == 'gpt' else 'anthropic'}")
    assert not isinstance(caught.value, openai.APIConnectionError)


# ---- nothing is held back ----


@every_talker
def test_each_word_arrives_before_the_next_is_sent_and_a_closed_stream_is_stopped(cluster, sdk, model):
    simulator, gate = cluster.simulator, model
    simulator.allow(gate, 1)
    stream = sdk.chat.completions.create(model=f"{model}-gated", messages=user("x"), stream=True)
    words = (chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content)
    for sent in (1, 2, 3, 4):
        assert next(words)
        assert simulator.gate_sent(gate) == sent
        simulator.allow(gate, sent + 1)
    assert next(words)
    stream.close()
    last = aborted(simulator, model_of(f"{model}-gated"))
    assert last["tokens"] == 5
    simulator.reset()
