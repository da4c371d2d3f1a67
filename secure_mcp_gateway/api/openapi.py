"""The table of operations as an OpenAPI 3.1 document."""

from __future__ import annotations

import json
import os
from itertools import combinations

from secure_mcp_gateway import __version__
from secure_mcp_gateway.api.answers import ERROR, HEADERS, identifier, refusal, refusals, responses, success
from secure_mcp_gateway.api.shapes import SHAPES
from secure_mcp_gateway.operations import sections
from secure_mcp_gateway.operations.operation import ADMIN, CREATE, LOOK, READ, RECORD, REPLACE, SETTLE, WRITE
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
    DOCUMENT: {"type": ["object", "array"], "items": {}},
}
# Of a target: an encoded NUL is refused wherever it stands.
_WITHOUT_NUL = r"^[^\u0000]*$"
_IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": 'The ETag of a read, such as `"7"`: the write is done only if nothing was written since. `*` and lists are taken too.',
    "schema": {"type": "string", "examples": ["*"]},
}
_EFFECTS = {
    READ: "",
    LOOK: "",
    RECORD: "It changes nothing, and leaves a line in the audit.",
    WRITE: "",
    CREATE: "",
    REPLACE: "A backup of the store is made first.",
    SETTLE: "Where nothing differs nothing is written; a backup of the store is made first, unless it only adds.",
}
_ABOUT = (
    "Everything that the gateway's administration does, over HTTP and in JSON. Requests carry `Authorization: Bearer KEY`. "
    "Answers are `{message, data, timestamp}`, refusals `{error, detail, timestamp}`. Lists are paged with `limit` and `offset`; "
    "reads and dry runs answer the store's generation as `ETag`, for the `If-Match` of writes."
)


def openapi_document() -> Schema:
    examples = recorded()
    paths: dict[str, Schema] = {}
    tags: dict[str, Schema] = {}
    for name, description, rows in sections():
        tags.setdefault(name, {"name": name, "description": description})
        for operation in rows:
            described = _described(operation, name, examples.get(operation.name, {}))
            paths.setdefault(operation.path, {})[operation.method.lower()] = described
    paths["/health"] = {"get": _health(examples.get("health", {}))}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Secure MCP Gateway management API",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": list(tags.values()),
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "An admin key, or a user's API key."}},
            "schemas": {"Error": ERROR, **SHAPES},
            "headers": HEADERS,
            "responses": refusals(),
        },
    }


def recorded() -> dict[str, Schema]:
    """By operation what was really asked and answered: ``path``, ``query``, ``body``, ``answer``. The tests record it."""
    with open(os.path.join(os.path.dirname(__file__), "examples.json"), encoding="utf-8") as file:
        examples: dict[str, Schema] = json.load(file)
        return examples


def _described(operation: Operation, tag: str, example: Schema) -> Schema:
    given = {**example.get("path", {}), **example.get("query", {})}
    described: Schema = {
        "operationId": identifier(operation),
        "summary": operation.summary,
        "description": _description(operation),
        "tags": [tag],
        "parameters": [_parameter(param, given) for param in operation.params if param.place in (PATH, QUERY, BODY_OR_QUERY)],
        "responses": responses(operation, example.get("answer")),
    }
    if operation.writes:
        described["parameters"].append(_IF_MATCH)
    if operation.effect == REPLACE:
        described["x-replaces-everything"] = True
    if operation.effect == SETTLE:
        described["x-settles-what-differs"] = True
    body = [param for param in operation.params if param.place in (BODY, BODY_OR_QUERY)]
    if body:
        described["requestBody"] = _request_body(operation, body, example.get("body", {}))
    return described


def _description(operation: Operation) -> str:
    also = "" if operation.access == ADMIN else ", and a user's API key for what is its own"
    return f"An admin key may do this{also}. {_EFFECTS[operation.effect]}".rstrip()


def _parameter(param: Param, given: Schema) -> Schema:
    where = "path" if param.place == PATH else "query"
    schema = _schema(param)
    if schema["type"] == "string" and "format" not in schema:
        schema = {"pattern": _WITHOUT_NUL, **schema}
    described = {"name": param.name, "in": where, "required": param.place == PATH, "description": param.help, "schema": schema}
    return {**described, "example": given[param.name]} if param.name in given else described


def _schema(param: Param) -> Schema:
    schema = {**_SCHEMAS[param.kind], **param.schema}
    if param.minimum is not None:
        schema["minimum"] = param.minimum
    if param.maximum is not None:
        schema["maximum"] = param.maximum
    if param.example is not None:
        schema["examples"] = [param.example]
    return schema


def _request_body(operation: Operation, params: list[Param], example: Schema) -> Schema:
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
    return {"required": required, "content": {"application/json": {"schema": whole, "example": example}}}


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


def _health(example: Schema) -> Schema:
    return {
        "operationId": "health",
        "summary": "Is the server up and its store readable?",
        "description": "Needs no key.",
        "tags": ["System"],
        "security": [],
        "responses": {"200": success("Healthy", "Alive", example.get("answer")), "503": refusal("503")},
    }
