"""What ``--help`` and ``help TOPIC`` say, read off the commands themselves."""

from __future__ import annotations

import json

from secure_mcp_gateway.cli.arguments import PROGRAM, flags_of, inline_flags, safe, suggestion
from secure_mcp_gateway.cli.commands import HELP, command_named, find_command, nouns, verbs
from secure_mcp_gateway.cli.topics import EXIT_CODES, MANUAL, NOUNS, TOPICS
from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.params import BOOLEAN, COMMAND_LINE, FILE, INTEGER, MAPPING, OBJECT, SECRET, STRINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from secure_mcp_gateway.cli.commands import Command
    from secure_mcp_gateway.params import Param

GLOBAL_FLAGS = (
    ("--store FILE", "The store; else $SECURE_MCP_GATEWAY_STORE, else ~/.secure-mcp-gateway/store.json."),
    ("--server URL", "Do it through the API there; else $SECURE_MCP_GATEWAY_SERVER. See help remote."),
    ("--api-key-file FILE", "The key for that server; else $SECURE_MCP_GATEWAY_API_KEY."),
    ("--ca-file FILE", "The CA that signed that server's certificate, if the system does not know it."),
    ("--client-cert FILE", "The certificate to show to that server, where it takes no client without one."),
    ("--client-key FILE", "Its key, where that is not in the same file."),
    ("--format table|json", "A table on a terminal, JSON elsewhere."),
    ("--quiet", "Only data and errors."),
    ("--allow-network-fs", "Take a store on a network file system, which one machine alone uses."),
    ("--help", "Help on the command."),
    ("--version", "Which version this is."),
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
_GLOBAL_FLAGS_IN_SHORT = "global flags: --store FILE, --format table|json, --quiet, --allow-network-fs, --server URL (help remote)"
# What examples read is what those of other commands write.
_FILES = {"apply": "desired.json", "config import": "default_config.json", "system restore": "backup.json"}
_LIST_FORMS = "Texts with commas between, a JSON list, or given once for each text."
WIDTH, _NARROWEST, _WIDEST_LABEL, _LONGEST_JSON = 80, 40, 31, 56
_EXIT_CODE_OF = {"not_found": 3, "conflict": 4, "forbidden": 5}


def help_text(words: list[str], width: int = WIDTH) -> str:
    """For a command, a noun, a topic, or all there is; no line wider than ``width``, but for what would be another text then."""
    width = max(width, _NARROWEST)
    if words[:1] == [HELP]:
        return _asked_for(words[1:], width)
    command = find_command(words)
    if command is not None:
        lines = _of_command(command, width)
    else:
        lines = _of_noun(words[0], width) if words else _of_everything(width)
    return "\n".join(lines)


def _asked_for(words: list[str], width: int) -> str:
    name, topic = " ".join(words), "-".join(words)
    if topic in TOPICS:
        return "\n".join(part for line in TOPICS[topic].strip("\n").splitlines() for part in _narrowed(line, width))
    if name == MANUAL:
        from secure_mcp_gateway.cli.manual import manual

        return manual()
    if words and words[0] not in nouns():
        near = suggestion(name, [*TOPICS, *nouns()])
        hint = f"did you mean {PROGRAM} help {near}?" if near else "the topics are " + ", ".join((*TOPICS, MANUAL))
        raise InvalidRequest(f"there is no help on {safe(name)!r}", hint)
    return help_text(words, width)


def _of_everything(width: int) -> list[str]:
    usage = f"usage: {PROGRAM} NOUN VERB [--flag VALUE]"
    topics = _wrapped("topics (help TOPIC): " + ", ".join(TOPICS), width)
    topics += _wrapped(f"all of it as a manual page: {PROGRAM} help {MANUAL} | man -l -", width)
    listed = _columns([(noun, NOUNS.get(noun, "")) for noun in nouns()], width)
    flags = _columns(GLOBAL_FLAGS, width)
    return [usage, "", *listed, "", "flags of all commands:", *flags, "", *topics, *_example_lines(command_named("generate-config"), width)]


def _of_noun(noun: str, width: int) -> list[str]:
    """The example is of its first command that needs to be given something."""
    listed = verbs(noun)
    commands = [command_named(f"{noun} {verb}") for verb, _ in listed]
    needing = (command for command in commands if any(param.required for param in command.params))
    lines = [f"usage: {PROGRAM} {noun} VERB [--flag VALUE]", "", *_wrapped(NOUNS[noun], width), "", *_columns(listed, width)]
    for command in commands:
        lines += _note_lines(command)
    return lines + _example_lines(next(needing, commands[0]), width)


def _note_lines(command: Command) -> list[str]:
    """What is to be typed is not broken: it could not be pasted any more."""
    return ["", command.notes[0], f"  {command.notes[1]}"] if command.notes else []


def _of_command(command: Command, width: int) -> list[str]:
    lines = [f"usage: {PROGRAM} {command.name}{' [flags]' if command.params else ''}", "", *_wrapped(f"{command.summary}.", width)]
    lines += _note_lines(command)
    flags = [line for param in command.params for line in flag_lines(param)]
    if flags:
        lines += ["", "flags:", *_columns(flags, width)]
    lines += ["", *_wrapped(_GLOBAL_FLAGS_IN_SHORT, width)]
    return [*lines, "", "exit codes:", *_columns(_exit_codes(command), width), *_example_lines(command, width)]


def flag_lines(param: Param) -> list[tuple[str, str]]:
    names = [f"--{flag} {_placeholder(param, flag)}" for flag in flags_of(param)]
    said = f"{param.help} {_LIST_FORMS}" if param.kind == STRINGS else param.help
    text = f"{said} Needed." if param.required else f"{said} Default: {param.default}" if param.default else said
    if len(names) == 1:
        return [(names[0], text)]
    rest = [(f"  or {name}", "") for name in names[1:]]
    return [(names[0], text), *rest]


def _placeholder(param: Param, flag: str) -> str:
    if flag == param.file_flag:
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


def example(command: Command) -> list[str]:
    """With all that is needed and the first that may be given; in parts between which a line may be broken."""
    needed = [param for param in command.params if param.required]
    optional = [param for param in command.params if not param.required and param.example not in (None, False, 0)]
    file = _FILES.get(command.name, "data.json")
    return [f"{PROGRAM} {command.name}", *(_given(param, file) for param in needed + optional[:1])]


def _example_lines(command: Command, width: int) -> list[str]:
    """As one can paste it: a line that goes on ends with a backslash."""
    lines: list[str] = []
    for part in example(command):
        if lines and len(f"{lines[-1]} {part} \\") <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(f"      {part}" if lines else f"  {part}")
    return ["", "example:", *(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _given(param: Param, file: str) -> str:
    from secure_mcp_gateway.shell import quote

    if not inline_flags(param):
        return f"--{param.file_flag} {file}"
    flag, value = inline_flags(param)[0], param.example
    if param.kind == BOOLEAN:
        return f"--{flag}" if value in (True, None) else f"--{flag} false"
    if param.kind == STRINGS:
        return f"--{flag}={quote(','.join(value or ()))}"
    if param.kind in (OBJECT, MAPPING):
        text = _json(value)
    else:
        text = str(value if value is not None else _PLACEHOLDERS.get(param.kind, "X"))
    return f"--{flag} {quote(text)}"


def _json(value: dict[str, Any]) -> str:
    """A long one has a line for each field."""
    text = json.dumps(value)
    if len(text) <= _LONGEST_JSON:
        return text
    return "{" + ",\n       ".join(f"{json.dumps(name)}: {json.dumps(inner)}" for name, inner in value.items()) + "}"


def _wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, break_on_hyphens=False) or [""]


def _narrowed(line: str, width: int) -> list[str]:
    """A line of a topic, which is written for 80 columns; a command in it stays as it can be pasted."""
    if len(line) <= width or line.startswith("  "):
        return [line]
    return _wrapped(line, width)


def _columns(pairs: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Two columns; a long first one puts the text on the next line."""
    pairs = list(pairs)
    widest = min(max((len(first) for first, _ in pairs), default=0), _WIDEST_LABEL, width * 2 // 5)
    lines = []
    for first, text in pairs:
        wrapped = _wrapped(text, width - 4 - widest)
        if len(first) > widest:
            lines.append(f"  {first}")
            first = ""
        lines += [f"  {label:<{widest}}  {part}".rstrip() for label, part in zip([first, *[""] * len(wrapped)], wrapped) if label or part]
    return lines
