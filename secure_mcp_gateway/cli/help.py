"""What ``--help`` and ``help TOPIC`` say, read off the commands themselves."""

from __future__ import annotations

import json

from secure_mcp_gateway.cli.arguments import PROGRAM, file_flag, flags_of, inline_flags, safe, suggestion
from secure_mcp_gateway.cli.commands import HELP, find_command, nouns, verbs
from secure_mcp_gateway.cli.topics import EXIT_CODES, NOUNS, TOPICS
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, FILE, INTEGER, MAPPING, OBJECT, SECRET, STRINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from secure_mcp_gateway.cli.commands import Command
    from secure_mcp_gateway.params import Param

_GLOBAL_FLAGS = (
    ("--store FILE", "The store; else $SECURE_MCP_GATEWAY_STORE, else ~/.secure-mcp-gateway/store.json."),
    ("--format table|json", "A table on a terminal, JSON elsewhere."),
    ("--quiet", "Only data and errors."),
    ("--allow-network-fs", "Take a store on a network file system, which one machine alone uses."),
    ("--help, --version", ""),
)
_PLACEHOLDERS = {
    INTEGER: "N",
    BOOLEAN: "[true|false]",
    STRINGS: "A,B",
    MAPPING: "JSON|@FILE",
    OBJECT: "JSON|@FILE",
    SECRET: "KEY|-",
    FILE: "FILE|-",
}
_EXIT_CODE_OF = {"not_found": 3, "conflict": 4, "forbidden": 5}


def help_text(words: list[str]) -> str:
    """For a command, a noun, a topic, or all there is."""
    if words[:1] == [HELP]:
        return _asked_for(words[1:])
    command = find_command(words)
    if command is not None:
        return _of_command(command)
    return _of_noun(words[0]) if words else _of_everything()


def _asked_for(words: list[str]) -> str:
    name = " ".join(words)
    if name in TOPICS:
        return TOPICS[name].strip("\n")
    if words and words[0] not in nouns():
        near = suggestion(name, [*TOPICS, *nouns()])
        hint = f"did you mean {PROGRAM} help {near}?" if near else "the topics are " + ", ".join(TOPICS)
        raise InvalidRequest(f"there is no help on {safe(name)!r}", hint)
    return help_text(words)


def _of_everything() -> str:
    usage = f"usage: {PROGRAM} NOUN VERB [--flag VALUE]"
    topics = _wrapped("topics (help TOPIC): " + ", ".join(TOPICS))
    listed = [(noun, NOUNS.get(noun, "")) for noun in nouns()]
    return "\n".join([usage, "", *_columns(listed), "", "flags of all commands:", *_columns(_GLOBAL_FLAGS), "", *topics])


def _of_noun(noun: str) -> str:
    return "\n".join([f"usage: {PROGRAM} {noun} VERB [--flag VALUE]", "", NOUNS[noun], "", *_columns(verbs(noun))])


def _of_command(command: Command) -> str:
    lines = [f"usage: {PROGRAM} {command.name}{' [flags]' if command.params else ''}", "", *_wrapped(f"{command.summary}.")]
    flags = [line for param in command.params for line in _flag_lines(param)]
    if flags:
        lines += ["", "flags:", *_columns(flags)]
    return "\n".join([*lines, "", "exit codes:", *_columns(_exit_codes(command)), "", "example:", f"  {example(command)}"])


def _flag_lines(param: Param) -> list[tuple[str, str]]:
    names = [f"--{flag} {_placeholder(param, flag)}" for flag in flags_of(param)]
    text = f"{param.help} Needed." if param.required else f"{param.help} Default: {param.default}" if param.default else param.help
    if len(names) == 1:
        return [(names[0], text)]
    rest = [(f"  or {name}", "") for name in names[1:]]
    return [(names[0], text), *rest]


def _placeholder(param: Param, flag: str) -> str:
    if param.file and flag == file_flag(param):
        return "FILE|-"
    if flag.endswith("-id"):
        return "ID"
    if param.kind == FILE and param.place == COMMAND_LINE:
        return "PATH"
    return _PLACEHOLDERS.get(param.kind, "TEXT")


def _exit_codes(command: Command) -> list[tuple[str, str]]:
    possible = {0, 1, 2, 5, 6, *(_EXIT_CODE_OF[code] for code in command.errors if code in _EXIT_CODE_OF)}
    texts = {**EXIT_CODES, 1: EXIT_CODES[1] + ', or "no"' if command.says_no else EXIT_CODES[1]}
    return [(str(code), text) for code, text in texts.items() if code in possible]


def example(command: Command) -> str:
    """With all that is needed and the first that may be given."""
    needed = [param for param in command.params if param.required]
    optional = [param for param in command.params if not param.required and param.example not in (None, False, 0)]
    return " ".join([PROGRAM, command.name, *(_given(param) for param in needed + optional[:1])])


def _given(param: Param) -> str:
    from shlex import quote

    if not inline_flags(param):
        return f"--{file_flag(param)} {param.name}.json"
    flag, value = inline_flags(param)[0], param.example
    if param.kind == BOOLEAN:
        return f"--{flag}" if value in (True, None) else f"--{flag} false"
    if param.kind == STRINGS:
        return f"--{flag}={quote(','.join(value or ()))}"
    text = json.dumps(value) if param.kind in (OBJECT, MAPPING) else str(value if value is not None else _PLACEHOLDERS.get(param.kind, "X"))
    return f"--{flag} {quote(text)}"


def _wrapped(text: str, width: int = 80) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, break_on_hyphens=False) or [""]


def _columns(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Two columns; a long first one puts the text on the next line, and no line passes 80 columns where words allow it."""
    pairs = list(pairs)
    width = min(max((len(first) for first, _ in pairs), default=0), 31)
    lines = []
    for first, text in pairs:
        wrapped = _wrapped(text, 76 - width)
        if len(first) > width:
            lines.append(f"  {first}")
            first = ""
        lines += [f"  {label:<{width}}  {part}".rstrip() for label, part in zip([first, *[""] * len(wrapped)], wrapped) if label or part]
    return lines
