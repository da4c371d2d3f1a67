"""A temporary store, its records and its deeds; what the tests of the store share."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import threading
import time
import unittest
from typing import Any, Callable

from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.document import Document, Draft
from secure_mcp_gateway.store.store import Store

SECONDS = 30.0  # the deadline of every wait: reached only where something is broken


def time_of(number: int) -> str:
    return f"2026-01-02T03:04:{number // 1000 % 60:02d}.{number % 1000:03d}000+00:00"


def entry(operation: str = "user create", **named: str) -> AuditEntry:
    return AuditEntry(time_of(0), "admin", "adm_1", "tests", "r1", operation, named)


def user(number: int, email: str = "") -> dict[str, Any]:
    return {"email": email or f"u{number}@example.com", "created_at": time_of(number)}


def user_id(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def putting(number: int) -> Callable[[Draft], int]:
    """A change that puts one user and answers the generation that it makes."""

    def change(draft: Draft) -> int:
        draft.put("users", user_id(number), user(number))
        return draft.generation + 1

    return change


def add(store: Store, number: int, **options: Any) -> int:
    return store.commit(putting(number), entry(user=user_id(number)), **options)


def users_of(document: Document) -> list[int]:
    return [int(key[:8]) for key, _ in document.table("users").items()]


def full_content() -> dict[str, dict[str, dict[str, Any]]]:
    """A record of each kind, with text that is not ASCII and numbers that are not whole."""
    server = {"server_name": "echo", "config": {"command": "run", "args": ["ä\n\u2028", "\\ud800"], "env": {}}, "threshold": 0.5}
    dates = {"created_at": time_of(1), "expires_at": None, "disabled": False, "rotated_at": None}
    return {
        "admin_keys": {"a" * 64: {"admin_key": "adm_1", "name": "root", "hint": "abcd", **dates}},
        "mcp_configs": {"c-1": {"mcp_config_name": "größe", "mcp_config": [server], "created_at": time_of(1), "updated_at": time_of(2)}},
        "projects": {"p-1": {"project_name": "one", "mcp_config_id": "c-1", "created_at": time_of(1)}},
        "users": {user_id(n): user(n) for n in range(1, 41)},
        "members": {f"p-1/{user_id(1)}": {"project_id": "p-1", "user_id": user_id(1), "created_at": time_of(1)}},
        "apikeys": {"b" * 64: {"api_key_id": "key_1", "hint": "abcd", "user_id": user_id(1), "project_id": "p-1", **dates}},
    }


def fill(draft: Draft) -> None:
    for table, records in full_content().items():
        draft.replace(table, records)
    draft.settings = {"telemetry": {"enabled": False}}


def content_of(document: Document) -> dict[str, Any]:
    """Everything in the document, as plain data, each table in its own order."""
    tables = {name: dict(document.table(name).items()) for name in full_content()}
    return {**tables, "settings": document.settings, "generation": document.generation}


class StoreCase(unittest.TestCase):
    """``self.path`` is where the store goes, in a folder of the test's own."""

    place: str | None = None

    def setUp(self) -> None:
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="store-test-", dir=self.place))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.path = self.at("store.json")

    def at(self, *names: str) -> str:
        return os.path.join(self.folder, *names)

    def made(self, path: str = "", content: Callable[[Draft], Any] = lambda draft: None, **options: Any) -> Store:
        """A new store at generation 1."""
        store = Store(path or self.path, **options)
        store.create(content, entry("generate-config"))
        return store

    def read(self, path: str = "") -> bytes:
        with open(path or self.path, "rb") as file:
            return file.read()

    def write(self, path: str, data: bytes) -> None:
        with open(path, "wb") as file:
            file.write(data)

    def put_in_place(self, data: bytes) -> None:
        """As a careful editor does: another file takes the name."""
        self.write(self.path + ".new", data)
        os.replace(self.path + ".new", self.path)

    def log_lines(self, path: str = "") -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read(path or self.at("audit.jsonl")).splitlines()]

    def files(self) -> set[str]:
        return {os.path.relpath(os.path.join(place, name), self.folder) for place, _, names in os.walk(self.folder) for name in names}

    def mode(self, *names: str) -> int:
        return stat.S_IMODE(os.stat(self.at(*names)).st_mode)

    def assert_sound(self, store: Store) -> None:
        """The store works, its audit verifies, and exactly the writes that took place are told as such."""
        before = Store(self.path).snapshot().generation
        self.assertEqual(add(store, 9_999), before + 1)
        fresh = Store(self.path)
        self.assertEqual(content_of(fresh.snapshot()), content_of(store.snapshot()))
        found = store.verify_audit()
        self.assertTrue(found["valid"], found)
        committed = [line["generation"] for line in store.audit_lines() if line["committed"] and line["generation"] is not None]
        self.assertEqual(committed, list(range(before + 1, before + 1 - len(committed), -1)))
        self.assertEqual({name for name in self.files() if name.endswith(".tmp")}, set())


def until(condition: Callable[[], bool]) -> float:
    """Look again and again until it holds; the seconds that took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() > start + SECONDS:
            raise AssertionError("it did not come to that in time")
        time.sleep(0.0005)
    return time.monotonic() - start


def await_event(event: threading.Event) -> None:
    if not event.wait(SECONDS):
        raise AssertionError("what was waited for did not come in time")


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What ``work`` gives for 0 to ``count`` - 1, each in a thread that starts together with the others; errors are raised."""
    together = threading.Barrier(count)
    results: list[Any] = [None] * count
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            together.wait(SECONDS)
            results[number] = work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    if errors:
        raise errors[0]
    if any(thread.is_alive() for thread in threads):
        raise AssertionError("a thread did not end in time")
    return results
