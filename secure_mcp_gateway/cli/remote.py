"""A row of the table done by a server: values out of flags, one request, the answer said as if it had been done here."""

from __future__ import annotations

import os

from secure_mcp_gateway.cli.environment import ENVIRONMENT
from secure_mcp_gateway.cli.rows import STANDARD_OUTPUT, show_with_document, taken_target
from secure_mcp_gateway.cli.values import store_path
from secure_mcp_gateway.client.address import ClientFiles, Server, checked_key, key_in_file, server_at
from secure_mcp_gateway.errors import InvalidRequest, Unauthorized
from secure_mcp_gateway.params import COMMAND_LINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.commands import Invocation
    from secure_mcp_gateway.cli.output import Output
    from secure_mcp_gateway.client.remote import Remote
    from secure_mcp_gateway.operations.operation import Operation

_OF_TLS = ("ca-file", "client-cert", "client-key")


def run_remote(row: Operation, invocation: Invocation) -> int:
    output = invocation.output
    remote = reached(invocation)
    values = invocation.values()
    _refuse_what_needs_the_store(row, values)
    file, overwrite = taken_target(row, values)
    with remote:
        result = asked(remote, row, values, output)
    if row.document:
        result = _delivered(row, result, file, overwrite)
    return show_with_document(row, values, result, file, output)


def reached(invocation: Invocation) -> Remote:
    """The server that was named, for the caller to close; nothing is sent yet."""
    from secure_mcp_gateway.client.remote import Remote

    server = named_server(invocation)
    if server.scheme == "http" and not server.is_loopback():
        invocation.output.warn(f"the key goes to {server.host} in the clear, and so do the answers: use https")
    return Remote(server)


def asked(remote: Remote, row: Operation, values: dict[str, Any], output: Output, if_match: str = "") -> Any:
    try:
        with output.working(row.name):
            return remote.perform(row, values, if_match)
    except KeyboardInterrupt:
        if remote.may_have_changed:
            output.warn("whether the change was made is not known: read before you repeat it")
        raise


def named_server(invocation: Invocation) -> Server:
    """With the CA to trust, the certificate to show and the key. A flag goes before the environment, a key before a file with one."""
    given = invocation.given
    server = server_at(invocation.server(), "--server" if "server" in given else f"${ENVIRONMENT}SERVER")
    server.ca_file = _file(given, "ca-file")[0] or None
    server.client = _client_files(given)
    for flag in _OF_TLS:
        if flag in given and server.scheme != "https":
            raise InvalidRequest(f"--{flag} goes with an https URL", "give --server https://HOST:PORT, or leave it out")
    server.key, server.source = _key(given)
    return server


def _client_files(given: dict[str, Any]) -> ClientFiles | None:
    certificate, certificate_field = _file(given, "client-cert")
    key, key_field = _file(given, "client-key")
    if certificate:
        return ClientFiles(certificate, certificate_field, key or certificate, key_field if key else certificate_field)
    if key:
        raise InvalidRequest(f"{key_field} is the key of no certificate", "name that too: --client-cert FILE")
    return None


def _file(given: dict[str, Any], flag: str) -> tuple[str, str]:
    """The path of the flag or its environment variable, and which of the two names it; an empty one where neither does."""
    if flag in given:
        if not given[flag]:
            raise InvalidRequest(f"--{flag} is empty", "name a PEM file")
        return given[flag], f"--{flag}"
    variable = ENVIRONMENT + flag.upper().replace("-", "_")
    return os.environ.get(variable, ""), f"${variable}"


def _key(given: dict[str, Any]) -> tuple[str, str]:
    """With where it is from."""
    if "api-key-file" in given:
        return key_in_file(given["api-key-file"], "--api-key-file"), "--api-key-file"
    alone, in_file = f"{ENVIRONMENT}API_KEY", f"{ENVIRONMENT}API_KEY_FILE"
    if os.environ.get(alone):
        return checked_key(os.environ[alone], f"${alone}"), f"${alone}"
    if os.environ.get(in_file):
        named = f"the file that ${in_file} names"
        return key_in_file(os.environ[in_file], named), named
    raise Unauthorized("no key for the server is given", f"set ${alone}, or name a file with it: --api-key-file FILE")


def _refuse_what_needs_the_store(row: Operation, values: dict[str, Any]) -> None:
    for param in row.params:
        if param.place == COMMAND_LINE and values.pop(param.name, None):
            hint = "run the command on the server's machine, without --server"
            raise InvalidRequest(f"--{param.flags[0]} does not work through a server: it needs the store itself", hint)


def _delivered(row: Operation, result: dict[str, Any], file: str | None, overwrite: bool) -> Any:
    """The document goes to a file of this machine, under the same rules as one of a store here."""
    document = result[row.document]
    if file is None:
        return {"output_file": None, row.document: document}
    if file == STANDARD_OUTPUT:
        return document
    from secure_mcp_gateway.operations.files import write_document

    path = write_document(os.path.abspath(file), document, "--output-file", overwrite=overwrite, protected=store_folder())
    return {"output_file": path, row.document: None}


def store_folder() -> str:
    """Of the store that this machine may have besides: nothing is written into it from here either."""
    try:
        return os.path.dirname(os.path.realpath(store_path(None)))
    except InvalidRequest:
        return ""
