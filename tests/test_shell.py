"""What is shown to be pasted is one word of that very text in every shell that the program completes in."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import unittest

from secure_mcp_gateway.shell import join, quote

HOSTILE = (
    *("", "plain", "a b", "it's !x", "\\", "\\\\'", "end\\", "'", "''", '"', "$HOME", "${IFS}", "`touch pwned`", "$(touch pwned)"),
    *("(touch pwned)", "\\'$(touch pwned)\"\\", "\\'(touch pwned)'\\", "=ls", "a=ls", "%self", "~"),
    *("[ab]*?", "{a,b}", "#x", "a;touch pwned", "a\nb", "\u00fc\u2028"),
)

_WITHOUT_SETTINGS = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}


class TestShell(unittest.TestCase):
    def test_a_quoted_text_is_that_text_to_a_posix_shell(self) -> None:
        for text in HOSTILE:
            self.assertEqual([text], shlex.split(quote(text)))

    def test_plain_words_stay_as_they_are(self) -> None:
        self.assertEqual("chmod 600 /srv/smg/store.json --a=b", join(["chmod", "600", "/srv/smg/store.json", "--a=b"]))

    def test_every_shell_reads_the_same_text_and_runs_nothing_of_it(self) -> None:
        for shell in _WITHOUT_SETTINGS:
            if shutil.which(shell):
                with self.subTest(shell), tempfile.TemporaryDirectory() as folder:
                    command = [shell, _WITHOUT_SETTINGS[shell], "-c", f"printf '%s\\0' {join(HOSTILE)}"]
                    said = subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=20)
                    self.assertEqual([*HOSTILE, ""], said.stdout.decode().split("\0"))
                    self.assertEqual([], os.listdir(folder))
