"""The runbook does what it says: its very lines, on a real installation.

Each test plays one section of scripts/README.md. A fence that no test runs, and a
command that there is not, fails here.
"""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scripts import audit, backup, doctor, keys, restore, rotate_keys
from tests.scripts.runbook import (
    ROOT,
    Installation,
    commands_of,
    fences,
    prose_of,
    sections,
    told_commands,
    wait_until,
)

pytestmark = [pytest.mark.slow, pytest.mark.long]

PLAYED: set[str] = set()
#: Sections with commands whose outcome other tests assert.
ELSEWHERE = {
    "A nonce store of several servers": "tests/app/store/test_cluster.py",
    "Keys in a token": "tests/scripts/test_keys_token.py",
}


class Script:
    """The sh fences of one section, to be played in order."""

    def __init__(self, title: str) -> None:
        self._left = fences(title, "sh")

    def next(self) -> list[str]:
        """The next fence."""
        return self._left.pop(0)

    def is_over(self) -> bool:
        return not self._left


def plays(title: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a test as the one that plays a section; it must play all of it."""

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def play(**fixtures: object) -> None:
            script = Script(title)
            fixtures["script"] = script
            test(**fixtures)
            assert script.is_over(), f"a fence of {title!r} was not played"

        PLAYED.add(title)
        return play

    return mark


@pytest.fixture
def script() -> None:
    """Filled in by ``plays``."""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Make an installation in which nothing was started yet."""
    made: list[Installation] = []

    def installation(name: str = "punchproof", **more: str) -> Installation:
        made.append(Installation(tmp_path / name, tmp_path / "mnt", more))
        return made[-1]

    yield installation
    for one in made:
        one.close()


@pytest.fixture
def shop(make: Callable[..., Installation]) -> Installation:
    """A shop that is open, with a stamp given by its first key."""
    one = make()
    one.start()
    one.open_shop()
    assert one.give_a_stamp() == 1
    return one


@pytest.fixture
def copied(shop: Installation) -> Installation:
    """The same with the copy of which the section First key tells."""
    assert shop.do(fences("First key", "sh")[1]) == [0, 0]
    return shop


def holds(shop: Installation) -> None:
    """The end of every section: the keys are in order and so are the books."""
    wait_until(shop.is_in_order)
    before = shop.stamps()
    shop.give_a_stamp()
    assert shop.stamps() == before + 1
    assert shop.audit() == []


@plays("First key")
def test_first_key(script, make):
    shop = make()
    assert shop.do(script.next()) == [0]
    assert shop.states() == {1: "active"}
    shop.open_shop()
    wait_until(shop.is_in_order)

    assert shop.do(script.next()) == [0, 0]

    copy = shop.mounts / "elsewhere" / "ring-1"
    passphrase = shop.mounts / "safe" / "ring.passphrase"
    assert copy.stat().st_mode & 0o777 == passphrase.stat().st_mode & 0o777 == 0o600
    assert passphrase.read_text() != (shop.data / "keys.passphrase").read_text()
    holds(shop)


@plays("Routine rotation")
def test_routine_rotation(script, shop):
    # given the rotation by itself, and the one by hand
    routine, by_hand = script.next(), script.next()

    # when it is done by hand, then the steps refuse what is too early
    create, activate, retire = commands_of(by_hand)
    assert shop.type(create) == 0
    wait_until(lambda: shop.type(activate) == 0)
    wait_until(shop.is_everywhere)
    assert shop.give_a_stamp() == 2
    assert shop.type(retire) == 2
    assert "retire it after" in shop.printed
    shop.grow_older(timedelta(minutes=15))
    wait_until(lambda: shop.type(retire) == 0)
    assert shop.states() == {1: "retired", 2: "active"}

    # when the routine is asked too early, then it leaves the key alone
    look, apply, export = commands_of(routine)
    assert (shop.type(look), shop.type(apply)) == (3, 3)
    shop.grow_older(timedelta(days=31))
    assert (shop.type(look), shop.states()[2]) == (0, "active")
    assert shop.type(apply) == 0
    assert shop.states() == {1: "retired", 2: "verify-only", 3: "active"}
    assert shop.type(export) == 0
    wait_until(shop.is_everywhere)
    assert shop.give_a_stamp() == 3

    # and what cron and systemd do each night is understood
    assert [shop.type(line) for line in told_commands()] == [3, 3]
    holds(shop)


@plays("A stolen key")
def test_a_stolen_key(script, shop):
    # given a code that is shown
    out = shop.show_a_code()

    assert shop.do(script.next()) == [0, 0]

    # then it is refused, a fresh one is good, and the list has the stamp
    assert shop.refusal_of(out) == "code_revoked"
    wait_until(shop.is_everywhere)
    assert shop.give_a_stamp() == 2
    assert shop.states() == {1: "revoked", 2: "active"}
    assert "EARN" in (shop.home / "review.csv").read_text()

    # and the same line again gives the list, too
    (shop.home / "review.csv").unlink()
    assert shop.do(fences("A stolen key", "sh")[0][-1:]) == [3]
    assert "EARN" in (shop.home / "review.csv").read_text()

    # when the passphrase may be known, then it is changed
    old = (shop.data / "keys.passphrase").read_text()
    assert shop.do(script.next()) == [0, 0]
    assert old.strip() not in (shop.data / "keys.passphrase").read_text()
    holds(shop)


@plays("Lost passphrase")
def test_lost_passphrase(script, copied):
    shop = copied
    # given a lost passphrase, then a stamp can be given all the same
    (shop.data / "keys.passphrase").unlink()
    assert shop.give_a_stamp() == 1

    # when the copy is brought back, then it is the same key
    assert shop.do(script.next())[:2] == [0, 0]
    wait_until(shop.is_in_order)
    assert shop.states() == {1: "active"}
    wait_until(shop.is_everywhere)
    assert shop.give_a_stamp() == 1

    # when it is lost again, with no copy, then another key is in charge
    (shop.data / "keys.passphrase").unlink()
    renew, check, export = commands_of(script.next())
    assert shop.type(renew) == 0
    wait_until(lambda: shop.type(check) == 0)
    assert shop.type(export) == 0
    assert shop.states() == {1: "revoked", 2: "active"}
    assert list(shop.data.glob("keys.lost-*"))

    # and the copy from before that is not taken for the newest ring
    bring = fences("Lost passphrase", "sh")[0][1]
    (shop.data / "keys").rename(shop.data / "keys.aside")
    assert (shop.type(bring), "it lacks" in shop.printed) == (2, True)
    (shop.data / "keys.aside").rename(shop.data / "keys")
    wait_until(shop.is_everywhere)
    assert shop.give_a_stamp() == 2
    holds(shop)


def test_a_passphrase_put_back_is_good_at_once(shop):
    """What the section says first."""
    file = shop.data / "keys.passphrase"
    kept = file.read_bytes()
    file.unlink()
    assert not shop.is_in_order()

    file.touch(mode=0o600)
    file.write_bytes(kept)

    holds(shop)


@plays("A new machine")
def test_a_new_machine(script, shop, make):
    # given a machine that is stopped for ever, and its last backup
    shop.stop()
    assert shop.do(script.next()) == [0, 0]
    fresh = make("new-machine")
    fresh.port = shop.port
    fresh.takes_over(shop)

    statuses = fresh.do(script.next())

    assert statuses[:-1] == [0] * (len(statuses) - 1)
    wait_until(fresh.is_in_order)
    assert fresh.states() == {1: "revoked", 102: "active"}
    assert fresh.stamps() == shop.given
    fresh.sign_in()
    wait_until(fresh.is_everywhere)
    assert fresh.give_a_stamp() == 102
    holds(fresh)


@plays("Several machines")
def test_several_machines(script, make, postgres_url, redis_url):
    # given two machines over the same stores, with the same ring
    shared = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url}
    first = make("first", **shared)
    first.start()
    first.open_shop()
    assert first.do(fences("First key", "sh")[1])[1] == 0
    shared["PUNCHPROOF_ORIGIN"] = f"http://localhost:{first.port}"
    other = make("other", **shared)
    assert other.do(script.next()) == [0, 0], other.printed
    other.start()
    other.takes_over(first)
    wait_until(other.is_everywhere)
    assert other.give_a_stamp() == 1

    # when a key is made on the first, then it waits for the other
    made, brought, activated = script.next(), script.next(), script.next()
    assert first.do(made) == [0, 0]
    assert first.type(commands_of(activated)[0]) == 2
    assert other.do(brought) == [0]

    # when the other has it, then it signs on both
    activate, export = commands_of(activated)
    wait_until(lambda: first.type(activate) == 0)
    assert first.type(export) == 0
    assert other.do([line.replace("ring-2a", "ring-2b") for line in brought]) == [0]
    for shop in (first, other):
        wait_until(shop.is_in_order)
        assert shop.states() == {1: "verify-only", 2: "active"}
        wait_until(shop.is_everywhere)
        assert shop.give_a_stamp() == 2
    words = {(one.data / "keys.passphrase").read_text() for one in (first, other)}
    assert len(words) == 2
    holds(first)


@plays("What is wrong")
def test_what_is_wrong(script, shop):
    [look] = commands_of(script.next())

    # given a shop that was never backed up
    wait_until(lambda: shop.type(look) == 1 and "1 thing wrong" in shop.printed)
    assert "there never was a backup" in shop.printed

    assert shop.do(fences("Backup", "sh")[0]) == [0, 0, 0]
    assert shop.type(look) == 0, shop.printed


@plays("Backup")
def test_backup(script, shop):
    show, take, keep = commands_of(script.next())

    assert shop.type(show) == 0
    assert not list((shop.mounts / "elsewhere").iterdir())
    assert [shop.type(take), shop.type(keep)] == [0, 0]

    [file] = (shop.mounts / "elsewhere").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    holds(shop)


@plays("Restore")
def test_restore(script, shop):
    # given a backup, and a stamp, a rotation and a code since
    assert shop.do(fences("Backup", "sh")[0]) == [0, 0, 0]
    shop.give_a_stamp()
    anchored = fences("Checking the books", "sh")[0]
    assert shop.do(anchored) == [0]
    assert shop.type("scripts/rotate_keys.py --apply") == 0
    out = shop.show_a_code()
    shop.stop()
    assert shop.do(script.next()) == [0, 0, 0]

    # when it is put back
    look, restore, serve, check, again = commands_of(script.next())
    assert (shop.type(look), (shop.data / "redis").exists()) == (0, False)
    assert [shop.type(restore), shop.type(serve)] == [0, 0], shop.printed

    # then the stamp is gone, the code is worth nothing, and a new key signs
    wait_until(lambda: shop.type(check) == 0)
    assert shop.states() == {1: "revoked", 2: "revoked", 3: "active"}
    assert shop.stamps() == 1
    shop.sign_in()
    assert shop.refusal_of(out) == "code_revoked"
    assert shop.give_a_stamp() == 3
    assert shop.type(again) == 0
    # and the anchor knows of the stamp that the books forgot
    assert shop.do(anchored) == [2]
    holds(shop)


@plays("Changing the passphrase")
def test_changing_the_passphrase(script, shop):
    old = (shop.data / "keys.passphrase").read_text()
    shutil.copytree(shop.data / "keys", shop.mounts / "before")

    assert shop.do(script.next()) == [0, 0]

    now = (shop.data / "keys.passphrase").read_text()
    assert now != old
    assert len(now.split()) == 1
    assert (shop.mounts / "safe" / "keys.passphrase").read_text() == now
    assert shop.states() == {1: "active"}
    # and the old one opens nothing that is there now
    ring = (shop.data / "keys" / "key-00001.pem").read_bytes()
    assert ring != (shop.mounts / "before" / "key-00001.pem").read_bytes()
    holds(shop)


@plays("Checking the books")
def test_checking_the_books(script, shop):
    check, public = script.next(), script.next()

    # when it is done on two nights, then the anchor grows and holds what it held
    anchor = shop.mounts / "elsewhere" / "anchor.txt"
    assert shop.do(check) == [0]
    first = anchor.read_text()
    assert first
    assert shop.do(check) == [0]
    assert anchor.read_text().startswith(first)
    assert len(anchor.read_text()) > len(first)

    assert shop.do(public) == [0]
    told = json.loads((shop.mounts / "elsewhere/public-keys.json").read_text())
    assert [key["state"] for key in told["keys"]] == ["active"]
    assert "PRIVATE" not in json.dumps(told)
    holds(shop)


def test_every_section_with_commands_is_played():
    with_commands = {title for title in sections() if fences(title, "sh")}

    assert with_commands - set(ELSEWHERE) == PLAYED
    assert all((ROOT / path).is_file() for path in ELSEWHERE.values())


def test_every_title_that_the_runbook_names_is_a_section():
    named = {
        title.strip()
        for line in sections()["When something happens"].splitlines()
        if line.startswith("| ") and "where to read" not in line
        for title in line.split("|")[2].replace(", then ", ",").split(",")
    }

    assert named
    assert named <= set(sections())


def test_every_command_and_flag_in_the_prose_is_one(capsys):
    prose = prose_of("When something happens", "Where things are", but=ELSEWHERE)
    named = set(re.findall(r"`scripts/(\w+)\.py(?: ([a-z]+))?", prose))
    flags = set(re.findall(r"(?<!\w)--[a-z]+(?:-[a-z]+)*", prose))
    programs = {
        "audit": audit,
        "backup": backup,
        "doctor": doctor,
        "keys": keys,
        "restore": restore,
        "rotate_keys": rotate_keys,
    }

    helps = ""
    for program, word in {*named, ("backup", ""), ("restore", ""), ("rotate_keys", "")}:
        words = [word] if word and program == "keys" else []
        with pytest.raises(SystemExit) as ended:
            programs[program].main([*words, "--help"])
        assert ended.value.code == 0, (program, word)
        helps += capsys.readouterr().out
    for word in ("revoke", "import", "create"):
        with pytest.raises(SystemExit):
            keys.main([word, "--help"])
        helps += capsys.readouterr().out

    assert {"keys"} <= {program for program, _ in named}
    assert {flag for flag in flags if flag not in helps} == set()
