"""The manual page is one that man's own programs find nothing wrong with."""

from __future__ import annotations

import re
import shutil
import subprocess
import unittest

from secure_mcp_gateway.cli.commands import nouns
from secure_mcp_gateway.cli.manual import _escaped
from secure_mcp_gateway.cli.topics import TOPICS
from tests.support import DEADLINE, FolderCase, environment, run


class Manual(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        ran = run("help", "man", "--format", "table")
        self.assertEqual((ran.code, ran.err), (0, ""))
        self.page = ran.out

    def test_it_has_the_sections_that_readers_look_for(self) -> None:
        sections = re.findall(r'^\.SH "(.*)"$', self.page, re.MULTILINE)
        self.assertEqual(sections[:4], ["NAME", "SYNOPSIS", "COMMANDS", "FLAGS OF ALL COMMANDS"])
        self.assertEqual(sections[-3:], ["ENVIRONMENT", "FILES", "EXIT STATUS"])
        self.assertLessEqual({topic.upper() for topic in TOPICS} - {"ENVIRONMENT", "EXIT-CODES"}, set(sections))
        subsections = re.findall(r'^\.SS "(.*)"$', self.page, re.MULTILINE)
        self.assertEqual([each.replace("\\-", "-") for each in subsections], nouns())

    def test_text_cannot_become_a_request_or_an_escape(self) -> None:
        self.assertEqual(_escaped('.TH "x'), "\\&.TH \\(dqx")
        self.assertEqual(_escaped("'so"), "\\(aqso")
        self.assertEqual(_escaped('a\\fB "q" -x'), "a\\efB \\(dqq\\(dq \\-x")
        self.assertEqual([line for line in self.page.splitlines() if re.match(r"'|\.(?!TH|SH|SS|TP|TQ|B|RS|RE|PP|nf|fi|nh|ad)", line)], [])

    def shown(self, *argv: str) -> str:
        """What it says of the page, of which it must not complain."""
        path = self.write("page.1", self.page)
        settings = environment(MANWIDTH="80", LC_ALL="C.UTF-8", MANPAGER="cat")
        done = subprocess.run([*argv, path], env=settings, capture_output=True, encoding="utf-8", timeout=DEADLINE, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout

    @unittest.skipUnless(shutil.which("groff"), "there is no groff")
    def test_groff_warns_of_nothing(self) -> None:
        self.assertEqual(self.shown("groff", "-man", "-ww", "-z"), "")

    @unittest.skipUnless(shutil.which("man") and shutil.which("groff"), "there is no man, or no groff for it")
    def test_man_shows_what_can_be_pasted(self) -> None:
        shown = self.shown("man", "--warnings", "-l")
        self.assertIn("secure-mcp-gateway - ", shown)
        self.assertIn("""--tools '{"read_file": "Reads", "write_file": {"enabled": false}}'""", shown)
        self.assertIn("~/.secure-mcp-gateway/store.json", shown)
        self.assertIn('--server-name files --server-command npx --args="-y,@scope/server" \\\n', shown)


if __name__ == "__main__":
    unittest.main()
