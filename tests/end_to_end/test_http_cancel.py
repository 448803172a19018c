"""Who goes away over HTTP takes the provider's call along, streamed or not, begun or not."""

import threading

import anthropic
import openai
import pytest

from harness import eventually, route
from http_cases import aborted

SLOW = "sim-latency-600000"
ROUTES = {
    "gpt": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "gpt-slow": route(f"openai:gpt-{SLOW}"),
    "claude-slow": route(f"anthropic:claude-{SLOW}"),
    "gpt-narrow": route(f"openai:narrow-{SLOW}", concurrency=1),
}
# So slow that what is sent after the end of a stream shows, however busy this machine is.
CLUSTER = {"simulate": ("--token-rate", "4")}
every_talker = pytest.mark.parametrize("model", ["gpt", "claude"])


def openai_words(cluster, model):
    sdk = openai.OpenAI(base_url=f"{cluster.http}/v1", api_key="unused", max_retries=0)
    messages = [{"role": "user", "content": "x"}]
    stream = sdk.chat.completions.create(model=model, messages=messages, stream=True)
    return stream.close, (chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)


def anthropic_words(cluster, model):
    sdk = anthropic.Anthropic(base_url=cluster.http, api_key="unused", max_retries=0)
    messages = [{"role": "user", "content": "x"}]
    stream = sdk.messages.create(model=model, max_tokens=100, messages=messages, stream=True)
    return stream.close, (event for event in stream if event.type == "content_block_delta")


@every_talker
@pytest.mark.parametrize("begin", [openai_words, anthropic_words], ids=["openai", "anthropic"])
def test_a_stream_that_is_closed_gets_at_most_two_more_words(cluster, begin, model):
    cluster.simulator.reset()
    close, words = begin(cluster, model)
    for _ in range(3):
        next(words)
    close()
    upstream = {"gpt": "gpt-4o-mini", "claude": "claude-sonnet-4-5"}[model]
    last = aborted(cluster.simulator, upstream)
    assert last["streamed"] and 3 <= last["tokens"] <= 5


@every_talker
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_caller_that_loses_its_patience_before_the_answer_ends_the_call(cluster, model, stream):
    sdk = openai.OpenAI(base_url=f"{cluster.http}/v1", api_key="unused", max_retries=0, timeout=1)
    with pytest.raises(openai.APITimeoutError):
        messages = [{"role": "user", "content": "x"}]
        sdk.chat.completions.create(model=f"{model}-slow", messages=messages, stream=stream)
    assert aborted(cluster.simulator, f"{model}-{SLOW}")["tokens"] == 0


def test_a_query_that_still_waits_for_its_turn_is_dropped(cluster):
    simulator = cluster.simulator
    simulator.reset()
    sdk = openai.OpenAI(base_url=f"{cluster.http}/v1", api_key="unused", max_retries=0)

    def ask(patience):
        messages = [{"role": "user", "content": "x"}]
        with pytest.raises(openai.APITimeoutError):
            sdk.with_options(timeout=patience).chat.completions.create(model="gpt-narrow", messages=messages)

    first = threading.Thread(target=ask, args=(4,))
    first.start()
    eventually(lambda: simulator.asked(f"narrow-{SLOW}"), "the first call")
    ask(1)
    first.join()
    aborted(simulator, f"narrow-{SLOW}")
    eventually(lambda: simulator.counters()["in_flight"] == 0, "nothing to be under way")
    assert len(simulator.asked(f"narrow-{SLOW}")) == 1
