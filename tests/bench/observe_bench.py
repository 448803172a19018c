#!/usr/bin/env python3
"""What logs and traces cost: the CPU time of a chat over HTTP, beside a gateway that says nothing of its queries.

    tests/bench/observe_bench.py [--build build/release] [--seconds 1] [--rounds 9] [--in-flight 64]

All gateways run side by side on one simulator and take turns in a random order, since a shared machine changes its speed by
more than they differ. The collector of spans is an nginx (Debian's nginx-light) that takes them and forgets them. Metrics are
counted by each of them: they can't be turned off. The goal is the design's: at most 1.10 with all as it is by default.
"""

import json
import pathlib
import random
import statistics
import subprocess
import sys

from bench import Process
from http_bench import arguments_of, cpu_seconds, run_beside_nginx
from nginx import Nginx, free_address
from simulator import Simulator

QUIET = "no line per query"
DEFAULT = "log, 10 % traced"


def ways(collector):
    """What each gateway's configuration has beside the same routes."""
    return {
        QUIET: {"log": "warning"},
        "log": {},
        DEFAULT: {"tracing": {"endpoint": collector, "sample_percent": 10}},
        "log, all traced": {"tracing": {"endpoint": collector, "sample_percent": 100}},
    }


class ObserveBench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        build = arguments.build.resolve()
        self.router, self.tool = build / "llm-router", build / "tests" / "bench" / "bench_http_load"
        self.processes, self.gateways = [], {}

    def start(self):
        self.simulator = Simulator(self.folder, self.router)
        self.processes.append(self.simulator)
        collector = free_address()
        self.processes.append(Nginx(self.folder, f"  server {{ listen {collector}; location / {{ return 200; }} }}\n"))
        for way, settings in ways(f"http://{collector}").items():
            self.gateways[way] = self.serve(len(self.gateways), settings)

    def serve(self, number, settings):
        config = {
            "broker": f"embedded:{self.folder}/data{number}",
            "listen": {"host": "127.0.0.1", "grpc": 0, "rest": 0, "admin": 0, "http": 0},
            "providers": {"fast": {"type": "openai", "base_url": f"http://{self.simulator.address}/v1", "key": "bench"}},
            "routes": {"small": {"targets": [{"provider": "fast", "model": "gpt-sim-tokens-250"}], "concurrency": 1000}},
            **settings,
        }
        path = pathlib.Path(self.folder, f"gateway{number}.yaml")
        path.write_text(json.dumps(config))
        process = Process(self.folder, self.router, "serve", "-c", path)
        self.processes.append(process)
        return process, process.wait_for(r"llm-router ready.* http=(\S+)").group(1)

    def measure(self, way):
        process, address = self.gateways[way]
        before, warmup = cpu_seconds(process), 0.2
        command = [self.tool, address, "whole", "small", self.arguments.in_flight, warmup, self.arguments.seconds, 2000]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: {way}: {done.stderr}{done.stdout}")
        # The warm-up's requests cost too: count CPU against all of them.
        count = json.loads(done.stdout)["count"] * (self.arguments.seconds + warmup) / self.arguments.seconds
        return (cpu_seconds(process) - before) / max(count, 1) * 1e6

    def run(self):
        rounds = []
        for _ in range(self.arguments.rounds):
            order = random.sample(list(self.gateways), len(self.gateways))
            rounds.append({way: self.measure(way) for way in order})
        print(f"\nA chat of 2 KB over HTTP, {self.arguments.in_flight} in flight (medians of {len(rounds)} rounds)\n")
        print(f"{'what is said of it':24} {'CPU us':>8} {'x the first, by round':>24}")
        for way in self.gateways:
            ratios = [row[way] / row[QUIET] for row in rounds]
            ratio = statistics.median(ratios)
            missed = "  MISSED: goal 1.10" if way == DEFAULT and ratio > 1.10 else ""
            print(f"{way:24} {statistics.median(row[way] for row in rounds):8.1f} {ratio:9.2f} "
                  f"({min(ratios):.2f} to {max(ratios):.2f}){missed}")

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


def main():
    run_beside_nginx(ObserveBench, arguments_of(__doc__, seconds=1, rounds=9, in_flight=64))


if __name__ == "__main__":
    main()
