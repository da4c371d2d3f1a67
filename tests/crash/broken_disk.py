"""Variants of the store that trust the disk, or a process's life, too much: each breaks one promise in this process for good."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from unittest import mock

import secure_mcp_gateway.store.file as store_file
from secure_mcp_gateway.cli import first_store
from secure_mcp_gateway.store import audit
from secure_mcp_gateway.store.commit import Ticket
from secure_mcp_gateway.store.file import MODE, StoreFile, identity
from secure_mcp_gateway.store.store import Store

if TYPE_CHECKING:
    from secure_mcp_gateway.store.file import Identity


def no_folder_sync() -> None:
    """The rename may come to nothing."""
    store_file.sync_folder = lambda folder: None


def no_file_sync() -> None:
    """The new document has its name before it is on the disk."""
    whole = StoreFile._written_temporary

    def written(self: StoreFile, pieces: Sequence[bytes], owner: tuple[int, int] | None) -> int:
        with mock.patch.object(store_file, "sync", lambda descriptor: None):
            return whole(self, pieces, owner)

    StoreFile._written_temporary = written  # type: ignore[method-assign]


def no_audit_sync() -> None:
    """The document is on the disk before the lines that it counts."""
    audit.sync = lambda descriptor: None


def no_key_sync() -> None:
    """The first admin key is told of before its file is on the disk."""
    first_store.sync = lambda descriptor: None
    first_store.sync_folder = lambda folder: None


def in_place() -> None:
    """The document is written over, line by line."""

    def replace(self: StoreFile, pieces: Sequence[bytes], owner: tuple[int, int] | None, expected: Identity | None = None) -> Any:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, MODE)
        for line in b"".join(pieces).splitlines(keepends=True):
            os.write(descriptor, line)
        os.fsync(descriptor)
        return descriptor, identity(os.fstat(descriptor))

    StoreFile.replace = replace  # type: ignore[method-assign]


def fresh_names() -> None:
    """Each temporary file has a name of its own, so that nobody meets the one that a killed writer left."""
    whole = StoreFile._written_temporary

    def written(self: StoreFile, pieces: Sequence[bytes], owner: tuple[int, int] | None) -> int:
        self._temporary = f"{self.path}.{os.urandom(8).hex()}.tmp"
        return whole(self, pieces, owner)

    StoreFile._written_temporary = written  # type: ignore[method-assign]


def early_answer() -> None:
    """A write is acknowledged as soon as its rule was applied; the disk comes later."""
    whole = Store._submitted

    def submitted(self: Store, ticket: Ticket) -> Any:
        if ticket.change is None or ticket.deliver is not None:
            return whole(self, ticket)
        applied, change, results = threading.Event(), ticket.change, []

        def watched(draft: Any) -> Any:
            results.append(change(draft))
            applied.set()
            return results[0]

        def write() -> None:
            try:
                whole(self, ticket)
            finally:
                applied.set()

        ticket.change = watched
        threading.Thread(target=write).start()
        applied.wait()
        return results[0] if results else ticket.outcome()

    Store._submitted = submitted  # type: ignore[method-assign]
