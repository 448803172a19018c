"""OpenAI's and Anthropic's SDKs for Node, unmodified, each to providers of both dialects (sdk/node_http)."""

import json
import shutil
import subprocess

import pytest

from harness import PATIENCE, SDK, clean_environment
from http_cases import ROUTES, SPOKEN, TALKERS
from sdks import need_environment

assert ROUTES  # the cluster's

_printed = {}  # each script runs once for all of its cases


def printed(cluster, script, *arguments):
    key = (cluster.http, script, arguments)
    if key not in _printed:
        need_environment("node_http")
        if not shutil.which("node"):
            pytest.skip("node is not installed: apt-get install nodejs")
        command = ["node", SDK / "node_http" / script, cluster.http, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * 3, env=clean_environment())
        assert done.returncode == 0, done.stderr
        _printed[key] = {line["case"]: line for line in map(json.loads, done.stdout.splitlines())}
    return _printed[key]


@pytest.fixture(params=["openai_sdk.mjs", "anthropic_sdk.mjs"], ids=["openai", "anthropic"])
def script(request):
    return request.param


every_talker = pytest.mark.parametrize("model", TALKERS)


def case(cluster, script, model, name):
    more = ["embed"] if script == "openai_sdk.mjs" else []
    return printed(cluster, script, model, *more)[name]


def result(*arguments):
    found = case(*arguments)
    assert "result" in found, found
    return found["result"]


@every_talker
def test_it_is_answered(cluster, script, model):
    reply = result(cluster, script, model, "chat")
    assert SPOKEN[model] in reply["text"] and reply["finish"] in ("stop", "end_turn")


@every_talker
def test_a_stream_is_the_whole_answer(cluster, script, model):
    whole, stream = (result(cluster, script, model, name) for name in ("chat", "stream"))
    assert (stream["text"], stream["finish"]) == (whole["text"], whole["finish"])
    assert stream.get("chunks", stream.get("pieces")) > 6
    tokens = "completion_tokens" if "completion_tokens" in whole["usage"] else "output_tokens"
    assert stream["usage"][tokens] == whole["usage"][tokens]


@every_talker
def test_a_streamed_tool_call_is_put_together(cluster, script, model):
    call = result(cluster, script, model, "tools")
    assert (call["name"], call["input"]) == ("get_weather", {"city": "Oslo"})
    assert call["finish"] in ("tool_calls", "tool_use")


@every_talker
def test_an_image_arrives(cluster, script, model):
    assert "look [image image/png 8 bytes #" in result(cluster, script, model, "vision")["text"]


@every_talker
def test_an_answer_has_the_schema_asked_for(cluster, model):
    assert result(cluster, "openai_sdk.mjs", model, "structured") == {"city": "Oslo"}


@every_talker
def test_models_are_listed_and_found(cluster, script, model):
    models = result(cluster, script, model, "models")
    assert {"gpt", "claude"} <= set(models["ids"]) and models["one"] == model


@every_talker
def test_errors_are_of_the_sdks_own_classes(cluster, script, model):
    refused, unknown = (case(cluster, script, model, name) for name in ("bad_request", "not_found"))
    assert (refused["raised"], refused["status"]) == ("BadRequestError", 400)
    assert (unknown["raised"], unknown["status"]) == ("NotFoundError", 404)


def test_embeddings_in_base64_are_those_in_floats(cluster):
    embeddings = result(cluster, "openai_sdk.mjs", "gpt", "embeddings")
    assert embeddings["sizes"] == [4, 4] and embeddings["far"] < 1e-6


def test_tokens_are_counted(cluster):
    assert result(cluster, "anthropic_sdk.mjs", "claude", "count_tokens")["input_tokens"] == 3


def test_a_file_is_kept_read_and_deleted(cluster):
    assert result(cluster, "openai_sdk.mjs", "gpt", "files") == {"content": "{}\n", "bytes": 3, "deleted": True}
