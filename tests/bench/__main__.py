"""``python3 -m tests.bench [--quick] [--seed N] [--plot FILE] [PART ...]``: how fast it is, each figure beside its reference.

Both are measured in the same run, turn by turn: a machine is never equally busy twice. The table at the end says which demands hold.
``make bench`` adds what needs packages (uvicorn, FastAPI, wrk), in throw-away places; without them those rows say that they were skipped.
``--plot`` names the file for the plot of growth (``.tools/bench/growth.svg``).
"""

from __future__ import annotations

import sys

from tests.bench.rows import Rows
from tests.parts import main
from tests.support import ROOT

PARTS = ("reads", "writes", "command_line", "memory", "reload", "workers", "growth")

if __name__ == "__main__":
    words, plot = sys.argv[1:], str(ROOT / ".tools" / "bench" / "growth.svg")
    if "--plot" in words:
        at = words.index("--plot")
        plot = words[at + 1]
        del words[at : at + 2]
    sys.exit(main("tests.bench", PARTS, words, Rows(plot)))
