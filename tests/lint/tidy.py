#!/usr/bin/env python3
"""clang-tidy over the product's sources (.clang-tidy lists the checks). Usage: tidy.py BUILD_DIR SDK_DIR"""

import subprocess
import sys

import tree


def flags_of(command):
    """Without the sanitizers: the headers that they bring are the compiler's own."""
    return [word for word in command[1:] if not word.startswith("-fsanitize")]


def main(build, sdk):
    tool = f"{sdk}/clang-tidy/bin/clang-tidy"
    commands = {source: flags_of(command) for source, command in tree.compile_commands(build).items()}
    cache = tree.Cache("tidy", tree.version(tool), (tree.ROOT / ".clang-tidy").read_text())
    sources = [name for name in tree.files("*.cc") if name.startswith(tree.PRODUCT) and name in commands]

    def check(source):
        key = cache.key(commands[source], tree.with_includes(source))
        if cache.passed(key):
            return ""
        command = [tool, "--quiet", source, "--", *commands[source]]
        result = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True)
        if result.returncode == 0:
            cache.remember(key)
            return ""
        return result.stdout or result.stderr

    failed = tree.run_all(sources, check)
    print(f"clang-tidy: {len(sources)} files, {failed} with warnings")
    return 1 if failed or not sources else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
