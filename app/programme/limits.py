"""How many stamps are given at most: by one scan, and within any hour.

Each is a rule of the programme that its owner may change. A limit keeps a mistake or a
cheat small; it finds neither (``app.programme.signals`` does).

====================== ==========================================================
limit                  counts
====================== ==========================================================
stamps_per_scan        the stamps of one scan, or of one code that a till shows
stamps_per_card        what one card was given, by code and by hand
stamps_per_staff_member what one person gave, at whatever till and to whatever card
stamps_per_terminal    what was given at one till
stamps_per_location    what was given at one location, printed stamps among it
====================== ==========================================================

The hour is the last sixty minutes, whatever the clock on the wall says. What was undone
counts as given: else giving and undoing would be free.

Exact. The books are asked in the transaction that gives, after its entry was written,
and the card, the person, the till and the location are held, one after the other, from
before it was, so that of any number at once none passes. It never fails open: no books,
no stamp. Whoever is refused leaves nothing behind: the transaction ends, the code is
not spent. Where no limit is set nothing is held and nothing is asked.

Printed stamps have nobody and no till, so only their card and location are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.programme.errors import LimitReached
from app.store.database import Tx
from app.store.tables import (
    Card,
    LedgerEntry,
    Location,
    Programme,
    StaffMember,
    Terminal,
)

HOUR: Final = timedelta(hours=1)
#: What an owner may choose from: stamps a scan, and stamps an hour.
A_SCAN: Final = range(1, 6)
AN_HOUR: Final = range(1, 10_000)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a programme, in stamps; None: no limit."""

    per_scan: int = 5
    per_card: int | None = 20
    per_staff_member: int | None = 400
    per_terminal: int | None = 400
    per_location: int | None = 2000


#: What a shop starts with: more than an honest hour brings.
SAFE: Final = Limits()
#: None by the hour, for load and for who wants none.
NONE: Final = Limits(5, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Giving:
    """Stamps on their way into the books: how many, to what card, by whom and where."""

    stamps: int
    at: datetime
    card_id: UUID
    staff_id: UUID | None = None
    terminal_id: UUID | None = None
    location_id: UUID | None = None


#: The columns that hold the limits by the hour, as ``Limits`` names them, with what
#: they count, in the order in which it is held.
_WHOSE: Final[Mapping[str, tuple[InstrumentedAttribute[UUID], str]]] = {
    "card": (Card.card_id, "card_id"),
    "staff_member": (StaffMember.staff_id, "staff_id"),
    "terminal": (Terminal.terminal_id, "terminal_id"),
    "location": (Location.location_id, "location_id"),
}
#: As the indexes of the ledger have it, word for word: a parameter would miss them.
_GIVES: Final[ColumnElement[bool]] = literal_column("units > 0")


def of(row: Programme) -> Limits:
    """Copy the limits of a programme's row."""
    return Limits(
        row.most_per_scan,
        row.most_per_card,
        row.most_per_staff_member,
        row.most_per_terminal,
        row.most_per_location,
    )


def columns(limits: Limits) -> Mapping[str, int | None]:
    """Spread limits over the columns of a programme's row."""
    return {f"most_{name}": getattr(limits, name) for name in limits.__slots__}


def must_fit_scan(limits: Limits, stamps: int) -> None:
    """Refuse more stamps than one scan may give.

    Raises:
        LimitReached: ``stamps_per_scan``; waiting does not help.
    """
    if stamps > limits.per_scan:
        raise LimitReached("stamps_per_scan", None, limits.per_scan)


def hold(tx: Tx, limits: Limits, giving: Giving) -> None:
    """Hold what has a limit until the transaction ends, before the entry is written.

    Before, since the entry itself shares a lock on each of them: two who share one and
    then want it alone would wait for each other.
    """
    if tx.get_bind().dialect.name != "postgresql":
        # SQLite has one writer anyway.
        return
    for name, (_, whose_id) in _asked(limits, giving).items():
        key = _WHOSE[name][0]
        # Not the key itself: entries that name this row shall not wait for it.
        tx.execute(select(key).where(key == whose_id).with_for_update(key_share=True))


def must_fit(tx: Tx, limits: Limits, giving: Giving) -> None:
    """Refuse stamps that are more than an hour has room for.

    Args:
        tx: the caller's transaction, which holds (``hold``) what has a limit and in
            which their entry was written already.
        limits: of the card's programme.
        giving: the stamps.

    Raises:
        LimitReached: the first limit that is passed; says when these stamps fit.
    """
    must_fit_scan(limits, giving.stamps)
    asked = _asked(limits, giving)
    if not asked:
        return
    since = giving.at - HOUR
    values = {column: getattr(giving, column) for _, column in _WHOSE.values()}
    given = tx.execute(_SUMS, {**values, "since": since}).one()._mapping
    for name, (most, whose_id) in asked.items():
        if given[name] > most:
            wait = _wait(tx, _WHOSE[name][1], whose_id, giving, most)
            raise LimitReached(f"stamps_per_{name}", wait, most, whose_id)


def _asked(limits: Limits, giving: Giving) -> Mapping[str, tuple[int, UUID]]:
    """Tell which limits there are for some stamps: how many, and whose."""
    return {
        name: (most, whose_id)
        for name, (_, column) in _WHOSE.items()
        if (most := getattr(limits, f"per_{name}")) is not None
        and (whose_id := getattr(giving, column)) is not None
    }


def _given(column: str, whose: ColumnElement[UUID]) -> Select[datetime, int]:
    """Ask for what was given within the hour, and when."""
    asked = select(LedgerEntry.at, LedgerEntry.units).where(
        getattr(LedgerEntry, column) == whose,
        _GIVES,
        LedgerEntry.unit.is_(None),
        LedgerEntry.at > bindparam("since"),
    )
    # An undoing of a full card puts stamps back on it, which nobody gave.
    return asked.where(LedgerEntry.kind != "REVERSE") if column == "card_id" else asked


def _sum(column: str) -> ScalarSelect[int]:
    rows = _given(column, bindparam(column, type_=Card.card_id.type)).subquery()
    return select(func.coalesce(func.sum(rows.c.units), 0)).scalar_subquery()


#: One question for all four, put together once: it is asked at each stamp.
_SUMS: Final = select(
    *(_sum(column).label(name) for name, (_, column) in _WHOSE.items())
)


def _wait(
    tx: Tx, column: str, whose_id: UUID, giving: Giving, most: int
) -> timedelta | None:
    """Tell when enough of the hour is over for these stamps; None: never."""
    rows = tx.execute(
        _given(column, bindparam("whose", whose_id)).order_by(LedgerEntry.at),
        {"since": giving.at - HOUR},
    ).all()
    too_many = sum(units for _, units in rows) - most
    for at, units in rows:
        too_many -= units
        if too_many <= 0 and giving.stamps <= most:
            free_at: datetime = at + HOUR
            return max(free_at - giving.at, timedelta(seconds=1))
    return None
