"""Steady load on a whole llm-router, and the load balancer before its gateways.

Every client counts what it asked for and got whole, and keeps the first thing that went wrong. Nobody asks twice: a
failure is a failure.
"""

import contextlib
import http.client
import itertools
import json
import threading

import wire
from exported import Exported
from harness import PATIENCE, eventually
from http_stream import text_of

CHAT = "/v1/chat/completions"


class Balancer:
    """Picks a gateway for each request, as a Service of Kubernetes does: the least busy of those that are in.

    A gateway is taken out before it is told to stop, and what was sent to it meanwhile has reached it: in a cluster
    that is its leaving the endpoints, and the pause before the signal (`preStop`) that the chart gives it. Here nothing
    waits by the clock: the gateway's own metrics say that it has all that was sent to it, and a visit of several
    requests is over.
    """

    def __init__(self, *gateways):
        self._lock = threading.Lock()
        self._sent = {gateway: 0 for gateway in gateways}
        self._visits = {gateway: 0 for gateway in gateways}
        self._leaving = set()
        self._out = set()

    def one(self):
        """A gateway, for one request."""
        return self._count(self._sent, self._out)

    def visit(self):
        """A gateway, for several requests one after the other."""
        return self._count(self._visits, self._leaving)

    @contextlib.contextmanager
    def _count(self, counts, shunned):
        with self._lock:
            gateway = min((each for each in self._sent if each not in shunned), key=self._sent.get)
            counts[gateway] += 1
        try:
            yield gateway
        finally:
            with self._lock:
                counts[gateway] -= 1

    def put_in(self, gateway):
        with self._lock:
            self._sent[gateway] = self._visits[gateway] = 0

    def take_out(self, gateway):
        """Returns how much it is still busy with. It is in until the visits are over."""
        with self._lock:
            self._leaving.add(gateway)
        eventually(lambda: self._visits[gateway] == 0, f"the visits at {gateway.name} to be over")
        with self._lock:
            self._out.add(gateway)

        def has_all():
            sent = self._sent[gateway]
            busy = Exported(gateway).sum("llm_router_door_requests_in_flight")
            return sent == busy == self._sent[gateway] and [sent]

        return eventually(has_all, f"{gateway.name} to have what was sent to it")[0]


class Client(threading.Thread):
    """Asks again and again, by `ask(number)`, until the load ends or something goes wrong."""

    def __init__(self, name, ask, numbers):
        super().__init__(name=name, daemon=True)
        self.done = 0
        self.problem = None
        self._ask = ask
        self._numbers = numbers
        self._over = threading.Event()

    def run(self):
        try:
            while not self._over.is_set():
                self._ask(next(self._numbers))
                self.done += 1
        except BaseException as problem:  # shown by the test
            self.problem = problem

    def end(self):
        self._over.set()


def post_chat(address, model, text, stream=False):
    """The body of a reply over HTTP, on a connection of its own, read to its end."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": stream}
        connection.request("POST", CHAT, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status == 200, (answer.status, data)
        return data
    finally:
        connection.close()


class Load:
    """Queries to the route `query` by the doors for HTTP and for KubeMQ, streams to `story` over HTTP, until `end`."""

    def __init__(self, balancer, query, story, queries, streams):
        self._balancer = balancer
        self._query, self._story = query, story
        self._wires = {}
        self._lock = threading.Lock()
        kinds = [("queries by HTTP", self._http), ("queries by gRPC", self._grpc)] * queries
        kinds += [("streams", self._stream)] * streams
        numbers = itertools.count()
        self._clients = [Client(name, ask, numbers) for name, ask in kinds]
        for client in self._clients:
            client.start()

    def _http(self, number):
        with self._balancer.one() as gateway:
            data = post_chat(gateway.doors["http"], self._query, f"question {number}.")
        assert f"question {number}." in json.loads(data)["choices"][0]["message"]["content"], data

    def _grpc(self, number):
        with self._balancer.one() as gateway:
            reply = self._wire(gateway).query(f"{self._query}_requests", f"question {number}.")
        assert reply.Executed, reply.Error
        assert f"question {number}." in json.loads(reply.Body)["response"], reply.Body

    def _stream(self, number):
        with self._balancer.one() as gateway:
            data = post_chat(gateway.doors["http"], self._story, f"story {number}.", stream=True)
        assert data.rstrip().endswith(b"data: [DONE]"), data[-300:]
        assert f"story {number}." in text_of(data), data

    def _wire(self, gateway):
        with self._lock:
            if gateway.grpc not in self._wires:
                self._wires[gateway.grpc] = wire.Wire(gateway.grpc)
            return self._wires[gateway.grpc]

    def check(self):
        for client in self._clients:
            assert client.problem is None, f"{client.name}: {client.problem!r}"
        return True

    def done(self):
        """How many of each kind ended well."""
        done = {}
        for client in self._clients:
            done[client.name] = done.get(client.name, 0) + client.done
        return done

    def await_more(self, count=1):
        """Returns when every client has `count` more answers."""
        before = [client.done for client in self._clients]

        def all_have():
            self.check()
            return all(client.done >= had + count for client, had in zip(self._clients, before))

        eventually(all_have, "every client to be answered")

    def end(self):
        """Waits for what is under way."""
        for client in self._clients:
            client.end()
        for client in self._clients:
            client.join(PATIENCE)
            assert not client.is_alive(), client.name
        for each in self._wires.values():
            each.close()
        self.check()
