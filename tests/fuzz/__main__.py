"""``python -m tests.fuzz [--quick] [--seed N] [PART ...]``: fuzzers that others wrote, on what the admin API reads and says.

They need packages: ``make fuzz`` puts them into an environment of their own and runs this there. Without them a part is skipped.
Each part does the same to variants of the product that are broken on purpose, which the same run must catch.
"""

from __future__ import annotations

import sys

from tests.parts import main

PARTS = ("schema", "readers")

if __name__ == "__main__":
    sys.exit(main("tests.fuzz", PARTS, sys.argv[1:]))
