"""The Debian package: what is in it, what it depends on, and units that may do no more than they need."""

import re
import shutil
import stat
import subprocess

import pytest
import yaml

from harness import BUILD, REPOSITORY, SANITIZED, Process, READY, eventually, get, run

UNITS = ("llm-router.service", "llm-router@worker.service")

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer's build is not packaged")


def call(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    if shutil.which("dpkg-shlibdeps") is None:
        pytest.skip("dpkg-shlibdeps is not installed: apt-get install dpkg-dev")
    folder = tmp_path_factory.mktemp("package")
    call("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", folder, cwd=folder)
    (made,) = folder.glob("*.deb")
    return made


@pytest.fixture(scope="module")
def root(package, tmp_path_factory):
    """The package, unpacked."""
    folder = tmp_path_factory.mktemp("root")
    call("dpkg-deb", "-x", package, folder)
    return folder


def test_it_holds_the_program_its_settings_and_its_units(root):
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert files == {
        "etc/llm-router/llm-router.env",
        "etc/llm-router/llm-router.yaml",
        "usr/bin/llm-router",
        "usr/lib/systemd/system/llm-router.service",
        "usr/lib/systemd/system/llm-router@.service",
        "usr/share/doc/llm-router/copyright",
        "usr/share/doc/llm-router/examples/llm-router.yaml",
        "usr/share/doc/llm-router/examples/providers.yaml",
    }


def test_only_root_reads_the_file_with_keys(root):
    assert stat.S_IMODE((root / "etc/llm-router/llm-router.env").stat().st_mode) == 0o600


def test_an_upgrade_keeps_what_the_user_wrote(package, tmp_path):
    call("dpkg-deb", "-e", package, tmp_path / "control")
    assert (tmp_path / "control/conffiles").read_text().split() == [
        "/etc/llm-router/llm-router.env",
        "/etc/llm-router/llm-router.yaml",
    ]


def test_it_depends_on_the_libraries_it_is_linked_to_and_no_build_tools(package):
    depends = [word.split()[0] for word in call("dpkg-deb", "-f", package, "Depends").split(",")]
    assert "ca-certificates" in depends
    assert any(name.startswith("libgrpc") for name in depends) and "libsqlite3-0" in depends
    assert [name for name in depends if name.endswith("-dev")] == []
    assert call("dpkg-deb", "-f", package, "Version").strip() == run("--version", folder=package.parent).stdout.strip()


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_its_scripts_do_nothing_where_systemd_does_not_run(package, script, tmp_path):
    call("dpkg-deb", "-e", package, tmp_path / "control")
    text = (tmp_path / "control" / script).read_text().replace("/run/systemd/system", str(tmp_path / "nowhere"))
    for argument in ("configure", "remove", "upgrade"):
        assert call("sh", "-s", argument, "0.0.9", input=text) == ""


# ---- units ----


@pytest.fixture(scope="module")
def bootable(root):
    """The unpacked package beside the units that every Debian has."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    for name in ("basic", "multi-user", "network-online", "shutdown", "sysinit"):
        (root / f"usr/lib/systemd/system/{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    yield root
    for path in root.glob("usr/lib/systemd/system/*.target"):
        path.unlink()


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_unit_without_a_complaint(bootable, unit):
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={bootable}", "--man=no", unit], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_little_exposed(bootable, unit):
    name = unit.replace("@worker", "@")
    done = call("systemd-analyze", "security", "--offline=yes", "--threshold=20", f"--root={bootable}", name)
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", done)[1]) <= 2.0


def settings(unit):
    text = (REPOSITORY / "deploy/systemd" / unit.replace("@worker", "@")).read_text()
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.M):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_runs_as_nobody_in_particular_and_writes_one_folder(unit):
    found = settings(unit)
    for name, value in {
        "DynamicUser": "yes",
        "User": "llm-router",  # the same for all units, for they share the folder
        "StateDirectory": "llm-router",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "CapabilityBoundingSet": "",
        "LimitCORE": "0",
    }.items():
        assert found[name] == [value], name
    # Longer than the longest query over HTTP, as an SDK's default timeout has it.
    assert int(found["TimeoutStopSec"][0]) > 600


def test_the_packages_command_line_and_settings_start_a_server(root, tmp_path):
    """As systemd would, but for the paths and the ports."""
    (command,) = settings("llm-router.service")["ExecStart"]
    config = tmp_path / "llm-router.yaml"
    text = (root / "etc/llm-router/llm-router.yaml").read_text()
    assert yaml.safe_load(text)["broker"] == "embedded:/var/lib/llm-router"
    config.write_text(text.replace("/var/lib/llm-router", str(tmp_path / "state")))
    words = [{"/usr/bin/llm-router": root / "usr/bin/llm-router"}.get(word, word) for word in command.split()]
    words = [config if word == "/etc/llm-router/llm-router.yaml" else word for word in words]
    ports = {f"LLM_ROUTER_LISTEN_{door}": "0" for door in ("GRPC", "REST", "ADMIN", "HTTP")}
    server = Process("server", words, tmp_path, ports)
    doors = dict(door.split("=", 1) for door in server.wait_line(READY)["doors"].split())
    assert eventually(lambda: "true" in get(f"http://{doors['admin']}/ready"), "readiness")
    assert (tmp_path / "state").is_dir()
    assert server.stop() == 0
