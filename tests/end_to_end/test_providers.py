"""`llm-router providers`: which there are, and whether they work."""

import json
import re

import pytest

from harness import CANARY, Simulator, run

KEY_PAGE = "keys are made at https://platform.openai.com/api-keys"


@pytest.fixture
def simulator(tmp_path):
    made = Simulator(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def providers(tmp_path, simulator):
    """Runs `providers ...` beside a llm-router.yaml whose providers the simulator plays."""
    config = {
        "providers": {
            "gpt": {"type": "openai", "base_url": f"{simulator.url}/openai/v1", "key": "${CANARY_KEY}"},
            "eu": {"type": "azure", "base_url": f"{simulator.url}/azure", "key": "${CANARY_KEY}"},
            "keyless": {"type": "openai", "key": "${A_KEY_NOBODY_SET}"},
            "lab": {"type": "openai_compatible", "base_url": f"{simulator.url}/v1"},
            "gone": {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1"},
        },
        "routes": {"r": {"targets": [{"provider": "eu", "model": "my-deployment"}]}},
    }
    (tmp_path / "llm-router.yaml").write_text(json.dumps(config))

    def go(*arguments, **environment):
        done = run("providers", *arguments, folder=tmp_path, environment={"CANARY_KEY": CANARY, **environment})
        assert CANARY not in done.stdout + done.stderr
        return done

    return go


def test_list_shows_what_is_configured_and_what_could_be(providers, tmp_path):
    (tmp_path / ".env").write_text("GROQ_API_KEY=from-env-file\n")
    done = providers("list")
    assert done.returncode == 0, done.stderr
    lines = {tuple(line.split()[:2]): line for line in done.stdout.splitlines()}
    assert "CANARY_KEY (set)" in lines["gpt", "openai"]
    assert "A_KEY_NOBODY_SET (not set)" in lines["keyless", "openai"]
    assert "not needed" in lines["lab", "openai_compatible"]
    assert "GROQ_API_KEY (set)" in lines["-", "groq"] and "https://console.groq.com/keys" in lines["-", "groq"]
    assert "from-env-file" not in done.stdout


@pytest.mark.parametrize(("name", "model"), [("gpt", "gpt-4o-mini"), ("eu", "my-deployment")])
def test_a_provider_that_works_says_so(providers, simulator, name, model):
    done = providers("test", name)
    assert re.fullmatch(rf"{name}: key ok, model {model}, \d+ ms\n", done.stdout), done.stderr
    assert done.returncode == 0
    assert simulator.last()["model"] == model


def test_a_type_that_nobody_configured_is_tested_with_its_usual_key(providers, simulator):
    done = providers("test", "ollama", "--set", f"providers.ollama={{type: ollama, base_url: '{simulator.url}/ollama/v1'}}")
    assert re.fullmatch(r"ollama: no key needed, model llama3.2, \d+ ms\n", done.stdout), done.stderr
    done = providers("test", "groq")
    assert done.returncode == 1
    assert done.stderr == (
        "error: provider groq has no key: set GROQ_API_KEY in the environment or in .env, or start with --simulate; "
        "keys are made at https://console.groq.com/keys\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["gpt", "--model", "m-sim-fault-401"], f"provider gpt refuses its key: check CANARY_KEY; {KEY_PAGE}"),
        (["gpt", "--model", "m-sim-fault-404"], "provider gpt knows no such model (404): check the model and base_url"),
        (["keyless"], "provider keyless has no key: set A_KEY_NOBODY_SET in the environment or in .env"),
        (["gone", "--model", "m"], "provider gone: "),
    ],
)
def test_a_provider_that_does_not_work_says_what_is_wrong(providers, arguments, error):
    done = providers("test", *arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"error: {error}")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nobody"], "nobody is neither a configured provider nor a type: configured are gpt, eu, keyless, lab, gone; "),
        (["lab"], "type openai_compatible has no default model: name one with --model"),
        (["gpt", "--set", "providers.gpt.base_url=x"], "configuration: providers.gpt.base_url: does not begin with http://"),
    ],
)
def test_what_cannot_be_tested_is_told_apart_by_its_exit_code(providers, arguments, error):
    done = providers("test", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"error: {error}")
