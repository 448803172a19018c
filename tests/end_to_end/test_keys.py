"""Keys: the server lets in who bears one, by every SDK, and nobody else; and shows no key anywhere."""

import json
import os
import re
import signal
import urllib.error
import urllib.request

import grpc
import pytest

import harness
from harness import BINARY, CANARY, READY, Process, eventually, providers, route, run
from keyed import Keyed, new_key
from sdks import SDKS, Sdk
from wire import Wire

@pytest.fixture
def own(tmp_path):
    made = Keyed(tmp_path)
    yield made
    made.stop()


def code_of(call, *arguments):
    with pytest.raises(grpc.RpcError) as raised:
        call(*arguments)
    return raised.value.code(), raised.value.details()


@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_who_bears_a_key_is_answered(keyed, prefix):
    reply = keyed.wire("caller", prefix).query("openai_requests", "Hello")
    assert reply.Executed, reply.Error


def test_who_bears_none_or_a_wrong_one_is_not(keyed):
    for client in (keyed.wire(), Wire(keyed.server.grpc, key="llmr_wrong")):
        code, details = code_of(client.query, "openai_requests", "Hello")
        assert code == grpc.StatusCode.UNAUTHENTICATED
        assert details.startswith("Error 421: authentication verification failed")


def test_a_caller_may_not_serve_a_route(keyed):
    client = keyed.wire("caller")
    refused = client.subscribe("openai_requests", "Queries").next()
    assert refused.code() == grpc.StatusCode.PERMISSION_DENIED
    assert refused.details().endswith("may not serve queries on openai_requests: use a key with access worker")


def rest(keyed, door, path, body, **headers):
    """The status and the answer of a POST."""
    request = urllib.request.Request(f"http://{keyed.server.doors[door]}{path}", json.dumps(body).encode(), method="POST")
    request.add_header("content-type", "application/json")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=harness.PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


REQUEST = {"RequestTypeData": 2, "ClientID": "rest", "Channel": "openai_requests", "BodyString": "Hello", "Timeout": 30000}


@pytest.mark.parametrize("door", ["rest", "admin"])
def test_rest_asks_for_keys_too(keyed, door):
    key = keyed.keys["caller"]
    for headers in ({"authorization": f"Bearer {key}"}, {"x_api_key": key}):
        status, answer = rest(keyed, door, "/send/request", REQUEST, **headers)
        assert (status, json.loads(answer)["data"]["Executed"]) == (200, True)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        for path in ("/send/request", "/send/event", "/send/response"):
            status, answer = rest(keyed, door, path, REQUEST, **headers)
            assert status == 401
            assert json.loads(answer)["message"].startswith("Error 421: authentication verification failed")
    journal = {**REQUEST, "Channel": "llm_journal"}
    status, answer = rest(keyed, door, "/send/request", journal, x_api_key=key)
    assert status == 403
    assert json.loads(answer)["message"].startswith("Error 412: access denied")
    event = {"ClientID": "rest", "Channel": "llm_workers", "BodyString": "{}"}
    assert rest(keyed, door, "/send/event", event, x_api_key=key)[0] == 403
    assert json.loads(harness.get(f"http://{keyed.server.doors[door]}/ping"))["is_error"] is False


def test_the_http_door_asks_for_keys_too(keyed):
    question = {"model": "openai", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
    key = keyed.keys["caller"]
    for path in ("/v1/chat/completions", "/v1/messages"):
        status, answer = rest(keyed, "http", path, question, x_api_key="wrong")
        assert status == 401 and json.loads(answer)["error"]["type"] == "authentication_error"
        assert rest(keyed, "http", path, question)[0] == 401
        assert rest(keyed, "http", path, question, x_api_key=key)[0] == 200
        assert rest(keyed, "http", path, question, authorization=f"Bearer {key}")[0] == 200


def test_the_plain_door_asks_for_keys_too(keyed):
    question = {"model_type": "openai", "input_data": "Hello"}
    assert rest(keyed, "rest", "/model", question)[0] == 401
    assert rest(keyed, "rest", "/model", question, x_api_key=keyed.keys["caller"])[0] == 200


@pytest.mark.parametrize("path", ["/subscribe/events?client_id=c&channel=news&subscribe_type=events", "/subscribe/requests?client_id=c&channel=openai_requests&subscribe_type=queries"])
def test_a_websocket_asks_for_a_key_before_its_upgrade(keyed, path):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    for key, expected in ((None, 401), (keyed.keys["caller"], 403)):
        if key and "news" in path:
            continue  # everyone's
        request = urllib.request.Request(f"http://{keyed.server.doors['rest']}{path}", headers=upgrade)
        if key:
            request.add_header("authorization", f"Bearer {key}")
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=harness.PATIENCE)
        assert raised.value.code == expected


@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_with_its_auth_token_asks_and_serves(keyed, tmp_path, name):
    caller = Sdk(name, keyed.server.grpc, tmp_path / "caller", f"{name}-caller", key=keyed.keys["caller"])
    try:
        assert caller.query("openai_requests", "Hello")["executed"]
        channel = f"orders.{name.replace('.', '-')}"
        caller.serve(channel, answer="served ")
        asker = keyed.wire("caller")
        assert asker.query(channel, "this").Body == b"served this"
    finally:
        caller.kill()


def test_metrics_are_an_admins_and_count_denials(keyed):
    for key, expected in ((None, 401), ("wrong", 401), (keyed.keys["caller"], 403)):
        with pytest.raises(urllib.error.HTTPError) as raised:
            keyed.metrics(key)
        assert raised.value.code == expected
    assert 'llm_router_denied_total{reason="unauthenticated"}' in keyed.metrics(keyed.keys["admin"])
    assert keyed.server.admin("/health") == "healthy"
    assert '"is_ready":true' in keyed.server.admin("/ready")


def test_a_worker_elsewhere_gives_its_key_to_its_broker(keyed, tmp_path):
    config = {
        "broker": {"url": f"kubemq://{keyed.server.grpc}", "key": "${WORKER_KEY}"},
        "listen": {"admin": 0},
        "providers": providers(keyed.simulator),
        "routes": {"elsewhere": route("openai:gpt-4o-mini")},
    }
    environment = {"WORKER_KEY": keyed.keys["worker"], "CANARY_KEY": CANARY}
    worker = harness.Server("worker", tmp_path, config, "--roles", "worker", environment=environment)
    try:
        reply = keyed.wire("caller").query("elsewhere_requests", "Hello")
        assert reply.Executed, reply.Error
    finally:
        assert worker.stop() == 0, worker.tail()


def test_changed_keys_are_in_force_without_a_restart(own):
    stream = own.wire("caller").subscribe("news")
    admin = own.wire("admin").subscribe("news")
    key, entry = new_key(own.folder, "--tenant", "late")
    own.write([own.entries["admin"], entry])
    ended = stream.next()
    assert ended.code() == grpc.StatusCode.UNAUTHENTICATED
    assert Wire(own.server.grpc, key=key).query("openai_requests", "Hello").Executed
    own.wire("admin").publish("news", "still here")
    assert admin.next().Body == b"still here"


def test_a_bad_file_of_keys_changes_nothing_and_is_logged(own):
    own.file.write_text("- { hash: nonsense }\n")
    eventually(lambda: "keys are not reloaded" in own.server.errors(), "the log to say so")
    assert own.wire("caller").query("openai_requests", "Hello").Executed


def test_other_machines_need_keys_or_open_access(tmp_path):
    done = run("serve", "--set", "listen.host=0.0.0.0", folder=tmp_path)
    assert done.returncode == 2
    assert "llm-router keys new --tenant NAME" in done.stderr and "access: open" in done.stderr
    ports = [option for door in ("grpc", "rest", "admin", "http") for option in ("--set", f"listen.{door}=0")]
    server = Process("open", [BINARY, "serve", "--set", "listen.host=0.0.0.0", "--set", "access=open", *ports], tmp_path)
    server.wait_line(READY)
    assert server.stop() == 0, server.tail()


def test_no_key_is_shown_anywhere(own):
    """A provider's key and callers' keys: not in logs at level debug, metrics, errors, config print or a core file."""
    secrets = [CANARY, *own.keys.values()]
    shown = [own.wire("caller").query("openai_requests", "Hello").SerializeToString().decode(errors="replace")]
    for key in (*own.keys.values(), *(key + "x" for key in own.keys.values())):
        client = Wire(own.server.grpc, key=key)
        try:
            shown.append(str(client.query("llm_journal", key)))
        except grpc.RpcError as error:
            shown.append(error.details())
    shown.append(own.metrics(own.keys["admin"]))
    for options in ((), ("--effective",)):
        printed = run("config", "print", "-c", own.server.config, *options, folder=own.folder, environment={"CANARY_KEY": CANARY})
        shown += [printed.stdout, printed.stderr]
    with open(f"/proc/{own.server.pid}/limits") as limits:
        assert re.search(r"^Max core file size +1 +1 ", limits.read(), re.M)  # the kernel writes none, not even to a program
    shown += [own.server.errors(), json.dumps(own.server.lines)]
    for secret in secrets:
        assert not any(secret in text for text in shown)
    own.server.signal(signal.SIGABRT)
    assert own.server.wait() == -signal.SIGABRT
    assert not [name for name in os.listdir(own.folder) if "core" in name]
    own.stop = own.simulator.stop
