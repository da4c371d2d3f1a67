"""The rows of the table, done by a server: each is one request, and its answer what the rule would have returned here."""

from __future__ import annotations

import json
import re
from urllib.parse import quote, urlencode

from secure_mcp_gateway import __version__, errors
from secure_mcp_gateway.client.exchange import Answer, Connection
from secure_mcp_gateway.errors import GatewayError, InvalidRequest, NotFound, OutcomeUnknown, TooLarge, Unauthorized, Unavailable
from secure_mcp_gateway.operations.files import LARGEST
from secure_mcp_gateway.operations.operation import RECORD
from secure_mcp_gateway.params import BODY, BODY_OR_QUERY, BOOLEAN, DOCUMENT_DEPTH, PATH, QUERY, strict_json
from secure_mcp_gateway.repository.call import Listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.client.address import Server
    from secure_mcp_gateway.operations.operation import Operation
    from secure_mcp_gateway.params import Param

    Values = dict[str, Any]

_KINDS: dict[str, type[GatewayError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.RequestTimeout,
        errors.Conflict,
        errors.PreconditionFailed,
        errors.TooLarge,
        errors.UnsupportedMediaType,
        errors.ExpectationFailed,
        errors.InternalError,
        errors.NotImplementedHere,
        errors.VersionNotSupported,
        errors.Unavailable,
    )
}
# What a word that is not known here comes to, where its status is none of theirs either.
_BY_STATUS: dict[int, type[GatewayError]] = {kind.status: kind for kind in _KINDS.values()}
_BY_STATUS.update({410: NotFound, 423: errors.Conflict, 429: Unavailable})
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Refusals that a server of another version gives to what it does not know.
_MAY_BE_OLD = ("invalid_request", "not_found", "method_not_allowed")
_ENVELOPE = 2  # levels of JSON around what is answered
_TRIES = 5


class Remote:
    """Close it after use. ``state`` is the ETag of the last answer: of the state of the store that it tells of."""

    def __init__(self, server: Server) -> None:
        self.state = ""
        self._server = server
        self._connection = Connection(server)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def may_have_changed(self) -> bool:
        """Was a change sent? Then who does not wait for the answer does not know whether it was made."""
        return self._connection.sent_change

    def perform(self, row: Operation, values: Values, if_match: str = "") -> Any:
        """What ``perform`` of the table returns on a store; a list of which not all was asked for as a ``Listing``, and a document
        in the field ``row.document``. Raises what the server refused with, and ``Unavailable`` where there was no answer of one."""
        answer = self._ask(row, values, if_match)
        self.state = str(answer.headers.get("ETag", ""))
        if answer.is_whole:
            return self._result(row, values, answer)
        if row.answer.startswith("[") and "limit" not in values:
            return self._in_parts(row, values, answer)
        raise TooLarge(f"the answer is larger than {LARGEST >> 20} MiB", _smaller(row))

    def _ask(self, row: Operation, values: Values, if_match: str = "") -> Answer:
        path, query, body = _request(row, values)
        target = path + ("?" + urlencode(query) if query else "")
        data = json.dumps(body, ensure_ascii=False).encode() if body else None
        return self._connection.ask(row.method, target, data, changes=_changes(row, values), key=self._server.key, if_match=if_match)

    def _result(self, row: Operation, values: Values, answer: Answer) -> Any:
        content = _content(answer)
        if answer.status >= 300:
            raise self._refusal(row, values, content, answer)
        data = content.get("data")
        if not {"message", "data", "timestamp"} <= set(content) or not _fits(row, data):
            raise self._foreign(row, values, answer)
        total = _number(answer, "X-Total-Count")
        return data if total is None or not isinstance(data, list) else Listing(data, total)

    def _in_parts(self, row: Operation, values: Values, whole: Answer) -> Listing:
        """A list whose answer would be too large, in answers of about half of what is taken. All must be of the same state of the store."""
        total = _number(whole, "X-Total-Count") or 0
        size = max(1, total * LARGEST // (2 * (whole.length or LARGEST * 4)))
        for _ in range(_TRIES):
            found = self._parts(row, values, size)
            if found is not None:
                return found
        raise Unavailable("the store changes faster than this list can be read", _smaller(row))

    def _parts(self, row: Operation, values: Values, size: int) -> Listing | None:
        """None where the store changed in between."""
        rows: list[Any] = []
        start, state = values.get("offset", 0), None
        while True:
            part = {**values, "limit": size, "offset": start + len(rows)}
            answer = self._ask(row, part)
            if not answer.is_whole:
                raise TooLarge(f"the answer is larger than {LARGEST >> 20} MiB", _smaller(row))
            found = self._result(row, part, answer)
            if not isinstance(found, Listing):
                raise self._foreign(row, part, answer)
            if state not in (None, (answer.headers.get("ETag"), found.total)):
                return None
            state = (answer.headers.get("ETag"), found.total)
            rows += found.rows
            if len(found.rows) < size or start + len(rows) >= found.total:
                return Listing(rows, found.total)

    def _refusal(self, row: Operation, values: Values, content: Values, answer: Answer) -> GatewayError:
        code, detail = content.get("error"), content.get("detail")
        if not isinstance(code, str) or not isinstance(detail, str) or not _WORD.fullmatch(code) or answer.status < 400:
            return self._foreign(row, values, answer)
        message, hint = _parted(detail, _number(answer, "X-Hint-Length"))
        kind = _KINDS.get(code) or _kind_of(answer.status)
        if kind is Unauthorized:
            source = f"the key was taken from {self._server.source}"
            hint = source if code == Unauthorized.code or not hint else f"{hint}; {source}"
        if kind is TooLarge:
            hint = hint or "start the server with a larger --max-body, or run the command on its machine"
        if code in _MAY_BE_OLD or code not in _KINDS:
            version = self._version()
            if version is None:
                return self._no_gateway(answer)
            hint = "; ".join(filter(None, (hint, _other(version))))
        made = kind(message, hint)
        made.code = code
        return made

    def _no_gateway(self, answer: Answer) -> GatewayError:
        return Unavailable(f"there is no Secure MCP Gateway at {self._server} ({answer})", "are host, port and path right?")

    def _foreign(self, row: Operation, values: Values, answer: Answer) -> GatewayError:
        """To an answer that no gateway gives."""
        where = answer.headers.get("Location")
        if 300 <= answer.status < 400 and where:
            hint = "name the server itself with --server"
            return Unavailable(f"{self._server} redirects to {where[:200]}, which is not followed", hint)
        version = self._version()
        if version is None and answer.status < 500:
            return self._no_gateway(answer)
        what = f"{self._server} gave an answer that no gateway of this version gives ({answer})"
        hint = _other(version) or "does something between here and there answer in its place?"
        if _changes(row, values):
            return OutcomeUnknown(f"{what}: whether the change was made is not known", f"read before you repeat it; {hint}")
        return Unavailable(what, hint)

    def _version(self) -> str | None:
        """The server's; empty where that cannot be told, None where it is no gateway. Asked only when something unexpected came."""
        self._connection.close()
        try:
            answer = self._connection.ask("GET", "/health", None, changes=False)
        except GatewayError:
            return ""
        content = _content(answer)
        data = content.get("data")
        if isinstance(data, dict) and isinstance(data.get("version"), str):
            return str(data["version"][:40])
        return "" if isinstance(content.get("error"), str) and answer.status == Unavailable.status else None


def _kind_of(status: int) -> type[GatewayError]:
    """Of a refusal whose word is not known here: by its status, else by the class of that (RFC 9110 §15.5, §15.6)."""
    return _BY_STATUS.get(status) or (InvalidRequest if status < 500 else Unavailable)


def _other(version: str | None) -> str:
    """The way out where the server's version answers in other forms than this one: those change with the second number."""
    if not version or version.split(".")[:2] == __version__.split(".")[:2]:
        return ""
    return f"the server is version {version}, this command {__version__}: use the command of the server's version"


def _changes(row: Operation, values: Values) -> bool:
    """More than the audit: what one would want to know of before asking again."""
    return row.writes and row.effect != RECORD and not values.get("dry_run")


def _request(row: Operation, values: Values) -> tuple[str, dict[str, str], Values]:
    """The path, the query and the body for these values."""
    path, query, body = row.path, {}, {}
    for param in row.params:
        value = values.get(param.name)
        if value is None:
            continue
        if param.place == PATH:
            path = path.replace("{" + param.name + "}", _segment(value, param))
        elif param.place == QUERY:
            query[param.names[0]] = str(value).lower() if param.kind == BOOLEAN else str(value)
        elif param.place in (BODY, BODY_OR_QUERY):
            body[param.names[0]] = value
    return path, query, body


def _segment(value: str, param: Param) -> str:
    if not value:
        # As a path it would end before: at the whole of which one thing was to be named.
        raise NotFound(f"--{param.flags[0]} is empty: nothing has no name")
    # A proxy may take these for steps to another path.
    return value.replace(".", "%2E") if value in (".", "..") else quote(value, safe="")


def _content(answer: Answer) -> Values:
    """The JSON object that was answered; one without fields for anything else."""
    try:
        content = strict_json(answer.body.decode(), DOCUMENT_DEPTH + _ENVELOPE)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _fits(row: Operation, data: Any) -> bool:
    """In its outer form, which is all that is relied on."""
    if row.document:
        return isinstance(data, dict) and row.document in data
    if row.answer.startswith("["):
        return isinstance(data, list)
    return isinstance(data, dict) or not row.answer


def _number(answer: Answer, field: str) -> int | None:
    """Of a header; None for what is no number that can be meant."""
    text = str(answer.headers.get(field, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _parted(detail: str, length: int | None) -> tuple[str, str]:
    """Message and hint, where the server says how long the hint at the end is."""
    at = len(detail) - (length or 0)
    return (detail[: at - 2], detail[at:]) if length and at > 2 and detail[at - 2 : at] == "; " else (detail, "")


def _smaller(row: Operation) -> str:
    if any(param.name == "limit" for param in row.params):
        return "take it in parts, with --limit and --offset"
    return "run the command on the server's machine"
