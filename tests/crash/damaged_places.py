"""The store or its audit log, deleted, replaced, edited or locked away by hand while a server runs."""

from __future__ import annotations

import json
import os
import shutil
from typing import Callable, NamedTuple

from tests.crash.broken_places import NOBODY
from tests.crash.scenes import Scene
from tests.crash.server import make_store

_EDITED = ("default@example.com", "changed@example.com")


class Damage(NamedTuple):
    """``do`` gets the path of what is damaged; ``reason`` is part of what is said, ``code`` what the command line ends with."""

    name: str
    do: Callable[[str], None]
    reason: str = ""
    code: int = 6


def _write(path: str, data: bytes) -> None:
    """Over what stands there, in place."""
    with open(path, "r+b" if os.path.exists(path) else "wb") as file:
        file.truncate(0)
        file.write(data)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _replaced_by(path: str, make: Callable[[], object]) -> None:
    os.unlink(path)
    make()


def _cut(path: str, keep: float) -> None:
    os.truncate(path, int(os.path.getsize(path) * keep))


def _garbage(path: str) -> None:
    os.unlink(path)
    _write(path, bytes(range(256)) * 16)


STORE = (
    Damage("deleted", os.unlink, "there is no store"),
    Damage("another file, of garbage, in its place", _garbage, "damaged"),
    Damage("garbage written over it", lambda path: _write(path, b"\0" * 5000), "damaged"),
    Damage("cut to nothing", lambda path: _cut(path, 0), "damaged"),
    Damage("cut to half", lambda path: _cut(path, 0.5), "damaged"),
    Damage("edited in place, a brace too few", lambda path: _write(path, _read(path).replace(b"}", b"", 1)), "damaged"),
    Damage("a folder in its place", lambda path: _replaced_by(path, lambda: os.mkdir(path)), "not a regular file"),
    Damage("a FIFO in its place", lambda path: _replaced_by(path, lambda: os.mkfifo(path)), "not a regular file"),
    Damage("a link to itself in its place", lambda path: _replaced_by(path, lambda: os.symlink(path, path)), "symbolic links"),
    Damage("a link to nothing in its place", lambda path: _replaced_by(path, lambda: os.symlink(path + "x", path)), "there is no store"),
)
# As a user that permission bits bind; 5 where it cannot be told from another user's store.
LOCKED_STORE = (
    Damage("mode 000", lambda path: os.chmod(path, 0), "Permission denied"),
    Damage("another user's", lambda path: os.chown(path, 0, 0), "somebody else", 5),
    Damage("in a folder of mode 000", lambda path: os.chmod(os.path.dirname(path), 0), "by this user", 5),
)
# A write is refused: nothing can be written there.
AUDIT_AWAY = (
    Damage("a folder in its place", lambda path: _replaced_by(path, lambda: os.mkdir(path)), "it is a folder"),
    Damage("a FIFO in its place", lambda path: _replaced_by(path, lambda: os.mkfifo(path)), "the audit log cannot be written"),
    Damage("a link in its place", lambda path: _replaced_by(path, lambda: os.symlink(path + "x", path)), "it is a symbolic link"),
)
# A write goes on, and its line stands behind one that says what is missing.
AUDIT_GAPS = (
    Damage("deleted", os.unlink),
    Damage("cut to nothing", lambda path: _cut(path, 0)),
    Damage("cut to half", lambda path: _cut(path, 0.5)),
    Damage("another file, of garbage, in its place", _garbage),
    Damage("garbage written over it", lambda path: _write(path, b"\xff" * 3000)),
)


class NobodysScene(Scene):
    """Server and command line run without root's rights, on a store of their own."""

    def __init__(self, folder: str, variant: str = "") -> None:
        os.chmod(folder, 0o755)
        super().__init__(folder, variant or "broken_places:as_nobody")

    def prepare(self) -> None:
        os.chown(self.folder, NOBODY, NOBODY)
        for place, folders, files in os.walk(self.folder):
            for name in folders + files:
                os.chown(os.path.join(place, name), NOBODY, NOBODY)


def store_is_damaged(scene: Scene, damages: tuple[Damage, ...]) -> None:
    """Reads and writes are refused, and what stands there stays; put back, all is well."""
    folder, kept = os.stat(scene.folder), scene.folder + ".kept"
    for damage in damages:
        shutil.copytree(scene.folder, kept, symlinks=True)
        damage.do(scene.store)
        scene.grow_stale()
        there = _picture(scene.store)
        scene.reads_refused(damage.name, damage.reason, damage.code)
        scene.writes_refused(damage.name, damage.reason, damage.code)
        scene.expect(_picture(scene.store) == there, f"{damage.name}: what stood there is {_picture(scene.store)!r:.300} now")
        os.chmod(scene.folder, folder.st_mode & 0o7777)
        _put_back(os.path.join(kept, "store.json"), scene.store, folder)
        shutil.rmtree(kept)
        scene.grow_stale()
        scene.reads(f"{damage.name}, and put back")
        scene.writes(f"{damage.name}, and put back")
        scene.verified(f"{damage.name}, and put back")


def damage_is_told(scene: Scene) -> None:
    """Once the server has ended: it said on standard error what is wrong, and where."""
    told = any("damaged" in line and scene.store in line for line in scene.said.splitlines())
    scene.expect(told, f"the server did not say where the damage is: {scene.said}")


def _picture(path: str) -> tuple[object, ...]:
    """What stands there, in bytes."""
    if not os.path.lexists(path):
        return ("nothing",)
    found = os.lstat(path)
    data = _read(path) if os.path.isfile(path) else os.listdir(path) if os.path.isdir(path) else ""
    return found.st_ino, found.st_mode, found.st_uid, found.st_mtime_ns, data


def _put_back(kept: str, path: str, folder: os.stat_result) -> None:
    """As an administrator does: under another name first, then in place."""
    if os.path.isdir(path):
        os.rmdir(path)
    shutil.copy2(kept, path + ".back")
    os.chown(path + ".back", folder.st_uid, folder.st_gid)
    os.replace(path + ".back", path)


def store_is_edited(scene: Scene) -> None:
    """A valid edit is read, and the next write keeps it."""
    text = _read(scene.store)
    scene.expect(text.count(_EDITED[0].encode()) == 1, "the store does not hold what is to be edited")
    _write(scene.store, text.replace(_EDITED[0].encode(), _EDITED[1].encode()))
    scene.grow_stale()
    for when in ("edited in place", "edited in place and written since"):
        scene.reads(when)
        scene.expect(_EDITED[1] in scene.ask("GET", "/users").all, f"{when}, the edit is not read")
        scene.writes(when)
    scene.verified("edited in place")


def store_is_replaced(scene: Scene) -> None:
    """An older state of itself, and another store."""
    older = _read(scene.store)
    scene.writes("before it is replaced")
    newest = scene.ask("GET", "/users").all
    _replace(scene, older)
    scene.reads("an older one in its place")
    scene.expect(scene.ask("GET", "/users").all != newest, "the older store in its place is not read")
    scene.writes("an older one in its place")
    scene.verified("an older one in its place")
    mine, other = _read(scene.store), os.path.join(os.path.dirname(scene.folder), "other", "store.json")
    key = make_store(other)
    _replace(scene, _read(other))
    scene.expect(scene.ask("GET", "/users").code == 401, "another store in its place: the old key still opens it")
    scene.expect(scene.ask("GET", "/users", key=key).code == 200, "another store in its place is not read")
    _replace(scene, mine)
    scene.reads("its own in place again")
    scene.writes("its own in place again")
    scene.verified("its own in place again")


def _replace(scene: Scene, data: bytes) -> None:
    _write(scene.store + ".new", data)
    os.replace(scene.store + ".new", scene.store)
    scene.grow_stale()


def audit_is_away(scene: Scene, damages: tuple[Damage, ...]) -> None:
    """A log that cannot be written refuses the write; reads go on."""
    path = os.path.join(scene.folder, "audit.jsonl")
    for damage in damages:
        name = f"the audit, {damage.name}"
        data = _read(path)
        damage.do(path)
        before, store = _picture(path), _read(scene.store)
        scene.writes_refused(name, damage.reason)
        scene.reads(name)
        scene.ask("GET", "/system/audit")
        scene.expect(_picture(path) == before and _read(scene.store) == store, f"{name}: something was written")
        _rid(path)
        _write(path, data)
        scene.writes(f"{name}, and put back")
        scene.verified(f"{name}, and put back")


def _rid(path: str) -> None:
    os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)


def audit_has_a_gap(scene: Scene, damage: Damage) -> None:
    """A write says what is missing, and the chain shows it for ever."""
    name = f"the audit, {damage.name}"
    for _ in range(3):
        scene.writes(f"before {name}")
    damage.do(os.path.join(scene.folder, "audit.jsonl"))
    scene.reads(name)
    verified = _verification(scene, name)
    scene.expect(not verified.get("valid", True), f"{name}: it still verifies: {verified}")
    scene.writes(name)
    said = scene.command("system", "audit", "--operation=audit repair")
    scene.expect('"gap"' in said.all, f"{name}: no line says that there is a gap: {said.all}")
    verified = _verification(scene, name)
    scene.expect(not verified.get("valid", True) and verified.get("broken_line"), f"{name}, and written since: {verified}")
    scene.no_temporary(name)


def _verification(scene: Scene, name: str) -> dict[str, object]:
    said = scene.command("system", "audit", "--verify")
    scene.expect(said.code in (0, 1), f"{name}: the verification ended with {said.code} {said.all}")
    try:
        found: dict[str, object] = json.JSONDecoder().raw_decode(said.all)[0]
    except ValueError:
        return {"valid": said.all, "broken_line": None}
    return found
