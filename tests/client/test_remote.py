"""What a server answers becomes what the rule would have returned or raised here; what is no answer of one is told as such."""

from __future__ import annotations

import unittest
from typing import Any

from secure_mcp_gateway import __version__, errors
from secure_mcp_gateway.client.remote import _KINDS
from secure_mcp_gateway.errors import Conflict, InvalidRequest, NotFound, OutcomeUnknown, Unauthorized, Unavailable
from secure_mcp_gateway.params import DOCUMENT_DEPTH
from tests.client.stub import ADD, HTML, LIST, PAGE, ROWS, StubCase, http, refusal, success

OLD = "0.9.7"
EMPTY = success([], "X-Total-Count: 0")


def health(version: str = __version__) -> bytes:
    return success({"status": "ok", "version": version})


class Requests(StubCase):
    def asked(self, name: str, **values: Any) -> bytes:
        """The request line and the body."""
        stub = self.stub(success({}))
        self.performed(stub.url, ROWS[name], values)
        head, _, body = stub.heard[0].partition(b"\r\n\r\n")
        return head.partition(b" HTTP/1.1\r\n")[0] + b" " + body

    def test_a_name_stands_in_the_path_whatever_it_holds(self) -> None:
        for name, segment in (("a/b c?d#e", "a%2Fb%20c%3Fd%23e"), ("ä%", "%C3%A4%25"), ("..", "%2E%2E"), (".", "%2E"), ("a.b", "a.b")):
            self.assertEqual(self.asked("config get", config_identifier=name), f"GET /api/v1/configs/{segment} ".encode())

    def test_no_name_is_refused_before_it_names_the_whole(self) -> None:
        stub = self.stub(success({"removed": 3}))
        failure = self.failure(stub.url, ROWS["config remove-server"], {"config_identifier": "alpha", "server_name": ""})
        self.assertEqual((type(failure), failure.message), (NotFound, "--server-name is empty: nothing has no name"))
        self.assertEqual(stub.heard, [])

    def test_each_value_goes_to_its_place(self) -> None:
        self.assertEqual(
            self.asked("user delete", user_identifier="ada@example.com", force=True),
            b'DELETE /api/v1/users/ada%40example.com {"force": true}',
        )
        self.assertEqual(
            self.asked("config rename", config_identifier="a", new_name="ü"), 'PUT /api/v1/configs/a/rename {"new_name": "ü"}'.encode()
        )
        stub = self.stub(EMPTY)
        self.performed(stub.url, ROWS["user list-all-api-keys"], {"disabled": False, "limit": 3})
        self.assertTrue(stub.heard[0].startswith(b"GET /api/v1/api-keys?disabled=false&limit=3 HTTP/1.1\r\n"), stub.heard)

    def test_the_path_of_the_url_goes_before(self) -> None:
        stub = self.stub(EMPTY)
        self.performed(stub.url + "/smg/")
        self.assertTrue(stub.heard[0].startswith(b"GET /smg/api/v1/configs HTTP/1.1\r\n"))


class Refusals(StubCase):
    def test_each_word_is_its_own_error_again(self) -> None:
        for kind in errors.GatewayError.__subclasses__():
            if kind is not errors.MethodNotAllowed:
                self.assertEqual(_KINDS[kind.code].exit_code, kind.exit_code, kind)

    def test_the_way_out_is_told_apart(self) -> None:
        for fields, expected in (
            (["X-Hint-Length: 4"], ("a; b", "do c")),
            ([], ("a; b; do c", "")),
            (["X-Hint-Length: 99"], ("a; b; do c", "")),
        ):
            answer = http(409, {"error": "conflict", "detail": "a; b; do c", "timestamp": "t"}, *fields)
            failure = self.failure(self.stub(answer).url, ADD)
            self.assertEqual((type(failure), failure.message, failure.hint), (Conflict, *expected))

    def test_a_key_that_is_not_taken_is_named_by_where_it_is_from(self) -> None:
        failure = self.failure(self.stub(refusal(401, "unauthorized", "the key is not known")).url)
        self.assertEqual((type(failure), failure.exit_code, failure.hint), (Unauthorized, 5, "the key was taken from a test"))

    def test_a_word_that_is_not_known_here_goes_by_its_status_and_is_said_all_the_same(self) -> None:
        for status, exit_code in (
            *((status, 2) for status in (400, 402, 405, 413, 414, 422, 428, 431, 499, 501)),
            *((status, 5) for status in (401, 403)),
            *((status, 3) for status in (404, 410)),
            *((status, 4) for status in (409, 412, 423)),
            *((status, 6) for status in (408, 429, 502, 503, 504, 507)),
            (500, 1),
        ):
            answer = http(status, {"error": "quota_used_up", "detail": "no more; wait", "timestamp": "t"}, "X-Hint-Length: 4")
            for row in (LIST, ADD):
                failure = self.failure(self.stub(answer, health(OLD)).url, row)
                self.assertEqual((failure.exit_code, failure.code, failure.message), (exit_code, "quota_used_up", "no more"), status)
                self.assertIn(f"the server is version {OLD}", failure.hint)
                self.assertTrue(failure.hint.startswith("wait; "), failure.hint)

    def test_a_method_that_the_server_does_not_know_is_wrong_usage(self) -> None:
        failure = self.failure(self.stub(refusal(405, "method_not_allowed", "no"), health(OLD)).url)
        self.assertEqual((failure.exit_code, failure.code), (2, "method_not_allowed"))

    def test_a_word_that_is_none_is_no_gateways(self) -> None:
        for status, code in ((400, "Bad Request"), (400, "x" * 65), (400, ""), (302, "found")):
            self.assertIn("no Secure MCP Gateway", self.failure(self.stub(refusal(status, code, "no")).url).message)

    def test_an_error_of_another_version_says_so(self) -> None:
        for status, code in ((400, "invalid_request"), (404, "not_found"), (405, "method_not_allowed")):
            failure = self.failure(self.stub(refusal(status, code, "no"), health(OLD)).url)
            self.assertEqual(failure.message, "no")
            self.assertIn(f"the server is version {OLD}, this command {__version__}", failure.hint)

    def test_an_error_of_the_same_version_says_nothing_of_it(self) -> None:
        same = __version__.rpartition(".")[0] + ".99"
        failure = self.failure(self.stub(refusal(400, "invalid_request", "no"), health(same)).url)
        self.assertEqual((type(failure), failure.hint), (InvalidRequest, ""))

    def test_no_such_path_where_no_gateway_is(self) -> None:
        failure = self.failure(self.stub(refusal(404, "not_found", "no such path")).url)
        self.assertEqual((type(failure), failure.exit_code), (Unavailable, 6))
        self.assertIn("there is no Secure MCP Gateway at http://127.0.0.1:", failure.message)

    def test_a_store_that_cannot_be_read_there_is_a_gateways(self) -> None:
        failure = self.failure(self.stub(http(200, []), refusal(503, "unavailable", "no store")).url)
        self.assertIn("an answer that no gateway of this version gives", failure.message)


class ForeignAnswers(StubCase):
    def test_a_server_that_is_no_gateway(self) -> None:
        for answer in (PAGE, http(200, HTML, kind="text/html"), http(200, {"hello": 1}), http(404, {"error": 404}), http(200, b"\xff")):
            for row in (LIST, ADD):
                failure = self.failure(self.stub(answer).url, row)
                self.assertEqual((type(failure), failure.exit_code), (Unavailable, 6))
                self.assertIn("there is no Secure MCP Gateway at", failure.message)

    def test_a_redirect_is_named_and_not_followed(self) -> None:
        stub = self.stub(http(302, HTML, "Location: https://elsewhere.example.com/"))
        failure = self.failure(stub.url, ADD)
        self.assertIn("redirects to https://elsewhere.example.com/, which is not followed", failure.message)
        self.assertEqual(len(stub.heard), 1)

    def test_data_of_another_form(self) -> None:
        for row, data in ((LIST, {}), (LIST, None), (ROWS["config get"], []), (ROWS["config export"], {"output_file": None})):
            failure = self.failure(self.stub(success(data), health(OLD)).url, row, {"config_identifier": "a"})
            self.assertEqual(type(failure), Unavailable)
            self.assertIn(f"the server is version {OLD}", failure.hint)

    def test_a_write_that_is_answered_otherwise_may_have_been_made(self) -> None:
        for answers in ([success([]), health()], [http(502, HTML, kind="text/html")], [http(504, b"")]):
            failure = self.failure(self.stub(*answers).url, ADD)
            self.assertEqual((type(failure), failure.exit_code), (OutcomeUnknown, 6))
            self.assertIn("read before you repeat it", failure.hint)

    def test_an_answer_nested_beyond_any_of_ours(self) -> None:
        for depth in (DOCUMENT_DEPTH * 2, 100_000):
            body = b'{"message": "m", "timestamp": "t", "data": ' + b"[" * depth + b"]" * depth + b"}"
            self.assertIn("no Secure MCP Gateway", self.failure(self.stub(http(200, body)).url).message)

    def test_fields_of_the_head_that_are_not_what_they_should_be(self) -> None:
        for total in ("-1", "x", "9" * 5000, ""):
            self.assertEqual(self.performed(self.stub(success([], f"X-Total-Count: {total}")).url), [])


if __name__ == "__main__":
    unittest.main()
