"""``system start-api``: serves the API until a signal ends it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager

from secure_mcp_gateway.cli.commands import INTERRUPTED, Command
from secure_mcp_gateway.cli.environment import ENVIRONMENT
from secure_mcp_gateway.cli.server_flags import PARAMS, server_values
from secure_mcp_gateway.cli.tls_flags import tls_files
from secure_mcp_gateway.errors import InvalidRequest, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.cli.listening import Place
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.cli.running import Registration
    from secure_mcp_gateway.cli.service_manager import Notifier
    from secure_mcp_gateway.cli.worker import Worker
    from secure_mcp_gateway.store.store import Store
    from secure_mcp_gateway.web.log import AccessLog
    from secure_mcp_gateway.web.server import TlsFiles, WebServer

_PARENT_SECONDS = 0.5


def command() -> Command:
    summary = f"Serve the REST API; each flag also as ${ENVIRONMENT}<FLAG>"
    return Command("system start-api", summary, PARAMS, run, ("conflict",))


def run(invocation: Invocation) -> int:
    from secure_mcp_gateway.cli.listening import Place, address_of, inherited_place, is_loopback

    values = server_values(invocation)
    tls = tls_files(values)
    store = invocation.store()
    inherited = inherited_place(tls is not None)
    if inherited is not None:
        return _serve(store, values, tls, inherited, invocation.output)
    listener, lasting = _listener_on_store(invocation, values, store)
    if tls is None and not is_loopback(listener):
        invocation.output.warn("without --tls-cert keys and data cross the network in the clear")
    if values.get("reload"):
        from secure_mcp_gateway.cli.reloading import supervise

        with listener:
            return supervise(invocation.arguments, listener, invocation.output)
    place = Place(listener, address_of(listener, tls is not None), lasting=lasting)
    if values["workers"] > 1:
        del store  # with its document, which may be large: this process reads nothing more
        return _have_served(invocation, values, place)
    return _serve(store, values, tls, place, invocation.output)


def _listener(invocation: Invocation, values: dict[str, Any]) -> tuple[socket.socket, bool]:
    """With whether it is a service manager's, which keeps it open."""
    if "LISTEN_FDS" in os.environ:
        from secure_mcp_gateway.cli.service_manager import activated_socket

        listener = activated_socket()
        if listener is not None:
            if "host" in invocation.given or "port" in invocation.given:
                raise InvalidRequest("the service manager says where to listen", "leave --host and --port out")
            return listener, True
    from secure_mcp_gateway.cli.listening import listening_socket

    return listening_socket(values["host"], values["port"]), False


def _listener_on_store(invocation: Invocation, values: dict[str, Any], store: Store) -> tuple[socket.socket, bool]:
    """``_listener``, with a store that can be served. One that is to be made is made last: a port that is taken must leave none behind."""
    if not values.get("init") or store.exists():
        store.snapshot().read_all()
        return _listener(invocation, values)
    from secure_mcp_gateway.cli.first_store import make_first_store

    listener, lasting = _listener(invocation, values)
    try:
        make_first_store(store, invocation.output)
        store.snapshot().read_all()
    except BaseException:
        listener.close()
        raise
    return listener, lasting


def _serve(store: Store, values: dict[str, Any], tls: TlsFiles | None, place: Place, output: Output) -> int:
    from secure_mcp_gateway.web.log import AccessLog

    worker = _worker(place, store)
    if values.get("paranoid") and not values.get("read_only"):
        # Else a file named in a request could lie anywhere.
        values.setdefault("files_root", store.own_folder("files"))
    log = None if values.get("no_access_log") or sys.stderr is None else AccessLog()
    values["max_connections"] = _connections(values["max_connections"], output)
    server = _server(store, values, tls, place, log, _hooks(worker, output))
    came: list[int] = []
    if worker is not None:
        worker.heed(server)
    else:
        _heed_signals(server, came)
    registration = None if worker is not None else _registered(store, values, server.bound[1], output)
    if place.address:
        _announce(place.address)
    if values.get("paranoid"):
        from secure_mcp_gateway.cli.confinement import confine

        confine(log, store.folder, [] if values.get("read_only") else [store.folder, values["files_root"]])
    with _ended_in_order(registration, log), _ended_with(place.parent, server):
        server.serve()
    if worker is not None:
        worker.part()
    return INTERRUPTED if came[:1] == [signal.SIGINT] else 0


def _connections(wanted: int, output: Output) -> int:
    from secure_mcp_gateway.cli.descriptors import connections_with_room

    most = connections_with_room(wanted)
    if most < wanted:
        output.warn(f"the limit on open files (ulimit -n) has room for {most} connections at once, not for {wanted}")
    return most


def _worker(place: Place, store: Store) -> Worker | None:
    """Where this is one: what it shares with the others it uses with them in mind."""
    if not place.worker:
        return None
    from secure_mcp_gateway.cli.whole_lines import share_standard_error
    from secure_mcp_gateway.cli.worker import Worker

    share_standard_error()
    worker = Worker(place.worker)
    store.siblings = worker.siblings
    return worker


def _have_served(invocation: Invocation, values: dict[str, Any], place: Place) -> int:
    """By workers. What there is once for all of them is this process's: the note beside the store, the address, the service manager."""
    from secure_mcp_gateway.cli.children import require_handing_on

    require_handing_on("--workers")
    from secure_mcp_gateway.cli.whole_lines import share_standard_error
    from secure_mcp_gateway.cli.workers import Workers
    from secure_mcp_gateway.web.log import AccessLog

    share_standard_error()
    log = AccessLog() if sys.stderr is not None else None
    notifier = _notifier(invocation.output)
    tell = notifier.tell if notifier is not None else lambda _: None
    workers = Workers(invocation.arguments, place, values["workers"], log, tell, lambda: _announce(place.address))
    registration = _registered(invocation.store(), values, place.listener.getsockname()[1], invocation.output)
    with _ended_in_order(registration, log):
        return workers.run()


def _hooks(worker: Worker | None, output: Output) -> dict[str, Any]:
    if worker is not None:
        return {"observer": worker.tell, "hold_back": worker.holds_back, "count": worker.count}
    notifier = _notifier(output)
    return {"observer": notifier.tell} if notifier is not None else {}


def _notifier(output: Output) -> Notifier | None:
    if not os.environ.get("NOTIFY_SOCKET"):
        return None
    from secure_mcp_gateway.cli.service_manager import Notifier

    return Notifier(output)


def _server(
    store: Store, values: dict[str, Any], tls: TlsFiles | None, place: Place, log: AccessLog | None, hooks: dict[str, Any]
) -> WebServer:
    from secure_mcp_gateway.api.app import ManagementApp
    from secure_mcp_gateway.web.server import Limits, WebServer

    app = ManagementApp(
        store,
        files_root=values.get("files_root"),
        allow_origins=tuple(values.get("allow_origin", ())),
        allow_hosts=tuple(values.get("allow_host", ())),
        log=log,
        read_only=bool(values.get("read_only")),
    )
    return WebServer(
        place.listener,
        app,
        limits=Limits(body=values["max_body"]),
        max_connections=values["max_connections"],
        tls=tls,
        access_log=log,
        lasting=place.lasting,
        at_once=app.answers_at_once,
        **hooks,
    )


def _registered(store: Store, values: dict[str, Any], port: int, output: Output) -> Registration | None:
    """None where that cannot be written: reads are served all the same, and each write says why it is refused."""
    # Who may not write beside the store could not note itself there, and stop-api does not find it.
    if os.name == "nt" or values.get("read_only"):
        return None
    from secure_mcp_gateway.cli.running import Registration

    try:
        return Registration(store, port)
    except (OSError, Unavailable) as error:
        reason = error.message if isinstance(error, Unavailable) else error.strerror
        output.warn(f"this server cannot be noted beside the store ({reason}), so stop-api will not find it")
        return None


@contextmanager
def _ended_in_order(registration: Registration | None, log: AccessLog | None) -> Iterator[None]:
    try:
        yield
    finally:
        _heed_no_signals()
        if registration is not None:
            registration.remove()
        if log is not None:
            log.close()


def _announce(address: str) -> None:
    if sys.stdout is not None:
        print(address, flush=True)


def _heed_signals(server: WebServer, came: list[int]) -> None:
    """``came`` takes the numbers of those that ask it to end."""

    def end(number: int, _: object) -> None:
        came.append(number)
        if server.service.stopping:
            server.stop_now()
        else:
            server.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: server.reload_tls())


@contextmanager
def _ended_with(parent: int, server: WebServer) -> Iterator[None]:
    """A parent, where there is one, that was killed could not pass its end on, and the child would hold the port for ever."""
    if not parent:
        yield
        return
    from threading import Event, Thread

    over = Event()

    def watch() -> None:
        while not over.wait(_PARENT_SECONDS):
            if os.getppid() != parent:
                server.stop()

    thread = Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _heed_no_signals() -> None:
    """It is ending already: one more signal must not turn its exit code into a death by signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
