"""What a check says, and what it looks at."""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.arguments import as_started
from secure_mcp_gateway.errors import Unavailable, masked
from secure_mcp_gateway.shell import quote
from secure_mcp_gateway.store.clock import now_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.store.document import Document
    from secure_mcp_gateway.store.store import Store

OK, WARNING, PROBLEM = "ok", "warning", "problem"
# Of a store that is looked at: about 350,000 users with a key each, half a minute, five times as much memory.
LARGEST = 256 * 1024 * 1024


class Finding:
    """``fix`` is a command that can be pasted as it is; where none does it, ``advice`` says in a sentence what to do. Every finding but
    an ``OK`` has one of them."""

    __slots__ = ("advice", "area", "fix", "level", "text")

    def __init__(self, level: str, area: str, text: str, fix: str = "", advice: str = "") -> None:
        self.level = level
        self.area = area
        self.text = masked(text)
        self.fix = masked(fix)
        self.advice = masked(advice)


class Patient:
    """The store, as far as it can be read: ``document`` is None where it cannot, and ``error`` says why, or ``is_too_large`` that nothing
    of it was read. ``named`` is the path that was named for it, empty where that was the default."""

    __slots__ = ("allows_network", "document", "error", "is_too_large", "named", "now", "store")

    def __init__(self, store: Store, named: str, allows_network: bool) -> None:
        self.store = store
        self.named = named
        self.allows_network = allows_network
        self.now = now_text()
        self.document: Document | None = None
        self.error: Unavailable | None = None
        self.is_too_large = store_size(store.path) > LARGEST
        if self.is_too_large:
            return
        try:
            document = store.snapshot()
            document.read_all()
            self.document = document
        except Unavailable as error:
            self.error = error

    def command(self, *words: str) -> str:
        """A command of ours on this store, as one can paste it."""
        return self.on(self.named, *words)

    def as_owner(self, path: str, *words: str) -> str:
        """The same as who this file of the store belongs to, whose default store would be another."""
        return f"sudo -u {quote(owner_name(path))} {self.on(self.store.path, *words)}"

    def on(self, store: str, *words: str) -> str:
        """The same on a store of this path, on the default one where it is empty."""
        flags = [f"--store {quote(store)}"] if store else []
        flags += ["--allow-network-fs"] if self.allows_network else []
        return " ".join([as_started(), *words, *flags])

    def nearest_folder(self) -> str:
        """The store's folder, or where that is missing the first above it that there is."""
        folder = self.store.folder
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        return folder


def store_size(path: str) -> int:
    """0 for what is no file."""
    return os.path.getsize(path) if os.path.isfile(path) else 0


def is_open(folder: str) -> bool:
    """Is it there, and may this user look into it?"""
    return os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)


def owner_name(path: str) -> str:
    """Of the user that the file belongs to, as ``sudo -u`` takes it."""
    import pwd

    try:
        owner = os.stat(path).st_uid
    except OSError:
        return "root"
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return f"#{owner}"


def owner_of(path: str) -> int | None:
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def me() -> int | None:
    """This user; None where users have no numbers (Windows)."""
    return None if os.name == "nt" else os.geteuid()


def as_root(command: str) -> str:
    return f"sudo {command}" if me() else command


def size_of(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def flag(name: str, value: str) -> str:
    """The flag with its value, quoted for a shell and never taken for another flag."""
    return f"--{name}={quote(value)}" if value.startswith("-") else f"--{name} {quote(value)}"


def naming(noun: str, name: str, key: str) -> str:
    """The flag that names a config or project: by its id where the name cannot be typed."""
    return flag(f"{noun}-name", name) if name.isprintable() and len(name) <= 100 else flag(f"{noun}-id", key)
