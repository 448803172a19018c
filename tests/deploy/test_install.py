"""`cmake --install`, and projects of somebody else's: one finds the client library there and builds with g++, one has this
repository inside."""

import shutil
import subprocess

import pytest

from harness import BUILD, REPOSITORY, SANITIZED, Server, clean_environment, run

OUTSIDE = REPOSITORY / "tests" / "deploy" / "outside"
PUBLIC = {"batch.h", "canceller.h", "client.h", "job.h", "pattern.h", "question.h", "result.h", "stream.h"}

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer's build is not installed")


def cmake(*arguments, folder):
    done = subprocess.run(
        ["cmake", *[str(part) for part in arguments]], cwd=folder, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    cmake("--install", BUILD, "--prefix", prefix, folder=prefix)
    return prefix


@pytest.fixture(scope="module")
def outside(installed, tmp_path_factory):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    build = tmp_path_factory.mktemp("outside")
    cmake("-S", OUTSIDE, "-B", build, f"-DCMAKE_PREFIX_PATH={installed}", "-DCMAKE_CXX_COMPILER=g++", folder=build)
    cmake("--build", build, folder=build)
    return build / "outside"


def test_only_the_program_the_public_headers_and_the_package_are_installed(installed):
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {path.removeprefix("include/llm_router/client/") for path in files if path.endswith(".h")} == PUBLIC
    assert "bin/llm-router" in files
    others = {path for path in files if not path.endswith((".h", ".cmake", ".a")) and path != "bin/llm-router"}
    assert all(path.startswith(("lib/systemd/", "share/doc/llm-router/", "etc/llm-router/")) for path in others), others
    assert sum(path.endswith(".a") for path in files) == 1


def test_what_is_installed_names_no_folder_of_the_build(installed):
    for path in installed.rglob("*.cmake"):
        assert str(REPOSITORY) not in path.read_text() and str(BUILD) not in path.read_text(), path


def test_the_installed_program_runs_from_there(installed):
    done = subprocess.run([installed / "bin" / "llm-router", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run("--version", folder=installed).stdout


def ask(program, tmp_path):
    config = {
        "broker": f"embedded:{tmp_path}/data",
        "listen": {"grpc": 0, "rest": 0, "admin": 0, "http": 0},
        "providers": {"openai": {"type": "openai", "key": "${A_KEY_NOBODY_SET}"}},
        "routes": {"openai": {"targets": [{"provider": "openai"}]}},
    }
    server = Server("server", tmp_path, config, "--simulate")
    environment = clean_environment({"LLM_ROUTER_ADDRESS": server.grpc})
    done = subprocess.run([program, "openai"], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "what is a package" in done.stdout and "what is a stream" in done.stdout
    wrong = subprocess.run([program, "nobody"], env=environment, capture_output=True, text=True, timeout=120)
    assert wrong.returncode == 1 and "nobody" in wrong.stderr
    assert server.stop() == 0


def test_a_project_elsewhere_builds_with_gcc_and_asks(outside, tmp_path):
    ask(outside, tmp_path)


# In one folder, always, and not optimised: most of it is in the compiler's cache after the first time.
def test_a_project_with_this_repository_inside_builds_and_asks(tmp_path):
    build = BUILD.parent / "inside"
    options = [f"-DLLM_ROUTER={REPOSITORY}", "-DCMAKE_CXX_COMPILER=clang++-19"]
    cmake("-G", "Ninja", "-S", OUTSIDE.parent / "inside", "-B", build, *options, folder=tmp_path)
    cmake("--build", build, folder=tmp_path)
    ask(build / "inside", tmp_path)
