"""What is special where NATS carries the messages: roles must be named, one jobs service, and NATS's own clients."""

import json

import pytest

import wire
from harness import BINARY, CANARY, NatsServer, Process, Server, Simulator, eventually, get, post, providers, route
from nats_wire import NatsWire

ROUTES = {"openai": route("openai:gpt-4o-mini")}
NAME_THE_ROLES = "on a broker that is not embedded, name the roles: --roles worker, for example"
ONE_JOBS_SERVICE = "another jobs service is on this broker: run one, and leave jobs out of --roles here"


@pytest.fixture
def nats(nats_server, tmp_path):
    made = NatsServer(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def simulator(tmp_path):
    made = Simulator(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def serve(nats, simulator, tmp_path):
    """Starts a `serve`, each in a folder and with a store of its own, on the one NATS."""
    started = []

    def config(name):
        return {
            "broker": f"nats://{nats.address}",
            "store": f"sqlite:{tmp_path}/{name}/store",
            "listen": {"grpc": 0, "rest": 0, "admin": 0, "http": 0},
            "providers": providers(simulator),
            "routes": ROUTES,
        }

    def go(name, *options):
        started.append(Server(name, tmp_path / name, config(name), *options, environment={"CANARY_KEY": CANARY}))
        return started[-1]

    def begin(name, *options):
        """One that may start or not."""
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.yaml").write_text(json.dumps(config(name)))
        environment = {"CANARY_KEY": CANARY}
        return Process(name, [BINARY, "serve", "-c", folder / f"{name}.yaml", *options], folder, environment)

    def refused(name, *options):
        """What it says instead of starting."""
        process = begin(name, *options)
        assert process.wait() != 0
        assert process.lines == []
        return process.errors()

    go.begin = begin
    go.refused = refused
    yield go
    for server in reversed(started):
        assert not server.alive() or server.stop() == 0, server.tail()


def answered(server):
    client = wire.Wire(server.grpc)
    reply = client.query("openai_requests", "Hello")
    client.close()
    return reply.Executed


def test_a_plain_serve_at_nats_says_that_its_roles_must_be_named(serve):
    for name in ("one", "two", "three"):
        assert NAME_THE_ROLES in serve.refused(name)


def test_a_second_jobs_service_does_not_start_and_the_first_goes_on(serve):
    first = serve("one", "--roles", "gateway,worker,jobs")
    for name in ("two", "three"):
        assert ONE_JOBS_SERVICE in serve.refused(name, "--roles", "gateway,worker,jobs")
    second = serve("four", "--roles", "gateway,worker")
    assert answered(first) and answered(second)


def test_of_jobs_services_that_start_at_once_one_goes_on(serve):
    names = ("one", "two", "three")
    starting = [serve.begin(name, "--roles", "jobs") for name in names]
    eventually(lambda: sum(process.alive() for process in starting) == 1, "all but one to give way")
    for process in starting:
        if process.alive():
            process.wait_line("^llm-router ready")
            assert process.stop() == 0
        else:
            assert process.wait() != 0 and ONE_JOBS_SERVICE in process.errors()


def test_after_the_jobs_service_was_killed_another_starts(serve):
    first = serve("one", "--roles", "jobs")
    first.kill()
    serve("two", "--roles", "jobs")


def test_a_worker_that_is_ready_is_known_to_a_gateway_that_is_there(serve):
    door = f"http://{serve('gateway', '--roles', 'gateway').doors['http']}/v1"
    chat = {"model": "openai", "messages": [{"role": "user", "content": "Hello"}]}
    for name in ("one", "two", "three", "four"):
        # One that has just started waits for what workers there are; from then on it says at once what it knows.
        eventually(lambda: not json.loads(get(f"{door}/models"))["data"], "the last worker to be forgotten")
        worker = serve(name, "--roles", "worker")
        assert json.loads(post(f"{door}/chat/completions", chat))["choices"]
        assert worker.stop() == 0


def test_any_client_of_nats_can_ask(serve, nats):
    serve("one", "--roles", "gateway,worker")
    client = NatsWire(nats.address)
    answer = client.ask("llm-router.query.openai_requests", b"What is a subject?")
    client.close()
    assert "What is a subject?" in json.loads(answer.body)["response"]
    assert (answer.headers["provider"], answer.headers["Llm-Executed"]) == ("openai", "yes")
