"""`ask --file`: many questions of one command, its streams, its exit codes, and Ctrl-C."""

import json
import os
import pty
import signal
import subprocess

import pytest

from harness import BINARY, PATIENCE, Process, clean_environment, eventually, route

ROUTES = {"openai": route("openai:gpt-4o-mini"), "slow": route("openai:sim-fault-hang_before_headers")}
PROMPTS = "".join(f"question {number}\n" for number in range(1, 41))


def test_answers_come_in_the_order_of_the_lines(cluster):
    (cluster.folder / "prompts.txt").write_text(PROMPTS)
    done = cluster.run("ask", "--file", "prompts.txt", "--concurrency", "16", "--json", "-r", "openai")
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["line"] for answer in answers] == list(range(1, 41))
    assert all(f"question {answer['line']}\"" in answer["response"] for answer in answers)
    assert done.stderr.endswith("40 of 40 answered\n")


def test_standard_input_is_a_file_too_and_the_usual_route_is_found(cluster):
    done = cluster.run("ask", "--file", "-", "--quiet", stdin="one\r\n\nthree\n")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert '"one"' in first and '"three"' in second


@pytest.mark.parametrize(
    "stdin, said",
    [
        ("", "standard input: holds no prompt"),
        ("good\nb\udcffd\n", "standard input:2: is not UTF-8 at byte 2"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_before_anything_is_sent(cluster, stdin, said):
    before = cluster.simulator.counters()
    done = subprocess.run(
        [BINARY, "ask", "--address", cluster.address, "--file", "-"],
        input=stdin.encode(errors="surrogateescape"),
        capture_output=True,
        env=clean_environment(),
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert cluster.simulator.counters() == before


def test_at_a_terminal_there_is_a_bar_and_elsewhere_there_are_lines(cluster):
    (cluster.folder / "prompts.txt").write_text(PROMPTS)
    ours, theirs = pty.openpty()
    command = [BINARY, "ask", "--address", cluster.address, "-r", "openai", "--file", "prompts.txt"]
    child = subprocess.Popen(
        command, cwd=cluster.folder, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert child.wait(PATIENCE) == 0
    assert b"\r\x1b[K[" in shown and b"40/40" in shown

    lines = cluster.run(*command[1:])
    assert "20 of 40 done\n" in lines.stderr and "\x1b" not in lines.stderr


@pytest.fixture
def held(cluster, tmp_path):
    """A run whose only question is held by the provider."""
    (tmp_path / "prompts.txt").write_text("held\nnever asked\n")
    command = [BINARY, "ask", "-r", "slow", "--file", "prompts.txt", "--concurrency", "1"]
    run = Process("ask", command, tmp_path, {"LLM_ROUTER_ADDRESS": cluster.address})
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 1, "the question to reach the provider")
    yield run
    run.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_it_says_what_was_done(cluster, held, number):
    held.signal(number)
    assert held.wait() == 130
    assert "0 of 2 answered, 2 not done" in held.errors()
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 0, "the provider call to be broken off")
