"""What the API's description asks for is what the rules refuse without: judged by both, for the same values."""

from __future__ import annotations

import json
import re
import unittest
from typing import Any

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.api.openapi import openapi_document
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.operation import Operation
from tests import team
from tests.operation_cases import CASES, NOWHERE
from tests.support import FolderCase
from tests.surfaces import request_of, send

Schema = dict[str, Any]

# What goes with a command or with a URL alone, which no schema says.
_PARTS = ("args", "env", "headers")

_SERVERS = "/api/v1/configs/alpha/servers"
_NEW_SERVER: Schema = {"server_name": "third", "server_command": "run"}
_REMOTE: Schema = {"server_name": "third", "server_url": "https://a.example.com"}
_POLICY: Schema = {"enabled": True, "policy_name": None, "block": ["pii"], "additional_config": {}, "kept": 1}
# Of a field: the request that it stands in, values that both take, and values that both refuse.
FIELDS: list[tuple[str, str, str, Schema, tuple[Any, ...], tuple[Any, ...]]] = [
    ("POST", "/api/v1/system/reset", "confirm", {}, (True,), (False, None, 1, "true")),
    ("POST", _SERVERS, "server_name", _NEW_SERVER, ("files", "0-._"), ("", "-a", "a b", "a" * 65, "é", None)),
    ("POST", _SERVERS, "server_command", _NEW_SERVER, ("run", " a b ", "é"), ("", " ", "\u3000", "a\nb", "a\x85", "\x1f", None, 1)),
    (
        "POST",
        _SERVERS,
        "server_url",
        _REMOTE,
        ("http://a", "HTTPS://a:80/b?c#d", "http://[::1]/"),
        ("", "http:", "http://", "ftp://a", "http:///a", "http://a b", "http://a\n", "x http://a", "http://?a"),
    ),
    ("POST", _SERVERS, "args", _NEW_SERVER, ([], ["", "\n"], None), (["\x00"], [1], [None], "a", {})),
    ("POST", _SERVERS, "env", _NEW_SERVER, ({}, {"A\n": "\n"}, None), ({"": "a"}, {"A=": "a"}, {"A\x00": ""}, {"A": "\x00"}, {"A": 1}, [])),
    (
        "POST",
        _SERVERS,
        "headers",
        _REMOTE,
        ({}, {"^X-!`|~": "é\t", "Y": ""}, None),
        ({"": ""}, {"a b": ""}, {"é": ""}, {"A": "\r"}, {"A": "b\n"}, {"A": "\x00"}, {"A": None}),
    ),
    ("POST", _SERVERS, "denied_tools", _NEW_SERVER, ([], ["a"], None), ([1], "a", {})),
    (
        "POST",
        _SERVERS,
        "tools",
        _NEW_SERVER,
        ({}, {"": ""}, {"a": {}}, {"a": {"enabled": False, "b": []}}, None),
        ([], {"a": None}, {"a": {"enabled": None}}, {"a": {"enabled": 1}}, {"a": True}),
    ),
    (
        "PUT",
        f"{_SERVERS}/local/guardrails",
        "input_policy",
        {},
        ({"enabled": False}, _POLICY),
        (
            {},
            {"enabled": None},
            {"enabled": True, "block": [1]},
            {"enabled": 1},
            {**_POLICY, "policy_name": 1},
            {**_POLICY, "additional_config": []},
        ),
    ),
    ("PUT", "/api/v1/settings/telemetry", "url", {}, ("http://localhost:4317",), ("localhost:4317", "", 1)),
    ("PUT", "/api/v1/settings/enkrypt-api-key", "api_key", {}, ("ek-1", "!~"), ("", "a b", "é", "a\n", "\x7f")),
    (
        "POST",
        "/api/v1/projects",
        "project_name",
        {},
        ("a", "team é", "两 of", "...", NOWHERE + "0"),
        ("", " a", "a ", "a\nb", "a\x85", "\u3000a", ".", "..", NOWHERE.upper()),
    ),
    ("POST", "/api/v1/users", "email", {}, ("a.b+c@x.y.z",), ("a", "a@b", "@b.c", "a@b@c.d", "a b@c.d", "a@.c", "a@b.", "a\x00@b.c")),
    ("POST", "/api/v1/users/search", "search_term", {}, ("a", "\x00"), ("", None)),
]


def judge(schema: Schema, value: Any) -> bool:
    """Does it fit? Of JSON Schema what our document uses for bodies, as Python's patterns have it."""
    types = schema.get("type", [])
    if types and not any(_is(each, value) for each in ([types] if isinstance(types, str) else types)):
        return False
    if not _judge_choices(schema, value):
        return False
    if isinstance(value, str):
        return _judge_text(schema, value)
    if isinstance(value, list):
        return all(judge(schema.get("items", {}), each) for each in value)
    return not isinstance(value, dict) or _judge_fields(schema, value)


def _judge_text(schema: Schema, text: str) -> bool:
    # Python's $ also stands before a last line break.
    pattern = re.sub(r"\$\Z", r"\\Z", schema.get("pattern", ""))
    return schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)) and re.search(pattern, text) is not None


def _judge_fields(schema: Schema, value: Schema) -> bool:
    known, further = schema.get("properties", {}), schema.get("additionalProperties", {})
    return (
        all(name in value for name in schema.get("required", ()))
        and all(judge(schema.get("propertyNames", {}), name) for name in value)
        and all(name in known or further is not False for name in value)
        and all(judge(known.get(name, further or {}), each) for name, each in value.items())
    )


def _judge_choices(schema: Schema, value: Any) -> bool:
    return (
        ("const" not in schema or value is schema["const"])
        and all(judge(each, value) for each in schema.get("allOf", ()))
        and ("oneOf" not in schema or sum(judge(each, value) for each in schema["oneOf"]) == 1)
        and ("anyOf" not in schema or any(judge(each, value) for each in schema["anyOf"]))
        and not ("not" in schema and judge(schema["not"], value))
    )


def _is(kind: str, value: Any) -> bool:
    kinds: dict[str, Any] = {"string": str, "array": list, "object": dict, "null": type(None), "boolean": bool, "integer": int}
    return isinstance(value, kinds[kind]) and (kind == "boolean" or not isinstance(value, bool))


class Described(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.app = ManagementApp(team.make_team(self.folder))
        self.paths = openapi_document()["paths"]

    def schema(self, operation: Operation) -> Schema:
        content: Schema = self.paths[operation.path][operation.method.lower()]["requestBody"]["content"]
        return dict(content["application/json"]["schema"])

    def agree(self, operation: Operation, path: str, body: Schema, fits: bool) -> None:
        """The description and the rule, that the body is fine or that it is not."""
        self.assertEqual(judge(self.schema(operation), body), fits, (operation.name, body))
        response = send(self.app, operation.method, path, body)
        self.assertEqual(response.status == 400, not fits, (operation.name, body, response.body))
        self.assertLess(response.status, 500)

    def test_a_value_that_does_not_fit_is_refused_and_one_that_does_is_taken(self) -> None:
        for method, path, field, rest, fine, wrong in FIELDS:
            operation = next(row for row in all_operations() if row.method == method and re.fullmatch(_matching(row.path), path))
            for value in fine:
                self.agree(operation, path, {**rest, field: value}, True)
            for value in wrong:
                self.agree(operation, path, {**rest, field: value}, False)

    def test_at_least_one_is_asked_for_where_a_row_says_so_and_null_is_none(self) -> None:
        rows = [row for row in all_operations() if row.any_of]
        self.assertGreater(len(rows), 4)
        for operation in rows:
            path, body = self.example(operation)
            names = [name for param in operation.any_of for name in (*param.names, param.file) if name]
            without = {name: value for name, value in body.items() if name not in (*names, *_PARTS)}
            self.agree(operation, path, without, False)
            self.agree(operation, path, {**without, **dict.fromkeys(names)}, False)
            for param in operation.any_of:
                self.agree(operation, path, {**without, param.names[0]: param.example}, True)

    def test_no_two_are_let_through_that_exclude_each_other_and_null_is_none(self) -> None:
        rows = [row for row in all_operations() if row.exclusive]
        self.assertGreater(len(rows), 1)
        for operation in rows:
            path, body = self.example(operation)
            self.assertEqual(len(operation.exclusive), 2)
            one, other = operation.exclusive
            without = {name: value for name, value in body.items() if name not in _PARTS}
            self.agree(operation, path, {**without, one.name: one.example, other.name: other.example}, False)
            self.agree(operation, path, {**without, one.name: one.example, other.name: None}, True)
            self.agree(operation, path, {**without, one.name: None, other.name: other.example}, True)

    def example(self, operation: Operation) -> tuple[str, Schema]:
        _, path, body = request_of(operation, CASES[operation.name][0][0])
        return path, body or {}

    def test_a_file_may_be_named_in_the_place_of_a_policy(self) -> None:
        operation = next(row for row in all_operations() if row.name == "config update-server-guardrails")
        for name in ("input_policy_file", "output_policy_file"):
            self.assertTrue(judge(self.schema(operation), {name: "policy.json"}))

    def test_a_body_is_required_where_something_in_it_is(self) -> None:
        for operation in all_operations():
            described = self.paths[operation.path][operation.method.lower()].get("requestBody")
            if described is not None:
                asked = any(param.required for param in operation.params if param.place == "body") or bool(operation.any_of)
                self.assertEqual(described["required"], asked, operation.name)

    def test_a_target_holds_no_nul_wherever_text_stands_in_it(self) -> None:
        seen = 0
        for operation in all_operations():
            for param in self.paths[operation.path][operation.method.lower()]["parameters"]:
                schema = param["schema"]
                if param["in"] != "header" and schema["type"] == "string" and "format" not in schema:
                    seen += 1
                    self.assertFalse(judge(schema, "a\x00b"), (operation.name, param))
        self.assertGreater(seen, 40)
        with self.assertRaises(InvalidRequest):
            send(self.app, "GET", "/api/v1/system/audit?actor=a%00b")

    def test_what_takes_the_place_of_much_says_so_for_those_who_ask_before_it(self) -> None:
        rows = [row for methods in openapi_document()["paths"].values() for row in methods.values()]
        for mark, ids in (("x-replaces-everything", ["system_restore", "system_reset"]), ("x-settles-what-differs", ["apply"])):
            self.assertEqual([row["operationId"] for row in rows if row.get(mark)], ids)

    def test_the_document_is_plain_json(self) -> None:
        document = openapi_document()
        self.assertEqual(json.loads(json.dumps(document, allow_nan=False)), document)


def _matching(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", path)


if __name__ == "__main__":
    unittest.main()
