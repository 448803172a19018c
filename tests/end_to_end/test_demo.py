"""The first KubeMQ demo, both halves, unchanged but for the address and the group."""

import pytest

from harness import SDK, Process, eventually, route
from sdks import HERE, need_environment

ROUTES = {"openai": route("openai:gpt-4o-mini"), "claude": route("anthropic:claude-sonnet-4-5")}


@pytest.fixture
def start_demo(cluster, tmp_path):
    need_environment("kubemq-3.4.1")
    started = []

    def start(half, *arguments):
        command = [SDK / "kubemq-3.4.1/bin/python", HERE / "python" / f"demo_{half}.py", cluster.address, *arguments]
        started.append(Process(f"demo_{half}{len(started)}", command, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def test_the_demos_client_prints_our_answers(start_demo):
    client = start_demo("client")
    assert client.wait() == 0, client.tail()
    openai, claude = client.lines
    assert "Say hello to openai" in openai
    assert "Say hello to claude" in claude


def test_the_demos_server_works_alone_on_a_channel_of_its_own(cluster, client, start_demo):
    start_demo("server", "demo_requests").wait_line("^serving$")
    reply = client.query("demo_requests", "Hello")
    assert (reply.Executed, reply.Body) == (True, b"demo server heard: Hello")
    # Our client reads its plain text, which says nothing of a content type.
    answered = cluster.run("ask", "-r", "demo", "Hello")
    assert (answered.returncode, answered.stdout.strip()) == (0, "demo server heard: Hello"), answered.stderr


def test_the_demos_server_and_our_worker_both_get_work(client, start_demo):
    start_demo("server", "openai_requests", "claude_requests").wait_line("^serving$")
    for channel in ("openai_requests", "claude_requests"):
        seen = set()

        def both():
            reply = client.query(channel, "Hello")
            assert reply.Executed
            seen.add("demo" if reply.Body.startswith(b"demo server heard") else "ours")
            return len(seen) == 2

        eventually(both, f"both to answer on {channel}")
