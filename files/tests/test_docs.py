"""What a user can set, call or ask for is documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(settings.BASE_DIR)
# Documented as one route: what is under it is Django's.
ONE_ROUTE = ("/admin/",)
ARGUMENT = re.compile(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|<[^>]*>")


def documentation() -> str:
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


def variables() -> list[str]:
    """Return the environment variables that the settings read, in the order they do."""
    names: dict[str, None] = {}
    sources = (ROOT / "fileserver" / name for name in ("settings.py", "databases.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and node.args:
            reader, first = ast.unparse(node.func), node.args[0]
        elif isinstance(node, ast.Subscript):
            reader, first = ast.unparse(node.value), node.slice
        else:
            continue
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        if reader.startswith("env_") or reader in ("os.environ", "os.environ.get", "os.getenv"):
            names[first.value] = None
            if reader == "env_secret":
                names[f"{first.value}_FILE"] = None
    return list(names)


def commands() -> list[str]:
    folder = ROOT / "files" / "management" / "commands"
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[str]:
    """Yield every route, each argument as <>."""
    for pattern in (resolver or get_resolver()).url_patterns:
        own = str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        route = prefix + ARGUMENT.sub("<>", own)
        if route in ONE_ROUTE or isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


def is_documented(route: str, text: str) -> bool:
    """Return whether `text` has the route, its arguments named as <id> or {id}."""
    pattern = re.escape(route).replace("<>", r"(?:<[^<>]+>|\{[^{}]+\})")
    return re.search(pattern + r"(?![\w/<{])", text) is not None


@pytest.mark.parametrize(
    ("route", "text", "expected"),
    [
        ("/upload", "curl http://localhost:8000/upload", True),
        ("/upload", "see /upload/<name> and /uploads", False),
        ("/upload/<>", "| `PUT /upload/<name>` |", True),
        ("/api/files/<>/", "`/api/files/{id}/`", True),
        ("/api/files/<>/", "`/api/files/{id}/content/`", False),
    ],
)
def test_a_route_is_recognized(route, text, expected):
    assert is_documented(route, text) is expected


def test_every_variable_is_documented():
    text = documentation()
    assert variables()
    missing = [name for name in variables() if not re.search(rf"\b{name}\b", text)]
    assert not missing, "README.md or docs/ should say what these do"


def test_every_variable_is_in_the_example():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = [name for name in variables() if not re.search(rf"^#?{name}=", text, re.M)]
    assert not missing


def test_the_example_has_no_unknown_variable():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.M)) <= set(variables())


def test_every_command_is_documented():
    text = documentation()
    missing = [name for name in commands() if not re.search(rf"manage\.py {name}\b", text)]
    assert not missing, "README.md or docs/ should say what these are for"


def test_every_route_is_documented():
    text = documentation()
    missing = sorted({route for route in routes() if not is_documented(route, text)})
    assert not missing, "README.md or docs/ should say what these answer"
