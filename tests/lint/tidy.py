#!/usr/bin/env python3
"""clang-tidy over the product's sources (.clang-tidy lists the checks). Usage: tidy.py BUILD_DIR"""

import subprocess
import sys

import tree

TOOL = "clang-tidy-19"


def main(build):
    commands = tree.compile_commands(build)
    cache = tree.Cache("tidy", tree.version(TOOL), (tree.ROOT / ".clang-tidy").read_text())
    sources = [name for name in tree.files("*.cc") if name.startswith(tree.PRODUCT) and name in commands]

    def check(source):
        key = cache.key(commands[source], tree.with_includes(source))
        if cache.passed(key):
            return ""
        result = subprocess.run([TOOL, "--quiet", source, "--", *commands[source][1:]], cwd=tree.ROOT, capture_output=True, text=True)
        if result.returncode == 0:
            cache.remember(key)
            return ""
        return result.stdout or result.stderr

    failed = tree.run_all(sources, check)
    print(f"clang-tidy: {len(sources)} files, {failed} with warnings")
    return 1 if failed or not sources else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
