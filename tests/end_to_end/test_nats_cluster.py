"""Three nats-servers with a replica of every queue on each: their leader is killed, and comes back, under load.

No job that was acknowledged is lost, each has exactly one result, and a query that fails is answered when it is asked
once more.
"""

import threading

import grpc
import pytest

import harness
import wire
from nats_cluster import NatsCluster
from test_kills import batch_file, check_results, results_of, send_straight, status_of, take_replies

LINES = 600
STRAIGHT = 50
CALLERS = 4
KILLS = 2
CONCURRENCY = 16
PACE = 50  # ms that the provider takes
STREAM = "llm-router-queue-openai_jobs"
ROUTES = {
    "openai": {**harness.route("openai:gpt-4o-mini", concurrency=CONCURRENCY), "runs": 20},
    "claude": {**harness.route("anthropic:claude-sonnet-4-5", concurrency=CONCURRENCY), "runs": 20},
    "chat": harness.route("openai:gpt-4o"),
}
SOON = 5_000  # ms that a query may take the first time
LATE = 30_000


class Load:
    """Callers who ask one query after the other, and a failed one once more."""

    def __init__(self, address):
        self.asked = 0
        self.again = []  # what the first tries said that failed
        self.failed = []  # what the second ones said
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(address, n), daemon=True) for n in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _run(self, address, caller):
        client = wire.Wire(address, client_id=f"caller-{caller}")
        number = 0
        while not self._over.is_set():
            number += 1
            text = f"caller {caller} number {number}."
            first = self._ask(client, text, SOON)
            second = self._ask(client, text, LATE) if first else None
            with self._lock:
                self.asked += 1
                self.again += [first] if first else []
                self.failed += [second] if second else []
        client.close()

    @staticmethod
    def _ask(client, text, timeout):
        """What went wrong, if anything did."""
        try:
            reply = client.query("chat_requests", text, timeout=timeout)
        except grpc.RpcError as error:
            return error.details()
        if not reply.Executed:
            return reply.Error
        return None if text in reply.Body.decode() else f"an answer to something else: {reply.Body}"

    def end(self):
        self._over.set()
        for thread in self._threads:
            thread.join()


def completed(cluster, batch):
    status = status_of(cluster, batch)
    return status["request_counts"]["completed"] if status else 0


def test_the_leader_is_killed_and_comes_back_under_a_batch_and_interactive_load(tmp_path, nats_server):
    servers = NatsCluster(tmp_path)
    cluster = harness.Cluster("nats", tmp_path, ROUTES, broker=servers.broker, simulate=("--latency", PACE))
    cluster.start_worker()
    client = wire.Wire(cluster.address, client_id="straight")
    send_straight(client, STRAIGHT)
    submitted = cluster.run("batch", "submit", batch_file(cluster.folder, LINES))
    assert submitted.returncode == 0, submitted.stderr
    batch = submitted.stdout.strip()
    load = Load(cluster.address)
    for kill in range(1, KILLS + 1):
        so_far = LINES * kill // (KILLS + 2)
        harness.eventually(lambda: completed(cluster, batch) >= so_far, f"{so_far} lines", 4 * harness.PATIENCE)
        leader = harness.eventually(lambda: servers.leader(STREAM), "the stream's leader")
        leader.kill()
        harness.eventually(lambda: servers.leader(STREAM), "another leader")
        asked = load.asked
        harness.eventually(lambda: load.asked > asked + 2 * CALLERS, "queries to be answered with two servers")
        leader.start_again()
        servers.whole()
    done = cluster.run("batch", "watch", batch, patience=6 * harness.PATIENCE)
    load.end()
    assert done.returncode == 0, done.stderr
    print(f"\n{load.asked} queries, {len(load.again)} of them asked again: {sorted(set(load.again))}")
    assert load.failed == []
    check_results(results_of(cluster, batch), LINES)
    replies = take_replies(client, STRAIGHT)
    answered = " ".join(replies.values())
    assert len(replies) == STRAIGHT
    assert all(f"straight {number:05}." in answered for number in range(STRAIGHT))
    client.close()
    cluster.stop()
    servers.stop()
