"""The live list and the day's figures, from what really happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.programme import cards, feed, rewards, shop, stamping
from app.programme.cards import CardState
from app.programme.errors import CodeSpent
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.tools import Tools
from tests.conftest import Clock, both_books

Give = Callable[[CardState, int], CardState]


def _stamp(tools: Tools, card: CardState, staff: StaffCaller, stamps: int = 1) -> UUID:
    code = stamping.card_code(tools, card.card_id).code
    spent = stamping.stamp(
        tools, code, stamps=stamps, request_id=uuid4().hex, staff=staff
    )
    return UUID(str(spent.answer["stamp_id"]))


def _redeem(tools: Tools, card: CardState, staff: StaffCaller) -> UUID:
    now = cards.card(tools, card.card_id)
    code = rewards.voucher_code(tools, now.vouchers[0].voucher_id, now.member_id).code
    spent = rewards.redeem(tools, code, request_id=uuid4().hex, staff=staff)
    return UUID(str(spent.answer["redemption_id"]))


@both_books
def test_everything_that_happens_is_told_newest_first(
    tools: Tools, barista: StaffCaller, make_card: Callable[..., CardState]
) -> None:
    card = make_card("Anna")
    first = _stamp(tools, card, barista, 5)
    _stamp(tools, card, barista, 5)
    redeemed = _redeem(tools, card, barista)
    rewards.reverse_redemption(tools, redeemed, staff=barista, reason="wrong card")
    stamping.reverse_stamp(tools, first, staff=barista, reason="wrong person")

    told = feed.feed(tools)

    assert [line.kind for line in told] == [
        "stamp_undone",
        "redemption_undone",
        "redeemed",
        "earned",
        "given",
        "given",
        "joined",
        "enrolled",
    ]
    undone, _, handed, earned, given, *_, enrolled = told
    assert (given.units, given.place, given.member_name, given.staff_name) == (
        5,
        "Nyhavn",
        "Anna",
        "Owner",
    )
    assert (undone.units, undone.subject) == (5, "wrong person")
    assert earned.reward == handed.reward == "Free coffee"
    assert enrolled.subject
    assert len({line.line_id for line in told}) == len(told)


def test_a_used_code_that_is_shown_again_is_told(
    tools: Tools, barista: StaffCaller, make_card: Callable[..., CardState]
) -> None:
    card = make_card("Anna")
    code = stamping.card_code(tools, card.card_id).code
    stamping.stamp(tools, code, stamps=1, request_id="first", staff=barista)
    with pytest.raises(CodeSpent):
        stamping.stamp(tools, code, stamps=1, request_id="second", staff=barista)

    newest = feed.feed(tools)[0]

    assert (newest.kind, newest.subject) == ("signal", "spent_code")
    assert newest.member_name == "Anna"


def test_who_asks_after_a_moment_gets_what_is_new_and_a_little_before(
    tools: Tools, clock: Clock, give: Give, make_card: Callable[..., CardState]
) -> None:
    card = make_card()
    give(card, 1)
    clock.forward(timedelta(minutes=5))
    moment = clock()
    give(card, 2)

    told = feed.feed(tools, after=moment)

    assert [line.units for line in told] == [2]
    assert feed.feed(tools, after=clock() + feed.OVERLAP) == []


def test_the_list_is_as_long_as_asked(
    tools: Tools, give: Give, make_card: Callable[..., CardState]
) -> None:
    give(make_card(), 12)

    assert len(feed.feed(tools, limit=3)) == 3


@both_books
def test_figures_count_today_without_what_was_undone(
    tools: Tools, barista: StaffCaller, make_card: Callable[..., CardState]
) -> None:
    card = make_card()
    for _ in range(2):
        _stamp(tools, card, barista, 5)
    _redeem(tools, card, barista)
    wrong = _stamp(tools, card, barista, 3)
    stamping.reverse_stamp(tools, wrong, staff=barista, reason="wrong person")

    assert feed.figures(tools) == feed.Figures(
        stamps=10, joined=1, earned=1, redeemed=1, undone=1
    )


def test_a_voucher_that_went_back_with_its_stamps_was_not_earned(
    tools: Tools, barista: StaffCaller, make_card: Callable[..., CardState]
) -> None:
    card = make_card()
    _stamp(tools, card, barista, 5)
    last = _stamp(tools, card, barista, 5)
    stamping.reverse_stamp(tools, last, staff=barista, reason="wrong person")

    today = feed.figures(tools)

    assert (today.stamps, today.earned, today.undone) == (5, 0, 1)
    kinds = [line.kind for line in feed.feed(tools)]
    assert kinds.count("stamp_undone") == 1


@both_books
def test_a_place_tells_what_happened_there_alone(
    tools: Tools,
    founded: Founded,
    barista: StaffCaller,
    make_staff: Callable[..., StaffCaller],
    make_card: Callable[..., CardState],
) -> None:
    owner = ConsoleCaller(founded.staff_id, "Owner", "owner")
    torvet = shop.add_location(tools, name="Torvet", by=owner)
    there = make_staff(location_id=torvet)
    card = make_card()
    _stamp(tools, card, barista, 5)
    _stamp(tools, card, there, 5)

    at_torvet = feed.figures(tools, location_id=torvet)
    at_nyhavn = feed.figures(tools, location_id=founded.location_id)

    assert (at_torvet.stamps, at_torvet.earned, at_torvet.joined) == (5, 1, 0)
    assert (at_nyhavn.stamps, at_nyhavn.earned) == (5, 0)
    assert [each.stamps for each in feed.stamps_by_place(tools)] == [5, 5]
    kinds = [line.kind for line in feed.feed(tools, location_id=torvet)]
    assert kinds == ["earned", "given", "enrolled"]
    days = feed.stamps_by_day(tools, days=2, location_id=torvet)
    assert [day.stamps for day in days] == [0, 5]


def test_a_day_begins_at_midnight_of_the_shop(
    tools: Tools,
    founded: Founded,
    clock: Clock,
    barista: StaffCaller,
    make_card: Callable[..., CardState],
) -> None:
    owner = ConsoleCaller(founded.staff_id, "Owner", "owner")
    shop.update_shop(
        tools, name="Shop", colour="#000000", timezone="Asia/Tokyo", by=owner
    )
    # Ten minutes before midnight in Tokyo, on the first day that is yet to come.
    late = datetime.now(UTC).replace(hour=14, minute=50) + timedelta(days=1)
    clock.forward(late - clock())
    _stamp(tools, make_card(), barista, 2)
    clock.forward(timedelta(minutes=20))
    _stamp(tools, make_card(), barista, 3)

    days = feed.stamps_by_day(tools, days=2)

    assert feed.figures(tools).stamps == 3
    assert [day.stamps for day in days] == [2, 3]
    assert days[1].day - days[0].day == timedelta(days=1)
