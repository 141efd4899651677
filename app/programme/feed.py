"""What happened in the shop: the live list, and the day's figures.

Reads only. The list is put together from where each thing is kept: the ledger
(stamps, rewards), cards (joins), terminals (enrolments) and signals. A day begins
at midnight in the shop's time zone; what was undone later is not in its figures.

A transaction may commit a little after the moment that it writes down. Whoever asks
for what happened ``after`` a moment therefore gets the last lines before it again,
and tells lines apart by ``line_id``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, SQLColumnExpression, case, func, or_, select
from sqlalchemy.orm import aliased

from app.programme import cards, signals
from app.programme import units as kinds_of_units
from app.programme.errors import NotFound
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import (
    Card,
    LedgerEntry,
    Location,
    Member,
    Shop,
    Signal,
    StaffMember,
    Terminal,
    Voucher,
)
from app.tools import Tools

#: How far back a question for news reaches before its moment: longer than any
#: transaction of ours lives.
OVERLAP: Final = timedelta(seconds=30)

_Undone = aliased(LedgerEntry)
_Reversal = aliased(LedgerEntry)
_GIVEN = ("EARN", "BONUS", "ADJUST")
_GIVES_STAMPS = LedgerEntry.kind.in_(_GIVEN) & LedgerEntry.unit.is_(None)


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One thing that happened."""

    #: Unique among all lines, and always the same for the same thing.
    line_id: str
    at: datetime
    #: ``given``, ``by_hand``, ``earned``, ``redeemed``, ``stamp_undone``,
    #: ``redemption_undone``, ``joined``, ``enrolled`` or ``signal``.
    kind: str
    #: Of ``unit``, given or taken back.
    units: int = 0
    unit: Unit = Unit.STAMP
    #: The location's name.
    place: str | None = None
    card_number: str | None = None
    member_name: str | None = None
    staff_name: str | None = None
    reward: str | None = None
    #: The terminal's name, the kind of the signal, or why it was undone.
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a day came to: each counts what was not undone."""

    stamps: int
    joined: int
    earned: int
    redeemed: int
    #: Stamp givings and redemptions taken back on the day.
    undone: int


@dataclass(frozen=True, slots=True)
class PlaceStamps:
    """The stamps that a location gave today."""

    location_id: UUID
    name: str
    stamps: int


@dataclass(frozen=True, slots=True)
class DayStamps:
    """The stamps of one day."""

    day: date
    stamps: int


def feed(
    tools: Tools,
    *,
    limit: int = 50,
    after: datetime | None = None,
    location_id: UUID | None = None,
) -> list[FeedLine]:
    """Read what happened, newest first.

    Args:
        tools: the books.
        limit: lines at most.
        after: only what happened after this moment, or ``OVERLAP`` before it.
        location_id: only what happened there; joins happen nowhere.

    Returns:
        The lines.
    """
    since = after - OVERLAP if after else None
    with tools.database.read() as tx:
        lines = [
            *_ledger_lines(tx, limit, since, location_id),
            *_enrolment_lines(tx, limit, since, location_id),
            *_signal_lines(tx, limit, since, location_id),
        ]
        if location_id is None:
            lines += _join_lines(tx, limit, since)
    lines.sort(key=lambda line: (line.at, line.line_id), reverse=True)
    return lines[:limit]


def figures(tools: Tools, *, location_id: UUID | None = None) -> Figures:
    """Count today.

    Args:
        tools: the books and the clock.
        location_id: only what happened there; new cards are then 0.

    Raises:
        NotFound: the shop was never founded.
    """
    with tools.database.read() as tx:
        start = _midnight(tools, tx)
        there = _at_place(location_id)
        counted = tx.execute(
            select(
                _sum(_GIVES_STAMPS, LedgerEntry.units),
                _sum(LedgerEntry.rule == cards.RULE_FULL_CARD, 1),
                _sum(LedgerEntry.rule == cards.RULE_VOUCHER_USED, 1),
            )
            .outerjoin(_Reversal, _Reversal.reverses_id == LedgerEntry.entry_id)
            .where(LedgerEntry.at >= start, _Reversal.entry_id.is_(None), *there)
        ).one()
        undone = tx.scalar(
            select(func.count())
            .select_from(LedgerEntry)
            .join(_Undone, _Undone.entry_id == LedgerEntry.reverses_id)
            .where(
                LedgerEntry.at >= start, _Undone.rule != cards.RULE_FULL_CARD, *there
            )
        )
        joined = tx.scalar(
            select(func.count()).select_from(Card).where(Card.opened_at >= start)
        )
    return Figures(
        stamps=counted[0],
        earned=counted[1],
        redeemed=counted[2],
        undone=undone or 0,
        joined=0 if location_id else joined or 0,
    )


def stamps_by_place(tools: Tools) -> list[PlaceStamps]:
    """Count today's stamps of every location, by its name.

    Raises:
        NotFound: the shop was never founded.
    """
    with tools.database.read() as tx:
        counts = (
            select(LedgerEntry.location_id, func.sum(LedgerEntry.units).label("stamps"))
            .outerjoin(_Reversal, _Reversal.reverses_id == LedgerEntry.entry_id)
            .where(
                LedgerEntry.at >= _midnight(tools, tx),
                _GIVES_STAMPS,
                _Reversal.entry_id.is_(None),
            )
            .group_by(LedgerEntry.location_id)
            .subquery()
        )
        rows = tx.execute(
            select(Location.location_id, Location.name, counts.c.stamps)
            .outerjoin(counts, counts.c.location_id == Location.location_id)
            .order_by(func.lower(Location.name))
        )
        return [PlaceStamps(row[0], row[1], row[2] or 0) for row in rows]


def stamps_by_day(
    tools: Tools, *, days: int = 14, location_id: UUID | None = None
) -> list[DayStamps]:
    """Count the stamps of the last days, today last.

    Args:
        tools: the books and the clock.
        days: how many, today too.
        location_id: only what was given there.

    Raises:
        NotFound: the shop was never founded.
    """
    with tools.database.read() as tx:
        zone = _zone(tx)
        today = tools.now().astimezone(zone).date()
        dates = [today - timedelta(days=back) for back in reversed(range(days))]
        starts = [_start_of(day, zone) for day in dates]
        ends = [*starts[1:], _start_of(today + timedelta(days=1), zone)]
        # One pass; days of a zone are no days of the database.
        counts = tx.execute(
            select(
                *(
                    _sum(
                        (LedgerEntry.at >= start) & (LedgerEntry.at < end),
                        LedgerEntry.units,
                    )
                    for start, end in zip(starts, ends, strict=True)
                )
            )
            .outerjoin(_Reversal, _Reversal.reverses_id == LedgerEntry.entry_id)
            .where(
                LedgerEntry.at >= starts[0],
                _GIVES_STAMPS,
                _Reversal.entry_id.is_(None),
                *_at_place(location_id),
            )
        ).one()
    return [DayStamps(day, count) for day, count in zip(dates, counts, strict=True)]


def _ledger_lines(
    tx: Tx, limit: int, since: datetime | None, location_id: UUID | None
) -> Iterator[FeedLine]:
    query = (
        select(
            LedgerEntry,
            Card.number,
            Member.name,
            Location.name,
            StaffMember.name,
            Voucher.reward,
            _Undone.rule,
            _Undone.units,
        )
        .join(Card, Card.card_id == LedgerEntry.card_id)
        .join(Member, Member.member_id == Card.member_id)
        .outerjoin(Location, Location.location_id == LedgerEntry.location_id)
        .outerjoin(StaffMember, StaffMember.staff_id == LedgerEntry.staff_id)
        .outerjoin(Voucher, Voucher.voucher_id == LedgerEntry.voucher_id)
        .outerjoin(_Undone, _Undone.entry_id == LedgerEntry.reverses_id)
        # A voucher that goes back with its stamps is told by the stamps' line.
        .where(or_(_Undone.rule.is_(None), _Undone.rule != cards.RULE_FULL_CARD))
        .where(*_at_place(location_id))
        .order_by(LedgerEntry.entry_no.desc())
        .limit(limit)
    )
    if since:
        query = query.where(LedgerEntry.at >= since)
    for entry, number, member, place, person, reward, undone, units in tx.execute(
        query
    ):
        kind = _ledger_kind(entry, undone)
        if kind is None:
            continue
        yield FeedLine(
            line_id=f"e{entry.entry_no}",
            at=entry.at,
            kind=kind,
            units=abs(units or entry.units),
            unit=kinds_of_units.of(entry.unit),
            place=place,
            card_number=number,
            member_name=member,
            staff_name=person,
            reward=reward,
            subject=entry.reason,
        )


def _ledger_kind(entry: LedgerEntry, undone_rule: str | None) -> str | None:
    """Tell what an entry is in the list; None: nothing that people ask for."""
    if entry.rule == cards.RULE_BY_HAND:
        return "by_hand"
    if entry.kind in _GIVEN:
        return "given"
    if entry.kind == "REVERSE":
        was_voucher = undone_rule == cards.RULE_VOUCHER_USED
        return "redemption_undone" if was_voucher else "stamp_undone"
    return {
        cards.RULE_FULL_CARD: "earned",
        cards.RULE_VOUCHER_USED: "redeemed",
    }.get(entry.rule)


def _join_lines(tx: Tx, limit: int, since: datetime | None) -> Iterator[FeedLine]:
    query = (
        select(Card.card_id, Card.number, Card.opened_at, Member.name)
        .join(Member, Member.member_id == Card.member_id)
        .order_by(Card.opened_at.desc())
        .limit(limit)
    )
    if since:
        query = query.where(Card.opened_at >= since)
    for card_id, number, opened_at, name in tx.execute(query):
        yield FeedLine(
            line_id=f"c{card_id.hex}",
            at=opened_at,
            kind="joined",
            card_number=number,
            member_name=name,
        )


def _enrolment_lines(
    tx: Tx, limit: int, since: datetime | None, location_id: UUID | None
) -> Iterator[FeedLine]:
    query = (
        select(Terminal.terminal_id, Terminal.name, Terminal.enrolled_at, Location.name)
        .join(Location, Location.location_id == Terminal.location_id)
        .order_by(Terminal.enrolled_at.desc())
        .limit(limit)
    )
    if since:
        query = query.where(Terminal.enrolled_at >= since)
    if location_id:
        query = query.where(Terminal.location_id == location_id)
    for terminal_id, name, enrolled_at, place in tx.execute(query):
        yield FeedLine(
            line_id=f"t{terminal_id.hex}",
            at=enrolled_at,
            kind="enrolled",
            place=place,
            subject=name,
        )


def _signal_lines(
    tx: Tx, limit: int, since: datetime | None, location_id: UUID | None
) -> Iterator[FeedLine]:
    query = (
        select(Signal, Card.number, Member.name, Location.name, StaffMember.name)
        .outerjoin(Card, Card.card_id == Signal.card_id)
        .outerjoin(Member, Member.member_id == Card.member_id)
        .outerjoin(Terminal, Terminal.terminal_id == Signal.terminal_id)
        .outerjoin(Location, Location.location_id == Terminal.location_id)
        .outerjoin(StaffMember, StaffMember.staff_id == Signal.staff_id)
        # A stamp by hand is told by its own line.
        .where(Signal.kind != signals.BY_HAND)
        .order_by(Signal.at.desc())
        .limit(limit)
    )
    if since:
        query = query.where(Signal.at >= since)
    if location_id:
        query = query.where(Terminal.location_id == location_id)
    for signal, number, member, place, person in tx.execute(query):
        yield FeedLine(
            line_id=f"s{signal.signal_id.hex}",
            at=signal.at,
            kind="signal",
            place=place,
            card_number=number,
            member_name=member,
            staff_name=person,
            subject=signal.kind,
        )


def _at_place(location_id: UUID | None) -> tuple[ColumnElement[bool], ...]:
    """Limit ledger entries to a location."""
    return () if location_id is None else (LedgerEntry.location_id == location_id,)


def _sum(
    condition: ColumnElement[bool], units: SQLColumnExpression[int] | int
) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, units), else_=0)), 0)


def _midnight(tools: Tools, tx: Tx) -> datetime:
    zone = _zone(tx)
    return _start_of(tools.now().astimezone(zone).date(), zone)


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _zone(tx: Tx) -> ZoneInfo:
    name = tx.scalar(select(Shop.timezone))
    if name is None:
        raise NotFound
    return ZoneInfo(name)
