"""KubeMQ SDKs by others on our queues: send, receive, settle, and what becomes of what is not."""

import itertools

import pytest

from harness import PATIENCE, eventually, route
from sdks import MANAGES_CHANNELS, SDKS, start_sdk  # noqa: F401

ROUTES = {"openai": route("openai:gpt-4o-mini")}

pytestmark = pytest.mark.usefixtures("cluster")
every_sdk = pytest.mark.parametrize("name", SDKS)
numbers = itertools.count(1)


@pytest.fixture
def queue():
    """A queue of the test's own."""
    return f"orders-{next(numbers)}"


def put(sdk, queue, *bodies, **policy):
    for body in bodies:
        assert sdk.call("enqueue", channel=queue, body=body, **policy)["error"] == ""


def take(sdk, queue, then="ack", seconds=int(PATIENCE), **more):
    return sdk.call("dequeue", channel=queue, then=then, seconds=seconds, **more)


@every_sdk
def test_an_sdk_takes_what_it_put_in_its_order_and_each_once(start_sdk, name, queue):
    sdk = start_sdk(name)
    put(sdk, queue, "one", "two", "three")
    taken = [take(sdk, queue) for _ in range(3)]
    assert [(row["body"], row["count"]) for row in taken] == [("one", 1), ("two", 1), ("three", 1)]
    assert "body" not in take(sdk, queue, seconds=1)


@every_sdk
def test_what_one_sdk_puts_another_takes(start_sdk, name, queue):
    here, there = start_sdk(name), start_sdk("grpc-js")
    put(here, queue, "hello")
    assert take(there, queue)["body"] == "hello"
    put(there, queue, "back", tags={"colour": "green"})
    back = take(here, queue)
    assert back["body"] == "back"
    if name != "kubemq-js-1.2.3":  # whose program tells no tags
        assert back["tags"] == {"colour": "green"}


@every_sdk
def test_a_nacked_message_comes_again_counted_and_ends_as_a_dead_letter(start_sdk, name, queue):
    sdk = start_sdk(name)
    put(sdk, queue, "bad", max=3, dead=f"{queue}-dead")
    assert [take(sdk, queue, then="nack")["count"] for _ in range(3)] == [1, 2, 3]
    dead = take(sdk, f"{queue}-dead")
    assert (dead["body"], dead["count"], dead["rerouted"]) == ("bad", 1, True)
    assert "body" not in take(sdk, queue, seconds=1)


@every_sdk
def test_a_message_is_put_into_another_queue(start_sdk, name, queue):
    sdk = start_sdk(name)
    put(sdk, queue, "later")
    assert take(sdk, queue, then="requeue", to=f"{queue}-2")["body"] == "later"
    again = take(sdk, f"{queue}-2")
    assert (again["body"], again["count"]) == ("later", 1)


@every_sdk
def test_a_delayed_message_comes_when_it_is_due(start_sdk, name, queue):
    sdk = start_sdk(name)
    put(sdk, queue, "late", delay=2)
    put(sdk, queue, "now")
    assert [take(sdk, queue)["body"] for _ in range(2)] == ["now", "late"]


@every_sdk
def test_a_peek_takes_nothing_and_a_pull_all_it_shows(start_sdk, name, queue):
    sdk = start_sdk(name)
    put(sdk, queue, "one", "two")
    assert sdk.call("peek", channel=queue, max=10)["bodies"] == ["one", "two"]
    assert sdk.call("pull", channel=queue, max=10)["bodies"] == ["one", "two"]
    assert sdk.call("pull", channel=queue, max=10)["bodies"] == []


@every_sdk
def test_what_an_sdk_waits_for_that_is_killed_comes_to_another(cluster, start_sdk, name, queue):
    dying, living = start_sdk(name), start_sdk("grpc-js")
    put(living, queue, "precious")
    # Asked for more than there is, so it waits, and has the one.
    dying.send("pull", channel=queue, max=2, seconds=int(PATIENCE))
    eventually(lambda: living.call("peek", channel=queue, max=1)["bodies"] == [], "the message to be taken")
    dying.kill()
    taken = take(living, queue)
    assert (taken["body"], taken["count"]) == ("precious", 1)


@pytest.mark.parametrize("name", MANAGES_CHANNELS)
def test_an_sdk_creates_lists_and_deletes_queues(start_sdk, name):
    sdk = start_sdk(name)
    channel = f"made-by-{name}"

    def names():
        return sdk.call("channels", verb="list", type="queues", channel=channel)["names"]

    assert names() == []
    sdk.call("channels", verb="create", type="queues", channel=channel)
    assert names() == [channel]
    put(sdk, channel, "lost with its queue")
    sdk.call("channels", verb="delete", type="queues", channel=channel)
    assert names() == []
    assert "body" not in take(sdk, channel, seconds=1)
