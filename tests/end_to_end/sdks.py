"""KubeMQ SDKs by others, each a program driven by lines of JSON (sdk/README.md)."""

import itertools
import json
import queue
import subprocess

import pytest

from harness import PATIENCE, REPOSITORY, SDK, Process

HERE = REPOSITORY / "tests" / "end_to_end" / "sdk"


def _python(version):
    return f"kubemq-{version}", [SDK / f"kubemq-{version}" / "bin" / "python", HERE / "python" / "kubemq_python.py"]


# name: (environment, command)
SDKS = {
    "python-3.4.1": _python("3.4.1"),
    "python-4.1.5": _python("4.1.5"),
    "kubemq-js-1.2.3": ("node", ["node", SDK / "node" / "kubemq_js.js"]),
    "grpc-js": ("node", ["node", SDK / "node" / "grpc_js.js"]),
    "go-1.7.7": ("go", [SDK / "go" / "kubemq_go"]),
}
# kubemq-js 1.2.3 and kubemq-go v1.7.7 came before channel management.
MANAGES_CHANNELS = ("python-3.4.1", "python-4.1.5", "grpc-js")


def need_environment(name):
    missing = SDK / f"{name}.missing"
    if missing.exists():
        pytest.skip(missing.read_text())
    assert (SDK / f"{name}.stamp").exists(), f"{SDK / name} is missing: run tests/end_to_end/environments.py {SDK}"


class Sdk(Process):
    """A running SDK program. Answers, handled requests and events are told apart as they come."""

    def __init__(self, name, address, folder, client_id=None, keepalive=0, key=None):
        environment, command = SDKS[name]
        need_environment(environment)
        self._answers, self.handled, self.events, self.stored, self.troubles = (queue.Queue() for _ in range(5))
        self._ids = itertools.count(1)
        super().__init__(
            name,
            [*command, address, client_id or name, keepalive],
            folder,
            environment={
                "KUBEMQ_PROTO": str(REPOSITORY / "proto" / "kubemq.proto"),
                **({"SDK_KEY": key} if key else {}),
            },
            stdin=subprocess.PIPE,
        )
        self.wait_line('"ready"')

    def hear(self, text):
        line = json.loads(text)
        for key, inbox in (
            ("handled", self.handled),
            ("event", self.events),
            ("stored", self.stored),
            ("trouble", self.troubles),
        ):
            if key in line:
                inbox.put(line[key])
                return
        self._answers.put(line)

    def send(self, op, **fields):
        """Starts an operation; `answer()` waits for it."""
        self.stdin.write(json.dumps({"id": next(self._ids), "op": op, **fields}).encode() + b"\n")
        self.stdin.flush()

    def answer(self):
        while "ready" in (answer := self._next()):
            pass
        assert "raised" not in answer, f"{self.name}: {answer['raised']}\n{self.tail()}"
        return answer

    def _next(self):
        try:
            return self._answers.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"{self.name} did not answer\n{self.tail()}") from None

    def call(self, op, **fields):
        self.send(op, **fields)
        return self.answer()

    def query(self, channel, body, seconds=30, **tags):
        return self.call("query", channel=channel, body=body, seconds=seconds, tags=tags)

    def command(self, channel, body, seconds=30):
        return self.call("command", channel=channel, body=body, seconds=seconds)

    def serve(self, channel, kind="query", group="workers", answer=""):
        return self.call("serve", kind=kind, channel=channel, group=group, answer=answer)


@pytest.fixture
def start_sdk(cluster, tmp_path):
    """Starts SDK programs against the file's cluster; they end with the test."""
    started = []

    def start(name, **arguments):
        folder = tmp_path / str(len(started))
        arguments.setdefault("client_id", f"{name}-{len(started)}")
        started.append(Sdk(name, cluster.address, folder, **arguments))
        return started[-1]

    yield start
    for one in started:
        one.kill()
