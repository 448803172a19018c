"""Streams over the message broker: pieces as they are made, cancel, cuts and resume, seen from outside."""

import json
import signal
import subprocess
import uuid

import pytest

from harness import BINARY, clean_environment, eventually, route
from wire import Wire, error_of

GATE = "sim-gate-steps"

TOPOLOGIES = ("one", "split", "nats", "nats_one")

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "gated": route(f"openai:{GATE}"),
    "claude_gated": route(f"anthropic:{GATE}"),
    "cut": route("openai:sim-fault-cut_stream-sim-after-4"),
    "spare": route("openai:sim-fault-503", "anthropic:claude-sonnet-4-5"),
}

GATED = ("gated", "claude_gated")


class Stream:
    """A query with a stream, by the wire alone, as a client in any language would do it."""

    def __init__(self, wire, channel, body, tags=None):
        self.wire = wire
        self.to = f"stream.default.{uuid.uuid4().hex}"
        self.chunks = wire.subscribe(self.to)
        self.worker = self.query = None
        self.reply = wire.start(channel, body, {"stream-to": self.to, "stream-tag": "one", **(tags or {})}, 120_000)

    def next(self):
        chunk = self.chunks.next()
        assert chunk.Tags["stream-tag"] == "one"
        self.worker = chunk.Tags.get("worker", self.worker)
        self.query = chunk.Tags["query"]
        return int(chunk.Tags["seq"]), chunk.Body.decode()

    def text(self, count):
        pieces = [self.next() for _ in range(count)]
        assert [number for number, _ in pieces] == list(range(pieces[0][0], pieces[0][0] + count))
        return "".join(piece for _, piece in pieces)


def whole_text(reply):
    return json.loads(reply.Body)["response"]


def command(cluster, *arguments, stdin=subprocess.DEVNULL):
    environment = clean_environment({"LLM_ROUTER_ADDRESS": cluster.address})
    return subprocess.Popen(
        [BINARY, *arguments], env=environment, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("name", ["openai", "claude", "spare"])
def test_the_chunks_together_are_the_whole_reply(made, caller, name):
    stream = Stream(caller, f"{name}_requests", "Tell me a story about a broker that kept every message")
    reply = stream.reply.result()
    assert reply.Executed, reply.Error
    assert stream.text(int(reply.Tags["chunks"])) == whole_text(reply)
    assert stream.worker and stream.query == reply.Tags["query"]


def test_whole_no_leaves_the_body_of_the_reply_empty(made, caller):
    stream = Stream(caller, "openai_requests", "Hello", {"whole": "no", "accept": "text/plain"})
    reply = stream.reply.result()
    assert (reply.Executed, reply.Body) == (True, b"")
    assert "Hello" in stream.text(int(reply.Tags["chunks"]))


@pytest.mark.parametrize("name", GATED)
def test_nothing_is_buffered_on_the_way(made, caller, name):
    """The provider sends word n + 1 only after word n was seen here."""
    stream = Stream(caller, f"{name}_requests", "one two three four five six")
    text, frames = "", 0
    while not stream.reply.done() and frames < 200:
        frames += 1
        made.simulator.allow("steps", frames)
        eventually(lambda: made.simulator.gate_sent("steps") >= frames or stream.reply.done(), f"frame {frames}")
        if text.count(" ") + 3 < frames and not stream.reply.done():
            text += stream.next()[1]
    reply = stream.reply.result()
    assert reply.Executed, reply.Error
    rest = int(reply.Tags["chunks"]) - 1
    seen = len(text)
    while len(text) < len(whole_text(reply)):
        text += stream.next()[1]
    assert text == whole_text(reply) and seen > 0 and rest > 3


@pytest.mark.parametrize("name", GATED)
def test_ask_prints_words_as_they_come_and_ctrl_c_aborts_the_provider_call(made, name):
    asking = command(made, "ask", "-r", name, "one two three")
    made.simulator.allow("steps", 6)
    first = asking.stdout.read(1)  # while the provider waits
    assert first and asking.poll() is None
    asking.send_signal(signal.SIGINT)
    assert asking.wait(60) == 130
    eventually(lambda: made.simulator.counters()["aborted"] == 1, "the provider call to be aborted")
    made.simulator.allow("steps", 1000)
    assert made.simulator.gate_sent("steps") <= 6 + 2


def test_chat_prints_words_as_they_come(made):
    chatting = command(made, "chat", "-r", "gated", stdin=subprocess.PIPE)
    chatting.stdin.write(b"one two three\n")
    chatting.stdin.flush()
    made.simulator.allow("steps", 6)
    assert chatting.stdout.read(1) and chatting.poll() is None
    made.simulator.allow("steps", 1000)
    out, _ = chatting.communicate(timeout=60)
    assert b"two three" in out and chatting.returncode == 0


def test_a_caller_that_goes_away_aborts_its_stream(made):
    leaving = Wire(made.address)
    stream = Stream(leaving, "gated_requests", "Hello")
    made.simulator.allow("steps", 5)
    stream.next()
    leaving.close()
    eventually(lambda: made.simulator.counters()["aborted"] == 1, "the provider call to be aborted")


def test_a_stream_that_lingers_is_resumed_by_another_connection(made, caller):
    leaving = Wire(made.address)
    stream = Stream(leaving, "gated_requests", "one two three four five", {"linger": "60000"})
    made.simulator.allow("steps", 5)
    number, text = stream.next()
    leaving.close()
    to = f"stream.default.{uuid.uuid4().hex}"
    chunks = caller.subscribe(to)
    resume = {"op": "resume", "query": stream.query, "after": number, "stream-to": to}
    reply = caller.start(f"llm_control.{stream.worker}", json.dumps(resume), timeout=120_000)
    hello = chunks.next()
    assert (int(hello.Tags["seq"]), hello.Body) == (number, b"")
    made.simulator.allow("steps", 1000)
    reply = reply.result()
    assert reply.Executed, reply.Error
    for expected in range(number + 1, int(reply.Tags["chunks"])):
        chunk = chunks.next()
        assert int(chunk.Tags["seq"]) == expected
        text += chunk.Body.decode()
    assert text == whole_text(reply)
    assert made.simulator.counters()["total"] == 1


def test_a_provider_that_breaks_off_fails_the_query_after_what_came(made, caller):
    stream = Stream(caller, "cut_requests", "one two three four five six seven")
    reply = stream.reply.result()
    assert not reply.Executed and error_of(reply)["code"] == "provider_unreachable"
    assert int(reply.Tags["chunks"]) >= 1
    assert reply.Tags["attempts"] == "1"  # what was begun is not begun again elsewhere


def test_dialects_stream_in_their_own_words_across_providers(made, caller):
    body = json.dumps({"messages": [{"role": "user", "content": "Hello there"}]})
    stream = Stream(caller, "claude_requests", body, {"content-type": "application/json"})
    reply = stream.reply.result()
    assert reply.Executed, reply.Error
    frames = stream.text(int(reply.Tags["chunks"]))
    assert frames.endswith("data: [DONE]\n\n")
    lines = [line[6:] for line in frames.splitlines() if line.startswith("data: {")]
    said = "".join(json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines if "choices" in line)
    assert said == json.loads(reply.Body)["choices"][0]["message"]["content"]


def test_bad_stream_tags_are_refused_with_what_they_take(made, caller):
    for tags, what in (
        ({"stream-to": "orders"}, "stream.<tenant>"),
        ({"stream-to": "stream.default.x", "linger": "70000"}, "0 to 60000"),
        ({"stream-to": "stream.default.x", "whole": "maybe"}, "yes or no"),
        ({"stream-to": "stream.default.x", "stream-tag": "x" * 65}, "at most 64"),
    ):
        reply = caller.query("openai_requests", "Hello", tags)
        assert not reply.Executed and what in reply.Error, reply.Error
