"""Real processes of ours for the end-to-end tests: started by the binary, stopped by pid, waited for by their words.

A Process lives in a folder of its own, without our settings in its environment. Nothing here sleeps to wait for
another process: a ready line is read from its pipe, and what can only be asked for is asked again until a deadline.
Deadlines are generous (sanitizer builds are slow) and only bound a failure.
"""

import atexit
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LLM_ROUTER_BUILD", REPOSITORY / "build" / "dev")).resolve()
SDK = Path(os.environ.get("LLM_ROUTER_SDK", REPOSITORY / "build" / "sdk")).resolve()
BINARY = BUILD / "llm-router"
SANITIZED = os.environ.get("LLM_ROUTER_SANITIZED", "") != ""

# How long anything may take that should take a moment.
PATIENCE = 60.0

# What a program of ours must not find by chance.
OURS = re.compile(r"^(LLM_ROUTER_.*|OPENAI_API_KEY|ANTHROPIC_API_KEY|KUBEMQ_.*|https?_proxy|HTTPS?_PROXY)$")


def clean_environment(extra=None):
    environment = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    environment["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
    suppressions = REPOSITORY / "tests" / "support" / "lsan_suppressions.txt"
    environment["LSAN_OPTIONS"] = f"suppressions={suppressions}:print_suppressions=0"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=99"
    environment.update(extra or {})
    return environment


def eventually(probe, what, patience=PATIENCE):
    """Asks `probe` until it answers something true, and returns that."""
    deadline = time.monotonic() + patience
    tick = threading.Event()
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain for {what}"
        tick.wait(0.02)


def get(url, timeout=PATIENCE):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


def post(url, document):
    request = urllib.request.Request(url, data=json.dumps(document).encode(), method="POST")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.read().decode()


class Process:
    """One child process. Its stdout is read line by line, its stderr goes to a file in its folder."""

    started = []

    def __init__(self, name, command, folder, environment=None, stdin=None):
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{name}.log"
        self.lines = []
        self._news = queue.Queue()
        with open(self.log, "ab") as log:
            self._popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env=clean_environment(environment),
                stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        Process.started.append(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._popen.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            self.lines.append(text)
            self.hear(text)
            self._news.put(text)
        self._news.put(None)

    def hear(self, text):
        """Each line of stdout, as it comes, on the reader's thread."""

    @property
    def pid(self):
        return self._popen.pid

    @property
    def stdin(self):
        return self._popen.stdin

    def wait_line(self, pattern, patience=PATIENCE):
        """The match of the next line of stdout that holds `pattern`; lines before it are passed over."""
        deadline = time.monotonic() + patience
        while True:
            try:
                line = self._news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"{self.name} did not print {pattern!r} in {patience:.0f} s\n{self.tail()}"
                ) from None
            if line is None:
                self._news.put(None)
                raise AssertionError(f"{self.name} ended before it printed {pattern!r}\n{self.tail()}")
            if match := re.search(pattern, line):
                return match

    def tail(self, size=4000):
        return f"--- {self.log.name}:\n{self.errors()[-size:]}"

    def errors(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        return self._popen.poll() is None

    def wait(self, patience=PATIENCE):
        try:
            return self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {patience:.0f} s\n{self.tail()}") from None

    def signal(self, number):
        if self.alive():
            self._popen.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def stop(self):
        """SIGTERM, and the exit code it leads to."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait()
        finally:
            self.kill()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Simulator(Process):
    """`llm-router simulate` on a free port: the providers of every topology."""

    def __init__(self, folder, *options):
        super().__init__("simulator", [BINARY, "simulate", "--port", "0", *options], folder)
        self.address = self.wait_line(r"^llm-router simulate ready http=(\S+)$").group(1)
        self.url = f"http://{self.address}"

    def counters(self):
        return json.loads(get(f"{self.url}/simulate/counters"))

    def requests(self):
        """The last requests, oldest first; `json` is the body, read."""
        found = json.loads(get(f"{self.url}/simulate/requests"))["requests"]
        return [{**request, "json": json.loads(request["body"] or "null")} for request in found]

    def last(self):
        return self.requests()[-1]["json"]

    def script(self, document):
        return post(f"{self.url}/simulate/script", document)

    def reset(self):
        return post(f"{self.url}/simulate/reset", {})

    def allow(self, gate, frames):
        """Lets the first `frames` pieces of every stream at that gate go, in all."""
        return post(f"{self.url}/simulate/gate", {"name": gate, "frames": frames})

    def gate_sent(self, gate):
        """How many have gone."""
        return json.loads(get(f"{self.url}/simulate/gate"))["gates"].get(gate, {"sent": 0})["sent"]

    def asked(self, model):
        """The requests for that model among the last, oldest first."""
        return [request for request in self.requests() if request["model"] == model]


READY = re.compile(r"^llm-router ready(?P<doors>( \w+=\S+)*)$")


class Server(Process):
    """`llm-router serve` with a configuration, ready when its constructor returns."""

    def __init__(self, name, folder, config, *options, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / f"{name}.yaml"
        self.config.write_text(json.dumps(config, indent=1))  # JSON is YAML
        super().__init__(name, [BINARY, "serve", "-c", self.config, *options], folder, environment)
        match = self.wait_line(READY)
        self.doors = dict(door.split("=", 1) for door in match["doors"].split())

    @property
    def grpc(self):
        return self.doors["grpc"]

    def admin(self, path):
        return get(f"http://{self.doors['admin']}{path}")


def route(*targets, concurrency=256):
    """A route of the configuration from its targets, each "provider:model"."""
    rows = [dict(zip(("provider", "model"), target.split(":", 1))) for target in targets]
    return {"targets": rows, "concurrency": concurrency}


# Keys of the providers in the tests: a test greps every log for them.
CANARY = "sk-canary-5f1d0c9e"

# What a query to the provider without a key is told.
NO_KEY = "provider keyless has no key: set A_KEY_NOBODY_SET in the environment or in .env, or start with --simulate"


def providers(simulator):
    return {
        "openai": {"type": "openai", "base_url": f"{simulator.url}/v1", "key": "${CANARY_KEY}"},
        "anthropic": {"type": "anthropic", "base_url": f"{simulator.url}/v1", "key": "${CANARY_KEY}"},
        "lab": {"type": "openai_compatible", "base_url": f"{simulator.url}/v1"},
        "keyless": {"type": "openai", "key": "${A_KEY_NOBODY_SET}"},
    }


@atexit.register
def end_what_failed_tests_left():
    for process in Process.started:
        if process.alive():
            process.kill()


class NatsServer(Process):
    """A nats-server with JetStream, on ports and in a folder that it keeps when it starts again."""

    PROGRAM = Path("/usr/sbin/nats-server")

    def __init__(self, folder, name="nats", port=-1, more=""):
        self._folder = folder
        self._server = name
        self._more = more
        self.home = folder / name
        self.home.mkdir(parents=True)
        self._start(port)

    def start_again(self):
        self._start(int(self.address.rsplit(":", 1)[1]))

    def _start(self, port):
        for old in self.home.glob("*.ports"):
            old.unlink()
        settings = self.home / "server.conf"
        settings.write_text(
            f'server_name: {self._server}\nlisten: "127.0.0.1:{port}"\nhttp: "127.0.0.1:-1"\n'
            f'ports_file_dir: "{self.home}"\njetstream {{ store_dir: "{self.home}/store" }}\n{self._more}\n'
        )
        super().__init__(self._server, [self.PROGRAM, "-c", settings], self._folder)
        ports = eventually(self._ports, "nats-server to listen")
        self.address = ports["nats"][0].removeprefix("nats://")
        self.monitoring = ports["monitoring"][0]

    def figures(self, path):
        """What its own monitoring says there."""
        return json.loads(get(f"{self.monitoring}{path}"))

    def stop(self):
        """By SIGINT: to nats-server SIGTERM is a failure."""
        self.signal(signal.SIGINT)
        return super().wait()

    def _ports(self):
        for file in self.home.glob("*.ports"):
            text = file.read_text()
            if text.endswith("}"):
                return json.loads(text)
        return None


class Cluster:
    """A whole llm-router: a simulator, and either one process with every role, or a gateway that keeps the jobs and a
    worker, joined by gRPC, or gateway, worker and jobs service in processes of their own, joined by NATS, or one
    process with every role at NATS.

    `topology` is `one`, `split`, `nats` or `nats_one`. `broker`: NATS servers that are there already. Stopping it
    asserts that every process ended well.
    """

    def __init__(
        self,
        topology,
        folder,
        routes,
        extra=None,
        more_providers=None,
        environment=None,
        simulate=(),
        serve=(),
        broker=None,
    ):
        self.topology = topology
        self.on_nats = topology in ("nats", "nats_one")
        self.alone = topology in ("one", "nats_one")
        self.folder = folder
        self._environment = {"CANARY_KEY": CANARY, **(environment or {})}
        self._extra = extra or {}
        self._options = list(serve)
        self.simulator = Simulator(folder, *simulate)
        self.processes = [self.simulator]
        self.routes = routes
        self._providers = {**providers(self.simulator), **(more_providers or {})}
        self.workers = []
        self.broker = broker
        if self.on_nats and not broker:
            self.nats = NatsServer(folder)
            self.processes.append(self.nats)
            self.broker = f"nats://{self.nats.address}"
        self.start_gateway()
        if topology == "nats":
            self.start_jobs()
        if not self.alone:
            self.start_worker()

    def start_gateway(self, port=0):
        listen = {"host": "127.0.0.1", "grpc": port, "rest": 0, "admin": 0, "http": 0}
        if not self.on_nats:
            self.broker = f"embedded:{self.folder}/data"
        config = {"broker": self.broker, "listen": listen, **self._extra}
        roles = {"split": "gateway,jobs", "nats": "gateway"}.get(self.topology, "gateway,worker,jobs")
        if self.alone:
            config.update(store=f"sqlite:{self.folder}/data", providers=self._providers, routes=self.routes)
        self.gateway = self._start(f"gateway{len(self.processes)}", config, "--roles", roles)
        if self.alone:
            self.workers = [self.gateway]

    def restart_broker(self, end):
        """Ends what keeps the messages by its method `end`, and starts it again at the same address."""
        if self.on_nats:
            getattr(self.nats, end)()
            self.nats.start_again()
        else:
            port = int(self.address.rsplit(":", 1)[1])
            getattr(self.gateway, end)()
            self.start_gateway(port)

    def _joined(self):
        """The broker of a process more."""
        return self.broker if self.on_nats else f"kubemq://{self.gateway.grpc}"

    def start_jobs(self):
        config = {"broker": self.broker, "store": f"sqlite:{self.folder}/data", "listen": {"admin": 0}, **self._extra}
        self.jobs = self._start(f"jobs{len(self.processes)}", config, "--roles", "jobs")

    def start_worker(self, routes=None, *options):
        """One more worker process, whatever the topology; on return its subscriptions are in force."""
        config = {
            "broker": self._joined(),
            "listen": {"admin": 0},
            "providers": self._providers,
            "routes": routes or self.routes,
            **self._extra,
        }
        worker = self._start(f"worker{len(self.processes)}", config, "--roles", "worker", *options)
        self.workers.append(worker)
        return worker

    def start_second_gateway(self):
        """A gateway process more, at doors of its own, on the same broker."""
        listen = {"host": "127.0.0.1", "grpc": 0, "rest": 0, "admin": 0, "http": 0}
        config = {"broker": self._joined(), "listen": listen, **self._extra}
        return self._start(f"gateway{len(self.processes)}", config, "--roles", "gateway")

    def _start(self, name, config, *options):
        server = Server(name, self.folder, config, *options, *self._options, environment=self._environment)
        self.processes.append(server)
        return server

    @property
    def address(self):
        return self.gateway.grpc

    @property
    def http(self):
        """The base URL of the doors for OpenAI's and Anthropic's SDKs."""
        return f"http://{self.gateway.doors['http']}"

    @property
    def worker(self):
        return self.workers[0]

    def run(self, *arguments, stdin="", environment=None, patience=PATIENCE):
        """A command line of ours against this cluster: a CompletedProcess."""
        extra = {"LLM_ROUTER_ADDRESS": self.address, **(environment or {})}
        return run(*arguments, folder=self.folder, stdin=stdin, environment=extra, patience=patience)

    def logs(self):
        return "".join(process.errors() for process in self.processes)

    def stop(self):
        codes = {process.name: process.stop() for process in reversed(self.processes) if process.alive()}
        bad = {name: code for name, code in codes.items() if code != 0}
        tails = "".join(process.tail() for process in self.processes if process.name in bad)
        assert not bad, f"exit codes {bad}\n{tails}"


def run(*arguments, folder, stdin="", environment=None, patience=PATIENCE):
    return subprocess.run(
        [str(BINARY), *[str(argument) for argument in arguments]],
        cwd=folder,
        env=clean_environment(environment),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=patience,
    )
