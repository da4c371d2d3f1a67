"""``python3 -m secure_mcp_gateway``: the command line, from a checkout or an installed package."""

import sys

from secure_mcp_gateway.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
