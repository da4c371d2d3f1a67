"""What was typed: the command's words, and the flags of that one command."""

from __future__ import annotations

import argparse

from secure_mcp_gateway.errors import InvalidRequest
from secure_mcp_gateway.params import BOOLEAN, DOCUMENT, STRINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn

    from secure_mcp_gateway.params import Param

PROGRAM = "secure-mcp-gateway"
FORMATS = ("table", "json")
# The flags of all commands: those that take a value, and those that do not.
WITH_VALUE = ("--store", "--format", "--server", "--api-key-file", "--ca-file", "--client-cert", "--client-key")
SWITCHES = ("--quiet", "--version", "--allow-network-fs", "--help", "-h")


def as_started() -> str:
    """The program as one can type it: by its name where that finds it, else by its path, and from a checkout by the Python that runs it."""
    import os
    import sys
    from shutil import which

    from secure_mcp_gateway.shell import quote

    started = sys.argv[0]
    if os.path.basename(started) != PROGRAM:
        return f"{quote(sys.executable)} -m secure_mcp_gateway"
    found = which(PROGRAM)
    same = found is not None and os.path.realpath(found) == os.path.realpath(started)
    return PROGRAM if same else quote(os.path.abspath(started))


def asked_format(arguments: Sequence[str]) -> str:
    """What ``--format`` says, before anything is checked: an error must come in the right format too. Empty where it says nothing."""
    found = ""
    for at, word in enumerate(arguments):
        if word == "--format" and at + 1 < len(arguments):
            found = arguments[at + 1]
        elif word.startswith("--format="):
            found = word.partition("=")[2]
    return found if found in FORMATS else ""


def split_words(arguments: Sequence[str], is_complete: Callable[[list[str]], bool]) -> tuple[list[str], list[str]]:
    """(the command's words, everything else). Global flags may stand between the words, a command's own only after them."""
    words: list[str] = []
    rest = list(arguments)
    at = 0
    while at < len(rest) and not is_complete(words):
        if rest[at] in WITH_VALUE:
            at += 2
        elif rest[at].partition("=")[0] in (*WITH_VALUE, *SWITCHES):
            at += 1
        elif rest[at].startswith("-"):
            break
        else:
            words.append(rest.pop(at))
    return words, rest


def parse_flags(command: str, params: Iterable[Param], arguments: Sequence[str]) -> dict[str, Any]:
    """What was given for each flag (without dashes): its text, a list of texts where it takes a list, True for a global switch."""
    parser = _parser(params)
    given, rest = parser.parse_known_args(list(arguments))
    if rest:
        raise _unknown(command, rest[0], parser.flags)
    return vars(given)


def inline_flags(param: Param) -> tuple[str, ...]:
    """A document is never typed: it has its file's flag alone."""
    return () if param.kind == DOCUMENT else param.flags


def flags_of(param: Param) -> tuple[str, ...]:
    return (*inline_flags(param), param.file_flag) if param.file else inline_flags(param)


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1)), "")


def safe(text: str) -> str:
    """A word to be quoted in a message; a secret that was typed in a wrong place is not."""
    return "***" if text.lstrip("-").startswith(("smg_", "smga_")) else text if len(text) <= 60 else text[:60] + "..."


def _unknown(command: str, word: str, known: Sequence[str]) -> InvalidRequest:
    whole = f"{PROGRAM} {command}".rstrip()
    name, way_out = command or PROGRAM, f"{whole} --help lists the flags"
    if not word.startswith("-"):
        return InvalidRequest(f"{name} takes flags only, not the word {safe(word)!r}", way_out)
    flag = word.partition("=")[0]
    # A single letter stands for the last such flag: the command's own come behind those of all commands.
    near = suggestion(flag.lstrip("-"), known) or next((each for each in reversed(known) if flag == f"-{each[0]}"), "")
    return InvalidRequest(f"{name} has no flag {safe(flag)}", f"did you mean --{near}?" if near else way_out)


class _Parser(argparse.ArgumentParser):
    """Every error of its own becomes one of ours."""

    flags: list[str]

    def error(self, message: str) -> NoReturn:
        text = message[len("argument ") :] if message.startswith("argument ") else message
        flag, _, problem = text.partition(": ")
        if problem.startswith("expected"):
            raise InvalidRequest(f"{flag} needs a value", f"one that begins with a dash is given as {flag}=VALUE")
        raise InvalidRequest(f"{flag} must be {' or '.join(FORMATS)}" if problem.startswith("invalid choice") else text)


class _Once(argparse.Action):
    """The last of two values winning in silence is a trap."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if hasattr(namespace, self.dest):
            parser.error(f"{option_string} is given twice")
        setattr(namespace, self.dest, values)


def _parser(params: Iterable[Param]) -> _Parser:
    parser = _Parser(
        prog=PROGRAM,
        add_help=False,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        # One is made for each flag, and without a width each asks the terminal, which costs an import of half of shutil's friends.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=80),
    )
    parser.flags = [name.lstrip("-") for name in (*WITH_VALUE, *SWITCHES)]
    for flag in WITH_VALUE:
        parser.add_argument(flag, action=_Once, dest=flag[2:], choices=FORMATS if flag == "--format" else None)
    for flag in SWITCHES:
        parser.add_argument(flag, action="store_true", dest="help" if flag == "-h" else flag[2:])
    for param in params:
        for flag in flags_of(param):
            _add(parser, param, flag)
            parser.flags.append(flag)
    return parser


def _add(parser: _Parser, param: Param, flag: str) -> None:
    if param.kind == STRINGS:
        parser.add_argument(f"--{flag}", action="append", dest=flag)
    elif param.kind == BOOLEAN:
        parser.add_argument(f"--{flag}", action=_Once, dest=flag, nargs="?", const="true")
    else:
        parser.add_argument(f"--{flag}", action=_Once, dest=flag)
