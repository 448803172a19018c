"""A table of bench.py: each engine by our adapter, beside the engine's own native client in the same round.

What a native client is here: of the embedded engine, which has no wire and no client, the bare gRPC echo for queries and raw
SQLite for queues; of the KubeMQ wire its generated stub, against the same gateway of ours; of NATS libnats, against the same
nats-server (Debian's, with JetStream and its default of no sync at each message).
"""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

NOT_IN_THIS_BUILD = 3  # how bench_engines ends then
FIGURES = ("p50_us", "p99_us", "per_second")


class EngineBench:
    def __init__(self, bench):
        self.bench = bench
        self.rows = {}  # (engine, work, in flight) -> [(adapter's figures, native client's)], one a round
        self.left_out = []
        self.processes = []

    def run(self):
        echo = self.start(self.bench.tools / "bench_echo_server", r"grpc=(\S+)")
        engines = dict(self.engines())
        for _ in range(self.bench.rounds):
            for engine, url in list(engines.items()):
                if not self.round(engine, url(), echo):
                    del engines[engine]
        for process in reversed(self.processes):
            process.stop()

    def start(self, command, pattern, *arguments):
        process, found = self.bench.start(command, pattern, *arguments)
        self.processes.append(process)
        return found.group(1)

    def engines(self):
        """(name, what makes its URL for a round)."""
        yield "embedded", lambda: f"embedded:{tempfile.mkdtemp(prefix='engine-', dir=self.bench.folder)}/data"
        gateway, address = self.bench.serve("--roles", "gateway")
        self.processes.append(gateway)
        yield "kubemq", lambda: f"kubemq://{address}"
        server = shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if server is None:
            self.left_out.append("nats: nats-server is not installed")
            return
        # Its log goes where its port is looked for.
        port = self.start(server, r"Listening for client connections on \S+:(\d+)", "-a", "127.0.0.1", "-p", "-1", "-js",
                          "-sd", pathlib.Path(self.bench.folder, "jetstream"), "-l", "/dev/stdout")
        yield "nats", lambda: f"nats://127.0.0.1:{port}"

    def round(self, engine, url, echo):
        """False where this build is without the engine."""
        done = subprocess.run([str(self.bench.tools / "bench_engines"), url, str(self.bench.seconds), echo],
                              capture_output=True, text=True)
        if done.returncode == NOT_IN_THIS_BUILD:
            self.left_out.append(f"{engine}: {done.stderr.strip()}")
            return False
        if done.returncode != 0:
            sys.exit(f"bench: {engine}: {done.stderr}")
        figures = [json.loads(line) for line in done.stdout.splitlines()]
        if not all(figure["per_second"] for figure in figures):
            sys.exit(f"bench: {engine}: nothing was done in time; give more --seconds")
        for adapter, native in zip(figures[::2], figures[1::2]):
            self.rows.setdefault((engine, adapter["work"], adapter["in_flight"]), []).append((adapter, native))
        return True

    def report(self):
        print(f"\nEach engine by our adapter and by its own native client, 1 KB (medians of {self.bench.rounds} rounds)\n")
        title = " ".join(f"{name:>8}" for name in ("p50 us", "p99 us", "per s"))
        print(f"{'':46} | {'adapter':^26} | {'native client':^26} | {'adapter to native':^17}")
        print(f"{'engine':9} {'work':18} {'kept':7} {'in flight':>9} | {title} | {title} | {'p50 x':>8} {'per s x':>8}")
        for (engine, work, in_flight), rounds in self.rows.items():
            adapter, native = ({key: statistics.median(row[key] for row in rows) for key in FIGURES}
                               for rows in zip(*rounds))
            # Of the same round, for the machine is not the same one in the next.
            p50, rate = (statistics.median(ours[key] / theirs[key] for ours, theirs in rounds)
                         for key in ("p50_us", "per_second"))
            cells = [" ".join(f"{row[key]:8.0f}" for key in FIGURES) for row in (adapter, native)]
            print(f"{engine:9} {work:18} {rounds[0][0]['kept']:7} {in_flight:9} | {cells[0]} | {cells[1]} | {p50:8.2f} "
                  f"{rate:8.2f}")
        for words in self.left_out:
            print(f"left out: {words}")


def engine_table(bench):
    engines = EngineBench(bench)
    engines.run()
    engines.report()
