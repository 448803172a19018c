"""What every end-to-end test is given. Each case that takes `cluster` or `make_cluster` runs over the topologies that its
file names as TOPOLOGIES, or else over the first two."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness  # noqa: E402
import wire  # noqa: E402
from keyed import Keyed  # noqa: E402

TOPOLOGIES = ("one", "split")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run what takes minutes alone")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes over two minutes alone; runs with --long")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with --long"))


@pytest.fixture(scope="session", autouse=True)
def _binary():
    assert (
        harness.BINARY.exists()
    ), f"{harness.BINARY} is missing: build the target llm-router, or set LLM_ROUTER_BUILD"


def pytest_generate_tests(metafunc):
    if "topology" in metafunc.fixturenames:
        names = getattr(metafunc.module, "TOPOLOGIES", TOPOLOGIES)
        metafunc.parametrize("topology", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def topology(request):
    if request.param.startswith("nats") and not harness.NatsServer.PROGRAM.exists():
        pytest.skip("nats-server is not installed")
    return request.param


@pytest.fixture(scope="module")
def cluster(request, topology, tmp_path_factory):
    """One cluster for all tests of a file, with the file's ROUTES (and CLUSTER, further arguments, if it has them)."""
    arguments = getattr(request.module, "CLUSTER", {})
    made = harness.Cluster(topology, tmp_path_factory.mktemp(topology), request.module.ROUTES, **arguments)
    yield made
    made.stop()


@pytest.fixture
def nats_server():
    """The program, or no test."""
    if not harness.NatsServer.PROGRAM.exists():
        pytest.skip("nats-server is not installed")


@pytest.fixture
def make_cluster(topology, tmp_path):
    """Clusters of a test's own, for what is killed or scripted."""
    made = []

    def make(routes, **arguments):
        made.append(harness.Cluster(topology, tmp_path / str(len(made)), routes, **arguments))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def made(request, make_cluster):
    """A cluster of the test's own, with the file's ROUTES."""
    return make_cluster(request.module.ROUTES)


@pytest.fixture
def caller(made):
    """A raw client of the test's own cluster."""
    wire_to_it = wire.Wire(made.address)
    yield wire_to_it
    wire_to_it.close()


@pytest.fixture
def client(cluster):
    """A raw client of the file's cluster."""
    made = wire.Wire(cluster.address)
    yield made
    made.close()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """One server that asks for keys for all tests of a file."""
    made = Keyed(tmp_path_factory.mktemp("keyed"))
    yield made
    made.stop()
