"""How long a provider's call outlives its caller: from the moment that the caller leaves to the end of the call in the
log of the simulator, which is to the millisecond."""

import functools
import json
import signal
import socket
import statistics
import subprocess
import sys
import time

GOAL = 100  # ms

# Routes, and the models of the simulator behind them: one that does not get to its answer, and one whose streams stop
# behind their first word, at the gate of that name.
SLOW, HELD = "slow", "held"
MODELS = {SLOW: "gpt-sim-latency-600000", HELD: f"gpt-sim-gate-{HELD}"}


def unix_ms():
    return time.time_ns() // 1_000_000


def leave_http(simulator, address, model, stream):
    """Asks, and closes the connection: of a stream after its first frame, else while the provider works."""
    host, port = address.rsplit(":", 1)
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer bench\r\n" \
           f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        came = b""
        while stream and b"\ndata: " not in came:
            if not (piece := connection.recv(65536)):
                sys.exit(f"bench: {address} closed a stream without a word: {came.decode(errors='replace')}")
            came += piece
        simulator.last_request_that("running")
        return unix_ms()


def leave_ask(simulator, command, how):
    """Runs the command, and ends it by a signal while the provider works."""
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as asking:
        simulator.last_request_that("running")
        left = unix_ms()
        asking.send_signal(how)
        return left


def report(bench, rounds=30):
    simulator = bench.fast
    simulator.open_gate(HELD, 1)
    print(f"\n{'a call whose caller leaves ends, ms':36} {'way':11}{'median':>10}{'longest':>10}")
    for stream, work in ((False, "HTTP, before the answer"), (True, "HTTP, after a stream's first word")):
        for way, process, address, is_route in bench.ways():
            if process:
                route = HELD if stream else SLOW
                leave = functools.partial(leave_http, simulator, address, route if is_route else MODELS[route], stream)
                print_row(simulator, rounds, work, way, leave)
    for how in (signal.SIGINT, signal.SIGKILL):
        command = [bench.router, "ask", "--address", bench.grpc, "-r", SLOW, "Hello"]
        leave = functools.partial(leave_ask, simulator, command, how)
        print_row(simulator, rounds, f"ask, by {how.name}", "llm-router", leave)


def print_row(simulator, rounds, work, way, leave):
    times = []
    for _ in range(rounds):
        left = leave()
        times.append(simulator.last_request_that("aborted")["ended_ms"] - left)
    missed = f"  MISSED: goal {GOAL}" if max(times) > GOAL else ""
    print(f"{work:36} {way:11}{statistics.median(times):10.0f}{max(times):10.0f}{missed}")
