"""From a method and a path to the row and the values in the path."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from secure_mcp_gateway.errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_mcp_gateway.operations.operation import Operation

    Places = tuple[tuple[int, str], ...]  # where in a path which parameter stands


class _Node:
    """``literals`` and ``any`` lead on; ``operations`` holds by method what ends here, ``methods`` all that are taken here."""

    __slots__ = ("any", "literals", "methods", "operations")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.operations: dict[str, Operation] = {}
        self.methods: tuple[str, ...] = ()


class Match:
    """``operation`` is None where the path exists without this method, whose ``methods`` are all those that it takes."""

    __slots__ = ("methods", "operation", "places", "segments", "template")

    def __init__(
        self, operation: Operation | None, methods: tuple[str, ...], segments: list[str], template: str, places: Places = ()
    ) -> None:
        self.operation = operation
        self.template = template
        self.methods = methods
        self.segments = segments
        self.places = places

    def values(self, errors: str = "strict") -> dict[str, str]:
        """The path's parameters, percent-decoded once; ``InvalidRequest`` for bytes that are no UTF-8, unless told to replace them."""
        if self.operation is None:
            return {}
        return {name: decoded(self.segments[at], errors) for at, name in self.places}


class Router:
    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self._places: dict[str, Places] = {}
        self._plain: dict[tuple[str, str], Match] = {}  # of paths without parameters
        rows = list(operations)
        for row in rows:
            self._add(row)
        for row in rows:
            found = None if self._places[row.path] else self._found(row.method, row.path)
            if found is not None:
                self._plain[row.method, row.path] = found

    def match(self, method: str, raw_path: str) -> Match | None:
        """None where no such path exists. A literal segment wins over a parameter, but only for the methods it defines."""
        return self._plain.get((method, raw_path)) or self._found(method, raw_path)

    def _found(self, method: str, raw_path: str) -> Match | None:
        segments = raw_path.split("/")[1:]
        if len(segments) > 1 and segments[-1] == "":
            segments.pop()
        ends = self._ends(segments)
        if not ends:
            return None
        wanted = "GET" if method == "HEAD" else method
        operation = next((node.operations[wanted] for node in ends if wanted in node.operations), None)
        template = (operation or next(iter(ends[0].operations.values()))).path
        methods = ends[0].methods if len(ends) == 1 else _allowed(method for node in ends for method in node.operations)
        return Match(operation, methods, segments, template, self._places[template])

    def _ends(self, segments: list[str]) -> list[_Node]:
        """Every node where the path can end, the most literal first."""
        nodes = [self._root]
        for segment in segments:
            further = []
            for node in nodes:
                if segment in node.literals:
                    further.append(node.literals[segment])
                if node.any is not None and segment:
                    further.append(node.any)
            nodes = further
        return [node for node in nodes if node.operations]

    def _add(self, operation: Operation) -> None:
        node, places = self._root, []
        for at, segment in enumerate(operation.path.split("/")[1:]):
            if segment.startswith("{"):
                places.append((at, segment[1:-1]))
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literals.setdefault(segment, _Node())
        node.operations[operation.method] = operation
        node.methods = _allowed(node.operations)
        self._places[operation.path] = tuple(places)


def decoded(segment: str, errors: str = "strict") -> str:
    try:
        return unquote_to_bytes(segment).decode(errors=errors)
    except UnicodeDecodeError:
        raise InvalidRequest("the path holds bytes that are not UTF-8", "percent-encode names as UTF-8") from None


def _allowed(defined: Iterable[str]) -> tuple[str, ...]:
    methods = {*defined, "OPTIONS"}
    return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))
