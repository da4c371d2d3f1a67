"""The README's reference, made of the program itself: ``python3 -m tests.readme_reference`` puts it into the README.

Each part stands there between two marks that name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from secure_mcp_gateway.cli.arguments import flags_of
from secure_mcp_gateway.cli.commands import HELP, Command, find_command, nouns, verbs
from secure_mcp_gateway.cli.environment import SETTINGS, server_settings
from secure_mcp_gateway.cli.help import GLOBAL_FLAGS
from secure_mcp_gateway.cli.topics import EXIT_CODES, MANUAL, TOPICS
from secure_mcp_gateway.operations import MODULES, all_operations, for_noun
from secure_mcp_gateway.operations.operation import Operation
from secure_mcp_gateway.params import COMMAND_LINE, PATH, Param
from tests.support import ROOT

README = ROOT / "README.md"
# What is said of a noun's rows in one line; a noun that is not here is headed by itself.
TITLES = {
    "config": "Configs, servers and settings",
    "project": "Projects",
    "user": "Users and API keys",
    "admin-key": "Admin keys",
    "system": "System",
    "whoami": "Who am I",
    "apply": "A whole setup as one document",
}


def parts() -> dict[str, str]:
    """Each part's text by its name."""
    return {"operations": operations(), "commands": commands(), "flags": flags(), "variables": variables(), "exit codes": exit_codes()}


def in_place(text: str) -> str:
    """The README with each part between its marks; ``AssertionError`` names one whose marks are missing."""
    for name, part in parts().items():
        first, last = f"<!-- {name}: made by python3 -m tests.readme_reference -->", f"<!-- end of {name} -->"
        assert text.count(first) == text.count(last) == 1, f"the README needs these two lines, once: {first} {last}"
        before, _, rest = text.partition(first)
        text = f"{before}{first}\n\n{part}\n{last}{rest.partition(last)[2]}"
    return text


def operations() -> str:
    return "\n".join(_section(noun) for noun in MODULES)


def _section(noun: str) -> str:
    head = f"**{TITLES.get(noun, noun)}**\n\n" + _head("command", "request", "inputs")
    return head + "".join(_row(operation) for operation in for_noun(noun))


def _row(operation: Operation) -> str:
    path = operation.path.replace("/api/v1", "").replace("_identifier}", "}")
    command = find_command(operation.name.split())
    further = [param for param in command.params if param.name not in {each.name for each in operation.params}] if command else []
    inputs = ", ".join(_input(param) for param in (*operation.params, *further) if param.place != PATH)
    return f"| `{operation.name}` | `{operation.method} {path}` | {inputs} |\n"


def _input(param: Param) -> str:
    if param.place == COMMAND_LINE:
        return f"`--{param.flags[0]}` on the command line"
    names = [*param.names, param.file] if param.file else list(param.names)
    otherwise = [f"`--{flag}`" for flag in flags_of(param) if flag.replace("-", "_") not in names]
    flags = f" ({' or '.join(otherwise)})" if otherwise else ""
    return " \\| ".join(f"`{name}`" for name in names) + ("" if param.required else "?") + flags


def commands() -> str:
    topics = ", ".join(f"`{topic}`" for topic in TOPICS)
    rows = [f"| `{command.name}` | {_cell(command.summary)} | {_flags_of(command)} |\n" for command in _without_rows()]
    return (
        _head("command", "what it does", "flags")
        + "".join(rows)
        + f"| `{HELP} TOPIC` | Explain {topics}; `{MANUAL}`: the manual page | |\n"
    )


def _without_rows() -> Iterator[Command]:
    of_rows = {row.name for row in all_operations()}
    for noun in nouns():
        for name in [noun] if not verbs(noun) else [f"{noun} {verb}" for verb, _ in verbs(noun)]:
            command = find_command(name.split())
            if command is not None and name not in of_rows:
                yield command


def _flags_of(command: Command) -> str:
    return ", ".join(f"`--{flag}`" for param in command.params for flag in flags_of(param))


def flags() -> str:
    return _head("flag of all commands", "what it does") + "".join(f"| `{_cell(flag)}` | {_cell(text)} |\n" for flag, text in GLOBAL_FLAGS)


def variables() -> str:
    rows = [f"| `{name}` | {text} |\n" for name, text in SETTINGS.items()]
    servers = ", ".join(f"`{name}`" for name in server_settings())
    return (
        _head("environment variable", "what it does") + "".join(rows) + f"| {servers} | Each a flag of `system start-api`, which wins |\n"
    )


def exit_codes() -> str:
    also = " ".join(TOPICS["exit-codes"].partition("\n\n")[2].split()).replace("1 is also ", "or ").rstrip(".")
    texts = {**EXIT_CODES, 1: f"{EXIT_CODES[1]}, {also}"}
    return _head("exit code", "meaning") + "".join(f"| {code} | {text} |\n" for code, text in texts.items())


def _head(*titles: str) -> str:
    return f"| {' | '.join(titles)} |\n| {' | '.join('---' for _ in titles)} |\n"


def _cell(text: str) -> str:
    """Without what ends a cell, or would be taken for a mark of HTML."""
    return re.sub(r"([|<])", r"\\\1", text)


if __name__ == "__main__":
    README.write_text(in_place(README.read_text(encoding="utf-8")), encoding="utf-8")
