"""``python3 -m secure_mcp_gateway``: the command line, from a checkout or an installed package."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def console() -> NoReturn:
    """Nothing is imported before the first line of this: Ctrl-C during the imports must not show a traceback."""
    try:
        from secure_mcp_gateway.cli.main import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    console()
