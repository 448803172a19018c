"""Everything wrong that may come in: from callers, and from providers. One table, a row each.

A row says where its input enters, the exact error, and how long that may take (`bound`, the query's own timeout in
milliseconds): an error other than the wire's "timeout" is one that came within the bound. After each a good query
succeeds; after a thousand of each, descriptors and memory are back where they were.
"""

import dataclasses
import json
import socket
import threading

import grpc
import pytest

from harness import NO_KEY, SANITIZED, Cluster, eventually, route
from wire import error_of

LIMIT = 256 * 1024  # limits.body of the clusters here

REPEATS = 100 if SANITIZED else 1000
AT_ONCE = 100

CHAT = {"messages": [{"role": "user", "content": "Hello"}]}
MESSAGES = {"max_tokens": 10, **CHAT}


@dataclasses.dataclass
class Row:
    input: str
    enters: str  # "door": refused by the wire's own error; "worker": a reply that was not executed; "provider": the same
    error: str
    channel: str = "openai_requests"
    body: bytes = b"Hello"
    tags: dict = dataclasses.field(default_factory=dict)
    bound: int = 30_000
    fields: dict = dataclasses.field(default_factory=dict)
    code: str = ""  # of the error object, where there is one


def dialect(name, document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return {"body": body, "tags": {"dialect": name}}


def openai(document):
    return dialect("openai.chat", document)


def anthropic(document):
    return dialect("anthropic.messages", document)


def door(input, error, **what):
    return Row(input, "door", error, **what)


def worker(input, code, error, **what):
    return Row(input, "worker", error, code=code, **what)


def provider(fault, code, error, bound=30_000):
    """The provider misbehaves as its model's name says; `{host}` in the error is where it is."""
    return Row(fault, "provider", error, channel=f"{fault}_requests", code=code, bound=bound)


CHANNEL_102 = "Error 102: invalid channel value, cannot be empty"
CHANNEL_107 = "Error 107: invalid channel value, no wildcards are allowed"
CHANNEL_108 = "Error 108: invalid channel value, no white spaces are allowed"
CHANNEL_119 = "Error 119: invalid channel value, cannot end with `.`"
TIMEOUT_109 = "Error 109: invalid set timeout value, cannot be 0 or negative"

CALLERS = [
    # The wire's own checks.
    door("an empty body", "Error 110: invalid message, cannot be empty", body=b""),
    door("tags alone", "Error 110: invalid message, cannot be empty", body=b"", tags={"model": "gpt-4o-mini"}),
    door("no timeout", TIMEOUT_109, bound=0),
    door("a negative timeout", TIMEOUT_109, bound=-1),
    door("the most negative timeout", TIMEOUT_109, bound=-(2**31)),
    door("no channel", CHANNEL_102, channel=""),
    door("a channel with a space", CHANNEL_108, channel="open ai_requests"),
    door("a channel with a tab", CHANNEL_108, channel="openai\t_requests"),
    door("a channel with a line break", CHANNEL_108, channel="openai_requests\n"),
    door("a channel with a star", CHANNEL_107, channel="*_requests"),
    door("a channel with a >", CHANNEL_107, channel="openai.>"),
    door("a channel that ends in a dot", CHANNEL_119, channel="openai_requests."),
    door("no client", "Error 101: invalid clientID value, cannot be empty", fields={"ClientID": ""}),
    door("neither command nor query", "Error 206: invalid request type", fields={"RequestTypeData": 0}),
    door(
        "a cache key without a time",
        "Error 116: invalid cache ttl value, cannot be 0 or negative",
        fields={"CacheKey": "k"},
    ),
    door("a route nobody serves", "Error 301: timeout for request message", channel="nobody_requests", bound=500),
    worker(
        "a route nobody serves, fail-fast",
        "unknown_route",
        "?",
        channel="nobody_requests",
        tags={"fail-fast": "true"},
    ),
    # Bodies.
    worker("white space", "invalid_request", "empty prompt: put the question into the body", body=b" \n\t "),
    worker(
        "metadata without a body",
        "invalid_request",
        "empty prompt: put the question into the body",
        body=b"",
        fields={"Metadata": "m"},
    ),
    worker(
        "text that is no UTF-8",
        "invalid_request",
        "the prompt is not valid UTF-8 (byte 7): send text as UTF-8",
        body=b"Hello \xff",
    ),
    worker("a body over the limit", "too_large", "?", body=b"x" * (LIMIT + 1)),
    worker("JSON that is cut off", "invalid_request", "?", **openai(b'{"messages": [')),
    worker("JSON with a slip", "invalid_request", "?", **openai(b'{"messages": ,}')),
    worker("JSON that is no UTF-8", "invalid_request", "?", **openai(b'{"messages": "\xff"}')),
    worker("JSON that is no object", "invalid_request", "?", **openai([1])),
    worker("a key twice", "invalid_request", "?", **openai(b'{"messages": [], "messages": []}')),
    worker("JSON 100,000 levels deep", "invalid_request", "?", **openai(b'{"messages": ' + b"[" * 100_000)),
    worker("no messages", "invalid_request", "?", **openai({"model": ""})),
    worker("messages of a wrong type", "invalid_request", "?", **openai({"messages": "Hello"})),
    worker("a role that is none", "invalid_request", "?", **openai({"messages": [{"role": "king", "content": "x"}]})),
    worker("a temperature that is none", "invalid_request", "?", **openai({**CHAT, "temperature": "hot"})),
    worker("a negative limit", "invalid_request", "?", **openai({**CHAT, "max_tokens": -1})),
    worker("a stream", "invalid_request", "?", **openai({**CHAT, "stream": True})),
    worker("no max_tokens for Anthropic", "invalid_request", "?", **anthropic(CHAT)),
    worker("Anthropic's content of a wrong type", "invalid_request", "?", **anthropic({**MESSAGES, "messages": [7]})),
    # Tags.
    worker(
        "a dialect that is none",
        "invalid_request",
        "?",
        tags={"dialect": "openai.chta"},
    ),
    worker("a content type that is none", "invalid_request", "?", tags={"content-type": "image/png"}),
    worker("a model the route does not list", "unknown_model", "?", tags={"model": "gpt-9"}),
    worker("a very long model", "unknown_model", "?", tags={"model": "m" * 10_000}),
    worker("a temperature out of range", "invalid_request", "?", tags={"temperature": "2.5"}),
    worker("a temperature that is no number", "invalid_request", "?", tags={"temperature": "nan"}),
    worker("no tokens", "invalid_request", "?", tags={"max-tokens": "0"}),
    worker("tokens beyond counting", "invalid_request", "?", tags={"max-tokens": "9" * 30}),
    worker("an accept that is none", "invalid_request", "?", tags={"accept": "image/png"}),
    worker("a deadline that is no time", "invalid_request", "?", tags={"deadline": "soon"}),
    worker("a deadline long past", "timeout", "?", tags={"deadline": "1"}),
]

PROVIDERS = [
    provider("400", "provider_rejected", "?"),
    provider("401", "provider_auth", "?"),
    provider("403", "provider_auth", "?"),
    provider("404", "provider_rejected", "?"),
    provider("408", "provider_timeout", "?"),
    provider("413", "provider_rejected", "?"),
    provider("429", "provider_busy", "?"),
    provider("500", "provider_failed", "?"),
    provider("503", "provider_busy", "?"),
    provider("529", "provider_busy", "?"),
    provider("bad_utf8", "provider_bad_reply", "?"),
    provider("empty", "provider_bad_reply", "?"),
    provider("error_in_200", "provider_bad_reply", "?"),
    provider("hang_after_headers", "provider_timeout", "?", bound=1_500),
    provider("hang_before_headers", "provider_timeout", "?", bound=1_500),
    provider("html", "provider_bad_reply", "?"),
    provider("huge", "provider_bad_reply", "?"),
    provider("reset", "provider_unreachable", "?"),
    provider("reset_mid_body", "provider_unreachable", "?"),
    provider("truncated_json", "provider_bad_reply", "?"),
    provider("wrong_types", "provider_bad_reply", "?"),
    # Sockets of our own.
    provider("no_http", "provider_bad_reply", "?"),
    provider("refuses", "provider_unreachable", "?"),
    provider("keyless", "provider_key_missing", NO_KEY),
]


# ---- providers that do not even speak: sockets of our own ----


class Peer:
    """A socket that answers each connection by `do(connection)`; with none it refuses every connection."""

    def __init__(self, do=None):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % self.socket.getsockname()[1]
        if do:
            self.socket.listen(1024)
            threading.Thread(target=self._serve, args=(do,), daemon=True).start()

    def _serve(self, do):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    do(connection)
                except OSError:
                    pass

    def config(self):
        return {"type": "openai_compatible", "base_url": f"http://{self.host}/v1"}

    def close(self):
        self.socket.close()


def no_http(connection):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n")



SOCKETS = {"refuses": None, "no_http": no_http}


# ---- the tests ----


@pytest.fixture(scope="module")
def peers():
    made = {name: Peer(do) for name, do in SOCKETS.items()}
    yield made
    for peer in made.values():
        peer.close()


@pytest.fixture(scope="module")
def cluster(topology, peers, tmp_path_factory):
    routes = {"openai": route("openai:gpt-4o-mini")}
    for row in PROVIDERS:
        target = f"openai:sim-fault-{row.input}"
        if row.input in peers or row.input == "keyless":
            target = f"{row.input}:any-model"
        routes[row.input] = route(target, concurrency=AT_ONCE * 2)
    made = Cluster(
        topology,
        tmp_path_factory.mktemp(topology),
        routes,
        extra={"limits": {"body": LIMIT}, "log": "warning"},
        more_providers={name: peer.config() for name, peer in peers.items()},
    )
    yield made
    made.stop()


def start(client, row):
    return client.start(row.channel, row.body, row.tags, row.bound, **row.fields)


def check(row, future, cluster, peers):
    host = peers[row.input].host if row.input in peers else cluster.simulator.address
    error = row.error.replace("{host}", host)
    if row.enters == "door":
        failure = future.exception()
        assert failure is not None, f"{row.input}: was answered"
        assert (failure.code(), failure.details()) == (grpc.StatusCode.INTERNAL, error)
        return
    reply = future.result()
    assert (reply.Executed, reply.Error) == (False, error)
    told = error_of(reply)
    assert told["message"] == error
    if row.tags.get("dialect") != "anthropic.messages":
        assert told["code"] == row.code


def good_query_succeeds(client):
    reply = client.query("openai_requests", "Hello")
    assert reply.Executed, reply.Error


@pytest.mark.parametrize("row", CALLERS + PROVIDERS, ids=lambda row: row.input)
def test_it_gets_a_clear_error_in_time_and_the_next_query_is_answered(cluster, peers, client, row):
    check(row, start(client, row), cluster, peers)
    good_query_succeeds(client)


@pytest.mark.parametrize("garbage", [b"\xff" * 100, b"\x22\x02\xff\xfe", b"\x0a\xff\xff\xff\xff\x0f"])
def test_bytes_that_are_no_message_are_refused_by_the_door(client, garbage):
    with pytest.raises(grpc.RpcError) as error:
        client.raw("SendRequest", garbage)
    assert error.value.code() == grpc.StatusCode.INTERNAL
    good_query_succeeds(client)


def test_a_message_beyond_the_wires_limit_is_refused_by_the_door(client):
    with pytest.raises(grpc.RpcError) as error:
        client.query("openai_requests", b"x" * (100 * 1024 * 1024 + 1))
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    good_query_succeeds(client)


@pytest.mark.parametrize("timeout", [1_000_000, 2**31 - 1])
def test_a_huge_timeout_is_no_fault(client, timeout):
    assert client.query("openai_requests", "Hello", timeout=timeout).Executed


def many(client, row, repeats):
    """`repeats` of a row, AT_ONCE at a time."""
    for begin in range(0, repeats, AT_ONCE):
        for future in [start(client, row) for _ in range(min(AT_ONCE, repeats - begin))]:
            yield future


def footprint(cluster):
    return [(process.name, process.descriptors(), process.resident_bytes()) for process in cluster.processes[1:]]


def test_after_a_thousand_of_each_nothing_is_left_behind(cluster, peers, client):
    rows = CALLERS + PROVIDERS
    for row in rows:  # buffers, pools and connections grow to their size
        for future in many(client, row, AT_ONCE):
            check(row, future, cluster, peers)
    good_query_succeeds(client)
    before = footprint(cluster)
    for row in rows:
        for future in many(client, row, REPEATS):
            check(row, future, cluster, peers)
        good_query_succeeds(client)

    def back():
        return all(now[1] <= then[1] + 10 for now, then in zip(footprint(cluster), before))

    eventually(back, f"descriptors to go back to {before}")
    if not SANITIZED:  # a sanitizer keeps what was freed
        grown = [now[2] - then[2] for now, then in zip(footprint(cluster), before)]
        assert max(grown) < 32 * 1024 * 1024, f"{before} -> {footprint(cluster)}"
