"""A card as its shop keeps it: found by number or name, with all that happened to it.

For the console. It tells who gave what and where, which a member is not told, and what
may be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import aliased

from app.programme import cards, finding, purchases, stock, units
from app.programme.cards import CardState
from app.programme.errors import NotFound
from app.programme.purchases import FiledPurchase
from app.programme.units import Unit
from app.store.tables import (
    Card,
    Erasure,
    LedgerEntry,
    Location,
    Member,
    Signal,
    StaffMember,
    Terminal,
    Voucher,
)
from app.tools import Tools

#: Cards that a search tells of, and entries that a page shows.
MOST_FOUND: Final = 30
MOST_ENTRIES: Final = 200

_Undoing = aliased(LedgerEntry)


@dataclass(frozen=True, slots=True)
class FiledCard:
    """A card in a list."""

    card_id: UUID
    number: str
    member_name: str | None
    opened_at: datetime
    is_paused: bool
    is_closed: bool


@dataclass(frozen=True, slots=True)
class FiledEntry:
    """One entry of a card's ledger, with who and where."""

    entry_id: UUID
    at: datetime
    #: ``given``, ``by_hand``, ``more`` (what another entry brought about), ``earned``,
    #: ``chosen``, ``redeemed``, ``ended``, ``undone``, ``moved_in`` or ``moved_out``.
    what: str
    #: Of ``unit``.
    units: int
    unit: Unit
    place: str | None
    staff_name: str | None
    terminal_name: str | None
    reward: str | None
    reason: str | None
    is_undone: bool
    #: What was bought, if it came of that.
    bought: FiledPurchase | None
    #: Whether it can be taken back by itself.
    can_undo: bool


@dataclass(frozen=True, slots=True)
class CardFile:
    """A card with its history, newest first."""

    card: CardState
    opened_at: datetime
    #: Whose own card it is, of those who work here.
    staff_id: UUID | None
    staff_name: str | None
    #: When its person was erased; None: they were not.
    erased_at: datetime | None
    #: The card that goes on for it, if it was put to another.
    merged_into: UUID | None
    entries: tuple[FiledEntry, ...]
    #: Signals about it that nobody has dismissed.
    signals: int


def find(tools: Tools, words: str) -> list[FiledCard]:
    """Look for cards; nothing typed finds the newest.

    Args:
        tools: the books.
        words: as ``finding.condition`` reads them; not trusted.

    Raises:
        InvalidRequest: ``q`` makes no sense.
        StoreDown: the books gave no answer.
    """
    asked = (
        select(
            Card.card_id,
            Card.number,
            Member.name,
            Card.opened_at,
            Card.paused_at.is_not(None),
            Card.closed_at.is_not(None),
        )
        .join(Member, Member.member_id == Card.member_id)
        .limit(MOST_FOUND)
    )
    if words.strip():
        asked = asked.where(finding.condition(words)).order_by(
            func.lower(Member.name), Card.number
        )
    else:
        asked = asked.order_by(Card.opened_at.desc())
    with tools.database.read() as tx:
        return [FiledCard(*row) for row in tx.execute(asked)]


def of(tools: Tools, card_id: UUID) -> CardFile:
    """Read a card with what happened to it.

    Raises:
        NotFound: no such card.
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        state = cards.state_of(tx, card_id, tools.now())
        known = tx.execute(
            select(Card.opened_at, Member.staff_id, StaffMember.name, Erasure.at)
            .join(Member, Member.member_id == Card.member_id)
            .outerjoin(StaffMember, StaffMember.staff_id == Member.staff_id)
            .outerjoin(Erasure, Erasure.member_id == Member.member_id)
            .where(Card.card_id == card_id)
        ).one()
        rows = tx.execute(
            select(
                LedgerEntry,
                Location.name.label("place"),
                StaffMember.name.label("person"),
                Terminal.name.label("till"),
                Voucher.reward,
                stock.untouched().label("is_untouched"),
                _Undoing.entry_id.label("undone_by"),
            )
            .outerjoin(Location, Location.location_id == LedgerEntry.location_id)
            .outerjoin(StaffMember, StaffMember.staff_id == LedgerEntry.staff_id)
            .outerjoin(Terminal, Terminal.terminal_id == LedgerEntry.terminal_id)
            .outerjoin(Voucher, Voucher.voucher_id == LedgerEntry.voucher_id)
            .outerjoin(_Undoing, _Undoing.reverses_id == LedgerEntry.entry_id)
            .where(LedgerEntry.card_id == card_id)
            .order_by(LedgerEntry.entry_no.desc())
            .limit(MOST_ENTRIES)
        ).all()
        goes_on = cards.goes_on(tx, card_id)
        bought = purchases.of_card(tx, card_id, limit=MOST_ENTRIES)
        signals = tx.scalar(
            select(func.count())
            .select_from(Signal)
            .where(Signal.card_id == card_id, Signal.state != "dismissed")
        )
    return CardFile(
        state,
        *known,
        goes_on,
        tuple(_entry(row, bought) for row in rows),
        signals or 0,
    )


def card_of(tools: Tools, entry_id: UUID) -> UUID:
    """Tell whose entry it is.

    Raises:
        NotFound: no such entry.
    """
    with tools.database.read() as tx:
        found = tx.scalar(
            select(LedgerEntry.card_id).where(LedgerEntry.entry_id == entry_id)
        )
    if found is None:
        raise NotFound
    return found


def number_of(tools: Tools, card_id: UUID) -> str:
    """Tell a card's number, eight digits.

    Raises:
        NotFound: no such card.
    """
    with tools.database.read() as tx:
        found = tx.scalar(select(Card.number).where(Card.card_id == card_id))
    if found is None:
        raise NotFound
    return found


def member_of(tools: Tools, card_id: UUID) -> UUID:
    """Tell whose card it is.

    Raises:
        NotFound: no such card.
    """
    with tools.database.read() as tx:
        found = tx.scalar(select(Card.member_id).where(Card.card_id == card_id))
    if found is None:
        raise NotFound
    return found


def _entry(
    row: Row[*tuple[object, ...]], bought: Mapping[UUID, FiledPurchase]
) -> FiledEntry:
    entry: LedgerEntry = row.LedgerEntry
    is_undone = row.undone_by is not None
    what = {
        cards.RULE_BY_HAND: "by_hand",
        cards.RULE_FULL_CARD: "earned",
        cards.RULE_VOUCHER_USED: "redeemed",
        cards.RULE_UNDO: "undone",
        cards.RULE_MOVED_IN: "moved_in",
        cards.RULE_MOVED_OUT: "moved_out",
        cards.RULE_CHOSEN: "chosen",
        cards.RULE_CANCELLED: "undone",
    }.get(entry.rule, "given" if entry.nonce else "more")
    if entry.kind == "EXPIRE":
        what = "ended"
    # A voucher goes back while nobody has used it, nor read what is in it.
    is_free = what == "chosen" and bool(row.is_untouched)
    return FiledEntry(
        entry_id=entry.entry_id,
        at=entry.at,
        what=what,
        units=entry.units,
        unit=units.of(entry.unit),
        place=row.place,
        staff_name=row.person,
        terminal_name=row.till,
        reward=row.reward,
        reason=entry.reason,
        is_undone=is_undone,
        bought=bought.get(entry.purchase_id) if entry.purchase_id else None,
        can_undo=not is_undone
        and (what in {"given", "by_hand", "redeemed"} or is_free),
    )
