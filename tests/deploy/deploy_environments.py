"""Prepares what the tests of deploy/ run in: Helm, and what knows Kubernetes' manifests.

    python3 deploy_environments.py DIR
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "end_to_end"))

import environments  # noqa: E402


def helm_environment(folder, module):
    go = environments.need("go", "golang-go")
    install = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
    subprocess.run([go, "install", "-trimpath", "-ldflags=-s -w", module.read_text().strip()], env=install, check=True)


ENVIRONMENTS = {
    "helm": (helm_environment, HERE / "helm.txt", [HERE / "helm.txt"]),
    "kubernetes": (environments.python_environment, HERE / "kubernetes.txt", [HERE / "kubernetes.txt"]),
}

if __name__ == "__main__":
    # With a lock of its own: the end-to-end tests need not wait for Helm to be built.
    environments.main(Path(sys.argv[1]), ENVIRONMENTS, "lock-deploy")
