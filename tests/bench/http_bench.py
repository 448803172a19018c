#!/usr/bin/env python3
"""The HTTP gateway against nginx's proxy_pass: the same simulator behind both, in one run, over plain HTTP.

    tests/bench/http_bench.py [--build build/release] [--seconds 1] [--rounds 9] [--streams 5000]

nginx (Debian's nginx-light) is started here with a configuration of its own: one worker process, connections to the
simulator kept alive, no buffering of replies, since streams must pass. The figures of interest are the CPU time per request
of the process between (its own, by /proc) and the ratios to nginx in the same round: requests per second on a shared machine
mostly say how much of it the load and the simulator took. Many short rounds, for on two processors a wake-up takes one time
or twice that for as long as a round lasts, by where the scheduler put the processes when it began. The goals are those of the
design, section 11. Then how soon a provider's call ends whose caller leaves, and what live streams cost.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import aborts
from bench import Process
from nginx import Nginx, free_address
from simulator import Simulator

PROXIES = """
  tcp_nodelay on;
  upstream fast {{ server {fast}; keepalive 1024; keepalive_requests 100000000; }}
  upstream paced {{ server {paced}; keepalive 1024; keepalive_requests 100000000; }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_buffering off;
  proxy_read_timeout 600s;
  server {{ listen {fast_door}; location / {{ proxy_pass http://fast; }} }}
  server {{ listen {paced_door}; location / {{ proxy_pass http://paced; }} }}
"""

# What is asked for: a route of the gateway, and the model of the simulator behind it.
MODELS = {
    "small": "gpt-sim-tokens-250",  # a reply of about 2 KB
    "large": "gpt-sim-tokens-5500",  # of about 50 KB
    "words": "gpt-sim-tokens-64",
    "paced": "gpt-sim-tokens-64",
    **aborts.MODELS,
}
PACE = 200  # words a second

# (work, figure, most or least that the ratio to nginx may be), from the design's table.
GOALS = {
    ("2 KB, 64 in flight", "cpu_us"): ("<=", 3.6),
    ("2 KB, 1 in flight", "p50_us"): ("<=", 110 / 83),
    ("2 KB, 1 in flight", "p99_us"): ("<=", 230 / 172),
    ("2 KB, 64 in flight", "per_second"): (">=", 30_000 / 92_700),
    ("streams of 64, 1 in flight", "first_p50_us"): ("<=", 1.6),
    ("streams of 64, 64 in flight", "per_second"): (">=", 0.36),
}


class HttpBench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.router = arguments.build.resolve() / "llm-router"
        self.tool = arguments.build.resolve() / "tests" / "bench" / "bench_http_load"
        self.rows = {}
        self.fast = self.paced = self.nginx = self.gateway = None

    def start(self):
        self.fast = Simulator(self.folder, self.router)
        self.paced = Simulator(self.folder, self.router, "--token-rate", PACE)
        self.nginx_fast, self.nginx_paced = free_address(), free_address()
        self.nginx = Nginx(self.folder, PROXIES.format(fast=self.fast.address, paced=self.paced.address,
                                                       fast_door=self.nginx_fast, paced_door=self.nginx_paced))
        self.gateway, self.grpc, self.door = self.serve()

    def stop(self):
        for process in (self.gateway, self.nginx, self.paced, self.fast):
            if process:
                process.stop()

    def serve(self):
        def provider(simulator):
            return {"type": "openai", "base_url": f"http://{simulator.address}/v1", "key": "bench"}

        config = {
            "broker": f"embedded:{self.folder}/data",
            "listen": {"host": "127.0.0.1", "grpc": 0, "rest": 0, "admin": 0, "http": 0},
            "providers": {"fast": provider(self.fast), "paced": provider(self.paced)},
            "routes": {
                name: {
                    "targets": [{"provider": "paced" if name == "paced" else "fast", "model": model}],
                    "concurrency": self.arguments.streams + 1000,
                }
                for name, model in MODELS.items()
            },
        }
        path = pathlib.Path(self.folder, "gateway.yaml")
        path.write_text(json.dumps(config))
        process = Process(self.folder, self.router, "serve", "-c", path)
        return process, *process.wait_for(r"llm-router ready grpc=(\S+) .*http=(\S+)").groups()

    def ways(self, paced=False):
        """(name, process between or nothing, its address, whether models are named as routes)."""
        yield "direct", None, (self.paced if paced else self.fast).address, False
        yield "nginx", self.nginx, self.nginx_paced if paced else self.nginx_fast, False
        yield "llm-router", self.gateway, self.door, True

    def load(self, address, mode, model, in_flight, body=2000):
        command = [self.tool, address, mode, model, in_flight, 0.5, self.arguments.seconds, body]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: {mode} of {model} at {address}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout)

    def measure(self, work, mode, route, in_flight, body=2000, paced=False):
        rows = {}
        for _ in range(self.arguments.rounds):
            for name, process, address, is_route in self.ways(paced):
                before = cpu_seconds(process)
                result = self.load(address, mode, route if is_route else MODELS[route], in_flight, body)
                # The warm-up's requests cost too: count CPU against all of them.
                whole = result["count"] * (self.arguments.seconds + 0.5) / self.arguments.seconds
                result["cpu_us"] = (cpu_seconds(process) - before) / max(whole, 1) * 1e6
                rows.setdefault(name, []).append(result)
        self.rows[work] = {
            name: {key: statistics.median(row[key] for row in results) for key in results[0]}
            for name, results in rows.items()
        }

    def run(self):
        self.measure_all()
        self.report()
        self.goals()
        aborts.report(self)
        self.hold_streams()

    def measure_all(self):
        self.measure("2 KB, 1 in flight", "whole", "small", 1)
        self.measure("2 KB, 64 in flight", "whole", "small", 64)
        self.measure("50 KB, 1 in flight", "whole", "large", 1, body=50_000)
        self.measure("50 KB, 16 in flight", "whole", "large", 16, body=50_000)
        self.measure("streams of 64, 1 in flight", "stream", "words", 1)
        self.measure("streams of 64, 64 in flight", "stream", "words", 64)
        self.measure(f"streams at {PACE} words/s, 16 in flight", "stream", "paced", 16, paced=True)

    def report(self):
        columns = (("cpu_us", "CPU us"), ("p50_us", "p50 us"), ("p99_us", "p99 us"), ("per_second", "per s"),
                   ("first_p50_us", "first p50"), ("first_p99_us", "first p99"), ("gap_p99_us", "gap p99"))
        print(f"\nChats over HTTP (medians of {self.arguments.rounds} rounds; the line behind each: times nginx's)\n")
        print(f"{'work':36} {'way':11}" + "".join(f"{title:>10}" for _, title in columns))
        for work, ways in self.rows.items():
            for name, row in ways.items():
                print(f"{work:36} {name:11}" + "".join(f"{row[key]:10.0f}" for key, _ in columns))
            print(f"{'':36} {'x nginx':11}" + "".join(f"{ratio(ways, key):>10}" for key, _ in columns))
        added = [(work, {name: (row["p50_us"] - ways["direct"]["p50_us"], row["p99_us"] - ways["direct"]["p99_us"],
                                row["first_p50_us"] - ways["direct"]["first_p50_us"])
                         for name, row in ways.items() if name != "direct"})
                 for work, ways in self.rows.items() if " 1 in flight" in work]
        print(f"\n{'added over direct, us':36} {'way':11}{'p50':>10}{'p99':>10}{'first p50':>10}")
        for work, ways in added:
            for name, figures in ways.items():
                print(f"{work:36} {name:11}" + "".join(f"{figure:10.0f}" for figure in figures))

    def goals(self):
        print(f"\n{'goal, as a ratio to nginx in this run':50}{'ratio':>8}{'goal':>10}")
        for (work, key), (sign, bound) in GOALS.items():
            ways = self.rows[work]
            if not ways["nginx"][key]:
                continue
            found = ways["llm-router"][key] / ways["nginx"][key]
            held = found <= bound if sign == "<=" else found >= bound
            print(f"{work + ', ' + key:50}{found:8.2f}{sign:>5}{bound:5.2f}{'' if held else '  MISSED'}")

    def hold_streams(self):
        """Streams that have begun and wait: what each costs the process between."""
        count = self.arguments.streams
        self.fast.open_gate(aborts.HELD, 1)
        print(f"\n{f'{count} live streams':36} {'way':11}{'memory':>10}{'a stream':>10}")
        for name, process, address, is_route in self.ways():
            if process is None:
                continue
            before = resident_kib(process)
            command = [self.tool, address, "hold", aborts.HELD if is_route else MODELS[aborts.HELD], count, 0, 0]
            with subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True) as tool:
                held = json.loads(tool.stdout.readline())["held"]
                after = resident_kib(process)
                tool.stdin.close()
                tool.wait()
            print(f"{'':36} {name:11}{after / 1024:8.0f} M{(after - before) / max(held, 1):8.1f} K"
                  + ("" if held == count else f"   only {held} began"))


def ratio(ways, key):
    floor = ways["nginx"][key]
    return f"{ways['llm-router'][key] / floor:.2f}" if floor else "-"


def pid_of(process):
    return getattr(process, "pid", None) or process.child.pid


def cpu_seconds(process):
    if process is None:
        return 0.0
    # In nanoseconds, where ticks of 10 ms would be too coarse.
    tasks = pathlib.Path(f"/proc/{pid_of(process)}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def resident_kib(process):
    for line in pathlib.Path(f"/proc/{pid_of(process)}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def arguments_of(description, seconds, rounds, **more):
    """The command line of a bench; `more`: its own whole numbers, by name."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--rounds", type=int, default=rounds)
    for name, number in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=number)
    return parser.parse_args()


def run_beside_nginx(bench_class, arguments):
    """Starts a bench, runs it and stops it, in a folder of its own."""
    if not shutil.which("nginx"):
        sys.exit("bench: nginx is not installed: apt-get install nginx-light")
    with tempfile.TemporaryDirectory(prefix="llm-router-bench-") as folder:
        bench = bench_class(arguments, folder)
        try:
            bench.start()
            bench.run()
        finally:
            bench.stop()


def main():
    run_beside_nginx(HttpBench, arguments_of(__doc__, seconds=1, rounds=9, streams=5000))


if __name__ == "__main__":
    main()
