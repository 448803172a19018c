#!/usr/bin/env python3
"""Includes point only downwards.

A unit is a folder, or the files whose path begins so; the longest match counts. Units of one row do not include each
other. Usage: layers.py (checks the tree); layers.py --self-test (checks that violations are found).
"""

import re
import sys

import tree

# Lowest first. A unit may include itself and every unit of the rows before its own.
LAYERS = [
    ["broker_adapters/base/"],
    ["proto/"],
    ["broker_adapters/broker.", "broker_adapters/pattern."],
    ["broker_adapters/stored_events.", "broker_adapters/incoming_stream."],
    ["broker_adapters/reply_streams."],
    ["broker_adapters/embedded/", "broker_adapters/kubemq/", "broker_adapters/nats/"],
    ["broker_adapters/registry."],
    ["router/net/sse."],
    ["router/config/", "router/dialects/", "router/net/", "router/roster/"],
    ["router/providers/", "router/store/", "router/telemetry/"],
    ["router/pipeline/"],
    ["client/", "router/gateway/", "router/jobs/", "router/simulate/", "router/worker/"],
    ["client/cli/", "client/examples/"],
    ["router/app_"],
    ["router/app."],
    ["router/config_command.", "router/providers_command."],
    ["router/main.cc"],
]

# Narrower than its row: all that the unit may include beside itself.
ONLY = {
    "client/": ["broker_adapters/base/", "proto/", "broker_adapters/broker.", "broker_adapters/reply_streams.", "broker_adapters/kubemq/"],
    "client/cli/": ["broker_adapters/base/", "proto/", "broker_adapters/broker.", "broker_adapters/reply_streams.", "broker_adapters/kubemq/", "client/"],
    "client/examples/": ["client/"],
}

# What a unit must not include although its row is lower.
NEVER = {
    "router/gateway/": ["router/pipeline/", "router/store/"],
    "router/jobs/": ["router/pipeline/"],
    "router/pipeline/": ["router/store/"],
    "router/simulate/": ["router/pipeline/", "router/store/"],
    "router/worker/": ["router/store/"],
}

ROW = {unit: number for number, row in enumerate(LAYERS) for unit in row}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')


def unit_of(path):
    matches = [unit for unit in ROW if path.startswith(unit)]
    return max(matches, key=len) if matches else None


def objection(source, included):
    """Why `source` may not include `included` (both paths), or None."""
    here, there = unit_of(source), unit_of(included)
    if here is None:
        return f"{source} is in no layer: name its folder in LAYERS"
    if there is None or here == there:
        return None
    if here in ONLY:
        return None if there in ONLY[here] else f"{here} includes only {', '.join(ONLY[here])}"
    if there in NEVER.get(here, []):
        return f"{here} never includes {there}"
    if ROW[there] == ROW[here]:
        return f"{here} and {there} are neighbours and do not include each other"
    if ROW[there] > ROW[here]:
        return f"{here} is below {there}"
    return None


def violations(source, text):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match[1]
        if included.startswith("tests/"):
            yield f"{source}:{number}: includes {included}: tests are included by tests only"
        elif (tree.ROOT / source).parent.joinpath(included).is_file() and "/" not in included:
            yield f"{source}:{number}: includes {included}: name it from the root of the tree"
        elif why := objection(source, included):
            yield f"{source}:{number}: includes {included}: {why}"


def check_tree():
    sources = [name for name in tree.files("*.h", "*.cc") if name.startswith(tree.PRODUCT)]
    found = [line for name in sources for line in violations(name, (tree.ROOT / name).read_text())]
    print("\n".join([*found, f"layers: {len(sources)} files, {len(found)} violations"]))
    return 1 if found or not sources else 0


def self_test():
    wrong = [
        ("broker_adapters/base/ids.cc", "proto/fault.h"),
        ("proto/contract.cc", "broker_adapters/broker.h"),
        ("broker_adapters/embedded/x.cc", "broker_adapters/kubemq/convert.h"),
        ("broker_adapters/broker.h", "broker_adapters/registry.h"),
        ("router/net/x.h", "router/config/config.h"),
        ("router/gateway/x.cc", "router/pipeline/pipeline.h"),
        ("router/gateway/x.cc", "router/worker/worker.h"),
        ("router/jobs/x.cc", "router/pipeline/pipeline.h"),
        ("router/worker/x.cc", "router/store/store.h"),
        ("client/client.cc", "router/net/http_client.h"),
        ("client/cli/ask.cc", "broker_adapters/embedded/embedded_broker.h"),
        ("router/pipeline/x.cc", "router/app.h"),
        ("router/pipeline/x.cc", "tests/support/run.h"),
        ("router/unheard_of/x.cc", "proto/fault.h"),
    ]
    right = [
        ("router/worker/x.cc", "router/pipeline/pipeline.h"),
        ("router/jobs/x.cc", "router/store/store.h"),
        ("router/app.cc", "broker_adapters/embedded/embedded_broker.h"),
        ("client/client.cc", "broker_adapters/kubemq/kubemq_broker.h"),
        ("router/main.cc", "client/cli/cli.h"),
        ("router/main.cc", "absl/status/status.h"),
    ]
    failed = 0
    for pairs, expected in ((wrong, 1), (right, 0)):
        for source, included in pairs:
            count = len(list(violations(source, f'#pragma once\n#include "{included}"\n')))
            if count != expected:
                failed += 1
                print(f"{source} includes {included}: {count} violations found, expected {expected}")
    print(f"layers, self-test: {len(wrong)} seeded violations, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(self_test() if "--self-test" in sys.argv else check_tree())
