"""Variants of the product that handle named files carelessly: each breaks one promise in this process for good."""

from __future__ import annotations

import os
from typing import Any

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.operations import files
from secure_mcp_gateway.operations.files import Folder


def takes_paths_as_typed() -> None:
    """Does not resolve links before it compares a path with the root."""
    no_look_at_the_folder()
    os.path.realpath = lambda path, **_: os.path.abspath(path)  # type: ignore[assignment,unused-ignore]


def compares_beginnings() -> None:
    """Takes a folder whose name begins like the root's for one in it."""
    no_look_at_the_folder()

    def refuse(real: str, root: str | None, field: str) -> None:
        if root is not None and not real.startswith(root):
            raise files._outside(field)

    files._refuse_outside = refuse


def no_look_at_the_folder() -> None:
    """Compares the path alone, and uses it later."""
    Folder.refuse_outside = lambda self, root, field: None  # type: ignore[method-assign]


def guards_no_store() -> None:
    """Writes into the store's folder."""
    Folder.refuse_protected = lambda self, protected, field: None  # type: ignore[method-assign]


def replaces_anything() -> None:
    """Takes every file for an earlier export of ours."""
    files._is_export = lambda folder, name, field: True


def waits_for_fifos() -> None:
    """Opens what it reads without looking whether that waits."""
    files._READ &= ~os.O_NONBLOCK


def quotes_what_it_read() -> None:
    """Says what is wrong with a file in its own words."""
    plain = files.json_of

    def quoting(data: bytes, field: str) -> Any:
        try:
            return plain(data, field)
        except InvalidRequest:
            raise InvalidRequest(f"{field} is not JSON: {data[:80]!r}") from None

    files.json_of = quoting


def opens_twice() -> None:
    """Looks at a file by its path before it opens it."""
    plain = files._read_regular

    def read(folder: Folder, name: str, field: str) -> bytes:
        with open(os.path.join(folder.path, name), "rb"):
            return plain(folder, name, field)

    files._read_regular = read
