"""KubeMQ SDKs by others: as callers of our worker, as workers beside it, among themselves, and after a long silence."""

import json
import queue
import threading

import pytest

from harness import NO_KEY, PATIENCE, eventually, route
from sdks import MANAGES_CHANNELS, SDKS, start_sdk  # noqa: F401

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "keyless": route("keyless:gpt-4o-mini"),
}

pytestmark = pytest.mark.usefixtures("cluster")
every_sdk = pytest.mark.parametrize("name", SDKS)


@every_sdk
def test_an_sdk_that_sends_a_query_gets_the_answer_of_our_worker(start_sdk, name):
    sdk = start_sdk(name)
    for channel, provider in (("openai_requests", "openai"), ("claude_requests", "anthropic")):
        reply = sdk.query(channel, f"Hello from {name}")
        assert reply["executed"], reply
        body = json.loads(reply["body"])
        assert f"Hello from {name}" in body["response"]
        assert (body["provider"], reply["tags"]["provider"]) == (provider, provider)


@every_sdk
def test_an_sdk_whose_query_fails_reads_why(start_sdk, name):
    reply = start_sdk(name).query("keyless_requests", "Hello")
    assert not reply["executed"]
    assert reply["error"] == NO_KEY


@every_sdk
def test_an_sdk_is_pinged(start_sdk, name):
    info = start_sdk(name).call("ping")
    assert info["host"] and info["version"]


@every_sdk
def test_an_sdk_serves_a_channel_that_nobody_else_serves(cluster, start_sdk, name):
    channel = f"alone-{name}"
    start_sdk(name).serve(f"{channel}_requests", answer="heard: ")
    answered = cluster.run("ask", "-r", channel, "Hello")
    assert (answered.returncode, answered.stdout.strip()) == (0, "heard: Hello"), answered.stderr


@every_sdk
def test_an_sdk_and_our_worker_share_a_channel(cluster, client, start_sdk, name):
    sdk = start_sdk(name)
    sdk.serve("openai_requests", answer="sdk: ")
    tally = {"sdk": 0, "ours": 0}

    def ask_once():
        body = client.query("openai_requests", "Who are you?").Body.decode()
        tally["sdk" if body == "sdk: Who are you?" else "ours"] += 1
        return tally["sdk"] and tally["ours"]

    eventually(ask_once, "both to get work")
    sdk.kill()

    # A query may still be under way to it when it ends, and fails; from then on ours serves alone.
    def ours_answers_all():
        futures = [client.start("openai_requests", f"Question {n}") for n in range(20)]
        return all(future.exception() is None and future.result().Executed for future in futures)

    eventually(ours_answers_all, "our worker to serve alone")


@every_sdk
def test_our_worker_and_sdks_of_one_group_each_answer_a_query_once(client, start_sdk, name):
    workers = [start_sdk(name), start_sdk(name)]
    for number, worker in enumerate(workers):
        worker.serve(f"shared-{name}", answer=f"{number}: ")
    asked = [client.start(f"shared-{name}", f"q{n}") for n in range(40)]
    answers = [future.result().Body.decode() for future in asked]
    assert sorted(answer.split(": ")[1] for answer in answers) == sorted(f"q{n}" for n in range(40))
    # What each says it handled, together, is every query exactly once.
    handled = [
        worker.handled.get(timeout=PATIENCE) for n, worker in enumerate(workers) for _ in range(count(answers, n))
    ]
    assert sorted(handled) == sorted(f"q{n}" for n in range(40))
    assert all(worker.handled.empty() for worker in workers)


def count(answers, number):
    return sum(answer.startswith(f"{number}: ") for answer in answers)


@every_sdk
def test_sdks_send_each_other_queries_and_commands(start_sdk, name):
    sender, worker = start_sdk("grpc-js"), start_sdk(name)
    for kind in ("query", "command"):
        worker.serve(f"between-{name}", kind=kind, answer="heard: ")
    assert sender.query(f"between-{name}", "Hello")["body"] == "heard: Hello"
    assert sender.command(f"between-{name}", "Do it")["executed"]
    # and the other way round
    sender.serve(f"back-{name}", answer="back: ")
    sender.serve(f"back-{name}", kind="command")
    assert worker.query(f"back-{name}", "Hello")["body"] == "back: Hello"
    assert worker.command(f"back-{name}", "Do it")["executed"]


@every_sdk
def test_sdks_send_each_other_events(start_sdk, name):
    sender, receiver = start_sdk(name), start_sdk(name)
    receiver.call("subscribe", channel=f"news-{name}.*", group="")

    # SDKs do not say when a subscription is in force: events before that are nobody's.
    def heard():
        sender.call("event", channel=f"news-{name}.x", body="probe", tags={})
        return not receiver.events.empty()

    eventually(heard, "the first event")
    for number in range(20):
        sender.call("event", channel=f"news-{name}.x", body=f"event {number}", tags={})
    got = [event for event in iter(lambda: receiver.events.get(timeout=PATIENCE), "event 19") if event != "probe"]
    assert got == [f"event {number}" for number in range(19)]


@pytest.mark.parametrize("name", MANAGES_CHANNELS)
@pytest.mark.parametrize("kind", ["queries", "commands", "events"])
def test_an_sdk_creates_lists_and_deletes_channels(start_sdk, name, kind):
    sdk = start_sdk(name)
    channel = f"made-by-{name}"

    def names():
        return sdk.call("channels", verb="list", type=kind, channel=channel)["names"]

    assert names() == []
    sdk.call("channels", verb="create", type=kind, channel=channel)
    assert names() == [channel]
    sdk.call("channels", verb="delete", type=kind, channel=channel)
    assert names() == []


def stay_idle(client, sdk, name, seconds):
    """A worker and a caller that are silent for `seconds`, then work as if nothing had been."""
    sdk.serve(f"idle-{name}", answer="awake: ")
    assert client.query(f"idle-{name}", "before").Body == b"awake: before"
    assert sdk.query("openai_requests", "before")["executed"]
    with pytest.raises(queue.Empty):
        sdk.troubles.get(timeout=seconds)
    assert sdk.query("openai_requests", "after")["executed"]
    assert client.query(f"idle-{name}", "after", timeout=10_000).Body == b"awake: after"


def all_idle(client, sdks, seconds):
    failures = []

    def idle(name, sdk):
        try:
            stay_idle(client, sdk, name, seconds)
        except BaseException as error:
            failures.append((name, error))

    threads = [threading.Thread(target=idle, args=pair) for pair in sdks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_sdks_that_ping_often_are_not_cut_off(client, start_sdk):
    # A stock gRPC server takes the third early ping for abuse. 30 s of silence hold six of them.
    names = ("python-3.4.1", "python-4.1.5", "grpc-js")
    all_idle(client, {name: start_sdk(name, keepalive=5) for name in names}, 30)


@pytest.mark.long
def test_every_sdk_works_after_two_silent_minutes(client, start_sdk):
    all_idle(client, {name: start_sdk(name) for name in SDKS}, 120)
