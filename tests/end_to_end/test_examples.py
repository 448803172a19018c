"""The examples run as they stand, and README shows exactly them."""

import re
import subprocess

import pytest

from harness import BINARY, BUILD, PATIENCE, READY, REPOSITORY, SDK, Process, clean_environment, route
from sdks import need_environment

ROUTES = {"openai": route("openai:gpt-4o-mini"), "claude": route("anthropic:claude-sonnet-4-5")}

EXAMPLES = REPOSITORY / "client" / "examples"


def run_example(cluster, command, *arguments, **environment):
    return subprocess.run(
        [*command, *arguments],
        env=clean_environment({"LLM_ROUTER_ADDRESS": cluster.address, **environment}),
        cwd=cluster.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def command_of(name):
    if name.endswith(".py"):
        need_environment("kubemq-4.1.5")
        return [SDK / "kubemq-4.1.5" / "bin" / "python", EXAMPLES / name]
    return [BUILD / "client" / "examples" / f"example_{name.removesuffix('.cc')}"]


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.suffix in (".cc", ".py")))
@pytest.mark.parametrize("channel", ROUTES)
def test_an_example_prints_an_answer(cluster, name, channel):
    done = run_example(cluster, command_of(name), channel)
    assert done.returncode == 0, done.stderr
    assert "what is a" in done.stdout  # the simulator's answer holds the question


@pytest.mark.parametrize("name", ["ask.cc", "ask_async.cc", "ask_many.cc", "ask.py"])
def test_an_example_says_what_is_wrong(cluster, name):
    done = run_example(cluster, command_of(name), "no-such-route")
    assert done.returncode == 1
    assert "no-such-route" in done.stderr


def readme_blocks(language):
    readme = (REPOSITORY / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", readme, re.S | re.M)


def configurations():
    """README's, and the files of deploy/, by name."""
    shown = {f"README-{number}": text for number, text in enumerate(readme_blocks("yaml"))}
    return shown | {path.name: path.read_text() for path in sorted((REPOSITORY / "deploy").glob("*.yaml"))}


def test_readme_shows_the_examples_as_they_are():
    assert (EXAMPLES / "ask.cc").read_text() in readme_blocks("cpp")
    assert (EXAMPLES / "ask.py").read_text() in readme_blocks("python")


@pytest.mark.parametrize("name", configurations())
def test_a_configuration_that_is_shown_works_as_written(tmp_path, name):
    (tmp_path / "llm-router.yaml").write_text(configurations()[name])  # found there without being named
    ports = [option for door in ("grpc", "rest", "admin") for option in ("--set", f"listen.{door}=0")]
    server = Process("server", [BINARY, "serve", *ports], tmp_path)
    server.wait_line(READY)
    assert server.stop() == 0, server.tail()
