"""The house rules that a machine can check: what lies where, and what it says."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: The top level has room for these and for names that begin with a dot.
TOP_LEVEL = {
    "README.md",
    "app",
    "pyproject.toml",
    "requirements.txt",
    "scripts",
    "signing",
    "tests",
}
MOST_LINES = 500
#: Rooms whose every name is explained.
EXPLAINED = ("app", "signing")
#: Files of others, kept as they came.
_VENDORED = "/vendor/"
#: Names that attract whatever has no home.
HOMELESS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base"}


def tracked() -> list[str]:
    """Every file of the project, as git knows it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [
        path for path in listed.decode().split("\0") if path and (ROOT / path).exists()
    ]


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_top_level_has_no_other_names():
    names = {path.partition("/")[0] for path in tracked()}

    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_no_module_is_too_long_to_be_read():
    files = [
        *modules("app", "signing", "scripts"),
        *(ROOT / "app").rglob("*.js"),
        *(ROOT / "app").rglob("*.html"),
    ]

    too_long = {
        name_of(path): lines
        for path in files
        if _VENDORED not in path.as_posix()
        and (lines := path.read_text(encoding="utf-8").count("\n")) > MOST_LINES
    }

    assert too_long == {}


def test_no_module_is_named_for_nothing():
    names = {path: path.stem for path in modules("app", "signing", "scripts")}

    assert not [name_of(path) for path, name in names.items() if name in HOMELESS]


Explained = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(tree: ast.Module) -> Iterator[Explained]:
    """Every function and class that others may use, and the methods of these."""
    for node in tree.body:
        if isinstance(node, Explained) and not node.name.startswith("_"):
            yield node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, Explained) and not inner.name.startswith("_"):
                    yield inner


@pytest.mark.parametrize("path", modules(*EXPLAINED), ids=name_of)
def test_everything_public_says_what_it_is(path: Path):
    if "/versions/" in path.as_posix():
        # a revision's name says it
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))

    mute = [
        f"{node.name}, line {node.lineno}"
        for node in public(tree)
        if not ast.get_docstring(node)
    ]

    assert ast.get_docstring(tree), "the module"
    assert mute == []


def test_there_is_one_commit():
    """``Database.begin`` alone; migrations commit their own."""
    commits = {
        name_of(path)
        for path in modules("app")
        if re.search(r"\.(commit|begin_nested)\(", path.read_text(encoding="utf-8"))
    }
    begins = [
        (name_of(path), node.name)
        for path in modules("app")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == "begin"
    ]

    assert commits <= {"app/store/database.py", "app/store/migrations/env.py"}
    assert begins == [("app/store/database.py", "begin")]
    source = (ROOT / "app/store/database.py").read_text(encoding="utf-8")
    assert source.count("session.begin()") == 1


def test_who_is_handed_a_transaction_opens_none():
    """First parameter ``tx``: it runs in the caller's and never opens its own."""
    guilty = []
    for path in modules("app"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.args.args:
                inside = ast.unparse(node)
                if node.args.args[0].arg == "tx" and "database.begin(" in inside:
                    guilty.append(f"{name_of(path)}:{node.lineno}")

    assert guilty == []


def test_nothing_is_left_to_be_done_later():
    words = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")

    left = [
        path
        for path in tracked()
        if path.endswith((".py", ".js", ".mjs", ".css", ".html", ".toml", ".md"))
        and _VENDORED not in path
        and path != name_of(Path(__file__))
        and words.search((ROOT / path).read_text(encoding="utf-8"))
    ]

    assert left == []


def test_every_module_postpones_its_annotations():
    """One manner for the whole house."""
    without = [
        name_of(path)
        for path in modules("app", "signing")
        if "def " in (source := path.read_text(encoding="utf-8"))
        and "/versions/" not in path.as_posix()
        and "\nfrom __future__ import annotations\n" not in source
    ]

    assert without == []
