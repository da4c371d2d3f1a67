"""One named, typed, documented input of an operation: how it is given, parsed and checked, on every surface alike."""

from __future__ import annotations

import json

from secure_mcp_gateway.errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Kinds. NAME names a thing and stands in the audit; STRING is any other text; SECRET never stands anywhere.
# STRINGS is a list of strings, MAPPING an object of strings, DOCUMENT any JSON object or list.
NAME, STRING, SECRET, FILE = "name", "string", "secret", "file"
INTEGER, BOOLEAN = "integer", "boolean"
STRINGS, MAPPING, OBJECT, DOCUMENT = "strings", "mapping", "object", "document"

# Places. COMMAND_LINE has no place in a request.
PATH, QUERY, BODY, BODY_OR_QUERY, COMMAND_LINE = "path", "query", "body", "body or query", "command line"

# What in the store a value names; the command line completes it from there. Flags that end in -id take its id.
CONFIGS, SERVERS, PROJECTS, USERS = "configs", "servers", "projects", "users"
API_KEYS, ADMIN_KEYS = "API keys", "admin keys"

# Levels of JSON: of one input, of a file or a store of ours, and of a value that is kept. The latter stands deeper in a backup, which
# must still be an input.
DEPTH, DOCUMENT_DEPTH, VALUE_DEPTH = 64, 96, 48

_MOST_DIGITS = 19

_TEXT_KINDS = (NAME, STRING, SECRET, FILE)


class Param:
    """``name`` is the rule's keyword; ``names`` are the fields it is given by (exactly one of them), ``flags`` the command
    line's (without dashes). ``minimum`` and ``maximum`` bound a number. ``file`` is the field that names a JSON file to read the
    value from instead, ``file_flag`` its flag where that has another name. ``schema`` is what JSON Schema says of the value besides
    its kind; it only describes, the rule judges. ``default`` is what the command line takes where the flag is not given; a rule gets
    None for what was not given. ``completes`` is what there is already that the value names."""

    __slots__ = (
        "completes",
        "default",
        "example",
        "file",
        "file_flag",
        "flags",
        "help",
        "kind",
        "maximum",
        "minimum",
        "name",
        "names",
        "place",
        "required",
        "schema",
    )

    def __init__(
        self,
        name: str,
        kind: str,
        help: str,
        *,
        place: str = BODY,
        required: bool = False,
        names: tuple[str, ...] = (),
        flags: tuple[str, ...] = (),
        file: str = "",
        file_flag: str = "",
        minimum: int | None = None,
        maximum: int | None = None,
        schema: dict[str, Any] | None = None,
        example: Any = None,
        default: str | None = None,
        completes: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = help
        self.place = place
        self.required = required or place == PATH
        self.names = names or (name,)
        self.flags = flags or tuple(each.replace("_", "-") for each in self.names)
        self.file = file
        self.file_flag = file_flag or file.replace("_", "-")
        self.minimum = minimum
        self.maximum = maximum
        self.schema = schema or {}
        self.example = example
        self.default = default
        self.completes = completes

    def check(self, value: Any, field: str = "") -> Any:
        """The value as the rule takes it, or ``InvalidRequest`` that names the field by its path."""
        return _CHECKS[self.kind](self, value, field or self.names[0])

    def parse(self, text: str, field: str = "") -> Any:
        """The value out of a query's or a flag's text; lists and objects are JSON there."""
        field = field or self.names[0]
        if self.kind in _TEXT_KINDS:
            return self.check(text, field)
        if self.kind == BOOLEAN:
            return _parse_boolean(text, field)
        if self.kind == INTEGER:
            return self.check(_parse_integer(text, field), field)
        return self.check(parse_json(text, field), field)


def parse_json(text: str, field: str) -> Any:
    """Strict JSON (no duplicate names, no NaN, bounded depth and digits); ``InvalidRequest`` names the field and the place."""
    try:
        return strict_json(text)
    except ValueError as error:
        raise InvalidRequest(f"{field} is not JSON: {error}", "give JSON text, quoted for the shell") from None


def strict_json(text: str, depth: int = DEPTH) -> Any:
    """RFC 8259 and no more; ``ValueError`` says what is wrong and never quotes what stands in a string."""
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark")
    try:
        value = decode_json(text)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise ValueError("it is empty") from None
        raise ValueError(f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _too_deep(depth) from None
    # A cheap bound first: only a text with more opening brackets than that can be too deep.
    if text.count("[") + text.count("{") > depth and is_deeper(value, depth):
        raise _too_deep(depth)
    if "\\u" in text:
        _refuse_surrogates(value)
    return value


def is_deeper(value: Any, most: int) -> bool:
    """Than ``most`` levels of objects and lists. Level by level: neither recursion nor backtracking, whatever the input."""
    level = [value]
    for _ in range(most):
        level = [inner for each in level if isinstance(each, (dict, list)) for inner in (each.values() if isinstance(each, dict) else each)]
    return any(isinstance(each, (dict, list)) for each in level)


def _too_deep(most: int) -> ValueError:
    return ValueError(f"it is nested deeper than {most} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object holds the same name twice")
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > 1000:
        raise ValueError("a number has over 1,000 digits")
    return int(text)


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a string holds a lone surrogate") from None


# Strict but for depth and surrogates; ``ValueError``, ``RecursionError``.
decode_json = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_float, parse_int=_integer).decode


def _parse_boolean(text: str, field: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidRequest(f"{field} must be true or false")
    return text == "true"


def _parse_integer(text: str, field: str) -> int:
    digits = text[1:] if text.startswith("-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidRequest(f"{field} must be a whole number")
    # Longer numbers are beyond any limit; Python refuses to convert the longest.
    number = int(digits.lstrip("0")[:_MOST_DIGITS] or "0")
    return -number if text.startswith("-") else number


def _check_text(param: Param, value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"{field} must be a string")
    return value


def _check_integer(param: Param, value: Any, field: str) -> int:
    # JSON Schema, which we are described in, takes 90.0 for an integer.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(f"{field} must be a whole number")
    low, high = param.minimum, param.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidRequest(f"{field} must be " + (f"from {low} to {high}" if high is not None else f"at least {low}"))
    return value


def _check_boolean(param: Param, value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{field} must be true or false")
    return value


def _check_strings(param: Param, value: Any, field: str) -> list[str]:
    if not isinstance(value, list):
        raise InvalidRequest(f"{field} must be a list of strings")
    for at, item in enumerate(value):
        _check_text(param, item, f"{field}[{at}]")
    return value


def _check_mapping(param: Param, value: Any, field: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{field} must be an object of strings")
    for name, item in value.items():
        _check_text(param, item, f"{field}.{name}")
    return value


def _check_object(param: Param, value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{field} must be an object")
    if is_deeper(value, VALUE_DEPTH):
        raise InvalidRequest(f"{field} is nested deeper than {VALUE_DEPTH} levels", "it could not be restored from a backup")
    return value


def _check_document(param: Param, value: Any, field: str) -> Any:
    if not isinstance(value, (dict, list)):
        raise InvalidRequest(f"{field} must be an object or a list")
    return value


_CHECKS: dict[str, Callable[[Param, Any, str], Any]] = {
    **dict.fromkeys(_TEXT_KINDS, _check_text),
    INTEGER: _check_integer,
    BOOLEAN: _check_boolean,
    STRINGS: _check_strings,
    MAPPING: _check_mapping,
    OBJECT: _check_object,
    DOCUMENT: _check_document,
}
