"""What an operation answers, and what it can refuse with, for the OpenAPI document."""

from __future__ import annotations

from secure_mcp_gateway.api.shapes import answered, ref
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.params import PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.operations.operation import Operation
    from secure_mcp_gateway.params import Param

    Schema = dict[str, Any]

_JSON = "application/json"
_TIME: Schema = {"type": "string", "format": "date-time"}
_EXAMPLE_TIME = "2026-01-31T08:00:00.000000+00:00"

_NOT_JSON = "a body must be JSON; send it with Content-Type: application/json"
_INCIDENT = "an unexpected fault, incident 0123456789abcdef; the server's administrator finds it in the log under this id"
_WRITTEN_SINCE = "the store has generation 8 by now, If-Match names another; read again, then repeat the change"

# What any request with a key can be refused with: the status, the word of ``error``, what it means, and a ``detail`` of it.
_ALWAYS = (
    ("400", "invalid_request", "Malformed, or an input that breaks a rule", "email must be a string"),
    ("401", "unauthorized", "No valid key", "a key is needed; send it as Authorization: Bearer <key>"),
    (
        "403",
        "forbidden",
        "A valid key that may not do this, or a foreign Origin or Host",
        "this key is a user's: it may not do this; use an admin key",
    ),
    ("408", "timeout", "Not finished in time", "the request was not finished in time"),
    ("413", "too_large", "The body is too large", "the body is longer than 16777216 bytes"),
    ("414", "too_large", "The request line is too long", "the request line is longer than 8192 bytes"),
    ("415", "unsupported_media_type", "The body is not application/json", _NOT_JSON),
    ("417", "expectation_failed", "An expectation other than 100-continue", "the only expectation met here is 100-continue"),
    ("431", "too_large", "The headers are too large", "there are more than 64 header fields"),
    ("500", "internal_error", "A fault of ours, with an incident id", _INCIDENT),
    ("501", "not_implemented", "Another transfer coding than chunked", "the only transfer coding taken is chunked"),
    ("503", "unavailable", "The store is missing, damaged or busy", "the store is busy past its limit; try again"),
    ("505", "http_version", "Another version of HTTP", "only HTTP/1.1 and HTTP/1.0 are spoken here"),
)
_SOMETIMES = (
    ("404", "not_found", "A thing named is not there", "there is no config named 'staging'"),
    ("409", "conflict", "The name is taken, or the thing is in use", "the name 'research' is taken"),
    ("412", "precondition_failed", "If-Match names another generation", _WRITTEN_SINCE),
)
_STATUS_OF = {word: status for status, word, _, _ in _SOMETIMES}

ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "string",
            "description": "What kind of refusal it is, for programs.",
            "enum": list(dict.fromkeys(["method_not_allowed", *(word for _, word, _, _ in (*_ALWAYS, *_SOMETIMES))])),
        },
        "detail": {"type": "string", "description": "What is wrong and what to do, for people."},
        "timestamp": _TIME,
    },
    "required": ["error", "detail", "timestamp"],
    "additionalProperties": False,
}
HEADERS: Schema = {
    "Generation": {"description": "The generation of the store, for If-Match", "schema": {"type": "string"}, "example": '"7"'},
    "Total": {"description": "How many there are in all, whatever the page", "schema": {"type": "integer", "minimum": 0}, "example": 1},
}


def identifier(operation: Operation) -> str:
    return operation.name.replace(" ", "_").replace("-", "_")


def refusals() -> Schema:
    """The components that ``refusal`` refers to."""
    return {f"Refused{status}": _refused(word, meaning, detail) for status, word, meaning, detail in (*_ALWAYS, *_SOMETIMES)}


def refusal(status: str) -> Schema:
    return {"$ref": f"#/components/responses/Refused{status}"}


def _refused(word: str, meaning: str, detail: str) -> Schema:
    example = {"error": word, "detail": detail, "timestamp": _EXAMPLE_TIME}
    return {"description": meaning, "content": {_JSON: {"schema": ref("Error"), "example": example}}}


def responses(operation: Operation, example: Any) -> Schema:
    done = success(operation.message, operation.answer, example)
    tried = any(param.name == "dry_run" for param in operation.params)
    names = ("Generation", "Total") if operation.answer.startswith("[") else ("Generation",)
    headers = {"headers": {_FIELDS[name]: {"$ref": f"#/components/headers/{name}"} for name in names}}
    told = {**done, **headers} if tried or not operation.writes else done
    statuses = {"200": told} if operation.status({}) == 200 else {"201": {**done, **_links(operation)}}
    if tried:
        statuses["200"] = told
    codes = (*operation.errors, "precondition_failed") if operation.writes else operation.errors
    errors = {status for status, _, _, _ in _ALWAYS} | {_STATUS_OF[code] for code in codes if code in _STATUS_OF}
    return {**statuses, **{status: refusal(status) for status in sorted(errors)}}


_FIELDS = {"Generation": "ETag", "Total": "X-Total-Count"}


def success(message: str, answer: str, example: Any) -> Schema:
    properties = {"message": {"type": "string", "const": message}, "data": answered(answer), "timestamp": _TIME}
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"description": message, "content": {_JSON: {"schema": schema, "example": example}}}


def _links(maker: Operation) -> Schema:
    """To each operation that takes what this one makes by a field of the answer, and besides only what this one was given."""
    own = {param.name for param in maker.params if param.place == PATH}
    links: Schema = {}
    for operation in all_operations():
        path = [param for param in operation.params if param.place == PATH]
        made = {param.name: field for param in path if param.name not in own and (field := _made_field(maker, param))}
        if made and all(param.name in own or param.name in made for param in path):
            taken = {f"path.{param.name}": f"$request.path.{param.name}" for param in path if param.name in own}
            taken.update({f"path.{name}": f"$response.body#/data/{field}" for name, field in made.items()})
            links[identifier(operation)] = {"operationId": identifier(operation), "parameters": taken}
    return {"links": links} if links else {}


def _made_field(maker: Operation, param: Param) -> str:
    """The field of the answer that names what was made: its id first, for the plain field of a secret may be the secret."""
    names = [flag.replace("-", "_") for flag in param.flags]
    return next((name for name in (*(f"{name}_id" for name in names), *names) if name in maker.columns), "")
