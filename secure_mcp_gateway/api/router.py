"""From a method and a path to the row and the values in the path."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from secure_mcp_gateway.errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_mcp_gateway.operations.operation import Operation


class _Node:
    """``literals`` and ``any`` lead on; ``operations`` holds by method what ends here."""

    __slots__ = ("any", "literals", "operations")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.operations: dict[str, Operation] = {}


class Match:
    """``operation`` is None where the path exists without this method, whose ``methods`` are all those that it takes."""

    __slots__ = ("methods", "operation", "segments", "template")

    def __init__(self, operation: Operation | None, methods: tuple[str, ...], segments: list[str], template: str) -> None:
        self.operation = operation
        self.template = template
        self.methods = methods
        self.segments = segments

    def values(self, errors: str = "strict") -> dict[str, str]:
        """The path's parameters, percent-decoded once; ``InvalidRequest`` for bytes that are no UTF-8, unless told to replace them."""
        if self.operation is None:
            return {}
        template = self.operation.path.split("/")[1:]
        pairs = zip(template, self.segments)
        return {name[1:-1]: decoded(segment, errors) for name, segment in pairs if name.startswith("{")}


class Router:
    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def match(self, method: str, raw_path: str) -> Match | None:
        """None where no such path exists. A literal segment wins over a parameter, but only for the methods it defines."""
        segments = raw_path.split("/")[1:]
        if len(segments) > 1 and segments[-1] == "":
            segments.pop()
        ends = [node for node in _ends(self._root, segments, 0) if node.operations]
        if not ends:
            return None
        wanted = "GET" if method == "HEAD" else method
        operation = next((node.operations[wanted] for node in ends if wanted in node.operations), None)
        template = (operation or next(iter(ends[0].operations.values()))).path
        return Match(operation, _allowed(ends), segments, template)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.path.split("/")[1:]:
            if segment.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literals.setdefault(segment, _Node())
        node.operations[operation.method] = operation


def decoded(segment: str, errors: str = "strict") -> str:
    try:
        return unquote_to_bytes(segment).decode(errors=errors)
    except UnicodeDecodeError:
        raise InvalidRequest("the path holds bytes that are not UTF-8", "percent-encode names as UTF-8") from None


def _ends(node: _Node, segments: list[str], at: int) -> Iterable[_Node]:
    """Every node where the path can end, the most literal first."""
    if at == len(segments):
        yield node
        return
    literal = node.literals.get(segments[at])
    if literal is not None:
        yield from _ends(literal, segments, at + 1)
    if node.any is not None and segments[at]:
        yield from _ends(node.any, segments, at + 1)


def _allowed(nodes: list[_Node]) -> tuple[str, ...]:
    methods = {method for node in nodes for method in node.operations} | {"OPTIONS"}
    return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))
