"""TLS on every port, and a key with it: gateway, worker, command line and an SDK."""

import contextlib
import hashlib
import json
import re
import shlex
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from certificates import Certificates
from harness import (
    BINARY,
    PATIENCE,
    READY,
    REPOSITORY,
    SDK,
    Process,
    Server,
    Simulator,
    eventually,
    providers,
    route,
    run,
)
from sdks import need_environment

ROUTES = {"openai": route("openai:gpt-4o-mini")}

CALLER, WORKER = "key-of-a-caller", "key-of-a-worker"


def entry(key, access):
    return {"hash": "sha256:" + hashlib.sha256(key.encode()).hexdigest(), "tenant": "acme", "access": access}


class SecuredCluster:
    """A gateway and a worker process that meet over TLS, with keys; with mutual=True both show certificates, too."""

    def __init__(self, folder, mutual=False):
        self.folder = folder
        self.certificates = Certificates(folder / "certificates")
        self.mutual = mutual
        self.simulator = Simulator(folder)
        tls = self.certificates.issue("server")
        if mutual:
            tls["client_ca"] = str(self.certificates.ca)
        listen = {"host": "127.0.0.1", "grpc": 0, "rest": 0, "admin": 0, "http": 0, "tls": tls}
        keys = [entry(CALLER, "caller"), entry(WORKER, "worker")]
        config = {"broker": f"embedded:{folder}/data", "listen": listen, "keys": keys}
        self.gateway = Server("gateway", folder, config, "--roles", "gateway")
        self.mine = {"ca": str(self.certificates.ca)}
        if mutual:
            self.mine.update(self.certificates.issue("me", "DNS:me"))
        self.worker = self.start_worker("worker")

    def start_worker(self, name, **broker):
        config = {
            "broker": {"url": f"kubemq://{self.gateway.grpc}", "key": "${ROUTER_KEY}", **self.mine, **broker},
            "listen": {"grpc": 0, "rest": 0, "admin": 0, "http": 0},
            "providers": providers(self.simulator),
            "routes": ROUTES,
        }
        return Server(name, self.folder, config, "--roles", "worker", environment={"CANARY_KEY": "sk-1", "ROUTER_KEY": WORKER})

    def options(self):
        flags = {"ca": "--ca", "cert": "--cert", "cert_key": "--cert-key"}
        return [word for name, path in self.mine.items() for word in (flags[name], path)]

    def ask(self, *options, key=CALLER):
        return run("ask", "-r", "openai", *options, "What is a queue?", folder=self.folder,
                   environment={"LLM_ROUTER_ADDRESS": self.gateway.grpc, "LLM_ROUTER_KEY": key})  # fmt: skip

    def client_context(self):
        context = ssl.create_default_context(cafile=str(self.certificates.ca))
        if self.mutual:
            context.load_cert_chain(self.mine["cert"], self.mine["cert_key"])
        return context

    def stop(self):
        for process in (self.worker, self.gateway, self.simulator):
            assert process.stop() == 0, process.tail()


@pytest.fixture(params=[False, True], ids=["server", "mutual"])
def secured(request, tmp_path):
    made = SecuredCluster(tmp_path, request.param)
    yield made
    made.stop()


@pytest.fixture
def one_way(tmp_path):
    made = SecuredCluster(tmp_path)
    yield made
    made.stop()


def test_ask_is_answered_by_a_worker_that_came_by_tls(secured):
    done = secured.ask(*secured.options())
    assert done.returncode == 0, done.stderr
    assert "What is a queue?" in done.stdout


def test_a_key_that_is_not_known_is_refused_over_tls(secured):
    done = secured.ask(*secured.options(), key="another-key")
    assert done.returncode == 1
    assert "refuses the key" in done.stderr and "--key" in done.stderr and "another-key" not in done.stderr
    done = secured.ask(*secured.options(), key="")
    assert "asks for a key" in done.stderr


def test_a_worker_whose_key_is_refused_ends_and_says_so(one_way):
    broker = {"url": f"kubemq://{one_way.gateway.grpc}", "key": "another-key", **one_way.mine}
    config = one_way.folder / "refused.yaml"
    config.write_text(json.dumps({"broker": broker, "listen": {"admin": 0}}))
    done = run("serve", "-c", config, "--roles", "worker", folder=one_way.folder)
    assert done.returncode == 1
    assert "refuses the key" in done.stderr and "`broker.key`" in done.stderr and "another-key" not in done.stderr


def test_health_is_served_over_tls(secured):
    url = f"https://{secured.gateway.doors['admin']}/health"
    with urllib.request.urlopen(url, context=secured.client_context(), timeout=PATIENCE) as answer:
        assert answer.read() == b"healthy"


def test_rest_is_served_over_tls(secured):
    request = urllib.request.Request(
        f"https://{secured.gateway.doors['rest']}/model",
        data=json.dumps({"model_type": "openai", "input_data": "What is a queue?"}).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {CALLER}"},
    )
    with urllib.request.urlopen(request, context=secured.client_context(), timeout=PATIENCE) as answer:
        assert b"What is a queue?" in answer.read()


def test_without_the_ca_the_error_says_what_to_give(one_way):
    done = one_way.ask()
    assert done.returncode == 1
    assert "where it speaks TLS, give its CA with the setting `broker.ca` or with --ca" in done.stderr
    done = one_way.ask("--ca", str(Certificates(one_way.folder / "others").ca))
    assert done.returncode == 1
    assert "another CA signed it: give the right CA" in done.stderr


def test_a_browser_without_tls_is_told_to_use_https(one_way):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{one_way.gateway.doors['admin']}/health", timeout=PATIENCE)
    assert refused.value.code == 400
    assert b"https" in refused.value.read()
    eventually(lambda: "it speaks without TLS" in one_way.gateway.errors(), "the log to say so")


@pytest.mark.parametrize("hello", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello and more"])
def test_what_is_no_handshake_is_cut_off_at_the_grpc_port_and_logged(one_way, hello):
    host, port = one_way.gateway.grpc.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as stranger:
        stranger.sendall(hello)
        with contextlib.suppress(ConnectionResetError):
            while stranger.recv(4096):
                pass
    eventually(lambda: "gRPC port: Handshake failed" in one_way.gateway.errors(), "a word in the log")
    assert one_way.ask(*one_way.options()).returncode == 0


def serial(address, context):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as plain:
        with context.wrap_socket(plain, server_hostname=host) as secure:
            return secure.getpeercert()["serialNumber"]


def test_a_new_certificate_is_shown_at_every_port_and_nobody_is_cut_off(one_way):
    context = one_way.client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    doors = {name: one_way.gateway.doors[name] for name in ("grpc", "rest", "admin", "http")}
    before = {name: serial(address, context) for name, address in doors.items()}
    one_way.certificates.issue("server")
    for name, address in doors.items():
        eventually(lambda n=name, a=address: serial(a, context) != before[n], f"a new certificate at {name}")
    now = {name: serial(address, context) for name, address in doors.items()}
    kept = one_way.gateway.errors().count("the TLS certificate stays as it was")
    (one_way.certificates.folder / "server.key").write_text("no key\n")
    eventually(
        lambda: one_way.gateway.errors().count("the TLS certificate stays as it was") > kept, "a word in the log"
    )
    assert {name: serial(address, context) for name, address in doors.items()} == now
    done = one_way.ask(*one_way.options())
    assert done.returncode == 0, done.stderr
    assert "broke" not in one_way.worker.errors()


@pytest.mark.parametrize("setting", ["ca", "cert", "cert_key"])
def test_a_file_that_is_missing_is_named_by_its_setting(tmp_path, setting):
    certificates = Certificates(tmp_path / "certificates")
    broker = {"url": "kubemq://127.0.0.1:1", "ca": str(certificates.ca), **certificates.issue("me")}
    broker[setting] = "/nowhere/at-all.pem"
    config = tmp_path / "worker.yaml"
    config.write_text(json.dumps({"broker": broker}))
    done = run("serve", "-c", config, "--roles", "worker", folder=tmp_path)
    assert done.returncode == 2
    assert f"broker.{setting}: /nowhere/at-all.pem can't be read: No such file or directory" in done.stderr


def test_readmes_commands_work_as_written(tmp_path):
    readme = (REPOSITORY / "README.md").read_text()
    commands = re.search(r"^## TLS$.*?^```sh\n(.*?)^```$", readme, re.S | re.M).group(1).replace("\\\n", "").splitlines()
    make, serve, ask, curl = commands
    subprocess.run(make, shell=True, cwd=tmp_path, check=True, capture_output=True)
    words = shlex.split(serve.removesuffix("&"))[1:]
    ports = [option for door in ("grpc", "rest", "admin", "http") for option in ("--set", f"listen.{door}=0")]
    server = Process("server", [BINARY, *words, *ports], tmp_path)
    doors = dict(door.split("=") for door in server.wait_line(READY)["doors"].split())
    port = {"50000": doors["grpc"].rsplit(":", 1)[1], "8080": doors["admin"].rsplit(":", 1)[1]}
    done = run(*shlex.split(ask.replace("50000", port["50000"]))[1:], folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(shlex.split(curl.replace("8080", port["8080"])), cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "healthy", done.stderr
    assert server.stop() == 0, server.tail()


# As the package's documentation configures TLS with a CA of one's own.
PYTHON = """
import sys
from pathlib import Path
from kubemq import ClientConfig, CQClient, QueryMessage, TLSConfig

address, ca, key = sys.argv[1:]
config = ClientConfig(address=address, client_id="tls", auth_token=key, tls=TLSConfig(enabled=True, ca_file=Path(ca)))
with CQClient(config=config) as client:
    reply = client.send_query(QueryMessage(channel="openai_requests", body=b"What is a queue?", timeout_in_seconds=60))
    print(reply.is_executed, reply.error, reply.body.decode())
"""


def test_the_python_sdk_asks_over_tls_as_its_documentation_says(one_way):
    need_environment("kubemq-4.1.5")
    python = SDK / "kubemq-4.1.5" / "bin" / "python"
    command = [python, "-c", PYTHON, one_way.gateway.grpc, one_way.certificates.ca, CALLER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True")
    assert "What is a queue?" in done.stdout
