"""Callers, workers and servers that go away: what is stopped, what is finished, and what the other side hears."""

import json
import signal
import subprocess
import time

import grpc
import pytest

from harness import BINARY, PATIENCE, clean_environment, eventually, route
from nats_wire import NatsWire
from wire import Wire, error_of

TOPOLOGIES = ("one", "split", "nats")

HANG = "sim-fault-hang_before_headers"
SLOW = "sim-latency-1500"

ROUTES = {
    "hang": route(f"openai:{HANG}"),
    "slow": route(f"openai:{SLOW}"),
    "openai": route("openai:gpt-4o-mini"),
}


def in_flight(cluster, count=1):
    """Waits until the provider works on `count` queries."""
    return eventually(lambda: cluster.simulator.counters()["in_flight"] == count, f"{count} provider calls in flight")


def aborted(cluster, count=1):
    """Waits until `count` provider calls were broken off and none is left."""

    def all_gone():
        counters = cluster.simulator.counters()
        return counters["aborted"] == count and counters["in_flight"] == 0

    return eventually(all_gone, f"{count} aborted provider calls")


def outcome(future):
    """What became of a query: its reply, or the details of its error."""
    try:
        return future.result()
    except grpc.RpcError as error:
        return error.details()


# ---- the caller goes ----


def test_a_caller_that_cancels_ends_the_provider_call(made, caller):
    future = caller.start("hang_requests", "Hello", timeout=600_000)
    in_flight(made)
    future.cancel()
    aborted(made)


def test_a_caller_whose_connection_closes_ends_its_provider_calls(made):
    leaving = Wire(made.address)
    futures = [leaving.start("hang_requests", "Hello", timeout=600_000) for _ in range(20)]
    in_flight(made, 20)
    leaving.close()
    aborted(made, 20)
    assert all(future.done() for future in futures)


def test_a_caller_that_is_killed_ends_its_provider_call(made):
    environment = clean_environment({"LLM_ROUTER_ADDRESS": made.address})
    asking = subprocess.Popen([BINARY, "ask", "-r", "hang", "Hello"], env=environment, stdout=subprocess.DEVNULL)
    in_flight(made)
    asking.kill()
    asking.wait()
    aborted(made)


# ---- the time is over ----


def test_a_query_ends_by_its_timeout_with_the_providers_name(made, caller):
    reply = caller.query("hang_requests", "Hello", timeout=2_000)
    assert not reply.Executed
    assert "provider openai" in reply.Error and "did not answer before the deadline" in reply.Error
    assert error_of(reply)["code"] == "provider_timeout"
    aborted(made)


def test_a_query_ends_by_its_deadline_tag_when_that_is_sooner(made, caller):
    tags = {"deadline": str(int(time.time() * 1000) + 2_000)}
    reply = caller.query("hang_requests", "Hello", tags, timeout=600_000)
    assert error_of(reply)["code"] == "provider_timeout"
    aborted(made)


def test_a_deadline_tag_that_has_passed_calls_no_provider(made, caller):
    future = caller.start("openai_requests", "Hello", {"deadline": "1000"})
    assert future.exception().details() == "Error 301: timeout for request message"
    assert made.simulator.counters()["total"] == 0


# ---- cancel on the control channel ----


def test_a_cancel_on_the_control_channel_ends_the_query(made, caller):
    watcher = caller.subscribe("hang_requests", "Queries")  # no group: it sees each query, with the door's stamp
    future = caller.start("hang_requests", "Hello", timeout=600_000)
    query = watcher.next().Tags["query"]
    in_flight(made)
    deadline = int(time.time() * 1000) + 600_000
    caller.publish("llm_control", json.dumps({"op": "cancel", "query": query, "deadline": deadline}))
    aborted(made)
    reply = future.result()
    assert (reply.Executed, error_of(reply)["code"]) == (False, "cancelled")
    watcher.cancel()


def test_a_cancel_of_another_tenant_or_without_sense_is_ignored(made, caller):
    watcher = caller.subscribe("slow_requests", "Queries")
    future = caller.start("slow_requests", "Hello")
    query = watcher.next().Tags["query"]
    watcher.cancel()
    for nonsense in ("no json", "{}", '{"op": "cancel"}', json.dumps({"op": "cancel", "query": f"not-{query}"})):
        caller.publish("llm_control", nonsense)
    assert future.result().Executed


# ---- a worker goes ----


def holding(cluster):
    """What returns once the caller knows that a worker has its query: from then on the worker's death is noticed. Over
    gRPC the broker knows by itself."""
    if not cluster.on_nats:
        return lambda: None
    wire = NatsWire(cluster.nats.address)
    wire.subscribe("_INBOX.>")

    def wait():
        while "Llm-Taken-By" not in wire.next().headers:
            pass
        wire.close()

    return wait


def test_sigterm_lets_the_server_finish_what_it_has(made, caller):
    futures = [caller.start("slow_requests", f"Hello {n}") for n in range(10)]
    in_flight(made, 10)
    assert made.gateway.stop() == 0, made.gateway.tail() if made.alone else made.logs()
    assert all(future.result().Executed for future in futures)


def test_sigterm_of_one_of_two_workers_loses_no_query(made, caller):
    leaving = made.start_worker()
    futures = [caller.start("openai_requests", f"Hello {n}") for n in range(100)]
    leaving.signal(signal.SIGTERM)
    futures += [caller.start("openai_requests", f"Hello {n}") for n in range(100, 200)]
    outcomes = [outcome(future) for future in futures]
    assert [one for one in outcomes if isinstance(one, str) or not one.Executed] == []
    assert leaving.wait() == 0, leaving.tail()


def test_a_killed_workers_queries_fail_at_once_and_the_others_go_on(made, caller):
    doomed = made.start_worker({"only": route(f"openai:{HANG}")})
    held = holding(made)
    future = caller.start("only_requests", "Hello", timeout=600_000)
    in_flight(made)
    held()
    doomed.kill()
    reply = outcome(future)  # far sooner than its ten minutes
    assert "worker" in (reply if isinstance(reply, str) else reply.Error)
    assert caller.query("openai_requests", "Hello").Executed


def test_a_second_sigterm_ends_at_once(made, caller):
    future = caller.start("hang_requests", "Hello", timeout=600_000)
    in_flight(made)
    holder = made.worker
    holder.signal(signal.SIGTERM)
    eventually(lambda: "stopping" in holder.errors(), "the first signal in the log")
    holder.signal(signal.SIGTERM)
    assert holder.wait() == -signal.SIGTERM
    assert future.exception() is not None or not future.result().Executed


def test_a_stop_ends_what_still_runs_after_its_limit(made, caller):
    leaving = made.start_worker({"only": route(f"openai:{HANG}")}, "--set", "limits.drain_seconds=0")
    future = caller.start("only_requests", "Hello", timeout=600_000)
    in_flight(made)
    assert leaving.stop() == 0, leaving.tail()
    aborted(made)
    reply = future.result()
    assert (reply.Executed, error_of(reply)["code"]) == (False, "shutting_down")


# ---- the broker goes ----


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_worker_serves_again_after_its_broker_restarts(made, end):
    worker = made.start_worker({"again": route("openai:gpt-4o-mini")})
    assert ask(made, "again_requests").Executed
    made.restart_broker(end)
    assert ask(made, "again_requests").Executed  # held until the worker is back
    assert worker.alive()


def ask(cluster, channel):
    wire = Wire(cluster.address)
    try:
        return wire.query(channel, "Hello", timeout=60_000)
    finally:
        wire.close()


# ---- nobody there ----


def test_fail_fast_is_opt_in(made, caller):
    with pytest.raises(grpc.RpcError) as error:
        caller.query("nobody_requests", "Hello", timeout=1_000)
    assert (error.value.code(), error.value.details()) == (
        grpc.StatusCode.INTERNAL,
        "Error 301: timeout for request message",
    )
    reply = caller.query("nobody_requests", "Hello", {"fail-fast": "true"}, timeout=600_000)
    assert not reply.Executed and "nobody" in reply.Error


def test_a_query_waits_for_a_worker_that_comes_late(made, caller):
    future = caller.start("late_requests", "Hello", timeout=60_000)
    made.start_worker({"late": route("openai:gpt-4o-mini")})
    assert future.result().Executed
