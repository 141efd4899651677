"""README's worked examples of earning are computed, line by line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.programme import cards, members
from app.programme.cards import CardState
from app.programme.earning import referrals
from app.programme.earning.count import awards
from app.programme.earning.rules import (
    Caps,
    Counts,
    Figures,
    Occasion,
    Rule,
    RuleKind,
    Used,
)
from app.programme.earning.windows import MINUTES_OF_DAY, Window
from app.programme.units import Unit
from app.tools import Tools
from tests.conftest import Clock

README = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
ZONE = ZoneInfo("Europe/Copenhagen")
TUESDAYS = Window("FREQ=WEEKLY;BYDAY=TU", 0, MINUTES_OF_DAY)


def rule(number: int, kind: RuleKind, unit: Unit, **more: Any) -> Rule:
    figures = {name: more.pop(name) for name in Figures.__slots__ if name in more}
    named = UUID(int=number)
    return Rule(named, 1, named, UUID(int=0), kind, unit, Figures(**figures), **more)


def euros(cents: int) -> str:
    return f"€{cents / 100:,.2f}"


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZONE).astimezone(UTC)


def test_ten_coffees_and_one_for_free(
    tools: Tools, make_card: Callable[..., CardState], visit: Callable[..., Any]
) -> None:
    card = make_card()
    for number, coffees in enumerate((2, 3, 4, 2, 1), 1):
        visit(card, coffees)
        now = cards.card(tools, card.card_id)
        row = f"| {number} | {coffees} | {now.stamps} | {len(now.vouchers)} |"
        assert row in README


def test_double_tuesday() -> None:
    rules = (
        rule(1, RuleKind.AMOUNT, Unit.STAMP, units=1, per=500),
        rule(2, RuleKind.TIMES, Unit.STAMP, percent=200, windows=(TUESDAYS,)),
    )
    carried = 0
    for day, sale in (
        ("2026-11-23", 680), ("2026-11-24", 680),
        ("2026-11-25", 460), ("2026-12-01", 500),
    ):  # fmt: skip
        occasion = Occasion(RuleKind.VISIT, noon(day), ZONE, amount=sale)
        given = awards(rules, occasion, (), Counts({}, {rules[0].rule_id: carried}))
        tally = given[0].tally
        assert tally is not None
        carried = tally.carried
        base, double = (
            sum(one.units for one in given if one.rule is each) for each in rules
        )
        left = euros((tally.whole - carried) // 100)
        name = f"{noon(day):%A}"
        assert (
            f"| {name} {day} | {euros(sale)} | {base} | {double} | {left} |" in README
        )


def test_two_percent_back_with_a_cap() -> None:
    club = rule(1, RuleKind.AMOUNT, Unit.CENT, units=2, per=100, caps=Caps(year=500_00))
    used: dict[int, int] = {}
    carried = 0
    for day, sale in (
        ("2026-02-03", 1_240_35), ("2026-06-10", 20_000_00), ("2026-11-02", 6_000_00),
        ("2026-12-20", 80_00), ("2027-01-04", 80_00),
    ):  # fmt: skip
        occasion = Occasion(RuleKind.VISIT, noon(day), ZONE, amount=sale)
        year = occasion.local_day.year
        counts = Counts(
            {club.rule_id: Used(year=used.get(year, 0))}, {club.rule_id: carried}
        )
        (given,) = awards((club,), occasion, (), counts)
        assert given.tally is not None
        carried = given.tally.carried
        used[year] = used.get(year, 0) + given.units
        why = "the most for this year is reached" if given.cut else ""
        assert (
            f"| {day} | {euros(sale)} | {euros(given.units)} | {euros(used[year])} "
            f"| {why} |" in README
        )


def test_a_friend_invited(
    tools: Tools,
    make_card: Callable[..., CardState],
    make_rule: Callable[..., Rule],
    visit: Callable[..., Any],
    clock: Clock,
) -> None:
    make_rule(RuleKind.REFERRAL, units=3, friend_units=2)
    giver = make_card()
    word = referrals.of_card(tools, giver.card_id).word
    friend = cards.card(tools, members.join(tools, invite=word).card_id)

    def told(happened: str) -> None:
        clock.forward(timedelta(minutes=5))
        referrals.sweep(tools)
        stamps = [cards.card(tools, one.card_id).stamps for one in (giver, friend)]
        assert f"| {happened} | {stamps[0]} | {stamps[1]} |" in README

    told("joins by the link")
    visit(friend)
    told("comes for the first time")
    visit(friend)
    told("comes again on the same day")
    clock.forward(timedelta(days=1))
    visit(friend)
    told("comes on another day")
    visit(friend)
    told("comes once more")
