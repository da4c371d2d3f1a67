"""``system stop-api``: asks the server on this store to stop, and waits until it has."""

from __future__ import annotations

import os
import signal
import time

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.errors import Conflict, Forbidden, NotFound, NotImplementedHere, StoreMissing, Unavailable
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, INTEGER, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.cli.running import Running
    from secure_mcp_gateway.store.store import Store

# (signal, seconds to wait after it). Requests under way have 10 s; a second signal ends without them.
_GENTLE = ((signal.SIGTERM, 15.0),)
_FORCED = ((signal.SIGTERM, 1.0), (signal.SIGTERM, 5.0), (getattr(signal, "SIGKILL", signal.SIGTERM), 5.0))
_POLL_SECONDS = 0.02


def command() -> Command:
    params = (
        Param("port", INTEGER, "Its port, where several run.", place=COMMAND_LINE, minimum=1, maximum=65535, example=8001),
        Param("force", BOOLEAN, "Do not wait for requests under way; kill a server that does not listen.", place=COMMAND_LINE),
    )
    return Command("system stop-api", "Stop the API server on this store", params, run, ("not_found", "conflict"))


def run(invocation: Invocation) -> int:
    values = invocation.values()
    if os.name == "nt":
        raise NotImplementedHere("Windows has no signal to ask a server to stop", "end it with Ctrl-C where it runs")
    server = _the_one(_servers(invocation.store()), values.get("port"))
    with invocation.output.working("waiting for requests under way"):
        _stop(server, _FORCED if values.get("force") else _GENTLE)
    invocation.output.data({"port": server.port, "pid": server.pid})
    invocation.output.note("API server stopped successfully")
    return 0


def _servers(store: Store) -> list[Running]:
    """A server may outlive its store's file, which then neither hides the server nor is asked whose it is."""
    from secure_mcp_gateway.cli.running import running_servers

    try:
        store.file.require_ours()
    except StoreMissing:
        pass
    return running_servers(store)


def _the_one(servers: list[Running], port: int | None) -> Running:
    ports = ", ".join(str(server.port) for server in servers)
    if port is not None:
        on_port = [server for server in servers if server.port == port]
        if not on_port:
            hint = f"servers run on {ports}" if servers else ""
            raise NotFound(f"no server runs on this store and port {port}", hint)
        return on_port[0]
    if not servers:
        raise NotFound("no server runs on this store")
    if len(servers) > 1:
        raise Conflict(f"several servers run on this store, on the ports {ports}", "say which with --port")
    return servers[0]


def _stop(server: Running, steps: tuple[tuple[int, float], ...]) -> None:
    from secure_mcp_gateway.cli.running import machine

    if server.machine != machine():
        raise Forbidden("the server runs in another container or on another machine", "stop it there", private=server.machine)
    _become(server.owner)
    for number, seconds in steps:
        _send(server, number)
        if _ends_within(server, seconds):
            return
    raise Unavailable(f"the server (process {server.pid}) has not ended yet", "wait, or end it with --force")


def _become(owner: int) -> None:
    """As root for good the user whose word it is that this process is a server: it must not lead root to a process of others."""
    if owner != os.geteuid():
        os.setreuid(owner, owner)


def _send(server: Running, number: int) -> None:
    try:
        os.kill(server.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise Forbidden(f"the server (process {server.pid}) belongs to somebody else", "stop it as its owner, or as root") from None


def _ends_within(server: Running, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while not server.has_ended():
        if time.monotonic() > give_up:
            return False
        time.sleep(_POLL_SECONDS)
    return True
