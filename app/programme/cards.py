"""Cards: their state as people see it, and what a change of stamps causes.

A card's balance is the sum of its ledger entries, always. When it reaches what
the programme asks, that many stamps are exchanged for a voucher, in the same
transaction (``credit``); when a reversal takes stamps that were exchanged, an
unused voucher goes back (``debit``).

What people see of a card also changes with the clock, when a voucher's end comes near
or has passed. Its ``version`` counts what was written; its ``tag`` names both.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, func, select, update

from app.programme import expiry, ledger, limits, vouchers
from app.programme.errors import (
    InvalidRequest,
    NotFound,
    VoucherSpent,
)
from app.programme.limits import SAFE, Limits
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

#: Rules that move stamps, as kept in the ledger.
RULE_STAMP, RULE_FULL_CARD, RULE_VOUCHER_USED, RULE_UNDO, RULE_BY_HAND = (
    "stamp",
    "full_card",
    "voucher_used",
    "undo",
    "by_hand",
)
#: What the audit log calls the end of a card.
CLOSED = "card.closed"
_SHOP_NAME = select(Shop.name).scalar_subquery()

#: Asked by every phone that shows a code, again and again: put together once.
_VERSION = select(
    Card.version,
    Card.member_id,
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


@dataclass(frozen=True, slots=True)
class Mark:
    """One stamp on the card: when, where, and the seed of its picture."""

    at: datetime
    #: The shop's name where it was of no place in particular.
    place: str
    seed: str


@dataclass(frozen=True, slots=True)
class CardState:
    """A card as its member sees it."""

    card_id: UUID
    number: str
    member_id: UUID
    member_name: str | None
    programme: ProgrammeView
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
    if not row.has_ends:
        return str(row.version), row.member_id
    with tools.database.read() as tx:
        ends = tx.scalars(
            select(Voucher.expires_at).where(
                Voucher.card_id == card_id, vouchers.unused_with_end()
            )
        )
        told = _tag(tx, row.version, filter(None, ends), tools.now())
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
    balance = balance_of(tx, card_id)
    held = vouchers.of_card(tx, card_id, at)
    open_ends = [
        row.expires_at
        for row in held
        if row.expires_at and row.state in {"issued", "expired"}
    ]
    return CardState(
        card_id=card_id,
        number=found.number,
        member_id=found.member_id,
        member_name=member_name,
        programme=programme_view(programme),
        stamps=balance,
        marks=_marks(tx, card_id, balance),
        vouchers=held,
        version=found.version,
        tag=_tag(tx, found.version, open_ends, at),
        is_closed=found.closed_at is not None,
        terms_version=found.terms_version,
        paused_at=found.paused_at,
    )


def answer_of(state: CardState) -> Mapping[str, Any]:
    """Write a card as plain data: the ``card`` of every answer of the API.

    It goes into the ledger as part of the first answer, so it names no person.
    """
    return {
        "card_id": str(state.card_id),
        "programme": str(state.programme.programme_id),
        "programme_name": state.programme.name,
        "reward": state.programme.reward,
        "number": state.number,
        "stamps": state.stamps,
        "stamps_required": state.programme.stamps_required,
        "vouchers": [vouchers.told(voucher) for voucher in state.vouchers],
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
    )


def balance_of(tx: Tx, card_id: UUID) -> int:
    """Add up a card's ledger."""
    total = tx.scalar(
        select(func.coalesce(func.sum(LedgerEntry.units), 0)).where(
            LedgerEntry.card_id == card_id
        )
    )
    return int(total or 0)


def open_card(tx: Tx, tools: Tools, member_id: UUID, programme: Programme) -> UUID:
    """Open a member's card in a programme, with a free number."""
    opened = Card(
        member_id=member_id,
        programme_id=programme.programme_id,
        number=_free_number(tx),
        terms_version=programme.terms_version,
        opened_at=tools.now(),
    )
    tx.add(opened)
    tx.flush()
    return opened.card_id


def accept_terms(tools: Tools, card_id: UUID, version: int) -> None:
    """Note that a card's member has read and accepted the terms.

    Accepting again, or an older version than before, changes nothing.

    Args:
        tools: the books.
        card_id: whose member agrees; the caller has checked that it is theirs.
        version: the one that was shown.

    Raises:
        NotFound: no such card.
        InvalidRequest: the terms have changed again meanwhile.
    """
    with tools.database.begin() as tx:
        card = tx.get(Card, card_id, with_for_update=True)
        if card is None:
            raise NotFound
        if version != _programme_of(tx, card_id).terms_version:
            raise InvalidRequest({"terms_version": "out_of_date"})
        if version > card.terms_version:
            card.terms_version = version
            card.version += 1


def touch(tx: Tx, card_id: UUID) -> None:
    """Count a change of a card, and hold it: others wait here until we commit."""
    tx.execute(
        update(Card)
        .where(Card.card_id == card_id)
        .values(version=Card.version + 1)
        .execution_options(synchronize_session=False)
    )


def close(tx: Tx, tools: Tools, card_id: UUID) -> bool:
    """End a card for good: nothing counts on it any more, and nothing is taken away.

    The caller records it in the audit log as ``CLOSED``, after everything else.

    Returns:
        Whether it was open until now.
    """
    ended = tx.execute(
        update(Card)
        .where(Card.card_id == card_id, Card.closed_at.is_(None))
        .values(closed_at=tools.now(), version=Card.version + 1)
        .returning(Card.card_id)
        .execution_options(synchronize_session=False)
    )
    return ended.first() is not None


def credit(
    tx: Tx, tools: Tools, card_id: UUID, at: datetime, location_id: UUID | None
) -> None:
    """Do what new stamps cause: exchange each full card's worth for a voucher.

    Call it after the stamps' entry was written.

    Raises:
        TryAgain: nothing can be signed now.
    """
    touch(tx, card_id)
    programme = _programme_of(tx, card_id)
    for _ in range(balance_of(tx, card_id) // programme.stamps_required):
        days = programme.voucher_days
        voucher = Voucher(
            card_id=card_id,
            reward=programme.reward,
            issued_at=at,
            expires_at=expiry.end_of(at, days, expiry.zone_of(tx)) if days else None,
        )
        tx.add(voucher)
        tx.flush()
        exchange = LedgerEntry(
            entry_id=uuid4(),
            card_id=card_id,
            kind="REDEEM",
            units=-programme.stamps_required,
            rule=RULE_FULL_CARD,
            at=at,
            voucher_id=voucher.voucher_id,
            location_id=location_id,
        )
        ledger.write(tx, tools, exchange)


def debit(tx: Tx, tools: Tools, card_id: UUID, at: datetime) -> None:
    """Do what a reversal causes: take back unused vouchers that it had paid for.

    Call it after the reversal's entry was written. One that has expired goes back too:
    the stamps that it was exchanged for did not expire, and only managers undo so late.

    Raises:
        VoucherSpent: the stamps paid for a voucher that was used; its use would
            have to be reversed first.
        TryAgain: nothing can be signed now.
    """
    touch(tx, card_id)
    while balance_of(tx, card_id) < 0:
        voucher = tx.scalar(
            select(Voucher)
            .where(Voucher.card_id == card_id, Voucher.state == "issued")
            .order_by(Voucher.issued_at.desc())
            .limit(1)
        )
        exchange = _exchange_of(tx, voucher)
        if voucher is None or exchange is None:
            raise VoucherSpent
        voucher.state = "voided"
        taken_back = LedgerEntry(
            entry_id=uuid4(),
            card_id=card_id,
            kind="REVERSE",
            units=-exchange.units,
            rule=RULE_UNDO,
            at=at,
            voucher_id=voucher.voucher_id,
            reverses_id=exchange.entry_id,
        )
        ledger.write(tx, tools, taken_back)


def _exchange_of(tx: Tx, voucher: Voucher | None) -> LedgerEntry | None:
    """Find the entry by which stamps became this voucher."""
    if voucher is None:
        return None
    return tx.scalar(
        select(LedgerEntry).where(
            LedgerEntry.voucher_id == voucher.voucher_id,
            LedgerEntry.rule == RULE_FULL_CARD,
        )
    )


def _programme_of(tx: Tx, card_id: UUID) -> Programme:
    return tx.scalars(
        select(Programme)
        .join(Card, Card.programme_id == Programme.programme_id)
        .where(Card.card_id == card_id)
    ).one()


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
            LedgerEntry.rule.in_((RULE_STAMP, RULE_BY_HAND)),
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


def _free_number(tx: Tx) -> str:
    """Draw an eight-digit number that no card has; the column is unique besides."""
    while True:
        number = f"{secrets.randbelow(90_000_000) + 10_000_000}"
        if tx.scalar(select(Card.card_id).where(Card.number == number)) is None:
            return number
