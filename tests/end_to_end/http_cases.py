"""What the tests of the HTTP doors share: routes, one of each dialect, and what is asked of them."""

import base64
import json
import struct

from harness import eventually, route

# Each with the words that tell which provider answered, whatever the caller spoke.
SPOKEN = {"gpt": "[simulated openai gpt-4o-mini]", "claude": "[simulated anthropic claude-sonnet-4-5]"}
TALKERS = tuple(SPOKEN)

# One row a fault, in both dialects; the model's name asks the simulator for it.
FAULTS = {
    "busy": "sim-fault-429-sim-retry_after-0",
    "broken": "sim-fault-500",
    "refused": "sim-fault-401",
    "rejected": "sim-fault-400",
    "cut": "sim-fault-cut_stream-sim-after-3",
    "short": "sim-fault-short_stream-sim-after-3",
    "error": "sim-fault-error_in_stream-sim-after-3",
    "gated": "sim-gate-{speaker}",
}
SPEAKERS = {"gpt": "openai", "claude": "anthropic"}

ROUTES = {
    "gpt": route("openai:gpt-4o-mini"),
    "claude": route("anthropic:claude-sonnet-4-5"),
    "embed": route("openai:text-embedding-3-small"),
    "slow": route("openai:gpt-sim-latency-600000"),
    **{
        f"{speaker}-{fault}": route(f"{provider}:{speaker}-{model.format(speaker=speaker)}")
        for speaker, provider in SPEAKERS.items()
        for fault, model in FAULTS.items()
    },
}


def model_of(name):
    """The provider's model behind a route of one target."""
    return ROUTES[name]["targets"][0]["model"]


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 8).decode()
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
CALL_OSLO = 'call:get_weather {"city": "Oslo"}'
CALL_TWO = 'call:get_weather {"city": "Oslo"} call:get_time {"city": "Rome"}'


def floats(text):
    """OpenAI's embeddings in base64, little-endian."""
    raw = base64.b64decode(text)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def aborted(simulator, model):
    """The last request for that model, once the simulator knows that nobody waits for it any more."""

    def ended():
        last = simulator.asked(model)[-1]
        return last if last["outcome"] == "aborted" else None

    return eventually(ended, f"the call to {model} to be aborted")
