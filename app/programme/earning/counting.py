"""What the books say of a card before an occasion: what rules gave, and what is left.

What was reversed was not given. What has a bound over all members is held first, so
that of any number of tills at once none passes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Exists, case, func, select
from sqlalchemy.orm import aliased

from app.programme import cards, units
from app.programme.earning.rules import Caps, Counts, Occasion, Rule, RuleKind, Used
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import (
    Card,
    EarningPart,
    EarningRule,
    EarningRuleVersion,
    LedgerEntry,
)


def is_undone() -> Exists:
    """Ask of an entry whether it was reversed."""
    undoing = aliased(LedgerEntry)
    return (
        select(undoing.entry_id)
        .where(undoing.reverses_id == LedgerEntry.entry_id)
        .exists()
    )


def hold(tx: Tx, card_id: UUID, rules: Sequence[Rule]) -> None:
    """Hold a card, and then what has a budget, until the transaction ends."""
    if tx.get_bind().dialect.name != "postgresql":
        # SQLite has one writer anyway.
        return
    # Not the key: entries that name the card shall not wait for it.
    tx.execute(
        select(Card.card_id)
        .where(Card.card_id == card_id)
        .with_for_update(key_share=True)
    )
    hold_rules(tx, [rule for rule in rules if rule.budget is not None])


def hold_rules(tx: Tx, rules: Sequence[Rule]) -> None:
    """Hold rules for which it counts what others got, until the transaction ends."""
    if tx.get_bind().dialect.name != "postgresql":
        return
    for rule_id in sorted(rule.rule_id for rule in rules):
        tx.execute(
            select(EarningRule.rule_id)
            .where(EarningRule.rule_id == rule_id)
            .with_for_update(key_share=True)
        )


def counts_of(
    tx: Tx, card_id: UUID, rules: Sequence[Rule], occasion: Occasion
) -> Counts:
    """Read what a card's rules have given so far, and what is left over.

    Call it when the card is held.
    """
    bound = [rule for rule in rules if rule.caps != Caps() or rule.budget is not None]
    return Counts(
        {rule.rule_id: _used(tx, card_id, rule, occasion) for rule in bound},
        carried_of(tx, card_id, rules),
    )


def carried_of(tx: Tx, card_id: UUID, rules: Sequence[Rule]) -> dict[UUID | None, int]:
    """Read what is left over on a card, in parts as each rule counts them now."""
    newest = (
        select(func.max(EarningPart.part_no))
        .where(EarningPart.card_id == card_id)
        .group_by(EarningPart.rule_id)
    )
    rows = tx.execute(
        select(EarningPart.rule_id, EarningPart.carried, EarningPart.whole).where(
            EarningPart.part_no.in_(newest)
        )
    ).all()
    wholes: dict[UUID | None, int] = {rule.rule_id: whole_of(rule) for rule in rules}
    # A rule that changed what a unit costs counts the same share of one.
    return {
        rule_id: carried * wholes.get(rule_id, whole) // whole
        for rule_id, carried, whole in rows
        if whole > 0
    }


def left_over(tx: Tx, card_id: UUID, rule_id: UUID | None, whole: int) -> int:
    """Read what is left over of a rule on a card; so many parts are one unit."""
    row = tx.execute(
        select(EarningPart.carried, EarningPart.whole)
        .where(
            EarningPart.card_id == card_id,
            EarningPart.rule_id.is_not_distinct_from(rule_id),
        )
        .order_by(EarningPart.part_no.desc())
        .limit(1)
    ).first()
    return row.carried * whole // row.whole if row else 0


def unit_of(tx: Tx, version_id: UUID | None) -> Unit:
    """Read what a rule's version counts in; stamps where there is none."""
    kept = tx.scalar(
        select(EarningRuleVersion.unit).where(
            EarningRuleVersion.version_id == version_id
        )
    )
    return units.of(kept)


def whole_of(rule: Rule | None) -> int:
    """Tell how many parts of ``Tally`` make one unit of a base rule."""
    # ``count`` tells why hundredths.
    is_in_parts = rule is not None and rule.kind in {RuleKind.AMOUNT, RuleKind.ITEM}
    return 100 * (rule.figures.per if rule and is_in_parts else 1)


def _used(tx: Tx, card_id: UUID, rule: Rule, occasion: Occasion) -> Used:
    """Add up what one rule gave to a card, and to everybody if there is a budget.

    What it gave to a card that was put to it counts too: caps are a person's.
    """
    today = occasion.local_day
    is_its_own = (
        LedgerEntry.rule_version_id.in_(
            select(EarningRuleVersion.version_id).where(
                EarningRuleVersion.rule_id == rule.rule_id
            )
        ),
        LedgerEntry.kind != "REVERSE",
        ~is_undone(),
    )
    since = {
        "day": today,
        "month": today.replace(day=1),
        "year": today.replace(month=1, day=1),
    }
    given = tx.execute(
        select(
            *(_since(first, occasion).label(name) for name, first in since.items()),
            _sum(LedgerEntry.units).label("member"),
        ).where(LedgerEntry.card_id.in_(cards.all_of(tx, card_id)), *is_its_own)
    ).one()
    total = 0
    if rule.budget is not None:
        asked = select(_sum(LedgerEntry.units)).where(*is_its_own)
        total = int(tx.scalar(asked) or 0)
    return Used(
        int(given.day), int(given.month), int(given.year), int(given.member), total
    )


def _since(first: date, occasion: Occasion) -> ColumnElement[Any]:
    """Add up what was given since a local day began."""
    begins: datetime = datetime.combine(first, time(), occasion.zone).astimezone(UTC)
    return _sum(case((LedgerEntry.at >= begins, LedgerEntry.units), else_=0))


def _sum(column: ColumnElement[Any] | Any) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column), 0)
