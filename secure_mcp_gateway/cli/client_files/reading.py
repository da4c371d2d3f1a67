"""A client's whole file as servers of ours, with all that has to be said about it at once."""

from __future__ import annotations

import re
from typing import NamedTuple

from secure_mcp_gateway.cli.client_files.clients import ANY, CODEX
from secure_mcp_gateway.cli.client_files.detect import beside, client_of, off_in_projects, sections_of
from secure_mcp_gateway.cli.client_files.jsonc import COMMA, COMMENT, read_jsonc
from secure_mcp_gateway.cli.client_files.places import below, shown
from secure_mcp_gateway.cli.client_files.references import References
from secure_mcp_gateway.cli.client_files.secret_values import keep_out, reads
from secure_mcp_gateway.cli.client_files.server import read_server
from secure_mcp_gateway.cli.client_files.toml_reader import read_toml
from secure_mcp_gateway.errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.cli.client_files.clients import Client
    from secure_mcp_gateway.cli.client_files.detect import Section

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_NAME = 64
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_WAYS = "mcpServers, servers, mcp.servers, context_servers or [mcp_servers.NAME]"


class ClientFile(NamedTuple):
    """``servers`` as `config import` takes them; none where there are ``problems``. ``left_out`` are names in the file."""

    client: Client
    servers: list[dict[str, Any]]
    left_out: list[str]
    warnings: list[str]
    problems: list[str]


def read_client_file(
    data: bytes, path: str, field: str, secrets_as_env: bool = False, client: Client | None = None
) -> ClientFile | None:
    """None where the file is well-formed and holds no servers. Where no ``client`` is given the content and the path tell it.
    ``InvalidRequest`` names the ``field`` and quotes nothing."""
    text = _text(data, field)
    is_toml = _is_toml(text, path) if client is None else client is CODEX
    document, extras = _parsed(text, is_toml, field)
    sections = sections_of(document, is_toml)
    if not sections:
        return None
    client = client or client_of(path, document, sections, is_toml)
    _refuse_extras(client, extras, field)
    collected = _Collected(client)
    collected.problems, collected.warnings = beside(document)
    collected.warnings += off_in_projects(document)
    for section in sections:
        collected.add_all(section)
    return collected.result(secrets_as_env)


def no_servers(field: str) -> InvalidRequest:
    hint = f"MCP clients have them in {_WAYS}; what `config export` wrote goes to --input-file"
    return InvalidRequest(f"{field} holds no servers in any way that is known", hint)


def valid_name(name: str) -> str:
    """Each run of other characters becomes ``-``; a name begins with a letter or digit and has at most 64 characters. Empty where
    nothing is left."""
    return _NOT_IN_A_NAME.sub("-", name[: _LONGEST_NAME * 4]).lstrip("_.-")[:_LONGEST_NAME].rstrip("-")


def _text(data: bytes, field: str) -> str:
    """Without the byte order mark that editors on Windows put before UTF-8."""
    if data.startswith(_UTF_16):
        raise InvalidRequest(f"{field} is UTF-16 text", "save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{field} is not UTF-8 text") from None


def _is_toml(text: str, path: str) -> bool:
    """A JSON object and a comment before one begin as nothing in TOML does."""
    return text.lstrip(" \t\r\n")[:1] not in ("{", "/") and not path.endswith(".json")


def _parsed(text: str, is_toml: bool, field: str) -> tuple[Any, dict[str, str]]:
    try:
        return (read_toml(text), {}) if is_toml else read_jsonc(text)
    except ValueError as error:
        raise InvalidRequest(f"{field} is not {'TOML' if is_toml else 'JSON'}: {error}") from None


def _refuse_extras(client: Client, extras: dict[str, str], field: str) -> None:
    allowed = {COMMENT: client.comments, COMMA: client.last_commas}
    for what, place in extras.items():
        if not allowed[what]:
            refusal = f"{client.title} does not take that either: take it out"
            hint = "say whose file it is with --client, or take it out" if client is ANY else refusal
            raise InvalidRequest(f"{field} is not JSON: {what} at {place}", hint)


class _Collected:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.references = References(client)
        self.servers: list[dict[str, Any]] = []
        self.places: list[str] = []
        self.left_out: list[str] = []
        self.warnings: list[str] = []
        self.problems: list[str] = []
        # Our name: its place, its name in the file and what stood there.
        self._taken: dict[str, tuple[str, str, Any]] = {}

    def add_all(self, section: Section) -> None:
        if not isinstance(section.servers, dict):
            self.problems.append(f"{section.place} must be an object")
            return
        for name, entry in section.servers.items():
            place = below(section.place, name)
            if name in section.off:
                self._leave_out(name, place, "the file does not let it be used")
            else:
                self._add(name, entry, place)

    def result(self, secrets_as_env: bool) -> ClientFile:
        problems = [*self.problems, *self.references.problems]
        if problems:
            return ClientFile(self.client, [], self.left_out, self.warnings, problems)
        warnings = list(dict.fromkeys([*self.warnings, *self.references.warnings]))
        inputs = self.references.inputs.items()
        warnings += [f"what {self.client.title} asks for as {shown(each)} is the variable {name} here" for each, name in inputs]
        warnings += keep_out(self.servers, self.places, secrets_as_env)
        warnings += reads(self.servers, self.places)
        return ClientFile(self.client, self.servers, self.left_out, warnings, [])

    def _add(self, name: str, entry: Any, place: str) -> None:
        ours = valid_name(name)
        if not ours:
            self.problems.append(f"{place}: no server name can be made of it: it needs a letter or digit")
            return
        reading = read_server(ours, entry, place, self.references)
        self.problems += reading.problems
        self.warnings += reading.warnings
        if reading.left_out:
            self._leave_out(name, place, reading.left_out)
        elif self._is_free(ours, name, entry, place) and reading.server is not None:
            self.servers.append(reading.server)
            self.places.append(place)
            if ours != name:
                self.warnings.append(f"{place} is called {ours} here, as a server's name is made of letters, digits and _ . -")

    def _is_free(self, ours: str, name: str, entry: Any, place: str) -> bool:
        taken = self._taken.setdefault(ours, (place, name, entry))
        other = taken[0]
        if other == place:
            return True
        if taken[1] != name:
            self.problems.append(f"{other} and {place} would both be called {ours}: rename one of them")
        elif taken[2] != entry:
            self.problems.append(f"{other} and {place} are two servers of one name: rename one of them")
        return False

    def _leave_out(self, name: str, place: str, why: str) -> None:
        self.left_out.append(name)
        self.warnings.append(f"{place} is left out: {why}")
