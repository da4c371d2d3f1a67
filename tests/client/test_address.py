"""The URL of a server, and the key for it out of a file that is one's own."""

from __future__ import annotations

import os
import unittest
from shlex import quote
from unittest import mock

from secure_mcp_gateway.client.address import checked_key, key_in_file, server_at
from secure_mcp_gateway.errors import InvalidRequest
from tests.support import FolderCase

KEY = "smga_" + "K" * 43


class Urls(unittest.TestCase):
    def test_what_is_named(self) -> None:
        for url, shown in (
            ("http://localhost", "http://localhost:80"),
            ("https://Gateway.Example.com/", "https://gateway.example.com:443"),
            ("https://127.0.0.1:8001/smg/", "https://127.0.0.1:8001/smg"),
            ("http://[::1]:8001", "http://[::1]:8001"),
            ("HTTPS://h:0", "https://h:0"),
        ):
            self.assertEqual(str(server_at(url, "--server")), shown)

    def test_what_is_no_server(self) -> None:
        for url in (
            "localhost:8001",
            "127.0.0.1",
            "ftp://host",
            "http://",
            "http:///path",
            "http://host:99999",
            "http://host:x",
            "http://[::1",
            "http://ho st",
            "http://host\r\nX: y",
            "http://höst",
            "http://host\\x",
            "http://host/?q",
            "http://host/#f",
            "//host",
        ):
            with self.subTest(url=url), self.assertRaises(InvalidRequest) as caught:
                server_at(url, "--server")
            self.assertIn("--server", caught.exception.message)

    def test_a_key_in_the_url_is_not_taken_and_not_repeated(self) -> None:
        with self.assertRaises(InvalidRequest) as caught:
            server_at("http://user:ek-secret@host", "--server")
        self.assertNotIn("ek-secret", caught.exception.detail)

    def test_what_stays_on_this_machine(self) -> None:
        for host, stays in (
            ("127.0.0.1", 1),
            ("127.9.9.9", 1),
            ("[::1]", 1),
            ("localhost", 1),
            ("a.localhost", 1),
            ("10.0.0.1", 0),
            ("local", 0),
        ):
            self.assertEqual(server_at(f"http://{host}", "--server").is_loopback(), bool(stays), host)


class Keys(FolderCase):
    def refused(self, path: str) -> str:
        with self.assertRaises(InvalidRequest) as caught:
            key_in_file(path, "--api-key-file")
        self.assertNotIn("smga_", caught.exception.detail)
        return caught.exception.detail

    def private(self, content: str | bytes, mode: int = 0o600) -> str:
        path = self.write("key", content)
        os.chmod(path, mode)
        return path

    def test_a_private_file_with_a_line(self) -> None:
        for content, mode in ((KEY, 0o600), (f" {KEY}\r\n\n", 0o400), (f"\ufeff{KEY}\r\n", 0o600)):
            self.assertEqual(key_in_file(self.private(content, mode), "--api-key-file"), KEY)
            os.remove(self.path("key"))

    def test_a_file_that_others_can_read_says_how_to_mend_it(self) -> None:
        for mode in (0o640, 0o604, 0o620, 0o601):
            detail = self.refused(self.private(KEY, mode))
            self.assertIn(f"can be read by others (mode {mode:04o}); chmod 600 {quote(self.path('key'))}", detail)

    def test_a_file_of_another_user(self) -> None:
        path = self.private(KEY)
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            self.assertIn("belongs to another user", self.refused(path))

    def test_what_is_no_regular_file(self) -> None:
        os.mkfifo(self.path("fifo"), 0o600)
        for path in (self.folder, self.path("fifo"), "/dev/null"):
            self.assertIn("is not a regular file", self.refused(path))
        self.assertIn("cannot be read: no such file", self.refused(self.path("none")))
        self.assertIn("cannot be read", self.refused("a\0b"))

    def test_what_is_no_key(self) -> None:
        for content in ("", " \n", "two words", "ä", b"\xff\xfe", "a\nb", "k" * 5000, "a\x07"):
            with self.subTest(content=content):
                self.assertIn("--api-key-file", self.refused(self.private(content)))
        with self.assertRaises(InvalidRequest):
            checked_key("smg_a\r\nX: y", "$KEY")


if __name__ == "__main__":
    unittest.main()
