"""Guesses at PINs and passwords: told to the owner once, and to the guesser never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event, select

from app.programme import shop, signals, staff
from app.programme.errors import LimitReached, StoreDown, Unauthenticated
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, TerminalCaller
from app.store.limits import LimitHit
from app.store.tables import Signal, StaffMember
from app.tools import Tools
from tests.conftest import Clock, both_books

HOUR = timedelta(hours=1)
AT_ONCE = 12


@pytest.fixture(autouse=True)
def early(clock: Clock) -> None:
    """Let it be early in an hour: it holds what a test does."""
    clock.forward(HOUR - timedelta(minutes=clock().minute))


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def bo(tools: Tools, owner: ConsoleCaller) -> UUID:
    """A barista whose PIN is 4071."""
    return shop.add_staff(tools, name="Bo", role="barista", pin="4071", by=owner)


@pytest.fixture
def terminal(make_terminal: Callable[..., TerminalCaller]) -> TerminalCaller:
    return make_terminal()


def raised(tools: Tools) -> list[Signal]:
    with tools.database.read() as tx:
        return list(tx.scalars(select(Signal).order_by(Signal.at, Signal.once)))


def type_pin(
    tools: Tools, terminal: TerminalCaller, staff_id: UUID, pin: str = "0000"
) -> str:
    """Try a PIN; what it was refused for comes back."""
    return _told(lambda: staff.sign_in(tools, terminal, staff_id, pin))


def type_password(tools: Tools, email: str, device: str | None = None) -> str:
    """Try a wrong password; what it was refused for comes back."""
    return _told(
        lambda: staff.console_sign_in(tools, email, "not the password", device=device)
    )


def _told(sign_in: Callable[[], object]) -> str:
    try:
        sign_in()
    except LimitReached as refusal:
        return refusal.limit
    except Unauthenticated:
        return "heard"
    return "let in"


def use_up(tools: Tools, limit: str, *key: str) -> None:
    """Make the guesses that are heard, without hashing for each."""
    most, minutes = {"password": (5, 15), "password_address": (30, 60)}[limit]
    for _ in range(most):
        tools.limits.hit(limit, *key, limit=f"{most}/{minutes}minute")


@both_books
def test_a_guessed_pin_is_one_signal_for_person_and_till(
    tools: Tools, terminal: TerminalCaller, bo: UUID
):
    told = [type_pin(tools, terminal, bo) for _ in range(12)]
    assert told == ["heard"] * 5 + ["pin"] * 7

    [signal] = raised(tools)
    assert (signal.kind, signal.state) == ("guesses", "new")
    assert (signal.staff_id, signal.terminal_id) == (bo, terminal.terminal_id)
    assert signal.evidence == {
        "limit": "pin",
        "most": 5,
        "minutes": 15,
        "is_known": True,
    }


@pytest.mark.parametrize("slips", [0, 1, 4])
def test_who_mistypes_and_gets_in_raises_none(
    tools: Tools, terminal: TerminalCaller, bo: UUID, founded: Founded, slips: int
):
    for _ in range(3):
        told = [type_pin(tools, terminal, bo) for _ in range(slips)]
        assert told == ["heard"] * slips
        assert type_pin(tools, terminal, bo, "4071") == "let in"
    told = [type_password(tools, founded.email) for _ in range(slips)]
    assert told == ["heard"] * slips
    staff.console_sign_in(tools, founded.email, founded.password)

    assert raised(tools) == []


def test_as_many_wrong_ones_as_are_heard_raise_none(
    tools: Tools, terminal: TerminalCaller, bo: UUID, founded: Founded
):
    assert {type_pin(tools, terminal, bo) for _ in range(5)} == {"heard"}
    assert {type_password(tools, founded.email) for _ in range(5)} == {"heard"}

    assert raised(tools) == []


@both_books
def test_a_till_at_which_everybody_is_tried_is_one_signal_without_a_person(
    tools: Tools, terminal: TerminalCaller, bo: UUID, founded: Founded
):
    # given made-up people as well, who are no row to point at
    people = [bo, founded.staff_id, *(uuid4() for _ in range(20))]
    told = [type_pin(tools, terminal, each) for each in people]
    assert told == ["heard"] * 20 + ["pin_terminal"] * 2

    [signal] = raised(tools)
    assert (signal.staff_id, signal.terminal_id) == (None, terminal.terminal_id)
    assert (signal.evidence["limit"], signal.evidence["most"]) == ("pin_terminal", 20)


@both_books
def test_pins_of_people_who_are_not_at_a_till_name_nobody(
    tools: Tools, terminal: TerminalCaller, owner: ConsoleCaller
):
    elsewhere = shop.add_location(tools, name="Torvet", by=owner)
    mia = shop.add_staff(
        tools, name="Mia", role="barista", pin="8127", location_id=elsewhere, by=owner
    )
    for nobody in (mia, uuid4()):
        assert [type_pin(tools, terminal, nobody) for _ in range(6)][-1] == "pin"

    [signal] = raised(tools)
    assert (signal.staff_id, signal.terminal_id) == (None, terminal.terminal_id)


@both_books
def test_a_guessed_password_is_one_signal_for_the_person(
    tools: Tools, founded: Founded
):
    # given guesses from two networks, spelled in their own ways
    told = [type_password(tools, founded.email, "192.0.2.7") for _ in range(8)]
    told += [
        type_password(tools, f" {founded.email.upper()}", "192.0.2.8") for _ in range(8)
    ]
    assert told == (["heard"] * 5 + ["password"] * 3) * 2

    [signal] = raised(tools)
    assert (signal.kind, signal.staff_id) == ("guesses", founded.staff_id)
    assert signal.terminal_id is None
    assert signal.evidence == {
        "limit": "password",
        "most": 5,
        "minutes": 15,
        "is_known": True,
    }


def test_a_password_guessed_from_everywhere_is_the_same_signal(
    tools: Tools, founded: Founded
):
    use_up(tools, "password_address", founded.email)
    told = [type_password(tools, founded.email, f"192.0.2.{n}") for n in range(4)]
    assert told == ["password_address"] * 4

    [signal] = raised(tools)
    assert signal.staff_id == founded.staff_id
    assert (signal.evidence["most"], signal.evidence["minutes"]) == (30, 60)


@both_books
def test_made_up_addresses_are_one_signal_without_a_person(
    tools: Tools, founded: Founded
):
    for number in range(12):
        email = f"no{number}@example.org"
        use_up(tools, "password", email, "")
        assert type_password(tools, email) == "password"

    [signal] = raised(tools)
    assert (signal.staff_id, signal.terminal_id) == (None, None)
    assert signal.evidence["is_known"] is False


@pytest.mark.parametrize("whose", ["barista", "switched off"])
def test_an_address_that_does_not_open_the_console_names_nobody(
    tools: Tools, founded: Founded, owner: ConsoleCaller, bo: UUID, whose: str
):
    with tools.database.begin() as tx:
        person = tx.get_one(StaffMember, bo)
        person.email = "bo@example.org"
        person.is_active = whose == "barista"
        person.role = "barista" if whose == "barista" else "manager"
    use_up(tools, "password", "bo@example.org", "")
    assert type_password(tools, "bo@example.org") == "password"

    [signal] = raised(tools)
    assert signal.staff_id is None


def test_one_network_that_tries_ever_other_people_is_one_signal(
    tools: Tools, founded: Founded
):
    for _ in range(30):
        tools.limits.hit("password_network", "192.0.2.7", limit="30/15minute")
    # given the owner's address among them: whom it refuses says nothing of whom it is
    tried = [founded.email, *(f"no{n}@example.org" for n in range(5))]
    told = {type_password(tools, email, "192.0.2.7") for email in tried}
    assert told == {"password_network"}

    [signal] = raised(tools)
    assert (signal.staff_id, signal.evidence["limit"]) == (None, "password_network")


def test_who_guesses_on_is_told_of_once_an_hour(
    tools: Tools, terminal: TerminalCaller, bo: UUID, founded: Founded, clock: Clock
):
    use_up(tools, "password", founded.email, "")
    for _ in range(5):
        type_pin(tools, terminal, bo)
    for _ in range(3):
        for _ in range(4):
            assert type_pin(tools, terminal, bo) == "pin"
            assert type_password(tools, founded.email) == "password"
        clock.forward(HOUR)

    whose = [signal.staff_id for signal in raised(tools)]
    assert (whose.count(bo), whose.count(founded.staff_id), len(whose)) == (3, 3, 6)


@both_books
@pytest.mark.parametrize("door", ["till", "console"])
def test_of_many_refusals_at_once_one_signal_is_kept(
    make_tools: Callable[..., Tools],
    tools: Tools,
    terminal: TerminalCaller,
    bo: UUID,
    founded: Founded,
    counts: Callable[..., None],
    door: str,
):
    # given many processes, and every guess that is heard made
    processes = [make_tools() for _ in range(AT_ONCE)]
    use_up(tools, "password", founded.email, "")
    for _ in range(5):
        type_pin(tools, terminal, bo)
    start = Barrier(AT_ONCE)

    def guess(mine: Tools) -> list[str]:
        start.wait()
        if door == "till":
            return [type_pin(mine, terminal, bo) for _ in range(2)]
        return [type_password(mine, founded.email) for _ in range(3)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = [one for mine in pool.map(guess, processes) for one in mine]

    kept = [signal for signal in raised(tools) if signal.staff_id is not None]
    assert set(told) <= {"pin", "pin_terminal", "password"}
    assert len(kept) == 1
    counts(tried=len(told), accepted=len(kept), lost=0, doubled=len(kept) - 1)


@both_books
def test_of_many_strangers_at_once_one_signal_is_kept(
    make_tools: Callable[..., Tools],
    tools: Tools,
    founded: Founded,
    counts: Callable[..., None],
):
    """Each comes as far as the books: what makes them one is the unique index."""
    processes = [make_tools() for _ in range(AT_ONCE)]
    emails = [f"no{number}@example.org" for number in range(AT_ONCE)]
    for email in emails:
        use_up(tools, "password", email, "")
    start = Barrier(AT_ONCE)

    def guess(mine: Tools, email: str) -> str:
        start.wait()
        return type_password(mine, email)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = list(pool.map(guess, processes, emails))

    assert told == ["password"] * AT_ONCE
    assert len(raised(tools)) == 1
    counts(tried=len(told), accepted=1, lost=0, doubled=len(raised(tools)) - 1)


@contextmanager
def noting() -> Iterator[list[str]]:
    """Note what the books are asked, in SQL without its values."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_more: object) -> None:
        asked.append(sql)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@both_books
def test_known_and_unknown_addresses_are_the_same_work_for_the_books(
    tools: Tools, founded: Founded
):
    """Else the time of a refusal would tell who works here."""
    done = {}
    for email in (founded.email, "nobody@example.org"):
        use_up(tools, "password", email, "")
        done[email] = []
        for _ in range(5):
            with noting() as asked:
                assert type_password(tools, email) == "password"
            done[email].append(asked)

    known, unknown = done.values()
    assert known == unknown
    # The first three come as far as the books; whoever goes on costs them nothing.
    assert [bool(asked) for asked in known] == [True] * 3 + [False] * 2


def test_a_signal_holds_nothing_that_was_typed(
    tools: Tools, terminal: TerminalCaller, bo: UUID, founded: Founded
):
    for _ in range(6):
        type_pin(tools, terminal, bo, "5926")
    for email in (founded.email, "stranger@example.org"):
        use_up(tools, "password", email, "192.0.2.7")
        assert type_password(tools, email, "192.0.2.7") == "password"

    kept = [
        str((signal.evidence, signal.once, signal.note)) for signal in raised(tools)
    ]
    assert len(kept) == 3
    for secret in ("5926", "not the password", founded.email, "stranger", "192.0.2"):
        assert not [one for one in kept if secret in one]


def test_without_the_books_the_refusal_is_the_same(
    tools: Tools,
    terminal: TerminalCaller,
    bo: UUID,
    founded: Founded,
    monkeypatch: pytest.MonkeyPatch,
):
    use_up(tools, "password", founded.email, "")
    for _ in range(5):
        type_pin(tools, terminal, bo)

    def away() -> None:
        raise StoreDown

    with monkeypatch.context() as broken:
        broken.setattr(tools.database, "begin", away)
        broken.setattr(tools.database, "read", away)
        assert type_pin(tools, terminal, bo) == "pin"
        assert type_password(tools, founded.email) == "password"
    assert raised(tools) == []

    # The next one is kept: what was lost stands in nobody's way.
    assert type_pin(tools, terminal, bo) == "pin"
    assert [signal.staff_id for signal in raised(tools)] == [bo]


def test_what_an_hour_has_room_for_is_looked_at_no_more(
    tools: Tools, founded: Founded, monkeypatch: pytest.MonkeyPatch
):
    """A refusal stays as cheap as it was, however long somebody goes on."""
    asked = []

    def whose() -> UUID:
        asked.append(1)
        return founded.staff_id

    evidence = {"limit": "password", "most": 5, "minutes": 15}
    for _ in range(10):
        signals.guessed(tools, evidence, "one", whose)
    assert len(asked) == 3

    def hit(name: str, *_key: str, limit: str) -> None:
        raise LimitHit(name, HOUR)

    monkeypatch.setattr(tools.limits, "hit", hit)
    signals.guessed(tools, evidence, "another", whose)
    assert len(asked) == 3
