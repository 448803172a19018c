"""Prepares clang-tidy of PyPI: it looks at no declaration of the system's headers, which takes Debian's two thirds of its time.

    python3 lint_environments.py DIR
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "end_to_end"))

import environments  # noqa: E402

ENVIRONMENTS = {"clang-tidy": (environments.python_environment, HERE / "clang-tidy.txt", [HERE / "clang-tidy.txt"])}

if __name__ == "__main__":
    environments.main(Path(sys.argv[1]), ENVIRONMENTS, "lock-lint")
