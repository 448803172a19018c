"""What the lint checks share: which files are ours, a cache of what passed, and running over many files at once."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ("broker_adapters/", "client/", "proto/", "router/")


def files(*patterns):
    """Our files, tracked or new, that match: paths from the root, as strings."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")
    return sorted({name for name in listed if name and (ROOT / name).is_file()})


def compile_commands(build):
    """Source path from the root -> compiler and arguments, without launcher, output, input and precompiled headers.

    So a source that includes too little does not pass because it was precompiled.
    """
    commands = {}
    for entry in json.loads((pathlib.Path(build) / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        if not source.is_relative_to(ROOT):
            continue
        words = shlex.split(entry["command"])
        compiler = next(at for at, word in enumerate(words) if "clang++" in word)
        words = words[compiler:words.index("-o")]
        if "-include-pch" in words:
            at = words.index("-include-pch")
            del words[at:at + 2]
        commands[str(source.relative_to(ROOT))] = words
    return commands


class Cache:
    """Remembers across builds and checkouts what passed, by content: a rerun looks only at what changed."""

    def __init__(self, check, *tools):
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self._dir = pathlib.Path(base) / "llm-router-lint" / check
        self._dir.mkdir(parents=True, exist_ok=True)
        self._tools = repr(tools).encode()

    def key(self, command, inputs):
        digest = hashlib.sha256(self._tools)
        digest.update(" ".join(command).replace(str(ROOT), ".").encode())
        for name in sorted(inputs):
            digest.update(name.encode() + b"\0" + hashlib.sha256((ROOT / name).read_bytes()).digest())
        return digest.hexdigest()

    def passed(self, key):
        return (self._dir / key).exists()

    def remember(self, key):
        (self._dir / key).touch()


def with_includes(source, seen=None):
    """The file and all of our files that it includes, directly or not; and the wire, which generated ones come from."""
    seen = {"proto/kubemq.proto"} if seen is None else seen
    if source in seen or not (ROOT / source).is_file():
        return seen
    seen.add(source)
    for line in (ROOT / source).read_text(errors="replace").splitlines():
        if line.startswith('#include "'):
            with_includes(line.split('"')[1], seen)
    return seen


def version(tool):
    return subprocess.run([tool, "--version"], check=True, capture_output=True, text=True).stdout


def run_all(items, check):
    """check(item) -> error text or "" for all, on all processors. Prints the errors; returns how many failed."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for error in pool.map(check, items):
            if error:
                failed += 1
                print(error, flush=True)
    return failed
