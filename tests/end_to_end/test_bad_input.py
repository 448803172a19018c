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
    enters: (
        str  # "door": refused by the wire's own error; "worker": a reply that was not executed; "provider": the same
    )
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


EMPTY_115 = "Error 115: invalid request, cannot be empty"
CHANNEL_102 = "Error 102: invalid channel value, cannot be empty"
CHANNEL_107 = "Error 107: invalid channel value, no wildcards are allowed"
CHANNEL_108 = "Error 108: invalid channel value, no white spaces are allowed"
CHANNEL_119 = "Error 119: invalid channel value, cannot end with `.`"
TIMEOUT_301 = "Error 301: timeout for request message"
TIMEOUT_109 = "Error 109: invalid set timeout value, cannot be 0 or negative"

CHAT_REMEDY = " It must be an OpenAI chat completion request, a JSON object."
REPLY_REMEDY = " Check the provider's base_url and type, or try again."
HANGS = "provider openai: {host} did not answer before the deadline: allow more time, or look at its status"
BREAKS = "provider openai: {host} broke the connection (Failure when receiving data from the peer): try again"

CALLERS = [
    # The wire's own checks.
    door("an empty body", EMPTY_115, body=b""),
    door("tags alone", EMPTY_115, body=b"", tags={"model": "gpt-4o-mini"}),
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
    door("a route nobody serves", TIMEOUT_301, channel="nobody_requests", bound=500),
    door("a deadline long past", TIMEOUT_301, tags={"deadline": "1"}),
    worker(
        "a route nobody serves, fail-fast",
        "unknown_route",
        'no worker serves the route "nobody"; there are: {routes} and {more} more',
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
    worker(
        "a body over the limit",
        "too_large",
        "the body has 262145 bytes and limits.body allows 262144: send less, or raise that setting",
        body=b"x" * (LIMIT + 1),
    ),
    worker(
        "JSON that is cut off",
        "invalid_request",
        "the body is not valid JSON: it ends too early, after 14 bytes." + CHAT_REMEDY,
        **openai(b'{"messages": ['),
    ),
    worker(
        "JSON with a slip",
        "invalid_request",
        "the body is not valid JSON: error at byte 14." + CHAT_REMEDY,
        **openai(b'{"messages": ,}'),
    ),
    worker(
        "JSON that is no UTF-8",
        "invalid_request",
        "the body is not valid UTF-8 (byte 15)." + CHAT_REMEDY,
        **openai(b'{"messages": "\xff"}'),
    ),
    worker(
        "JSON that is no object", "invalid_request", "the body is not a JSON object." + CHAT_REMEDY, **openai([1])
    ),
    worker(
        "a key twice",
        "invalid_request",
        'the body has the duplicate key "messages"; send it once.' + CHAT_REMEDY,
        **openai(b'{"messages": [], "messages": []}'),
    ),
    worker(
        "JSON 100,000 levels deep",
        "invalid_request",
        "the body is nested deeper than 256 levels." + CHAT_REMEDY,
        **openai(b'{"messages": ' + b"[" * 100_000),
    ),
    worker(
        "no messages", "invalid_request", "messages: must be a list of at least one message", **openai({"model": ""})
    ),
    worker(
        "messages of a wrong type",
        "invalid_request",
        "messages: must be a list of at least one message",
        **openai({"messages": "Hello"}),
    ),
    worker(
        "a role that is none",
        "invalid_request",
        "messages[0].role: must be system, developer, user, assistant or tool",
        **openai({"messages": [{"role": "king", "content": "x"}]}),
    ),
    worker(
        "a temperature that is none",
        "invalid_request",
        "temperature: must be a number",
        **openai({**CHAT, "temperature": "hot"}),
    ),
    worker(
        "a negative limit", "invalid_request", "max_tokens: must be at least 1", **openai({**CHAT, "max_tokens": -1})
    ),
    worker(
        "a stream",
        "invalid_request",
        "stream: true needs the tag stream-to, the channel for the chunks: add it, or leave stream out",
        **openai({**CHAT, "stream": True}),
    ),
    worker(
        "Anthropic's content of a wrong type",
        "invalid_request",
        "messages[0]: must be an object",
        **anthropic({**MESSAGES, "messages": [7]}),
    ),
    # Tags.
    worker(
        "a dialect that is none",
        "invalid_request",
        'tag dialect is "openai.chta": there are anthropic.count_tokens, anthropic.messages, openai.chat, openai.completions, openai.embeddings, text',
        tags={"dialect": "openai.chta"},
    ),
    worker(
        "a content type that is none",
        "invalid_request",
        'tag content-type is "image/png": it takes text/plain or application/json',
        tags={"content-type": "image/png"},
    ),
    worker(
        "a model the route does not list",
        "unknown_model",
        'route openai has no model "gpt-9": it lists gpt-4o-mini; or leave the model out',
        tags={"model": "gpt-9"},
    ),
    worker(
        "a very long model",
        "unknown_model",
        'route openai has no model "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm": it lists gpt-4o-mini; or leave the model out',
        tags={"model": "m" * 10_000},
    ),
    worker(
        "a temperature out of range",
        "invalid_request",
        'tag temperature is "2.5": it takes a number from 0 to 2',
        tags={"temperature": "2.5"},
    ),
    worker(
        "a temperature that is no number",
        "invalid_request",
        'tag temperature is "nan": it takes a number from 0 to 2',
        tags={"temperature": "nan"},
    ),
    worker(
        "no tokens",
        "invalid_request",
        'tag max-tokens is "0": it takes a whole number above 0',
        tags={"max-tokens": "0"},
    ),
    worker(
        "tokens beyond counting",
        "invalid_request",
        'tag max-tokens is "999999999999999999999999999999": it takes a whole number above 0',
        tags={"max-tokens": "9" * 30},
    ),
    worker(
        "an accept that is none",
        "invalid_request",
        'tag accept is "image/png": it takes text/plain or application/json',
        tags={"accept": "image/png"},
    ),
    worker(
        "a deadline that is no time",
        "invalid_request",
        'tag deadline is "soon": it takes Unix time in milliseconds',
        tags={"deadline": "soon"},
    ),
]

PROVIDERS = [
    provider(
        "400",
        "provider_rejected",
        "provider openai rejects the query as invalid (400): mend it; it says: simulated error 400",
    ),
    provider("401", "provider_auth", "provider openai refuses its key: check CANARY_KEY"),
    provider(
        "403",
        "provider_auth",
        "provider openai forbids this to its key (403): check what CANARY_KEY may do; it says: simulated error 403",
    ),
    provider(
        "404",
        "provider_rejected",
        "provider openai knows no such model (404): check the model and base_url; it says: simulated error 404",
    ),
    provider(
        "408", "provider_timeout", "provider openai gave up waiting (408): try again; it says: simulated error 408"
    ),
    provider(
        "413",
        "provider_rejected",
        "provider openai finds the query too large (413): shorten it; it says: simulated error 413",
    ),
    provider(
        "429",
        "provider_busy",
        "provider openai asks for fewer queries (429): try again later, or check its limits; it says: simulated error 429",
    ),
    provider("500", "provider_failed", "provider openai failed (500): try again; it says: simulated error 500"),
    provider(
        "503", "provider_busy", "provider openai is overloaded (503): try again later; it says: simulated error 503"
    ),
    provider(
        "529", "provider_busy", "provider openai is overloaded (529): try again later; it says: simulated error 529"
    ),
    provider(
        "bad_utf8",
        "provider_bad_reply",
        "provider openai: the provider's reply is not valid UTF-8 (byte 102)." + REPLY_REMEDY,
    ),
    provider("empty", "provider_bad_reply", "provider openai: the provider's reply is empty." + REPLY_REMEDY),
    provider(
        "error_in_200",
        "provider_bad_reply",
        "provider openai: the provider answered 200 with an error inside: simulated error inside a 200",
    ),
    provider("hang_after_headers", "provider_timeout", HANGS, bound=1_500),
    provider("hang_before_headers", "provider_timeout", HANGS, bound=1_500),
    provider(
        "html",
        "provider_bad_reply",
        'provider openai: the provider answered with HTML ("<html><body><h1>502 Bad Gateway</h1></body></html>") instead of JSON.'
        + REPLY_REMEDY,
    ),
    provider(
        "huge",
        "provider_bad_reply",
        "provider openai: {host} sent a reply of more than 262144 bytes: raise limits.body, or ask for less",
    ),
    provider("reset", "provider_unreachable", BREAKS),
    provider("reset_mid_body", "provider_unreachable", BREAKS),
    provider(
        "truncated_json",
        "provider_bad_reply",
        "provider openai: the provider's reply is not valid JSON: it ends too early, after 280 bytes." + REPLY_REMEDY,
    ),
    provider("wrong_types", "provider_bad_reply", "provider openai: the provider's reply: id: must be a string"),
    # Sockets of our own.
    provider(
        "no_http",
        "provider_bad_reply",
        "provider no_http: {host} answered something that is no HTTP: check the provider's base_url",
    ),
    provider(
        "refuses",
        "provider_unreachable",
        "provider refuses: {host} refused the connection: check the provider's base_url and that it runs",
    ),
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
# Rows whose provider is not the simulator.
OTHERS = (*SOCKETS, "keyless")


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
        fault = f"sim-fault-{row.input}"
        target = f"{row.input}:any" if row.input in OTHERS else f"openai:{fault}"
        routes[row.input] = route(target, concurrency=AT_ONCE * 2)
        if row.input not in OTHERS:
            routes[f"anthropic-{row.input}"] = route(f"anthropic:{fault}")
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


def check(row, future, cluster, peers, crowded=False):
    host = peers[row.input].host if row.input in peers else cluster.simulator.address
    named = {"{host}": host, "{routes}": ", ".join(sorted(cluster.routes)[:20]), "{more}": str(len(cluster.routes) - 20)}
    error = row.error
    for name, value in named.items():
        error = error.replace(name, value)
    if row.enters == "door":
        failure = future.exception()
        assert failure is not None, f"{row.input}: was answered"
        assert (failure.code(), failure.details()) == (grpc.StatusCode.INTERNAL, error)
        return
    if crowded and row.error == HANGS and future.exception() is not None:
        assert future.exception().details() == TIMEOUT_301  # the door's clock and the worker's are 0.2 s apart
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


@pytest.mark.parametrize("row", [row for row in PROVIDERS if row.input not in OTHERS], ids=lambda row: row.input)
def test_a_provider_of_another_dialect_fails_the_same_way(client, row):
    reply = client.query(f"anthropic-{row.input}_requests", "Hello", timeout=row.bound)
    assert (reply.Executed, error_of(reply)["code"]) == (False, row.code)
    assert reply.Error.startswith("provider anthropic")
    good_query_succeeds(client)


NO_MESSAGES = {
    "no protobuf": b"\xff" * 100,
    "a channel that is no UTF-8": b"\x22\x02\xff\xfe",
    "a length beyond the end": b"\x0a\xff\xff\xff\xff\x0f",
}


@pytest.mark.parametrize("name", NO_MESSAGES)
def test_bytes_that_are_no_message_are_refused_by_the_door(client, name):
    with pytest.raises(grpc.RpcError) as error:
        client.raw("SendRequest", NO_MESSAGES[name])
    # gRPC's own answer, before our code sees anything; which of the two depends on its version.
    assert error.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED)
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
            check(row, future, cluster, peers, crowded=True)
    good_query_succeeds(client)
    before = footprint(cluster)
    for row in rows:
        for future in many(client, row, REPEATS):
            check(row, future, cluster, peers, crowded=True)
        good_query_succeeds(client)

    # Connections to providers are kept, at most as many as were in use at once.
    def back():
        return all(now[1] <= then[1] + AT_ONCE for now, then in zip(footprint(cluster), before))

    eventually(back, f"descriptors to go back to {before}")
    if not SANITIZED:  # a sanitizer keeps what was freed
        grown = [now[2] - then[2] for now, then in zip(footprint(cluster), before)]
        assert max(grown) < 32 * 1024 * 1024, f"{before} -> {footprint(cluster)}"
