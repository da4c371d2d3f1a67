from __future__ import annotations

import json
import unittest
from typing import Any

from secure_mcp_gateway.examples.echo_server import MAX_BATCH, MAX_DIGITS, REVISIONS, Session


def request(method: str, params: Any = None, request_id: Any = 1) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": request_id, "method": method}
    return message if params is None else {**message, "params": params}


def hello(revision: str) -> dict[str, Any]:
    return request("initialize", {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}})


class EchoServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.session = Session()

    def start(self, revision: str) -> None:
        self.session = Session()
        self.assertEqual(self.send(hello(revision))["result"]["protocolVersion"], revision)

    def send(self, message: Any) -> Any:
        return self.send_line(json.dumps(message).encode())

    def send_line(self, line: bytes) -> Any:
        answer = self.session.receive(line + b"\n")
        self.assertEqual(answer.count(b"\n"), 1 if answer else 0)
        return json.loads(answer) if answer else None

    def call(self, name: str, arguments: Any) -> Any:
        return self.send(request("tools/call", {"name": name, "arguments": arguments}))

    def assert_refused(self, answer: Any, code: int, request_id: Any = 1) -> None:
        self.assertEqual((answer["error"]["code"], answer.get("id")), (code, request_id), answer)
        self.assertNotIn("result", answer)


class Initialization(EchoServerTest):
    def test_each_known_revision_is_answered_with_itself(self) -> None:
        for revision in REVISIONS:
            self.start(revision)

    def test_an_unknown_revision_is_answered_with_the_latest_one(self) -> None:
        for revision in ("2023-01-01", "2026-07-28", "", "latest"):
            self.session = Session()
            self.assertEqual(self.send(hello(revision))["result"]["protocolVersion"], "2025-11-25")

    def test_the_server_names_itself_and_its_tools_capability(self) -> None:
        result = self.send(hello("2024-11-05"))["result"]
        self.assertEqual(result["capabilities"], {"tools": {}})
        self.assertEqual(set(result["serverInfo"]), {"name", "version"})

    def test_later_revisions_learn_the_servers_title_and_description(self) -> None:
        self.assertIn("title", self.send(hello("2025-06-18"))["result"]["serverInfo"])
        self.session = Session()
        self.assertIn("description", self.send(hello("2025-11-25"))["result"]["serverInfo"])

    def test_a_request_before_initialize_is_refused(self) -> None:
        self.assert_refused(self.send(request("tools/list")), -32600)
        self.assert_refused(self.call("echo", {"text": "hi"}), -32600)

    def test_ping_is_answered_before_initialize(self) -> None:
        self.assertEqual(self.send(request("ping")), {"jsonrpc": "2.0", "id": 1, "result": {}})

    def test_an_unknown_method_before_initialize_is_unknown_all_the_same(self) -> None:
        self.assert_refused(self.send(request("server/discover")), -32601)

    def test_a_second_initialize_is_refused(self) -> None:
        self.start("2025-06-18")
        self.assert_refused(self.send(hello("2025-03-26")), -32600)
        self.assertEqual(self.session.revision, "2025-06-18")

    def test_initialize_without_what_the_schema_requires_is_refused(self) -> None:
        for name in ("protocolVersion", "capabilities", "clientInfo"):
            message = hello("2025-11-25")
            del message["params"][name]
            self.assert_refused(self.send(message), -32602)
        self.assertEqual(self.session.revision, "")


class Messages(EchoServerTest):
    def setUp(self) -> None:
        self.start("2025-06-18")

    def test_ids_come_back_as_they_were(self) -> None:
        for request_id in ("a", "", "7", 0, -3, 2**70):
            self.assertEqual(self.send(request("ping", request_id=request_id))["id"], request_id)

    def test_ids_that_are_neither_string_nor_integer_are_refused(self) -> None:
        refused: tuple[Any, ...] = (None, 1.5, True, [], {})
        for request_id in refused:
            self.assert_refused(self.send(request("ping", request_id=request_id)), -32600, None)

    def test_notifications_are_never_answered(self) -> None:
        for method in ("notifications/initialized", "notifications/cancelled", "notifications/unknown", "tools/list", "initialize"):
            self.assertIsNone(self.send({"jsonrpc": "2.0", "method": method}))
        self.assertIsNone(self.send({"jsonrpc": "2.0", "method": "ping", "params": "wrong"}))

    def test_answers_to_requests_never_sent_are_ignored(self) -> None:
        self.assertIsNone(self.send({"jsonrpc": "2.0", "id": 1, "result": {}}))
        self.assertIsNone(self.send({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}}))

    def test_blank_lines_are_ignored(self) -> None:
        self.assertIsNone(self.send_line(b""))
        self.assertIsNone(self.send_line(b" \r"))

    def test_what_is_not_json_is_a_parse_error(self) -> None:
        deep = b"[" * 100_000
        digits = b'{"jsonrpc":"2.0","method":"ping","id":' + b"1" * (MAX_DIGITS + 1) + b"}"
        for line in (b"{", b"hello", b'{"id": NaN}', b'{"id": -Infinity}', b"{'id': 1}", b"\xef\xbb\xbf{}", b"{}{}", deep, digits):
            self.assert_refused(self.send_line(line), -32700, None)

    def test_invalid_utf8_is_a_parse_error(self) -> None:
        for line in (b"\xff\xfe", b'{"jsonrpc":"2.0","id":1,"method":"\xc3"}', b'"\xed\xa0\x80"'):
            self.assert_refused(self.send_line(line), -32700, None)

    def test_json_that_is_no_request_is_invalid(self) -> None:
        for message in (1, "ping", None, True, {}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "method": 1}):
            self.assert_refused(self.send(message), -32600, None)

    def test_a_faulty_request_with_an_id_is_refused_under_that_id(self) -> None:
        self.assert_refused(self.send({"id": 1, "method": "ping"}), -32600)
        self.assert_refused(self.send({"jsonrpc": "1.0", "id": 1, "method": "ping"}), -32600)
        self.assert_refused(self.send({"jsonrpc": "2.0", "id": 1, "method": None}), -32600)
        self.assert_refused(self.send({"jsonrpc": "2.0", "id": 1}), -32600)

    def test_params_that_are_no_object_are_refused(self) -> None:
        self.assert_refused(self.send(request("ping", [])), -32602)
        self.assert_refused(self.send(request("ping", "now")), -32600)

    def test_an_unknown_method_is_not_found(self) -> None:
        for method in ("tools/unknown", "resources/list", "", "__class__"):
            self.assert_refused(self.send(request(method)), -32601)

    def test_until_2025_06_18_an_unreadable_id_is_answered_with_null(self) -> None:
        for revision in REVISIONS[:3]:
            self.start(revision)
            self.assertIsNone(self.send_line(b"{")["id"])

    def test_since_2025_11_25_an_unreadable_id_is_left_out(self) -> None:
        self.start("2025-11-25")
        self.assertNotIn("id", self.send_line(b"{"))


class Batches(EchoServerTest):
    def test_a_batch_is_answered_as_one_list_without_its_notifications(self) -> None:
        self.start("2025-03-26")
        answer = self.send([request("ping", request_id=1), {"jsonrpc": "2.0", "method": "x"}, 5, request("nope", request_id="b")])
        self.assertEqual([(one["id"], one.get("error", {}).get("code")) for one in answer], [(1, None), (None, -32600), ("b", -32601)])

    def test_a_batch_of_notifications_is_not_answered(self) -> None:
        self.start("2025-03-26")
        self.assertIsNone(self.send([{"jsonrpc": "2.0", "method": "notifications/initialized"}]))

    def test_an_empty_batch_and_an_endless_one_are_refused_as_a_whole(self) -> None:
        self.start("2025-03-26")
        self.assert_refused(self.send([]), -32600, None)
        self.assert_refused(self.send([1] * (MAX_BATCH + 1)), -32600, None)
        self.assertEqual(len(self.send([1] * MAX_BATCH)), MAX_BATCH)

    def test_other_revisions_refuse_batches(self) -> None:
        for revision in ("2024-11-05", "2025-06-18", "2025-11-25"):
            self.start(revision)
            self.assert_refused(self.send([request("ping")]), -32600, None)

    def test_initialize_cannot_be_in_a_batch(self) -> None:
        self.assert_refused(self.send([hello("2025-03-26")]), -32600, None)
        self.assertEqual(self.session.revision, "")


class Listing(EchoServerTest):
    def tools(self, revision: str) -> dict[str, Any]:
        self.start(revision)
        return {tool["name"]: tool for tool in self.send(request("tools/list"))["result"]["tools"]}

    def test_each_revision_sees_the_fields_it_knows(self) -> None:
        fields = {"name", "description", "inputSchema"}
        self.assertEqual(set(self.tools("2024-11-05")["echo"]), fields)
        self.assertEqual(set(self.tools("2025-03-26")["echo"]), fields | {"annotations"})
        for revision in ("2025-06-18", "2025-11-25"):
            self.assertEqual(set(self.tools(revision)["echo"]), fields | {"annotations", "title", "outputSchema"})

    def test_every_tool_says_that_it_changes_nothing(self) -> None:
        tools = self.tools("2025-11-25")
        self.assertEqual(set(tools), {"echo", "reverse", "add"})
        for tool in tools.values():
            self.assertIs(tool["annotations"]["readOnlyHint"], True)

    def test_the_schema_requires_every_argument_and_allows_no_other(self) -> None:
        schema = self.tools("2025-11-25")["add"]["inputSchema"]
        self.assertEqual((schema["type"], schema["required"], schema["additionalProperties"]), ("object", ["a", "b"], False))

    def test_there_is_no_second_page(self) -> None:
        self.start("2025-11-25")
        self.assert_refused(self.send(request("tools/list", {"cursor": "next"})), -32602)


class Calling(EchoServerTest):
    def text(self, answer: Any) -> str:
        (content,) = answer["result"]["content"]
        return str(content["text"])

    def test_echo_returns_its_text(self) -> None:
        for revision in REVISIONS:
            self.start(revision)
            for text in ("hello", "", "äöü 漢字 🙂", "line\nline\r\u2028\x00", "\ud800"):
                answer = self.call("echo", {"text": text})
                self.assertEqual((self.text(answer), answer["result"]["isError"]), (text, False))

    def test_structured_content_comes_with_2025_06_18(self) -> None:
        for revision, there in zip(REVISIONS, (False, False, True, True)):
            self.start(revision)
            result = self.call("add", {"a": 2, "b": 3})["result"]
            self.assertEqual(result.get("structuredContent"), {"sum": 5} if there else None)

    def test_reverse_and_add_do_what_they_say(self) -> None:
        self.start("2025-11-25")
        self.assertEqual(self.text(self.call("reverse", {"text": "a🙂c"})), "c🙂a")
        self.assertEqual(self.text(self.call("add", {"a": 0.5, "b": -2})), "-1.5")

    def test_a_sum_that_json_cannot_say_is_a_failure_of_the_tool(self) -> None:
        for revision in REVISIONS:
            self.start(revision)
            for a, b in ((1e308, 1e308), (10**400, 1), (10**400, 0.5)):
                self.assertIs(self.call("add", {"a": a, "b": b})["result"]["isError"], True)

    def test_an_infinite_argument_is_a_failure_of_the_tool(self) -> None:
        self.start("2025-11-25")
        line = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1e999,"b":1}}}'
        self.assertIs(self.send_line(line)["result"]["isError"], True)

    def test_an_unknown_tool_is_refused(self) -> None:
        for revision in REVISIONS:
            self.start(revision)
            self.assert_refused(self.call("Echo", {"text": "hi"}), -32602)

    def test_a_call_that_is_no_call_is_refused(self) -> None:
        for revision in REVISIONS:
            self.start(revision)
            for params in ({}, {"name": 1}, {"name": "echo", "arguments": []}, {"name": "echo", "arguments": None}):
                self.assert_refused(self.send(request("tools/call", params)), -32602)

    def test_until_2025_06_18_wrong_arguments_are_a_protocol_error(self) -> None:
        for revision in REVISIONS[:3]:
            self.start(revision)
            for arguments in ({}, {"text": 1}, {"text": None}, {"text": "hi", "more": 1}):
                self.assert_refused(self.call("echo", arguments), -32602)

    def test_since_2025_11_25_wrong_arguments_are_a_failure_that_the_model_can_read(self) -> None:
        self.start("2025-11-25")
        cases: list[tuple[str, dict[str, Any], str]] = [
            ("echo", {}, "text is missing: give a string"),
            ("echo", {"text": 1}, "text must be a string"),
            ("add", {"a": True, "b": 1}, "a must be a number"),
            ("echo", {"text": "hi", "more": 1}, "'more' is no argument of echo: it takes text"),
        ]
        for name, arguments, problem in cases:
            answer = self.call(name, arguments)
            self.assertEqual((self.text(answer), answer["result"]["isError"]), (problem, True))

    def test_arguments_may_be_left_out_where_the_revision_says_what_is_missing(self) -> None:
        self.start("2025-11-25")
        self.assertIn("missing", self.text(self.send(request("tools/call", {"name": "echo"}))))
