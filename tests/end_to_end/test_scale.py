"""Several workers on one channel of the embedded broker: how they share it, and what more of them are good for."""

import itertools
import json
import threading
import time

import pytest

import wire
from autoscaler import Autoscaler
from exported import Exported, exported
from harness import PATIENCE, SANITIZED, eventually, route

TOPOLOGIES = ("split",)
CONCURRENCY = 32
LATENCY = 200  # ms, of the provider
MODEL = f"openai:gpt-4o-sim-latency-{LATENCY}"
SLOW = f"openai:gpt-4o-sim-latency-{10 * LATENCY}"
ROUTES = {"openai": route(MODEL, concurrency=CONCURRENCY)}
QUERIES = 240 if SANITIZED else 480


class Flow:
    """As many queries at once as it is told, each followed by the next, until `end`."""

    def __init__(self, address, at_once):
        self.done = 0
        self.problem = None
        self._client = wire.Wire(address)
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._running = 0
        self._over = False
        for _ in range(at_once):
            self._ask()

    def _ask(self):
        with self._changed:
            if self._over:
                return
            self._running += 1
        asked = self._client.start("openai_requests", f"question {next(self._numbers)}.")
        asked.add_done_callback(self._answered)

    def _answered(self, asked):
        try:
            reply = asked.result()
            problem = None if reply.Executed else reply.Error
        except Exception as error:  # shown by the test
            problem = repr(error)
        with self._changed:
            self._running -= 1
            self.done += 1
            self.problem = self.problem or problem
            self._over = self._over or self.problem is not None
            self._changed.notify_all()
        self._ask()

    def await_more(self, count):
        """Returns when so many more are answered."""
        with self._changed:
            until = self.done + count
            assert self._changed.wait_for(lambda: self._over or self.done >= until, PATIENCE), self.done
        assert self.problem is None, self.problem

    def end(self):
        """How many were answered."""
        with self._changed:
            self._over = True
            assert self._changed.wait_for(lambda: self._running == 0, PATIENCE), self._running
        self._client.close()
        assert self.problem is None, self.problem
        return self.done


def answered(workers):
    """How many queries each of them has answered."""
    return [int(Exported(worker).sum("llm_router_queries_total", route="openai")) for worker in workers]


def shares(before, after):
    """Each one's part of what was answered between, as a multiple of an equal one."""
    counts = [now - then for then, now in zip(before, after)]
    return [round(count * len(counts) / sum(counts), 2) for count in counts]


def fleet(make_cluster, count, **arguments):
    """A gateway and that many workers alike."""
    cluster = make_cluster(ROUTES, **arguments)
    for _ in range(count - 1):
        cluster.start_worker()
    return cluster


def test_workers_alike_share_a_channel_equally(make_cluster):
    cluster = fleet(make_cluster, 4)
    flow = Flow(cluster.address, CONCURRENCY)
    flow.await_more(QUERIES)
    done = flow.end()
    counts = answered(cluster.workers)
    print(f"\n{done} queries, {CONCURRENCY} in flight, by four workers: {counts}")
    assert sum(counts) == done
    assert all(0.8 <= share <= 1.2 for share in shares([0] * 4, counts)), counts


def test_a_slow_worker_gets_less(make_cluster):
    cluster = fleet(make_cluster, 3)
    cluster.start_worker({"openai": route(SLOW, concurrency=CONCURRENCY)})
    flow = Flow(cluster.address, CONCURRENCY)
    flow.await_more(QUERIES)
    done = flow.end()
    *others, slow = answered(cluster.workers)
    print(f"\n{done} queries by three workers, {others}, and one whose provider takes ten times as long, {slow}")
    assert 0 < slow < min(others) / 2
    assert all(0.8 <= share <= 1.2 for share in shares([0] * 3, others)), others


def test_a_worker_that_starts_later_takes_its_share_at_once(make_cluster):
    cluster = fleet(make_cluster, 3)
    flow = Flow(cluster.address, CONCURRENCY)
    flow.await_more(2 * CONCURRENCY)
    cluster.start_worker()
    before = answered(cluster.workers)
    flow.await_more(QUERIES)
    after = answered(cluster.workers)
    flow.end()
    found = shares(before, after)
    print(f"\nshares after the fourth came, 1 is equal: {found}")
    assert all(0.8 <= share <= 1.2 for share in found)


def test_a_worker_that_is_killed_loses_no_job(make_cluster):
    lines = 600
    cluster = fleet(make_cluster, 4)
    file = cluster.folder / "lines.txt"
    file.write_text("".join(f"line {number}.\n" for number in range(lines)))
    submitted = cluster.run("batch", "submit", file, "--text", "-r", "openai")
    assert submitted.returncode == 0, submitted.stderr
    batch = submitted.stdout.strip()
    victim = cluster.workers[-1]
    running = lambda: Exported(victim).sum("llm_router_queries_in_flight", route="openai")  # noqa: E731
    eventually(running, "jobs that it has begun")
    victim.kill()

    watched = cluster.run("batch", "watch", batch, patience=4 * PATIENCE)
    assert watched.returncode == 0, watched.stderr
    rows = [json.loads(row) for row in cluster.run("batch", "results", batch).stdout.splitlines()]
    assert sorted(int(row["custom_id"].removeprefix("line-")) for row in rows) == list(range(1, lines + 1))
    assert all(row["error"] is None and row["response"]["status_code"] == 200 for row in rows)
    repeated = cluster.simulator.counters()["total"] - lines
    print(f"\n{lines} lines by four workers, one of them killed: {repeated} calls repeated")
    assert 0 <= repeated <= CONCURRENCY


@pytest.fixture
def hold(make_cluster):
    """Starts queries that the provider never answers; they end with the test."""
    asked = []

    def ask(client, count):
        asked.extend(client.start("openai_requests", "Hi", timeout=600_000) for _ in range(count))

    yield ask
    for each in asked:
        each.cancel()


STUCK = {"openai": route("openai:gpt-4o-sim-fault-hang_before_headers", concurrency=CONCURRENCY)}


@pytest.mark.parametrize("count", (1, 2, 4))
def test_the_provider_sees_as_many_calls_at_once_as_all_workers_may_make(make_cluster, hold, count):
    cluster = make_cluster(STUCK)
    for _ in range(count - 1):
        cluster.start_worker()
    client = wire.Wire(cluster.address)
    hold(client, count * CONCURRENCY + 10)
    eventually(lambda: cluster.simulator.counters()["in_flight"] == count * CONCURRENCY, "all places to be taken")
    busy = [Exported(worker).sum("llm_router_queries_in_flight", route="openai") for worker in cluster.workers]
    assert busy == [CONCURRENCY] * count
    assert cluster.simulator.counters()["peak_in_flight"] == count * CONCURRENCY


def test_more_workers_answer_more_queries(make_cluster):
    """The figures are printed; tests/bench/bench.py has them as ratios, without Python in the way."""
    cluster = make_cluster(ROUTES)
    for count in (1, 2, 4):
        while len(cluster.workers) < count:
            cluster.start_worker()
        flow = Flow(cluster.address, count * CONCURRENCY)
        flow.await_more(count * CONCURRENCY)
        began, before = time.monotonic(), answered(cluster.workers)
        flow.await_more(3 * count * CONCURRENCY)
        rate, after = 3 * count * CONCURRENCY / (time.monotonic() - began), answered(cluster.workers)
        flow.end()
        ideal = count * CONCURRENCY * 1000 / LATENCY
        print(f"\n{count} workers: {rate:.0f} queries/s, {rate / ideal:.2f} of what the provider would allow")
        assert all(0.7 <= share <= 1.3 for share in shares(before, after))


def test_the_charts_autoscaler_asks_for_workers_under_load_and_for_fewer_at_rest(make_cluster, hold):
    concurrency = 10
    cluster = make_cluster({"openai": route("openai:gpt-4o-sim-fault-hang_before_headers", concurrency=concurrency)})
    scaler = Autoscaler("openai", concurrency)
    least, most = scaler.values["minReplicas"], scaler.values["maxReplicas"]

    def wanted():
        return scaler.wanted(exported(cluster))

    def follow():
        """Starts one, if it asks for more than there are."""
        if len(cluster.workers) < wanted():
            cluster.start_worker()

    follow()
    assert len(cluster.workers) == wanted() == least == 2

    # More than two can hold: it goes on asking until there is room to spare.
    client = wire.Wire(cluster.address)
    hold(client, 24)
    seen = [len(cluster.workers)]
    for running in (20, 24):
        eventually(lambda: cluster.simulator.counters()["in_flight"] == running, f"{running} to be at the provider")
        follow()
        seen.append(len(cluster.workers))
    assert seen == [2, 3, 4]
    assert wanted() == 4

    (cluster.folder / "lines.txt").write_text("Hi\n" * 4_000)
    batch = cluster.run("batch", "submit", "lines.txt", "--text", "-r", "openai").stdout.strip()
    # What waits is 4,000 less what four workers run.
    eventually(lambda: wanted() == 8, "the backlog to ask for a worker each 500 jobs")
    print(f"\nwanted: {seen} with 24 queries in flight, {wanted():.0f} with 4,000 jobs more; at most {most:.0f}")

    assert cluster.run("batch", "cancel", batch).returncode == 0
    eventually(lambda: wanted() == 4, "the backlog to be gone")
    client.close()
    eventually(lambda: wanted() == least, "nothing to be under way")
