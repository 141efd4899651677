"""Enrolling devices and signing people in: once per code, and no guessing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import BoundedSemaphore
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from app.programme import audit, sessions, shop, staff
from app.programme.errors import (
    CodeInUse,
    CodeSpent,
    CodeUnknown,
    InvalidRequest,
    LimitReached,
    NotFound,
    Refused,
    StoreDown,
    TryAgain,
    Unauthenticated,
)
from app.programme.sessions import ConsoleCaller, TerminalCaller
from app.store.tables import AccessToken, AuditEntry, StaffMember, Terminal
from app.tools import Tools
from signing import codes as signed
from tests.conftest import both_books
from tests.servers import wipe, written_by_hand

DEVICES = 8


def count(tools: Tools, table: type) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def owner(founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def bo(tools, owner):
    """A barista whose PIN is 4071."""
    return shop.add_staff(tools, name="Bo", role="barista", pin="4071", by=owner)


def enrolment(tools: Tools, founded, **more) -> str:
    return staff.enrolment_code(tools, founded.location_id, **more).code


def test_a_device_becomes_a_terminal(tools, founded):
    code = enrolment(tools, founded)

    enrolled = staff.enrol(tools, code)

    assert enrolled.location_name == "Nyhavn"
    assert sessions.who(tools, enrolled.token) == TerminalCaller(
        enrolled.terminal_id, enrolled.name, founded.location_id, "Nyhavn"
    )


def test_the_enrolment_can_be_proved(tools, founded):
    code = enrolment(tools, founded)

    staff.enrol(tools, code)

    with tools.database.read() as tx:
        row = tx.scalars(select(Terminal)).one()
    proved = signed.verify_data(
        row.proof, tools.keys.ring, origin=tools.settings.origin
    )
    assert proved.nonce == row.nonce
    assert proved.text == code


@pytest.mark.parametrize(
    ("of_the_code", "of_the_device", "name"),
    [
        (None, None, "Till 1"),
        ("Bar", None, "Bar"),
        ("Bar", "Door", "Door"),
        (None, "  The   door ", "The door"),
        (None, "", "Till 1"),
    ],
)
def test_a_terminal_has_a_name(tools, founded, of_the_code, of_the_device, name):
    code = enrolment(tools, founded, name=of_the_code)

    assert staff.enrol(tools, code, name=of_the_device).name == name


def test_terminals_without_names_are_counted(tools, founded):
    names = [staff.enrol(tools, enrolment(tools, founded)).name for _ in range(3)]

    assert names == ["Till 1", "Till 2", "Till 3"]


@pytest.mark.parametrize("name", ["x" * 61, "a\x00b", "a\u202eb"])
def test_a_name_that_does_not_serve_leaves_the_code_unspent(tools, founded, name):
    code = enrolment(tools, founded)

    with pytest.raises(InvalidRequest):
        staff.enrol(tools, code, name=name)

    assert count(tools, Terminal) == 0
    staff.enrol(tools, code)


def test_an_enrolment_is_spent_once(tools, founded):
    code = enrolment(tools, founded)
    staff.enrol(tools, code)

    with pytest.raises(CodeSpent):
        staff.enrol(tools, code)

    assert count(tools, Terminal) == 1


@both_books
def test_of_many_devices_at_once_one_is_enrolled(tools, make_tools, founded):
    code = enrolment(tools, founded)
    mine = [make_tools() for _ in range(DEVICES)]

    def enrol(its: Tools) -> str:
        try:
            staff.enrol(its, code)
        except Refused as refusal:
            return refusal.code
        return "enrolled"

    with ThreadPoolExecutor(DEVICES) as pool:
        answers = list(pool.map(enrol, mine))

    assert answers.count("enrolled") == 1
    assert set(answers) <= {"enrolled", CodeInUse.code, CodeSpent.code}
    assert count(tools, Terminal) == 1
    assert count(tools, AccessToken) == 1


@both_books
def test_a_stale_store_does_not_enrol_twice(tools, founded, redis_url):
    """The nonce store fails over to a copy of before the enrolment."""
    code = enrolment(tools, founded)
    with written_by_hand(redis_url) as client:
        before = {key: client.dump(key) for key in client.keys("*:code:*")}
        staff.enrol(tools, code)
        for key, value in before.items():
            client.restore(key, 0, value, replace=True)

    with pytest.raises(CodeSpent):
        staff.enrol(tools, code)

    assert count(tools, Terminal) == 1


def test_a_wiped_store_does_not_enrol_twice(tools, founded):
    code = enrolment(tools, founded)
    staff.enrol(tools, code)
    wipe(tools.settings.redis_url)

    with pytest.raises((CodeSpent, CodeUnknown)):
        staff.enrol(tools, code)

    assert count(tools, Terminal) == 1


def test_there_is_no_enrolment_for_nowhere(tools, founded):
    with pytest.raises(NotFound):
        staff.enrolment_code(tools, uuid4())


def test_who_asked_for_an_enrolment_is_written_down(tools, founded):
    staff.enrolment_code(tools, founded.location_id, by=founded.staff_id)

    with tools.database.read() as tx:
        line = tx.scalars(
            select(AuditEntry).where(AuditEntry.action == "enrolment.issued")
        ).one()
    assert line.staff_id == founded.staff_id


def test_without_a_nonce_store_no_device_is_enrolled(
    tools, make_tools, founded, tmp_path
):
    code = enrolment(tools, founded)
    away = make_tools(redis_url=f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(StoreDown):
        staff.enrol(away, code)

    assert count(tools, Terminal) == 0
    staff.enrol(tools, code)


def test_a_terminal_shows_who_works_there(tools, founded, owner, make_terminal, bo):
    elsewhere = shop.add_location(tools, name="Harbour", by=owner)
    for name, place in (("Cy", elsewhere), ("Di", founded.location_id)):
        shop.add_staff(
            tools, name=name, role="barista", pin="4071", location_id=place, by=owner
        )
    switched_off = shop.add_staff(
        tools, name="Ed", role="barista", pin="4071", by=owner
    )
    shop.set_active(tools, switched_off, is_active=False, by=owner)

    names = [row.name for row in staff.staff_at(tools, make_terminal())]

    assert names == ["Bo", "Di", "Owner"]


def test_somebody_without_a_pin_is_not_shown(tools, founded, make_terminal):
    with tools.database.begin() as tx:
        tx.get(StaffMember, founded.staff_id).pin_hash = None
    terminal = make_terminal()

    assert staff.staff_at(tools, terminal) == []
    with pytest.raises(Unauthenticated):
        staff.sign_in(tools, terminal, founded.staff_id, "")


def test_a_pin_signs_in(tools, make_terminal, bo):
    terminal = make_terminal()

    signed_in = staff.sign_in(tools, terminal, bo, "4071")

    caller = sessions.who(tools, signed_in.token)
    assert (caller.staff_id, caller.terminal_id) == (bo, terminal.terminal_id)
    assert (signed_in.name, signed_in.role) == ("Bo", "barista")


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "407",
        "40711",
        "4072",
        "\uff14\uff10\uff17\uff11",
        " 4071",
        "4071\n",
        "4071\0",
    ],
    ids=ascii,
)
def test_another_pin_does_not(tools, make_terminal, bo, pin):
    with pytest.raises(Unauthenticated):
        staff.sign_in(tools, make_terminal(), bo, pin)


def test_guesses_at_one_person_are_limited_at_one_terminal(
    tools, make_terminal, bo, founded
):
    terminal = make_terminal()
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            staff.sign_in(tools, terminal, bo, "0000")

    with pytest.raises(LimitReached) as refusal:
        staff.sign_in(tools, terminal, bo, "4071")

    assert refusal.value.limit == "pin"
    assert timedelta(minutes=14) < refusal.value.retry_after <= timedelta(minutes=15)
    # nobody else is kept from work
    staff.sign_in(tools, terminal, founded.staff_id, founded.pin)
    staff.sign_in(tools, make_terminal(), bo, "4071")


def test_guesses_at_everybody_are_limited_at_one_terminal(tools, make_terminal, bo):
    terminal = make_terminal()
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            staff.sign_in(tools, terminal, uuid4(), "0000")

    with pytest.raises(LimitReached) as refusal:
        staff.sign_in(tools, terminal, bo, "4071")

    assert refusal.value.limit == "pin_terminal"


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "123",
        "123456789",
        "12a4",
        "12 4",
        "-123",
        "\uff11\uff12\uff13\uff14",
        "1234\n",
        "\u00b2\u00b3\u00b9\u00b2",
    ],
    ids=ascii,
)
def test_a_pin_has_four_to_eight_digits(pin):
    with pytest.raises(InvalidRequest) as refusal:
        staff.hash_pin(pin)

    assert refusal.value.fields == {"pin": "not_digits"}


@pytest.mark.parametrize(
    "pin", ["0000", "1111", "1234", "4321", "12345678", "87654321", "0123", "1212"]
)
def test_a_pin_is_not_simple(pin):
    with pytest.raises(InvalidRequest) as refusal:
        staff.hash_pin(pin)

    assert refusal.value.fields == {"pin": "too_simple"}


def test_the_same_pin_is_kept_in_another_way_each_time():
    first, second = staff.hash_pin("4071"), staff.hash_pin("4071")

    assert first != second
    assert "4071" not in first
    assert first.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("password", "word"), [("nine char", "too_short"), ("x" * 201, "too_long")]
)
def test_a_password_is_of_some_length(password, word):
    with pytest.raises(InvalidRequest) as refusal:
        staff.hash_password(password)

    assert refusal.value.fields == {"password": word}


def test_the_owner_signs_in_to_the_console(tools, founded):
    signed_in = staff.console_sign_in(
        tools, f"  {founded.email.upper()} ", founded.password
    )

    caller = sessions.who(tools, signed_in.token)
    assert caller == ConsoleCaller(founded.staff_id, "Owner", "owner")
    with tools.database.read() as tx:
        actions = list(tx.scalars(select(AuditEntry.action)))
    assert actions[-1] == "console.signed_in"


@both_books
@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("owner@localhost", "not the password"),
        ("nobody@localhost", "not the password"),
        ("", ""),
        ("owner@localhost\x00", "not the password"),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("x" * 5000, "x" * 5000),
    ],
    ids=["wrong", "nobody", "empty", "nul", "quotes", "long"],
)
def test_another_pair_does_not_open_the_console(tools, founded, email, password):
    with pytest.raises(Unauthenticated):
        staff.console_sign_in(tools, email, password)

    assert count(tools, AccessToken) == 0


def test_a_barista_has_no_console(tools, founded, bo):
    with tools.database.begin() as tx:
        row = tx.get(StaffMember, bo)
        row.email = "bo@example.org"
        row.password_hash = staff.hash_password("a long password")

    with pytest.raises(Unauthenticated):
        staff.console_sign_in(tools, "bo@example.org", "a long password")


def test_guesses_at_a_password_are_limited(tools, founded):
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            staff.console_sign_in(tools, founded.email, "not the password")

    with pytest.raises(LimitReached) as refusal:
        # however it is spelled
        staff.console_sign_in(tools, f" {founded.email.upper()}", founded.password)

    assert refusal.value.limit == "password"


def guess(tools: Tools, email: str, device: str | None) -> str:
    """Guess a password; what it was refused for comes back."""
    try:
        staff.console_sign_in(tools, email, "not the password", device=device)
    except LimitReached as refusal:
        return refusal.limit
    except Unauthenticated:
        return "heard"
    return "let in"


def test_a_stranger_who_guesses_does_not_shut_the_owner_out(tools, founded):
    # given somebody elsewhere who guesses until nobody listens
    told = [guess(tools, founded.email, "192.0.2.7") for _ in range(9)]
    assert told == ["heard"] * 5 + ["password"] * 4

    # when the owner signs in at home, then that is heard
    staff.console_sign_in(tools, founded.email, founded.password, device="198.51.100.1")


def test_guesses_at_one_password_from_everywhere_are_limited(tools, founded):
    told = [guess(tools, founded.email, f"192.0.2.{n}") for n in range(32)]

    assert told == ["heard"] * 30 + ["password_address"] * 2


@pytest.mark.parametrize("network", ["192.0.2.7", "2001:db8::{n:x}"])
def test_one_network_does_not_try_ever_other_people(
    tools, founded, network, monkeypatch
):
    # given passwords of nobody, which take no time here
    monkeypatch.setattr(staff, "_PASSWORDS", PasswordHasher(1, 8, 1))
    told = [
        guess(tools, f"no{n}@example.org", network.format(n=n + 1)) for n in range(32)
    ]

    assert told == ["heard"] * 30 + ["password_network"] * 2


@pytest.mark.parametrize("places", ["_AT_ONCE", "_IN_LINE"])
def test_a_process_hashes_few_passwords_at_once(tools, founded, monkeypatch, places):
    # given as many who sign in as a process has room for
    monkeypatch.setattr(staff, places, BoundedSemaphore(1))
    monkeypatch.setattr(staff, "_PATIENCE_S", 0.01)
    with getattr(staff, places), pytest.raises(TryAgain):
        staff.console_sign_in(tools, founded.email, founded.password)

    # then there is room again when they are through, whatever came of it
    assert guess(tools, founded.email, None) == "heard"
    staff.console_sign_in(tools, founded.email, founded.password)


def test_half_a_pair_of_surrogates_is_a_wrong_guess(tools, make_terminal, bo):
    with pytest.raises(Unauthenticated):
        staff.sign_in(tools, make_terminal(), bo, "\ud800")


def test_the_audit_log_keeps_no_secret(tools, founded, owner, bo):
    shop.set_pin(tools, bo, pin="9264", by=owner)
    with tools.database.begin() as tx:
        audit.record(tx, tools, "test", "x", by=None)

    with tools.database.read() as tx:
        lines = [str(vars(row)) for row in tx.scalars(select(AuditEntry))]
    assert len(lines) >= 4
    assert not [
        line
        for line in lines
        for secret in ("9264", founded.pin, founded.password)
        if f"'{secret}'" in line
    ]
