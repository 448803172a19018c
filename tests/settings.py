#!/usr/bin/env python3
"""README's table of settings and deploy/llm-router.yaml are what the program prints from its table of settings.

    tests/settings.py BUILD_DIR          says what differs
    tests/settings.py BUILD_DIR --fix    prints them anew
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- printed by `llm-router config reference` -->\n"
END = "<!-- end -->\n"


def printed(build, what):
    command = [Path(build).resolve() / "llm-router", "config", what]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def readme_with(table):
    before, rest = (ROOT / "README.md").read_text().split(BEGIN)
    return before + BEGIN + table + END + rest.split(END, 1)[1]


def main(build, fix):
    wanted = {
        "README.md": readme_with(printed(build, "reference")),
        "deploy/llm-router.yaml": printed(build, "example"),
    }
    stale = 0
    for name, text in wanted.items():
        file = ROOT / name
        if file.exists() and file.read_text() == text:
            continue
        if fix:
            file.write_text(text)
        else:
            stale += 1
            print(f"{name} is not what the table of settings says: run tests/settings.py {build} --fix")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--fix" in sys.argv[2:]))
