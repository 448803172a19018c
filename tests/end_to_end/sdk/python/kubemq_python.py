"""The Python package `kubemq`, 3.4.1 or 4.1.5, driven by lines of JSON; sdk/README.md says which."""

import json
import os
import sys
import threading
from datetime import datetime

import kubemq.cq as cq
import kubemq.pubsub as pubsub
import kubemq.queues as queues
from kubemq.pubsub import events_store_subscription as stored_events

# 4.x renamed what 3.x called so.
Response = {
    "query": getattr(cq, "QueryResponseMessage", None) or cq.QueryResponse,
    "command": getattr(cq, "CommandResponseMessage", None) or cq.CommandResponse,
}

Start = getattr(stored_events, "EventsStoreType", None) or stored_events.EventStoreStartPosition

_lock = threading.Lock()


def say(**line):
    with _lock:
        print(json.dumps(line), flush=True)


class Program:
    def __init__(self, address, client_id, keepalive):
        options = {"address": address, "client_id": client_id}
        if "SDK_KEY" in os.environ:
            options["auth_token"] = os.environ["SDK_KEY"]
        if keepalive:
            options.update(keep_alive=True, ping_interval_in_seconds=keepalive, ping_timeout_in_seconds=keepalive)
        self.requests = cq.Client(**options)
        self.events = pubsub.Client(**options)
        self.queues = queues.Client(**options)

    def ping(self, _):
        info = self.requests.ping()
        return {"host": info.host, "version": info.version}

    def query(self, op):
        message = cq.QueryMessage(
            channel=op["channel"],
            body=op["body"].encode(),
            tags=op.get("tags", {}),
            timeout_in_seconds=op["seconds"],
        )
        reply = self.requests.send_query_request(message)
        return {
            "executed": reply.is_executed,
            "error": reply.error or "",
            "body": reply.body.decode(),
            "tags": dict(reply.tags),
        }

    def command(self, op):
        message = cq.CommandMessage(
            channel=op["channel"],
            body=op["body"].encode(),
            tags=op.get("tags", {}),
            timeout_in_seconds=op["seconds"],
        )
        reply = self.requests.send_command_request(message)
        return {"executed": reply.is_executed, "error": reply.error or ""}

    def event(self, op):
        message = pubsub.EventMessage(channel=op["channel"], body=op["body"].encode(), tags=op.get("tags", {}))
        self.events.send_events_message(message)
        return {}

    def serve(self, op):
        kind = op["kind"]

        def answer(received):
            text = received.body.decode()
            fields = {"body": (op["answer"] + text).encode()} if kind == "query" else {}
            say(handled=text, kind=kind)
            self.requests.send_response_message(
                Response[kind](**{f"{kind}_received": received}, is_executed=True, **fields)
            )

        token = self._token()
        if kind == "query":
            subscription = cq.QueriesSubscription(
                channel=op["channel"],
                group=op["group"],
                on_receive_query_callback=answer,
                on_error_callback=lambda error: say(trouble=str(error)),
            )
            self.requests.subscribe_to_queries(subscription, token)
        else:
            subscription = cq.CommandsSubscription(
                channel=op["channel"],
                group=op["group"],
                on_receive_command_callback=answer,
                on_error_callback=lambda error: say(trouble=str(error)),
            )
            self.requests.subscribe_to_commands(subscription, token)
        return {}

    def subscribe(self, op):
        subscription = pubsub.EventsSubscription(
            channel=op["channel"],
            group=op["group"],
            on_receive_event_callback=lambda event: say(event=event.body.decode()),
            on_error_callback=lambda error: say(trouble=str(error)),
        )
        self.events.subscribe_to_events(subscription, self._token())
        return {}

    def store(self, op):
        message = pubsub.EventStoreMessage(channel=op["channel"], body=op["body"].encode(), tags=op.get("tags", {}))
        result = self.events.send_events_store_message(message)
        return {"sent": result.sent}

    def replay(self, op):
        # Only what the start needs: 3.4.1 cannot check the others.
        where = {
            "StartAtSequence": lambda: {"events_store_sequence_value": op["value"]},
            "StartAtTime": lambda: {"events_store_start_time": datetime.fromtimestamp(op["value"])},
        }
        subscription = pubsub.EventsStoreSubscription(
            channel=op["channel"],
            group=op["group"],
            events_store_type=Start[op["start"]],
            on_receive_event_callback=lambda event: say(
                stored={"body": event.body.decode(), "sequence": event.sequence}
            ),
            on_error_callback=lambda error: say(trouble=str(error)),
            **where.get(op["start"], dict)(),
        )
        self.events.subscribe_to_events_store(subscription, self._token())
        return {}

    def channels(self, op):
        verb, kind, channel = op["verb"], op["type"], op["channel"]
        clients = {"queries": self.requests, "commands": self.requests, "queues": self.queues}
        client = clients.get(kind, self.events)
        if verb == "list":
            found = getattr(client, f"list_{kind}_channels")(channel)
            return {"names": [row.name for row in found]}
        getattr(client, f"{verb}_{kind}_channel")(channel)
        return {}

    def enqueue(self, op):
        # 4.x renamed what 3.x called so.
        renamed = hasattr(queues.QueueMessage, "max_receive_count")
        most, dead = (
            ("max_receive_count", "max_receive_queue")
            if renamed
            else ("attempts_before_dead_letter_queue", "dead_letter_queue")
        )
        message = queues.QueueMessage(
            channel=op["channel"],
            body=op["body"].encode(),
            tags=op.get("tags", {}),
            delay_in_seconds=op.get("delay", 0),
            **{most: op.get("max", 0), dead: op.get("dead", "")},
        )
        result = self.queues.send_queues_message(message)
        return {"error": result.error or ""}

    def dequeue(self, op):
        response = self.queues.receive_queues_messages(op["channel"], 1, op["seconds"])
        if response.is_error:
            raise RuntimeError(response.error)
        for message in response.messages:
            then = {"ack": message.ack, "nack": getattr(message, "nack", None) or message.reject}
            if op["then"] == "requeue":
                message.re_queue(op["to"])
            else:
                then[op["then"]]()
            return {
                "body": message.body.decode(),
                "count": message.receive_count,
                "rerouted": message.is_re_routed,
                "tags": dict(message.tags),
            }
        return {}

    def pull(self, op):
        pulled = self.queues.pull(op["channel"], op["max"], op.get("seconds", 1))
        return {"bodies": [row.body.decode() for row in pulled.messages]}

    def peek(self, op):
        # 4.x renamed what 3.x called so.
        look = getattr(self.queues, "peek_queue_messages", None) or self.queues.waiting
        return {"bodies": [row.body.decode() for row in look(op["channel"], op["max"], 1).messages]}

    @staticmethod
    def _token():
        from kubemq.common.cancellation_token import CancellationToken

        return CancellationToken()


def main():
    address, client_id, keepalive = sys.argv[1], sys.argv[2], int(sys.argv[3])
    program = Program(address, client_id, keepalive)
    say(ready=True)
    for line in sys.stdin:
        op = json.loads(line)
        try:
            say(id=op["id"], **getattr(program, op["op"])(op))
        except Exception as error:  # whatever the package raises is the answer
            say(id=op["id"], raised=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
