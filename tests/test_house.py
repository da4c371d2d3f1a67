"""The rules of the house that a machine can check: which room may import which, sizes, names, what a start pulls in."""

from __future__ import annotations

import ast
import re
import shutil
import statistics
import subprocess
import sys
import unittest
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
NAME = "secure_mcp_gateway"
PACKAGE = ROOT / NAME

# Each room and the rooms it may import; the order is the order of the ranks. The package's own __init__ holds the version, for all.
MANAGEMENT = ("errors", "params", "store", "repository", "operations")
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "__init__": (),
    "errors": (),
    "params": ("errors",),
    "shell": (),
    "store": ("errors", "params"),
    "web": ("errors",),
    "repository": ("errors", "params", "store"),
    "operations": ("errors", "params", "store", "repository"),
    "api": (*MANAGEMENT, "web"),
    "client": (*MANAGEMENT, "shell"),
    "cli": (*MANAGEMENT, "shell", "web", "api", "client"),
    "__main__": ("cli",),
    "examples": (),
}
MAX_FUNCTION_LINES, MAX_MEDIAN_LINES, MAX_FILE_LINES = 45, 10, 400
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "misc"}
SLOW_TO_IMPORT = ("typing", "dataclasses", "http.server", "socket", "logging", "pathlib")
TOP_LEVEL = {NAME, "tests", "pyproject.toml", "Makefile", "README.md", "LICENSE", ".gitignore", ".ci"}
STANDARD_LIBRARY: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset())
NO_LIST = "this Python does not list its standard library (3.10 and later do)"


class Import(NamedTuple):
    """``target`` is the full dotted name of a module, or of something in it; ``late`` where loading the module does not run it."""

    target: str
    line: int
    late: bool


def imports_of(module: str, tree: ast.AST, is_package: bool, late: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        inside = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or is_for_types(node)
        for target in targets_of(node, module, is_package):
            yield Import(target, getattr(node, "lineno", 0), late)
        yield from imports_of(module, node, is_package, inside)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def targets_of(node: ast.AST, module: str, is_package: bool) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = absolute(node, module, is_package)
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return [str(node.args[0].value)] if called in ("import_module", "__import__") else []
    return []


def absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + is_package]
    return ".".join([*base, node.module] if node.module else base)


def room_of(target: str) -> str:
    """The room of a dotted name inside the package; a plain name in the package, such as the version, lives in ``__init__``."""
    first = [*target.split("."), "__init__"][1]
    return first if first in MAY_IMPORT or (PACKAGE / first).is_dir() or (PACKAGE / f"{first}.py").exists() else "__init__"


def all_imports(sources: dict[str, str]) -> Iterator[tuple[str, Import]]:
    """``sources`` maps a module's dotted name to its text; a package's name ends in ``.__init__``."""
    for name, text in sources.items():
        for found in imports_of(name.replace(".__init__", ""), ast.parse(text), name.endswith(".__init__")):
            yield name, found


def rank_problems(sources: dict[str, str]) -> list[str]:
    problems = [f"{name}: give its room a rank in tests/test_house.py" for name in sources if room_of(name) not in MAY_IMPORT]
    for name, found in all_imports(sources):
        room, other = room_of(name), room_of(found.target)
        if found.target.split(".")[0] == NAME and other not in (room, "__init__", *MAY_IMPORT.get(room, ())):
            problems.append(f"{name}:{found.line}: {room} may not import {other} ({found.target})")
    return problems


def foreign_imports(sources: dict[str, str]) -> list[str]:
    ours = STANDARD_LIBRARY | {NAME}
    return [f"{name}:{found.line}: {found.target}" for name, found in all_imports(sources) if found.target.split(".")[0] not in ours]


def import_cycle(sources: dict[str, str]) -> list[str]:
    """The modules of a cycle of imports that run as modules load, or nothing."""
    graph: dict[str, set[str]] = {}
    for name, found in all_imports(sources):
        if not found.late:
            graph.setdefault(name, set()).add(module_of(found.target, sources))
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        return list(cycle.args[1])
    return []


def module_of(target: str, sources: dict[str, str]) -> str:
    candidates = (target, f"{target}.__init__", target.rpartition(".")[0], f"{target.rpartition('.')[0]}.__init__")
    return next((name for name in candidates if name in sources), "")


def package_sources() -> dict[str, str]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8") for path in paths}


def files_below(folder: Path) -> list[Path]:
    """Without caches and other hidden folders."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if not any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts)]


def function_lengths() -> dict[str, int]:
    """Lines from ``def`` to the last one, by module and function."""
    lengths = {}
    for name, text in package_sources().items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lengths[f"{name}:{node.lineno} {node.name}"] = (node.end_lineno or node.lineno) - node.lineno + 1
    return lengths


def output_of(*command: str) -> list[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout.split()


class TheChecker(unittest.TestCase):
    """The checker, on made-up sources."""

    def assert_problem(self, name: str, text: str, part: str) -> None:
        problems = rank_problems({f"{NAME}.{name}": text})
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(part, problems[0])

    def test_an_import_that_runs_up_is_caught_however_it_is_written(self) -> None:
        for text in (
            f"import {NAME}.api.app",
            f"from {NAME} import api",
            f"from {NAME}.api import app",
            "from ..api import app",
            "from .. import api",
            f"def late():\n    from {NAME}.api.app import App",
            f"if TYPE_CHECKING:\n    from {NAME}.api.app import App",
            f"import importlib\nimportlib.import_module('{NAME}.api.app')",
        ):
            self.assert_problem("repository.configs", text, "repository may not import api")

    def test_an_import_that_runs_sideways_is_caught(self) -> None:
        self.assert_problem("store.file", f"from {NAME}.web import server", "store may not import web")
        self.assert_problem("web.server", "from ..params import Param", "web may not import params")
        self.assert_problem("client", "from .api import app", "client may not import api")
        self.assert_problem("api.app", "from ..client import Client", "api may not import client")
        self.assert_problem("errors", "from .params import Param", "errors may not import params")
        self.assert_problem("examples.echo_server", "from ..errors import NotFound", "examples may not import errors")

    def test_an_import_from_a_packages_init_is_read_from_that_package(self) -> None:
        self.assert_problem("store.__init__", "from ..api import app", "store may not import api")
        self.assertEqual(rank_problems({f"{NAME}.store.__init__": "from .table import Table"}), [])

    @unittest.skipUnless(STANDARD_LIBRARY, NO_LIST)
    def test_a_third_party_import_is_caught(self) -> None:
        for text in ("import requests", "def late():\n    from requests.api import get", "import json, requests.api as r"):
            (problem,) = foreign_imports({f"{NAME}.api.app": text})
            self.assertIn("requests", problem)
        self.assertEqual(foreign_imports({f"{NAME}.api.app": f"import http.server\nfrom {NAME} import errors\nfrom . import router"}), [])

    def test_a_room_without_a_rank_is_caught(self) -> None:
        with mock.patch.dict(MAY_IMPORT):
            del MAY_IMPORT["store"]
            self.assert_problem("store.file", "", "give its room a rank")

    def test_imports_that_run_down_are_fine(self) -> None:
        down = (f"from {NAME}.store import file", "from ..errors import NotFound")
        for text in (*down, f"from {NAME} import __version__", "from .sibling import one", "import json"):
            self.assertEqual(rank_problems({f"{NAME}.repository.configs": text}), [])

    def test_a_cycle_is_caught_unless_loading_does_not_run_into_it(self) -> None:
        one = f"from {NAME}.store import two"
        self.assertTrue(import_cycle({f"{NAME}.store.one": one, f"{NAME}.store.two": "from .one import f"}))
        self.assertFalse(import_cycle({f"{NAME}.store.one": one, f"{NAME}.store.two": "def f():\n    from .one import f"}))
        self.assertFalse(import_cycle({f"{NAME}.store.one": one, f"{NAME}.store.two": "if TYPE_CHECKING:\n    from .one import f"}))
        self.assertFalse(import_cycle({f"{NAME}.store.__init__": "", f"{NAME}.store.one": one, f"{NAME}.store.two": ""}))


class TheHouse(unittest.TestCase):
    def test_imports_run_one_way(self) -> None:
        self.assertEqual(rank_problems(package_sources()), [])

    @unittest.skipUnless(STANDARD_LIBRARY, NO_LIST)
    def test_nothing_outside_the_standard_library_is_imported(self) -> None:
        self.assertEqual(foreign_imports(package_sources()), [])

    def test_no_modules_import_each_other_as_they_load(self) -> None:
        self.assertEqual(import_cycle(package_sources()), [])

    def test_no_function_is_too_long(self) -> None:
        self.assertEqual({name: length for name, length in function_lengths().items() if length > MAX_FUNCTION_LINES}, {})

    def test_the_median_function_is_short(self) -> None:
        self.assertLess(statistics.median(function_lengths().values()), MAX_MEDIAN_LINES)

    def test_no_file_is_too_long(self) -> None:
        paths = [path for folder in (PACKAGE, ROOT / "tests") for path in files_below(folder) if path.suffix == ".py"]
        lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
        self.assertEqual({name: length for name, length in lengths.items() if length > MAX_FILE_LINES}, {})

    def test_no_module_or_folder_has_a_name_that_says_nothing(self) -> None:
        paths = [path for folder in (PACKAGE, ROOT / "tests") for path in files_below(folder) if path.suffix == ".py"]
        names = {part for path in paths for part in path.relative_to(ROOT).parts}
        self.assertEqual([name for name in names if EMPTY_WORDS & set(re.split(r"[_.]", name.lower()))], [])

    def test_the_version_stands_in_one_place(self) -> None:
        (version,) = re.findall(r'^__version__ = "(.+)"$', (PACKAGE / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
        whole = re.compile(rb"(?<![\d.])" + re.escape(version.encode()) + rb"(?![\d.]*\d)")
        paths = [*(path for path in ROOT.iterdir() if path.is_file()), *files_below(PACKAGE)]
        self.assertEqual([path for path in paths if whole.search(path.read_bytes())], [PACKAGE / "__init__.py"])

    @unittest.skipUnless((PACKAGE / "cli" / "main.py").exists(), "there is no command line yet")
    def test_starting_the_command_line_imports_nothing_slow(self) -> None:
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {NAME}.cli.main; print(*sys.modules)"
        loaded = output_of(sys.executable, "-I", "-S", "-c", code)
        self.assertIn(f"{NAME}.cli.main", loaded)
        self.assertEqual(sorted(set(SLOW_TO_IMPORT) & set(loaded)), [])

    @unittest.skipUnless((ROOT / ".git").exists() and shutil.which("git"), "no git checkout, or no git, to say which files are ours")
    def test_the_top_level_holds_nothing_else(self) -> None:
        self.assertEqual({name.split("/")[0] for name in output_of("git", "ls-files")} - TOP_LEVEL, set())
