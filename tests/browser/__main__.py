"""``python3 -m tests.browser [--quick] [PART ...]``: uses the pages as a person does, in a headless Chromium.

Each part is a module and the script of the same name, which node runs; it drives the browser against a server started for it.
Variants of the pages that are broken on purpose must be caught. What the browser draws goes to ``.tools/browser/shots``.
"""

from __future__ import annotations

import sys

from tests.parts import main

PARTS = ("loading", "tries", "workflow", "accessibility", "keyboard", "markup", "narrow", "shots")

if __name__ == "__main__":
    sys.exit(main("tests.browser", PARTS, sys.argv[1:]))
