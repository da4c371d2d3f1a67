"""``python3 -m tests.crash [--quick] [--seed N] [PART ...]``: proves what the store promises, the hard way.

Each part breaks something from outside (power, processes, system calls, files, bytes) and looks at what is left, then does the same
to a variant of the product that is broken on purpose, which it must catch.
"""

from __future__ import annotations

import sys

from tests.parts import main

PARTS = ("power", "caches", "kills", "faults", "places", "histories", "tampering", "restores")

if __name__ == "__main__":
    sys.exit(main("tests.crash", PARTS, sys.argv[1:]))
