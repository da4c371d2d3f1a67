"""The README says what there is, and nothing that is not."""

from __future__ import annotations

import os
import re
import unittest

from tests.readme_reference import reference

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Readme(unittest.TestCase):
    def setUp(self) -> None:
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            self.text = file.read()

    def test_its_table_of_operations_is_the_table(self) -> None:
        self.assertIn(reference(), self.text, "replace it by what `python3 -m tests.readme_reference` prints")

    def test_it_links_nowhere_off_site(self) -> None:
        hosts = set(re.findall(r"https?://([^/\s`'\")|:]+)", self.text))
        self.assertLessEqual({host for host in hosts if not host.endswith(".example.com")}, {"127.0.0.1", "localhost"})


if __name__ == "__main__":
    unittest.main()
