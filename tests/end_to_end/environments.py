"""Prepares what the end-to-end tests run in: a virtual environment per Python package, Node's packages, a Go program.

    python3 environments.py DIR

Everything is pinned and lands in DIR (build/sdk), once: a stamp that holds a hash of the inputs says so. Two builds may
ask at the same time; a lock lets one work and the other wait. A language that is not installed is no failure: the
tests that need it are skipped and say what to install. A registry that fails is one.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SDK = HERE / "sdk"


class Missing(Exception):
    """The language is not installed; the text says what to install."""


def need(tool, package):
    path = shutil.which(tool)
    if path is None:
        raise Missing(f"{tool} is not installed: apt-get install {package}")
    return path


def python_environment(folder, requirements):
    need("python3", "python3-venv")
    subprocess.run(["python3", "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"]
    subprocess.run([*pip, "--requirement", requirements], check=True)


def node_environment(folder, sources):
    npm = need("npm", "npm")
    for source in sources.iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    # What install scripts there are only print; nothing of them is needed.
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    subprocess.run([*command, "--loglevel=error"], cwd=folder, check=True)


def go_environment(folder, _):
    go = need("go", "golang-go")
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    command = [go, "build", "-o", folder / "kubemq_go", "."]
    subprocess.run(command, cwd=SDK / "go", env=environment, check=True)


# name: (how to make it, its argument, the files it depends on)
ENVIRONMENTS = {
    "pytest": (python_environment, HERE / "requirements.txt", [HERE / "requirements.txt"]),
    "jsonschema": (python_environment, HERE / "jsonschema.txt", [HERE / "jsonschema.txt"]),
    "rest": (python_environment, HERE / "rest.txt", [HERE / "rest.txt"]),
    "kubemq-3.4.1": (
        python_environment,
        SDK / "python/kubemq-3.4.1.txt",
        [SDK / "python/kubemq-3.4.1.txt"],
    ),
    "kubemq-4.1.5": (
        python_environment,
        SDK / "python/kubemq-4.1.5.txt",
        [SDK / "python/kubemq-4.1.5.txt"],
    ),
    # pytest itself is in it, for the tests call these SDKs themselves.
    "http": (python_environment, SDK / "python/http.txt", [SDK / "python/http.txt", HERE / "requirements.txt"]),
    "node": (node_environment, SDK / "node", sorted((SDK / "node").glob("*.js*"))),
    "node_http": (node_environment, SDK / "node_http", sorted((SDK / "node_http").glob("*.*js*"))),
    "go": (go_environment, None, sorted((SDK / "go").glob("*"))),
}


def digest(files):
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def prepare(root, name, row):
    make, argument, inputs = row
    folder, stamp, missing = root / name, root / f"{name}.stamp", root / f"{name}.missing"
    wanted = digest(inputs)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    missing.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        make(folder, argument)
    except Missing as reason:
        missing.write_text(str(reason))
        print(f"{name}: {reason}")
        return
    stamp.write_text(wanted)
    print(f"{name}: ready")


def main(root, wanted, lock="lock"):
    root.mkdir(parents=True, exist_ok=True)
    with open(root / lock, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for name, row in wanted.items():
            prepare(root, name, row)


if __name__ == "__main__":
    main(Path(sys.argv[1]), ENVIRONMENTS)
