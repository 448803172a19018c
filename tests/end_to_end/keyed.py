"""A server that asks for keys, and the keys."""

import urllib.request

import harness
from harness import CANARY, Simulator, providers, route, run
from wire import Wire

ROUTES = {"openai": route("openai:gpt-4o-mini"), "claude": route("anthropic:claude-sonnet-4-5")}


def new_key(folder, *options):
    """A key and its entry, as the command prints them."""
    done = run("keys", "new", *options, folder=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return lines[0], lines[-1]


class Keyed:
    """A server that asks for keys, with one of each access in a file of keys, and a caller's for one route alone."""

    def __init__(self, folder):
        made = {access: new_key(folder, "--tenant", "acme", "--access", access) for access in ("caller", "worker", "admin")}
        made["narrow"] = new_key(folder, "--tenant", "acme", "--routes", "openai")
        self.keys = {access: key for access, (key, _) in made.items()}
        self.entries = {access: entry for access, (_, entry) in made.items()}
        self.file = folder / "keys.yaml"
        self.write(self.entries.values())
        self.simulator = Simulator(folder)
        config = {
            "broker": f"embedded:{folder}/data",
            "log": "debug",
            "keys_file": str(self.file),
            "listen": {"host": "127.0.0.1", "grpc": 0, "rest": 0, "admin": 0, "http": 0},
            "providers": providers(self.simulator),
            "routes": ROUTES,
        }
        self.folder = folder
        self.server = harness.Server("server", folder, config, environment={"CANARY_KEY": CANARY})

    def write(self, entries):
        # Renamed over, as editors do: never half there.
        fresh = self.file.with_suffix(".new")
        fresh.write_text("".join(f"- {entry}\n" for entry in entries))
        fresh.rename(self.file)

    def wire(self, access=None, prefix=""):
        return Wire(self.server.grpc, key=prefix + self.keys[access] if access else None)

    @property
    def http(self):
        return f"http://{self.server.doors['http']}"

    def metrics(self, key=None):
        request = urllib.request.Request(f"http://{self.server.doors['admin']}/metrics")
        if key:
            request.add_header("authorization", f"Bearer {key}")
        with urllib.request.urlopen(request, timeout=harness.PATIENCE) as answer:
            return answer.read().decode()

    def stop(self):
        codes = [self.server.stop(), self.simulator.stop()]
        assert codes == [0, 0], self.server.tail()
