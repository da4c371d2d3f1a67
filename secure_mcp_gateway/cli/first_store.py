"""The store that ``start-api --init`` makes, and where its admin key is left."""

from __future__ import annotations

import os
import sys

from secure_mcp_gateway.cli.generate_config import make_store
from secure_mcp_gateway.errors import Conflict, Unavailable
from secure_mcp_gateway.store.file import own, sync, sync_folder, write_all
from secure_mcp_gateway.store.folder import MODE, NEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.store.store import Store


def make_first_store(store: Store, output: Output) -> None:
    """A terminal is shown the admin key; elsewhere, where standard error may be a log that others read, a file gets it."""
    try:
        secret = make_store(store, with_defaults=True, with_api_key=False)["admin_api_key"]
    except Conflict:
        return  # another process was faster
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"admin key, shown this one time: {secret}\n")
        return
    output.say(f"the admin key is in {_key_file(store, secret)}")


def _key_file(store: Store, secret: str) -> str:
    """``admin-key.txt`` beside the store, or with a number where an older store has left that name behind.

    It is on the disk when this returns: nobody could get the key again.
    """
    for number in range(1, 1000):
        path = os.path.join(store.folder, f"admin-key{f'-{number}' if number > 1 else ''}.txt")
        try:
            descriptor = os.open(path, NEW, MODE)
        except FileExistsError:
            continue
        except OSError as error:
            raise _lost(error, path) from None
        try:
            own(descriptor, store.file.owner())
            write_all(descriptor, [f"{secret}\n".encode()])
            sync(descriptor)
            sync_folder(store.folder)
        except OSError as error:
            raise _lost(error, path) from None
        finally:
            os.close(descriptor)
        return path
    raise Unavailable("the store is made, but every name for the file of its admin key is taken", "make a key with: admin-key create")


def _lost(error: OSError, path: str) -> Unavailable:
    message = f"the store is made, but its admin key cannot be written: {os.strerror(error.errno or 0).lower()}"
    return Unavailable(message, "make a key with: admin-key create", private=path)
