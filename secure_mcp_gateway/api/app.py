"""The management plane over HTTP: request, row, rule, answer."""

from __future__ import annotations

import os
import time

from secure_mcp_gateway.api.access import Surroundings, bearer_caller, refuse_writes, require_access
from secure_mcp_gateway.api.inputs import Inputs, read_body, read_query, takes_body
from secure_mcp_gateway.api.pages import PUBLIC_METHODS, is_public, public_page, without_slash
from secure_mcp_gateway.api.router import Match, Router
from secure_mcp_gateway.errors import Forbidden, GatewayError, MethodNotAllowed, NotFound, Unavailable, UnsupportedMediaType
from secure_mcp_gateway.operations import all_operations
from secure_mcp_gateway.operations.files import read_json_file, write_document
from secure_mcp_gateway.operations.operation import READ, Operation, audit_entry, perform
from secure_mcp_gateway.repository.api_keys import require_unrevoked
from secure_mcp_gateway.repository.call import Call, Listing, new_call
from secure_mcp_gateway.store.clock import now_text
from secure_mcp_gateway.web.log import AccessLog, report_problem
from secure_mcp_gateway.web.request import Request, fresh_request_id
from secure_mcp_gateway.web.response import Response, encode_json, error_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from secure_mcp_gateway.store.document import Document
    from secure_mcp_gateway.store.store import Store

_JSON = ("Content-Type", "application/json")
_MOST_IGNORED = 64 * 1024  # bytes of a body where none is taken: `{}` and blanks
_NO_STORE = ("Cache-Control", "no-store")
_EXPOSED = "ETag, X-Total-Count, X-Request-Id"


class ManagementApp:
    """Answers one request at a time, on any thread. ``files_root`` confines the files that requests name.

    With ``read_only`` nothing is written at all, so that the store's folder may be one that it cannot write to.
    """

    def __init__(
        self,
        store: Store,
        *,
        files_root: str | None = None,
        allow_origins: tuple[str, ...] = (),
        allow_hosts: tuple[str, ...] = (),
        log: AccessLog | None = None,
        read_only: bool = False,
    ) -> None:
        self._store = store
        self._read_only = read_only
        self._router = Router(all_operations())
        self._surroundings = Surroundings(allow_origins, allow_hosts)
        self._files = Files(store, files_root)
        self._log = log
        self._complained = 0.0

    def answers_at_once(self, request: Request) -> bool:
        """Does a request without a body need no more than the document in memory?"""
        found = self._router.match(request.method, request.raw_path)
        request.found = found
        if found is None or found.operation is None:
            return True
        request.route = found.template
        return found.operation.effect == READ

    def __call__(self, request: Request) -> Response:
        try:
            response = self._answer(request)
        except GatewayError as error:
            if isinstance(error, Unavailable):
                self._complain(error)
            response = error_response(error, now_text())
        if request.raw_path.startswith("/api") and response.status < 400:
            response.headers.append(_NO_STORE)
        self._admit_origin(request, response)
        return response

    def _answer(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD") and not request.raw_path.startswith("/api/"):
            page = public_page(request, self._store)
            if page is not None:
                request.route = without_slash(request.raw_path)
                self._surroundings.check(request)
                return page
        if request.method == "OPTIONS" and _is_preflight(request) and self._surroundings.admits_origin(request.header("origin")):
            return self._preflight(request)
        found = request.found if isinstance(request.found, Match) else self._router.match(request.method, request.raw_path)
        if found is not None:
            request.route = found.template
        # Letting go of the file that a write replaces takes half as long as a sync, and nobody need wait for it.
        request.held = document = self._store.snapshot()
        if "x-request-id" in request.headers and document.holds_secret(request.request_id):
            request.request_id = fresh_request_id()
        now = now_text()
        caller = bearer_caller(document, request, now)
        request.key_id = caller.key_id
        call = new_call(caller, self._store, request.request_id, now)
        match = self._matched(request, found)
        if match.operation is None:
            self._surroundings.check(request)
            return Response(204, headers=[("Allow", ", ".join(match.methods))])
        return self._run(request, match, match.operation, document, call)

    def _matched(self, request: Request, match: Match | None) -> Match:
        if request.raw_path == "*":
            return Match(None, ("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"), [], "*")
        if match is None and is_public(request.raw_path):
            match = Match(None, PUBLIC_METHODS, [], without_slash(request.raw_path))
            request.route = match.template
        if match is None:
            raise NotFound("there is no such path", "see /openapi.json for those that there are")
        if match.operation is None and request.method != "OPTIONS":
            raise MethodNotAllowed(f"this path does not take {request.method}", match.methods)
        return match

    def _run(self, request: Request, match: Match, operation: Operation, document: Document, call: Call) -> Response:
        named: dict[str, Any] = {}
        try:
            self._surroundings.check(request)
            require_access(call.caller, operation)
            if self._read_only:
                refuse_writes(operation)
            body: dict[str, Any] = {}
            if request.has_body():
                body = _body_of(request, operation)
                # It may have come a minute after its head: neither the key nor what was there then need hold any more.
                document = self._store.snapshot()
                require_unrevoked(document, call.caller, now_text())
            query = read_query(request.query) if request.query else {}
            named = {**query, **body}
            values: dict[str, Any] = {}
            if operation.params or named:
                values = Inputs(operation, match.values(), query, body).values(self._files.read)
            target = self._files.target(operation, values)
        except GatewayError as error:
            if operation.writes and not self._read_only:
                self._store.refuse(audit_entry(operation, call, {**named, **match.values("replace")}), error)
            raise
        if not operation.writes:
            return _success(operation, values, operation.run(document, call, **values), document.generation, call.now)
        if_match = request.headers.get("if-match")
        deliver, file = (target.deliver, target.path) if target else (None, None)
        result = perform(operation, self._store, call, values, document=document, if_match=if_match, deliver=deliver, file=file)
        return _success(operation, values, result, document.generation, now_text())

    def _preflight(self, request: Request) -> Response:
        methods = self._matched(request, self._router.match(request.method, request.raw_path)).methods
        self._surroundings.check(request)
        return Response(
            204,
            headers=[
                ("Allow", ", ".join(methods)),
                ("Access-Control-Allow-Methods", ", ".join(methods)),
                ("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, X-Request-Id"),
                ("Access-Control-Max-Age", "600"),
            ],
        )

    def _admit_origin(self, request: Request, response: Response) -> None:
        if not self._surroundings.names_origins:
            return
        response.headers.append(("Vary", "Origin"))
        origin = request.header("origin")
        if origin and self._surroundings.admits_origin(origin):
            response.headers += [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", _EXPOSED)]

    def _complain(self, error: GatewayError) -> None:
        """The path and place of a damage go to standard error alone, once a second at most."""
        now = time.monotonic()
        if now - self._complained >= 1.0:
            self._complained = now
            report_problem(self._log, f"{error.message}: {error.private}" if error.private else error.message)


class Files:
    """The files that requests name: relative ones from ``files/`` beside the store, or from ``root``, which confines all."""

    def __init__(self, store: Store, root: str | None) -> None:
        self._store = store
        # Resolved once: a link that is put in its place while the server runs must not move it.
        self._root = os.path.realpath(root) if root is not None else None
        self._base = self._root or os.path.join(store.folder, "files")

    def read(self, path: str, field: str) -> Any:
        return read_json_file(os.path.join(self._base, path), field, self._root)

    def target(self, operation: Operation, values: dict[str, Any]) -> Target | None:
        """Where the row's document goes, taken out of the values; None for a row without one."""
        if not operation.document:
            return None
        path, overwrite = values.pop("output_file", None), values.pop("overwrite", False)
        if overwrite and self._root is None:
            raise Forbidden("overwrite is off while the server confines no files", "start it with --files-root, or name another file")
        return Target(operation.document, path, overwrite, self)

    def write(self, path: str, document: Any, overwrite: bool) -> str:
        if self._root is None and not os.path.isabs(path):
            self._store.own_folder("files")
        target = os.path.join(self._base, path)
        return write_document(target, document, "output_file", root=self._root, overwrite=overwrite, protected=self._store.folder)


class Target:
    """``deliver`` turns the document into the answer: its file's path, or the document itself where no file is named."""

    def __init__(self, field: str, path: str | None, overwrite: bool, files: Files) -> None:
        self._field = field
        self.path = path
        self._overwrite = overwrite
        self._files = files

    def deliver(self, document: Any) -> dict[str, Any]:
        if self.path is None:
            return {"output_file": None, self._field: document}
        return {"output_file": self._files.write(self.path, document, self._overwrite), self._field: None}


def _body_of(request: Request, operation: Operation) -> dict[str, Any]:
    """Once its size and type are accepted; an empty one may have any type."""
    if not takes_body(operation):
        # Parsed, a body of nothing but brackets takes thirty times its size, and a user's key may send one.
        request.bound_body(_MOST_IGNORED)
    request.check_length()
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type != "application/json" and (request.declared_length() is not None or request.read_body()):
        raise UnsupportedMediaType("a body must be JSON", "send it with Content-Type: application/json")
    return read_body(request.read_body())


def _success(operation: Operation, values: dict[str, Any], result: Any, generation: int, now: str) -> Response:
    headers = [_JSON]
    if not operation.writes or values.get("dry_run"):
        headers.append(("ETag", f'"{generation}"'))
    if isinstance(result, Listing):
        headers.append(("X-Total-Count", str(result.total)))
        result = result.rows
    answer = {"message": operation.message, "data": result, "timestamp": now}
    return Response(operation.status(values), encode_json(answer).encode(), headers)


def _is_preflight(request: Request) -> bool:
    return "access-control-request-method" in request.headers
