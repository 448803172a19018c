"""What the tests of deploy/ share with the end-to-end tests, their harness; and what several of them start."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "end_to_end")]

from harness import NatsServer, Server, Simulator  # noqa: E402


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
    nats = NatsServer(tmp_path)
    started.append(nats)
    return f"nats://{nats.address}"
