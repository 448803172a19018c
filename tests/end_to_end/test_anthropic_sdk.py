"""Anthropic's own SDK, unmodified, with another base URL: to a provider that speaks Anthropic, and to one that speaks OpenAI."""

import anthropic
import pydantic
import pytest

from http_cases import CALL_OSLO, CALL_TWO, CITY, PNG, ROUTES, SPOKEN, TALKERS, aborted, model_of

assert ROUTES  # the cluster's

every_talker = pytest.mark.parametrize("model", TALKERS)
TOOLS = [{"name": name, "description": "of a city", "input_schema": CITY} for name in ("get_weather", "get_time")]


@pytest.fixture
def sdk(cluster):
    with anthropic.Anthropic(base_url=cluster.http, api_key="unused", max_retries=0) as made:
        yield made


def asking(model, content, **more):
    return {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": content}], **more}


# ---- messages ----


@every_talker
def test_a_message_is_answered(sdk, model):
    reply = sdk.messages.create(**asking(model, "Hello there", system="Be brief", extra_body={"temperature": 0.5}))
    (block,) = reply.content
    assert SPOKEN[model] in block.text and '"Hello there"' in block.text
    assert 'system: "Be brief"' in block.text and "temperature=0.5" in block.text
    assert (reply.type, reply.role, reply.stop_reason) == ("message", "assistant", "end_turn")
    assert reply.usage.input_tokens == 4 and reply.usage.output_tokens > 0
    assert reply._request_id


@every_talker
def test_a_stream_is_the_whole_answer_word_by_word(sdk, model):
    whole = sdk.messages.create(**asking(model, "Hello"))
    with sdk.messages.stream(**asking(model, "Hello")) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(pieces) == whole.content[0].text == final.content[0].text
    assert len(pieces) > 6
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.usage.input_tokens == whole.usage.input_tokens


@every_talker
def test_the_events_of_a_stream_come_in_order(sdk, model):
    kinds = [event.type for event in sdk.messages.create(**asking(model, "Hello"), stream=True)]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}


@every_talker
def test_a_limit_and_a_stop_sequence_end_an_answer(sdk, model):
    short = sdk.messages.create(**{**asking(model, "Hello"), "max_tokens": 3})
    assert (short.content[0].text, short.stop_reason) == (SPOKEN[model], "max_tokens")
    stopped = sdk.messages.create(**asking(model, "one STOP two"), stop_sequences=["STOP"])
    assert "two" not in stopped.content[0].text


# ---- tools ----


@every_talker
def test_a_tool_is_called_and_its_result_taken(sdk, model):
    asked = asking(model, CALL_OSLO, tools=TOOLS)
    reply = sdk.messages.create(**asked)
    (call,) = [block for block in reply.content if block.type == "tool_use"]
    assert (reply.stop_reason, call.name, call.input) == ("tool_use", "get_weather", {"city": "Oslo"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "8 C"}
    asked["messages"] += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": [result]}]
    assert 'The tool said: "8 C"' in sdk.messages.create(**asked).content[0].text


@every_talker
def test_two_tools_are_called_at_once_in_a_stream(sdk, model):
    fragments = 0
    with sdk.messages.stream(**asking(model, CALL_TWO, tools=TOOLS)) as stream:
        for event in stream:
            fragments += event.type == "input_json"
        final = stream.get_final_message()
    calls = [(block.name, block.input) for block in final.content if block.type == "tool_use"]
    assert calls == [("get_weather", {"city": "Oslo"}), ("get_time", {"city": "Rome"})]
    assert final.stop_reason == "tool_use" and fragments > 2


@every_talker
def test_a_tool_can_be_forced(sdk, model):
    reply = sdk.messages.create(**asking(model, "Oslo", tools=TOOLS, tool_choice={"type": "tool", "name": "get_time"}))
    assert [block.name for block in reply.content if block.type == "tool_use"] == ["get_time"]


# ---- what else a message has ----


@every_talker
def test_an_image_arrives(sdk, model):
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    reply = sdk.messages.create(**asking(model, [{"type": "text", "text": "look"}, image]))
    assert "look [image image/png 16 bytes #" in reply.content[0].text


@every_talker
def test_an_answer_of_a_schema_is_parsed(sdk, model):
    class Place(pydantic.BaseModel):
        city: str

    assert sdk.messages.parse(**asking(model, "Oslo", output_format=Place)).parsed_output == Place(city="Oslo")


def test_thinking_comes_with_its_signature_and_goes_back_unchanged(sdk):
    asked = asking("claude", "reasoning:rain why?")
    with sdk.messages.stream(**asked) as stream:
        final = stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert "rain" in final.content[0].thinking and final.content[0].signature
    asked["messages"] += [{"role": "assistant", "content": final.content}, {"role": "user", "content": "go on"}]
    assert sdk.messages.create(**asked).stop_reason == "end_turn"  # the simulator refuses a signature that is not its own


def test_marked_prompts_and_what_they_saved_are_counted(sdk):
    system = [{"type": "text", "text": "a b c", "cache_control": {"type": "ephemeral"}}]
    first = sdk.messages.create(**asking("claude", "hello", system=system)).usage
    assert (first.cache_creation_input_tokens, first.cache_read_input_tokens, first.input_tokens) == (3, 0, 1)
    again = sdk.messages.create(**asking("claude", "cache:hit", system=system)).usage
    assert (again.cache_creation_input_tokens, again.cache_read_input_tokens, again.input_tokens) == (0, 3, 1)


# ---- the other endpoints ----


@every_talker
def test_tokens_are_counted(sdk, model):
    messages = [{"role": "user", "content": "one two three"}]
    count = sdk.messages.count_tokens(model=model, messages=messages).input_tokens
    assert count == 3 if model == "claude" else count > 0


def test_models_are_those_that_can_be_asked(sdk):
    assert {"gpt", "claude", "embed"} <= {model.id for model in sdk.models.list()}
    found = sdk.models.retrieve("claude")
    assert (found.id, found.type) == ("claude", "model")
    with pytest.raises(anthropic.NotFoundError):
        sdk.models.retrieve("no-such-model")


# ---- errors ----


@every_talker
def test_what_the_provider_refuses_is_a_bad_request(sdk, model):
    with pytest.raises(anthropic.BadRequestError) as caught:
        sdk.messages.create(model=model, max_tokens=10, messages=[])
    assert caught.value.body["error"]["type"] == "invalid_request_error"
    assert caught.value.request_id


def test_an_unknown_model_is_not_found(sdk):
    with pytest.raises(anthropic.NotFoundError) as caught:
        sdk.messages.create(**asking("no-such-model", "x"))
    assert "no-such-model" in str(caught.value)


@every_talker
@pytest.mark.parametrize("fault", ["busy", "broken"])
def test_the_sdk_asks_again_as_often_as_it_was_told_to(cluster, sdk, model, fault):
    upstream = model_of(f"{model}-{fault}")

    def calls(retries):
        before = len(cluster.simulator.asked(upstream))
        with pytest.raises(anthropic.APIStatusError) as caught:
            sdk.with_options(max_retries=retries).messages.create(**asking(f"{model}-{fault}", "x"))
        assert caught.value.status_code in (429, 502, 503, 529)
        return len(cluster.simulator.asked(upstream)) - before

    assert calls(2) == 3 * calls(0)


@every_talker
@pytest.mark.parametrize("fault", ["cut", "short", "error"])
def test_a_stream_that_breaks_raises_after_what_came(sdk, model, fault):
    text = ""
    with pytest.raises(anthropic.APIStatusError):
        with sdk.messages.stream(**asking(f"{model}-{fault}", "x")) as stream:
            for piece in stream.text_stream:
                text += piece
    assert text.startswith("[simulated ")


# ---- nothing is held back ----


@every_talker
def test_each_word_arrives_before_the_next_is_sent_and_a_closed_stream_is_stopped(cluster, sdk, model):
    simulator, gate = cluster.simulator, model
    simulator.allow(gate, 1)
    with sdk.messages.stream(**asking(f"{model}-gated", "x")) as stream:
        words = iter(stream.text_stream)
        for sent in (1, 2, 3, 4):
            assert next(words)
            assert simulator.gate_sent(gate) == sent
            simulator.allow(gate, sent + 1)
        assert next(words)
    assert aborted(simulator, model_of(f"{model}-gated"))["tokens"] == 5
    simulator.reset()
