#!/usr/bin/env python3
"""What must not be in a committed file. Usage: words.py"""

import re
import sys

import tree

# Pattern, why. This file is left out.
FORBIDDEN = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "finish it, or leave it out"),
    (re.compile(r"(?<![\w.}$/-])/(work|root|home)/[a-z]"), "a path of one machine"),
    (re.compile(r"^(<<<<<<<|>>>>>>>) "), "a merge conflict"),
    (re.compile(r"\b(sk-[A-Za-z0-9]{32,}|sk-ant-[A-Za-z0-9-]{32,})\b"), "looks like a real key"),
    (re.compile(r"[ \t]+$"), "blanks at the end of the line"),
]
SKIPPED = re.compile(r"(^LICENSE$|^tests/lint/words\.py$|^tests/golden/|\.(json|png|md)$)")


def main():
    names = [name for name in tree.files() if not SKIPPED.search(name)]
    found = []
    for name in names:
        text = (tree.ROOT / name).read_text(errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{name}:{number}: {why}: {line.strip()[:80]}" for pattern, why in FORBIDDEN if pattern.search(line)]
        if text and not text.endswith("\n"):
            found.append(f"{name}: the last line has no end")
    print("\n".join([*found, f"words: {len(names)} files, {len(found)} violations"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
