"""Stores of any size, as a busy installation has them: a key for each user, a hundred users a project, few configs.

``python3 -m tests.bench.stores PATH KEYS TEAM`` makes one, in a process of its own: what that needs of memory is gone with it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from secure_mcp_gateway.store.audit import AuditEntry
from secure_mcp_gateway.store.document import Draft, member_key
from secure_mcp_gateway.store.store import Store
from tests.support import ROOT, environment
from tests.team import ADMIN, ADMIN_ID, digest

TEAM = 100
CONFIGS = 10
_SECONDS = 600


def user_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000000a"


def project_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000000b"


def key_id(number: int) -> str:
    return f"key_{number:016x}"


def config_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000000c"


@functools.lru_cache(None)
def workplace() -> str:
    """A folder on a disk, taken away at the end: where temporary files usually go, syncs may cost nothing."""
    parent = os.path.join(ROOT, ".tools", "bench")
    os.makedirs(parent, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="run-", dir=parent)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return os.path.realpath(folder)


def file_system(folder: str) -> str:
    """Its kind, and the device, as the system mounted it."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        places = [line.split()[:3] for line in mounts]
    holding = [place for place in places if os.path.join(folder, "").startswith(os.path.join(place[1], ""))]
    device, _, kind = max(holding, key=lambda place: len(place[1]))
    return f"{kind} on {device}"


@contextlib.contextmanager
def store_of(count: int, team: int = 0) -> Iterator[str]:
    """The path of a copy to be read and written at will.

    ``team`` puts so many users into the first project, ten into the second, and the others into none.
    """
    folder = tempfile.mkdtemp(dir=workplace())
    try:
        copied = os.path.join(folder, "s")
        shutil.copytree(os.path.dirname(_original(count, team)), copied)
        # Else the first synced write pays for the copy.
        os.sync()
        yield os.path.join(copied, "store.json")
    finally:
        shutil.rmtree(folder)


@functools.lru_cache(None)
def _original(count: int, team: int) -> str:
    path = os.path.join(workplace(), f"{count}-{team}", "store.json")
    argv = [sys.executable, "-m", "tests.bench.stores", path, str(count), str(team)]
    subprocess.run(argv, env=environment(), cwd=ROOT, timeout=_SECONDS, check=True)
    return path


def _fill(draft: Draft, count: int, team: int) -> None:
    members = [*((0, user) for user in range(team)), *((1, team + user) for user in range(10))] if team else _spread(count)
    teams = max((each for each, _ in members), default=-1) + 1
    draft.replace("admin_keys", {digest(ADMIN): {"admin_key": ADMIN_ID, "name": "admin", "hint": ADMIN[-4:], **_dates(0)}})
    draft.replace("mcp_configs", {config_id(number): _config(number) for number in range(CONFIGS)})
    draft.replace("projects", {project_id(number): _project(number) for number in range(teams)})
    draft.replace("users", {user_id(number): {"email": email(number), "created_at": _time(number)} for number in range(count)})
    draft.replace("members", {member_key(project_id(each), user_id(user)): _member(each, user) for each, user in members})
    draft.replace("apikeys", {hashlib.sha256(b"%d" % user).hexdigest(): _key(each, user) for each, user in members})


def _spread(count: int) -> list[tuple[int, int]]:
    return [(user // TEAM, user) for user in range(count)]


def email(number: int) -> str:
    return f"person.{number}@example.com"


def _time(number: int) -> str:
    return f"2026-01-{1 + number // 86_400:02d}T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000000+00:00"


def _dates(number: int) -> dict[str, Any]:
    return {"created_at": _time(number), "expires_at": None, "disabled": False, "rotated_at": None}


def _config(number: int) -> dict[str, Any]:
    server = {"server_name": "echo", "description": "answers", "config": {"command": "run-echo", "args": ["--fast"], "env": {}}}
    policies = {f"{kind}_guardrails_policy": {"enabled": False} for kind in ("input", "output", "tool")}
    whole = {**server, "tools": {}, "denied_tools": [], **policies}
    return {"mcp_config_name": f"config {number}", "mcp_config": [whole], "created_at": _time(number), "updated_at": _time(number)}


def _project(number: int) -> dict[str, Any]:
    return {"project_name": f"project {number}", "mcp_config_id": config_id(number % CONFIGS), "created_at": _time(number)}


def _member(project: int, user: int) -> dict[str, str]:
    return {"project_id": project_id(project), "user_id": user_id(user), "created_at": _time(user)}


def _key(project: int, user: int) -> dict[str, Any]:
    return {"api_key_id": key_id(user), "hint": "abcd", "user_id": user_id(user), "project_id": project_id(project), **_dates(user)}


def make(path: str, count: int, team: int) -> None:
    Store(path).create(lambda draft: _fill(draft, count, team), AuditEntry(_time(0), "admin", "", "bench", "r", "generate-config", {}))


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
