"""Routes that are chains of other routes, in one process and over several."""

import json
import signal


from harness import BINARY, Process, eventually, route
from test_config import README
from wire import Wire, error_of


def chain(*steps):
    return {"chain": [{"route": name, "prompt": prompt} for name, prompt in steps]}


TOPOLOGIES = ("one", "split", "nats")

ROUTES = {
    "openai": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "broken": route("openai:sim-fault-401"),
    "hang": route("openai:sim-fault-hang_before_headers"),
    "opinion": chain(("openai", "Summarize: {input}"), ("claude", "Sentiment of: {previous}")),
    "nested": chain(("opinion", "{{x}} {input}"), ("openai", "{input} and {previous}")),
    "fails": chain(("openai", "{input}"), ("broken", "{previous}")),
    "hangs": chain(("openai", "{input}"), ("hang", "{previous}")),
}


def prompts(cluster, count):
    """The user's text of the provider's last calls."""
    return [request["json"]["messages"][-1]["content"] for request in cluster.simulator.requests()[-count:]]


def test_a_chain_asks_one_route_after_the_other(cluster, client):
    reply = client.query("opinion_requests", "the text")
    assert reply.Executed, reply.Error
    first, second = prompts(cluster, 2)
    assert first == "Summarize: the text"
    assert str(second).find("Sentiment of: ") >= 0 and "Summarize: the text" in str(second)
    answer = json.loads(reply.Body)
    assert "Sentiment of" in answer["response"] and answer["model"] == "claude-sonnet-4-5"
    assert reply.Tags["attempts"] == "2"
    assert int(reply.Tags["input-tokens"]) == answer["usage"]["input_tokens"] > 0


def test_chains_stand_inside_chains(cluster, client):
    reply = client.query("nested_requests", "deep")
    assert reply.Executed, reply.Error
    assert reply.Tags["attempts"] == "3"
    assert prompts(cluster, 3)[0] == "Summarize: {x} deep"


def test_a_chat_goes_through_a_chain_in_its_own_dialect(cluster, client):
    body = {"model": "opinion", "messages": [{"role": "user", "content": "old"}, {"role": "user", "content": "new"}]}
    reply = client.query("opinion_requests", json.dumps(body), tags={"dialect": "openai.chat"})
    assert reply.Executed, reply.Error
    assert "Sentiment of" in json.loads(reply.Body)["choices"][0]["message"]["content"]
    assert reply.Tags["warnings"] == "all but the last user message dropped"
    assert prompts(cluster, 2)[0] == "Summarize: new"


def test_a_step_that_fails_is_named_with_its_fault(client):
    reply = client.query("fails_requests", "text")
    assert not reply.Executed
    assert reply.Error.startswith("step 2 (route broken): ")
    assert error_of(reply)["code"] == "provider_auth"


def test_a_caller_that_goes_away_cancels_the_step_that_runs(cluster, tmp_path):
    ask = Process("ask", [BINARY, "ask", "-r", "hangs", "text"], tmp_path, {"LLM_ROUTER_ADDRESS": cluster.address})
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 1, "the second step to reach the provider")
    ask.signal(signal.SIGINT)
    ask.wait()
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 0, "the provider call to be broken off")


def test_a_worker_that_stops_finishes_the_chains_it_has(make_cluster):
    routes = {
        "slow": route("openai:sim-latency-300"),
        "opinion": chain(("slow", "{input}"), ("slow", "{previous}")),
    }
    cluster = make_cluster(routes)
    wire = Wire(cluster.address)
    pending = wire.start("opinion_requests", "text")
    eventually(lambda: cluster.simulator.counters()["in_flight"] == 1, "the first step to reach the provider")
    assert cluster.worker.stop() == 0
    reply = pending.result()
    assert reply.Executed, reply.Error
    wire.close()


def test_a_step_may_be_served_by_another_worker(make_cluster):
    cluster = make_cluster({"opinion": chain(("far", "{input}"), ("far", "again {previous}"))})
    wire = Wire(cluster.address)
    pending = wire.start("opinion_requests", "text", timeout=60_000)  # waits for a worker of its step
    other = cluster.start_worker({"far": route("openai:gpt-4o-mini")})
    reply = pending.result()
    assert reply.Executed, reply.Error
    assert "again" in json.loads(reply.Body)["response"]
    wire.close()
    assert other.stop() == 0


def test_a_circle_over_several_workers_ends(make_cluster):
    cluster = make_cluster({"there": chain(("back", "{input}"))})
    other = cluster.start_worker({"back": chain(("there", "{input}"))})
    wire = Wire(cluster.address)
    reply = wire.query("there_requests", "text")
    assert not reply.Executed
    assert reply.Error.startswith("step 1 (route back): step 1 (route there): ")
    assert "look for a circle" in reply.Error
    wire.close()
    assert other.stop() == 0


def test_readmes_chain_works_as_written(tmp_path):
    (tmp_path / "llm-router.yaml").write_text(README)
    ports = [option for door in ("grpc", "rest", "admin", "http") for option in ("--set", f"listen.{door}=0")]
    server = Process("server", [BINARY, "serve", "--simulate", *ports], tmp_path)
    address = server.wait_line(r"grpc=(\S+)").group(1)
    wire = Wire(address)
    reply = wire.query("opinion_requests", "the text")
    wire.close()
    assert reply.Executed, reply.Error
    assert "Sentiment of" in json.loads(reply.Body)["response"]
    assert server.stop() == 0, server.tail()
