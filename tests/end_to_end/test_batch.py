"""Jobs and batches by the command line: a mixed file, progress, results, bad lines, cancel, and README's commands."""

import json
import os
import pty
import re
import signal
import subprocess

import pytest

from harness import BINARY, BUILD, PATIENCE, REPOSITORY, Process, clean_environment, eventually, route

TOPOLOGIES = ("one", "split", "nats")

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "refused": route("openai:sim-fault-400"),
    "slow": route("openai:sim-fault-hang_before_headers", concurrency=4),
}
MODELS = ("openai", "claude", "openai/gpt-4o-mini", "claude-sonnet-4-5")


def line(number, model):
    body = {"model": model, "messages": [{"role": "user", "content": f"question {number}"}]}
    return json.dumps({"custom_id": f"q-{number}", "method": "POST", "url": "/v1/chat/completions", "body": body})


def write(cluster, name, lines):
    (cluster.folder / name).write_text("".join(f"{each}\n" for each in lines))
    return name


def rows(cluster, name):
    return [json.loads(each) for each in (cluster.folder / name).read_text().splitlines()]


def test_a_batch_of_many_models_is_watched_and_its_results_are_read(cluster):
    file = write(cluster, "mixed.jsonl", [line(number, MODELS[number % 4]) for number in range(1, 201)])
    done = cluster.run("batch", "submit", file, "--watch", patience=4 * PATIENCE)
    assert done.returncode == 0, done.stderr
    batch = done.stdout.strip()
    assert f"{batch} completed: 200 of 200 done" in done.stderr
    assert "\x1b" not in done.stderr

    assert cluster.run("batch", "results", batch, "-o", "out.jsonl").returncode == 0
    found = rows(cluster, "out.jsonl")
    assert sorted(row["custom_id"] for row in found) == sorted(f"q-{number}" for number in range(1, 201))
    for row in found:
        assert (row["error"], row["response"]["status_code"]) == (None, 200)
        content = row["response"]["body"]["choices"][0]["message"]["content"]
        assert f"question {row['custom_id'].removeprefix('q-')}\"" in content

    status = json.loads(cluster.run("batch", "status", batch, "--json").stdout)
    assert status["request_counts"] == {"total": 200, "completed": 200, "failed": 0, "running": 0}
    listed = json.loads(cluster.run("batch", "list", "--json").stdout)
    assert batch in [each["id"] for each in listed]


def test_prompts_are_a_batch_too(cluster):
    write(cluster, "prompts.txt", ["one", "", "three"])
    done = cluster.run("batch", "submit", "prompts.txt", "--text", "-r", "openai", "--watch", "--json")
    assert done.returncode == 0, done.stderr
    batch = json.loads(done.stdout)
    assert batch["request_counts"]["completed"] == 2
    results = cluster.run("batch", "results", batch["id"]).stdout.splitlines()
    assert sorted(json.loads(each)["custom_id"] for each in results) == ["line-1", "line-3"]


def test_every_bad_line_is_named_and_nothing_runs(cluster):
    before = cluster.simulator.counters()
    bad = [line(1, "openai"), "nonsense", line(1, "openai"), line(4, "no-such-model"), line(5, "claude")]
    done = cluster.run("batch", "submit", write(cluster, "bad.jsonl", bad))
    assert (done.returncode, done.stdout) == (2, "")
    assert [int(number) for number in re.findall(r"^bad\.jsonl:(\d+): ", done.stderr, re.M)] == [2, 3, 4]
    assert "3 of 5 lines can't be used" in done.stderr
    assert cluster.simulator.counters() == before


def test_lines_that_fail_have_rows_of_their_own(cluster):
    lines = [line(1, "openai"), line(2, "refused")]
    done = cluster.run("batch", "submit", write(cluster, "fails.jsonl", lines), "--watch")
    assert done.returncode == 1, done.stderr
    batch = done.stdout.strip()
    apart = cluster.run("batch", "results", batch, "-o", "good.jsonl", "--errors", "failed.jsonl")
    assert apart.returncode == 0, apart.stderr
    assert [row["custom_id"] for row in rows(cluster, "good.jsonl")] == ["q-1"]
    assert [row["custom_id"] for row in rows(cluster, "failed.jsonl")] == ["q-2"]


@pytest.fixture
def held(cluster):
    """A batch whose lines the provider holds."""
    file = write(cluster, "held.jsonl", [line(number, "slow") for number in range(1, 21)])
    batch = cluster.run("batch", "submit", file, "--concurrency", "3").stdout.strip()
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 3, "three lines to be at the provider")
    yield batch
    cluster.run("batch", "cancel", batch)


def test_cancel_stops_what_is_queued_and_what_runs(cluster, held):
    done = cluster.run("batch", "cancel", held)
    assert done.returncode == 0, done.stderr
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 0, "the provider calls to be broken off")
    watched = cluster.run("batch", "watch", held)
    assert watched.returncode == 1
    assert f"{held} cancelled: 20 of 20 done, 20 failed" in watched.stderr


def test_a_watch_that_is_interrupted_leaves_the_batch_alone(cluster, held, tmp_path):
    watch = Process("watch", [BINARY, "batch", "watch", held], tmp_path, {"LLM_ROUTER_ADDRESS": cluster.address})
    eventually(lambda: watch.alive(), "the watch to run")
    watch.signal(signal.SIGINT)
    assert watch.wait() in (130, -signal.SIGINT)
    status = json.loads(cluster.run("batch", "status", held, "--json").stdout)
    assert status["status"] == "in_progress"


def test_at_a_terminal_there_is_a_bar(cluster):
    write(cluster, "bar.jsonl", [line(number, "openai") for number in range(1, 41)])
    ours, theirs = pty.openpty()
    command = [BINARY, "batch", "submit", "bar.jsonl", "--watch", "--address", cluster.address]
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


def test_a_job_is_submitted_shown_and_listed(cluster):
    job = cluster.run("job", "submit", "-r", "openai", "Hello").stdout.strip()
    answer = cluster.run("job", "wait", job, "--json")
    assert answer.returncode == 0, answer.stderr
    assert 'Hello"' in json.loads(answer.stdout)["response"]
    shown = json.loads(cluster.run("job", "show", job, "--json").stdout)
    assert (shown["state"], shown["runs"]) == ("completed", 1)
    listed = json.loads(cluster.run("job", "list", "--state", "completed", "--json").stdout)
    assert job in [each["id"] for each in listed]
    assert cluster.run("job", "retry", job).returncode == 1


def test_readmes_commands_work_as_written(cluster, tmp_path):
    readme = (REPOSITORY / "README.md").read_text()
    block = next(each for each in re.findall(r"^```sh\n(.*?)^```$", readme, re.S | re.M) if "questions.jsonl" in each)
    environment = clean_environment({"LLM_ROUTER_ADDRESS": cluster.address, "PATH": f"{BUILD}:{os.environ['PATH']}"})
    done = subprocess.run(
        ["sh", "-e", "-c", block], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=4 * PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "durable queue" in done.stdout
    found = [json.loads(each) for each in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert sorted(row["custom_id"] for row in found) == ["q1", "q2"]
