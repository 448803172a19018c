"""Who goes away over HTTP takes the provider's call along, streamed or not, begun or not."""

import http.client
import json

import anthropic
import openai
import pytest

from harness import PATIENCE, eventually, route
from http_cases import aborted

SLOW = "sim-latency-600000"
ROUTES = {
    "gpt": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "gpt-slow": route(f"openai:gpt-{SLOW}"),
    "claude-slow": route(f"anthropic:claude-{SLOW}"),
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


def begin_call(cluster, model, stream=False):
    """A connection that has asked; by hand, for the SDKs tell how long they wait, and are answered in time."""
    connection = http.client.HTTPConnection(cluster.gateway.doors["http"], timeout=PATIENCE)
    body = {"model": model, "messages": [{"role": "user", "content": "x"}], "stream": stream}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    return connection


@every_talker
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_who_leaves_before_the_answer_ends_the_call(cluster, model, stream):
    cluster.simulator.reset()
    connection = begin_call(cluster, f"{model}-slow", stream)
    eventually(lambda: cluster.simulator.asked(f"{model}-{SLOW}"), "the call to the provider")
    connection.close()
    assert aborted(cluster.simulator, f"{model}-{SLOW}")["tokens"] == 0


@every_talker
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_patience_that_an_sdk_tells_is_the_deadline_of_the_call(cluster, model, stream):
    cluster.simulator.reset()
    sdk = openai.OpenAI(base_url=f"{cluster.http}/v1", api_key="unused", max_retries=0, timeout=2)
    with pytest.raises((openai.InternalServerError, openai.APITimeoutError)):
        messages = [{"role": "user", "content": "x"}]
        sdk.chat.completions.create(model=f"{model}-slow", messages=messages, stream=stream)
    assert aborted(cluster.simulator, f"{model}-{SLOW}")["tokens"] == 0
