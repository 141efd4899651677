"""The command that checks the books: what it tells, and its exit status."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, select, text

from app.programme import audit as log
from app.programme import members, stamping
from app.programme.founding import Founded
from app.programme.sessions import StaffCaller
from app.store.tables import Terminal
from app.tools import Tools
from scripts import audit, demo

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with empty books, whose server and nonce store do not run."""
    settings = tools.settings
    for name in list(os.environ):
        if name.startswith(("PUNCHPROOF_", "DATABASE_", "REDIS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("PUNCHPROOF_KEYS", str(settings.keys))
    passphrase_file = str(settings.keys_passphrase_file)
    monkeypatch.setenv("PUNCHPROOF_KEYS_PASSPHRASE_FILE", passphrase_file)
    monkeypatch.setenv("PUNCHPROOF_ORIGIN", settings.origin)
    return settings.data


@pytest.fixture
def data(empty: Path, founded: Founded) -> Path:
    """The same with a shop in which nothing happened yet."""
    return empty


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo is kept once it is made, which takes seconds."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def played(empty: Path, tools: Tools, made_demo: Path) -> Path:
    """The same with the demo's shop and its history."""
    books = tools.settings.database_url.removeprefix("sqlite:///")
    kept, told = made_demo / "books.sqlite3", made_demo / demo.FILE
    if kept.exists():
        shutil.copyfile(kept, books)
        shutil.copyfile(told, empty / demo.FILE)
    else:
        demo.load(tools, empty)
        with contextlib.closing(sqlite3.connect(books)) as made:
            made.execute("VACUUM INTO ?", [str(kept)])
        shutil.copyfile(empty / demo.FILE, told)
    return empty


def run(data: Path, *words: str) -> int:
    return audit.main(["--data", str(data), *words])


def by_hand(statement: str) -> None:
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def add_a_row(tools: Tools) -> None:
    with tools.database.begin() as tx:
        log.record(tx, tools, "test.made", "x", by=None)


def test_clean_books_are_told_in_two_lines(data, capsys):
    assert run(data) == 0

    told = capsys.readouterr()
    assert re.fullmatch(
        r"0 entries, 0 signatures checked, 0 findings, \d+ a second\n"
        r"1 audit rows in a chain, 0 findings, head [0-9a-f]{64}\n",
        told.out,
    )
    assert told.err == ""


def test_the_demo_is_clean(played, capsys):
    assert run(played, "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told["findings"] == told["notes"] == []
    # each entry has a receipt, and most have a code
    assert 2 * told["entries"] > told["signatures"] > told["entries"] > 500


def test_a_person_who_looks_on_sees_how_far_it_is(played, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    assert run(played) == 0

    assert re.search(r"\r\d+ entries, \d+ a second", capsys.readouterr().err)


def test_the_wrong_origin_is_told_from_forgery(played, monkeypatch, capsys):
    monkeypatch.setenv("PUNCHPROOF_ORIGIN", "https://other.example")

    assert run(played, "--ledger-only") == 2

    assert "is this the PUNCHPROOF_ORIGIN" in capsys.readouterr().out


def test_findings_are_told_as_sentences(played, capsys):
    by_hand(
        "UPDATE ledger_entry SET units = units + 1 WHERE entry_no = (SELECT "
        "min(entry_no) FROM ledger_entry WHERE kind = 'EARN' AND unit IS NULL)"
    )
    by_hand("UPDATE audit_entry SET action = 'nothing' WHERE audit_no = 1")

    assert run(played) == 2
    out = capsys.readouterr().out
    assert re.search(
        r"^sum [0-9a-f-]{36}: Its answer told \d+ stamps; the ledger adds up to \d+\.$",
        out,
        re.MULTILINE,
    )
    assert "audit_edited 1: Audit row 1 was changed after it was written." in out

    assert run(played, "--chain-only", "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in told["findings"]] == ["audit_edited"]
    assert "entries" not in told

    assert run(played, "--ledger-only", "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert "audit_edited" not in {one["code"] for one in told["findings"]}
    assert "head" not in told


def test_an_anchor_goes_there_and_back(data, tools, tmp_path, capsys):
    anchor = tmp_path / "elsewhere.anchor"

    # when the books grow between two checks, then both are written
    assert run(data, "--anchor", str(anchor)) == 0
    add_a_row(tools)
    assert run(data, "--anchor", str(anchor)) == 0
    lines = anchor.read_text().splitlines()
    chain, ledger = lines[0::2], lines[1::2]
    assert [line.split()[1] for line in chain] == ["1", "2"]
    assert [line.split()[1:4] for line in ledger] == [["ledger", "0", "0"]] * 2
    for line in chain:
        assert run(data, "--expect", line.split()[2]) == 0

    # when a row is cut off at the end, then the anchor shows it, and stays as it is
    by_hand("DELETE FROM audit_entry WHERE audit_no = 2")
    assert run(data) == 0
    capsys.readouterr()
    assert run(data, "--chain-only", "--anchor", str(anchor)) == 2
    assert f"audit_anchor {chain[1].split()[2]}: " in capsys.readouterr().out
    assert anchor.read_text().splitlines() == lines
    assert run(data, "--expect", chain[1].split()[2]) == 2
    assert run(data, "--expect", chain[0].split()[2]) == 0


def cut_the_last_stamp() -> None:
    """Remove what ``give_one`` wrote last, and set its card's counter back."""
    by_hand(
        "UPDATE card SET version = version - 1 WHERE card_id = "
        "(SELECT card_id FROM ledger_entry ORDER BY entry_no DESC LIMIT 1)"
    )
    by_hand(
        "DELETE FROM earning_part WHERE card_id = "
        "(SELECT card_id FROM ledger_entry ORDER BY entry_no DESC LIMIT 1)"
    )
    by_hand(
        "DELETE FROM ledger_entry WHERE card_id = "
        "(SELECT card_id FROM ledger_entry ORDER BY entry_no DESC LIMIT 1)"
    )


def give_one(tools: Tools, data: Path) -> None:
    """Give one stamp to a new card, which has nothing else then."""
    shop = json.loads((data / demo.FILE).read_text())
    with tools.database.read() as tx:
        terminal = tx.scalars(select(Terminal)).first()
        till = StaffCaller(
            UUID(shop["staff"][0]["staff_id"]),
            "",
            "owner",
            terminal.terminal_id,
            terminal.location_id,
            "",
        )
    code = stamping.card_code(tools, members.join(tools).card_id).code
    stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=till)


def test_the_anchor_shows_that_the_last_entry_was_removed(
    played, tools, tmp_path, capsys
):
    # given an anchor, and one that was written between the same two stamps
    give_one(tools, played)
    anchor = tmp_path / "elsewhere.anchor"
    assert run(played, "--ledger-only", "--anchor", str(anchor)) == 0
    assert "are settled, head " in capsys.readouterr().out
    [line] = anchor.read_text().splitlines()
    digest = line.split()[-1]

    # when more is written, then all is well, and told as JSON too
    give_one(tools, played)
    assert run(played, "--json", "--anchor", str(anchor)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ledger_head"]["entries"] == told["entries"]
    assert told["notes"] == []

    # when the two last stamps are removed without a trace, then the anchor has one
    cut_the_last_stamp()
    cut_the_last_stamp()
    assert run(played) == 0
    lines = anchor.read_text().splitlines()
    capsys.readouterr()
    assert run(played, "--ledger-only", "--anchor", str(anchor)) == 2
    out = capsys.readouterr().out
    assert re.search(
        rf"^ledger_anchor {digest}: Up to number \d+ the ledger had \d+ entries\. "
        r"It has \d+ now, and not the same\.$",
        out,
        re.MULTILINE,
    )
    assert out.count("ledger_anchor") == 1
    assert anchor.read_text().splitlines() == lines


def test_an_anchor_from_before_ledger_lines_is_read_and_told_of(
    played, tmp_path, capsys
):
    anchor = tmp_path / "elsewhere.anchor"
    assert run(played, "--chain-only", "--anchor", str(anchor)) == 0
    [old] = anchor.read_text().splitlines()
    capsys.readouterr()

    assert run(played, "--anchor", str(anchor)) == 0

    said = f"note: anchor {anchor}: The anchor has no line of the ledger: "
    assert said in capsys.readouterr().out
    lines = anchor.read_text().splitlines()
    assert lines[0] == old
    assert lines[1].split()[1:] == old.split()[1:]
    assert lines[2].split()[1] == "ledger"

    # and from then on there is nothing to tell
    assert run(played, "--anchor", str(anchor)) == 0
    assert "note: " not in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["Dear diary,\n", f"then ledger 1 {'0' * 64}\n", "then ledger 1 2 ab\n"]
)
def test_what_is_no_anchor_is_refused(data, tmp_path, capsys, text: str):
    other = tmp_path / "other.txt"
    other.write_text(text)

    assert run(data, "--anchor", str(other)) == 1

    assert "is no anchor" in capsys.readouterr().err
    assert other.read_text() == text


def test_without_keys_nothing_can_be_checked(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PUNCHPROOF_KEYS", str(tmp_path / "none"))

    assert run(data) == 1

    assert capsys.readouterr().err.startswith("audit: ")


def test_books_that_are_behind_cannot_be_checked(data, capsys):
    by_hand("UPDATE alembic_version SET version_num = '0001'")

    assert run(data) == 1

    assert "the database is at revision 0001" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--expect", "12"],
        ["--expect", "z" * 64],
        ["--chain-only", "--ledger-only"],
        ["--ledger-only", "--expect", "0" * 64],
    ],
)
def test_arguments_that_make_no_sense(data, words, capsys):
    with pytest.raises(SystemExit) as ended:
        run(data, *words)

    assert ended.value.code == 2
    capsys.readouterr()


def test_it_runs_as_a_command(data):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "audit.py", "--data", data, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["audit_rows"] == 1


@pytest.mark.parametrize("numbers", ["1 -1", f"{2**63} 1", f"1 {'9' * 5000}"])
def test_numbers_that_no_books_have_are_no_anchor(tmp_path, numbers):
    anchor = tmp_path / "elsewhere.anchor"
    anchor.write_text(f"2026-03-01T12:00:00Z ledger {numbers} {'0' * 64}\n")

    with pytest.raises(audit.NotChecked):
        audit.read_anchor(anchor, None)
