"""The compose files and the Dockerfile: what they say is held against the program, and run as processes."""

import re

import pytest
import yaml

from harness import BINARY, CANARY, READY, REPOSITORY, Process, eventually, get, run

COMPOSE = REPOSITORY / "deploy" / "compose"
FILES = ("embedded", "nats")
DOCKERFILE = (REPOSITORY / "deploy" / "docker" / "Dockerfile").read_text()
PORTS = {4000: "http", 8080: "admin", 9090: "rest", 50000: "grpc"}


def services(name):
    return yaml.safe_load((COMPOSE / f"{name}.yaml").read_text())["services"]


def ours(name):
    return {part: service for part, service in services(name).items() if service["image"] == "llm-router"}


@pytest.mark.parametrize("name", FILES)
def test_our_containers_may_do_no_more_than_they_need(name):
    for service in ours(name).values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["tmpfs"] == ["/tmp"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert int(service["stop_grace_period"].removesuffix("s")) > 600


@pytest.mark.parametrize("name", FILES)
def test_ports_are_published_to_this_machine_alone_for_no_key_is_asked_for(name):
    assert yaml.safe_load((COMPOSE / "llm-router.yaml").read_text())["access"] == "open"
    for part, service in services(name).items():
        assert ("ports" in service) == (part == "gateway")
        for port in service.get("ports", []):
            host, outside, inside = port.split(":")
            assert host == "127.0.0.1" and outside == inside and int(inside) in PORTS


@pytest.mark.parametrize("name", FILES)
def test_only_workers_are_given_providers_keys(name):
    for part, service in services(name).items():
        assert ("OPENAI_API_KEY" in service.get("environment", {})) == (part == "worker")


def test_the_image_runs_as_nobody_in_particular_and_its_build_is_in_scripts():
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.M)
    assert {int(port) for port in re.search(r"^EXPOSE (.*)$", DOCKERFILE, re.M)[1].split()} == set(PORTS)
    for command in re.findall(r"^RUN (.*)$", DOCKERFILE.replace("\\\n", " "), re.M):
        words = [word for word in command.split() if not word.startswith("--mount=")]
        assert words[0] in ("deploy/install-packages.sh", "deploy/docker/steps.sh", "/steps.sh"), command


class Container(Process):
    """One service, in this machine's place of a container: its paths, names and ports are moved."""

    def __init__(self, folder, name, service, hosts, config, environment):
        root = folder / name
        places = {"/var/lib/llm-router": f"{root}/data", "/config/llm-router.yaml": str(config), **hosts}
        pattern = re.compile("|".join(re.escape(place) for place in places))

        def here(text):
            return pattern.sub(lambda found: places[found[0]], text)

        given = {key: here(value) for key, value in service["environment"].items() if "${" not in value}
        named = {key: environment[key] for key, value in service["environment"].items() if "${" in value}
        ports = {f"LLM_ROUTER_LISTEN_{door.upper()}": "0" for door in PORTS.values()}
        command = [BINARY, *(here(word) for word in service["command"])]
        super().__init__(name, command, root, {**given, **named, **ports})
        doors = self.wait_line(READY)["doors"].replace("=0.0.0.0:", "=127.0.0.1:")
        self.doors = dict(door.split("=", 1) for door in doors.split())
        eventually(lambda: "true" in get(f"http://{self.doors['admin']}/ready"), f"{name} to be ready")


@pytest.fixture
def compose(tmp_path, started, simulator):
    """Starts one service of a file, its providers at the simulator."""
    text = (COMPOSE / "llm-router.yaml").read_text()
    config = tmp_path / "llm-router.yaml"
    config.write_text(re.sub(r"(type: \w+), key", rf"\1, base_url: {simulator.url}/v1, key", text))
    secrets = {"OPENAI_API_KEY": CANARY, "ANTHROPIC_API_KEY": CANARY}

    def start(name, part, hosts=None):
        started.append(Container(tmp_path, part, ours(name)[part], hosts or {}, config, secrets))
        return started[-1]

    return start


def answers(gateway, folder):
    for route in ("openai", "claude"):
        done = run("ask", "--address", gateway.doors["grpc"], "-r", route, "Hello", folder=folder)
        assert done.returncode == 0 and "Hello" in done.stdout, done.stderr
    submit = ("job", "submit", "--address", gateway.doors["grpc"], "-r", "openai", "Hello")
    job = run(*submit, folder=folder).stdout.strip()
    done = run("job", "wait", "--address", gateway.doors["grpc"], job, folder=folder)
    assert done.returncode == 0 and "Hello" in done.stdout, done.stderr


def test_the_embedded_services_answer_together(compose, tmp_path):
    gateway = compose("embedded", "gateway")
    worker = compose("embedded", "worker", {"gateway:50000": gateway.doors["grpc"]})
    answers(gateway, tmp_path)
    assert [part.stop() for part in (worker, gateway)] == [0, 0]


def test_the_services_over_a_broker_elsewhere_answer_together(compose, tmp_path, broker_url):
    hosts = {"nats://nats:4222": broker_url}
    parts = [compose("nats", part, hosts) for part in ("jobs", "worker", "gateway")]
    answers(parts[-1], tmp_path)
    assert [part.stop() for part in reversed(parts)] == [0, 0, 0]


@pytest.mark.parametrize("name", FILES)
def test_the_healthcheck_asks_for_readiness(name, tmp_path):
    """Its command line as it stands, but for the port, against a server."""
    config = tmp_path / "llm-router.yaml"
    config.write_text(f"broker: embedded:{tmp_path}/data\nlisten: {{ grpc: 0, rest: 0, admin: 0, http: 0 }}\n")
    server = Process("server", [BINARY, "serve", "-c", config, "--roles", "gateway"], tmp_path)
    doors = dict(door.split("=", 1) for door in server.wait_line(READY)["doors"].split())
    port = doors["admin"].rsplit(":", 1)[1]
    for service in ours(name).values():
        kind, *command = service["healthcheck"]["test"]
        assert kind == "CMD"
        assert Process("healthy", [word.replace("8080", port) for word in command], tmp_path).wait() == 0
        assert Process("closed", [word.replace("8080", "1") for word in command], tmp_path).wait() != 0
    assert server.stop() == 0
