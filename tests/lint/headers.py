#!/usr/bin/env python3
"""Every header of ours compiles alone. Usage: headers.py BUILD_DIR

A header that some source includes first has proved it whenever that source was built; the others are compiled here.
"""

import subprocess
import sys

import tree

COMPILER = "clang++-19"


def first_include(source):
    for line in (tree.ROOT / source).read_text().splitlines():
        if line.startswith("#include"):
            return line.split('"')[1] if '"' in line else None
    return None


def flags_of(compiled):
    """One set of flags that finds every include: those of all our compilations together."""
    flags = {}
    for words in compiled.values():
        for word, following in zip(words, [*words[1:], ""]):
            if word == "-isystem":
                flags["-isystem" + following] = None
            elif word.startswith(("-I", "-isystem", "-DBOOST", "-W")):
                flags[word] = None
    return [*flags, "-std=c++20"]


def main(build):
    compiled = tree.compile_commands(build)
    proved = {first_include(source) for source in compiled}
    everything = tree.files("*.h")
    headers = [name for name in everything if name not in proved]
    flags = flags_of(compiled)
    cache = tree.Cache("headers", tree.version(COMPILER))

    def check(header):
        command = [COMPILER, *flags, "-Wno-pragma-once-outside-header", "-fsyntax-only", "-x", "c++", header]
        key = cache.key(command, tree.with_includes(header))
        if cache.passed(key):
            return ""
        result = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True)
        if result.returncode == 0:
            cache.remember(key)
            return ""
        return f"{header} does not compile alone:\n" + "\n".join(result.stderr.splitlines()[:12])

    failed = tree.run_all(headers, check)
    print(f"headers: {len(headers)} compiled alone, {len(everything) - len(headers)} first in a source; {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
