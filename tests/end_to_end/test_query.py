"""One query, whole: by the command line and by bare gRPC, on both dialects, over every topology."""

import json
import time

import pytest

from harness import NO_KEY, Cluster, route
from wire import error_of

TOPOLOGIES = ("one", "split", "nats", "nats_one")

ROUTES = {
    "openai": route("openai:gpt-4o-mini", "openai:gpt-4o"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "both": route("openai:gpt-4o-mini", "anthropic:claude-sonnet-4-5"),
    "fallback": route("openai:sim-fault-500", "anthropic:claude-sonnet-4-5"),
    "keyless": route("keyless:gpt-4o-mini"),
    "mixed": route("keyless:gpt-4o-mini", "openai:gpt-4o-mini"),
}

CHANNELS = {
    "openai_requests": ("openai", "gpt-4o-mini"),
    "claude_requests": ("anthropic", "claude-sonnet-4-5"),
}
both_channels = pytest.mark.parametrize("channel", CHANNELS)

OPENAI_CHAT = {
    "model": "",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is a queue?"}],
    "temperature": 0.5,
    "max_tokens": 50,
}
ANTHROPIC_MESSAGES = {
    "model": "",
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "What is a queue?"}],
    "temperature": 0.5,
    "max_tokens": 50,
}


def document(shape, model=""):
    body = {**shape, "model": model}
    return json.dumps(body)


# ---- the command line ----


@both_channels
def test_ask_prints_the_answer(cluster, channel):
    name = channel.removesuffix("_requests")
    done = cluster.run("ask", "-r", name, "What is a queue?")
    assert done.returncode == 0, done.stderr
    assert "What is a queue?" in done.stdout


@both_channels
def test_ask_with_json_prints_the_whole_answer(cluster, channel):
    provider, model = CHANNELS[channel]
    done = cluster.run("ask", "-r", channel.removesuffix("_requests"), "--json", "What is a queue?")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "What is a queue?" in answer["response"]
    assert (answer["provider"], answer["model"], answer["attempts"]) == (provider, model, 1)
    assert answer["usage"]["input_tokens"] > 0 and answer["usage"]["output_tokens"] > 0


def test_ask_reads_the_question_from_its_standard_input(cluster):
    done = cluster.run("ask", "-r", "openai", stdin="What is a pipe?\n")
    assert done.returncode == 0, done.stderr
    assert "What is a pipe?" in done.stdout


def test_routes_lists_what_the_workers_serve(cluster):
    done = cluster.run("routes")
    assert done.returncode == 0, done.stderr
    for name in ROUTES:
        assert name in done.stdout
    assert "claude-sonnet-4-5" in done.stdout


def test_chat_keeps_the_conversation(cluster):
    cluster.simulator.reset()
    done = cluster.run("chat", "-r", "openai", stdin="My name is Ada.\nWhat is my name?\n")
    assert done.returncode == 0, done.stderr
    last = cluster.simulator.last()
    said = [message["content"] for message in last["messages"] if message["role"] == "user"]
    assert said == ["My name is Ada.", "What is my name?"]


def test_a_route_nobody_serves_is_an_error_at_once_that_names_those_there_are(cluster):
    done = cluster.run("ask", "-r", "opnai", "Hello")
    assert done.returncode == 1
    assert "opnai" in done.stderr
    assert all(name in done.stderr for name in ROUTES), done.stderr


# ---- bare gRPC: text ----


@both_channels
def test_a_text_query_gets_a_json_object(client, channel):
    provider, model = CHANNELS[channel]
    reply = client.query(channel, "What is a queue?")
    assert (reply.Executed, reply.Error) == (True, "")
    body = json.loads(reply.Body)
    assert sorted(body) == ["model", "provider", "response", "usage"]
    assert "What is a queue?" in body["response"]
    assert (body["provider"], body["model"]) == (provider, model)
    assert sorted(body["usage"]) == ["input_tokens", "output_tokens"]


@both_channels
def test_a_replys_tags_say_what_it_took(client, channel):
    provider, model = CHANNELS[channel]
    tags = client.query(channel, "What is a queue?").Tags
    assert (tags["content-type"], tags["provider"], tags["model"]) == ("application/json", provider, model)
    assert tags["attempts"] == "1"
    assert int(tags["input-tokens"]) > 0 and int(tags["output-tokens"]) > 0
    assert int(tags["queue-ms"]) >= 0
    assert tags["query"] != ""
    assert "warnings" not in tags


def test_request_ids_are_echoed_and_query_ids_are_ours(client):
    own = {
        "request-id": "r-1",
        "idempotency-key": "i-1",
        "traceparent": "00-1-2-01",
        "query": "forged",
        "tenant": "x",
    }
    first, second = (client.query("openai_requests", "Hello", own).Tags for _ in range(2))
    assert (first["request-id"], first["idempotency-key"], first["traceparent"]) == ("r-1", "i-1", "00-1-2-01")
    assert len({first["query"], second["query"], "forged"}) == 3


def test_the_wires_own_fields_are_filled(client):
    for tags in ({}, {"model": "none-of-ours"}):
        before = time.time_ns()
        reply = client.query("openai_requests", "Hello", tags, RequestID="my-own-id")
        assert reply.RequestID == "my-own-id"
        assert before - 10**9 < reply.Timestamp < time.time_ns() + 10**9


def test_accept_text_plain_gets_the_answer_alone(client):
    reply = client.query("openai_requests", "What is a queue?", {"accept": "text/plain"})
    assert reply.Tags["content-type"] == "text/plain"
    as_json = json.loads(client.query("openai_requests", "What is a queue?").Body)
    assert reply.Body.decode() == as_json["response"]


def test_the_tags_of_a_text_query_reach_the_provider(cluster, client):
    cluster.simulator.reset()
    tags = {"temperature": "0.25", "max-tokens": "7", "system": "Be brief.", "model": "gpt-4o"}
    assert client.query("openai_requests", "What is a queue?", tags).Executed
    sent = cluster.simulator.last()
    assert (sent["model"], sent["temperature"]) == ("gpt-4o", 0.25)
    assert 7 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert client.query("claude_requests", "What is a queue?", {**tags, "model": ""}).Executed
    sent = cluster.simulator.last()
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("claude-sonnet-4-5", 0.25, 7)
    assert sent["system"] in ("Be brief.", [{"type": "text", "text": "Be brief."}])


def test_a_prompt_comes_through_byte_for_byte(cluster, client):
    prompt = ' \u00e4\u00f6 \U0001f600 "quoted" \\ back\tslash\r\nnew line {"json": [1]} \u0000 end\n'
    for channel in CHANNELS:
        assert client.query(channel, prompt).Executed
        content = cluster.simulator.last()["messages"][-1]["content"]
        assert content in (prompt, [{"type": "text", "text": prompt}])


# ---- models and targets ----


@pytest.mark.parametrize(
    "model, meant", [("gpt-4o", "gpt-4o"), ("openai", "gpt-4o-mini"), ("openai/gpt-4o", "gpt-4o")]
)
def test_a_model_is_one_of_the_routes(client, model, meant):
    reply = client.query("openai_requests", "Hello", {"model": model})
    assert (reply.Executed, reply.Tags["model"]) == (True, meant)


def test_a_model_the_route_does_not_list_is_refused(client):
    reply = client.query("openai_requests", "Hello", {"model": "gpt-9"})
    assert not reply.Executed
    assert reply.Error == 'route openai has no model "gpt-9": it lists gpt-4o-mini, gpt-4o; or leave the model out'
    assert error_of(reply)["code"] == "unknown_model"


def test_the_second_target_answers_when_the_first_fails(client):
    reply = client.query("fallback_requests", "Hello")
    assert reply.Executed, reply.Error
    assert (reply.Tags["provider"], reply.Tags["attempts"]) == ("anthropic", "2")


def test_a_provider_without_a_key_names_the_variable(client):
    reply = client.query("keyless_requests", "Hello")
    assert not reply.Executed
    assert reply.Error == NO_KEY
    assert (error_of(reply)["code"], reply.Tags["attempts"]) == ("provider_key_missing", "0")


def test_a_target_without_a_key_is_passed_over(client):
    reply = client.query("mixed_requests", "Hello")
    assert (reply.Executed, reply.Tags["provider"], reply.Tags["attempts"]) == (True, "openai", "1")


# ---- dialects ----


@both_channels
def test_openai_chat_is_spoken_with_every_provider(cluster, client, channel):
    cluster.simulator.reset()
    reply = client.query(channel, document(OPENAI_CHAT), {"dialect": "openai.chat"})
    assert reply.Executed, reply.Error
    body = json.loads(reply.Body)
    assert (body["object"], body["model"]) == ("chat.completion", CHANNELS[channel][1])
    message = body["choices"][0]["message"]
    assert message["role"] == "assistant" and "What is a queue?" in message["content"]
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    sent = cluster.simulator.last()
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == (CHANNELS[channel][1], 0.5, 50)


@both_channels
def test_anthropic_messages_is_spoken_with_every_provider(cluster, client, channel):
    cluster.simulator.reset()
    reply = client.query(channel, document(ANTHROPIC_MESSAGES), {"dialect": "anthropic.messages"})
    assert reply.Executed, reply.Error
    body = json.loads(reply.Body)
    assert (body["type"], body["role"], body["model"]) == ("message", "assistant", CHANNELS[channel][1])
    assert "What is a queue?" in body["content"][0]["text"]
    assert body["stop_reason"] in ("end_turn", "max_tokens")
    assert body["usage"]["input_tokens"] > 0 and body["usage"]["output_tokens"] > 0
    assert cluster.simulator.last()["temperature"] == 0.5


def test_json_without_a_dialect_is_openai_chat(client):
    reply = client.query("claude_requests", document(OPENAI_CHAT), {"content-type": "application/json"})
    assert json.loads(reply.Body)["object"] == "chat.completion"


def test_fields_we_do_not_know_pass_through_to_a_provider_of_the_same_dialect(cluster, client):
    extra = {"metadata": {"order": "z, a"}, "service_tier": "flex", "logit_bias": {"50256": -100}}
    body = json.dumps({**OPENAI_CHAT, "model": "gpt-4o", **extra})
    reply = client.query("openai_requests", body, {"dialect": "openai.chat"})
    assert reply.Executed, reply.Error
    sent = cluster.simulator.last()
    assert {name: sent[name] for name in extra} == extra


def test_what_the_target_cannot_express_is_named_in_warnings(client):
    body = json.dumps({**OPENAI_CHAT, "model": "", "logit_bias": {"50256": -100}})
    reply = client.query("claude_requests", body, {"dialect": "openai.chat"})
    assert reply.Executed, reply.Error
    assert "logit_bias" in reply.Tags["warnings"]


@pytest.mark.parametrize("dialect", ["openai.chat", "anthropic.messages"])
def test_a_failure_has_the_dialects_own_error_object(client, dialect):
    shape = OPENAI_CHAT if dialect == "openai.chat" else ANTHROPIC_MESSAGES
    reply = client.query("both_requests", document(shape, "gpt-9"), {"dialect": dialect})
    assert not reply.Executed
    body = json.loads(reply.Body)
    assert body["error"]["message"] == reply.Error
    if dialect == "anthropic.messages":
        assert (body["type"], body["error"]["type"]) == ("error", "not_found_error")
    else:
        assert sorted(body["error"]) == ["code", "message", "param", "type"]


# ---- many at once ----


def test_many_queries_run_at_once_and_none_is_mixed_up(client):
    futures = {n: client.start("both_requests", f"number {n} of many") for n in range(200)}
    for number, future in futures.items():
        assert f"number {number} of many" in json.loads(future.result().Body)["response"]


# ---- the wire's query cache ----


def test_a_cached_query_is_answered_without_the_worker(cluster, client):
    cluster.simulator.reset()
    fields = {"CacheKey": f"key-{time.monotonic_ns()}", "CacheTTL": 600}
    first = client.query("openai_requests", "Cache me", RequestID="first", **fields)
    second = client.query("openai_requests", "Cache me", RequestID="second", **fields)
    assert (first.CacheHit, second.CacheHit) == (False, True)
    assert (second.Body, second.RequestID) == (first.Body, "second")
    assert len(cluster.simulator.requests()) == 1


# ---- simulated providers ----


def test_serve_with_simulate_answers_for_providers_that_have_no_key(topology, tmp_path):
    if topology != "one":
        pytest.skip("--simulate is of the process that has the worker; nothing here depends on the topology")
    one = Cluster("one", tmp_path, {"openai": route("keyless:gpt-4o-mini")}, serve=["--simulate"])
    done = one.run("ask", "-r", "openai", "--json", "Hello")
    one.stop()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["provider"] == "simulated"
    assert "simulat" in one.gateway.errors()
