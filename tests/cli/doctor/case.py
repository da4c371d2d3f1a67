"""A store to be examined."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

from tests.cli.server_process import ServerCase
from tests.support import DEADLINE, command, environment, run


class DoctorCase(ServerCase):
    """A store without faults; the port that would be taken is a free one."""

    def setUp(self) -> None:
        super().setUp()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        patched = mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_PORT=str(self.port))
        patched.start()
        self.addCleanup(patched.stop)

    def examined(self) -> list[dict[str, Any]]:
        ran = self.run_json("system", "doctor")
        findings: list[dict[str, Any]] = ran.data["findings"]
        self.assertEqual(ran.err, "")
        self.assertEqual(ran.code, 1 if ran.data["status"] == "problem" else 0)
        self.assertEqual(ran.data["status"], findings[0]["level"])
        self.assertEqual(
            [each for each in findings if bool(each["fix"]) is (each["level"] == "ok")], [], "a way out of each fault, and of nothing else"
        )
        return findings

    def faults(self, area: str) -> list[dict[str, Any]]:
        return [each for each in self.examined() if each["area"] == area and each["level"] != "ok"]

    def fault(self, area: str, level: str, part: str) -> dict[str, Any]:
        """The one fault of this area."""
        found = self.faults(area)
        self.assertEqual([each["level"] for each in found], [level], found)
        self.assertIn(part, found[0]["text"])
        return found[0]

    def mended(self, area: str, level: str, part: str) -> None:
        """The fault is there, and gone once its fix was typed."""
        fix = self.fault(area, level, part)["fix"]
        program, *words = shlex.split(fix)
        if program == "secure-mcp-gateway":
            ran = run(*words)
            self.assertEqual(ran.code, 0, (fix, ran.err))
        else:
            self.type_in_a_shell(fix)
        self.assertEqual(self.faults(area), [])

    def type_in_a_shell(self, fix: str) -> None:
        self.write("secure-mcp-gateway", f'#!/bin/sh\nexec {" ".join(command())} "$@"\n')
        os.chmod(self.path("secure-mcp-gateway"), 0o700)
        path = f"{self.folder}:{os.environ['PATH']}"
        done = subprocess.run(fix, shell=True, env=environment(PATH=path), input=b"", capture_output=True, timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, (fix, done.stderr))

    def edit(self, **changes: Any) -> None:
        """By hand, as one should not."""
        content = json.loads(Path(self.store).read_bytes())
        Path(self.store).write_text(json.dumps({**content, **changes}))
