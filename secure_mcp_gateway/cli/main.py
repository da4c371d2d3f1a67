"""The command line: ``secure-mcp-gateway NOUN VERB [--flag VALUE]``."""

from __future__ import annotations

import os
import sys

from secure_mcp_gateway.cli.arguments import asked_format, parse_flags, split_words
from secure_mcp_gateway.cli.commands import HELP, INTERRUPTED, Invocation, find_command, is_complete
from secure_mcp_gateway.cli.output import Output, terminal_width
from secure_mcp_gateway.errors import GatewayError, InternalError, InvalidRequest, fault_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DEBUG = "SECURE_MCP_GATEWAY_DEBUG"
COMPLETE = "__complete"


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code; every failure is said here and nowhere else."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    output = Output(asked_format(arguments), "--quiet" in arguments)
    try:
        code = _dispatch(arguments, output)
        output.flush()
        return code
    except GatewayError as error:
        output.error(error)
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        code = 1
    except KeyboardInterrupt:
        output.error(_Interrupted("interrupted"))
        code = INTERRUPTED
    except Exception as error:
        output.error(_incident(error))
        code = InternalError.exit_code
    output.give_up()
    return code


def _dispatch(arguments: list[str], output: Output) -> int:
    if arguments[:1] == [COMPLETE]:
        from secure_mcp_gateway.cli.completing import complete

        return complete(arguments[1:])
    words, rest = split_words(arguments, is_complete)
    command = find_command(words)
    params = command.params if command else ()
    given = parse_flags(" ".join(words), params, rest)
    if "version" in given:
        from secure_mcp_gateway import __version__

        output.text("version", f"secure-mcp-gateway {__version__}")
        return 0
    if "help" in given or words[:1] == [HELP]:
        output.text("help", _help(words))
        return 0
    if command is None:
        error = _incomplete(words)
        if not output.is_json:
            output.say(f"{_help(words)}\n")
            error.hint = ""
        raise error
    return command.run(Invocation(params, given, arguments, output))


def _help(words: list[str]) -> str:
    from secure_mcp_gateway.cli.help import WIDTH, help_text

    return help_text(words, terminal_width() or WIDTH)


def _incomplete(words: list[str]) -> InvalidRequest:
    if not words:
        return InvalidRequest("no command is given", "secure-mcp-gateway --help lists them")
    return InvalidRequest(f"{words[0]} needs a verb", f"secure-mcp-gateway {words[0]} --help lists those that there are")


class _Interrupted(GatewayError):
    code, exit_code = "interrupted", INTERRUPTED


def _incident(error: Exception) -> InternalError:
    """Its own text is shown only to who asks for it."""
    place = fault_place(error)
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    return InternalError(f"internal error, incident {os.urandom(8).hex()} ({place})", f"{DEBUG}=1 shows where it came from")
