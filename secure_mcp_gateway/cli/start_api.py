"""``system start-api``: serves the API until a signal ends it."""

from __future__ import annotations

import os
import signal
import sys

from secure_mcp_gateway.cli.commands import Command
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, FILE, INTEGER, STRING, STRINGS, Param

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.cli.running import Registration
    from secure_mcp_gateway.store.store import Store
    from secure_mcp_gateway.web.log import AccessLog
    from secure_mcp_gateway.web.server import TlsFiles, WebServer

ENVIRONMENT = "SECURE_MCP_GATEWAY_"


def _flag(name: str, kind: str, help: str, **more: Any) -> Param:
    return Param(name, kind, help, place=COMMAND_LINE, **more)


PARAMS = (
    _flag("host", STRING, "The address to listen on.", default="0.0.0.0", example="127.0.0.1"),
    _flag("port", INTEGER, "The port to listen on; 0 takes a free one.", default="8001", minimum=0, maximum=65535, example=8001),
    _flag("init", BOOLEAN, "Make a store first where there is none."),
    _flag("reload", BOOLEAN, "Start anew whenever the package's source changes."),
    _flag("files_root", FILE, "The folder that all files named in requests must lie in.", example="/srv/exports"),
    _flag("tls_cert", FILE, "The certificate and its chain, PEM; read again on SIGHUP.", example="/etc/ssl/gateway.pem"),
    _flag("tls_key", FILE, "The certificate's private key, PEM.", example="/etc/ssl/gateway.key"),
    _flag("allow_origin", STRINGS, "Pages of these origins may call the API.", example=["https://admin.example.com"]),
    _flag("allow_host", STRINGS, "Only these Host fields are served.", example=["gateway.example.com"]),
    _flag("max_body", INTEGER, "The largest body, in bytes.", default=str(16 * 1024 * 1024), minimum=1, example=1048576),
    _flag("max_connections", INTEGER, "So many connections at once.", default="512", minimum=1, maximum=1_000_000, example=512),
    _flag("no_access_log", BOOLEAN, "Without a line per request on standard error."),
)


def command() -> Command:
    summary = f"Serve the REST API; each flag also as ${ENVIRONMENT}<FLAG>"
    return Command("system start-api", summary, PARAMS, run, ("conflict",))


def run(invocation: Invocation) -> int:
    from secure_mcp_gateway.cli.listening import address_of, inherited_socket, is_loopback, listening_socket

    values = _values(invocation)
    tls = _tls(values)
    store = invocation.store()
    listener = inherited_socket()
    if listener is not None:
        return _serve(store, values, tls, listener, "")
    _require_store(store, values, invocation.output)
    listener = listening_socket(values["host"], values["port"])
    if tls is None and not is_loopback(listener):
        invocation.output.warn("without --tls-cert keys and data cross the network in the clear")
    address = address_of(listener, tls is not None)
    if values.get("reload"):
        from secure_mcp_gateway.cli.reloading import supervise

        _announce(address)
        return supervise(invocation.arguments, listener)
    return _serve(store, values, tls, listener, address)


def _values(invocation: Invocation) -> dict[str, Any]:
    """From the flags, and from the environment where a flag is not given."""
    given = dict(invocation.given)
    for param in PARAMS:
        text = os.environ.get(ENVIRONMENT + param.name.upper())
        flag = param.flags[0]
        if text and flag not in given:
            given[flag] = _from_environment(param, text)
    invocation.given = given
    values = invocation.values()
    if "files_root" in values:
        values["files_root"] = os.path.abspath(values["files_root"])
        if not os.path.isdir(values["files_root"]):
            raise InvalidRequest("--files-root is no folder", "make it first", private=values["files_root"])
    for origin in values.get("allow_origin", ()):
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
            raise InvalidRequest("--allow-origin takes origins only", "such as https://admin.example.com:8443")
    return values


def _from_environment(param: Param, text: str) -> str | list[str]:
    if param.kind == BOOLEAN:
        return {"1": "true", "0": "false"}.get(text, text)
    return [text] if param.kind == STRINGS else text


def _require_store(store: Store, values: dict[str, Any], output: Output) -> None:
    if values.get("init") and not store.exists():
        from secure_mcp_gateway.cli.first_store import make_first_store

        make_first_store(store, output)
    store.snapshot()


def _tls(values: dict[str, Any]) -> TlsFiles | None:
    from secure_mcp_gateway.web.tls import TlsFiles, load_context

    given = [values.get("tls_cert"), values.get("tls_key")]
    if None in given:
        if given != [None, None]:
            raise InvalidRequest("--tls-cert and --tls-key belong together", "give both")
        return None
    files = TlsFiles(*map(os.path.abspath, given))
    try:
        load_context(files)
    except (OSError, ValueError) as error:
        hint = "both must be PEM files, the key without a passphrase and the certificate's own"
        raise InvalidRequest(f"--tls-cert and --tls-key cannot be used: {error}", hint) from None
    return files


def _serve(store: Store, values: dict[str, Any], tls: TlsFiles | None, listener: socket.socket, address: str) -> int:
    """``address`` is empty where it was announced already."""
    from secure_mcp_gateway.web.log import AccessLog

    log = None if values.get("no_access_log") or sys.stderr is None else AccessLog()
    server = _server(store, values, tls, listener, log)
    _heed_signals(server)
    registration = _registered(store, server.bound[1])
    if address:
        _announce(address)
    try:
        server.serve()
    finally:
        _heed_no_signals()
        if registration is not None:
            registration.remove()
        if log is not None:
            log.close()
    return 0


def _server(store: Store, values: dict[str, Any], tls: TlsFiles | None, listener: socket.socket, log: AccessLog | None) -> WebServer:
    from secure_mcp_gateway.api.app import ManagementApp
    from secure_mcp_gateway.web.server import Limits, WebServer

    app = ManagementApp(
        store,
        files_root=values.get("files_root"),
        allow_origins=tuple(values.get("allow_origin", ())),
        allow_hosts=tuple(values.get("allow_host", ())),
        log=log,
    )
    return WebServer(
        listener.getsockname()[:2],
        app,
        limits=Limits(body=values["max_body"]),
        max_connections=values["max_connections"],
        tls=tls,
        access_log=log,
        listener=listener,
    )


def _registered(store: Store, port: int) -> Registration | None:
    if os.name == "nt":
        return None
    from secure_mcp_gateway.cli.running import Registration

    try:
        return Registration(store, port)
    except OSError as error:
        raise store.file.failure(error, "written") from None


def _announce(address: str) -> None:
    if sys.stdout is not None:
        print(address, flush=True)


def _heed_signals(server: WebServer) -> None:
    def end(*_: object) -> None:
        if server.service.stopping:
            server.stop_now()
        else:
            server.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: server.reload_tls())


def _heed_no_signals() -> None:
    """It is ending already: one more signal must not turn its exit code into a death by signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
