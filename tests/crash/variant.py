"""``python3 -m tests.crash.variant MODULE:FUNCTION WORDS...``: the command line of a product that is broken on purpose.

The function breaks one promise in this process; then the words run as they would on the command line. The module is one of this
folder, or a full dotted name.
"""

from __future__ import annotations

import importlib
import sys


def main(words: list[str]) -> int:
    break_it(words[0])
    from secure_mcp_gateway.cli.main import main as command_line

    return command_line(words[1:])


def break_it(variant: str) -> None:
    module, _, function = variant.partition(":")
    getattr(importlib.import_module(module if "." in module else f"tests.crash.{module}"), function)()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
