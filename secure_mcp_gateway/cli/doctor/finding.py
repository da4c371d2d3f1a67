"""What a check says, and what it looks at."""

from __future__ import annotations

import os
from shlex import quote

from secure_mcp_gateway.cli.arguments import PROGRAM
from secure_mcp_gateway.errors import Unavailable, masked
from secure_mcp_gateway.store.clock import now_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.store.document import Document
    from secure_mcp_gateway.store.store import Store

OK, WARNING, PROBLEM = "ok", "warning", "problem"


class Finding:
    """``fix`` is the command to type, or where there is none what to do; every finding but an ``OK`` has one."""

    __slots__ = ("area", "fix", "level", "text")

    def __init__(self, level: str, area: str, text: str, fix: str = "") -> None:
        self.level = level
        self.area = area
        self.text = masked(text)
        self.fix = masked(fix)


class Patient:
    """The store, as far as it can be read: ``document`` is None where it cannot, and ``error`` says why. ``named`` is the path that was
    named for it, empty where that was the default."""

    __slots__ = ("allows_network", "document", "error", "named", "now", "store")

    def __init__(self, store: Store, named: str, allows_network: bool) -> None:
        self.store = store
        self.named = named
        self.allows_network = allows_network
        self.now = now_text()
        self.document: Document | None = None
        self.error: Unavailable | None = None
        try:
            document = store.snapshot()
            document.read_all()
            self.document = document
        except Unavailable as error:
            self.error = error

    def command(self, *words: str) -> str:
        """A command of ours on this store, as one can paste it."""
        flags = [f"--store {quote(self.named)}"] if self.named else []
        flags += ["--allow-network-fs"] if self.allows_network else []
        return " ".join([PROGRAM, *words, *flags])

    def nearest_folder(self) -> str:
        """The store's folder, or where that is missing the first above it that there is."""
        folder = self.store.folder
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        return folder


def flag(name: str, value: str) -> str:
    """The flag with its value, quoted for a shell and never taken for another flag."""
    return f"--{name}={quote(value)}" if value.startswith("-") else f"--{name} {quote(value)}"


def naming(noun: str, name: str, key: str) -> str:
    """The flag that names a config or project: by its id where the name cannot be typed."""
    return flag(f"{noun}-name", name) if name.isprintable() and len(name) <= 100 else flag(f"{noun}-id", key)
