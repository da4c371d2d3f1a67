"""The writes that a team asks for: what each must leave, and which of them were acknowledged."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from random import Random
from typing import Any, TypeVar

from secure_mcp_gateway.operations import all_operations
from tests.crash.expected import State

ROWS = {row.name: row for row in all_operations()}
REST, COMMAND_LINE = "REST", "command line"
MANY = 6
T = TypeVar("T")


class Deed:
    """``values`` are the row's; ``answer`` is what was answered once it was acknowledged, ``asked`` when it was made, as the audit
    writes times. On the command line, whose request ids are its own, time and values tell the deed from all others."""

    __slots__ = ("acknowledged", "answer", "asked", "id", "operation", "surface", "values")

    def __init__(self, id: str, surface: str, operation: str, values: dict[str, Any]) -> None:
        self.id = id
        self.surface = surface
        self.operation = operation
        self.values = values
        self.answer: Any = None
        self.acknowledged = False
        self.asked = datetime.now(timezone.utc).isoformat(timespec="microseconds")

    def __str__(self) -> str:
        return f"{self.id} ({self.surface}): {self.operation} {self.values}"

    @property
    def named(self) -> dict[str, str]:
        """What its audit line must name."""
        named = {name: value for name, value in self.values.items() if isinstance(value, str) and name != "server_command"}
        # What stands in a secret's place is not repeated, but what it was resolved to is.
        return {"admin_key_name" if name == "admin_key" else name: value for name, value in named.items()}


class Ledger:
    """Kept outside of what is cut or killed; any number of threads write to it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._asked: list[Deed] = []
        self._acknowledged: list[Deed] = []
        self.refused: list[str] = []

    def ask(self, deed: Deed) -> None:
        with self._mutex:
            self._asked.append(deed)

    def acknowledge(self, deed: Deed, answer: Any) -> None:
        with self._mutex:
            deed.answer, deed.acknowledged = answer, True
            self._acknowledged.append(deed)

    def refuse(self, deed: Deed, why: str) -> None:
        """Nobody else touches what a writer made: no refusal is right."""
        with self._mutex:
            self.refused.append(f"{deed}: {why}")

    def so_far(self) -> tuple[list[Deed], list[Deed]]:
        """What was asked for, and what was acknowledged."""
        with self._mutex:
            return list(self._asked), list(self._acknowledged)

    @property
    def count(self) -> int:
        return len(self._acknowledged)

    def figures(self) -> Counter[str]:
        acknowledged = self.so_far()[1]
        by_command = sum(deed.surface == COMMAND_LINE for deed in acknowledged)
        return Counter(acknowledged_by_the_API=len(acknowledged) - by_command, acknowledged_by_commands=by_command)


def matched(lines: Iterable[dict[str, Any]], deeds: Iterable[Deed]) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The line of each deed by the deed's id, and the lines of nobody. Only lines with result ok."""
    by_id: dict[str, Deed] = {}
    by_operation: dict[str, list[Deed]] = {}
    for deed in deeds:
        if deed.surface == REST:
            by_id[deed.id] = deed
        else:
            by_operation.setdefault(deed.operation, []).append(deed)
    found: dict[str, dict[str, Any]] = {}
    strange = []
    for line in lines:
        known = by_id.get(line["request_id"]) or _said_so(line, by_operation.get(line["operation"], []), found)
        if known is None:
            strange.append(line)
        else:
            found[known.id] = line
    return found, strange


def _said_so(line: dict[str, Any], deeds: list[Deed], taken: dict[str, dict[str, Any]]) -> Deed | None:
    """The last one that was asked for before the line's time and names the same."""
    named = line["named"]
    for deed in reversed(deeds):
        if deed.asked <= line["time"] and deed.id not in taken and all(named.get(name) == value for name, value in deed.named.items()):
            return deed
    return None


def possible(state: State, name: str, dice: Random, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """One deed of each kind that may be done in this state; ``name`` is new, and goes to what is made."""
    yield from _making(state, name)
    if dice.random() < 0.2:
        yield "system backup", {"output_file": f"{folder}/files/{name}.json"}
    yield from _of_users(state, name, dice)
    yield from _of_configs(state, name, dice)


def _making(state: State, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if len(state.users) < MANY:
        yield "user create", {"email": f"{name}@example.com"}
    if len(state.projects) < MANY:
        yield "project create", {"project_name": name}
    if len(state.configs) < MANY:
        yield "config add", {"config_name": name}
    if len(state.admin_keys) < MANY:
        yield "admin-key create", {"name": name}


def _of_users(state: State, name: str, dice: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    email, project = _any(dice, state.users), _any(dice, state.projects)
    if email is None:
        return
    user = state.users[email]
    yield "user update", {"user_identifier": email, "new_email": f"{name}@example.com"}
    if len(state.users) >= MANY:
        yield "user delete", {"user_identifier": email, "force": True}
    if project is not None and project not in user.projects:
        yield "project add-user", {"project_identifier": project, "user_identifier": email}
    elif project is not None:
        yield "project remove-user", {"project_identifier": project, "user_identifier": email}
        if len(user.keys) < MANY:
            yield "user generate-api-key", {"user_identifier": email, "project_identifier": project}
    key = _any(dice, user.keys)
    if key is not None:
        yield "user delete-api-key", {"api_key": key}
        if not user.keys[key].disabled:
            yield "user rotate-api-key", {"api_key": key}
            yield "user disable-api-key", {"api_key": key}


def _of_configs(state: State, name: str, dice: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    config, project, admin_key = _any(dice, state.configs), _any(dice, state.projects), _any(dice, state.admin_keys)
    if config is not None:
        yield "config rename", {"config_identifier": config, "new_name": name}
        if len(state.configs[config]) < MANY:
            yield "config add-server", {"config_identifier": config, "server_name": f"s-{name}", "server_command": "run"}
        if len(state.configs) >= MANY and config not in state.projects.values():
            yield "config remove", {"config_identifier": config}
    if project is not None:
        if state.projects[project] is not None:
            yield "project unassign-config", {"project_identifier": project}
        elif config is not None:
            yield "project assign-config", {"project_identifier": project, "config_identifier": config}
        if len(state.projects) >= MANY and not any(key.project == project for user in state.users.values() for key in user.keys.values()):
            yield "project remove", {"project_identifier": project}
    if admin_key is not None and len(state.admin_keys) >= MANY:
        yield "admin-key delete", {"admin_key": admin_key}


def _any(dice: Random, names: Iterable[T]) -> T | None:
    found = list(names)
    return dice.choice(found) if found else None
