"""How what a visit earns comes into the books, in the transaction of its code.

The entry that carries the code is the *first*: an EARN of what was earned, stamps
before other units. Whatever else was earned is a BONUS each, caused by it, with the
rule's version. A visit that earned nothing, a coffee for less than a point, is a BONUS
of nought: its code is spent all the same, and what is left over is kept.

The card is held before anything is counted. Two who spend one code at once still meet
the unique nonce, before anything was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.programme import cards, expiry, ledger, tiers, units
from app.programme.earning import counting, joining, shelf
from app.programme.earning.count import SCALE, awards
from app.programme.earning.rules import (
    Award,
    Boost,
    Bought,
    Occasion,
    Rule,
    RuleKind,
)
from app.programme.plans import RULE_CASHBACK
from app.programme.units import Unit
from app.store.database import Tx, attempt
from app.store.tables import Card, EarningPart, LedgerEntry, Programme
from app.tools import Tools

#: Rules of the ledger, beside ``cards``: a visit that earned nothing by itself; what a
#: rule gave; what a tier gave on top.
RULE_VISIT: Final = "visit"
RULE_EARNED: Final = "earned"
RULE_TIER: Final = "tier"
RULE_SIGNUP: Final = "signup"
#: All that a visit causes, and that goes back with it.
CAUSED_RULES: Final = (RULE_EARNED, RULE_TIER, RULE_SIGNUP, RULE_CASHBACK)


@dataclass(frozen=True, slots=True)
class Basket:
    """What was bought, as far as rules look at it."""

    lines: tuple[Bought, ...] = ()
    #: Minor units; None: nobody said.
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a visit earns, before anything of it is written."""

    occasion: Occasion
    #: The first one is the entry's that carries the code.
    awards: tuple[Award, ...]

    @property
    def first(self) -> Mapping[str, Any]:
        """The columns of the entry that carries the code."""
        award = self.awards[0]
        if award.units == 0:
            return {"kind": "BONUS", "units": 0, "rule": RULE_VISIT}
        return {"kind": "EARN", "rule": cards.RULE_STAMP, **_columns(award)}


@dataclass(frozen=True, slots=True)
class Earned:
    """What a visit earned, when all of it is written."""

    awards: tuple[Award, ...]

    @property
    def stamps(self) -> int:
        """How many stamps it gave in all."""
        return sum(award.units for award in self.awards if award.unit is Unit.STAMP)

    @property
    def soonest_end(self) -> datetime | None:
        """The first end of what it gave; None: none of it ends."""
        ends = [award.expires_at for award in self.awards if award.units]
        return min((end for end in ends if end is not None), default=None)

    @property
    def told(self) -> list[dict[str, Any]]:
        """Plain data: what was given by which rule, and what a bound cut."""
        return [_told(award) for award in self.awards if award.units or award.cut]


def occasion_of(
    tx: Tx,
    at: datetime,
    *,
    stamps: int,
    basket: Basket | None = None,
    location_id: UUID | None = None,
) -> Occasion:
    """Describe a visit as rules look at it."""
    basket = basket or Basket()
    return Occasion(
        RuleKind.VISIT,
        at,
        expiry.zone_of(tx),
        stamps=stamps,
        lines=basket.lines,
        amount=basket.amount,
        location_id=location_id,
    )


def plan(tx: Tx, card_id: UUID, occasion: Occasion) -> Plan:
    """Tell what a visit earns, and hold what that was counted from.

    Args:
        tx: the caller's transaction.
        card_id: a card that is there.
        occasion: the visit.
    """
    rules = rules_of(tx, card_id, occasion.at)
    boosts = boosts_of(tx, card_id, occasion.at)
    if not rules and not boosts:
        return Plan(occasion, awards((), occasion))
    counting.hold(tx, card_id, rules)
    counts = counting.counts_of(tx, card_id, rules, occasion)
    return Plan(occasion, in_order(awards(rules, occasion, boosts, counts)))


def in_order(earned: Sequence[Award]) -> tuple[Award, ...]:
    """Put the award first whose entry carries the code."""
    return tuple(
        sorted(
            earned or [Award(Unit.STAMP, 0, None)],
            key=lambda award: (award.units == 0, award.unit is not Unit.STAMP),
        )
    )


def rules_of(tx: Tx, card_id: UUID, at: datetime) -> tuple[Rule, ...]:
    """Read the rules that hold for a card."""
    programme_id = tx.scalar(select(Card.programme_id).where(Card.card_id == card_id))
    return shelf.in_effect(tx, programme_id, at) if programme_id else ()


def boosts_of(tx: Tx, card_id: UUID, at: datetime) -> tuple[Boost, ...]:
    """Read what a card gets more by its tier."""
    return tiers.boosts_of(tx, card_id, at)


def write(tx: Tx, tools: Tools, first: LedgerEntry, plan: Plan) -> Earned:
    """Write all that a visit earned beside its first entry, and what is left over.

    Call it when the first entry was written, and before ``cards.credit``.

    Returns:
        All of it, the bonus for joining among it.

    Raises:
        TryAgain: nothing can be signed now.
    """
    for award in plan.awards[1:]:
        if award.units:
            ledger.write(tx, tools, _bonus(first, award))
    keep_parts(tx, first, plan.awards)
    return Earned((*plan.awards, *_signup(tx, tools, first, plan.occasion)))


def once(tx: Tx, tools: Tools, entry: LedgerEntry) -> bool:
    """Write an entry that happens once, or tell that it has happened.

    The rest of the transaction stands in either case.

    Raises:
        TryAgain: nothing can be signed now.
    """
    try:
        with attempt(tx):
            ledger.write(tx, tools, entry)
    except IntegrityError:
        return False
    return True


def programme_of(tx: Tx, card_id: UUID) -> Programme:
    """Read the programme of a card that is there."""
    return tx.scalars(
        select(Programme)
        .join(Card, Card.programme_id == Programme.programme_id)
        .where(Card.card_id == card_id)
    ).one()


def _bonus(first: LedgerEntry, award: Award) -> LedgerEntry:
    return LedgerEntry(
        entry_id=uuid4(),
        card_id=first.card_id,
        kind="BONUS",
        rule=RULE_TIER if award.boost else RULE_EARNED,
        at=first.at,
        # A tier's name as it was; no version tells it.
        reason=award.boost.word if award.boost else None,
        caused_by_id=first.entry_id,
        location_id=first.location_id,
        **_columns(award),
    )


def _columns(award: Award) -> dict[str, Any]:
    return {
        "units": award.units,
        "unit": units.kept(award.unit),
        "expires_at": award.expires_at,
        "rule_version_id": award.rule.version_id if award.rule else None,
    }


def keep_parts(tx: Tx, first: LedgerEntry, earned: Sequence[Award]) -> None:
    """Keep what is left over; of units that were counted one by one nothing is.

    Args:
        tx: the caller's.
        first: the sale's first entry, or the root of what gives its rest.
        earned: by base rules and others.
    """
    for award in earned:
        tally = award.tally
        if tally is None or (tally.whole == SCALE and tally.parts % SCALE == 0):
            continue
        tx.add(
            EarningPart(
                card_id=first.card_id,
                entry_id=first.entry_id,
                rule_id=tally.rule_id,
                version_id=award.rule.version_id if award.rule else None,
                parts=tally.parts,
                whole=tally.whole,
                units=tally.units,
                carried=tally.carried,
            )
        )
    tx.flush()


def _signup(
    tx: Tx, tools: Tools, first: LedgerEntry, occasion: Occasion
) -> list[Award]:
    """Give the bonus for joining, with the first real visit."""
    rules = [
        rule
        for rule in rules_of(tx, first.card_id, first.at)
        if rule.kind is RuleKind.SIGNUP and rule.holds(occasion)
    ]
    given = []
    for award in joining.earned(tx, first, rules, occasion):
        entry = _bonus(first, award)
        entry.rule = RULE_SIGNUP
        entry.once = joining.name_of(tx, first.card_id)
        if once(tx, tools, entry):
            given.append(award)
    return given


def _told(award: Award) -> dict[str, Any]:
    rule = award.rule
    told = {
        "unit": award.unit.value,
        "units": award.units,
        "kind": rule.kind.value if rule else "tier" if award.boost else "stamp",
        "rule": rule.name if rule else award.boost.word if award.boost else "",
        "version_id": str(rule.version_id) if rule else None,
        "cut": award.cut.value if award.cut else None,
        # A refund counts with it again.
        "percent": award.boost.percent if award.boost else None,
    }
    return {name: said for name, said in told.items() if said is not None}
