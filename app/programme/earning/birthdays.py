"""A gift on a member's birthday, once a calendar year, by the worker's round.

A round also gives for the days before, as far as ``LATE`` reaches, so that a worker
that was down forgets nobody. Who was born on 29 February has it on the 28th where there
is none. A birthday that was changed gives nothing within twelve months of the last
gift, whatever day it is now.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, extract, or_, select

from app.programme import expiry, tiers
from app.programme.earning import gifts
from app.programme.earning.rules import Occasion, RuleKind
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Member
from app.tools import Tools

#: Days for which a gift is made up for.
LATE: Final = 7
#: A little less than a year: a birthday falls on the same day of the next one.
_APART: Final = timedelta(days=360)
_MOST: Final = 500
_LEAP_DAY: Final = (2, 29)


def sweep(tools: Tools) -> int:
    """Give to everybody whose birthday it is, each in a transaction.

    Returns:
        How many cards got something.

    Raises:
        TryAgain: nothing can be signed now.
        StoreDown: the books gave no answer; what was given so far is.
    """
    now = tools.now()
    with tools.database.read() as tx:
        today = now.astimezone(expiry.zone_of(tx)).date()
        by_rule = gifts.programmes_with(tx, RuleKind.BIRTHDAY, now)
        giving = {programme_id for programme_id, _ in by_rule}
        due = [
            found
            for programme_id in sorted(giving | tiers.gives_on_birthdays(tx))
            for ago in range(LATE)
            for found in _born_on(tx, programme_id, today - timedelta(days=ago), now)
        ]
    given = 0
    for card_id, member_id, day in due:
        with tools.database.begin() as tx:
            given += _give(tx, tools, card_id, member_id, day, now)
    return given


def _give(
    tx: Tx, tools: Tools, card_id: UUID, member_id: UUID, day: date, now: datetime
) -> bool:
    if not gifts.has_visited(tx, card_id):
        return False
    occasion = Occasion(RuleKind.BIRTHDAY, now, expiry.zone_of(tx))
    name = f"birthday:{member_id.hex}:{day.year}"
    given = gifts.give(
        tx, tools, card_id, occasion, rule=gifts.RULE_BIRTHDAY, once=name
    )
    more = gifts.give_more(
        tx, tools, card_id, now, rule=gifts.RULE_BIRTHDAY, once=f"{name}:tier"
    )
    return bool(given.units or more)


def _born_on(
    tx: Tx, programme_id: UUID, day: date, now: datetime
) -> list[tuple[UUID, UUID, date]]:
    """Find whose birthday a day is, and who was given nothing for a year."""
    lately = (
        select(LedgerEntry.entry_id)
        .join(Card, Card.card_id == LedgerEntry.card_id)
        .where(
            Card.member_id == Member.member_id,
            LedgerEntry.rule == gifts.RULE_BIRTHDAY,
            LedgerEntry.at > now - _APART,
        )
        .exists()
    )
    rows = tx.execute(
        gifts.open_cards(programme_id)
        .with_only_columns(Card.card_id, Card.member_id)
        .join(Member, Member.member_id == Card.member_id)
        .where(_is_birthday(day), Member.staff_id.is_(None), ~lately)
        .limit(_MOST)
    )
    return [(card_id, member_id, day) for card_id, member_id in rows]


def _is_birthday(day: date) -> ColumnElement[bool]:
    days = [(day.month, day.day)]
    if days == [(2, 28)] and (day + timedelta(days=1)).month != _LEAP_DAY[0]:
        days.append(_LEAP_DAY)
    return or_(
        *(
            and_(
                extract("month", Member.birthday) == month,
                extract("day", Member.birthday) == number,
            )
            for month, number in days
        )
    )
