"""The bonus for joining: with the first real visit, once a member.

A visit is real if a code was spent, later than the member joined; joining by itself
gives nothing. Nobody who works here gets it, and one device and network gets it for at
most ``MOST_PER_DEVICE`` members within the month for which devices are known
(``members``): families share a phone and a network, collectors of cards need more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.programme.earning import counting
from app.programme.earning.count import awards
from app.programme.earning.rules import Award, Occasion, Rule, RuleKind
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Member

#: Members who joined from one device and network and get it, in a month.
MOST_PER_DEVICE: Final = 3
_NAME: Final = "signup:"


def earned(
    tx: Tx, first: LedgerEntry, rules: Sequence[Rule], occasion: Occasion
) -> tuple[Award, ...]:
    """Tell what a card gets for having been opened, if this is its first visit.

    Args:
        tx: the caller's transaction, which has written the visit.
        first: the visit.
        rules: of joining, that hold now.
        occasion: the visit as rules look at it.
    """
    # Without a code nobody knows that the customer was there.
    if first.nonce is None or not rules or not _is_first(tx, first):
        return ()
    member = tx.scalars(
        select(Member).join(Card).where(Card.card_id == first.card_id)
    ).one()
    if member.staff_id is not None or first.at <= member.joined_at:
        return ()
    # From here on one after the other: the members of a device are counted.
    counting.hold_rules(tx, rules)
    if _given_to_device(tx, member) >= MOST_PER_DEVICE:
        return ()
    joined = Occasion(
        RuleKind.SIGNUP, first.at, occasion.zone, location_id=first.location_id
    )
    counts = counting.counts_of(tx, first.card_id, rules, joined)
    return tuple(one for one in awards(rules, joined, (), counts) if one.units)


def name_of(tx: Tx, card_id: UUID) -> str:
    """Name what happens once: again only if the first visit was undone."""
    member_id = tx.scalars(select(Card.member_id).where(Card.card_id == card_id)).one()
    name = f"{_NAME}{member_id.hex}"
    before = tx.scalar(
        select(func.count())
        .select_from(LedgerEntry)
        .where(LedgerEntry.once.startswith(name), counting.is_undone())
    )
    return f"{name}:{before}" if before else name


def _is_first(tx: Tx, first: LedgerEntry) -> bool:
    """Tell whether no other code counts on the card."""
    other = select(LedgerEntry.entry_id).where(
        LedgerEntry.card_id == first.card_id,
        LedgerEntry.nonce.is_not(None),
        LedgerEntry.units >= 0,
        LedgerEntry.kind != "REDEEM",
        LedgerEntry.entry_id != first.entry_id,
        ~counting.is_undone(),
    )
    return tx.scalar(other.limit(1)) is None


def _given_to_device(tx: Tx, member: Member) -> int:
    """Count the other members of a device who got it."""
    if member.joined_from is None:
        return 0
    given = tx.scalar(
        select(func.count(func.distinct(Member.member_id)))
        .select_from(Member)
        .join(Card, Card.member_id == Member.member_id)
        .join(LedgerEntry, LedgerEntry.card_id == Card.card_id)
        .where(
            Member.joined_from == member.joined_from,
            Member.member_id != member.member_id,
            LedgerEntry.once.startswith(_NAME),
        )
    )
    return int(given or 0)
