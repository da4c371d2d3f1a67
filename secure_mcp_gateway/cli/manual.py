"""The manual page, from what ``--help`` and ``help TOPIC`` say: roff for ``man``, with its macros of man(7)."""

from __future__ import annotations

from secure_mcp_gateway import __version__
from secure_mcp_gateway.cli.arguments import PROGRAM
from secure_mcp_gateway.cli.commands import HELP, Command, command_named, nouns, verbs
from secure_mcp_gateway.cli.environment import SETTINGS, server_settings
from secure_mcp_gateway.cli.help import GLOBAL_FLAGS, flag_lines
from secure_mcp_gateway.cli.topics import EXIT_CODES, FILES, NOUNS, TOPICS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ABOUT = "manage which users reach which MCP servers"
# What has a section of its own.
_ELSEWHERE = ("environment", "exit-codes")
_MARKS = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}


def manual() -> str:
    title = f'.TH {_escaped(PROGRAM.upper())} 1 "" "{_escaped(f"{PROGRAM} {__version__}")}"'
    # No hyphens and no stretched lines: names and paths must be found, and can be pasted.
    lines = [title, ".nh", ".ad l", *_section("NAME"), f"{_escaped(PROGRAM)} \\- {_ABOUT}"]
    lines += [*_section("SYNOPSIS"), f".B {_escaped(PROGRAM)}", "NOUN VERB [\\-\\-flag VALUE]"]
    lines += [*_section("COMMANDS"), *_commands()]
    lines += [*_section("FLAGS OF ALL COMMANDS"), *_listed(GLOBAL_FLAGS)]
    for name, text in TOPICS.items():
        if name not in _ELSEWHERE:
            lines += [*_section(name.upper().replace("-", " ")), *_running(text)]
    lines += [*_section("ENVIRONMENT"), *_listed(SETTINGS.items()), ".PP", "Of system start\\-api:", *_typed(_of_the_server())]
    lines += [*_section("FILES"), *_listed(FILES.items())]
    lines += [*_section("EXIT STATUS"), *_listed((str(code), text) for code, text in EXIT_CODES.items())]
    return "\n".join([*lines, *_running(TOPICS["exit-codes"].partition("\n\n")[2])])


def _of_the_server() -> Iterator[str]:
    return (f"{name:<35} {flag}" for name, flag in server_settings().items())


def _section(title: str) -> list[str]:
    return [f'.SH "{_escaped(title)}"']


def _commands() -> Iterator[str]:
    for noun in nouns():
        yield f'.SS "{_escaped(noun)}"'
        yield _escaped(f"{NOUNS[noun]}.")
        if noun == HELP:
            continue
        of_noun = [command_named(f"{noun} {verb}") for verb, _ in verbs(noun)]
        for command in of_noun:
            yield from (".TP", f".B {_escaped(command.name)}", _escaped(f"{command.summary}."), ".RS", *_given_to(command), ".RE")
        if not of_noun:
            yield from _given_to(command_named(noun))


def _given_to(command: Command) -> Iterator[str]:
    yield from _listed(pair for param in command.params for pair in flag_lines(param))
    if command.notes:
        yield from (".PP", _escaped(command.notes[0]), *_typed(command.notes[1].split("\n")))


def _listed(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A label that is indented is another one of what stands before it."""
    groups: list[tuple[list[str], str]] = []
    for label, text in pairs:
        if label.startswith(" "):
            groups[-1][0].append(label.strip())
        else:
            groups.append(([label], text))
    for labels, text in groups:
        for macro, label in zip([".TP", *[".TQ"] * len(labels)], labels):
            yield from (macro, f".B {_escaped(label)}")
        yield _escaped(text)


def _running(text: str) -> Iterator[str]:
    """Paragraphs are filled; lines that are indented are typed, and stay as they are."""
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.splitlines()
        yield ".PP"
        if lines[0].startswith("  "):
            yield from _typed(lines)
        else:
            yield from map(_escaped, lines)


def _typed(lines: Iterable[str]) -> Iterator[str]:
    yield from (".RS 2", ".nf")
    for line in lines:
        yield _escaped(line[2:] if line.startswith("  ") else line)
    yield from (".fi", ".RE")


def _escaped(text: str) -> str:
    """As text alone: no escape, no request, and marks that can be pasted again."""
    made = "".join(_MARKS.get(char, char) for char in text)
    return f"\\&{made}" if made.startswith(".") else made
