"""The inputs of a row out of a request's path, query and body."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from secure_mcp_gateway.errors import InvalidRequest, TooLarge
from secure_mcp_gateway.params import BODY, BODY_OR_QUERY, COMMAND_LINE, PATH, QUERY, strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from secure_mcp_gateway.operations.operation import Operation
    from secure_mcp_gateway.params import Param

# Of one body: 16 MiB of JSON that means something have fewer, and of `[],` alone they would become 30 times their size in memory.
_MOST_VALUES = 1_000_000

# Where a field belongs, and how it is given there.
_BELONGS = {QUERY: ("the query", "?{}=..."), BODY: ("the body", '{{"{}": ...}}'), PATH: ("the path", "as one of its parts")}


def read_query(query: str) -> dict[str, str]:
    """``application/x-www-form-urlencoded``, each name once."""
    fields: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        name = _form_decoded(name)
        if name in fields:
            raise InvalidRequest(f"the query gives {name[:60]!r} twice")
        fields[name] = _form_decoded(value)
    return fields


def read_body(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body is one without fields."""
    if not body:
        return {}
    if len(body) > _MOST_VALUES and sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MOST_VALUES:
        raise TooLarge(f"the body holds more than {_MOST_VALUES:,} values", "send it in parts, or name a file")
    try:
        content = strict_json(body.decode())
    except UnicodeDecodeError:
        raise InvalidRequest("the body is not UTF-8") from None
    except ValueError as error:
        raise InvalidRequest(f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise InvalidRequest("the body must be a JSON object")
    return content


def takes_body(operation: Operation) -> bool:
    return any(param.place in (BODY, BODY_OR_QUERY) for param in operation.params)


class Inputs:
    """What one request gives to one row: every field known, each param given at most one way."""

    def __init__(self, operation: Operation, path: dict[str, str], query: dict[str, str], body: dict[str, Any]) -> None:
        self._path = path
        self._query = query
        self._body = {field: value for field, value in body.items() if value is not None} if body else body
        self._operation = operation
        self._refuse_unknown("the query", query, (QUERY, BODY_OR_QUERY))
        self._refuse_unknown("the body", body, (BODY, BODY_OR_QUERY))

    def values(self, read_file: Callable[[str, str], Any]) -> dict[str, Any]:
        """By the rules' keywords. ``read_file(path, field)`` gives the content of a file that stands in for a field; it is
        not called where the field itself is given."""
        found = {param.name: self._value(param, read_file) for param in self._operation.params if param.place != COMMAND_LINE}
        return {name: value for name, value in found.items() if value is not None}

    def _refuse_unknown(self, where: str, given: dict[str, Any], places: tuple[str, ...]) -> None:
        if not given:
            return
        known = [name for param in self._operation.params if param.place in places for name in (*param.names, param.file) if name]
        for field in given:
            if field not in known:
                self._refuse_misplaced(where, field)
                way_out = "it takes " + ", ".join(known) if known else "it takes none"
                raise InvalidRequest(f"{where} has the unknown field {field[:60]!r}", way_out)

    def _refuse_misplaced(self, where: str, field: str) -> None:
        for param in self._operation.params:
            if field in (*param.names, param.file) and param.place in _BELONGS:
                place, way = _BELONGS[param.place]
                raise InvalidRequest(f"{where} has the field {field!r}, which belongs in {place}", f"give it there: {way.format(field)}")

    def _value(self, param: Param, read_file: Callable[[str, str], Any]) -> Any:
        if param.place == PATH:
            return param.check(self._path[param.name])
        given = [name for name in param.names if name in self._body or name in self._query]
        if len(given) > 1:
            raise InvalidRequest(f"{' and '.join(given)} exclude each other", "give one of them")
        path = self._body.get(param.file) if param.file else None
        if path is not None and not isinstance(path, str):
            raise InvalidRequest(f"{param.file} must be a string")
        if given:
            return self._given(param, given[0])
        if path is not None:
            return param.check(read_file(path, param.file), param.file)
        if param.required:
            raise InvalidRequest(f"{' or '.join(filter(None, (*param.names, param.file)))} is missing")
        return None

    def _given(self, param: Param, name: str) -> Any:
        if name in self._body and param.place != QUERY:
            return param.check(self._body[name], name)
        return param.parse(self._query[name], name)


def _form_decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        raise InvalidRequest("the query holds bytes that are not UTF-8") from None
