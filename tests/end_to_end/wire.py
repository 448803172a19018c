"""The KubeMQ wire without an SDK: a gRPC client generated from proto/kubemq.proto when the tests start."""

import json
import sys
import tempfile
import threading
import queue
from importlib import import_module, resources

import grpc
from grpc_tools import protoc

from harness import PATIENCE, REPOSITORY

PROTO = REPOSITORY / "proto" / "kubemq.proto"


def _generate():
    folder = tempfile.mkdtemp(prefix="llm-router-proto-")
    include = resources.files("grpc_tools") / "_proto"
    arguments = [f"-I{PROTO.parent}", f"-I{include}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    assert protoc.main(["protoc", *arguments, str(PROTO)]) == 0
    sys.path.insert(0, folder)
    return import_module("kubemq_pb2"), import_module("kubemq_pb2_grpc")


pb, pb_grpc = _generate()

LIMIT = 200 * 1024 * 1024


class _Bearer(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Sends `key` with every call, as SDKs do."""

    def __init__(self, key):
        self._metadata = [("authorization", key)]

    def _go_on(self, go_on, details, request):
        return go_on(details._replace(metadata=[*(details.metadata or ()), *self._metadata]), request)

    intercept_unary_unary = intercept_unary_stream = _go_on


class Wire:
    """One gRPC connection to a door."""

    def __init__(self, address, client_id="test", options=(), key=None):
        self.client_id = client_id
        limits = (("grpc.max_receive_message_length", LIMIT), ("grpc.max_send_message_length", LIMIT))
        # Its own sub-channel: one client's cancelled or killed connection must not be another's.
        local = (("grpc.use_local_subchannel_pool", 1),)
        self.channel = grpc.insecure_channel(address, options=(*limits, *local, *options))
        if key:
            self.channel = grpc.intercept_channel(self.channel, _Bearer(key))
        self.stub = pb_grpc.kubemqStub(self.channel)

    def request(self, channel, body, tags=None, timeout=30_000, **fields):
        usual = {
            "RequestTypeData": "Query",
            "ClientID": self.client_id,
            "Channel": channel,
            "Body": body.encode() if isinstance(body, str) else body,
            "Timeout": timeout,
            "Tags": tags or {},
        }
        return pb.Request(**{**usual, **fields})

    def raw(self, method, message):
        """Bytes as they are, where a message belongs: the answer's bytes."""
        call = self.channel.unary_unary(f"/kubemq.kubemq/{method}", lambda data: data, lambda data: data)
        return call(message, timeout=PATIENCE)

    def query(self, channel, body, tags=None, timeout=30_000, **fields):
        return self.stub.SendRequest(self.request(channel, body, tags, timeout, **fields), timeout=PATIENCE * 2)

    def start(self, channel, body, tags=None, timeout=30_000, **fields):
        """A query in flight: a gRPC future."""
        request = self.request(channel, body, tags, timeout, **fields)
        return self.stub.SendRequest.future(request, timeout=PATIENCE * 2)

    def publish(self, channel, body, tags=None):
        return self.stub.SendEvent(
            pb.Event(ClientID=self.client_id, Channel=channel, Body=body.encode(), Tags=tags or {}), timeout=PATIENCE
        )

    def subscribe(self, channel, kind="Events", group=""):
        return Subscribed(self, channel, kind, group)

    def close(self):
        self.channel.close()


class Subscribed:
    """A subscription in force: `next()` gives what it got, in order."""

    def __init__(self, wire, channel, kind, group):
        what = pb.Subscribe(SubscribeTypeData=kind, ClientID=wire.client_id, Channel=channel, Group=group)
        self._wire = wire
        events = kind in ("Events", "EventsStore")
        self.call = wire.stub.SubscribeToEvents(what) if events else wire.stub.SubscribeToRequests(what)
        self.call.initial_metadata()  # sent by the door when the subscription is in force
        self._got = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self.call:
                self._got.put(message)
        except grpc.RpcError as error:
            self._got.put(error)

    def next(self, patience=PATIENCE):
        return self._got.get(timeout=patience)

    def answer(self, request, body="", executed=True, error="", tags=None):
        self._wire.stub.SendResponse(
            pb.Response(
                ClientID=self._wire.client_id,
                RequestID=request.RequestID,
                ReplyChannel=request.ReplyChannel,
                Body=body.encode(),
                Executed=executed,
                Error=error,
                Tags=tags or {},
            ),
            timeout=PATIENCE,
        )

    def cancel(self):
        self.call.cancel()


def error_of(reply):
    """The `error` object in the body of a failed reply."""
    return json.loads(reply.Body)["error"]
