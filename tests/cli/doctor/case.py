"""A store to be examined."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from secure_mcp_gateway.cli.arguments import PROGRAM, flags_of, parse_flags, split_words
from secure_mcp_gateway.cli.commands import find_command, is_complete
from tests.cli.server_process import ServerCase
from tests.support import DEADLINE, command, environment, run


class DoctorCase(ServerCase):
    """A store without faults; the port that would be taken is a free one."""

    def setUp(self) -> None:
        super().setUp()
        # As it is installed: what a fix calls is on the PATH.
        os.mkdir(self.path("bin"))
        self.program = self.write("bin/secure-mcp-gateway", f'#!/bin/sh\nexec {" ".join(command())} "$@"\n')
        os.chmod(self.program, 0o700)
        started = mock.patch.object(sys, "argv", [self.program])
        started.start()
        self.addCleanup(started.stop)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        path = f"{self.path('bin')}:{os.environ['PATH']}"
        patched = mock.patch.dict(os.environ, SECURE_MCP_GATEWAY_PORT=str(self.port), PATH=path)
        patched.start()
        self.addCleanup(patched.stop)

    def examined(self) -> list[dict[str, Any]]:
        ran = self.run_json("system", "doctor")
        findings: list[dict[str, Any]] = ran.data["findings"]
        self.assertEqual(ran.err, "")
        self.assertEqual(ran.code, 1 if ran.data["status"] == "problem" else 0)
        self.assertEqual(ran.data["status"], findings[0]["level"])
        for each in findings:
            ways_out = [way for way in (each["fix"], each["advice"]) if way]
            self.assertEqual(len(ways_out), each["level"] != "ok", f"one way out of each fault, and of nothing else: {each}")
            if each["fix"]:
                self.assert_can_be_pasted(each["fix"])
            elif each["advice"] and PROGRAM in each["advice"]:
                words = shlex.split(each["advice"][each["advice"].index(PROGRAM) :])
                self.assert_is_a_command(words, each["advice"], "[A-Z]{3,}")
        return findings

    def assert_can_be_pasted(self, fix: str) -> None:
        """The shell takes it, what it calls is there, and our own parser takes what is ours."""
        said = subprocess.run(["sh", "-n", "-c", fix], capture_output=True, timeout=DEADLINE, check=False)
        self.assertEqual((said.returncode, said.stderr), (0, b""), fix)
        words: list[str] = []
        for word in [*shlex.split(fix), "&&"]:
            if word != "&&":
                words.append(word)
                continue
            self.assert_is_a_command(words, fix)
            words = []

    def assert_is_a_command(self, words: list[str], fix: str, open_words: str = "") -> None:
        """``open_words``: what a word that is still to be put in looks like, where there may be some."""
        if words[0] == "sudo":
            words = words[3:] if words[1] == "-u" else words[1:]
        is_open = [word for word in words if re.fullmatch("[A-Z]{3,}", word) and not re.fullmatch(open_words, word)]
        self.assertEqual(is_open, [], f"something is still to be put in: {fix}")
        if words[0] != PROGRAM:
            self.assertIn(words[0], ("chmod", "chown", "cp", "kill", "mount", "mv", "rm", "timedatectl"), fix)
            return
        named, rest = split_words(words[1:], is_complete)
        found = find_command(named)
        assert found is not None, fix
        given = parse_flags(found.name, found.params, rest)
        for param in found.params:
            self.assertTrue(not param.required or any(flag in given for flag in flags_of(param)), (param.name, fix))

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
        if program == PROGRAM and "&&" not in words:
            ran = run(*words)
            self.assertEqual(ran.code, 0, (fix, ran.err))
        else:
            self.type_in_a_shell(fix)
        self.assertEqual(self.faults(area), [])

    def type_in_a_shell(self, fix: str) -> None:
        done = subprocess.run(fix, shell=True, env=environment(), input=b"", capture_output=True, timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, (fix, done.stderr))

    def edit(self, **changes: Any) -> None:
        """By hand, as one should not."""
        content = json.loads(Path(self.store).read_bytes())
        Path(self.store).write_text(json.dumps({**content, **changes}))
