#!/usr/bin/env python3
"""README's tables of settings and providers, and deploy/llm-router.yaml, are what the program prints from its tables.

    tests/settings.py BUILD_DIR          says what differs
    tests/settings.py BUILD_DIR --fix    prints them anew
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- printed by `llm-router {} reference` -->\n"
END = "<!-- end -->\n"


def printed(build, *words):
    command = [Path(build).resolve() / "llm-router", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def readme_with(build, *commands):
    readme = (ROOT / "README.md").read_text()
    for command in commands:
        begin = BEGIN.format(command)
        before, rest = readme.split(begin)
        readme = before + begin + printed(build, command, "reference") + END + rest.split(END, 1)[1]
    return readme


def main(build, fix):
    wanted = {
        "README.md": readme_with(build, "config", "providers"),
        "deploy/llm-router.yaml": printed(build, "config", "example"),
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
            print(f"{name} is not what the program prints: run tests/settings.py {build} --fix")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--fix" in sys.argv[2:]))
