"""KubeMQ's REST and WebSocket API, and POST /model, by curl and by Python; README's examples run as they are shown."""

import json
import re
import shutil
import socket
import subprocess

import pytest

from harness import CANARY, PATIENCE, REPOSITORY, SDK, Process, clean_environment, eventually, route
from sdks import need_environment

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "refused": route("openai:sim-fault-401"),
    "gated": route("openai:gpt-4o-sim-gate-g-sim-tokens-6"),
}
EXAMPLES = REPOSITORY / "client" / "examples" / "rest"


def rest(cluster, path=""):
    return f"http://{cluster.gateway.doors['rest']}{path}"


def curl(url, *arguments):
    """What curl prints, and the HTTP status."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed: apt-get install curl")
    command = ["curl", "-sS", "-w", "\n%{http_code}", *arguments, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition("\n")
    return body, int(status)


def post(url, document):
    body, status = curl(url, "-H", "Content-Type: application/json", "-d", json.dumps(document))
    return json.loads(body), status


def query(channel="openai_requests", **more):
    asked = {"RequestTypeData": 2, "ClientID": "c", "Channel": channel, "BodyString": "Hello", "Timeout": 30000}
    return {**asked, **more}


# ---- README ----


def example(cluster, tmp_path, name):
    """A copy of the example that goes to this cluster's port."""
    copy = tmp_path / name
    copy.write_text((EXAMPLES / name).read_text().replace("127.0.0.1:9090", cluster.gateway.doors["rest"]))
    return copy


def python():
    need_environment("rest")
    return SDK / "rest" / "bin" / "python"


def run(*command):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, env=clean_environment()
    )


def test_readme_shows_the_examples_as_they_are():
    readme = (REPOSITORY / "README.md").read_text()
    blocks = re.findall(r"^```(?:sh|python)\n(.*?)^```$", readme, re.S | re.M)
    for path in EXAMPLES.iterdir():
        assert path.read_text() in blocks, path.name


def test_the_plainest_call_prints_the_answer(cluster, tmp_path):
    done = run("sh", example(cluster, tmp_path, "ask.sh"))
    assert done.returncode == 0, done.stderr
    assert "what is a message broker?" in done.stdout and "{" not in done.stdout


def test_the_call_of_the_kubemq_article_is_answered(cluster, tmp_path):
    done = run("sh", example(cluster, tmp_path, "send_request.sh"))
    reply = json.loads(done.stdout)
    assert (reply["is_error"], reply["message"]) == (False, "OK")
    assert reply["data"]["Executed"] is True
    answer = json.loads(reply["data"]["BodyString"])
    assert "what is a message broker?" in answer["response"]


def test_python_requests_prints_the_answer_or_says_what_is_wrong(cluster, tmp_path):
    script = example(cluster, tmp_path, "ask.py")
    done = run(python(), script, "openai")
    assert done.returncode == 0, done.stderr
    assert "what is a message broker?" in done.stdout and "gpt-4o-mini" in done.stdout
    failed = run(python(), script, "no-such-route")
    assert failed.returncode == 1 and "no-such-route" in failed.stderr


def test_a_worker_on_a_websocket_answers_queries_and_is_missed_when_it_goes(cluster, tmp_path):
    worker = Process("worker", [python(), example(cluster, tmp_path, "worker.py"), "shout"], tmp_path)
    try:
        worker.wait_line("^ready$")
        reply, status = post(rest(cluster, "/send/request"), query("shout"))
        assert status == 200 and reply["data"]["BodyString"] == "HELLO"
    finally:
        worker.kill()

    def gone():
        reply, _ = post(rest(cluster, "/send/request"), query("shout", Timeout=50))
        return "Error 301" in reply["message"]

    eventually(gone, "the subscription's end")


# ---- the door ----


STREAM = """
import concurrent.futures, json, sys, requests, websocket
rest, simulator = sys.argv[1:]
to = "stream.default.rest"

def gate(frames):
    requests.post(f"{simulator}/simulate/gate", json={"name": "g", "frames": frames}, timeout=60).raise_for_status()

chunks = websocket.create_connection(f"ws://{rest}/subscribe/events?subscribe_type=events&client_id=c&channel={to}", timeout=60)
query = {"RequestTypeData": 2, "ClientID": "c", "Channel": "gated_requests", "BodyString": "Hello", "Timeout": 60000,
         "Tags": {"stream-to": to}}
said = []
with concurrent.futures.ThreadPoolExecutor() as pool:
    gate(1)
    asking = pool.submit(requests.post, f"http://{rest}/send/request", json=query, timeout=60)
    while len(said) < 6:
        said.append(json.loads(chunks.recv())["BodyString"])
        gate(len(said) + 1)
    gate(1000)
    reply = asking.result().json()["data"]
while len(said) < int(reply["Tags"]["chunks"]):
    said.append(json.loads(chunks.recv())["BodyString"])
assert "".join(said) == json.loads(reply["BodyString"])["response"], (said, reply)
"""


def test_a_stream_comes_word_by_word_over_a_websocket(cluster):
    cluster.simulator.reset()
    done = run(python(), "-c", STREAM, cluster.gateway.doors["rest"], cluster.simulator.url)
    assert done.returncode == 0, done.stderr


def test_the_admin_port_has_the_same_rest_beside_its_own(cluster):
    admin = f"http://{cluster.gateway.doors['admin']}"
    assert curl(f"{admin}/health") == ("healthy", 200)
    assert curl(f"{admin}/")[0] == "hi"
    reply, status = post(f"{admin}/send/request", query())
    assert status == 200 and "Hello" in reply["data"]["BodyString"]


def test_ping_and_what_is_not_there(cluster):
    body, status = curl(rest(cluster, "/ping"))
    assert status == 200 and json.loads(body)["data"]["Version"] == "v2.4.0"
    body, status = curl(rest(cluster, "/no/such/path"))
    assert status == 404 and json.loads(body) == {"error_code": 404, "message": "Not Found"}


def test_a_long_prompt_comes_through_whole(cluster):
    prompt = "x" * 20_000
    body, status = curl_file(rest(cluster, "/send/request"), query(BodyString=prompt), cluster.folder)
    assert status == 200 and body["data"]["Executed"]
    assert cluster.simulator.last()["messages"][-1]["content"] == prompt


def curl_file(url, document, folder):
    file = folder / "request.json"
    file.write_text(json.dumps(document))
    body, status = curl(url, "-H", "Content-Type: application/json", "--data-binary", f"@{file}")
    return json.loads(body), status


def test_a_failure_says_what_is_wrong_and_never_the_key(cluster):
    reply, status = post(rest(cluster, "/send/request"), query("refused_requests"))
    assert status == 200 and reply["data"]["Error"]
    body, status = post(rest(cluster, "/model"), {"model_type": "refused", "input_data": "x"})
    assert status >= 400 and body["error"]["message"] == reply["data"]["Error"]
    assert CANARY not in json.dumps([reply, body]) + cluster.logs()


def test_a_form_post_a_web_page_may_send_is_refused(cluster):
    body, status = curl(rest(cluster, "/send/request"), "-d", json.dumps(query()))
    assert status == 400 and "Unsupported Media Type" in json.loads(body)["message"]


# ---- abuse ----


def raw(cluster, data):
    """What the door says to these bytes until it closes."""
    host, port = cluster.gateway.doors["rest"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(data)
        said = b""
        while part := connection.recv(65536):
            said += part
    return said.decode(errors="replace")


ABUSE = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "HTTP/1.1 400"),
    "two lengths": (
        b"POST /send/request HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 400",
    ),
    "length and chunks": (
        b"POST /send/request HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 400",
    ),
    "huge headers": (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "HTTP/1.1 431"),
    "a giant body": (
        b"POST /send/request HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 413",
    ),
}


@pytest.mark.parametrize("name", ABUSE)
def test_abuse_is_answered_and_the_door_stays_open(cluster, name):
    data, says = ABUSE[name]
    assert raw(cluster, data).startswith(says)
    assert curl(rest(cluster, "/"))[0] == "hi"


def test_many_slow_clients_do_not_keep_others_out(cluster):
    host, port = cluster.gateway.doors["rest"].rsplit(":", 1)
    slow = [socket.create_connection((host, int(port)), timeout=PATIENCE) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"POST /send/request HTTP/1.1\r\nHost: x\r\nX-")
    reply, status = post(rest(cluster, "/send/request"), query())
    assert status == 200 and reply["data"]["Executed"]
    for connection in slow:
        connection.close()
