"""A card as its member sees it, and what its answers tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, func, select

from app.programme import expiry, limits, vouchers
from app.programme.cards import sums as ledger_sums
from app.programme.errors import NotFound
from app.programme.limits import SAFE, Limits
from app.programme.terms import reading
from app.programme.terms.figures import Figures
from app.programme.units import Sums, Unit
from app.programme.vouchers import VoucherView
from app.store.database import Tx
from app.store.tables import (
    Card,
    LedgerEntry,
    Location,
    Member,
    Programme,
    Shop,
    Voucher,
)
from app.tools import Tools

#: Kinds of entries that put stamps on a card.
_GIVING: Final = ("EARN", "BONUS", "ADJUST", "MERGE")
#: Vouchers that an answer tells of though nobody can use them any more.
_MOST_OVER: Final = 3
_SHOP_NAME = select(Shop.name).scalar_subquery()

#: Asked by every phone that shows a code, again and again: put together once.
_VERSION = select(
    Card.version,
    Card.member_id,
    Card.units_end_at,
    select(Voucher.voucher_id)
    .where(Voucher.card_id == Card.card_id, vouchers.unused_with_end())
    .exists()
    .label("has_ends"),
).where(Card.card_id == bindparam("card_id"))


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """The rules of one stamp card, as anyone may read them."""

    programme_id: UUID
    name: str
    reward: str
    stamps_required: int
    terms: str
    terms_version: int
    is_open: bool
    #: For how many days a new voucher is good, as ``expiry`` has it; None: no end.
    voucher_days: int | None
    limits: Limits = SAFE
    #: ``automatic``: a full card becomes a voucher by itself; ``by_choice``: members
    #: choose among rewards.
    exchanges: str = "automatic"
    #: How many days before it takes effect a change is announced.
    notice_days: int = 14


@dataclass(frozen=True, slots=True)
class Mark:
    """One stamp on the card: when, where, and the seed of its picture."""

    at: datetime
    #: The shop's name where it was of no place in particular.
    place: str
    seed: str


@dataclass(frozen=True, slots=True)
class Ending:
    """Units that end together, unless they are spent before."""

    unit: Unit
    units: int
    #: The last second in which they are good.
    at: datetime
    #: Midnights in the shop until the day of their end.
    days_left: int

    @property
    def is_soon(self) -> bool:
        """Tell whether it is near enough to warn of."""
        return self.days_left <= expiry.SOON_DAYS


@dataclass(frozen=True, slots=True)
class CardState:
    """A card as its member sees it."""

    card_id: UUID
    number: str
    member_id: UUID
    member_name: str | None
    #: With the figures that its running round was promised.
    programme: ProgrammeView
    #: Below nought where some were taken back that had been spent.
    stamps: int
    #: One for each stamp, oldest first.
    marks: tuple[Mark, ...]
    #: Newest first.
    vouchers: tuple[VoucherView, ...]
    version: int
    #: Another one whenever the card has changed, be it by the clock alone.
    tag: str
    is_closed: bool
    #: The version of the terms that the member has agreed to.
    terms_version: int
    #: Since when nothing counts on it; None: all is well.
    paused_at: datetime | None = None
    #: What can be spent of each unit, stamps among them.
    balances: Sums = field(default_factory=dict)
    #: Units that end, soonest first.
    ending: tuple[Ending, ...] = ()
    #: What its next round is promised, where that is something else.
    next_round: Figures | None = None

    @property
    def has_new_terms(self) -> bool:
        """Tell whether the terms have changed since the member agreed to them."""
        return self.terms_version < self.programme.terms_version


def card(tools: Tools, card_id: UUID) -> CardState:
    """Read a card.

    Raises:
        NotFound: no such card.
    """
    with tools.database.read() as tx:
        return state_of(tx, card_id, tools.now())


def cards_of(tools: Tools, member_id: UUID) -> list[CardState]:
    """Read all cards of a member, newest first."""
    with tools.database.read() as tx:
        ids = tx.scalars(
            select(Card.card_id)
            .where(Card.member_id == member_id)
            .order_by(Card.opened_at.desc())
        )
        return [state_of(tx, card_id, tools.now()) for card_id in ids]


def tag(tools: Tools, card_id: UUID) -> tuple[str, UUID]:
    """Read only a card's tag and whose it is: the cheap question of a poll.

    Raises:
        NotFound: no such card.
    """
    row = tools.database.first(_VERSION, {"card_id": card_id})
    if row is None:
        raise NotFound
    if not row.has_ends and row.units_end_at is None:
        return str(row.version), row.member_id
    with tools.database.read() as tx:
        ends = tx.scalars(
            select(Voucher.expires_at).where(
                Voucher.card_id == card_id, vouchers.unused_with_end()
            )
        )
        known = [end for end in (*ends, row.units_end_at) if end is not None]
        told = _tag(tx, row.version, known, tools.now())
    return told, row.member_id


def member_name(tools: Tools, card_id: UUID) -> str | None:
    """Read how to greet a card's member; None where no name was told."""
    with tools.database.read() as tx:
        return tx.scalar(
            select(Member.name)
            .join(Card, Card.member_id == Member.member_id)
            .where(Card.card_id == card_id)
        )


def state_of(tx: Tx, card_id: UUID, at: datetime) -> CardState:
    """Read a card within a transaction.

    Args:
        tx: the caller's.
        card_id: which.
        at: the moment by which vouchers have expired or not.

    Raises:
        NotFound: no such card.
    """
    row = tx.execute(
        select(Card, Programme, Member.name)
        .join(Programme, Programme.programme_id == Card.programme_id)
        .join(Member, Member.member_id == Card.member_id)
        .where(Card.card_id == card_id)
    ).first()
    if row is None:
        raise NotFound
    found, programme, member_name = row
    sums, ending = _sums(tx, found, at)
    balance = sums[Unit.STAMP]
    known = reading.of_programme(tx, programme)
    in_force = reading.in_force(known, at)
    promised = reading.promised(
        known, found.promised_version, at, has_stamps=balance > 0
    ).figures
    held = vouchers.of_card(tx, card_id, at)
    open_ends = [
        row.expires_at
        for row in held
        if row.expires_at and row.state in {"issued", "expired"}
    ]
    if found.units_end_at is not None:
        open_ends.append(found.units_end_at)
    return CardState(
        card_id=card_id,
        number=found.number,
        member_id=found.member_id,
        member_name=member_name,
        programme=replace(
            programme_view(programme),
            terms=in_force.terms,
            terms_version=in_force.number,
            stamps_required=promised.stamps_required,
            reward=promised.reward,
            voucher_days=promised.voucher_days,
        ),
        next_round=in_force.figures if in_force.figures != promised else None,
        stamps=balance,
        marks=_marks(tx, card_id, balance),
        vouchers=held,
        version=found.version,
        tag=_tag(tx, found.version, open_ends, at),
        is_closed=found.closed_at is not None,
        terms_version=found.terms_version,
        paused_at=found.paused_at,
        balances=sums,
        ending=ending,
    )


def _sums(tx: Tx, card: Card, at: datetime) -> tuple[Sums, tuple[Ending, ...]]:
    """Tell what can be spent, and what of it ends when."""
    if card.units_end_at is None:
        return ledger_sums.balances(tx, card.card_id, at), ()
    lots = ledger_sums.lots_of(tx, card.card_id)
    zone = expiry.zone_of(tx)
    there = sorted(
        (lot.expires_at, lot.unit, lot.left)
        for lot in lots
        if lot.expires_at is not None and not lot.is_over(at)
    )
    ending = tuple(
        Ending(unit, sum(row[2] for row in rows), end, expiry.days_left(end, at, zone))
        for (end, unit), rows in groupby(there, key=lambda row: row[:2])
    )
    return ledger_sums.usable(lots, at), ending


def answer_of(state: CardState, voucher_id: UUID | None = None) -> Mapping[str, Any]:
    """Write a card as plain data: the ``card`` of every answer that changed it.

    It goes into the ledger as part of the first answer, so it names no person, and of
    vouchers that nobody can use any more only the newest, for a card lives for years.

    Args:
        state: the card.
        voucher_id: one that the answer is about, told of in any case.
    """
    over = [each for each in state.vouchers if each.state != "issued"][:_MOST_OVER]
    told = [
        each
        for each in state.vouchers
        if each.state == "issued" or each in over or each.voucher_id == voucher_id
    ]
    return _answer(state, told)


def whole_answer_of(state: CardState) -> Mapping[str, Any]:
    """Write a card as plain data, with every voucher that it ever had."""
    return _answer(state, state.vouchers)


def _answer(state: CardState, told: Iterable[VoucherView]) -> Mapping[str, Any]:
    others = {
        unit.value: left
        for unit, left in state.balances.items()
        if unit is not Unit.STAMP
    }
    return {
        "card_id": str(state.card_id),
        "programme": str(state.programme.programme_id),
        "programme_name": state.programme.name,
        "reward": state.programme.reward,
        "number": state.number,
        "stamps": state.stamps,
        "stamps_required": state.programme.stamps_required,
        "exchanges": state.programme.exchanges,
        "balances": others,
        "vouchers": [vouchers.told(voucher) for voucher in told],
        "version": state.version,
        "is_closed": state.is_closed,
    }


def voucher_in(answer: Mapping[str, Any], voucher_id: UUID | None) -> Mapping[str, Any]:
    """Find what a card's answer says of one of its vouchers."""
    named = str(voucher_id)
    told: Mapping[str, Any] = next(
        row for row in answer["vouchers"] if row["voucher_id"] == named
    )
    return told


def programme_view(row: Programme) -> ProgrammeView:
    """Copy a programme's row into a value."""
    return ProgrammeView(
        programme_id=row.programme_id,
        name=row.name,
        reward=row.reward,
        stamps_required=row.stamps_required,
        terms=row.terms,
        terms_version=row.terms_version,
        is_open=row.is_open,
        voucher_days=row.voucher_days,
        limits=limits.of(row),
        exchanges=row.exchanges,
        notice_days=row.notice_days,
    )


def _marks(tx: Tx, card_id: UUID, balance: int) -> tuple[Mark, ...]:
    """Tell the last stamps given that were not undone, one for each on the card."""
    if balance <= 0:
        return ()
    undone = select(LedgerEntry.reverses_id).where(
        LedgerEntry.card_id == card_id, LedgerEntry.reverses_id.is_not(None)
    )
    rows = tx.execute(
        select(
            LedgerEntry.at,
            LedgerEntry.units,
            LedgerEntry.nonce,
            LedgerEntry.entry_id,
            func.coalesce(Location.name, _SHOP_NAME, "").label("place"),
        )
        .outerjoin(Location, Location.location_id == LedgerEntry.location_id)
        .where(
            LedgerEntry.card_id == card_id,
            LedgerEntry.kind.in_(_GIVING),
            LedgerEntry.units > 0,
            LedgerEntry.unit.is_(None),
            LedgerEntry.entry_id.not_in(undone),
        )
        .order_by(LedgerEntry.entry_no.desc())
        # Each gave at least one stamp.
        .limit(balance)
    )
    marks = [
        Mark(at=at, place=place, seed=f"{(nonce or entry_id.bytes).hex()}{number}")
        for at, units, nonce, entry_id, place in rows
        for number in range(units)
    ]
    return tuple(reversed(marks[:balance]))


def _tag(tx: Tx, version: int, ends: Iterable[datetime], now: datetime) -> str:
    """Name a card's state: its version and, where vouchers end, how near that is."""
    known = list(ends)
    if not known:
        return str(version)
    return f"{version}-{expiry.stage(known, now, expiry.zone_of(tx))}"
