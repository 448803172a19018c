"""Streams over HTTP, many and badly treated: aborted anywhere, read slowly."""

import asyncio
import random
import re

from harness import SANITIZED, eventually, route
from http_stream import PATHS, HttpStream, all_at, request_of, text_of, unchunked, wait_for, whole_body

ABORTED = 1_000 if SANITIZED else 10_000
MIB = 2**20

# ---- aborted ----

CONCURRENCY = 128
STEPS = 16  # words of a stream before the gate that none gets past: so no stream ends by itself
GATED = {
    "gpt": route("openai:gpt-4o-sim-gate-end-sim-tokens-1000", concurrency=CONCURRENCY),
    "claude": route("anthropic:claude-sim-gate-end-sim-tokens-1000", concurrency=CONCURRENCY),
}
# What may stay of memory after all of them. Grown in the warm-up: what a worker keeps for those that resume, buffers.
ROOM = 8 * MIB


def story(number):
    return f"Story {number}"


def abort_cases():
    """Each API to each dialect."""
    return [(path, model) for path in PATHS for model in sorted(GATED)]


async def bytes_to_the_gate(address, path, model):
    """How many bytes of an answer come for certain before the gate: up to the last word but one, in one chunk."""
    stream = await HttpStream.open(address)
    stream.send(request_of(path, model, story(0)))
    head, raw, words = await stream.read_head(), b"", []
    while len(words) < STEPS - 1:
        raw += await stream.read(65536)
        words = list(re.finditer(rb'"content":"|"text_delta"', unchunked(raw)[0]))
    stream.cut()
    return len(head) + words[STEPS - 2].end()


async def abort_at(address, request, point):
    """Sends and reads until `point` bytes went by, which may be before the request is out."""
    stream = await HttpStream.open(address)
    stream.send(request[:point])
    left = point - len(request)
    while left > 0:
        data = await stream.read(min(left, 65536))
        assert data, "the stream ended by itself"
        left -= len(data)
    stream.cut()


def abort_many(cluster, count, seed):
    """How many sent their whole request."""
    address = cluster.gateway.doors["http"]
    chosen = random.Random(seed)
    lengths = {case: wait_for(bytes_to_the_gate(address, *case)) for case in abort_cases()}
    asked = 0
    calls = []
    for number in range(count):
        path, model = case = chosen.choice(abort_cases())
        request = request_of(path, model, story(number))
        point = chosen.randrange(len(request) + lengths[case])
        asked += point >= len(request)
        calls.append(abort_at(address, request, point))
    all_at(CONCURRENCY, calls)
    return asked


def in_flight(cluster):
    """What the processes say is under way: provider calls, and queries by worker."""
    words = (worker.admin("/metrics") for worker in cluster.workers)
    running = [re.findall(r"^llm_router_queries_in_flight\{.*\} (\S+)$", text, re.M) for text in words]
    return cluster.simulator.counters()["in_flight"] + sum(float(count) for counts in running for count in counts)


def at_rest(cluster):
    """Waits for the end of what is under way: descriptors by process."""
    eventually(lambda: in_flight(cluster) == 0, "the end of all calls")
    return {process.name: process.descriptors() for process in cluster.processes}


def resident(cluster):
    return {process.name: process.resident_bytes() for process in cluster.processes}


async def fill(cluster, model):
    """As many streams at once as the route takes; all of them get their first words."""
    streams = [await HttpStream.open(cluster.gateway.doors["http"]) for _ in range(CONCURRENCY)]
    for stream in streams:
        stream.send(request_of(PATHS[0], model, "Hello"))
    for stream in streams:
        await stream.read_head()
    full = in_flight(cluster)
    for stream in streams:
        stream.cut()
    return full


def test_streams_that_are_aborted_anywhere_leave_nothing_behind(make_cluster):
    cluster = make_cluster(GATED, simulate=("--token-rate", 1000))
    cluster.simulator.allow("end", STEPS)
    abort_many(cluster, max(ABORTED // 5, 500), seed=1)
    for model in GATED:
        wait_for(fill(cluster, model))
    descriptors, memory = at_rest(cluster), resident(cluster)
    before = cluster.simulator.counters()

    asked = abort_many(cluster, ABORTED, seed=2)
    # Queries that were cancelled before a worker had them never reach the provider.
    assert asked > ABORTED / 2
    eventually(lambda: at_rest(cluster) == descriptors, f"the descriptors of the beginning, {descriptors}")
    after = cluster.simulator.counters()
    grown = {name: now - memory[name] for name, now in resident(cluster).items()}
    print(f"\n{ABORTED} streams, {asked} asked, {after['aborted'] - before['aborted']} calls aborted; grown: {grown}")
    assert after["finished"] == before["finished"]
    assert asked * 0.8 < after["aborted"] - before["aborted"] <= asked + len(abort_cases())
    if not SANITIZED:  # which keep what was freed
        assert max(grown.values()) < ROOM, grown
    for model in GATED:
        assert wait_for(fill(cluster, model)) == 2 * CONCURRENCY  # at the provider, and in the worker
        at_rest(cluster)


# ---- read slowly ----

CRAWLED = 10  # KiB, a second each
WORDS = 1_000_000  # of a stream that no reader ends
FEW = 30
CRAWLING = {
    "gpt": route(f"openai:gpt-4o-sim-tokens-{WORDS}"),
    "claude": route(f"anthropic:claude-sim-tokens-{WORDS}"),
    "gpt-short": route(f"openai:gpt-4o-sim-tokens-{FEW}"),
    "claude-short": route(f"anthropic:claude-sim-tokens-{FEW}"),
}
SNAILS = (("gpt", PATHS[0]), ("claude", PATHS[1]))
HELD = 24 * MIB  # what a slow reader may cost a process


async def crawl(address, model, path):
    """A kilobyte a second: the stream, and the bytes of it."""
    stream = await HttpStream.open(address, receive_buffer=4096)
    stream.send(request_of(path, model, "Hello"))
    await stream.read_head()
    raw = b""
    for _ in range(CRAWLED):
        raw += await stream.read_exactly(1024)
        await asyncio.sleep(1)  # its pace
    return stream, raw


async def others(address, model, path, crawling):
    """Short streams, one after another while the slow ones crawl, each read as fast as it comes: how many."""
    count = 0
    while not crawling.done():
        count += 1
        assert text_of(await whole_body(address, request_of(path, model, "Hello"))).endswith(f" word{FEW - 1} word{FEW}")
    return count


def paused(cluster):
    """Waits until the provider sends nothing any more: how many words it has sent."""
    seen = []

    def probe():
        seen.append(cluster.simulator.counters()["tokens"])
        return len(seen) > 25 and len(set(seen[-25:])) == 1

    eventually(probe, "the provider to be paused")
    return seen[-1]


def test_readers_of_a_kilobyte_a_second_pause_their_providers_and_nobody_else(make_cluster):
    cluster = make_cluster(CRAWLING)
    address = cluster.gateway.doors["http"]

    async def crawl_among_others():
        crawling = asyncio.gather(*(crawl(address, model, path) for model, path in SNAILS))
        counts = await asyncio.gather(*(others(address, f"{model}-short", path, crawling) for model, path in SNAILS))
        streams = await crawling
        return streams, sum(counts), paused(cluster), resident(cluster)

    async def measured():
        for model, path in SNAILS:
            await whole_body(address, request_of(path, f"{model}-short", "Hello"))
        before = resident(cluster)
        streams, count, words, after = await crawl_among_others()
        grown = {name: after[name] - before[name] for name in before if name != "simulator"}
        print(f"\n{count} other streams; {words} words sent; grown: {grown}")
        assert words < len(SNAILS) * WORDS / 2
        if not SANITIZED:  # which keep what was freed
            assert max(grown.values()) < len(SNAILS) * HELD, grown
        for stream, raw in streams:
            said = [int(number) for number in re.findall(rb"\bword(\d+)\b.", raw)]
            assert len(said) > 20 and said == list(range(said[0], said[-1] + 1))
            stream.cut()

    wait_for(measured())
    eventually(lambda: in_flight(cluster) == 0, "the end of all calls")
