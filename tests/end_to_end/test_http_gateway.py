"""The HTTP door of OpenAI and Anthropic, by plain HTTP, over both topologies; README's examples run as they are shown."""

import contextlib
import http.client
import json
import re
import shutil
import subprocess

import pytest

from harness import PATIENCE, REPOSITORY, SDK, clean_environment, eventually, post, route
from sdks import need_environment

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "gated": route("openai:gpt-4o-sim-gate-g-sim-tokens-6"),
    "gatedclaude": route("anthropic:claude-sim-gate-g-sim-tokens-6"),
    "endless": route("openai:gpt-4o-sim-gate-never-sim-tokens-50"),
    "slow": route("openai:gpt-4o-sim-latency-60000"),
    "busy": route("openai:sim-fault-429-sim-retry_after-7"),
    "cut": route("openai:gpt-4o-sim-fault-cut_stream-sim-after-3-sim-tokens-9"),
    "embed": route("openai:text-embedding-3-small"),
}
EXAMPLES = REPOSITORY / "client" / "examples" / "http"


def chat(model, **more):
    return {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}


def messages(model, **more):
    return chat(model, max_tokens=100, **more)


def completion(model, **more):
    return {"model": model, "prompt": "Hello", **more}


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read().decode()

    @property
    def json(self):
        return json.loads(self.body)


@contextlib.contextmanager
def opened(cluster, method, path, document=None, **headers):
    """A response whose body is not read yet, and its connection."""
    connection = http.client.HTTPConnection(cluster.gateway.doors["http"], timeout=PATIENCE)
    try:
        body = None if document is None else json.dumps(document)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"content-type": "application/json", **named})
        yield connection.getresponse()
    finally:
        connection.close()


def send(cluster, method, path, document=None, **headers):
    with opened(cluster, method, path, document, **headers) as response:
        return Answer(response)


def frames(response):
    """Server-sent events as they come: (event, data)."""
    event = ""
    for line in response:
        text = line.decode().rstrip("\r\n")
        if text.startswith("event: "):
            event = text[7:]
        if text.startswith("data: "):
            yield event, text[6:]
            event = ""


def counters(cluster):
    return cluster.simulator.counters()


# ---- README ----


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_readme_shows_the_examples_as_they_are_and_they_run(cluster, tmp_path, name):
    blocks = re.findall(r"^```sh\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.S | re.M)
    text = (EXAMPLES / name).read_text()
    assert text in blocks, name
    if not shutil.which("curl"):
        pytest.skip("curl is not installed: apt-get install curl")
    script = tmp_path / name
    script.write_text(text.replace("127.0.0.1:4000", cluster.gateway.doors["http"]))
    done = subprocess.run(
        ["sh", script], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    says = {
        "batch.sh": '"status":"in_progress"',
        "chat.sh": '"choices"',
        "job.sh": "event: completed",
        "stream.sh": "event: message_stop",
    }
    assert says[name] in done.stdout


# ---- whole replies ----


def test_each_api_gets_its_own_reply_whatever_the_provider_speaks(cluster):
    for model in ("openai", "claude"):
        reply = send(cluster, "POST", "/v1/chat/completions", chat(model))
        assert reply.status == 200, reply.body
        assert "Hello" in reply.json["choices"][0]["message"]["content"]
        reply = send(cluster, "POST", "/v1/messages", messages(model))
        assert reply.status == 200, reply.body
        assert reply.json["type"] == "message" and "Hello" in reply.json["content"][0]["text"]
        assert reply.headers["request-id"]


def test_what_became_of_a_request_is_in_its_headers(cluster):
    reply = send(cluster, "POST", "/v1/chat/completions", chat("openai"), x_request_id="mine-1")
    assert reply.headers["x-request-id"] == "mine-1"
    assert reply.headers["x-llm-router-provider"] == "openai"
    assert reply.headers["x-llm-router-model"].startswith("gpt-4o-mini")
    assert reply.headers["x-llm-router-attempts"] == "1"
    assert int(reply.headers["openai-processing-ms"]) >= 0


def test_a_beta_of_anthropics_goes_on_to_a_provider_of_the_same_dialect_only(cluster):
    def header_of_the_last():
        headers = {name.lower(): value for name, value in cluster.simulator.requests()[-1]["headers"].items()}
        return headers.get("anthropic-beta")

    beta = "prompt-caching-2024-07-31"
    assert send(cluster, "POST", "/v1/messages", messages("claude"), anthropic_beta=beta).status == 200
    assert header_of_the_last() == beta
    assert send(cluster, "POST", "/v1/messages", messages("openai"), anthropic_beta=beta).status == 200
    assert header_of_the_last() is None


def test_embeddings_completions_and_token_counts(cluster):
    reply = send(cluster, "POST", "/v1/embeddings", {"model": "embed", "input": "Hello"})
    assert reply.status == 200, reply.body
    assert reply.json["data"][0]["object"] == "embedding"
    reply = send(cluster, "POST", "/v1/completions", completion("openai"))
    assert reply.status == 200, reply.body
    assert reply.json["choices"][0]["text"]
    reply = send(cluster, "POST", "/v1/messages/count_tokens", chat("claude"))
    assert reply.status == 200, reply.body
    assert reply.json["input_tokens"] > 0


def test_errors_have_the_shape_of_the_api_that_was_called(cluster):
    reply = send(cluster, "POST", "/v1/chat/completions", chat("nothing"))
    assert reply.status == 404 and set(reply.json["error"]) >= {"message", "type", "param", "code"}
    reply = send(cluster, "POST", "/v1/messages", messages("nothing"))
    assert reply.status == 404 and reply.json["error"]["type"] == "not_found_error"
    assert reply.json["request_id"] == reply.headers["request-id"]
    reply = send(cluster, "POST", "/v1/chat/completions", chat("busy"))
    assert reply.status in (429, 503) and reply.headers["retry-after"] == "7"


def test_models_are_listed_for_each_api(cluster):
    ids = [model["id"] for model in send(cluster, "GET", "/v1/models").json["data"]]
    assert {"openai", "claude", "openai/gpt-4o-mini", "gpt-4o-mini"} <= set(ids)
    listed = send(cluster, "GET", "/v1/models?limit=1", anthropic_version="2023-06-01").json
    assert listed["has_more"] is True and listed["data"][0]["type"] == "model"
    assert send(cluster, "GET", "/v1/models/openai/gpt-4o-mini").json["id"] == "openai/gpt-4o-mini"


# ---- streams ----


STREAMED = {"/v1/chat/completions": chat, "/v1/completions": completion, "/v1/messages": messages}


@pytest.mark.parametrize("model", ["gated", "gatedclaude"])
@pytest.mark.parametrize("path", STREAMED)
def test_no_token_waits_for_the_one_after_it(cluster, path, model):
    cluster.simulator.reset()
    url = f"{cluster.simulator.url}/simulate/gate"
    post(url, {"name": "g", "frames": 1})
    said = []
    with opened(cluster, "POST", path, STREAMED[path](model, stream=True)) as response:
        assert response.status == 200
        assert response.getheader("content-type") == "text/event-stream"
        for _, data in frames(response):
            if data == "[DONE]":
                break
            if text := text_of(json.loads(data)):
                said.append(text)
                post(url, {"name": "g", "frames": len(said) + 1})
    assert len(said) >= 6


def text_of(frame):
    """What a frame of any API adds to the text."""
    if frame.get("choices"):
        choice = frame["choices"][0]
        return choice["delta"].get("content") or "" if "delta" in choice else choice["text"]
    return frame.get("delta", {}).get("text", "")


def test_a_stream_is_the_text_of_the_whole_reply(cluster):
    whole = send(cluster, "POST", "/v1/chat/completions", chat("openai")).json["choices"][0]["message"]["content"]
    with opened(cluster, "POST", "/v1/chat/completions", chat("openai", stream=True)) as response:
        data = [data for _, data in frames(response)]
    assert data[-1] == "[DONE]"
    assert "".join(text_of(json.loads(frame)) for frame in data[:-1]) == whole


def test_a_cut_ends_in_an_error_frame_of_the_callers_api(cluster):
    with opened(cluster, "POST", "/v1/chat/completions", chat("cut", stream=True)) as response:
        data = [json.loads(data) for _, data in frames(response) if data != "[DONE]"]
    assert "error" in data[-1] and sum("error" in frame for frame in data) == 1
    with opened(cluster, "POST", "/v1/messages", messages("cut", stream=True)) as response:
        events = list(frames(response))
    assert events[-1][0] == "error" and json.loads(events[-1][1])["error"]["message"]


def test_a_failure_before_the_first_token_is_an_http_error(cluster):
    reply = send(cluster, "POST", "/v1/chat/completions", chat("busy", stream=True))
    assert reply.status in (429, 503) and reply.json["error"]["message"]


# ---- cancel ----


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_aborts_the_provider_call(cluster, stream):
    cluster.simulator.reset()
    before = counters(cluster)["aborted"]
    model = "endless" if stream else "slow"
    if stream:
        post(f"{cluster.simulator.url}/simulate/gate", {"name": "never", "frames": 1})
        with opened(cluster, "POST", "/v1/chat/completions", chat(model, stream=True)) as response:
            assert response.status == 200
            next(frames(response))
    else:
        connection = http.client.HTTPConnection(cluster.gateway.doors["http"], timeout=PATIENCE)
        connection.request("POST", "/v1/chat/completions", json.dumps(chat(model)))
        eventually(lambda: counters(cluster)["in_flight"] > 0, "the provider call")
        connection.close()
    eventually(lambda: counters(cluster)["aborted"] > before, "the provider call's end")


# ---- jobs, files, batches ----


def test_a_job_is_made_followed_and_read(cluster):
    made = send(cluster, "POST", "/v1/messages", messages("openai"), prefer="respond-async")
    assert made.status == 202
    path = made.headers["location"]
    with opened(cluster, "GET", path + "/events") as response:
        states = [event for event, _ in frames(response) if event != "ping"]
    assert states[-1] == "completed"
    job = send(cluster, "GET", path).json
    assert job["state"] == "completed" and job["result"]["type"] == "message"
    assert send(cluster, "GET", "/v1/jobs/none").status == 404


def test_a_job_is_cancelled(cluster):
    path = send(cluster, "POST", "/v1/chat/completions", chat("slow"), prefer="respond-async").headers["location"]
    assert send(cluster, "DELETE", path).json["state"] == "cancelled"


def upload(cluster, content):
    connection = http.client.HTTPConnection(cluster.gateway.doors["http"], timeout=PATIENCE)
    form = (
        '--XX\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        '--XX\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n'
        f"{content}\r\n--XX--\r\n"
    )
    connection.request(
        "POST", "/v1/files", form.encode(), {"content-type": "multipart/form-data; boundary=XX"}
    )
    answer = Answer(connection.getresponse())
    connection.close()
    assert answer.status == 200, answer.body
    return answer.json


LINES = {
    "/v1/chat/completions": chat("claude"),
    "/v1/completions": completion("openai"),
    "/v1/embeddings": {"model": "embed", "input": "Hello"},
    "/v1/messages": messages("openai"),
    "/v1/messages/count_tokens": chat("claude"),
}


@pytest.mark.parametrize("url", LINES)
def test_a_batch_runs_for_each_endpoint(cluster, url):
    rows = [{"custom_id": f"c{n}", "method": "POST", "url": url, "body": LINES[url]} for n in range(3)]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    file = upload(cluster, content)
    assert send(cluster, "GET", f"/v1/files/{file['id']}/content").body == content
    batch = send(
        cluster,
        "POST",
        "/v1/batches",
        {"input_file_id": file["id"], "endpoint": url, "completion_window": "24h"},
    )
    assert batch.status == 200, batch.body
    path = f"/v1/batches/{batch.json['id']}"
    over = eventually(lambda: (b := send(cluster, "GET", path).json)["status"] == "completed" and b, "the batch")
    assert over["request_counts"] == {"total": 3, "completed": 3, "failed": 0}, over
    output = send(cluster, "GET", f"/v1/files/{over['output_file_id']}/content").body
    rows = [json.loads(line) for line in output.splitlines()]
    assert sorted(row["custom_id"] for row in rows) == ["c0", "c1", "c2"]
    assert all(row["response"]["status_code"] == 200 for row in rows)


# ---- WebSocket ----

CALLS = """
import json, sys, urllib.request, websocket
address, simulator = sys.argv[1:]

def connect():
    return websocket.create_connection(f"ws://{address}/v1/stream", timeout=60)

def read_all(socket):
    pieces = []
    while True:
        message = json.loads(socket.recv())
        if message["type"] != "chunk":
            assert message["type"] == "complete", message
            return "".join(pieces), message["full_response"]
        pieces.append(message["content"])

def gate(frames):
    body = json.dumps({"name": "g", "frames": frames}).encode()
    request = urllib.request.Request(f"{simulator}/simulate/gate", body, {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=60).read()
"""

STREAM = """
socket = connect()
socket.send(json.dumps({"type": "request", "id": "q", "model": "claude", "input": "Hello"}))
text, whole = read_all(socket)
assert text == whole and "Hello" in whole, (text, whole)
"""

WORD_BY_WORD = """
gate(1)
socket = connect()
socket.send(json.dumps({"type": "request", "id": "q", "model": "MODEL", "input": "Hello"}))
said = []
while (message := json.loads(socket.recv()))["type"] == "chunk":
    said.append(message["content"])
    gate(len(said) + 1)
assert len(said) >= 6 and "".join(said) == message["full_response"], (said, message)
"""

CUT = """
gate(2)
socket = connect()
socket.send(json.dumps({"type": "request", "id": "q", "model": "gated", "input": "Hello"}))
first = json.loads(socket.recv())
socket.shutdown()
socket = connect()
socket.send(json.dumps({"type": "resume", "id": first["resume_id"], "after": first["seq"]}))
gate(100)
text, whole = read_all(socket)
assert first["content"] + text == whole, (first, text, whole)
"""

LEAVE = """
gate(1)
socket = connect()
socket.send(json.dumps({"type": "request", "id": "q", "model": "gated", "input": "Hello"}))
assert json.loads(socket.recv())["type"] == "chunk"
socket.shutdown()
"""


SCRIPTS = {
    "streams and completes": STREAM,
    "holds nothing back": WORD_BY_WORD.replace("MODEL", "gated"),
    "holds nothing of another dialect back": WORD_BY_WORD.replace("MODEL", "gatedclaude"),
    "goes on after a cut": CUT,
}


def by_websocket(cluster, steps):
    need_environment("rest")
    cluster.simulator.reset()
    command = [SDK / "rest" / "bin" / "python", "-c", CALLS + steps, cluster.gateway.doors["http"], cluster.simulator.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=clean_environment())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("steps", SCRIPTS.values(), ids=SCRIPTS)
def test_the_websocket(cluster, steps):
    by_websocket(cluster, steps)


def test_a_websocket_that_closes_aborts_its_stream_after_the_linger(cluster):
    by_websocket(cluster, LEAVE)
    eventually(lambda: counters(cluster)["aborted"] == 1, "the provider call's end")
