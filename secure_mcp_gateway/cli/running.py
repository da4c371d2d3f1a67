"""Which servers run on a store: each holds the lock of a file of its own in ``servers/`` beside the store, as long as it lives.

Who may write in that folder can claim anything there: a file speaks for processes of its owner alone, and is the server's own, also
where root serves the store of somebody else.
"""

from __future__ import annotations

import json
import os
import re
import stat

from secure_mcp_gateway.errors import StoreForbidden
from secure_mcp_gateway.store.file import own
from secure_mcp_gateway.store.folder import NEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.store.folder import HeldFolder
    from secure_mcp_gateway.store.store import Store

_SERVERS = "servers"
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_OURS = re.compile(r"\d{1,5}-\d+\.json").fullmatch
_MOST_PROCESSES = 2**31


class Registration:
    """One's own entry. Its lock goes with the process; ``remove`` takes the file away before."""

    __slots__ = ("_descriptor", "_folder", "_name")

    def __init__(self, store: Store, port: int) -> None:
        store.own_folder(_SERVERS)
        self._folder = store.file.held_folder(_SERVERS)
        self._name = f"{port}-{os.getpid()}.json"
        temporary = f"{self._name}.tmp"
        self._folder.remove(temporary)
        self._descriptor = self._folder.open(temporary, NEW)
        try:
            own(self._descriptor, None)
            # Locked before it has its name: whoever finds it without a lock may take it for one of the dead.
            _try_lock(self._descriptor)
            content = {"pid": os.getpid(), "port": port, "machine": machine()}
            os.write(self._descriptor, json.dumps(content).encode())
            self._folder.replace(temporary, self._name)
        except BaseException:
            os.close(self._descriptor)
            self._folder.remove(temporary)
            raise

    def remove(self) -> None:
        try:
            self._folder.remove(self._name)
        except OSError:
            pass


class Running:
    """A server that runs. ``owner`` is the user to signal it as; ``machine`` differs from ours where its process id means nothing here."""

    __slots__ = ("_descriptor", "machine", "owner", "pid", "port")

    def __init__(self, descriptor: int, owner: int) -> None:
        content = json.loads(os.read(descriptor, 4096))
        self.pid: int = content["pid"]
        self.port: int = content["port"]
        self.machine: str = content["machine"]
        self.owner = owner
        # Zero and less are whole groups of processes.
        if not (type(self.pid) is type(self.port) is int and 0 < self.pid < _MOST_PROCESSES):
            raise ValueError("it names no process")
        self._descriptor = descriptor

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def has_ended(self) -> bool:
        return _try_lock(self._descriptor)


def running_servers(store: Store, *, sweep: bool = True) -> list[Running]:
    """By port; with ``sweep`` the files of servers that died are taken away. ``StoreForbidden`` where there are files of others alone."""
    try:
        folder = store.file.held_folder(_SERVERS)
    except FileNotFoundError:
        return []
    except PermissionError:
        raise _not_ours(os.path.join(store.folder, _SERVERS)) from None
    try:
        return _found_in(folder, sweep)
    finally:
        folder.close()


def _found_in(folder: HeldFolder, sweep: bool) -> list[Running]:
    found, foreign = [], ""
    for name in filter(_OURS, _names_in(folder)):
        try:
            server = _running(folder, name, sweep)
        except PermissionError:
            foreign = name
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass  # it ended just now, or is no entry
        else:
            found += [server] if server is not None else []
    if foreign and not found:
        raise _not_ours(os.path.join(folder.path, foreign))
    return sorted(found, key=lambda server: (server.port, server.pid))


def _names_in(folder: HeldFolder) -> list[str]:
    try:
        return os.listdir(folder.path if folder.descriptor is None else folder.descriptor)
    except PermissionError:
        raise _not_ours(folder.path) from None


def machine() -> str:
    """The machine and its namespace of process ids: a container has its own."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{os.uname().nodename} {namespace}".strip()


def _running(folder: HeldFolder, name: str, sweep: bool) -> Running | None:
    """None where it has ended. Raises ``PermissionError`` where the file is another user's, others where it is no entry."""
    descriptor = folder.open(name, _FLAGS)
    server = None
    try:
        owner = _owner_of(descriptor)
        if not _try_lock(descriptor):
            server = Running(descriptor, owner)
        elif sweep:
            folder.remove(name)
        return server
    finally:
        if server is None:
            os.close(descriptor)


def _owner_of(descriptor: int) -> int:
    found = os.fstat(descriptor)
    if os.geteuid() not in (0, found.st_uid):
        raise PermissionError
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is no file")
    return found.st_uid


def _not_ours(path: str) -> StoreForbidden:
    return StoreForbidden("the servers on this store belong to somebody else", "run this as the store's owner", private=path)


def _try_lock(descriptor: int) -> bool:
    from fcntl import LOCK_EX, LOCK_NB, flock

    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
