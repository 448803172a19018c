"""Traces: W3C trace context from a caller to a provider, and the spans that a collector gets."""

import json
import secrets
import urllib.error
import urllib.request

import pytest

from collector import Collector
from harness import CANARY, PATIENCE, Cluster, eventually, get, route

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "failover": route("openai:sim-fault-500", "anthropic:claude-sonnet-4-5"),
    "refused": route("openai:sim-fault-401"),
    "opinion": {"chain": [{"route": "openai", "prompt": "Sum up: {input}"}]},
}
TOPOLOGIES = ("one", "split", "nats")

SECRET = "a prompt that nobody traces"
TOKEN = "Basic b3RlbDpjYW5hcnk="
SERVER, CLIENT, CONSUMER = 2, 3, 5


@pytest.fixture(scope="module")
def collector():
    made = Collector()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def cluster(topology, collector, tmp_path_factory):
    tracing = {"endpoint": collector.url, "headers": {"Authorization": "${OTLP_TOKEN}"}, "sample_percent": 100}
    made = Cluster(
        topology, tmp_path_factory.mktemp(topology), ROUTES, {"tracing": tracing}, environment={"OTLP_TOKEN": TOKEN}
    )
    yield heard(made)
    made.stop()


def heard(cluster):
    """The cluster, once its gateway has heard of a worker."""
    eventually(lambda: '"opinion"' in get(f"{cluster.http}/v1/models"), "the gateway to know the routes")
    return cluster


class Caller:
    """A trace of a caller's, as it begins there."""

    def __init__(self, flags="01"):
        self.trace = secrets.token_hex(16)
        self.span = "00f067aa0ba902b7"
        self.traceparent = f"00-{self.trace}-{self.span}-{flags}"
        self.headers = {"traceparent": self.traceparent, "tracestate": "congo=t61rcWkgMzE"}


def ask(cluster, model, headers, **more):
    body = {"model": model, "messages": [{"role": "user", "content": SECRET}], **more}
    request = urllib.request.Request(
        f"{cluster.http}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.read().decode()


def provider_headers(cluster):
    return cluster.simulator.requests()[-1]["headers"]


def children(spans, parent):
    return [span for span in spans if span.get("parentSpanId") == parent]


def test_door_worker_and_attempt_are_one_below_the_other(cluster, collector):
    caller = Caller()
    usage = json.loads(ask(cluster, "openai", caller.headers))["usage"]
    spans = collector.await_spans(caller.trace, 3)
    assert len(spans) == 3
    (door,) = children(spans, caller.span)
    (worker,) = children(spans, door["spanId"])
    (attempt,) = children(spans, worker["spanId"])
    assert [span["kind"] for span in (door, worker, attempt)] == [SERVER, SERVER, CLIENT]
    assert (door["name"], worker["name"]) == ("POST /v1/chat/completions", "chat gpt-4o-mini")
    assert attempt["name"] == worker["name"]
    assert (door["process"] == worker["process"]) == (cluster.topology == "one")
    assert worker["process"] == attempt["process"]
    assert door["of"]["http.route"] == "/v1/chat/completions"
    assert door["of"]["http.response.status_code"] == "200"
    told = worker["of"]
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "openai"
    assert told["gen_ai.request.model"] == told["gen_ai.response.model"] == "gpt-4o-mini"
    assert told["gen_ai.usage.input_tokens"] == str(usage["prompt_tokens"])
    assert told["gen_ai.usage.output_tokens"] == str(usage["completion_tokens"])
    assert told["llm_router.route"] == door["of"]["llm_router.route"] == "openai"
    for outer, inner in ((door, worker), (worker, attempt)):
        assert int(inner["startTimeUnixNano"]) >= int(outer["startTimeUnixNano"])
        assert int(inner["endTimeUnixNano"]) <= int(outer["endTimeUnixNano"])
    assert not any("status" in span or "error.type" in span["of"] for span in spans)
    assert collector.bodies[-1][0]["authorization"] == TOKEN


def test_the_provider_is_told_the_attempt_and_the_callers_state(cluster, collector):
    caller = Caller()
    ask(cluster, "openai", caller.headers)
    headers = provider_headers(cluster)
    attempt = collector.await_spans(caller.trace, 3)[-1]
    assert headers["traceparent"] == f"00-{caller.trace}-{attempt['spanId']}-01"
    assert headers["tracestate"] == caller.headers["tracestate"]


def test_the_workers_log_names_the_trace(cluster):
    caller = Caller()
    ask(cluster, "openai", caller.headers)
    text = f'"trace_id":"{caller.trace}"'
    eventually(lambda: any(text in worker.errors() for worker in cluster.workers), "the query's line in the log")


def test_a_streamed_query_is_traced_to_its_end(cluster, collector):
    caller = Caller()
    assert "data: [DONE]" in ask(cluster, "openai", caller.headers, stream=True)
    spans = collector.await_spans(caller.trace, 3)
    (door,) = children(spans, caller.span)
    assert "error.type" not in door["of"] and door["of"]["http.response.status_code"] == "200"


def test_each_attempt_of_a_failover_is_a_span(cluster, collector):
    caller = Caller()
    ask(cluster, "failover", caller.headers)
    spans = collector.await_spans(caller.trace, 4)
    worker = spans[1]
    first, second = children(spans, worker["spanId"])
    assert (first["of"]["error.type"], first["status"]) == ("provider_failed", {"code": 2})
    assert (second["of"]["gen_ai.provider.name"], "error.type" in second["of"]) == ("anthropic", False)
    assert [span["of"]["llm_router.attempt"] for span in (first, second)] == ["1", "2"]
    assert worker["of"]["llm_router.attempts"] == "2" and "status" not in worker


def test_a_failure_is_told_at_every_step(cluster, collector):
    caller = Caller()
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(cluster, "refused", caller.headers)
    spans = collector.await_spans(caller.trace, 3)
    assert [span["of"].get("error.type") for span in spans] == ["provider_auth"] * 3
    assert spans[0]["of"]["http.response.status_code"] == str(refused.value.code)


def test_a_kubemq_query_is_traced_and_its_caller_gets_its_own_traceparent_back(cluster, collector, client):
    caller = Caller()
    reply = client.query("openai_requests", SECRET, caller.headers)
    assert reply.Executed and reply.Tags["traceparent"] == caller.traceparent
    door, worker, attempt = collector.await_spans(caller.trace, 3)
    assert door["parentSpanId"] == caller.span and door["name"] == "query openai_requests"
    assert (worker["parentSpanId"], attempt["parentSpanId"]) == (door["spanId"], worker["spanId"])


def test_the_steps_of_a_chain_are_below_it(cluster, collector, client):
    caller = Caller()
    assert client.query("opinion_requests", SECRET, caller.headers).Executed
    # A worker that is joined by gRPC asks a step by the gateway's door.
    doors = ["openai"] if cluster.topology == "split" else []
    spans = collector.await_spans(caller.trace, 4 + len(doors))
    by_id = {span["spanId"]: span for span in spans}
    attempt = spans[-1]
    line = [attempt]
    while line[-1].get("parentSpanId") in by_id:
        line.append(by_id[line[-1]["parentSpanId"]])
    routes = [span["of"].get("llm_router.route") for span in line]
    assert routes == [None, "openai", *doors, "opinion", "opinion"]
    assert line[-1]["parentSpanId"] == caller.span


def test_the_run_of_a_job_is_in_the_trace_of_who_submitted_it(cluster, collector):
    caller = Caller()
    job = json.loads(ask(cluster, "openai", {**caller.headers, "prefer": "respond-async"}))
    door, run, attempt = collector.await_spans(caller.trace, 3)
    assert (door["parentSpanId"], door["of"]["http.response.status_code"]) == (caller.span, "202")
    assert (run["kind"], run["parentSpanId"]) == (CONSUMER, door["spanId"])
    assert run["of"]["llm_router.job"] == job["id"]
    assert attempt["parentSpanId"] == run["spanId"]


def test_a_trace_that_its_caller_does_not_record_is_not_recorded(cluster, collector):
    quiet, after = Caller(flags="00"), Caller()
    ask(cluster, "openai", quiet.headers)
    assert provider_headers(cluster)["traceparent"] == quiet.traceparent
    ask(cluster, "openai", after.headers)
    collector.await_spans(after.trace, 3)
    assert collector.spans(quiet.trace) == []


@pytest.mark.parametrize("bad", ["00-1-2-01", "x" * 2000, f"00-{'0' * 32}-00f067aa0ba902b7-01"])
def test_a_bad_traceparent_begins_a_trace_and_is_neither_an_error_nor_logged(cluster, collector, bad):
    request_id = secrets.token_hex(8)
    ask(cluster, "openai", {"traceparent": bad, "tracestate": "of=nothing", "x-request-id": request_id})
    headers = provider_headers(cluster)
    assert "tracestate" not in headers
    trace = headers["traceparent"].split("-")[1]
    spans = collector.await_spans(trace, 3)
    assert "parentSpanId" not in spans[0] and spans[1]["of"]["llm_router.request_id"] == request_id
    assert bad not in cluster.logs()


def test_no_body_and_no_key_is_in_a_span(cluster, collector):
    caller = Caller()
    ask(cluster, "openai", caller.headers)
    collector.await_spans(caller.trace, 3)
    told = "".join(body for _, body in collector.bodies)
    assert SECRET not in told and CANARY not in told
    assert TOKEN not in cluster.logs()


def test_what_was_traced_is_sent_before_a_process_ends(topology, tmp_path):
    collector, caller = Collector(), Caller()
    cluster = heard(Cluster(topology, tmp_path, ROUTES, {"tracing": {"endpoint": collector.url, "sample_percent": 100}}))
    ask(cluster, "openai", caller.headers)
    cluster.stop()
    assert len(collector.spans(caller.trace)) == 3
    collector.stop()


def test_without_tracing_a_trace_goes_on_to_the_provider_and_none_begins(make_cluster):
    cluster, caller = heard(make_cluster(ROUTES)), Caller()
    ask(cluster, "openai", caller.headers)
    headers = provider_headers(cluster)
    assert (headers["traceparent"], headers["tracestate"]) == (caller.traceparent, caller.headers["tracestate"])
    for sent in ({}, {"traceparent": "00-1-2-01", "tracestate": "of=nothing"}):
        ask(cluster, "openai", sent)
        headers = provider_headers(cluster)
        assert "traceparent" not in headers and "tracestate" not in headers


def test_a_collector_that_is_not_there_costs_spans_and_nothing_else(make_cluster):
    gone = Collector()
    gone.stop()
    tracing = {"endpoint": gone.url, "headers": {"Authorization": TOKEN}, "sample_percent": 100}
    cluster = heard(make_cluster(ROUTES, extra={"tracing": tracing}))
    assert "choices" in ask(cluster, "openai", {})
    said = eventually(lambda: "spans not sent to" in cluster.logs() and cluster.logs(), "a word about it in the log")
    assert gone.url in said and TOKEN not in said
