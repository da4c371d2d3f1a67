"""Which requests may be answered where they are received: those that need the document alone."""

from __future__ import annotations

from secure_mcp_gateway.api.app import ManagementApp
from secure_mcp_gateway.operations import all_operations
from tests.operation_cases import CASES
from tests.operations.contract import CREATING, LOOKING, READING_BY_POST, RECORDING, REPLACING
from tests.surfaces import request_of
from tests.test_every_operation import TableCase
from tests.web.raw import get, parse


class AtOnce(TableCase):
    def test_are_reads_of_the_document_but_no_writes_and_nothing_that_looks_at_files(self) -> None:
        app, at_once = ManagementApp(self.fresh()), set()
        for operation in all_operations():
            method, path, _ = request_of(operation, CASES[operation.name][0][0])
            request = parse(get(path).replace(b"GET", method.encode(), 1))
            if app.answers_at_once(request):
                at_once.add(operation.name)
            self.assertEqual(request.route, operation.path)
        waiting = {row.name for row in all_operations() if row.method != "GET" and row.name not in READING_BY_POST}
        self.assertEqual(at_once, {row.name for row in all_operations()} - waiting - CREATING - RECORDING - REPLACING - LOOKING)

    def test_are_refusals_and_public_pages_too(self) -> None:
        app = ManagementApp(self.fresh())
        for path in ("/health", "/docs", "/nowhere", "/api/v1/nowhere"):
            self.assertTrue(app.answers_at_once(parse(get(path))), path)
