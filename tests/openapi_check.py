"""``python -m tests.openapi_check``: is the API's description valid, and does a client that was generated from it work?

Needs openapi-spec-validator and openapi-python-client: ``make openapi`` puts them into an environment of their own and runs this there.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import command, environment
from tests.wheel_check import failures

DEADLINE = 120


class Place(NamedTuple):
    """A real server, an admin key for it, and a folder for the client."""

    address: str
    key: str
    folder: Path

    def description(self) -> Any:
        with urllib.request.urlopen(f"{self.address}/openapi.json", timeout=DEADLINE) as response:
            return json.load(response)


@contextlib.contextmanager
def real_server(folder: str) -> Iterator[Place]:
    store = os.path.join(folder, "s", "store.json")
    generate = command("--store", store, "--format", "json", "--quiet", "generate-config")
    made = subprocess.run(generate, env=environment(), stdout=subprocess.PIPE, timeout=DEADLINE, check=True)
    start = command("--store", store, "system", "start-api", "--host", "127.0.0.1", "--port", "0", "--no-access-log")
    with subprocess.Popen(start, env=environment(), encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        watchdog = threading.Timer(DEADLINE, server.kill)
        watchdog.start()
        try:
            said = (server.stdout or sys.stdin).readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            if found is None:
                raise AssertionError(f"the server said {said!r}")
            yield Place(found.group(), json.loads(made.stdout)["admin_api_key"], Path(folder))
        finally:
            watchdog.cancel()
            server.terminate()


def check_that_the_description_is_valid(place: Place) -> None:
    importlib.import_module("openapi_spec_validator").validate(place.description())


def check_that_a_client_is_generated_whole(place: Place) -> None:
    """Into the folder, as the package ``client``. What its generator cannot understand it leaves out with a warning."""
    source, settings = place.folder / "openapi.json", place.folder / "settings.yaml"
    source.write_text(json.dumps(place.description()), encoding="utf-8")
    settings.write_text("post_hooks: []\n", encoding="utf-8")
    words = ("generate", "--meta=none", f"--path={source}", f"--config={settings}", f"--output-path={place.folder / 'client'}")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("openapi-python-client")), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0 and "WARNING" not in done.stdout, done.stdout
    asked = sum(len(methods) for methods in place.description()["paths"].values())
    made = [path for path in (place.folder / "client" / "api").rglob("*.py") if path.name != "__init__.py"]
    assert len(made) == asked, f"{len(made)} of {asked} operations"


def check_that_the_client_makes_a_user_and_reads_it_back(place: Place) -> None:
    sys.path.insert(0, str(place.folder))
    client = importlib.import_module("client").AuthenticatedClient(place.address, place.key)
    models = importlib.import_module("client.models")
    made = operation("users.user_create")(client=client, body=models.UserCreateBody("ada@example.com"))
    assert (made.message, made.data.email) == ("User created successfully", "ada@example.com"), made
    read = operation("users.user_get")(user_identifier="ada@example.com", client=client)
    assert (read.data.user_id, read.data.api_keys) == (made.data.user_id, []), read
    listed = operation("users.user_list")(client=client, limit=1, offset=1)
    assert [user.email for user in listed.data] == ["ada@example.com"], listed
    again = operation("users.user_create")(client=client, body=models.UserCreateBody("ada@example.com"))
    assert again.error.value == "conflict", again


def operation(name: str) -> Callable[..., Any]:
    called: Callable[..., Any] = importlib.import_module(f"client.api.{name}").sync
    return called


CHECKS = (
    check_that_the_description_is_valid,
    check_that_a_client_is_generated_whole,
    check_that_the_client_makes_a_user_and_reads_it_back,
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, real_server(os.path.realpath(folder)) as place:
        failed = failures(CHECKS, place)
    print(f"{len(CHECKS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
