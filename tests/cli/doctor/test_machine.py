"""Faults of the machine."""

from __future__ import annotations

import unittest
from unittest import mock

from secure_mcp_gateway.cli.doctor import finding, machine
from tests.cli.doctor.case import DoctorCase


class TheMachine(DoctorCase):
    def test_a_clock_that_went_back(self) -> None:
        with mock.patch.object(finding, "now_text", return_value="2026-01-01T00:00:00.000000+00:00"):
            self.fault("clock", "problem", "it went back")
        with mock.patch.object(finding, "now_text", return_value="1970-01-01T00:00:00.000000+00:00"):
            self.fault("clock", "problem", "before this program was made")

    def test_the_clock_is_set_by_systemd_where_that_runs(self) -> None:
        for runs in (True, False):
            with mock.patch("os.path.isdir", return_value=runs):
                found = machine._wrong("problem", "x")
            self.assertEqual((found.fix.endswith("timedatectl set-ntp true"), bool(found.advice)), (runs, not runs))

    def test_a_clock_that_is_far_ahead(self) -> None:
        with mock.patch.object(finding, "now_text", return_value="2099-01-01T00:00:00.000000+00:00"):
            self.fault("clock", "warning", "ten years")

    def test_a_python_without_security_fixes(self) -> None:
        for version, now, level, part in (
            ((3, 8, 1), "2026-11-01", "problem", "older than 3.9"),
            ((3, 12, 1), "2028-11-01", "warning", "gets no security fixes since 2028-10"),
            ((3, 12, 1), "2028-09-01", "warning", "until 2028-10 only"),
        ):
            time = f"{now}T00:00:00.000000+00:00"
            with mock.patch.object(machine.sys, "version_info", version), mock.patch.object(finding, "now_text", return_value=time):
                found = list(machine.check_python(mock.Mock(now=time)))
            self.assertEqual([each.level for each in found], [level])
            self.assertIn(part, found[0].text)
        with mock.patch.object(machine.sys, "version_info", (3, 12, 1)):
            self.assertEqual([each.level for each in machine.check_python(mock.Mock(now="2028-01-01T00:00:00.000000+00:00"))], ["ok"])

    def test_a_python_without_tls(self) -> None:
        with mock.patch.dict("sys.modules", ssl=None):
            self.fault("tls", "warning", "no ssl module")
        old = mock.Mock(HAS_TLSv1_2=False, HAS_TLSv1_3=False, OPENSSL_VERSION="OpenSSL 0.9")
        with mock.patch.dict("sys.modules", ssl=old):
            self.fault("tls", "warning", "OpenSSL 0.9 knows neither")


if __name__ == "__main__":
    unittest.main()
