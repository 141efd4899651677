"""A member's details: checked, and the birthday set once a year."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.programme import members
from app.programme.account import asked, details
from app.programme.errors import Forbidden, InvalidRequest
from app.programme.sessions import ConsoleCaller
from tests.conftest import both_books

TODAY = date(2026, 11, 23)


def cleaned(**typed: str):
    wrong: dict[str, str] = {}
    return details.cleaned(typed, wrong), wrong


def read_birthday(day: str):
    wrong: dict[str, str] = {}
    return details.birthday(day, wrong, today=TODAY), wrong


@pytest.mark.parametrize(
    "phone",
    ["+45 12 34 56 78", "(02) 9999-1234", "0123/456-78", "12345", "+1 (555) 010.9999"],
)
def test_phones_as_people_write_them(phone):
    clean, wrong = cleaned(phone=f"  {phone} ")

    assert (clean["phone"], wrong) == (phone, {})


@pytest.mark.parametrize(
    "phone", ["1234", "1" * 16, "call me", "+", "12-34-x", "\u0661" * 8, "1 " * 20]
)
def test_what_is_no_phone(phone):
    assert cleaned(phone=phone)[1] == {"phone": "not_a_phone"}


@pytest.mark.parametrize("day", ["1990-02-28", "1920-01-01", "2026-11-22"])
def test_birthdays_are_real_past_days(day):
    assert read_birthday(day) == (date.fromisoformat(day), {})


@pytest.mark.parametrize(
    "day",
    ["2026-11-23", "2030-01-01", "1990-02-30", "1800-01-01", "19900228", "28.2.1990"],
)
def test_what_is_no_birthday(day):
    assert read_birthday(day) == (None, {"birthday": "not_a_birthday"})


def test_an_address_keeps_its_lines():
    clean, wrong = cleaned(address=" Nyhavn 1 \r\n\r\n 1051  K\u00f8benhavn ")

    assert (clean["address"], wrong) == ("Nyhavn 1\n1051 K\u00f8benhavn", {})


@given(some.dictionaries(some.sampled_from(list(asked.FIRST)), some.text(max_size=400)))
def test_whatever_is_typed_is_taken_or_named(typed):
    wrong: dict[str, str] = {}
    clean = details.cleaned(typed, wrong)

    assert wrong.keys() <= typed.keys()
    for name, value in clean.items():
        assert value is None or name in typed
    assert len(str(clean["phone"] or "")) <= 32 or "phone" in wrong


def test_a_member_changes_details_and_takes_them_away(tools, anna):
    details.save(tools, anna.member_id, {"name": "Anne", "phone": "12345678"})
    details.save(tools, anna.member_id, {"phone": ""})

    found = details.details(tools, anna.member_id)
    assert (found.name, found.phone) == ("Anne", None)
    assert len(found.number) == 8


def test_another_birthday_comes_after_a_year(tools, anna, clock):
    def set_to(day: str) -> None:
        details.save(tools, anna.member_id, {"birthday": day})

    set_to("1990-05-01")
    set_to("1990-05-01")
    for day in ("1990-06-01", ""):
        if day:
            with pytest.raises(InvalidRequest) as refusal:
                set_to(day)
            assert refusal.value.fields == {"birthday": "changed_lately"}
        else:
            set_to(day)
    # Taken away, no other comes in any sooner.
    with pytest.raises(InvalidRequest):
        set_to("1990-06-01")
    clock.forward(timedelta(days=365))

    set_to("1990-06-01")

    assert details.details(tools, anna.member_id).birthday == date(1990, 6, 1)


@both_books
def test_of_two_birthdays_at_once_one_is_set(tools, anna):
    start = Barrier(4)

    def set_to(day: int) -> bool:
        start.wait()
        try:
            details.save(tools, anna.member_id, {"birthday": f"1990-05-{day:02}"})
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(set_to, range(1, 5))) == 1


def test_the_form_requires_what_the_shop_asks_and_takes_nothing_hidden(tools, founded):
    boss = ConsoleCaller(founded.staff_id, "Owner", "owner")
    wanted = asked.FIRST | {"phone": "required", "name": "hidden"}
    asked.save(tools, wanted, by=boss)
    assert asked.asked(tools) == wanted

    with pytest.raises(InvalidRequest) as refusal:
        members.join(tools, is_form=True)
    assert refusal.value.fields == {"phone": "missing"}
    joined = members.join(
        tools, name="Anna", contact={"phone": "12345678"}, is_form=True
    )

    found = details.details(tools, joined.member_id)
    assert (found.name, found.phone) == (None, "12345678")
    # Scanning a till's code asks nothing.
    members.join(tools, name="Bo")


def test_a_barista_does_not_choose_what_the_form_asks(tools, founded):
    barista = ConsoleCaller(founded.staff_id, "Bo", "barista")

    with pytest.raises(Forbidden):
        asked.save(tools, asked.FIRST, by=barista)


def test_a_choice_that_is_none_is_named(tools, founded):
    boss = ConsoleCaller(founded.staff_id, "Owner", "owner")

    with pytest.raises(InvalidRequest) as refusal:
        asked.save(tools, {"name": "often"}, by=boss)

    assert set(refusal.value.fields) == set(asked.FIRST)
