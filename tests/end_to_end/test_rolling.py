"""A rolling restart under load: each process is told to stop, waited for, and replaced by a new one. No query fails, no
stream is cut, no job is lost or run twice."""

import json
import threading

from harness import SANITIZED, eventually, route
from steady_load import CHAT, Balancer, Load

TOPOLOGIES = ("split", "nats")
ROUTES = {
    "gpt": route("openai:gpt-4o-mini"),
    "story": route("openai:gpt-4o-sim-tokens-40"),
    "bulk": route("anthropic:claude-sonnet-4-5", concurrency=4),
}
WORKERS = 3
# Words a second: a query takes about half a second, a stream two.
PACE = ("--token-rate", "20")
LINES = 30
CLIENTS = {"queries": 2, "streams": 2} if SANITIZED else {"queries": 4, "streams": 6}


class Batches(threading.Thread):
    """One batch after the other, until the load ends: there is always one under way."""

    def __init__(self, cluster, balancer):
        super().__init__(daemon=True)
        self._cluster, self._balancer = cluster, balancer
        self._over = threading.Event()
        self.lines = 0
        self.count = 0
        self.problem = None

    def run(self):
        try:
            while not self._over.is_set():
                self._run_one(f"batch{self.count}")
                self.count += 1
        except BaseException as problem:  # shown by the test
            self.problem = problem

    def _command(self, *arguments):
        with self._balancer.visit() as gateway:
            environment = {"LLM_ROUTER_ADDRESS": gateway.grpc}
            done = self._cluster.run("batch", *arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run_one(self, name):
        file = self._cluster.folder / f"{name}.jsonl"
        rows = []
        for number in range(LINES):
            messages = [{"role": "user", "content": f"line {number} of {name}."}]
            body = {"model": "bulk", "max_tokens": 100, "messages": messages}
            rows.append({"custom_id": f"{number}", "method": "POST", "url": CHAT, "body": body})
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        batch = self._command("submit", file).strip()

        def over():
            status = json.loads(self._command("status", batch, "--json"))
            return status["status"] not in ("validating", "in_progress", "finalizing") and status

        ended = eventually(over, f"the end of {name}")
        assert ended["request_counts"] == {"total": LINES, "completed": LINES, "failed": 0, "running": 0}, ended
        results = [json.loads(line) for line in self._command("results", batch).splitlines()]
        assert sorted(int(row["custom_id"]) for row in results) == list(range(LINES))
        for row in results:
            assert f"line {row['custom_id']} of {name}." in json.dumps(row["response"]["body"]), row
        self.lines += LINES

    def end(self):
        self._over.set()
        self.join()
        assert self.problem is None, repr(self.problem)


def replace_worker(cluster, worker):
    assert worker.stop() == 0, worker.tail()
    return cluster.start_worker()


def replace_gateway(cluster, gateway, balancer):
    """What it still does when the signal comes."""
    busy = balancer.take_out(gateway)
    assert gateway.stop() == 0, gateway.tail()
    balancer.put_in(cluster.start_second_gateway())
    return busy


def test_every_process_is_replaced_under_load_and_nothing_is_lost(make_cluster, topology):
    cluster = make_cluster(ROUTES, simulate=PACE)
    workers = [cluster.worker, *(cluster.start_worker() for _ in range(WORKERS - 1))]
    gateways = [cluster.gateway, *([cluster.start_second_gateway()] if topology == "nats" else [])]
    balancer = Balancer(*gateways)
    load = Load(balancer, "gpt", "story", **CLIENTS)
    batches = Batches(cluster, balancer)
    batches.start()
    busy = []
    load.await_more()
    for number, worker in enumerate(workers):
        replace_worker(cluster, worker)
        if topology == "nats" and number < len(gateways):
            busy.append(replace_gateway(cluster, gateways[number], balancer))
        load.await_more()
    batches.end()
    load.end()

    done = load.done()
    asked = cluster.simulator.counters()["by_path"]
    restarts = f"{len(workers)} workers" + (f" and {len(busy)} gateways (busy with {busy})" if busy else "")
    figures = ", ".join(f"{count} {kind}" for kind, count in done.items())
    print(f"\n{topology}: {restarts} replaced under {figures}, {batches.lines} lines of {batches.count} batches")
    assert asked[CHAT]["total"] == asked[CHAT]["finished"] == sum(done.values())
    assert asked["/v1/messages"]["total"] == asked["/v1/messages"]["finished"] == batches.lines
