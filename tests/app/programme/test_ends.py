"""Units end when they were said to, written down or not."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.programme import cards, ends, ledger, stamping
from app.programme.cards import CardState
from app.programme.units import Unit
from app.store.tables import Card, LedgerEntry
from app.tools import Tools
from tests.conftest import both_books

DAY = timedelta(days=1)


def at(tools: Tools, moment: datetime) -> Tools:
    return dataclasses.replace(tools, now=lambda: moment)


@pytest.fixture
def points(tools: Tools, make_card) -> CardState:
    """A card with 30 points that end in ten days, and 12 that do not."""
    card = make_card()
    for units, end in ((30, tools.now() + 10 * DAY), (12, None)):
        with tools.database.begin() as tx:
            given = LedgerEntry(
                entry_id=uuid4(), card_id=card.card_id, kind="BONUS", units=units,
                unit="point", rule="gift", at=tools.now(), expires_at=end,
            )  # fmt: skip
            ledger.write(tx, tools, given)
            cards.credit(tx, tools, given)
    return cards.card(tools, card.card_id)


def entries(tools: Tools, card: CardState) -> list[tuple[str, int]]:
    asked = select(LedgerEntry.kind, LedgerEntry.units).order_by(LedgerEntry.entry_no)
    with tools.database.read() as tx:
        rows = tx.execute(asked.where(LedgerEntry.card_id == card.card_id))
        return [(row[0], row[1]) for row in rows]


def test_a_card_tells_what_ends_and_when(tools, points):
    told = [(end.unit, end.units, end.days_left) for end in points.ending]

    assert points.balances == {Unit.STAMP: 0, Unit.POINT: 42}
    assert told == [(Unit.POINT, 30, 10)]
    assert not points.ending[0].is_soon


def test_what_is_over_is_left_out_before_anybody_wrote_it(tools, points):
    later = at(tools, tools.now() + 11 * DAY)

    seen = cards.card(later, points.card_id)

    assert seen.balances[Unit.POINT] == 12
    assert seen.ending == ()
    assert seen.tag != points.tag
    assert entries(tools, points) == [("BONUS", 30), ("BONUS", 12)]


@both_books
def test_a_card_that_is_used_writes_its_own_ends(tools, points, barista):
    later = at(tools, tools.now() + 11 * DAY)
    code = stamping.card_code(later, points.card_id).code

    told = stamping.stamp(later, code, stamps=1, request_id="one", staff=barista)

    assert told.answer["card"]["balances"] == {"point": 12}
    assert entries(tools, points)[2:] == [("EARN", 1), ("EXPIRE", -30)]


@both_books
def test_the_round_writes_the_rest_once(tools, points):
    later = at(tools, tools.now() + 11 * DAY)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: ends.sweep(later), range(6)))

    assert entries(tools, points)[2:] == [("EXPIRE", -30)]
    assert ends.sweep(later) == 0
    with tools.database.read() as tx:
        card = tx.get(Card, points.card_id)
        total = tx.scalar(
            select(func.sum(LedgerEntry.units)).where(LedgerEntry.unit == "point")
        )
    assert card is not None
    assert (card.units_end_at, total) == (None, 12)


def test_nothing_is_written_before_the_last_second_is_over(tools, points):
    end = points.ending[0].at

    assert ends.sweep(at(tools, end)) == 0
    assert ends.sweep(at(tools, end + timedelta(seconds=1))) == 1
