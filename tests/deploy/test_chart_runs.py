"""What the chart renders, run as processes: command lines, environment, files, Secrets, probes, autoscaling figures."""

import signal
import socket

import pytest

from certificates import Certificates
from chart import RELEASE, Manifests
from harness import BINARY, CANARY, Process, Server, eventually, run
from pods import Pod, evaluate, wanted_workers


def at(simulator, *names, **settings):
    """Values with the profile's providers at the simulator, and settings of the route openai."""
    providers = {name: {"base_url": f"{simulator.url}/v1"} for name in names or ("openai", "anthropic")}
    return {"config": {"providers": providers, "routes": {"openai": settings} if settings else {}}}


def new_key(folder, access):
    made = run("keys", "new", "--tenant", "acme", "--access", access, folder=folder)
    key, entry = made.stdout.split("\n")[:2]
    return key, entry


class Release:
    """A profile of the chart, installed on this machine: its Secrets made, its pods started one by one."""

    def __init__(self, folder, started, profile, values, hosts=None, ca=None, secrets=None):
        self.folder, self._started, self.hosts, self._ca = folder, started, dict(hosts or {}), ca
        keys = {access: new_key(folder, access) for access in ("caller", "worker", "admin")}
        self.caller, self.admin = keys["caller"][0], keys["admin"][0]
        self.secrets = {
            "llm-router-keys": {"keys.yaml": "".join(f"- {entry}\n" for _, entry in keys.values())},
            "llm-router-worker": {"key": keys["worker"][0]},
            "llm-router-monitor": {"key": self.admin},
            "llm-router-providers": {"OPENAI_API_KEY": CANARY, "ANTHROPIC_API_KEY": CANARY},
            **(secrets or {}),
        }
        self.manifests = Manifests(profile, values=values, folder=folder)

    def start(self, component, number=0):
        name = f"{component}-{number}"
        pod = Pod(name, self.folder, self.manifests, component, self.secrets, self.hosts, self._ca)
        self._started.append(pod)
        if component == "gateway":
            self.hosts.setdefault(f"{RELEASE}:50000", pod.doors["grpc"])
        return pod

    def ask(self, gateway, *words):
        command = ["ask", "--address", gateway.doors["grpc"], *words]
        if self._ca:
            command += ["--ca", self._ca]
        return run(*command, folder=self.folder, environment={"LLM_ROUTER_KEY": self.caller})

    def start_ask(self, gateway, name):
        command = [BINARY, "ask", "--address", gateway.doors["grpc"], "-r", "openai", "Hello"]
        self._started.append(Process(name, command, self.folder / "ask", {"LLM_ROUTER_KEY": self.caller}))
        return self._started[-1]

    def submit(self, gateway, text):
        command = ["job", "submit", "--address", gateway.doors["grpc"], "-r", "openai", text]
        done = run(*command, folder=self.folder, environment={"LLM_ROUTER_KEY": self.caller})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def wait(self, gateway, job):
        command = ["job", "wait", "--address", gateway.doors["grpc"], job]
        return run(*command, folder=self.folder, environment={"LLM_ROUTER_KEY": self.caller})


def answered(done):
    assert done.returncode == 0, done.stderr
    return "Hello" in done.stdout


# ---- the embedded broker ----


def test_the_embedded_profile_answers_queries_and_jobs_through_workers_beside_it(tmp_path, started, simulator):
    release = Release(tmp_path, started, "embedded", at(simulator))
    gateway = release.start("gateway")
    workers = [release.start("worker", number) for number in range(2)]
    assert answered(release.ask(gateway, "-r", "openai", "Hello"))
    assert answered(release.ask(gateway, "-r", "claude", "Hello"))
    assert answered(release.wait(gateway, release.submit(gateway, "Hello")))
    assert release.ask(gateway, "--key", "llmr_wrong", "Hello").returncode == 1
    for pod in (gateway, *workers):
        assert pod.written() == []
        assert CANARY not in pod.errors()
    # Providers' keys are for workers alone.
    with open(f"/proc/{gateway.pid}/environ") as environment:
        assert CANARY not in environment.read()
    assert [pod.stop() for pod in (*workers, gateway)] == [0, 0, 0]


def test_a_gateway_that_starts_again_has_its_volume_and_its_jobs(tmp_path, started, simulator):
    release = Release(tmp_path, started, "embedded", at(simulator))
    gateway = release.start("gateway")
    job = release.submit(gateway, "Hello")
    gateway.kill()
    del release.hosts[f"{RELEASE}:50000"]
    gateway = release.start("gateway")
    release.start("worker")
    assert answered(release.wait(gateway, job))


def test_a_worker_may_start_before_its_gateway(tmp_path, started, simulator):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    hosts = {f"{RELEASE}:50000": f"127.0.0.1:{port}"}
    local = {"base_url": f"{simulator.url}/vllm/v1"}
    release = Release(tmp_path, started, "open", {"config": {"providers": {"local": local}}}, hosts)
    worker = release.start("worker")
    config = {"broker": f"embedded:{tmp_path}/data", "listen": {"grpc": port, "rest": 0, "admin": 0, "http": 0}}
    gateway = Server("late", tmp_path, config, "--roles", "gateway,jobs")
    started.append(gateway)
    asked = ("ask", "--address", gateway.grpc, "-r", "local", "Hello")
    assert eventually(lambda: run(*asked, folder=tmp_path).returncode == 0, "the worker's arrival")
    assert worker.stop() == 0 and gateway.stop() == 0


def test_the_tls_profile_speaks_tls_at_every_port_and_its_probes_too(tmp_path, started, simulator):
    certificates = Certificates(tmp_path / "certificates")
    files = certificates.issue("llm-router")
    secret = {
        "tls.crt": open(files["cert"]).read(),
        "tls.key": open(files["cert_key"]).read(),
        "ca.crt": certificates.ca.read_text(),
    }
    secrets = {"llm-router-tls": secret}
    release = Release(tmp_path, started, "tls", at(simulator, "openai"), ca=str(certificates.ca), secrets=secrets)
    gateway = release.start("gateway")
    worker = release.start("worker")
    assert answered(release.ask(gateway, "-r", "openai", "Hello"))
    assert "llm_router_queries_total" in worker.metrics(release.admin)
    assert worker.stop() == 0 and gateway.stop() == 0


# ---- a broker elsewhere ----


def test_gateways_workers_and_a_jobs_service_meet_on_a_broker_elsewhere(tmp_path, started, simulator, broker_url):
    release = Release(tmp_path, started, "nats", {**at(simulator), "broker": {"url": broker_url}})
    jobs = release.start("jobs")
    worker = release.start("worker")
    gateways = [release.start("gateway", number) for number in range(2)]
    for gateway in gateways:
        assert eventually(lambda g=gateway: release.ask(g, "-r", "claude", "Hello").returncode == 0, "an answer")
        assert answered(release.wait(gateway, release.submit(gateway, "Hello")))
    assert [pod.stop() for pod in (*gateways, worker, jobs)] == [0, 0, 0, 0]


def test_a_second_jobs_service_refuses_to_start(tmp_path, started, simulator, broker_url):
    release = Release(tmp_path, started, "nats", {**at(simulator), "broker": {"url": broker_url}})
    release.start("jobs")
    with pytest.raises(AssertionError, match="ended before it printed"):
        release.start("jobs", 1)


# ---- stopping and scaling ----


def test_a_pod_that_is_told_to_stop_is_not_ready_any_more_and_finishes_its_query(tmp_path, started, simulator):
    slow = at(simulator, targets=[{"provider": "openai", "model": "gpt-4o-sim-latency-3000"}])
    release = Release(tmp_path, started, "embedded", slow)
    gateway = release.start("gateway")
    worker = release.start("worker")
    asked = release.start_ask(gateway, "ask")
    eventually(lambda: simulator.requests(), "the provider call")
    worker.signal(signal.SIGTERM)
    eventually(lambda: not worker.probe("readiness"), "the readiness probe to fail")
    assert worker.probe("liveness")
    assert asked.wait() == 0
    assert worker.wait() == 0 and gateway.stop() == 0


def test_a_pod_waits_no_longer_than_it_was_told(tmp_path, started, simulator):
    hanging = at(simulator, targets=[{"provider": "openai", "model": "gpt-4o-sim-fault-hang_before_headers"}])
    release = Release(tmp_path, started, "embedded", {**hanging, "longestQuery": 1})
    gateway = release.start("gateway")
    worker = release.start("worker")
    asked = release.start_ask(gateway, "ask")
    eventually(lambda: simulator.requests(), "the provider call")
    assert worker.stop() == 0
    assert asked.wait() == 1
    assert gateway.stop() == 0


def test_the_exported_metrics_drive_the_autoscaler(tmp_path, started, simulator):
    hanging = [{"provider": "openai", "model": "gpt-4o-sim-fault-hang_before_headers"}]
    values = at(simulator, targets=hanging, concurrency=8, reserve=4)
    scaling = {"enabled": True, "inFlightShare": 0.5, "backlogPerWorker": 6, "minReplicas": 1, "maxReplicas": 6}
    release = Release(tmp_path, started, "embedded", {**values, "autoscaling": scaling})
    gateway = release.start("gateway")
    pods = [gateway, *(release.start("worker", number) for number in range(2))]
    scaler = release.manifests.one("ScaledObject", "llm-router-worker")["spec"]
    queries = {trigger["name"]: trigger["metadata"]["query"] for trigger in scaler["triggers"]}

    def figure(name):
        return evaluate(queries[name], release.manifests, pods, release.admin)

    def wanted():
        return wanted_workers(scaler, release.manifests, pods, release.admin)

    assert wanted() == 1
    # The two workers take 4 jobs each; 17 more wait.
    lines = tmp_path / "lines.txt"
    lines.write_text("Hello\n" * 25)
    submit = ("batch", "submit", lines, "--text", "-r", "openai", "--address", gateway.doors["grpc"])
    done = run(*submit, folder=tmp_path, environment={"LLM_ROUTER_KEY": release.caller})
    assert done.returncode == 0, done.stderr
    eventually(lambda: figure("openai-in-flight") == 8, "8 jobs at work")
    eventually(lambda: figure("openai-backlog") == 17, "17 jobs that wait")
    assert wanted() == 3  # 17 / 6 by what waits, 8 / (8 x 0.5) = 2 by what runs
    for number in range(8):
        release.start_ask(gateway, f"ask{number}")
    eventually(lambda: figure("openai-in-flight") == 16, "8 queries beside them")
    assert wanted() == 4  # by what runs
