"""A folder tree to break out of: a store, a folder that confines, what lies outside it, and ways from the one to the other."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
from typing import Any, NamedTuple

from tests import team

# Stands in every file that must not be read; no answer may hold it.
CANARY = "canary-b81c"
POLICY = {"enabled": False, "policy_name": "inside"}
_LARGEST = 64 << 20
_AUDIT = "audit.jsonl"
_LARGE = 1 << 20

OUTSIDE, BAD, TAKEN = (403,), (400,), (400, 409)


class Way(NamedTuple):
    """``path`` is as it is sent. ``rooted`` and ``free`` are the statuses with and without a folder that confines; empty where the
    contract lets it in."""

    name: str
    path: str
    rooted: tuple[int, ...]
    free: tuple[int, ...]


class Scene:
    """``base`` is empty and resolved of links."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.store = team.make_team(self.at("s"))
        for folder in ("s/files", "s/backups", "s/servers", "root/d/e", "out", "root-evil", "root/read-only"):
            os.makedirs(self.at(folder), exist_ok=True)
        for name in ("s/admin-key.txt", "s/backups/old.json", "s/servers/1.json", "out/text.txt", "root-evil/victim.json"):
            self._put(name, f'{{"{CANARY}": "{CANARY}", "{CANARY}')
        self._put("out/victim.json", json.dumps({"enabled": False, "policy_name": CANARY}))
        self._put("out/config.json", json.dumps({"kind": "secure-mcp-gateway/config", "version": 1, "mcp_config": [], "x": CANARY}))
        self._put("root/inside.json", json.dumps(POLICY))
        self._put("root/broken.json", f'{{"{CANARY}": {CANARY}}}')
        self._put("root/twice.json", f'{{"{CANARY}": 1, "{CANARY}": 2}}')
        self._put("root/not-utf-8.json", b"\xff" + CANARY.encode())
        self._links()
        self._special()

    def at(self, name: str) -> str:
        return os.path.join(self.base, name)

    def _put(self, name: str, content: str | bytes) -> None:
        with open(self.at(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def _links(self) -> None:
        for name, target in (
            ("root/l1", "../out"),
            ("root/d/l2", self.at("out")),
            ("root/d/e/l3", "../../../out"),
            ("root/chain", "d/l2"),
            ("root/up", ".."),
            ("root/loop", "loop"),
            ("root/file", "../out/victim.json"),
            ("root/dangling", "../out/new.json"),
            ("root/store", "../s"),
            ("root/slash", "/"),
            ("root/proc", "/proc/self"),
            ("root/to-inside", "inside.json"),
            ("s/files/up", "../backups"),
            ("s/files/store", "../store.json"),
            ("alias", "s"),
        ):
            os.symlink(target, self.at(name))
        os.link(self.store.path, self.at("root/hard.json"))
        os.link(self.store.path, self.at("out/hard.json"))

    def _special(self) -> None:
        for folder in ("root", "out"):
            os.mkfifo(self.at(f"{folder}/fifo"))
            with socket.socket(socket.AF_UNIX) as listening:
                here = os.getcwd()
                os.chdir(self.at(folder))
                try:
                    listening.bind("socket")
                finally:
                    os.chdir(here)
            for name, size in (("sparse", _LARGEST + 1), ("huge", 1 << 40)):
                with open(self.at(f"{folder}/{name}"), "wb") as file:
                    file.truncate(size)

    def shape(self, below: str = "") -> dict[str, Any]:
        """All that is there, with its content; of the audit, which refusals add to, only that it did not shrink or move."""
        found: dict[str, Any] = {}
        for place, folders, names in os.walk(self.at(below)):
            for path in (os.path.join(place, name) for name in folders + names):
                found[os.path.relpath(path, self.base)] = _shape_of(path)
        return found


def _shape_of(path: str) -> tuple[object, ...]:
    there = os.lstat(path)
    kind = (stat.S_IFMT(there.st_mode), stat.S_IMODE(there.st_mode), there.st_uid)
    if stat.S_ISDIR(there.st_mode):
        return kind
    if stat.S_ISLNK(there.st_mode):
        return (*kind, os.readlink(path))
    if os.path.basename(path) == _AUDIT:
        return (*kind, there.st_ino)
    if not stat.S_ISREG(there.st_mode) or there.st_size > _LARGE:
        return (*kind, there.st_ino, there.st_size)
    with open(path, "rb") as file:
        return (*kind, there.st_ino, there.st_size, hashlib.sha256(file.read()).hexdigest())


def writing(scene: Scene) -> list[Way]:
    """Ways for ``output_file``; the confined ones are tried with leave to overwrite."""
    out, store, root = scene.at("out"), scene.at("s"), scene.at("root")
    leads_out = ("l1", "d/l2", "d/e/l3", "chain", "up/out", "d/../l1", "up/root-evil", "./l1/.", "l1/../root-evil")
    ways = [Way(f"through {each}", f"{root}/{each}/new.json", OUTSIDE, ()) for each in leads_out]
    ways += [Way(f"relative, through {each}", f"{each}/new.json", OUTSIDE, BAD) for each in leads_out[:5]]
    ways += [
        Way("..", "../new.json", OUTSIDE, OUTSIDE),
        Way(".. and a folder", "../out/new.json", OUTSIDE, BAD),
        Way("many ..", "../" * 40 + "tmp/hostile-new.json", OUTSIDE, ()),
        Way(".. behind a folder", f"{root}/d/../../out/new.json", OUTSIDE, ()),
        Way("absolute", f"{out}/new.json", OUTSIDE, ()),
        Way("a folder whose name begins like the root's", f"{root}-evil/new.json", OUTSIDE, ()),
        Way("another case", f"{scene.at('ROOT')}/new.json", OUTSIDE, BAD),
        Way("over a file outside", f"{out}/text.txt", OUTSIDE, TAKEN),
        Way("over a text of the root's neighbour", f"{root}-evil/victim.json", OUTSIDE, TAKEN),
        Way("over a hard link to the store", f"{out}/hard.json", OUTSIDE, TAKEN),
        Way("two slashes before", f"/{out}/new.json", OUTSIDE, ()),
        Way("a link to a file", f"{root}/file", BAD, BAD),
        Way("a link to what is missing", f"{root}/dangling", BAD, BAD),
        Way("a link to itself", f"{root}/loop", BAD, BAD),
        Way("below a link to itself", f"{root}/loop/new.json", BAD, BAD),
        Way("below a file", f"{root}/inside.json/new.json", BAD, BAD),
        Way("%2e%2e", f"{root}/%2e%2e/out/new.json", BAD, BAD),
        Way("a NUL", f"{root}/a\0b", BAD, BAD),
        Way("a NUL and an end", f"{out}/new.json\0.json", (400, 403), BAD),
        Way("a name of 300 letters", f"{root}/{'x' * 300}", BAD, BAD),
        Way("a path of 5,000 letters", f"{root}/{'d/' * 2500}new.json", BAD, BAD),
        Way("half a pair of surrogates", f"{root}/\udc80\udcff/new.json", BAD, BAD),
        Way("nothing", "", (400, 403), BAD),
        Way("the root itself", root, (400, 403), TAKEN),
        Way("a folder", f"{root}/d", BAD, BAD),
        Way("a folder and a slash", f"{root}/d/", BAD, BAD),
        Way("a folder and a dot", f"{root}/d/.", BAD, BAD),
        Way("a FIFO", f"{root}/fifo", BAD, BAD),
        Way("a socket", f"{root}/socket", BAD, BAD),
    ]
    ways += [Way(f"the system's {each}", each, OUTSIDE, TAKEN) for each in _SYSTEM]
    ways += [Way(f"into the store: {each}", f"{store}/{each}", OUTSIDE, OUTSIDE) for each in _OF_THE_STORE]
    ways += [Way(f"into the store by another name: {each}", scene.at(each), OUTSIDE, OUTSIDE) for each in _ALIASES]
    return ways


_SYSTEM = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/full", "/proc/self/environ", "/proc/self/mem", "/proc/self/comm", "/proc/new.json")
_OF_THE_STORE = (
    "store.json",
    "store.json.lock",
    ".store.json.tmp",
    "audit.jsonl",
    "admin-key.txt",
    "new.json",
    "backups/old.json",
    "backups/new.json",
    "backups/.store.json.tmp",
    "servers/1.json",
    "servers/new.json",
    "files/../new.json",
    "files/../store.json",
    "files/up/new.json",
    "./store.json",
    "files/./../backups/new.json",
)
_ALIASES = ("alias/new.json", "alias/store.json", "root/store/store.json", "root/store/backups/new.json", "root/up/s/new.json")


def reading(scene: Scene) -> list[Way]:
    """Ways for ``input_file`` and ``policy_file``."""
    out, root = scene.at("out"), scene.at("root")
    names = (
        "l1/victim.json",
        "d/l2/victim.json",
        "d/e/l3/victim.json",
        "chain/victim.json",
        "up/out/victim.json",
        "file",
        "store/store.json",
    )
    ways = [Way(f"through {each}", f"{root}/{each}", OUTSIDE, ()) for each in (*names, "slash/etc/passwd", "proc/environ", "dangling")]
    ways += [
        Way("absolute", f"{out}/victim.json", OUTSIDE, ()),
        Way("..", "../out/victim.json", OUTSIDE, ()),
        Way(".. behind a folder", f"{root}/d/../../out/victim.json", OUTSIDE, ()),
        Way("what is missing outside", f"{out}/missing.json", OUTSIDE, BAD),
        Way("the root's neighbour", f"{root}-evil/victim.json", OUTSIDE, BAD),
        Way("another case", f"{scene.at('ROOT')}/inside.json", OUTSIDE, BAD),
        Way("the store", scene.store.path, OUTSIDE, ()),
        Way("the audit", scene.at("s/audit.jsonl"), OUTSIDE, BAD),
        Way("a file of the first key", scene.at("s/admin-key.txt"), OUTSIDE, BAD),
        Way("%2e%2e", f"{root}/%2e%2e/out/victim.json", BAD, BAD),
        Way("..%2f", f"{root}/..%2fout%2fvictim.json", BAD, BAD),
        Way("a backslash", f"{root}/..\\out\\victim.json", BAD, BAD),
        Way("a NUL", f"{root}/inside.json\0", BAD, BAD),
        Way("a name of 300 letters", f"{root}/{'x' * 300}", BAD, BAD),
        Way("half a pair of surrogates", f"{root}/\udc80", BAD, BAD),
        Way("a link to itself", f"{root}/loop", BAD, BAD),
        Way("nothing", "", (400, 403), BAD),
        Way("a folder", f"{root}/d", BAD, BAD),
        Way("below a file", f"{root}/inside.json/x", BAD, BAD),
        Way("a FIFO", f"{root}/fifo", BAD, BAD),
        Way("a socket", f"{root}/socket", BAD, BAD),
        Way("64 MiB and a byte", f"{root}/sparse", BAD, BAD),
        Way("a tebibyte", f"{root}/huge", BAD, BAD),
        Way("no JSON", f"{root}/broken.json", BAD, BAD),
        Way("a name twice", f"{root}/twice.json", BAD, BAD),
        Way("no UTF-8", f"{root}/not-utf-8.json", BAD, BAD),
    ]
    system = ("/dev/zero", "/dev/tty", "/dev/full", "/dev/null", "/dev/stdin", "/proc/self/environ", "/proc/self/mem", "/proc/self/fd/0")
    return ways + [Way(f"the system's {each}", each, OUTSIDE, BAD) for each in system]
