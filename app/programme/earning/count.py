"""What an occasion earns. Integers only, rounded down, and nothing is lost by it.

**Left over is carried over.** A base rule counts in parts, of which ``whole`` make a
unit; what does not make one stays with the card for its next sale. So the units that a
rule has given a card are, at any time, all its parts divided by ``whole`` and rounded
down: in whatever pieces a purchase is paid, it earns the same. A refund takes the parts
back and keeps that true (``refunded``), in whatever order sales go and come back.

**More of it.** Multiplying rules and tiers' boosts multiply parts, not units. Of
several that hold, the best one counts; they are never multiplied with each other. What
is more has an award of its own, so that the books can tell what "double Tuesday" cost.

**Caps** hold for what the rule itself gives; what goes beyond one earns nothing, and is
not carried over either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.programme import expiry
from app.programme.earning.rules import (
    BASES,
    Award,
    Boost,
    Counts,
    Cut,
    Occasion,
    Rule,
    RuleKind,
    Tally,
    Used,
)
from app.programme.units import Unit

#: Multipliers are percents, so parts are hundredths of what figures say.
SCALE: Final = 100
_NONE_USED: Final = Used()


@dataclass(frozen=True, slots=True)
class Refunded:
    """What a refund does beside reversing the sale's entries."""

    #: Units to give (or, negative, to take) so that the card has what it would have
    #: had without the sale: -1, 0 or 1.
    units: int
    carried: int


@dataclass(frozen=True, slots=True)
class _More:
    """What multiplies: a rule or a tier's boost."""

    percent: int
    rule: Rule | None
    boost: Boost | None


def awards(
    rules: Sequence[Rule],
    occasion: Occasion,
    boosts: Sequence[Boost] = (),
    counts: Counts | None = None,
) -> tuple[Award, ...]:
    """Tell what an occasion earns.

    Args:
        rules: of one programme, in any order, each in its version of now.
        occasion: what happened.
        boosts: of the card's tiers and plans.
        counts: what the books say of this card before; None: nothing yet.

    Returns:
        Base rules in the order given, each followed by what multiplies it. For a sale
        in a programme without base rules, what the barista counted comes first.
    """
    counts = counts or Counts()
    if occasion.kind is not RuleKind.VISIT:
        return tuple(
            _plain(rule, occasion, counts)
            for rule in rules
            if _fits(rule, occasion) and rule.holds(occasion)
        )
    bases: list[Rule | None] = [rule for rule in rules if rule.kind in BASES]
    found: list[Award] = []
    for base in bases or [None]:
        if base is None or base.holds(occasion):
            more = _best(rules, boosts, occasion, base.unit if base else Unit.STAMP)
            found += _counted(base, more, occasion, counts)
    return tuple(found)


def refunded(carried: int, parts: int, units: int, whole: int) -> Refunded:
    """Tell what is left over when one sale's parts leave a card.

    Args:
        carried: what is left over now.
        parts: of the sale, as its tally had them.
        units: that its entries gave, all of which are reversed beside this.
        whole: parts of a unit.
    """
    kept = carried - parts + units * whole
    return Refunded(units=kept // whole, carried=kept % whole)


def parts_of(rule: Rule | None, occasion: Occasion) -> tuple[int, int]:
    """Tell how many parts a sale has by a base rule, and how many make a unit.

    Neither is a hundredth yet.
    """
    if rule is None:
        return occasion.stamps, 1
    figures = rule.figures
    if occasion.total < figures.least:
        return 0, figures.per
    if rule.kind is RuleKind.VISIT:
        return figures.units * (occasion.stamps if figures.each else 1), 1
    if rule.kind is RuleKind.AMOUNT:
        return figures.units * max(occasion.total, 0), figures.per
    bought = sum(
        line.quantity
        for line in occasion.lines
        if line.item_id in figures.items or line.category in figures.categories
    )
    return figures.units * bought, figures.per


def end_of(rule: Rule | None, occasion: Occasion) -> datetime | None:
    """Tell until when units of a rule are good: the last second; None: no end."""
    if rule is None or rule.life_days is None:
        return None
    return expiry.end_of(occasion.at, rule.life_days, occasion.zone)


def _fits(rule: Rule, occasion: Occasion) -> bool:
    return rule.kind is occasion.kind and rule.figures.act is occasion.act


def _plain(rule: Rule, occasion: Occasion, counts: Counts) -> Award:
    """Give what is no sale: an act, a birthday, a bonus."""
    figures = rule.figures
    units = figures.friend_units if occasion.is_friend else figures.units
    room, cut = room_of(rule, counts)
    given = units if room is None else min(units, room)
    return Award(
        unit=rule.unit,
        units=given,
        rule=rule,
        cut=cut if given < units else None,
        expires_at=end_of(rule, occasion),
    )


def _counted(
    base: Rule | None, more: _More | None, occasion: Occasion, counts: Counts
) -> list[Award]:
    """Count one base rule and what multiplies it."""
    rule_id = base.rule_id if base else None
    parts, whole = (number * SCALE for number in parts_of(base, occasion))
    # Whatever the books say: never a whole unit out of nothing.
    before = min(max(counts.carried.get(rule_id, 0), 0), whole - 1)

    units, counted, cut = _within(before, parts, whole, room_of(base, counts))
    extra, added, extra_cut = 0, 0, None
    if more is not None:
        added = counted * (more.percent - 100) // 100
        left = (before + counted) % whole
        room = room_of(more.rule, counts)
        extra, added, extra_cut = _within(left, added, whole, room)

    total = counted + added
    first = Award(
        unit=base.unit if base else Unit.STAMP,
        units=units,
        rule=base,
        cut=cut,
        expires_at=end_of(base, occasion),
        tally=Tally(rule_id, total, whole, (before + total) % whole, units + extra),
    )
    if more is None or not (extra or extra_cut):
        return [first]
    # Good for as long as what it multiplies, if the multiplying rule says nothing.
    ends = end_of(more.rule, occasion) or first.expires_at
    return [
        first,
        Award(
            unit=first.unit,
            units=extra,
            rule=more.rule,
            boost=more.boost,
            cut=extra_cut,
            expires_at=ends,
        ),
    ]


def _within(
    before: int, parts: int, whole: int, bound: tuple[int | None, Cut | None]
) -> tuple[int, int, Cut | None]:
    """Tell units, parts that count, and what cut them short."""
    room, cut = bound
    units = (before + parts) // whole
    if room is None or units <= room:
        return units, parts, None
    return room, room * whole - before if room else 0, cut


def room_of(rule: Rule | None, counts: Counts) -> tuple[int | None, Cut | None]:
    """Tell how many units a rule may still give, and which bound says so.

    None: nothing bounds it.
    """
    if rule is None:
        return None, None
    used = counts.used.get(rule.rule_id, _NONE_USED)
    caps = rule.caps
    bounds = (
        (caps.sale, 0, Cut.SALE),
        (caps.day, used.day, Cut.DAY),
        (caps.month, used.month, Cut.MONTH),
        (caps.year, used.year, Cut.YEAR),
        (caps.member, used.member, Cut.MEMBER),
        (rule.budget, used.total, Cut.BUDGET),
    )
    rooms = [
        (max(most - given, 0), cut) for most, given, cut in bounds if most is not None
    ]
    return min(rooms, key=lambda room: room[0]) if rooms else (None, None)


def _best(
    rules: Sequence[Rule], boosts: Sequence[Boost], occasion: Occasion, unit: Unit
) -> _More | None:
    """Find what multiplies most; of equals a tier's, which costs no rule's budget."""
    found = [
        _More(boost.percent, None, boost)
        for boost in boosts
        if boost.unit is None or boost.unit is unit
    ]
    found += [
        _More(rule.figures.percent, rule, None)
        for rule in rules
        if rule.kind is RuleKind.TIMES
        and rule.unit is unit
        and occasion.total >= rule.figures.least
        and rule.holds(occasion)
    ]
    best = max(found, key=lambda more: more.percent, default=None)
    return best if best is not None and best.percent > 100 else None  # noqa: PLR2004
