"""The scripts of ``completion`` in the shells themselves, with names that a shell could take for something else."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path
from shlex import quote

from tests.support import DEADLINE, StoreCase, environment, run

HOSTILE = (
    'two it\'s "quoted" $HOME',
    "$(touch harm)`touch harm`;touch harm",
    '"back\\slash" a=b co:lon:s',
    "é 漢字\u3000wide {a,b}*?[x]",
    "!!wow! #x &|<> \\",
    '~tilde "',
    "'",
    "#hash!",
)
# Run instead of the program: what it was given goes to a file, but for completion, which is the program's own.
STAND_IN = """#!/bin/sh
if [ "$1" = __complete ]; then exec {python} -S -m secure_mcp_gateway "$@"; fi
printf '%s\\0' "$@" {end} >>{given}
"""
END = "(end of a call)"
MARK = "ready> "


class ShellCase(StoreCase):
    """A folder that is the shell's home and first in its PATH."""

    def setUp(self) -> None:
        super().setUp()
        self.given = self.path("given")
        program = self.path("secure-mcp-gateway")
        Path(program).write_text(STAND_IN.format(python=quote(sys.executable), given=quote(self.given), end=f"'{END}'"), encoding="utf-8")
        os.chmod(program, 0o700)
        self.settings = environment(
            PATH=f"{self.folder}:{os.environ['PATH']}",
            HOME=self.folder,
            LC_ALL="C.UTF-8",
            TERM="dumb",
            SECURE_MCP_GATEWAY_STORE=self.store,
        )

    def script(self, shell: str) -> str:
        """As the stand-in is to be called: by its name."""
        text = run("completion", shell, "--format", "table").out
        return self.write(f"script.{shell}", text.replace(f"{quote(sys.executable)} -m secure_mcp_gateway", "secure-mcp-gateway"))


@unittest.skipUnless(shutil.which("bash"), "there is no bash")
class Bash(ShellCase):
    """At a terminal, where readline puts the answers into the line."""

    def setUp(self) -> None:
        super().setUp()
        rc = self.write("rc", f"PS1='{MARK}'\nbind 'set bell-style none'\nsource {quote(self.script('bash'))}\n")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.folder)
            os.execvpe("bash", ["bash", "--noprofile", "--rcfile", rc, "-i"], self.settings)
        self.addCleanup(self._end)
        self.seen = b""
        self._until(MARK)

    def _end(self) -> None:
        os.close(self.terminal)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)

    def _until(self, text: str) -> str:
        """What is shown up to this text, which is new."""
        wanted = text.encode()
        end = time.monotonic() + DEADLINE
        while wanted not in self.seen:
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                self.fail(f"{text!r} was not shown but {self.seen!r}")
            self.seen += os.read(self.terminal, 65536)
        shown, _, self.seen = self.seen.partition(wanted)
        return shown.decode("utf-8", "replace")

    def typed(self, line: str) -> list[str]:
        """The words that the program is given when this is typed and entered; TAB is in it."""
        count = len(self.calls())
        os.write(self.terminal, line.encode() + b"\n")
        self._until(MARK)
        self.assertEqual(len(self.calls()), count + 1, line)
        return self.calls()[-1]

    def calls(self) -> list[list[str]]:
        if not os.path.exists(self.given):
            return []
        return [call.split("\0") for call in Path(self.given).read_text(encoding="utf-8").split(f"\0{END}\0")[:-1]]

    def listed(self, line: str) -> str:
        """What a TAB shows where the one before it had nothing to insert."""
        os.write(self.terminal, line.encode() + b"\t\t\t")
        self._until("\n")
        shown = self._until(MARK)
        os.write(self.terminal, b"\n")
        self._until(MARK)
        return shown

    def test_nouns_verbs_and_flags_are_completed(self) -> None:
        self.assertEqual(self.typed("secure-mcp-gateway conf\tlist-p\t--config-n\tx"), ["config", "list-projects", "--config-name", "x"])
        self.assertEqual(self.typed("secure-mcp-gateway user generate-a\t"), ["user", "generate-api-key"])
        self.assertEqual(self.typed("secure-mcp-gateway help exi\t"), ["help", "exit-codes"])

    def test_names_with_anything_in_them_arrive_as_one_word(self) -> None:
        before = "default_config"
        for name in HOSTILE:
            self.done("config", "rename", f"--config-name={before}", f"--new-name={name}")
            before = name
            half = "".join(f"\\{char}" for char in name[: len(name) // 2])
            for ways in (" \t", ' "\t', " '\t", f"={half}\t"):
                given = self.typed(f"secure-mcp-gateway config get --config-name{ways}")
                self.assertEqual(given[2:], ["--config-name", name] if ways[0] == " " else [f"--config-name={name}"], ways)
        self.assertFalse(os.path.exists(self.path("harm")))

    def test_several_names_are_listed_and_completed_as_far_as_they_agree(self) -> None:
        for name in ("team one", "team two"):
            self.done("config", "add", f"--config-name={name}")
        shown = self.listed("secure-mcp-gateway config get --config-name te")
        self.assertIn("team\\ one", shown)
        self.assertIn("team\\ two", shown)
        self.assertEqual(self.typed("secure-mcp-gateway config get --config-name te\tt\t")[3], "team two")

    def test_files_are_the_shells_own_and_behind_at_ours(self) -> None:
        os.makedirs(self.path("some folder"))
        self.write("some folder/in put.json", "{}")
        self.assertEqual(self.typed("secure-mcp-gateway config import --input-file som\tin\t")[3], "some folder/in put.json")
        self.assertEqual(
            self.typed("secure-mcp-gateway config import --input-file=~/som\tin\t")[2], "--input-file=~/some folder/in put.json"
        )
        self.assertEqual(self.typed("secure-mcp-gateway config add-server --env @som\tin\t")[3], "@some folder/in put.json")

    def test_an_unknown_line_offers_nothing(self) -> None:
        self.assertEqual(self.typed("secure-mcp-gateway bogus x\t"), ["bogus", "x"])


@unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
class Zsh(ShellCase):
    def test_the_function_hands_its_answers_over_as_they_are(self) -> None:
        for name in HOSTILE:
            self.done("config", "add", f"--config-name={name}")
        # Outside of a completion its parameters are plain ones, and what takes the answers is ours.
        script = (
            'compdef() { : }; compadd() { print -rN -- "${(@)texts}" }; source $1;'
            " words=(secure-mcp-gateway config get --config-name ''); CURRENT=5; PREFIX=; _secure_mcp_gateway"
        )
        argv = ["zsh", "-f", "-c", script, "zsh", self.script("zsh")]
        done = subprocess.run(argv, cwd=self.folder, env=self.settings, capture_output=True, encoding="utf-8", timeout=DEADLINE, check=True)
        self.assertEqual(sorted(done.stdout.split("\0")[:-1]), sorted([*HOSTILE, "default_config"]))


@unittest.skipUnless(shutil.which("fish"), "there is no fish")
class Fish(ShellCase):
    def offered(self, *lines: str) -> list[list[str]]:
        """For each line, without what is said of the words."""
        script = self.script("fish")
        asked = 'source $argv[1]; for line in $argv[2..-1]; complete -C "secure-mcp-gateway $line"; printf "\\0"; end'
        argv = ["fish", "--no-config", "-c", asked, script, *lines]
        done = subprocess.run(argv, cwd=self.folder, env=self.settings, capture_output=True, encoding="utf-8", timeout=DEADLINE, check=True)
        self.assertEqual(done.stderr, "")
        return [[line.partition("\t")[0] for line in part.splitlines()] for part in done.stdout.split("\0")[:-1]]

    def test_names_are_offered_as_they_are(self) -> None:
        for name in HOSTILE:
            self.done("config", "add", f"--config-name={name}")
        self.assertEqual(sorted(*self.offered("config get --config-name ")), sorted([*HOSTILE, "default_config"]))

    def test_what_is_typed_of_a_word_counts_with_its_flag_and_quotes(self) -> None:
        for name in ("two words", "--dash"):
            self.done("config", "add", f"--config-name={name}")
        lines = ["config get --config-name=def", "config get --config-name='two w", "config get --config-name=-", "user list --format=j"]
        offered = ["--config-name=default_config", "--config-name=two words", "--config-name=--dash", "--format=json"]
        self.assertEqual(self.offered(*lines), [[each] for each in offered])

    def test_of_many_names_those_are_offered_that_begin_as_typed(self) -> None:
        users = [f"user{number}@example.com" for number in range(100, 350)]
        desired = self.write("desired.json", {"kind": "secure-mcp-gateway/desired", "version": 1, "users": users})
        self.done("apply", "--file", desired)
        self.assertEqual(self.offered("user get --email user34", "user get --email=user340"), [users[240:], [f"--email={users[240]}"]])

    def test_files_are_the_shells_own(self) -> None:
        for name in ("sub/desired.json", "a b.json"):
            Path(self.path(name)).parent.mkdir(exist_ok=True)
            Path(self.path(name)).touch()
        lines = ["apply --file sub/d", "apply --file=~/sub/d", 'apply --file "a b', "project list > sub/d"]
        self.assertEqual(self.offered(*lines), [["sub/desired.json"], ["--file=~/sub/desired.json"], ["a b.json"], ["sub/desired.json"]])


if __name__ == "__main__":
    unittest.main()
