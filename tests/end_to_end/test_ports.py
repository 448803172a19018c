"""What a process says and serves beside queries: doors, ready line, refusals, exit codes, and no secrets."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from harness import BINARY, CANARY, PATIENCE, Process, Server, get, route, run
from wire import Wire

ROUTES = {"openai": route("openai:gpt-4o-mini"), "refused": route("openai:sim-fault-401")}


# ---- the admin door ----


def test_health_and_ready_of_every_process_are_what_probes_of_kubemq_expect(cluster):
    for server in {cluster.gateway, cluster.worker}:
        assert server.admin("/health") == "healthy"
        assert json.loads(server.admin("/ready")) == {"is_healthy": True, "is_ready": True}


def test_a_worker_beside_others_on_one_machine_finds_an_admin_port_of_its_own(cluster, tmp_path):
    if cluster.topology == "one":
        pytest.skip("a worker alone needs a gateway elsewhere")
    config = {"broker": f"kubemq://{cluster.address}", "routes": cluster.routes, "providers": {}}
    config["providers"] = {"openai": {"type": "openai", "key": "k"}}
    workers = [Server(f"worker{number}", tmp_path, config, "--roles", "worker") for number in (1, 2)]
    addresses = {worker.doors["admin"] for worker in workers}
    assert len(addresses) == 2  # at most one of them has the default, 8080
    assert all(worker.admin("/health") == "healthy" for worker in workers)
    assert [worker.stop() for worker in workers] == [0, 0]


def test_what_is_not_there_is_404(cluster):
    with pytest.raises(urllib.error.HTTPError) as error:
        cluster.gateway.admin("/no-such-path")
    assert error.value.code == 404


# ---- the ready line and the log ----


def test_stdout_has_the_ready_line_and_nothing_else(make_cluster):
    cluster = make_cluster(ROUTES)
    assert cluster.run("ask", "-r", "openai", "Hello").returncode == 0
    cluster.stop()
    for server in cluster.processes[1:]:
        assert len(server.lines) == 1, server.lines
    doors = cluster.gateway.doors
    assert sorted(doors) == ["admin", "grpc", "http", "rest"]
    assert all(address.startswith("127.0.0.1:") for address in doors.values())
    if cluster.topology == "split":
        assert sorted(cluster.workers[0].doors) == ["admin"]


# ---- refusals ----


@pytest.fixture
def serve(tmp_path):
    """Runs `serve` on a configuration that it must refuse: its exit code and stderr."""

    def go(text, *options, **environment):
        file = tmp_path / "llm-router.yaml"
        file.write_text(text)
        usual = [f"broker=embedded:{tmp_path}/data"] + [f"listen.{door}=0" for door in ("grpc", "rest", "admin", "http")]
        sets = [part for setting in usual for part in ("--set", setting)]
        done = run("serve", "-c", file, *sets, *options, folder=tmp_path, environment=environment)
        assert done.stdout == ""
        return done.returncode, done.stderr

    return go


GOOD = """
providers: { openai: { type: openai, key: "${CANARY_KEY}" } }
routes: { openai: { targets: [ { provider: openai, model: gpt-4o-mini } ] } }
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_a_door_to_the_network_is_refused_without_keys(serve, host):
    code, said = serve(GOOD, "--set", f"listen.host={host}")
    assert code == 2
    assert "listen.host" in said and "keys new" in said


def test_a_port_that_is_taken_is_named(serve):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for door in ("grpc", "rest", "admin", "http"):
            code, said = serve(GOOD, "--set", f"listen.{door}={port}")
            assert code == 1
            assert f"listen.{door}" in said and f"127.0.0.1:{port}" in said, said


BAD_CONFIGURATIONS = {
    "an unknown key": (GOOD + "providrs: {}\n", ["providrs", "providers"]),
    "an unknown key inside": (
        "providers: { openai: { type: openai, base_ur: x } }\n",
        ["providers.openai.base_ur", "base_url"],
    ),
    "a provider twice": (
        "providers:\n  a: { type: openai }\n  a: { type: openai }\n",
        ["providers.a", "llm-router.yaml:3"],
    ),
    "a type that is none": ("providers: { a: { type: opena } }\n", ["providers.a.type", "openai"]),
    "a target without its provider": (
        "routes: { r: { targets: [ { provider: nobody, model: m } ] } }\n",
        ["routes.r.targets[0].provider", "names a provider that is not defined"],
    ),
    "no target": ("routes: { r: { targets: [] } }\n", ["routes.r.targets", "give at least one"]),
    "a weight": (
        GOOD.replace("model: gpt-4o-mini", "model: gpt-4o-mini, weight: 2"),
        ["routes.openai.targets[0].weight", "weight is not available in this version"],
    ),
    "a route of ours": (
        "routes: { llm_x: { targets: [ { provider: p } ] } }\n",
        ["routes.llm_x", "reserved"],
    ),
    "a route with a space": ('routes: { "a b": { targets: [ { provider: p } ] } }\n', ["routes.a b"]),
    "a port that is none": ("listen: { grpc: 70000 }\n", ["listen.grpc", "65535"]),
    "a word for a number": ("limits: { body: lots }\n", ["limits.body", "lots"]),
    "a broker that is none": (
        "broker: carrier-pigeon://x\n",
        ["broker", "write embedded:DIR, kubemq://HOST:PORT or nats://HOST:PORT"],
    ),
    "no YAML": ("routes: [\n", ["llm-router.yaml"]),
}


@pytest.mark.parametrize("name", BAD_CONFIGURATIONS)
def test_a_wrong_configuration_is_refused_with_path_and_remedy(tmp_path, name):
    text, needles = BAD_CONFIGURATIONS[name]
    file = tmp_path / "llm-router.yaml"
    file.write_text(text)
    done = run("serve", "-c", file, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    for needle in needles:
        assert needle in done.stderr


@pytest.mark.parametrize(
    "options, needle",
    [
        (["--roles", "gateway,cook"], "cook"),
        (["--set", "listen.grcp=1"], "did you mean grpc?"),
        (["--set", "listen.grpc"], "PATH=VALUE"),
        (["-c", "/no/such/file.yaml"], "/no/such/file.yaml"),
        (["--set", "broker=kubemq://127.0.0.1:1"], "--roles"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_wrong_command_line_is_refused(tmp_path, options, needle):
    done = run("serve", *options, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert needle in done.stderr


def test_no_command_or_a_wrong_one_shows_the_way(tmp_path):
    for arguments in ([], ["sreve"]):
        done = run(*arguments, folder=tmp_path)
        assert done.returncode == 2
        assert "--help" in done.stderr
    assert run("--help", folder=tmp_path).returncode == 0


def test_ask_without_a_server_says_how_to_start_one(tmp_path):
    done = run("ask", "--address", "127.0.0.1:1", "Hello", folder=tmp_path)
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr and "llm-router serve" in done.stderr


# ---- where settings come from ----


def test_settings_come_from_set_then_environment_then_file(topology, tmp_path):
    if topology == "split":
        pytest.skip("one process is enough to read settings")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = {
            "broker": f"embedded:{tmp_path}/data",
            "listen": {"grpc": port, "rest": 0, "admin": port},
            "providers": {"openai": {"type": "openai"}},
            "routes": {"openai": route("openai:gpt-4o-mini")},
        }
        environment = {"LLM_ROUTER_LISTEN_GRPC": "0", "LLM_ROUTER_LISTEN_ADMIN": str(port)}
        server = Server("server", tmp_path, config, "--set", "listen.admin=0", environment=environment)
        assert server.stop() == 0, server.tail()


def test_a_key_comes_from_the_env_file(topology, tmp_path):
    if topology == "split":
        pytest.skip("one process is enough to read settings")
    (tmp_path / ".env").write_text('export OPENAI_API_KEY="sk-from-the-env-file"\n')
    simulator = Process("simulator", [BINARY, "simulate", "--port", "0"], tmp_path)
    url = "http://" + simulator.wait_line(r"http=(\S+)$").group(1)
    config = {
        "broker": f"embedded:{tmp_path}/data",
        "listen": {"grpc": 0, "rest": 0, "admin": 0, "http": 0},
        "providers": {"openai": {"type": "openai", "base_url": f"{url}/v1", "key": "${OPENAI_API_KEY}"}},
        "routes": {"openai": route("openai:gpt-4o-mini")},
    }
    server = Server("server", tmp_path, config)
    wire = Wire(server.grpc)
    reply = wire.query("openai_requests", "Hello")
    wire.close()
    assert reply.Executed, reply.Error
    assert server.stop() == 0 and simulator.stop() == 0


# ---- secrets ----


def test_a_key_is_never_in_a_log_a_metric_or_an_error(make_cluster):
    cluster = make_cluster(ROUTES, extra={"log": "debug"})
    client = Wire(cluster.address)
    said = []
    for channel in ("openai_requests", "refused_requests"):
        reply = client.query(channel, "Hello")
        said += [reply.Error, reply.Body.decode(), str(dict(reply.Tags))]
    said.append(cluster.run("ask", "-r", "refused", "Hello").stderr)
    client.close()
    for server in cluster.processes[1:]:
        if "admin" in server.doors:
            said += [server.admin(path) for path in ("/health", "/ready", "/metrics")]
    cluster.stop()
    said.append(cluster.logs())
    assert CANARY not in "\n".join(said)
