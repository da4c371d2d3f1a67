"""``python3 -m tests.wheel_check``: builds the wheel, installs it alone in a new environment, and uses it from an empty folder.

Needs pip 22.3 or later beside the interpreter that runs it, and for the build setuptools from the package index.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
import venv
import zipfile
from pathlib import Path
from typing import Any, Callable, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
NAME = "secure_mcp_gateway"
PROJECT_FILES = ("pyproject.toml", "README.md", "LICENSE")
CACHES = ("__pycache__", ".*")
DEADLINE = 60


class Place(NamedTuple):
    """An environment with the wheel in it and nothing else, and an empty folder to use it from."""

    wheel: Path
    bin: Path
    folder: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [str(self.bin / "secure-mcp-gateway"), "--store", str(self.folder / "store.json"), *arguments]

    def run(self, *command: str, text: str = "") -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, input=text, capture_output=True, encoding="utf-8", timeout=DEADLINE, check=False
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*self.command(*arguments, "--format", "json")))

    def version(self) -> str:
        return self.wheel.name.split("-")[1]


def prepare(folder: Path) -> Place:
    wheel = build_wheel(folder)
    home, empty = folder / "environment", folder / "empty"
    empty.mkdir()
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    pip("--python", str(scripts / "python"), "install", "--no-index", "--no-deps", str(wheel))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SECURE_MCP_GATEWAY"))}
    return Place(wheel, scripts, empty, {**kept, "HOME": str(folder), "PATH": f"{scripts}{os.pathsep}{kept['PATH']}"})


def build_wheel(folder: Path) -> Path:
    """Built from a copy: setuptools leaves folders beside the sources, and takes from them files long deleted."""
    source = folder / "source"
    shutil.copytree(ROOT / NAME, source / NAME, ignore=shutil.ignore_patterns(*CACHES))
    for name in PROJECT_FILES:
        shutil.copy(ROOT / name, source / name)
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], stdout=sys.stderr, timeout=600, check=True)


def check_that_every_file_of_the_package_is_in_the_wheel(place: Place) -> None:
    source = place.wheel.parent / "source"
    ours = {path.relative_to(source).as_posix() for path in (source / NAME).rglob("*") if path.is_file()}
    packed = {name for name in zipfile.ZipFile(place.wheel).namelist() if ".dist-info/" not in name}
    assert packed == ours, f"only here: {sorted(ours - packed)}; only in the wheel: {sorted(packed - ours)}"


def check_that_it_requires_nothing(place: Place) -> None:
    (name,) = (name for name in zipfile.ZipFile(place.wheel).namelist() if name.endswith(".dist-info/METADATA"))
    metadata = zipfile.ZipFile(place.wheel).read(name).decode()
    assert "Requires-Dist" not in metadata, metadata


def check_that_it_runs_from_the_environment_alone(place: Place) -> None:
    where = place.run(str(place.bin / "python"), "-c", f"import {NAME}; print({NAME}.__file__)")
    assert where.startswith(str(place.bin.parent)), f"the package came from {where}"


def check_the_version(place: Place) -> None:
    said = place.run(str(place.bin / "secure-mcp-gateway"), "--version")
    assert place.version() in said, f"{said!r} does not name {place.version()}"


def check_generate_config_and_config_list(place: Place) -> None:
    made = place.json("generate-config")
    assert made["admin_api_key"].startswith("smga_"), sorted(made)
    names = [config["mcp_config_name"] for config in place.json("config", "list")]
    assert names == ["default_config"], names


def check_that_the_default_server_answers(place: Place) -> None:
    server = place.json("config", "get-server", "--config-name", "default_config", "--server-name", "echo_server")["config"]
    ping = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}) + "\n"
    answer = json.loads(place.run(server["command"], *server["args"], text=ping))
    assert answer == {"jsonrpc": "2.0", "id": 1, "result": {}}, answer


def check_that_the_api_starts_answers_and_stops(place: Place) -> None:
    command = place.command("system", "start-api", "--host", "127.0.0.1", "--port", "0")
    with subprocess.Popen(
        command, cwd=place.folder, env=place.environment, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        watchdog = threading.Timer(DEADLINE, server.kill)
        watchdog.start()
        try:
            address = address_of(server)
            health = json.loads(text_at(f"{address}/health"))["data"]
            assert health == {"status": "ok", "version": place.version()}, health
            check_that_the_pages_and_their_files_are_there(address)
            place.run(*place.command("system", "stop-api"))
            assert server.wait(DEADLINE) == 0, f"the stopped server ended with {server.returncode}"
        finally:
            watchdog.cancel()
            server.kill()


def check_that_the_pages_and_their_files_are_there(address: str) -> None:
    for page in ("/", "/docs", "/redoc"):
        named = re.findall(r'"(/assets/[^"]+)"', text_at(address + page))
        assert len(named) > 3, f"{page} names {named}"
        for path in named:
            assert text_at(address + path), f"{path} is empty"


def text_at(address: str) -> str:
    with urllib.request.urlopen(address, timeout=DEADLINE) as response:
        text: str = response.read().decode()
        return text


def address_of(server: subprocess.Popen[str]) -> str:
    said = ""
    for line in server.stdout or ():
        said += line
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return found.group()
    raise AssertionError(f"the server ended without saying its address: {said!r}")


CHECKS = (
    check_that_every_file_of_the_package_is_in_the_wheel,
    check_that_it_requires_nothing,
    check_that_it_runs_from_the_environment_alone,
    check_the_version,
    check_generate_config_and_config_list,
    check_that_the_default_server_answers,
    check_that_the_api_starts_answers_and_stops,
)


def failures(checks: tuple[Callable[[Any], None], ...], place: Any) -> int:
    """How many of the checks fail there; each that does is said."""
    failed = 0
    for check in checks:
        try:
            check(place)
        except Exception as problem:
            failed += 1
            print(f"FAILED {check.__name__}: {problem!r}")
    return failed


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = prepare(Path(folder).resolve())
        failed = failures(CHECKS, place)
    print(f"{place.wheel.name} in an environment of its own, on Python {sys.version.split()[0]}")
    print(f"{len(CHECKS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
