"""``python3 -m tests.hostile [--quick] [--seed N] [PART ...]``: attacks the admin API as whatever is on its network may.

Each part does to a real server what the contract says it withstands, then does the same to a variant of the product that is
broken on purpose, which it must catch.
"""

from __future__ import annotations

import sys

from tests.parts import main

PARTS = ("requests", "crowds", "keys", "named_files", "told")

if __name__ == "__main__":
    sys.exit(main("tests.hostile", PARTS, sys.argv[1:]))
