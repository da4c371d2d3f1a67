"""Variants that meet a missing, damaged or locked store in a wrong way; and the whole product, as a user without rights."""

from __future__ import annotations

import importlib
import os
import pkgutil
from typing import Any

import secure_mcp_gateway
from secure_mcp_gateway.errors import StoreDamaged, StoreMissing
from secure_mcp_gateway.store import encoding
from secure_mcp_gateway.store.document import Document
from secure_mcp_gateway.store.file import StoreFile
from secure_mcp_gateway.store.store import Loaded, Store

NOBODY = 65534
_LOCK_SECONDS = 2.0
# Loaded late, when they are needed, from folders that nobody may look into.
_LATE = ("encodings.idna", "hashlib", "json", "linecache", "pwd", "secrets", "traceback", "uuid", "fcntl", "getpass", "stringprep")


def as_nobody() -> None:
    """The product as it is, without root's rights. Everything is loaded before: nobody may not reach it."""
    for module in pkgutil.walk_packages(secure_mcp_gateway.__path__, "secure_mcp_gateway."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def makes_anew() -> None:
    """A store that vanished is an empty one from then on."""
    refreshed = Store._refreshed

    def present(self: Store) -> Loaded:
        try:
            return refreshed(self)
        except StoreMissing:
            self.file.replace(encoding.encode(Document()), None)
            return refreshed(self)

    Store._refreshed = present  # type: ignore[method-assign]
    StoreFile.require_ours = lambda self: None  # type: ignore[method-assign]


def writes_over_damage() -> None:
    """What was read before the damage is good enough to go on with."""
    refreshed = Store._refreshed

    def present(self: Store) -> Loaded:
        try:
            return refreshed(self)
        except StoreDamaged:
            if self._loaded is None:
                raise
            return self._loaded

    Store._refreshed = present  # type: ignore[method-assign]
    StoreFile._require_unmoved = lambda self, expected: None  # type: ignore[method-assign]


def locks_readers() -> None:
    """A reader waits for its turn like a writer."""
    snapshot = Store.snapshot

    def locked(self: Store) -> Any:
        lock = self._acquired(_LOCK_SECONDS)
        try:
            return snapshot(self)
        finally:
            self._lock.release(lock)

    Store.snapshot = locked  # type: ignore[method-assign]
