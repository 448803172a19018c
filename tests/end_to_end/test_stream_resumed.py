"""Streams that are cut at random points and go on over another connection, half of them to another gateway."""

import random

from harness import SANITIZED, route
from http_stream import all_at, wait_for
from web_socket import WebSocket

TOPOLOGIES = ("one", "split", "nats")

RESUMED = 150 if SANITIZED else 1_000
RESUMABLE = {"gpt": route("openai:gpt-4o-sim-tokens-40"), "claude": route("anthropic:claude-sim-tokens-40")}
WORDS_A_SECOND = 50
READERS = 20 if SANITIZED else 60


def prompt(number):
    return f"Tell me story {number:05}, word by word"


async def uncut(address, model):
    """The text of story 0, which only its number tells from others."""
    socket = await WebSocket.open(address, "/v1/stream")
    socket.send({"type": "request", "id": "uncut", "model": model, "input": prompt(0)})
    text = ""
    while (message := await socket.receive())["type"] == "chunk":
        text += message["content"]
    assert message["full_response"] == text
    socket.cut()
    return text


class CutStream:
    """A stream read over several connections, each to one of the gateways, all but the last cut at a random point."""

    def __init__(self, gateways, seed):
        self._gateways = gateways
        self._random = random.Random(seed)
        self._at = self._random.randrange(len(gateways))
        self.elsewhere = 0  # cuts after which another process went on
        self.here = 0
        self.early = 0  # cuts before the last word had come
        self.text = ""
        self.last = -1  # seq
        self.name = None

    async def read(self, model, number, expected):
        cuts = sorted(self._random.randrange(len(expected)) for _ in range(self._random.choice((1, 1, 1, 2, 3))))
        ask = {"type": "request", "id": "mine", "model": model, "input": prompt(number)}
        for point in cuts:
            if await self._read_to(ask, point):
                break
            self._move(expected)
            ask = {"type": "resume", "id": self.name, "after": self.last}
        else:
            assert await self._read_to(ask, len(expected) + 1)

    def _move(self, expected):
        self.early += len(self.text) < len(expected)
        before = self._at
        self._at = self._random.randrange(len(self._gateways))
        self.elsewhere += before != self._at
        self.here += before == self._at

    async def _read_to(self, ask, point):
        """Whether it came to its end, before more than `point` characters were there."""
        socket = await WebSocket.open(self._gateways[self._at].doors["http"], "/v1/stream")
        socket.send(ask)
        try:
            while (message := await socket.receive())["type"] == "chunk":
                assert message["seq"] > self.last, message
                self.last = message["seq"]
                self.name = self.name or message["resume_id"]
                self.text += message["content"]
                if len(self.text) > point:
                    return False
            assert message["type"] == "complete", message
            assert message["full_response"] == self.text
            return True
        finally:
            socket.cut()


def test_streams_that_are_cut_go_on_word_by_word_over_this_gateway_or_another(make_cluster):
    cluster = make_cluster(RESUMABLE, simulate=("--token-rate", WORDS_A_SECOND))
    gateways = (cluster.gateway, cluster.start_second_gateway())
    models = sorted(RESUMABLE)
    texts = {model: wait_for(uncut(cluster.gateway.doors["http"], model)) for model in models}

    async def one(number):
        model = models[number % len(models)]
        expected = texts[model].replace(prompt(0), prompt(number))
        stream = CutStream(gateways, seed=number)
        await stream.read(model, number, expected)
        assert stream.text == expected
        return stream

    streams = all_at(READERS, (one(number) for number in range(1, RESUMED + 1)))
    here, elsewhere, early = (sum(getattr(stream, what) for stream in streams) for what in ("here", "elsewhere", "early"))
    print(f"\n{RESUMED} streams, {here + elsewhere} cuts, {early} of them under way; {elsewhere} went on at another process")
    assert here + elsewhere >= RESUMED
    assert elsewhere > RESUMED / 3 and here > RESUMED / 3 and early > RESUMED / 2
    # Each was asked of its provider once, whoever read it.
    assert cluster.simulator.counters()["total"] == RESUMED + len(models)
