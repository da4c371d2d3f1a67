"""What is wrong with a TLS file is said of its flag and of the file."""

from __future__ import annotations

import os
import subprocess
import unittest

from tests.support import StoreCase
from tests.web.authority import NO_OPENSSL, OPENSSL, Authority


@unittest.skipUnless(OPENSSL, NO_OPENSSL)
class TlsFlags(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        authority = Authority(self.folder, "ca")
        self.pair, self.other = authority.issue("one"), authority.issue("other")

    def said(self, certificate: str, key: str, *more: str) -> str:
        return self.refused(2, "system", "start-api", "--port=0", f"--tls-cert={certificate}", f"--tls-key={key}", *more)

    def test_a_file_that_cannot_be_read_is_named_with_its_flag(self) -> None:
        none = self.path("none")
        for path, reason in ((none, "no such file"), (self.folder, "a folder")):
            for flag, said in (
                ("--tls-cert", self.said(path, self.pair.key)),
                ("--tls-key", self.said(self.pair.certificate, path)),
                ("--tls-client-ca", self.said(*self.pair, f"--tls-client-ca={path}")),
            ):
                self.assertIn(f"{flag} cannot be used", said)
                self.assertIn(reason, said)
                self.assertIn(f"({path})", said)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_file_that_this_user_may_not_read(self) -> None:
        os.chmod(self.pair.key, 0)
        self.assertIn("--tls-key cannot be used: this user may not read it", self.said(*self.pair))

    def test_a_file_of_another_kind_is_named_with_its_flag(self) -> None:
        for path in (self.store, self.pair.key):
            said = self.said(path, self.pair.key)
            self.assertIn("--tls-cert cannot be used: there is no certificate in it", said)
            self.assertIn(path, said)
        for path in (self.store, self.pair.certificate):
            said = self.said(self.pair.certificate, path)
            self.assertIn("--tls-key cannot be used: there is no private key in it", said)
            self.assertIn(path, said)

    def test_a_key_of_another_certificate_is_said_to_be_that(self) -> None:
        self.assertIn("--tls-key cannot be used: it is not the key of the certificate", self.said(self.pair.certificate, self.other.key))
        subprocess.run([OPENSSL, "genrsa", "-out", self.path("rsa.key"), "2048"], check=True, capture_output=True, timeout=30)
        self.assertIn("it is not the key of the certificate", self.said(self.pair.certificate, self.path("rsa.key")))


if __name__ == "__main__":
    unittest.main()
