#!/usr/bin/env python3
"""Benchmarks of a query's way, as ratios in one run.

    tests/bench/bench.py [--build build/release] [--seconds 3] [--rounds 3] [--lines 50000] [--only TABLE]...

Starts everything it needs on free loopback ports in a temporary folder and stops it by process id. The figures of
interest are the ratios to the bare gRPC echo (of `engines`: to the engine's own native client) of the same round and the
CPU time per query: queries per second on a shared machine mostly say how much of it the load itself took.
"""

import argparse
import json
import os
import pathlib
import re
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import engine_bench

TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A child with its output on a pipe; ready when a line matches."""

    def __init__(self, folder, *command, environment=None):
        self.log = open(os.path.join(folder, f"{pathlib.Path(command[0]).name}-{time.monotonic_ns()}.log"), "w")
        self.started = time.monotonic()
        self.child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=self.log,
                                      cwd=folder, text=True, env={**os.environ, **(environment or {})})

    def wait_for(self, pattern):
        for line in self.child.stdout:
            found = re.search(pattern, line)
            if found:
                self.ready_seconds = time.monotonic() - self.started
                return found
        sys.exit(f"bench: {self.child.args[0]} ended before it was ready; see {self.log.name}")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mib(self):
        text = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

    def most_resident_mib(self):
        text = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) / 1024

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(60)
        self.child.stdout.close()
        self.log.close()


class Bench:
    def __init__(self, build, folder, seconds, rounds, lines):
        self.build, self.folder, self.seconds, self.rounds = build.resolve(), folder, seconds, rounds
        self.lines = lines
        self.router = self.build / "llm-router"
        self.tools = self.build / "tests" / "bench"

    def start(self, command, pattern, *arguments, environment=None):
        process = Process(self.folder, command, *arguments, environment=environment)
        return process, process.wait_for(pattern)

    def serve(self, *arguments):
        """On a broker of its own, unless the arguments name one."""
        if not any(str(argument).startswith("broker=") for argument in arguments):
            arguments += ("--set", f"broker=embedded:{tempfile.mkdtemp(prefix='data-', dir=self.folder)}")
        process, found = self.start(self.router, r"ready(?: grpc=(\S+))?", "serve", "--set", "listen.grpc=0", "--set",
                                    "listen.admin=0", "--set", "listen.rest=0", "--set", "listen.http=0", *arguments)
        return process, found.group(1)

    def load(self, address, channel, in_flight, seconds=None):
        """`address` is a gRPC door's, KEY@HOST:PORT for one that asks for keys, or http://HOST:PORT for a REST door."""
        tool = "bench_rest_load" if address.startswith("http://") else "bench_load"
        key, _, address = address.removeprefix("http://").rpartition("@")
        environment = {**os.environ, **({"BENCH_KEY": key} if key else {})}
        done = subprocess.run([str(self.tools / tool), address, channel, str(in_flight), "0.5",
                               str(seconds or self.seconds)], capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            sys.exit(f"bench: queries failed on {channel}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout)

    def measure(self, servers, address, channel, in_flight):
        """One closed loop; CPU is of the first server, over the whole run, per query."""
        before = servers[0].cpu_seconds()
        result = self.load(address, channel, in_flight)
        # The warm-up's queries cost too: count CPU against all of them.
        whole = result["queries"] * (self.seconds + 0.5) / self.seconds
        result["cpu_us"] = (servers[0].cpu_seconds() - before) / max(whole, 1) * 1e6
        return result

    def ways(self):
        """(name, processes with the one whose CPU counts first, address, channel) for each way a query can go."""
        echo, found = self.start(self.tools / "bench_echo_server", r"grpc=(\S+)")
        yield "bare gRPC unary echo", [echo], found.group(1), "echo"
        gateway, address = self.serve("--roles", "gateway")
        worker, _ = self.start(self.tools / "bench_echo_worker", "worker ready", f"kubemq://{address}", "echo_requests")
        yield "three processes, gRPC", [gateway, worker], address, "echo_requests"
        single, found = self.start(self.tools / "bench_one_process", r"grpc=(\S+) rest=(\S+)")
        yield "one process, echo worker inside", [single], found.group(1), "echo_requests"
        key = secrets.token_urlsafe(32)
        keyed, locked = self.start(self.tools / "bench_one_process", r"grpc=(\S+) rest=", environment={"BENCH_KEY": key})
        yield "the same, asking for one of 1,001 keys", [keyed], f"{key}@{locked.group(1)}", "echo_requests"
        yield "without keys, by REST", [single], f"http://{found.group(2)}", "echo_requests"
        simulator, found = self.start(self.router, r"http=(\S+)", "simulate", "--port", "0")
        whole, address = self.serve("--set", f"providers.openai.base_url=http://{found.group(1)}/v1", "--set",
                                    "providers.openai.key=bench")
        yield "one process, calling a provider (0 ms)", [whole, simulator], address, "openai_requests"

    def query_table(self):
        ways = list(self.ways())
        for in_flight in (1, 64):
            rows = {name: [] for name, *_ in ways}
            for _ in range(self.rounds):
                for name, servers, address, channel in ways:
                    rows[name].append(self.measure(servers, address, channel, in_flight))
            print(f"\nA query and its reply, 100 B, {in_flight} in flight (medians of {self.rounds} rounds)\n")
            print(f"{'way':42} {'p50 us':>8} {'p99 us':>8} {'per s':>8} {'CPU us':>8} {'p50 x':>7} {'per s x':>8}")
            floor = None
            for name, results in rows.items():
                row = {key: statistics.median(r[key] for r in results)
                       for key in ("p50_us", "p99_us", "per_second", "cpu_us")}
                floor = floor or row
                print(f"{name:42} {row['p50_us']:8.0f} {row['p99_us']:8.0f} {row['per_second']:8.0f} {row['cpu_us']:8.1f} "
                      f"{row['p50_us'] / floor['p50_us']:7.2f} {row['per_second'] / floor['per_second']:8.2f}")
        for _, servers, *_ in ways:
            for server in reversed(servers):
                server.stop()

    def many_in_flight(self, latency_ms=200, in_flight=2000):
        simulator, found = self.start(self.router, r"http=(\S+)", "simulate", "--port", "0", "--latency", latency_ms)
        server, address = self.serve("--set", f"providers.openai.base_url=http://{found.group(1)}/v1", "--set",
                                     "providers.openai.key=bench", "--set", f"routes.openai.concurrency={in_flight}")
        idle = server.resident_mib()
        result = self.load(address, "openai_requests", in_flight, max(self.seconds, 5))
        ideal = in_flight / (latency_ms / 1000)
        print(f"\nA provider of {latency_ms} ms, {in_flight} queries in flight on one worker\n")
        print(f"{'queries/s':>10} {'ideal':>8} {'ratio':>6} {'p50 ms':>8} {'memory':>9} {'per query':>10}")
        loaded = server.resident_mib()
        print(f"{result['per_second']:10.0f} {ideal:8.0f} {result['per_second'] / ideal:6.2f} {result['p50_us'] / 1000:8.1f} "
              f"{loaded:7.0f} M {(loaded - idle) * 1024 / in_flight:8.1f} K")
        server.stop()
        simulator.stop()

    def scale_table(self, latency_ms=200, concurrency=32):
        """Worker processes beside one gateway, as many queries in flight as they take; ideal: the provider alone."""
        simulator, found = self.start(self.router, r"http=(\S+)", "simulate", "--port", "0", "--latency", latency_ms)
        gateway, address = self.serve("--roles", "gateway")
        workers, alone = [], None
        print(f"\nWorkers of concurrency {concurrency} on one channel, a provider of {latency_ms} ms (medians of {self.rounds} "
              "rounds)\n")
        print(f"{'workers':>8} {'queries/s':>10} {'x one':>6} {'of ideal':>9} {'p50 ms':>8} {'p99 ms':>8} {'gateway us':>11}")
        for count in (1, 2, 4):
            while len(workers) < count:
                workers.append(self.serve("--roles", "worker", "--set", f"broker=kubemq://{address}", "--set",
                                          f"providers.openai.base_url=http://{found.group(1)}/v1", "--set",
                                          "providers.openai.key=bench", "--set",
                                          f"routes.openai.concurrency={concurrency}")[0])
            runs = [self.measure([gateway], address, "openai_requests", count * concurrency) for _ in range(self.rounds)]
            row = {key: statistics.median(run[key] for run in runs)
                   for key in ("per_second", "p50_us", "p99_us", "cpu_us")}
            alone = alone or row["per_second"]
            print(f"{count:8} {row['per_second']:10.0f} {row['per_second'] / alone:6.2f} "
                  f"{row['per_second'] / (count * concurrency * 1000 / latency_ms):9.2f} {row['p50_us'] / 1000:8.1f} "
                  f"{row['p99_us'] / 1000:8.1f} {row['cpu_us']:11.1f}")
        for process in (*reversed(workers), gateway, simulator):
            process.stop()

    def start_and_rest(self):
        seconds, memory = [], []
        for _ in range(max(self.rounds, 3)):
            server, _ = self.serve("--simulate")
            seconds.append(server.ready_seconds)
            memory.append(server.resident_mib())
            server.stop()
        print("\nStart and rest (all roles, simulator inside)\n")
        print(f"{'cold start':>12} {'idle memory':>12}")
        print(f"{statistics.median(seconds) * 1000:9.0f} ms {statistics.median(memory):8.1f} MiB")

    def queue_table(self):
        """Ratios are to raw SQLite and to a bare append + fdatasync, grouped alike, on the same disk in the same run."""
        folder = pathlib.Path(self.folder, "queues")
        folder.mkdir()
        runs = []
        for _ in range(self.rounds):
            done = subprocess.run([str(self.tools / "bench_queues"), str(folder), str(self.seconds)], capture_output=True,
                                  text=True)
            if done.returncode != 0:
                sys.exit(f"bench: {done.stderr}")
            runs.append([json.loads(line) for line in done.stdout.splitlines()])
        print(f"\nQueues on disk, 1 KB, fsync before each answer (medians of {self.rounds} rounds)\n")
        print(f"{'work':20} {'disk':14} {'in flight':>9} {'p50 us':>8} {'p99 us':>8} {'per s':>8} {'x SQLite':>9} "
              f"{'x append':>9}")
        floors = {}
        for rows in zip(*runs):
            row = rows[0] | {key: statistics.median(r[key] for r in rows) for key in ("per_second", "p50_us", "p99_us")}
            floors[row["work"], row["disk"], row["in_flight"]] = row["per_second"]
            ratios = [row["per_second"] / floor if floor else None for floor in
                      (floors.get((work, row["disk"], row["in_flight"])) for work in ("raw SQLite inserts",
                                                                                      "append + fdatasync"))]
            print(f"{row['work']:20} {row['disk']:14} {row['in_flight']:9} {row['p50_us']:8.0f} {row['p99_us']:8.0f} "
                  f"{row['per_second']:8.0f} " + " ".join(f"{r:9.2f}" if r else f"{'-':>9}" for r in ratios))

    def batch_cluster(self):
        """The processes by role; the address to submit to."""
        simulator, found = self.start(self.router, r"http=(\S+)", "simulate", "--port", "0")
        gateway, address = self.serve("--roles", "gateway")
        broker = ("--set", f"broker=kubemq://{address}")
        jobs, _ = self.serve("--roles", "jobs", *broker, "--set", f"store=sqlite:{self.folder}/batch-store")
        worker, _ = self.serve("--roles", "worker", *broker, "--set",
                               f"providers.openai.base_url=http://{found.group(1)}/v1", "--set",
                               "providers.openai.key=bench")
        return {"gateway": gateway, "jobs service": jobs, "worker": worker, "simulator": simulator}, address

    def batch_command(self, address, *arguments):
        """Its output, and how long it took."""
        started = time.monotonic()
        done = subprocess.run([str(self.router), "batch", *arguments, "--address", address], capture_output=True,
                              text=True, cwd=self.folder)
        if done.returncode != 0:
            sys.exit(f"bench: batch {arguments[0]} failed: {done.stderr}")
        return done.stdout.strip(), time.monotonic() - started

    def batch_table(self):
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 100}]}
        with open(pathlib.Path(self.folder, "batch.jsonl"), "w") as file:
            for line in range(self.lines):
                file.write(json.dumps({"custom_id": str(line), "method": "POST", "url": "/v1/chat/completions",
                                       "body": body}) + "\n")
        processes, address = self.batch_cluster()
        before = {role: process.cpu_seconds() for role, process in processes.items()}
        batch, accepted = self.batch_command(address, "submit", "batch.jsonl")
        _, ran = self.batch_command(address, "watch", batch)
        counts = json.loads(self.batch_command(address, "status", batch, "--json")[0])["request_counts"]
        if counts["completed"] != self.lines:
            sys.exit(f"bench: of {self.lines} lines {counts['completed']} were completed")
        print(f"\nA batch of {self.lines} lines, provider of 0 ms, four processes\n")
        print(f"{'':14} {'seconds':>8} {'lines/s':>9}")
        for name, seconds in (("to accept", accepted), ("then to run", ran)):
            print(f"{name:14} {seconds:8.1f} {self.lines / seconds:9.0f}")
        print(f"\n{'process':14} {'CPU us/line':>11} {'most memory':>12}")
        for role, process in processes.items():
            cpu = (process.cpu_seconds() - before[role]) / self.lines * 1e6
            print(f"{role:14} {cpu:11.0f} {process.most_resident_mib():8.0f} MiB")
        for process in reversed(processes.values()):
            process.stop()


TABLES = {"start": Bench.start_and_rest, "queries": Bench.query_table, "in-flight": Bench.many_in_flight,
          "scale": Bench.scale_table, "queues": Bench.queue_table, "batch": Bench.batch_table,
          "engines": engine_bench.engine_table}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=50_000, help="of the batch")
    parser.add_argument("--only", action="append", choices=TABLES, help="this table alone; may be repeated")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llm-router-bench-") as folder:
        bench = Bench(arguments.build, folder, arguments.seconds, arguments.rounds, arguments.lines)
        for name in arguments.only or TABLES:
            TABLES[name](bench)


if __name__ == "__main__":
    main()
