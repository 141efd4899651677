"""The rules of a programme as the books have them: those of now, and all versions.

A rule says at any moment what its newest version says that has taken effect by then.
Nothing is ever changed in a version; a rule that ends gets one that is off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from app.programme.earning import kept
from app.programme.earning.rules import Rule, RuleKind
from app.store.database import Tx
from app.store.tables import EarningRule, EarningRuleVersion, Programme

_LATER = aliased(EarningRuleVersion)
_BOTH = select(EarningRule, EarningRuleVersion).join(
    EarningRuleVersion, EarningRuleVersion.rule_id == EarningRule.rule_id
)


def in_effect(tx: Tx, programme_id: UUID, at: datetime) -> tuple[Rule, ...]:
    """Read the rules by which a programme gives at a moment, the oldest first."""
    rows = tx.execute(
        _newest(at)
        .where(
            EarningRule.programme_id == programme_id,
            EarningRule.whose == "all",
            EarningRuleVersion.is_on,
        )
        .order_by(EarningRule.created_at, EarningRule.rule_id)
    )
    return tuple(kept.rule_of(rule, version) for rule, version in rows)


def coming(
    tx: Tx, programme_id: UUID, at: datetime
) -> list[tuple[Rule, datetime, bool]]:
    """Read what rules will say, from when on, and whether they give then."""
    rows = tx.execute(
        newest()
        .where(
            EarningRule.programme_id == programme_id,
            EarningRule.whose == "all",
            EarningRuleVersion.takes_effect_at > at,
        )
        .order_by(EarningRuleVersion.takes_effect_at, EarningRule.rule_id)
    )
    return [
        (kept.rule_of(rule, version), version.takes_effect_at, version.is_on)
        for rule, version in rows
    ]


def counts_sums(tx: Tx, at: datetime) -> bool:
    """Tell whether any rule counts what is paid, so that a till has to ask for it."""
    rows = tx.execute(
        _newest(at)
        .join(Programme, Programme.programme_id == EarningRule.programme_id)
        .where(
            EarningRuleVersion.is_on,
            EarningRuleVersion.kind == RuleKind.AMOUNT.value,
            Programme.is_open,
        )
        .limit(1)
    )
    return rows.first() is not None


def of_versions(tx: Tx, version_ids: Iterable[UUID]) -> dict[UUID, Rule]:
    """Read rules as some versions say them, by the version's id."""
    rows = tx.execute(_BOTH.where(EarningRuleVersion.version_id.in_(set(version_ids))))
    return {version.version_id: kept.rule_of(rule, version) for rule, version in rows}


def newest() -> Select[EarningRule, EarningRuleVersion]:
    """Ask for each rule with its last version, though it has yet to take effect."""
    is_superseded = (
        select(_LATER.version_id)
        .where(
            _LATER.rule_id == EarningRuleVersion.rule_id,
            _LATER.version > EarningRuleVersion.version,
        )
        .exists()
    )
    return _BOTH.where(~is_superseded)


def _newest(at: datetime) -> Select[EarningRule, EarningRuleVersion]:
    """Ask for each rule with the version that counts at a moment."""
    is_superseded = (
        select(_LATER.version_id)
        .where(
            _LATER.rule_id == EarningRuleVersion.rule_id,
            _LATER.version > EarningRuleVersion.version,
            _LATER.takes_effect_at <= at,
        )
        .exists()
    )
    return _BOTH.where(EarningRuleVersion.takes_effect_at <= at, ~is_superseded)
