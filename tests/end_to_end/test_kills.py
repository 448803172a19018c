"""Accepted means kept: gateway, two workers and the jobs service as four processes, killed at random under a batch,
over the embedded broker and over NATS; there each comes back in another folder, as if on another machine.

Every line of a batch and every message put straight on the queue has exactly one result at the end. Two switches
(broker_adapters/base/test_switch.h) make the program commit the mistakes that would lose something: with each of
them the same check must fail.
"""

import json
import random
import socket
import threading

import pytest

import harness
import wire

MODELS = ("openai", "claude")
CONCURRENCY = 32
REPLIES = "results"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Fleet:
    """Four processes of ours and a simulator; each can be killed and comes back at its address, and with its folder:
    over NATS only with the store, the nats-server lives on."""

    NAMES = ("gateway", "jobs", "worker1", "worker2")

    def __init__(self, folder, switch=None, on_nats=False):
        self.folder = folder
        self.nats = harness.NatsServer(folder) if on_nats else None
        self.environment = {"CANARY_KEY": harness.CANARY}
        if switch:
            self.environment["TEST_SWITCH"] = switch
        self.simulator = harness.Simulator(folder, "--latency", "20")
        self.grpc = free_port()
        self.address = f"127.0.0.1:{self.grpc}"
        self.running = {}
        self.kills = 0
        for name in self.NAMES:
            self.start(name)

    def _config(self, name):
        nats = self.nats and f"nats://{self.nats.address}"
        if name == "gateway":
            listen = {"grpc": self.grpc, "rest": 0, "admin": 0, "http": 0}
            return {"broker": nats or f"embedded:{self.folder}/data", "listen": listen}
        routes = {
            "openai": {**harness.route("openai:gpt-4o-mini", concurrency=CONCURRENCY), "runs": 20},
            "claude": {**harness.route("anthropic:claude-sonnet-4-5", concurrency=CONCURRENCY), "runs": 20},
        }
        return {
            "broker": nats or f"kubemq://{self.address}",
            "store": f"sqlite:{self.folder}/store",
            "listen": {"admin": 0},
            "providers": harness.providers(self.simulator),
            "routes": routes,
        }

    def start(self, name):
        role = name.rstrip("12")
        folder = self.folder / f"machine{self.kills}" if self.nats else self.folder
        self.running[name] = harness.Server(
            name, folder, self._config(name), "--roles", role, environment=self.environment
        )

    def kill(self, names):
        """Returns when all of them are back."""
        for name in names:
            self.running[name].kill()
            self.kills += 1
        for name in sorted(names):  # the gateway first
            self.start(name)

    def stop(self):
        for name in reversed(self.NAMES):
            self.running[name].stop()
        self.simulator.stop()
        if self.nats:
            self.nats.stop()

    def run(self, *arguments, patience=harness.PATIENCE):
        environment = {"LLM_ROUTER_ADDRESS": self.address}
        return harness.run(*arguments, folder=self.folder, environment=environment, patience=patience)

    def logs(self):
        return "".join(process.tail() for process in self.running.values())


def batch_file(folder, lines):
    file = folder / "batch.jsonl"
    with open(file, "w") as out:
        for number in range(lines):
            body = {
                "model": MODELS[number % len(MODELS)],
                "max_tokens": 32,
                "messages": [{"role": "user", "content": f"question {number:05}."}],
            }
            row = {"custom_id": f"q-{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
            out.write(json.dumps(row) + "\n")
    return file


def send_straight(client, count):
    """Messages on the route's queue as any KubeMQ client sends them, before anything is killed."""
    for number in range(count):
        result = client.stub.SendQueueMessage(
            wire.pb.QueueMessage(
                MessageID=f"m-{number}",
                ClientID="straight",
                Channel="openai_jobs",
                Body=f"straight {number:05}.".encode(),
                Tags={"reply-to": REPLIES},
            ),
            timeout=harness.PATIENCE,
        )
        assert not result.IsError, result.Error


def results_of(fleet, batch):
    """Rows of the batch's output file, by custom_id; a custom_id that comes twice fails."""
    file = fleet.folder / "results.jsonl"
    done = fleet.run("batch", "results", batch, "-o", file)
    assert done.returncode == 0, done.stderr
    rows = {}
    for line in file.read_text().splitlines():
        row = json.loads(line)
        assert row["custom_id"] not in rows, f"two results of {row['custom_id']}"
        rows[row["custom_id"]] = row
    return rows


def check_results(rows, lines):
    assert len(rows) == lines
    for number in range(lines):
        row = rows[f"q-{number}"]
        assert row["error"] is None and row["response"]["status_code"] == 200, row
        assert f"question {number:05}." in json.dumps(row["response"]["body"]), row


def receive(client):
    """What lies on the reply queue, at most a thousand."""
    ask = wire.pb.ReceiveQueueMessagesRequest(
        RequestID="r", ClientID="straight", Channel=REPLIES, MaxNumberOfMessages=1000, WaitTimeSeconds=1
    )
    return client.stub.ReceiveQueueMessages(ask, timeout=harness.PATIENCE).Messages


def take_replies(client, count):
    """Distinct jobs that got their result on the reply queue, by the prompt in it. A result may come twice, as the
    same."""
    found = {}

    def probe():
        for message in receive(client):
            text = message.Body.decode()
            assert found.setdefault(message.MessageID, text) == text
        return len(found) >= count

    harness.eventually(probe, f"{count} results on {REPLIES}, {len(found)} so far")
    return found


def status_of(fleet, batch):
    # A question that its taker took with it within 20 ms ends at its deadline alone: 120 s.
    done = fleet.run("batch", "status", batch, "--json", patience=3 * harness.PATIENCE)
    return json.loads(done.stdout) if done.returncode == 0 else None


class Killer(threading.Thread):
    """Kills one of the processes, or all, `kills` times, the second time all, spread over the first `calls` calls that
    the provider gets: so however fast the machine is, the batch is not over before."""

    def __init__(self, fleet, kills, calls, seed):
        super().__init__(daemon=True)
        self._fleet = fleet
        self._at = [calls * (number + 1) // (kills + 1) for number in range(kills)]
        self._random = random.Random(seed)
        self._over = threading.Event()
        self.problem = None

    def run(self):
        try:
            for number, calls in enumerate(self._at):
                while self._fleet.simulator.counters()["total"] < calls:
                    if self._over.wait(0.02):
                        return
                everything = number == 1 or self._random.random() < 0.15
                self._fleet.kill(Fleet.NAMES if everything else (self._random.choice(Fleet.NAMES),))
        except BaseException as problem:  # shown by the test
            self.problem = problem

    def end(self):
        self._over.set()
        self.join()
        if self.problem:
            raise self.problem


def run_under_kills(fleet, lines, straight, kills, seed):
    """The batch's rows, and the replies to the messages sent straight."""
    fleet.simulator.script([{"fault": "500", "every": 5, "times": 10**9}])
    client = wire.Wire(fleet.address, client_id="straight")
    send_straight(client, straight)
    submitted = fleet.run("batch", "submit", batch_file(fleet.folder, lines))
    assert submitted.returncode == 0, submitted.stderr
    batch = submitted.stdout.strip()
    killer = Killer(fleet, kills, lines, seed)
    killer.start()

    def over():
        assert killer.problem is None, killer.problem
        status = status_of(fleet, batch)
        return status and status["status"] in ("completed", "failed", "expired") and status

    try:
        ended = harness.eventually(over, "the end of the batch", patience=900)
    finally:
        killer.end()
    assert ended["status"] == "completed", ended
    return results_of(fleet, batch), take_replies(client, straight)


@pytest.mark.parametrize("engine", ("embedded", "nats"))
def test_what_was_accepted_has_exactly_one_result_whatever_is_killed(tmp_path, engine, request):
    if engine == "nats":
        request.getfixturevalue("nats_server")
    lines, straight, kills = (2_000, 100, 25) if engine == "embedded" else (1_000, 100, 12)
    fleet = Fleet(tmp_path, on_nats=engine == "nats")
    rows, replies = run_under_kills(fleet, lines, straight, kills, seed=1)
    check_results(rows, lines)
    assert len(replies) == straight
    answered = " ".join(replies.values())
    assert all(f"straight {number:05}." in answered for number in range(straight))
    assert fleet.kills >= kills
    counters = fleet.simulator.counters()
    faults = sum(count for fault, count in counters["by_fault"].items() if fault != "none")
    repeated = counters["total"] - faults - lines - straight
    bound = fleet.kills * 2 * len(MODELS) * CONCURRENCY
    print(
        f"\n{lines + straight} jobs, {fleet.kills} kills, {faults} provider faults, {counters['total']} provider calls: "
        f"{repeated} repeated (at most {bound})"
    )
    assert 0 <= repeated <= bound
    fleet.stop()


def jobs_op(client, **ask):
    reply = client.query("llm_jobs", json.dumps(ask), tags={"content-type": "application/json"})
    return json.loads(reply.Body) if reply.Executed else None


def submit(client, text):
    return jobs_op(client, op="submit", route="openai", body=text, tags={})["id"]


def is_idle(client):
    """No job is unfinished, and none lies on the queue."""
    info = client.stub.QueuesInfo(wire.pb.QueuesInfoRequest(QueueName="openai_jobs"), timeout=harness.PATIENCE)
    unfinished = [jobs_op(client, op="list", state=state)["jobs"] for state in ("queued", "running")]
    return not any(unfinished) and not any(queue.Waiting for queue in info.Info.Queues)


def lost_in_two_accidents(fleet):
    """What was acknowledged and is not there after the jobs service died at once, and after workers died without it."""
    client = wire.Wire(fleet.address, client_id="straight")
    job = submit(client, "kept?")
    fleet.kill(["jobs"])
    lost = [] if jobs_op(client, op="status", job=job) else [job]

    fleet.running["jobs"].kill()
    beats = client.subscribe("llm_workers")
    count = 32
    send_straight(client, count)
    for _ in range(10):  # a second each for two workers: time for a worker to take what it may take
        beats.next()
    fleet.kill(["worker1", "worker2"])
    fleet.start("jobs")
    submit(client, "there again")
    harness.eventually(lambda: is_idle(client), "the end of all jobs")
    replies = take_all(client)
    return lost + [f"m-{number}" for number in range(count) if f"straight {number:05}." not in replies]


def take_all(client):
    """The texts of all that lies on the reply queue, joined."""
    texts = []
    while got := receive(client):
        texts += [message.Body.decode() for message in got]
    return " ".join(texts)


@pytest.mark.parametrize("switch", (None, "acknowledge-first", "answer-before-commit"))
def test_an_accident_loses_something_only_where_it_was_answered_too_early(tmp_path, switch):
    fleet = Fleet(tmp_path, switch)
    lost = lost_in_two_accidents(fleet)
    if switch is None:
        assert lost == []
    else:
        assert lost, f"with {switch} nothing was lost: the check could not fail"
    fleet.stop()
