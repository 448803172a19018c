"""The commands that look at a configuration, and the JSON Schema they print."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from harness import CANARY, PATIENCE, REPOSITORY, SDK, run
from sdks import need_environment

EXAMPLE = REPOSITORY / "deploy" / "llm-router.yaml"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.S | re.M)
README = next(block for block in BLOCKS if "chain:" in block)  # the one that shows most

GOOD = """
broker: embedded:./data
listen: { grpc: 0, admin: "${ADMIN_PORT}" }
providers:
  openai: { type: openai, key: "${CANARY_KEY}" }
  lab:    { type: openai_compatible, base_url: "http://127.0.0.1:8001/v1", key: sk-canary-5f1d0c9e }
routes:
  openai: { targets: [ { provider: openai, model: gpt-4o-mini } ] }
"""


@pytest.fixture
def config(tmp_path):
    """Runs `config ...` beside a llm-router.yaml of that text."""

    def go(text, *arguments, **environment):
        (tmp_path / "llm-router.yaml").write_text(text)
        environment = {"CANARY_KEY": CANARY, "ADMIN_PORT": "8081", **environment}
        return run("config", *arguments, folder=tmp_path, environment=environment)

    return go


# ---- print ----


def test_print_shows_what_the_file_says(config):
    done = config(GOOD, "print")
    assert done.returncode == 0, done.stderr
    assert 'key: "${CANARY_KEY}"' in done.stdout and 'admin: "${ADMIN_PORT}"' in done.stdout
    assert "concurrency" not in done.stdout and CANARY not in done.stdout


def test_print_effective_shows_every_value_and_its_origin(config):
    done = config(GOOD, "print", "--effective", "--set", "listen.http=1", LLM_ROUTER_LOG="debug")
    assert done.returncode == 0, done.stderr
    for line in (
        "  grpc: 0  # llm-router.yaml:3",
        "  admin: 8081  # llm-router.yaml:3",
        "  http: 1  # --set",
        "  host: 127.0.0.1  # default",
        "log: debug  # LLM_ROUTER_LOG",
        '    key: "***"  # llm-router.yaml:5',
    ):
        assert line in done.stdout.splitlines()
    assert CANARY not in done.stdout


def test_what_print_effective_shows_can_be_used_again(config):
    shown = config(GOOD.replace(CANARY, "plain"), "print", "--effective").stdout.replace('"***"', "plain")
    again = config(shown, "print", "--effective").stdout
    strip = lambda text: re.sub(r"  # .*", "", text)  # noqa: E731
    assert strip(again).replace('"***"', "plain") == strip(shown)


def test_print_of_what_is_no_yaml_says_where(config):
    done = config("routes: [\n", "print")
    assert (done.returncode, done.stdout) == (1, "")
    assert "llm-router.yaml:2" in done.stderr


# ---- check ----


def test_check_of_a_good_file_is_quiet_and_0(config):
    done = config(GOOD, "check", "llm-router.yaml")
    assert (done.returncode, done.stderr) == (0, "")


def test_check_tells_everything_at_once(config):
    done = config("kye: 1\nlisten: { grpc: 70000, host: 'a b' }\nroutes: { llm_x: {}, r: {} }\n", "check")
    assert (done.returncode, done.stdout) == (1, "")
    for path in ("kye", "listen.grpc", "listen.host", "routes.llm_x", "routes.r.targets"):
        assert re.search(rf"^  {re.escape(path)}: .+: .+", done.stderr, re.M), done.stderr


def test_check_warns_of_a_key_that_is_not_set(config):
    done = config(GOOD, "check", "llm-router.yaml", CANARY_KEY="")
    assert done.returncode == 0
    assert "warning: provider openai has no key: set CANARY_KEY" in done.stderr


def test_check_of_no_file_is_an_error(config):
    done = config(GOOD, "check", "/no/such/file.yaml")
    assert done.returncode == 1
    assert "/no/such/file.yaml" in done.stderr


def test_the_example_can_be_used(config):
    done = config(GOOD, "check", EXAMPLE, OPENAI_API_KEY="k")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_without_its_comment_signs_is_yaml_too(config):
    lines = EXAMPLE.read_text().splitlines()
    setting = re.compile(r"^( *)# ([a-z_]+:( .*)?|-|- .*)$")
    shown = [setting.sub(r"\1\2", line) for line in lines]
    done = config("\n".join(shown) + "\n", "print")
    assert done.returncode == 0, done.stderr


# ---- schema ----

BAD = {
    "a name that is none": "listne: {}",
    "a name inside that is none": "listen: { grcp: 1 }",
    "a port that is none": "listen: { grpc: 70000 }",
    "a negative number": "limits: { body: -1 }",
    "a word for a number": "limits: { body: lots }",
    "a fraction": "listen: { grpc: 1.5 }",
    "a level that is none": "log: loud",
    "a value for a map": "providers: openai",
    "a list for a map": "routes: []",
    "a map for a list": "routes: { r: { targets: { provider: p } } }",
    "a provider without a type": "providers: { a: {} }",
    "a provider's id that is none": 'providers: { "a b": { type: openai } }',
    "a base URL that is none": "providers: { a: { type: openai, base_url: 127.0.0.1 } }",
    "a route's name that is none": 'routes: { "a b": { targets: [ { provider: p } ] } }',
    "a route of ours": "routes: { llm_x: { targets: [ { provider: p } ] } }",
    "no target": "routes: { r: { targets: [] } }",
    "a target without a provider": "routes: { r: { targets: [ { model: m } ] } }",
    "too many targets": f"routes: {{ r: {{ targets: [ {', '.join(['{ provider: p }'] * 65)} ] }} }}",
    "neither targets nor a chain": "routes: { r: {} }",
    "a chain beside targets": "routes: { r: { chain: [ { route: s, prompt: x } ], targets: [ { provider: p } ] } }",
    "no step": "routes: { r: { chain: [] } }",
    "a step without a prompt": "routes: { r: { chain: [ { route: s } ] } }",
    "a step on a route of ours": "routes: { r: { chain: [ { route: llm_x, prompt: x } ] } }",
    "a concurrency of 0": "routes: { r: { concurrency: 0, targets: [ { provider: p } ] } }",
    "a text that is too long": f"broker: {'x' * 5000}",
    "an empty text": 'broker: ""',
}


@pytest.fixture(scope="module")
def objections(tmp_path_factory):
    """What the schema says against each of some documents."""
    need_environment("jsonschema")
    folder = tmp_path_factory.mktemp("schema")
    (folder / "schema.json").write_text(run("config", "schema", folder=folder).stdout)

    def go(*documents):
        command = [SDK / "jsonschema/bin/python", Path(__file__).with_name("validate.py"), folder / "schema.json"]
        done = subprocess.run(
            command, input=json.dumps(documents), capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return go


def test_the_schema_accepts_what_can_be_used(objections):
    shown = [EXAMPLE.read_text(), GOOD, *BLOCKS]
    assert objections(*shown) == [[] for _ in shown]


def test_the_schema_refuses_every_kind_of_bad_value(objections):
    found = dict(zip(BAD, objections(*BAD.values())))
    assert [name for name, said in found.items() if not said] == []


@pytest.mark.parametrize("name", BAD)
def test_what_the_schema_refuses_is_refused_by_check_too(config, name):
    assert config(BAD[name] + "\n", "check").returncode == 1
