"""Which servers run on a store: each holds the lock of a file of its own in ``servers/`` beside the store, as long as it lives."""

from __future__ import annotations

import json
import os

from secure_mcp_gateway.errors import StoreForbidden
from secure_mcp_gateway.store.file import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.store.store import Store

_SERVERS = "servers"
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class Registration:
    """One's own entry. Its lock goes with the process; ``remove`` takes the file away before."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, store: Store, port: int) -> None:
        folder = store.own_folder(_SERVERS)
        self._path = os.path.join(folder, f"{port}-{os.getpid()}.json")
        temporary = f"{self._path}.tmp"
        self._descriptor = os.open(temporary, _FLAGS | os.O_CREAT, 0o600)
        try:
            own(self._descriptor, store.file.owner())
            # Locked before it has its name: whoever finds it without a lock may take it for one of the dead.
            _try_lock(self._descriptor)
            content = {"pid": os.getpid(), "port": port, "machine": machine()}
            os.write(self._descriptor, json.dumps(content).encode())
            os.replace(temporary, self._path)
        except BaseException:
            os.close(self._descriptor)
            os.unlink(temporary)
            raise

    def remove(self) -> None:
        try:
            os.unlink(self._path)
        except OSError:
            pass


class Running:
    """A server that runs. ``machine`` differs from ours where its process id means nothing here."""

    __slots__ = ("_descriptor", "machine", "pid", "port")

    def __init__(self, descriptor: int) -> None:
        content = json.loads(os.read(descriptor, 4096))
        self.pid: int = content["pid"]
        self.port: int = content["port"]
        self.machine: str = content["machine"]
        self._descriptor = descriptor

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def has_ended(self) -> bool:
        return _try_lock(self._descriptor)


def running_servers(store: Store) -> list[Running]:
    """By port; the files of servers that died are swept."""
    folder = _folder(store)
    try:
        paths = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".json")]
    except FileNotFoundError:
        return []
    except PermissionError:
        raise _not_ours(folder) from None
    found = [server for server in map(_running, paths) if server is not None]
    return sorted(found, key=lambda server: (server.port, server.pid))


def machine() -> str:
    """The machine and its namespace of process ids: a container has its own."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{os.uname().nodename} {namespace}".strip()


def _running(path: str) -> Running | None:
    try:
        descriptor = os.open(path, _FLAGS)
    except PermissionError:
        raise _not_ours(path) from None
    except OSError:
        return None  # it ended just now
    try:
        if not _try_lock(descriptor):
            return Running(descriptor)
        os.unlink(path)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    os.close(descriptor)
    return None


def _not_ours(path: str) -> StoreForbidden:
    return StoreForbidden("the servers on this store belong to somebody else", "run this as the store's owner", private=path)


def _try_lock(descriptor: int) -> bool:
    from fcntl import LOCK_EX, LOCK_NB, flock

    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder(store: Store) -> str:
    return os.path.join(store.folder, _SERVERS)
