"""What is given apart from a visit: once for an act, a birthday, a friend.

Each is a BONUS of its own transaction, named by ``LedgerEntry.once``, so that the books
take it once whatever number of tills, taps and workers ask. All of them are for members
who have been here: a card without a visit gets nothing, so that cards that cost nothing
to make earn nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Select, select

from app.programme import cards, expiry, tiers, units
from app.programme.earning import booking, counting, shelf
from app.programme.earning.count import awards
from app.programme.earning.rules import Award, Occasion, Rule, RuleKind
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Programme
from app.tools import Tools

#: Rules of the ledger.
RULE_ACT: Final = "act"
RULE_BIRTHDAY: Final = "birthday"
RULE_REFERRAL: Final = "referral"
RULES: Final = (RULE_ACT, RULE_BIRTHDAY, RULE_REFERRAL)


@dataclass(frozen=True, slots=True)
class Given:
    """What came of it."""

    awards: tuple[Award, ...]
    #: It had been given before.
    is_repeat: bool = False

    @property
    def units(self) -> int:
        """Units given now."""
        return sum(award.units for award in self.awards)


def give(
    tx: Tx,
    tools: Tools,
    card_id: UUID,
    occasion: Occasion,
    *,
    rule: str,
    once: str,
) -> Given:
    """Give what an occasion earns a card, once.

    The second of several rules has its own name, so that each gives once.

    Args:
        tx: the caller's transaction.
        tools: the keys.
        card_id: a card that takes stamps; the caller has asked.
        occasion: no visit.
        rule: the ledger's word for it.
        once: its name in the life of the books.

    Raises:
        TryAgain: nothing can be signed now.
    """
    rules = booking.rules_of(tx, card_id, occasion.at)
    counting.hold(tx, card_id, rules)
    mine = [one for one in rules if one.kind is occasion.kind]
    counts = counting.counts_of(tx, card_id, mine, occasion)
    given, is_repeat = [], False
    for number, award in enumerate(awards(mine, occasion, (), counts)):
        if not award.units:
            given.append(award)
            continue
        entry = LedgerEntry(
            entry_id=uuid4(),
            card_id=card_id,
            kind="BONUS",
            units=award.units,
            unit=units.kept(award.unit),
            expires_at=award.expires_at,
            rule=rule,
            rule_version_id=award.rule.version_id if award.rule else None,
            at=occasion.at,
            once=f"{once}:{number}" if number else once,
        )
        if booking.once(tx, tools, entry):
            cards.credit(tx, tools, entry)
            tiers.after_earning(tx, tools, card_id, entry.at)
            given.append(award)
        else:
            is_repeat = True
    return Given(tuple(given), is_repeat)


def give_more(
    tx: Tx, tools: Tools, card_id: UUID, at: datetime, *, rule: str, once: str
) -> int:
    """Give what a card's tier adds to a birthday, once; tells how much.

    Args:
        tx: the caller's transaction.
        tools: the keys.
        card_id: a card that takes stamps; the caller has asked.
        at: the moment.
        rule: the ledger's word for it.
        once: its name in the life of the books.

    Raises:
        TryAgain: nothing can be signed now.
    """
    counting.hold(tx, card_id, ())
    extra = tiers.birthday_extra(tx, card_id, at)
    if extra is None:
        return 0
    more, unit, tier = extra
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind="BONUS",
        units=more,
        unit=units.kept(unit),
        rule=rule,
        reason=tier,
        at=at,
        once=once,
    )
    if not booking.once(tx, tools, entry):
        return 0
    cards.credit(tx, tools, entry)
    tiers.after_earning(tx, tools, card_id, entry.at)
    return more


def has_visited(tx: Tx, card_id: UUID) -> bool:
    """Tell whether a code counts on a card."""
    return tx.scalar(visits(card_id).limit(1)) is not None


def visits(card_id: UUID) -> Select[datetime]:
    """Ask for the moments of a card's visits: codes that count."""
    return select(LedgerEntry.at).where(
        LedgerEntry.card_id == card_id,
        LedgerEntry.nonce.is_not(None),
        LedgerEntry.kind != "REDEEM",
        ~counting.is_undone(),
    )


def visit_days(tx: Tx, card_id: UUID) -> set[date]:
    """Tell the days of the shop on which a card was here."""
    zone = expiry.zone_of(tx)
    return {at.astimezone(zone).date() for at in tx.scalars(visits(card_id))}


def programmes_with(
    tx: Tx, kind: RuleKind, at: datetime
) -> Iterable[tuple[UUID, list[Rule]]]:
    """Read which programmes give for something now, with those rules."""
    for programme_id in tx.scalars(
        select(Programme.programme_id).where(Programme.is_open)
    ).all():
        rules = [r for r in shelf.in_effect(tx, programme_id, at) if r.kind is kind]
        if rules:
            yield programme_id, rules


def occasion_of(tx: Tx, kind: RuleKind, at: datetime) -> Occasion:
    """Describe what is no visit."""
    return Occasion(kind, at, expiry.zone_of(tx))


def open_cards(programme_id: UUID) -> Select[Card]:
    """Ask for the cards of a programme on which something counts."""
    return select(Card).where(
        Card.programme_id == programme_id,
        Card.closed_at.is_(None),
        Card.paused_at.is_(None),
    )
