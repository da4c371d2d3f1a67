"""The README says what there is, and nothing that is not."""

from __future__ import annotations

import os
import re
import unittest

from tests.readme_reference import in_place

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Readme(unittest.TestCase):
    def setUp(self) -> None:
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            self.text = file.read()

    def test_its_reference_is_that_of_the_program(self) -> None:
        self.assertEqual(in_place(self.text), self.text, "python3 -m tests.readme_reference brings it up to date")

    def test_it_links_nowhere_off_site(self) -> None:
        hosts = set(re.findall(r"https?://([^/\s`'\")|:]+)", self.text))
        self.assertLessEqual({host for host in hosts if not host.endswith(".example.com")}, {"127.0.0.1", "localhost"})


if __name__ == "__main__":
    unittest.main()
