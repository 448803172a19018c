"""A provider that answers 429 for a while: jobs wait and all of them finish, few calls are made, other routes go on."""

import json
import time

import wire
from harness import PATIENCE, eventually, route

TOPOLOGIES = ("one", "split", "nats")

LINES = 60
CONCURRENCY = 8
RETRY_AFTER = 1  # seconds
ROUTES = {
    "openai": {**route("openai:gpt-4o-mini", concurrency=CONCURRENCY), "reserve": 0},
    "claude": route("anthropic:claude-sonnet-4-5"),
}


def batch_file(folder):
    file = folder / "storm.jsonl"
    body = {"model": "openai", "messages": [{"role": "user", "content": "Hi"}]}
    rows = [
        {"custom_id": f"q-{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        for number in range(LINES)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_jobs_outlast_a_provider_that_is_busy(make_cluster):
    cluster = make_cluster(ROUTES)
    client = wire.Wire(cluster.address)
    storm = {"fault": "429", "retry_after": RETRY_AFTER, "model": "gpt-4o-mini", "times": 10**9}
    cluster.simulator.script([storm])
    began = time.monotonic()
    submitted = cluster.run("batch", "submit", batch_file(cluster.folder))
    assert submitted.returncode == 0, submitted.stderr

    def refused():
        return cluster.simulator.counters()["by_status"].get("429", 0)

    # Several waits long, and all the while the other route answers at once.
    eventually(lambda: refused() > 0, "the first refusal")
    while refused() < CONCURRENCY + 5:
        reply = client.query("claude_requests", "Hi")
        assert reply.Executed, reply.Error
        assert time.monotonic() < began + PATIENCE, f"{refused()} refusals, and no more come"
    lasted = time.monotonic() - began
    calls = refused()
    cluster.simulator.reset()

    done = cluster.run("batch", "watch", submitted.stdout.strip(), patience=4 * PATIENCE)
    assert done.returncode == 0, done.stderr
    status = json.loads(cluster.run("batch", "status", submitted.stdout.strip(), "--json").stdout)
    assert status["request_counts"] == {"total": LINES, "completed": LINES, "failed": 0, "running": 0}
    # Those that were under way when it broke out, then one probe a wait.
    probes = lasted / RETRY_AFTER + 1
    print(f"\na storm of {lasted:.1f} s: {calls} calls for {LINES} jobs")
    assert calls <= CONCURRENCY + probes
