"""Servers that cannot be started here."""

from __future__ import annotations

import json
import os
import shlex
import unittest
from unittest import mock

from secure_mcp_gateway.cli.doctor import servers
from tests.cli.doctor.case import DoctorCase


class Servers(DoctorCase):
    def add(self, *flags: str, config: str = "default_config") -> None:
        self.done("config", "add-server", f"--config-name={config}", "--server-name=added", *flags)

    def test_a_command_that_is_not_on_this_machine(self) -> None:
        self.add("--server-command=no-such-command")
        advice = self.fault("servers", "problem", "there is no command 'no-such-command'")["advice"]
        self.assertIn("config update-server --config-name default_config --server-name added --server-command", advice)

    def test_in_a_config_that_nobody_uses_it_is_a_warning(self) -> None:
        self.done("config", "add", "--config-name=unused")
        self.add("--server-command=no-such-command", config="unused")
        self.fault("servers", "warning", "no-such-command")

    def test_what_brings_a_usual_command_is_said(self) -> None:
        self.add("--server-command=npx", '--env={"PATH": "/no/such"}')
        self.assertTrue(self.fault("servers", "problem", "'npx'")["advice"].startswith("install Node.js, or name another one: "))

    def test_it_is_looked_for_on_the_servers_own_path(self) -> None:
        self.write("own-command", "#!/bin/sh\n")
        os.chmod(self.path("own-command"), 0o700)
        self.add("--server-command=own-command", "--env=" + json.dumps({"PATH": "/no/such:${env:MORE}"}))
        with mock.patch.dict(os.environ, MORE=self.folder):
            self.assertEqual(self.faults("servers"), [])
        self.assertEqual(len(self.faults("servers")), 2, "without it neither the path nor the command")

    def test_a_command_that_may_not_be_run(self) -> None:
        self.add("--server-command=" + self.write("own-command", "#!/bin/sh\n"))
        self.mended("servers", "problem", "may not be run")

    def test_references_that_lead_nowhere(self) -> None:
        self.add("--server-command=sh", '--args=["--key=${file:' + self.path("secret") + '}"]')
        advice = self.fault("servers", "problem", "cannot be read")["advice"]
        self.assertIn(f"install -m 600 /dev/stdin {self.path('secret')} ", advice)
        os.mkdir(self.path("secret"))
        self.assertIn("put a file with the value in its place", self.fault("servers", "problem", "it is a folder")["advice"])
        self.done("config", "remove-server", "--config-name=default_config", "--server-name=added")
        self.add("--server-url=https://tools.example.com/mcp", '--headers={"Authorization": "Bearer ${env:NO_SUCH_TOKEN}"}')
        self.assertIn("export NO_SUCH_TOKEN=", self.fault("servers", "warning", "${env:NO_SUCH_TOKEN} is not set here")["advice"])

    def test_a_file_that_is_there_and_may_not_be_read(self) -> None:
        self.add("--server-command=sh", '--args=["--key=${file:' + self.write("it's", "x") + '}"]')
        with mock.patch.object(servers, "_is_readable", return_value=False):
            fix = self.fault("servers", "problem", "cannot be read by this user")["fix"]
        self.assertEqual(shlex.split(fix), ["chmod", "u+r", self.path("it's")])


if __name__ == "__main__":
    unittest.main()
