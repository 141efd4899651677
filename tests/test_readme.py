"""README and its siblings say what the code does: tables, names and paths are compared.

Whoever adds a setting, a call, a refusal, a folder or a command meets a test here that
names the line to write.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask

from app.programme import errors as refusals
from app.programme import limits
from app.programme.codes import LIFETIME
from app.programme.signals import kinds
from app.settings import VARIABLES
from app.web import api, console, counter, customer
from app.web.shared import views as shared
from app.web.shared.errors import TABLE
from signing import codes, qr
from signing.codes import Kind

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    ROOT / "README.md",
    *(ROOT / ".github" / f"{name}.md" for name in ("CONTRIBUTING", "SECURITY")),
    ROOT / ".github" / "CHANGELOG.md",
]
#: Rooms whose every module has a line; of the others every folder has one.
TOLD_WHOLE = ("signing", "app", "app/programme", "app/store", "scripts", "tests")
_TEST = re.compile(r"`(test_[a-z0-9_]+)`")
_PATH = re.compile(
    r"(?<![\w/.\-])(?:(?:app|signing|scripts|tests|\.github|\.ci)/)[\w./\-]*\w/?"
)

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[document.name for document in DOCUMENTS]
)


def table(first_cell: str, text: str = README) -> list[list[str]]:
    """The rows of the table whose head begins with this cell, without backticks."""
    head = f"| {first_cell} |"
    assert text.count(f"\n{head}") == 1, f"not one table that begins with {head}"
    body, _, _ = text[text.index(f"\n{head}") + 1 :].partition("\n\n")
    lines = body.splitlines()
    return [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in lines[2:]
    ]


def rules(*blueprints: object) -> Iterator[tuple[str, str]]:
    """Every method and path, as the router knows them; no store is asked."""
    app = Flask(__name__, static_folder=None)
    api.register(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, path


def folders(room: str, depth: int = 2) -> Iterator[str]:
    """Folders of code under a room, as the map writes them."""
    for folder in sorted((ROOT / room).iterdir()):
        holds_code = any(
            path.suffix in {".py", ".mjs"} and "__pycache__" not in path.parts
            for path in folder.rglob("*")
        )
        if folder.is_dir() and holds_code:
            yield f"{room}/{folder.name}/"
            if depth > 1:
                yield from folders(f"{room}/{folder.name}", depth - 1)


def is_command(path: Path) -> bool:
    return path.is_file() and path.read_bytes().startswith(b"#!")


def modules(room: str) -> Iterator[str]:
    for path in sorted((ROOT / room).iterdir()):
        is_module = path.suffix == ".py" and path.name != "__init__.py"
        if is_module or is_command(path):
            yield f"{room}/{path.name}"


def test_the_settings_are_those_of_the_code():
    said = table("variable")

    assert said == [[one.name, one.default, one.meaning] for one in VARIABLES]


def test_the_limits_and_signals_are_those_of_the_code():
    first = limits.SAFE
    said = {row[0]: row[1] for row in table("limit")}

    assert said == {
        "stamps_per_scan": str(first.per_scan),
        "stamps_per_card": f"{first.per_card} an hour",
        "stamps_per_staff_member": f"{first.per_staff_member} an hour",
        "stamps_per_terminal": f"{first.per_terminal} an hour",
        "stamps_per_location": f"{first.per_location} an hour",
    }
    assert {row[0] for row in table("signal")} == set(kinds.ALL)


def test_the_settings_that_may_be_files_are_named():
    section = README.partition("\n## Settings\n")[2]

    for one in VARIABLES:
        assert (f"`{one.name}_FILE`" in section.partition("\n| ")[0]) == one.is_secret


@every_document
def test_every_path_that_is_named_exists(document: Path):
    named = set(_PATH.findall(document.read_text(encoding="utf-8")))

    assert named or document.name == "CHANGELOG.md"
    missing = [path for path in sorted(named) if not (ROOT / path).exists()]
    assert missing == []


def test_every_folder_and_module_is_on_the_map():
    said = [row[0] for row in table("path")]
    wanted = {f"{room}/" for room in ("app", "signing", "scripts", "tests")}
    for room in ("app", "signing", "scripts", "tests"):
        wanted |= set(folders(room))
    for room in TOLD_WHOLE:
        wanted |= set(modules(room))

    assert len(said) == len(set(said))
    assert sorted(wanted - set(said)) == []
    assert all((ROOT / path).is_dir() == path.endswith("/") for path in said)


def test_the_refusals_are_those_of_the_code():
    said = {code: int(status) for code, status, _ in table("code")}

    assert said == {code: int(line.status) for code, line in TABLE.items()}


def test_every_refusal_of_the_programme_has_its_line():
    def codes_of(module: ModuleType) -> set[str]:
        return {
            one.code
            for one in vars(module).values()
            if isinstance(one, type) and "code" in vars(one)
        }

    assert codes_of(refusals)
    assert codes_of(refusals) <= set(TABLE)


def test_the_calls_are_those_of_the_router():
    said = [tuple(row[0].replace("`", "").split()) for row in table("call")]
    routed = {
        (method, path.removeprefix("/api/v1"))
        for method, path in rules()
        if path.startswith("/api/v1")
    }

    assert len(said) == len(set(said))
    assert set(said) == routed


def test_every_address_is_one_of_the_router():
    routed = {
        path
        for method, path in rules(shared.bp, customer.bp, counter.bp, console.bp)
        if method == "GET"
    }

    assert [row[0] for row in table("address") if row[0] not in routed] == []


@every_document
def test_every_test_that_is_named_exists(document: Path):
    text = document.read_text(encoding="utf-8")
    named = set(_TEST.findall(text))
    written: set[str] = set()
    for file in set(re.findall(r"`(tests/[\w/]+\.py)`", text)):
        source = (ROOT / file).read_text(encoding="utf-8")
        written |= set(re.findall(r"^def (test_\w+)\(", source, re.MULTILINE))

    assert sorted(named - written) == []


def test_every_line_of_the_failure_table_names_a_test():
    lines = [row for row in table("what happens") if "test_" not in row[2]]

    assert lines == []


def test_the_test_command_is_the_one_that_the_machine_runs():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "\nscripts/test " in README
    assert re.search(r"^scripts/test \"\$@\"", ci, re.MULTILINE)
    assert "scripts/test --long" in ci


def test_every_command_is_told_and_can_be_run():
    commands = [path for path in (ROOT / "scripts").iterdir() if is_command(path)]

    assert commands
    for command in commands:
        name = f"scripts/{command.name}"
        assert f"| `{name}` |" in README
        assert os.access(command, os.X_OK), name


@every_document
def test_what_is_typed_as_a_command_is_one(document: Path):
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    typed = re.findall(r"`(scripts/\S+) --", text) + [
        line.split()[0] for line in lines if line.startswith("scripts/")
    ]

    for name in typed:
        assert is_command(ROOT / name), name
        assert os.access(ROOT / name, os.X_OK), name


def test_the_bytes_of_a_code_are_told_right():
    lengths = [int(row[0]) for row in table("bytes")]

    assert lengths == [1, 2, 4, codes.NONCE_BYTES, 64]
    assert sum(lengths) * 8 == codes.TEXT_LENGTH * 5


def test_the_kinds_and_their_lives_are_told_right():
    said = {row[0]: (int(row[1]), row[4]) for row in table("kind")}

    def life(kind: Kind) -> str:
        return f"{LIFETIME[kind] // timedelta(seconds=1)} s" if kind in LIFETIME else ""

    wanted = {kind: (kind.value, life(kind)) for kind in Kind}
    assert said == {
        kind.name.lower().replace("_", " "): facts for kind, facts in wanted.items()
    }


def test_the_sizes_of_the_picture_are_told_right():
    def version(length: int) -> int:
        return qr.size(f"https://{'A' * length}/S/{'A' * codes.TEXT_LENGTH}")

    for limit, said, modules_ in table("host, characters"):
        most = int(limit.removeprefix("up to "))
        assert version(most) == int(said)
        assert version(most + 1) == int(said) + 1
        assert int(modules_) == 17 + 4 * int(said)


def test_the_python_that_is_asked_for_is_the_one_that_is_needed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["requires-python"].removeprefix(">=")

    assert f"Python {needed} or newer" in README


def test_the_changelog_keeps_its_order():
    text = (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")
    order = ["Security", "Removed", "Deprecated", "Added", "Changed", "Fixed"]

    for release in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        said = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert said == sorted(said, key=order.index)
        assert len(said) == len(set(said))
