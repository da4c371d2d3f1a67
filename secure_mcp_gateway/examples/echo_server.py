"""An MCP server over stdio with three small tools, to try a gateway or a client against.

It needs nothing but the standard library: ``python3 -m secure_mcp_gateway.examples.echo_server``, or this file by its path.
It speaks the revisions 2024-11-05, 2025-03-26, 2025-06-18 and 2025-11-25 and shows each client what its revision knows.
"""

from __future__ import annotations

import json
import math
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable

REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
WITH_BATCHES = "2025-03-26"
SINCE_ANNOTATIONS = "2025-03-26"
SINCE_STRUCTURED_CONTENT = "2025-06-18"
SINCE_ARGUMENT_ERRORS_IN_RESULTS = "2025-11-25"
SINCE_ERRORS_WITHOUT_ID = "2025-11-25"

MAX_LINE = 16 * 1024 * 1024
MAX_BATCH = 1000
MAX_DIGITS = 1000

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602


class ProtocolError(Exception):
    """Becomes a JSON-RPC error; ``code`` is one of JSON-RPC 2.0 §5.1."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ToolError(Exception):
    """Becomes a result with ``isError``: something the model can put right by itself."""


class Tool:
    """``run`` takes the checked arguments and returns the value shown under ``output`` in the structured content."""

    __slots__ = ("description", "name", "output", "output_type", "properties", "run", "title")

    def __init__(
        self, name: str, title: str, description: str, properties: dict[str, dict[str, str]], output: str, run: Callable[..., Any]
    ) -> None:
        self.name = name
        self.title = title
        self.description = description
        self.properties = properties
        self.output = output
        self.output_type = next(iter(properties.values()))["type"]
        self.run = run

    def describe(self, revision: str) -> dict[str, Any]:
        shown: dict[str, Any] = {"name": self.name, "description": self.description, "inputSchema": object_schema(self.properties)}
        if revision >= SINCE_ANNOTATIONS:
            shown["annotations"] = {
                "title": self.title,
                "readOnlyHint": True,
                "destructiveHint": False,
                "idempotentHint": True,
                "openWorldHint": False,
            }
        if revision >= SINCE_STRUCTURED_CONTENT:
            shown["title"] = self.title
            shown["outputSchema"] = object_schema({self.output: {"type": self.output_type}})
        return shown

    def call(self, arguments: dict[str, Any], revision: str) -> dict[str, Any]:
        value = self.run(**arguments)
        text = value if isinstance(value, str) else json.dumps(value)
        result: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": False}
        if revision >= SINCE_STRUCTURED_CONTENT:
            result["structuredContent"] = {self.output: value}
        return result

    def argument_problem(self, arguments: dict[str, Any]) -> str:
        """The first thing wrong with the arguments, or an empty string."""
        for name, schema in self.properties.items():
            if name not in arguments:
                return f"{name} is missing: give a {schema['type']}"
            if not has_type(arguments[name], schema["type"]):
                return f"{name} must be a {schema['type']}"
        unknown = sorted(set(arguments) - set(self.properties))
        if unknown:
            return f"{unknown[0][:100]!r} is no argument of {self.name}: it takes {', '.join(self.properties)}"
        return ""


def object_schema(properties: dict[str, dict[str, str]]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def has_type(value: Any, name: str) -> bool:
    if name == "string":
        return isinstance(value, str)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def echo(text: str) -> str:
    return text


def reverse(text: str) -> str:
    return text[::-1]


def add(a: float, b: float) -> float:
    try:
        total = a + b
        if math.isfinite(total):
            return total
    except OverflowError:
        pass
    # JSON has no infinity, and an integer beyond the floats is beyond most clients too.
    raise ToolError("the sum is too large: give smaller numbers")


TEXT = {"text": {"type": "string", "description": "Any text."}}
NUMBERS = {"a": {"type": "number", "description": "The first number."}, "b": {"type": "number", "description": "The second number."}}
TOOLS = {
    tool.name: tool
    for tool in (
        Tool("echo", "Echo", "Returns the text it was given.", TEXT, "text", echo),
        Tool("reverse", "Reverse", "Returns the text from its last character to its first.", TEXT, "text", reverse),
        Tool("add", "Add", "Adds two numbers.", NUMBERS, "sum", add),
    )
}


class Session:
    """One client, from its first line to its last: bytes of a line in, bytes of the answer out, no input or output of its own."""

    def __init__(self) -> None:
        self.revision = ""
        self.methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "initialize": self.initialize,
            "ping": self.ping,
            "tools/list": self.list_tools,
            "tools/call": self.call_tool,
        }

    def receive(self, line: bytes) -> bytes:
        """The line to send back, with its newline; empty where nothing is to be answered."""
        if not line.strip():
            return b""
        try:
            message = parse(line)
        except ProtocolError as problem:
            return encode(self.refusal(problem))
        if isinstance(message, list):
            return encode(self.batch(message))
        return encode(self.single(message))

    def single(self, message: Any) -> dict[str, Any] | None:
        request_id: str | int | None = None
        try:
            if is_unanswered(message):
                return None
            request_id = read_id(message)
            method, params = read_call(message)
            return {"jsonrpc": "2.0", "id": request_id, "result": self.dispatch(method, params)}
        except ProtocolError as problem:
            return self.refusal(problem, request_id)

    def batch(self, messages: list[Any]) -> list[dict[str, Any]] | dict[str, Any] | None:
        if self.revision != WITH_BATCHES:
            return self.refusal(ProtocolError(INVALID_REQUEST, f"batches exist in revision {WITH_BATCHES} only: send one message a line"))
        if not 0 < len(messages) <= MAX_BATCH:
            return self.refusal(ProtocolError(INVALID_REQUEST, f"a batch holds 1 to {MAX_BATCH} messages"))
        answers = [answer for answer in map(self.single, messages) if answer is not None]
        return answers or None

    def refusal(self, problem: ProtocolError, request_id: str | int | None = None) -> dict[str, Any]:
        """Where no id could be read, JSON-RPC 2.0 §5 wants null; the schema of MCP 2025-11-25 wants no id at all."""
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id, "error": {"code": problem.code, "message": problem.message}}
        if request_id is None and self.revision >= SINCE_ERRORS_WITHOUT_ID:
            del answer["id"]
        return answer

    def dispatch(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        handler = self.methods.get(method)
        if handler is None:
            raise ProtocolError(METHOD_NOT_FOUND, f"there is no method {method[:100]!r} here")
        if not self.revision and method not in ("initialize", "ping"):
            raise ProtocolError(INVALID_REQUEST, f"{method} came before initialize: send initialize first")
        return handler(params)

    def initialize(self, params: dict[str, Any]) -> dict[str, Any]:
        if self.revision:
            raise ProtocolError(INVALID_REQUEST, "the session is initialized already: start another server for another session")
        for name, kind in (("protocolVersion", str), ("capabilities", dict), ("clientInfo", dict)):
            if not isinstance(params.get(name), kind):
                raise ProtocolError(INVALID_PARAMS, f"{name} must be {'a string' if kind is str else 'an object'}")
        wanted = params["protocolVersion"]
        self.revision = wanted if wanted in REVISIONS else REVISIONS[-1]
        return {"protocolVersion": self.revision, "capabilities": {"tools": {}}, "serverInfo": server_info(self.revision)}

    def ping(self, params: dict[str, Any]) -> dict[str, Any]:
        return {}

    def list_tools(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("cursor") is not None:
            raise ProtocolError(INVALID_PARAMS, "unknown cursor: all tools are on the first page")
        return {"tools": [tool.describe(self.revision) for tool in TOOLS.values()]}

    def call_tool(self, params: dict[str, Any]) -> dict[str, Any]:
        tool, arguments = read_tool_call(params)
        problem = tool.argument_problem(arguments)
        if problem and self.revision < SINCE_ARGUMENT_ERRORS_IN_RESULTS:
            raise ProtocolError(INVALID_PARAMS, problem)
        if problem:
            return tool_failure(problem)
        try:
            return tool.call(arguments, self.revision)
        except ToolError as failure:
            return tool_failure(str(failure))


def server_info(revision: str) -> dict[str, str]:
    info = {"name": "echo_server", "version": "1.0"}
    if revision >= "2025-06-18":
        info["title"] = "Echo server"
    if revision >= "2025-11-25":
        info["description"] = "Three small tools to try a gateway or a client against."
    return info


def tool_failure(message: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": message}], "isError": True}


def parse(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"), parse_constant=refuse_constant, parse_int=bounded_int)
    except UnicodeDecodeError as problem:
        raise ProtocolError(PARSE_ERROR, f"the message is not UTF-8 at byte {problem.start}") from None
    except RecursionError:
        raise ProtocolError(PARSE_ERROR, "the message is nested too deeply") from None
    except ValueError as problem:
        raise ProtocolError(PARSE_ERROR, f"the message is not JSON: {problem}") from None


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def bounded_int(digits: str) -> int:
    # Python before 3.11 reads integers of any length, in quadratic time.
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer has more than {MAX_DIGITS} digits")
    return int(digits)


def is_unanswered(message: Any) -> bool:
    """Notifications, and answers to requests: this server sends none, so such an answer is of no interest."""
    if not isinstance(message, dict):
        return False
    if "method" in message:
        return "id" not in message and isinstance(message["method"], str)
    return "result" in message or "error" in message


def read_id(message: Any) -> str | int:
    """MCP narrows JSON-RPC's ids: a string or an integer, never null (Base protocol, Requests)."""
    if not isinstance(message, dict):
        raise ProtocolError(INVALID_REQUEST, "a message must be an object")
    request_id = message.get("id")
    if isinstance(request_id, (str, int)) and not isinstance(request_id, bool):
        return request_id
    raise ProtocolError(INVALID_REQUEST, "id must be a string or an integer")


def read_call(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if message.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, 'jsonrpc must be "2.0"')
    method = message.get("method")
    if not isinstance(method, str):
        raise ProtocolError(INVALID_REQUEST, "method must be a string")
    params = message.get("params", {})
    if isinstance(params, dict):
        return method, params
    # An array is a well-formed JSON-RPC request; it is MCP that takes objects only.
    raise ProtocolError(INVALID_PARAMS if isinstance(params, list) else INVALID_REQUEST, "params must be an object")


def read_tool_call(params: dict[str, Any]) -> tuple[Tool, dict[str, Any]]:
    name = params.get("name")
    if not isinstance(name, str):
        raise ProtocolError(INVALID_PARAMS, "name must be a string")
    if name not in TOOLS:
        raise ProtocolError(INVALID_PARAMS, f"Unknown tool: {name[:100]}")
    arguments = params.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ProtocolError(INVALID_PARAMS, "arguments must be an object")
    return TOOLS[name], arguments


def encode(answer: Any) -> bytes:
    # ASCII alone: a text's U+2028 or lone surrogate would break a reader that splits at Unicode line ends or insists on UTF-8.
    return b"" if answer is None else json.dumps(answer, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answers each line as it comes, until the end of the input."""
    session = Session()
    while True:
        line = source.readline(MAX_LINE + 1)
        if not line:
            return
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            skip_line(source)
            answer = encode(session.refusal(ProtocolError(INVALID_REQUEST, f"a message has at most {MAX_LINE} bytes")))
        else:
            answer = session.receive(line)
        if answer:
            sink.write(answer)
            sink.flush()


def skip_line(source: BinaryIO) -> None:
    while True:
        rest = source.readline(64 * 1024)
        if not rest or rest.endswith(b"\n"):
            return


def main() -> int:
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
        return 0
    except BrokenPipeError:
        # The interpreter flushes standard output once more as it ends: give it a place that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
