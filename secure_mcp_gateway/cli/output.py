"""What the command line says: data on standard output, everything else on standard error, as a table for people or as JSON."""

from __future__ import annotations

import json
import os
import sys

from secure_mcp_gateway.errors import GatewayError, StoreMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TextIO

    from secure_mcp_gateway.cli.progress import Progress

# Rows that take a moment to be laid out.
_MANY = 10_000
# Behind this the problems of a document stand, with "; " between.
_BEFORE_PROBLEMS = "nothing is changed: "
_BOLD, _RED, _GREEN, _YELLOW, _PLAIN = "\033[1m", "\033[31m", "\033[32m", "\033[33m", "\033[0m"
_MARKS = {"+": _GREEN, "~": _YELLOW, "-": _RED}


class Output:
    """``asked`` is the format that was asked for, or empty: then a terminal gets tables and everything else JSON.
    ``named_store`` is the path that was named for the store, empty where that was the default."""

    __slots__ = ("asked", "is_json", "named_store", "quiet")

    def __init__(self, asked: str, quiet: bool) -> None:
        self.asked = asked
        self.quiet = quiet
        self.named_store = ""
        self.is_json = asked == "json" or (not asked and not _is_terminal(sys.stdout))

    def data(self, value: Any, columns: Sequence[str] = ()) -> None:
        if self.is_json:
            self.document(value)
        elif isinstance(value, list):
            self._list(value, columns)
        elif isinstance(value, dict):
            from secure_mcp_gateway.cli.table import record_lines

            self._lines(record_lines(value, terminal_width()))
        elif value is not None:
            self._lines([str(value)])

    def document(self, value: Any) -> None:
        """JSON, whatever the format."""
        _write(sys.stdout, _json(value, sys.stdout))

    def difference(self, lines: Sequence[str]) -> None:
        """Lines that begin with + for what comes, ~ for what changes or - for what goes."""
        self._lines([_coloured(line, _MARKS[line[0]], sys.stdout) for line in lines])

    def text(self, field: str, text: str) -> None:
        """Help and the like: text, and an object with this field only where JSON was asked for by name."""
        if self.asked == "json":
            self.document({field: text})
        else:
            _write(sys.stdout, f"{text}\n")

    def note(self, text: str) -> None:
        if not self.quiet:
            self.say(text)

    def warn(self, text: str) -> None:
        if not self.quiet:
            self.say(f"{_coloured('warning:', _YELLOW, sys.stderr)} {_clean(text)}")

    def working(self, text: str) -> Progress | _Silence:
        """A context for what may take long; nothing where nobody would see it."""
        if self.quiet or sys.stderr is None or not _is_terminal(sys.stderr):
            return _Silence()
        from secure_mcp_gateway.cli.progress import Progress

        return Progress(text, sys.stderr)

    def error(self, error: GatewayError) -> None:
        where = f" ({error.private})" if error.private else ""
        if self.is_json:
            from secure_mcp_gateway.store.clock import now_text

            detail = GatewayError(error.message + where, self._hint(error)).detail
            self.say(_json({"error": error.code, "detail": detail, "timestamp": now_text()}, sys.stderr).rstrip("\n"))
            return
        self.say(f"{_coloured('error:', _RED, sys.stderr)} {_told(error.message + where)}")
        if error.hint:
            self.say(f"hint: {_clean(self._hint(error))}")

    def _hint(self, error: GatewayError) -> str:
        """The command that makes a missing store has to name it as this one did."""
        if not self.named_store or not isinstance(error, StoreMissing):
            return error.hint
        from secure_mcp_gateway.shell import quote

        return f"{error.hint} --store {quote(self.named_store)}"

    def flush(self) -> None:
        """Raises where what was said did not get out."""
        if sys.stdout is not None:
            _guarded(sys.stdout.flush)

    def give_up(self) -> None:
        """After a failure: what standard output still holds must not fail once more as the process ends."""
        try:
            self.flush()
        except (OSError, ValueError, GatewayError):
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            except (OSError, ValueError):
                pass

    def say(self, text: str) -> None:
        """Standard error may be closed or full: that changes nothing about the deed."""
        try:
            _write(sys.stderr, f"{text}\n")
            sys.stderr.flush()
        except (OSError, ValueError, GatewayError):
            pass

    def _list(self, rows: list[Any], columns: Sequence[str]) -> None:
        from secure_mcp_gateway.cli.table import list_lines, table_lines

        if not rows:
            self.note("none")
        elif columns and all(isinstance(row, dict) for row in rows):
            with self.working("laying out the table") if len(rows) > _MANY else _Silence():
                heads, lines = table_lines(rows, columns, terminal_width())
            self._lines([*(_coloured(head, _BOLD, sys.stdout) for head in heads), *lines])
        else:
            self._lines(list_lines(rows, terminal_width()))

    def _lines(self, lines: list[str]) -> None:
        _write(sys.stdout, "".join(f"{line}\n" for line in lines))


class _Silence:
    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _coloured(text: str, colour: str, stream: TextIO) -> str:
    """https://no-color.org: not where NO_COLOR is set to anything."""
    wanted = _is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"{colour}{text}{_PLAIN}" if wanted else text


def marked(line: str, level: str) -> str:
    """A line for standard output whose first word is this level: where colours are shown, a problem is red, a warning yellow."""
    colour = {"problem": _RED, "warning": _YELLOW}.get(level, "")
    return f"{_coloured(level, colour, sys.stdout)}{line[len(level) :]}" if colour else line


def _clean(text: str) -> str:
    if text.isprintable():
        return text
    from secure_mcp_gateway.cli.table import clean

    return clean(text)


def _told(message: str) -> str:
    """Of a list of problems each has its own line: they are worked off one by one."""
    head, found, problems = message.partition(_BEFORE_PROBLEMS)
    if not found or "; " not in problems:
        return _clean(message)
    return "\n  ".join([_clean(head + found.rstrip()), *map(_clean, problems.split("; "))])


def terminal_width() -> int | None:
    """None: lines may be as long as they are, for nobody looks at them in a terminal."""
    if not _is_terminal(sys.stdout) and not os.environ.get("COLUMNS"):
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


def _json(value: Any, stream: TextIO) -> str:
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()
    text = json.dumps(value, ensure_ascii=not encoding.startswith("utf"), indent=2) + "\n"
    if text.isascii():
        return text
    import re

    # JSON lets characters stand that a terminal obeys or that turn the text around them.
    risky = "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
    return re.sub(risky, lambda found: json.dumps(found[0])[1:-1], text)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        raise GatewayError("the output cannot be written: it is closed")
    try:
        _guarded(stream.write, text)
    except UnicodeEncodeError:
        _guarded(stream.write, text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))


def _guarded(deed: Callable[..., Any], *arguments: str) -> None:
    try:
        deed(*arguments)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise GatewayError(f"the output cannot be written: {os.strerror(error.errno or 0).lower()}") from None
