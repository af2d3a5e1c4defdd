"""Imports point downwards: the table below is the architecture."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# Module or package: level. The longest matching name counts; a module may import its own
# level and the ones below. docs/architecture.md says what each level is for.
LEVELS = {
    "files": 0,
    "files.actors": 0,
    "files.allocator": 0,
    "files.crc32": 0,
    "files.demo": 0,
    "files.exceptions": 0,
    "files.images": 0,
    "files.local_files": 0,
    "files.member_names": 0,
    "files.mime": 0,
    "files.mime_tables": 0,
    "files.names": 0,
    "files.sha256": 0,
    "files.text": 0,
    "files.zip_stream": 0,
    "files.models": 1,
    "files.migrations": 1.1,
    "files.storage": 1.2,
    "files.permissions": 2,
    "files.processing": 2,
    "files.services": 3,
    "files.tasks": 4,
    "files.child_processes": 5,
    "files.connection_watch": 5,
    "files.http": 5,
    "files.filters": 5.1,
    "files.middleware": 5.1,
    "files.paging": 5.1,
    "files.admin": 5.2,
    "files.api": 5.2,
    "files.checks": 5.2,
    "files.doctor": 5.2,
    "files.forms": 5.2,
    "files.server": 5.2,
    "files.static_files": 5.2,
    "files.templatetags": 5.2,
    "files.views": 5.3,
    "files.management": 5.3,
    "files.apps": 5.4,
    "files.urls": 5.4,
    "fileserver": 6,
}
STRANGERS = (("files.api", "files.views"), ("files.api", "files.forms"))
# Up to and including this level, these packages are not to be known.
UNKNOWN_UP_TO = {
    "django": 0,
    "rest_framework": 4,
    "django.forms": 4,
    "django.http": 4,
    "django.shortcuts": 4,
    "django.views": 4,
    "granian": 5.1,
}


@dataclass(frozen=True)
class Import:
    """One import statement's target, as `line` of `module` names it."""

    module: str
    target: str
    line: int
    inside_function: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def matching(name: str, table: dict[str, float]) -> str | None:
    """Return the longest key that is `name` or a package around it."""
    parts = name.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((candidate for candidate in names if candidate in table), None)


def level(name: str) -> float:
    key = matching(name, LEVELS)
    assert key is not None, name
    return LEVELS[key]


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def sources() -> dict[str, Path]:
    """Return module name → path of every source that is no test."""
    paths = [path for top in ("files", "fileserver") for path in (ROOT / top).rglob("*.py")]
    named = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }
    return {name: path for name, path in named.items() if not is_within(name, "files.tests")}


SOURCES = sources()


def imports_in(module: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]
    inner = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        inside = id(node) in inner
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno, inside)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield Import(module, name if name in SOURCES else base, node.lineno, inside)


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
IMPORTS = [found for name, path in SOURCES.items() for found in imports_in(name, path)]
OWN = [found for found in IMPORTS if is_within(found.target, "files")]


def test_every_module_has_a_level():
    unknown = [
        name for name in SOURCES if matching(name, LEVELS) in (None, "files") and name != "files"
    ]
    assert not unknown, "give these a place in LEVELS"


def test_no_import_points_upwards():
    wrong = [found for found in OWN if level(found.target) > level(found.module)]
    assert not wrong, [str(found) for found in wrong]


def test_nothing_in_the_app_knows_the_project():
    wrong = [
        found
        for found in IMPORTS
        if is_within(found.module, "files") and is_within(found.target, "fileserver")
    ]
    assert not wrong, [str(found) for found in wrong]


@pytest.mark.parametrize("pair", STRANGERS)
def test_strangers_do_not_know_each_other(pair):
    wrong = [
        found
        for found in OWN
        for one, other in (pair, pair[::-1])
        if is_within(found.module, one) and is_within(found.target, other)
    ]
    assert not wrong, [str(found) for found in wrong]


def test_lower_levels_do_not_know_the_web():
    wrong = [
        str(found)
        for found in IMPORTS
        if (package := matching(found.target, UNKNOWN_UP_TO))
        and level(found.module) <= UNKNOWN_UP_TO[package]
    ]
    assert not wrong


def test_imports_stand_at_the_top():
    wrong = [str(found) for found in IMPORTS if found.inside_function]
    assert not wrong, "an import inside a function hides a cycle"


def test_imports_are_absolute():
    wrong = [str(found) for found in IMPORTS if found.target.startswith(".")]
    assert not wrong
