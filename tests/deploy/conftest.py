"""What the tests of deploy/ share with the end-to-end tests, their harness; and what several of them start."""

import json
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "end_to_end")]

from harness import Process, Server, Simulator, eventually, run  # noqa: E402


@pytest.fixture
def started():
    """Processes to be ended with the test, however that ends."""
    made = []
    yield made
    for process in reversed(made):
        process.kill()


@pytest.fixture
def simulator(tmp_path, started):
    started.append(Simulator(tmp_path / "simulator"))
    return started[-1]


@pytest.fixture(params=["kubemq", "nats"])
def broker_url(request, tmp_path, started):
    """A message broker that is not the chart's own."""
    if request.param == "kubemq":
        config = {
            "broker": f"embedded:{tmp_path}/broker",
            "listen": {"grpc": 0, "rest": 0, "admin": 0, "http": 0},
        }
        started.append(Server("broker", tmp_path / "elsewhere", config, "--roles", "gateway"))
        return f"kubemq://{started[-1].grpc}"
    config = tmp_path / "nats.yaml"
    config.write_text("broker: nats://127.0.0.1:4222\n")
    if run("config", "check", config, folder=tmp_path).returncode != 0:
        pytest.skip("this build of llm-router has no engine nats")
    if shutil.which("nats-server") is None:
        pytest.skip("nats-server is not installed: apt-get install nats-server")
    ports = tmp_path / "nats"
    ports.mkdir()
    command = ["nats-server", "--addr", "127.0.0.1", "--port", "-1", "--jetstream", "--store_dir", ports / "data"]
    started.append(Process("nats", [*command, "--ports_file_dir", ports], ports))
    written = eventually(lambda: next(ports.glob("*.ports"), None), "the ports of nats-server")
    return json.loads(eventually(written.read_text, "the ports of nats-server"))["nats"][0]
