"""The table of operations as an OpenAPI 3.1 document."""

from __future__ import annotations

from itertools import combinations

from secure_mcp_gateway import __version__
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.params import (
    BODY,
    BODY_OR_QUERY,
    BOOLEAN,
    DOCUMENT,
    FILE,
    INTEGER,
    MAPPING,
    NAME,
    OBJECT,
    PATH,
    QUERY,
    SECRET,
    STRING,
    STRINGS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.operations.operation import Operation
    from secure_mcp_gateway.params import Param

    Schema = dict[str, Any]

# What any request with a key can be answered, with the words of each status.
_COMMON = {
    "400": "Malformed, or an input that breaks a rule",
    "401": "No valid key",
    "403": "A valid key that may not do this, or a foreign Origin or Host",
    "408": "Not finished in time",
    "413": "The body is too large",
    "414": "The request line is too long",
    "415": "The body is not application/json",
    "417": "An expectation other than 100-continue",
    "431": "The headers are too large",
    "500": "A fault of ours, with an incident id",
    "501": "Another transfer coding than chunked",
    "503": "The store is missing, damaged or busy",
    "505": "Another version of HTTP",
}
_BY_CODE = {
    "not_found": ("404", "A thing named is not there"),
    "conflict": ("409", "The name is taken, or the thing is in use"),
    "precondition_failed": ("412", "If-Match names another generation"),
}
_SCHEMAS: dict[str, Schema] = {
    NAME: {"type": "string"},
    STRING: {"type": "string"},
    FILE: {"type": "string"},
    SECRET: {"type": "string", "format": "password"},
    INTEGER: {"type": "integer"},
    BOOLEAN: {"type": "boolean"},
    STRINGS: {"type": "array", "items": {"type": "string"}},
    MAPPING: {"type": "object", "additionalProperties": {"type": "string"}},
    OBJECT: {"type": "object"},
    DOCUMENT: {"type": ["object", "array"]},
}
_TIME: Schema = {"type": "string", "format": "date-time"}
# Of a target: an encoded NUL is refused wherever it stands.
_WITHOUT_NUL = r"^[^\u0000]*$"


def openapi_document() -> Schema:
    paths: dict[str, Schema] = {}
    for operation in all_operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    paths["/health"] = {"get": _health()}
    tags = sorted({_tag(operation) for operation in all_operations()})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Secure MCP Gateway management API", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _error_schema()},
        },
    }


def _described(operation: Operation) -> Schema:
    described: Schema = {
        "operationId": _identifier(operation),
        "summary": operation.summary,
        "tags": [_tag(operation)],
        "parameters": [_parameter(param) for param in operation.params if param.place in (PATH, QUERY, BODY_OR_QUERY)],
        "responses": _responses(operation),
    }
    if operation.writes:
        schema = {"type": "string", "examples": ["*"]}
        described["parameters"].append({"name": "If-Match", "in": "header", "required": False, "schema": schema})
    body = [param for param in operation.params if param.place in (BODY, BODY_OR_QUERY)]
    if body:
        described["requestBody"] = _request_body(operation, body)
    return described


def _identifier(operation: Operation) -> str:
    return operation.name.replace(" ", "_").replace("-", "_")


def _tag(operation: Operation) -> str:
    return operation.path.split("/")[3]


def _parameter(param: Param) -> Schema:
    where = "path" if param.place == PATH else "query"
    schema = _schema(param)
    if schema["type"] == "string" and "format" not in schema:
        schema = {"pattern": _WITHOUT_NUL, **schema}
    return {"name": param.name, "in": where, "required": param.place == PATH, "description": param.help, "schema": schema}


def _schema(param: Param) -> Schema:
    schema = {**_SCHEMAS[param.kind], **param.schema}
    if param.minimum is not None:
        schema["minimum"] = param.minimum
    if param.maximum is not None:
        schema["maximum"] = param.maximum
    if param.example is not None:
        schema["examples"] = [param.example]
    return schema


def _request_body(operation: Operation, params: list[Param]) -> Schema:
    demands = _demands(operation, params)
    always = {name for demand in demands for name in demand.get("required", ())}
    properties: dict[str, Schema] = {}
    for param in params:
        for name in param.names:
            schema = {**_schema(param), "description": param.help}
            properties[name] = schema if name in always else _nullable(schema)
        if param.file:
            what = f"A JSON file on the server's machine that holds {param.names[0]}"
            properties[param.file] = _nullable({"type": "string", "description": what})
    whole: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if demands:
        whole["allOf"] = demands
    required = any("not" not in demand for demand in demands)
    return {"required": required, "content": {"application/json": {"schema": whole}}}


def _demands(operation: Operation, params: list[Param]) -> list[Schema]:
    """What must be given: one of a param's names and no other of them, or a file instead, which a name beside it outdoes; then
    what the row asks for."""
    demands = [_one_of(_fields(param), "anyOf" if param.file else "oneOf") for param in params if param.required]
    any_of, exclusive = ([name for param in group for name in _fields(param)] for group in (operation.any_of, operation.exclusive))
    if any_of:
        demands.append(_one_of(any_of, "oneOf" if any_of == exclusive else "anyOf"))
    if exclusive and any_of != exclusive:
        demands += [{"not": {"allOf": [_given(name) for name in pair]}} for pair in combinations(exclusive, 2)]
    return demands


def _fields(param: Param) -> list[str]:
    return [name for name in (*param.names, param.file) if name]


def _one_of(names: list[str], how: str) -> Schema:
    return {"required": names} if len(names) == 1 else {how: [_given(name) for name in names]}


def _given(name: str) -> Schema:
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _nullable(schema: Schema) -> Schema:
    """In a body ``null`` means not given, where something may be left out."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*types, "null"]}


def _responses(operation: Operation) -> Schema:
    success = {"description": operation.message, "content": {"application/json": {"schema": _envelope(operation)}}}
    if not operation.writes:
        success["headers"] = {"ETag": {"description": "The generation of the store", "schema": {"type": "string"}}}
    statuses = {"200": success} if operation.status({}) == 200 else {"201": {**success, **_links(operation)}}
    if any(param.name == "dry_run" for param in operation.params):
        statuses["200"] = success
    errors = dict(_COMMON)
    errors.update(_BY_CODE[code] for code in operation.errors if code in _BY_CODE)
    if operation.writes:
        errors.update([_BY_CODE["precondition_failed"]])
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {**statuses, **{status: {"description": errors[status], "content": content} for status in sorted(errors)}}


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
            links[_identifier(operation)] = {"operationId": _identifier(operation), "parameters": taken}
    return {"links": links} if links else {}


def _made_field(maker: Operation, param: Param) -> str:
    """The field of the answer that names what was made: its id first, for the plain field of a secret may be the secret."""
    names = [flag.replace("-", "_") for flag in param.flags]
    return next((name for name in (*(f"{name}_id" for name in names), *names) if name in maker.columns), "")


def _envelope(operation: Operation) -> Schema:
    properties = {"message": {"const": operation.message}, "data": {}, "timestamp": _TIME}
    return {"type": "object", "properties": properties, "required": ["message", "data", "timestamp"], "additionalProperties": False}


def _error_schema() -> Schema:
    text = {"type": "string"}
    properties = {"error": text, "detail": text, "timestamp": _TIME}
    return {"type": "object", "properties": properties, "required": ["error", "detail", "timestamp"], "additionalProperties": False}


def _health() -> Schema:
    schema: Schema = {"type": "object", "required": ["message", "data", "timestamp"]}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        "operationId": "health",
        "summary": "Is the server up and its store readable?",
        "tags": ["system"],
        "security": [],
        "responses": {
            "200": {"description": "Healthy", "content": {"application/json": {"schema": schema}}},
            "503": {"description": "The store cannot be read", "content": error},
        },
    }
