"""What Prometheus reads of running processes, what is said of it elsewhere, and the log's line about each query."""

import json
import re
import urllib.error

import grpc
import pytest

from exported import exported
from harness import CANARY, REPOSITORY, eventually, post, route

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "failover": route("openai:sim-fault-500", "anthropic:claude-sonnet-4-5"),
    "refused": route("openai:sim-fault-401"),
    "slow": route("openai:sim-fault-hang_before_headers", concurrency=4),
}

SECRET = "a prompt that nobody logs"


def chat(cluster, model, stream=False):
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": SECRET}]}
    return post(f"{cluster.http}/v1/chat/completions", body)


@pytest.fixture(scope="module")
def held(cluster):
    """A batch whose lines the provider holds, four at a time; before it, something of everything else."""
    chat(cluster, "openai")
    chat(cluster, "claude", stream=True)
    chat(cluster, "failover")
    post(f"{cluster.http}/v1/embeddings", {"model": "openai", "input": SECRET})
    with pytest.raises(urllib.error.HTTPError):
        chat(cluster, "refused")
    job = cluster.run("job", "submit", "-r", "openai", SECRET).stdout.strip()
    assert cluster.run("job", "wait", job).returncode == 0
    (cluster.folder / "held.txt").write_text("".join(f"line {number}\n" for number in range(20)))
    batch = cluster.run("batch", "submit", "held.txt", "--text", "-r", "slow").stdout.strip()
    eventually(lambda: exported(cluster).sum("llm_router_attempts_in_flight", route="slow") > 0, "a call that is held")
    eventually(lambda: exported(cluster).sum("llm_router_batch_lines", state="running") > 0, "a look at the batch")
    yield batch
    cluster.run("batch", "cancel", batch)
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 0, "the held calls to be broken off")


# ---- what is counted ----


def test_queries_are_counted_by_route_target_tenant_and_fault(cluster, held):
    found = exported(cluster)
    target = {"gen_ai_provider_name": "openai", "gen_ai_request_model": "gpt-4o-mini", "tenant": "default"}
    chats = {"route": "openai", "gen_ai_operation_name": "chat", **target}
    assert found.sum("llm_router_queries_total", error_type=None, **chats) == 2  # one of them a job
    assert found.sum("gen_ai_server_request_duration_seconds_count", error_type=None, **chats) == 2
    assert found.sum("llm_router_queries_total", route="openai", gen_ai_operation_name="embeddings") == 1
    assert found.sum("llm_router_queries_total", route="refused", error_type="provider_auth") == 1
    assert found.sum("llm_router_queries_total", route="refused", error_type=None) == 0


def test_attempts_are_counted_at_each_target_of_a_failover(cluster, held):
    found = exported(cluster)
    assert found.sum("llm_router_attempts_total", route="failover", error_type="provider_failed") == 1
    assert found.sum("llm_router_attempts_total", route="failover", error_type=None) == 1
    assert found.sum("llm_router_queries_total", route="failover", gen_ai_provider_name="anthropic") == 1
    assert found.sum("gen_ai_client_operation_duration_seconds_count", route="failover") == 2


def test_streams_have_a_first_token_and_others_have_none(cluster, held):
    found = exported(cluster)
    assert found.sum("gen_ai_server_time_to_first_token_seconds_count", route="claude") == 1
    assert found.sum("gen_ai_server_time_to_first_token_seconds_count", route="openai") == 0


def test_tokens_are_those_that_replies_told(cluster, held):
    before = exported(cluster)
    usage = json.loads(chat(cluster, "openai"))["usage"]
    after = exported(cluster)
    for kind, told in (("input", "prompt_tokens"), ("output", "completion_tokens")):
        labels = {"route": "openai", "gen_ai_operation_name": "chat", "gen_ai_token_type": kind}
        for name in ("llm_router_tokens_total", "gen_ai_client_token_usage_sum"):
            assert after.sum(name, **labels) - before.sum(name, **labels) == usage[told] > 0


def test_what_runs_is_in_flight_and_what_waits_is_a_queue(cluster, held):
    def settled():
        look = exported(cluster)
        running = look.sum("llm_router_queries_in_flight", route="slow")
        told = (
            look.sum("llm_router_batch_lines", state="running"),
            look.sum("llm_router_jobs", route="slow", state="running"),
            look.sum("llm_router_queue_depth", route="slow"),
            look.sum("llm_router_jobs", route="openai", state="completed"),
        )
        return look if running > 0 and told == (running, running, 20 - running, 1) else None

    figures = eventually(settled, "the jobs service to look")
    running = figures.sum("llm_router_queries_in_flight", route="slow")
    assert running <= figures.sum("llm_router_concurrency", route="slow") == 4
    assert figures.sum("llm_router_queries_in_flight", route="openai") == 0
    assert figures.sum("llm_router_queue_oldest_age_seconds", route="slow") > 0
    assert figures.sum("llm_router_queue_depth", route="openai") == 0
    assert figures.sum("llm_router_batches", state="in_progress", tenant="default") == 1
    assert figures.sum("llm_router_batch_lines", state="waiting") == 20 - running


def test_a_gateway_counts_what_comes_by_each_door(cluster, held, client):
    before = exported(cluster)
    assert client.query("openai_requests", SECRET).Executed
    assert not client.query("openai_requests", SECRET, {"temperature": "9"}).Executed
    chat(cluster, "openai")
    with pytest.raises(grpc.RpcError):
        client.query("nobody_serves_this", SECRET, timeout=100)
    after = exported(cluster)

    def more(**labels):
        name = "llm_router_door_requests_total"
        return after.sum(name, **labels) - before.sum(name, **labels)

    assert more(door="grpc", outcome="answered") == 1
    assert more(door="grpc", outcome="failed") == 1
    assert more(door="grpc", outcome="timeout") == 1
    assert more(door="http", outcome="answered") == 1
    assert after.sum("llm_router_door_requests_in_flight", door="http") == 0


# ---- what is said of it ----

WORD = re.compile(r"\b(?:gen_ai|llm_router)_\w+")
BY = re.compile(r"\bby \(([^)]*)\)")
MATCHER = re.compile(r'[{,](\w+)(?:=~|!~|!=|=)"')


def with_denials(found):
    """Nobody is refused in a cluster without keys: test_keys.py sees to this one, as it is here."""
    found.samples.append(("llm_router_denied_total", {"reason": "unauthenticated"}, 0.0))
    found.kinds["llm_router_denied_total"] = "counter"
    return found


def expressions():
    alerts = (REPOSITORY / "deploy" / "prometheus" / "alerts.yaml").read_text()
    yield from re.findall(r"^ +expr: (.*(?:\n {10,}[^ ].*)*)", alerts, re.M)
    dashboard = json.loads((REPOSITORY / "deploy" / "grafana" / "llm-router.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]


def test_every_metric_and_label_of_the_dashboard_and_the_alerts_is_exported(cluster, held):
    found = with_denials(exported(cluster))
    known = found.names() | found.labels()
    asked = list(expressions())
    assert len(asked) > 30
    for expression in asked:
        words = WORD.findall(expression)
        assert words and set(words) <= known, expression
        lists = [name.strip() for group in BY.findall(expression) for name in group.split(",")]
        assert {*lists, *MATCHER.findall(expression)} <= found.labels(), expression


def test_alerts_name_only_labels_that_their_expression_keeps(cluster):
    alerts = (REPOSITORY / "deploy" / "prometheus" / "alerts.yaml").read_text()
    rules = alerts.split("- alert: ")[1:]
    assert len(rules) > 10
    for rule in rules:
        kept = {name.strip() for group in BY.findall(rule) for name in group.split(",")}
        assert set(re.findall(r"\$labels\.(\w+)", rule)) <= kept, rule


def documented():
    """The table of router/README.md: name -> (kind, labels)."""
    readme = (REPOSITORY / "router" / "README.md").read_text()
    rows, last = {}, set()
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*) \|", readme, re.M):
        named = set(re.findall(r"`(\w+)`", labels))
        if labels.startswith("the same"):
            named = last - named
        rows[name] = (kind, named)
        last = named if not labels.startswith("the same") else last
    return rows


def test_the_table_of_metrics_is_what_a_running_program_exports(cluster, held):
    found = with_denials(exported(cluster))
    there = {name: (kind, found.labels(name)) for name, kind in found.kinds.items()}
    assert documented() == there


# ---- the log ----


def lines_of(cluster):
    text = "".join(worker.errors() for worker in cluster.workers)
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_each_query_has_one_line_of_json_in_the_workers_log(cluster, held, client):
    reply = client.query("openai_requests", SECRET, {"request-id": "mine-7"})
    assert reply.Executed
    (line,) = eventually(
        lambda: [line for line in lines_of(cluster) if line.get("request_id") == "mine-7"], "the line of the query"
    )
    assert line["query"] == reply.Tags["query"]
    expected = {"event": "query", "route": "openai", "provider": "openai", "model": "gpt-4o-mini"}
    expected |= {"tenant": "default", "dialect": "text", "outcome": "ok", "attempts": 1, "level": "info"}
    expected |= {"input_tokens": int(reply.Tags["input-tokens"]), "output_tokens": int(reply.Tags["output-tokens"])}
    assert {name: line[name] for name in expected} == expected
    assert line["ms"] > 0 and line["queue_ms"] >= 0
    assert "error" not in line


def test_failures_jobs_and_streams_have_their_line_too(cluster, held):
    lines = lines_of(cluster)
    refused = [line for line in lines if line["route"] == "refused"]
    assert [line["outcome"] for line in refused] == ["provider_auth"]
    assert "openai" in refused[0]["error"]
    assert [line["route"] for line in lines if line["event"] == "job" and line["outcome"] == "ok"] == ["openai"]
    (stream,) = [line for line in lines if line["route"] == "claude"]
    assert stream["chunks"] > 0 and 0 < stream["first_token_ms"] <= stream["ms"]
    assert [line["attempts"] for line in lines if line["route"] == "failover"] == [2]


def test_no_body_and_no_key_is_in_the_log(cluster, held):
    said = cluster.logs()
    assert SECRET not in said and CANARY not in said


def test_at_level_warning_queries_have_no_line(make_cluster, topology):
    cluster = make_cluster({"openai": route("openai:gpt-4o-mini")}, extra={"log": "warning"})
    assert cluster.run("ask", "-r", "openai", "Hello").returncode == 0
    assert lines_of(cluster) == []
