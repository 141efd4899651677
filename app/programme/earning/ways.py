"""What a card's member can do to earn: the rules in effect, and how far each one is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.programme import expiry
from app.programme.earning import acts, booking, counting, gifts, shelf
from app.programme.earning.count import SCALE, room_of
from app.programme.earning.rules import Cut, Occasion, Rule, RuleKind
from app.store.database import Tx
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class Way:
    """One rule, as it stands for one card."""

    rule: Rule
    #: What is missing to the next unit, where something is left over of earlier sales:
    #: minor units of money, or items. None: nothing is left over.
    missing: int | None = None
    #: The bound that is reached, so that it gives nothing more for now.
    reached: Cut | None = None
    #: An act that this member was thanked for.
    is_done: bool = False

    @property
    def is_told(self) -> bool:
        """Whether the member says so by a tap, and has not yet."""
        return self.rule.figures.act in acts.TOLD and not self.is_done


def of_card(tools: Tools, card_id: UUID) -> tuple[Way, ...]:
    """Read the ways to earn on a card, what sales give first.

    Raises:
        StoreDown: the books gave no answer.
    """
    done = {rule.rule_id for rule, is_done in acts.open_to(tools, card_id) if is_done}
    with tools.database.read() as tx:
        found = _as_they_stand(tx, card_id, tools.now())
        # Who has been here had the bonus of the first visit, or will never have it.
        is_new = not gifts.has_visited(tx, card_id)
    order = list(RuleKind)
    return tuple(
        replace(way, is_done=way.rule.rule_id in done)
        for way in sorted(found, key=lambda way: order.index(way.rule.kind))
        if is_new or way.rule.kind is not RuleKind.SIGNUP
    )


def coming(tools: Tools, programme_id: UUID) -> list[tuple[Rule, datetime, bool]]:
    """Read what will change: the rule, from when on, and whether it gives then.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        return shelf.coming(tx, programme_id, tools.now())


def _as_they_stand(tx: Tx, card_id: UUID, at: datetime) -> list[Way]:
    rules = booking.rules_of(tx, card_id, at)
    occasion = Occasion(RuleKind.VISIT, at, expiry.zone_of(tx))
    counts = counting.counts_of(tx, card_id, rules, occasion)
    ways = []
    for rule in rules:
        room, cut = room_of(rule, counts)
        missing = _missing(rule, counts.carried.get(rule.rule_id, 0))
        ways.append(Way(rule, missing, cut if room == 0 else None))
    return ways


def _missing(rule: Rule, carried: int) -> int | None:
    """Tell how much must be bought until what is left over makes a unit."""
    if not carried or rule.kind not in {RuleKind.AMOUNT, RuleKind.ITEM}:
        return None
    missing = counting.whole_of(rule) - carried
    # Rounded up: so much is enough.
    return -(-missing // (SCALE * rule.figures.units))
