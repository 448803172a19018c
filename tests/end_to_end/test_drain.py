"""A process with an HTTP door is told to stop: readiness turns first, what runs is finished, and what takes too long
ends in words that its caller's API has."""

import contextlib
import http.client
import json
import signal
import threading
import urllib.error

import pytest

from harness import PATIENCE, eventually, get, route

TOPOLOGIES = ("one", "split", "nats")
ROUTES = {
    "slow": route("openai:gpt-4o-sim-latency-1500"),
    "gated": route("openai:gpt-4o-sim-gate-go-sim-tokens-20"),
    "stuck": route("openai:gpt-4o-sim-fault-hang_before_headers"),
}
PATHS = ("/v1/chat/completions", "/v1/messages")
BY_PATH = pytest.mark.parametrize("path", PATHS)


class Asked(threading.Thread):
    """One request over HTTP, and its reply, read to its end."""

    def __init__(self, server, path, model, stream=False):
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection(server.doors["http"], timeout=PATIENCE)
        body = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
        self._connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        self._reply = None
        self.start()

    def run(self):
        try:
            answer = self._connection.getresponse()
            # A chunked body that is cut short is an exception here.
            self._reply = answer.status, dict(answer.getheaders()), answer.read().decode()
        except BaseException as problem:  # shown by the test
            self._reply = problem
        self._connection.close()

    def reply(self):
        """Status, headers and body."""
        self.join(PATIENCE)
        assert isinstance(self._reply, tuple), repr(self._reply)
        return self._reply


def readiness(server):
    try:
        server.admin("/ready")
        return 200
    except urllib.error.HTTPError as error:
        return error.code


def refuses(server):
    """Whether nobody listens at its HTTP door any more."""
    with contextlib.closing(http.client.HTTPConnection(server.doors["http"], timeout=PATIENCE)) as connection:
        try:
            connection.request("GET", "/v1/models")
            connection.getresponse()
        except OSError:
            return True
        return False


def begin(cluster, path, query, story):
    """A query and a stream with its first words, both at the provider."""
    eventually(lambda: f'"{query}"' in get(f"{cluster.http}/v1/models"), "the gateway to have heard of its worker")
    cluster.simulator.allow("go", 3)
    asked = Asked(cluster.gateway, path, query), Asked(cluster.gateway, path, story, stream=True)
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 2, "both to be at the provider")
    eventually(lambda: cluster.simulator.gate_sent("go") == 3, "the first words")
    return asked


@BY_PATH
def test_what_runs_is_finished_after_readiness_has_turned(make_cluster, topology, path):
    cluster = make_cluster(ROUTES)
    other = cluster.start_second_gateway() if topology == "nats" else None
    gateway = cluster.gateway
    query, stream = begin(cluster, path, "slow", "gated")
    assert readiness(gateway) == 200
    gateway.signal(signal.SIGTERM)
    eventually(lambda: readiness(gateway) == 503, "readiness to turn")
    eventually(lambda: refuses(gateway), "the door to be closed for more")
    if other:  # where whoever looks at readiness, or is refused, goes on
        status, _, body = Asked(other, path, "slow").reply()
        assert status == 200, body
    status, _, body = query.reply()
    assert status == 200 and "Hi" in body, body
    assert gateway.alive() and stream.is_alive()
    cluster.simulator.allow("go", 10**6)
    status, _, body = stream.reply()
    assert status == 200
    assert body.rstrip().endswith({PATHS[0]: "data: [DONE]", PATHS[1]: 'data: {"type":"message_stop"}'}[path]), body
    assert gateway.wait() == 0


@BY_PATH
def test_what_outlasts_the_time_to_drain_ends_in_words_of_its_api(make_cluster, path):
    cluster = make_cluster(ROUTES, extra={"limits": {"drain_seconds": 1}})
    gateway = cluster.gateway
    query, stream = begin(cluster, path, "stuck", "gated")
    gateway.signal(signal.SIGTERM)

    status, headers, body = query.reply()
    assert status == 503, body
    error = json.loads(body)["error"]
    assert error["type"] == {PATHS[0]: "server_error", PATHS[1]: "overloaded_error"}[path]
    assert "ask again" in error["message"]
    assert headers.get("connection") == "close"

    status, _, body = stream.reply()
    assert status == 200
    *_, last = body.strip().split("\n\n")
    assert last.startswith({PATHS[0]: 'data: {"error"', PATHS[1]: "event: error\ndata: "}[path]), body
    assert "ask again" in last and body.count("ask again") == 1
    assert gateway.wait() == 0
    # Whoever had them at the provider has let them go.
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 0, "the provider calls to be broken off")
