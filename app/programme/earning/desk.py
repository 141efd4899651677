"""What owners and managers do with rules: make, change, stop, look at them.

A change is a new version, for what is earned after it took effect; nothing that was
earned changes. A version may take effect later, so that members can be told before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.programme import audit
from app.programme.earning import counting, drafts, kept, shelf
from app.programme.earning.rules import Rule
from app.programme.errors import InvalidRequest, NotFound, TryAgain
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.store.database import Tx
from app.store.tables import (
    EarningRule,
    EarningRuleVersion,
    LedgerEntry,
    Location,
    Programme,
)
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule with its newest version, and what it has given."""

    rule: Rule
    is_on: bool
    takes_effect_at: datetime
    #: Units that it has given in all, less what was taken back.
    given: int
    #: Whether an older version counts until then.
    is_coming: bool


def rules(tools: Tools, programme_id: UUID) -> list[RuleView]:
    """Read a programme's rules, those that give first, then by age.

    Raises:
        StoreDown: the books gave no answer.
    """
    now = tools.now()
    with tools.database.read() as tx:
        rows = tx.execute(
            shelf.newest()
            .where(EarningRule.programme_id == programme_id, EarningRule.whose == "all")
            .order_by(
                EarningRuleVersion.is_on.desc(),
                EarningRule.created_at,
                EarningRule.rule_id,
            )
        ).all()
        given = _given(tx)
    return [
        RuleView(
            kept.rule_of(rule, version),
            version.is_on,
            version.takes_effect_at,
            given.get(rule.rule_id, 0),
            version.takes_effect_at > now,
        )
        for rule, version in rows
    ]


def rule(tools: Tools, rule_id: UUID) -> RuleView:
    """Read one rule.

    Raises:
        NotFound: there is none.
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        programme_id = tx.scalar(
            select(EarningRule.programme_id).where(EarningRule.rule_id == rule_id)
        )
    found = rules(tools, programme_id) if programme_id else []
    for view in found:
        if view.rule.rule_id == rule_id:
            return view
    raise NotFound


def in_effect(tools: Tools, programme_id: UUID) -> tuple[Rule, ...]:
    """Read the rules by which a programme gives now.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        return shelf.in_effect(tx, programme_id, tools.now())


def save(
    tools: Tools,
    draft: Rule,
    *,
    by: ConsoleCaller,
    rule_id: UUID | None = None,
    takes_effect_at: datetime | None = None,
) -> Rule:
    """Make a rule, or a new version of one.

    Args:
        tools: the books.
        draft: as ``drafts.rule_of`` read it.
        by: who asks.
        rule_id: the rule that changes; None: a new one.
        takes_effect_at: from when on it counts; now when None.

    Returns:
        The rule as it is kept.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: it contradicts another rule of the programme.
        NotFound: no such programme or rule.
        TryAgain: somebody else changed it at the same time.
        StoreDown: nothing was written.
    """
    must_lead(by)
    try:
        with tools.database.begin() as tx:
            found = _rule_row(tx, tools, draft.programme_id, rule_id)
            draft = replace(draft, rule_id=found.rule_id)
            _must_fit(tx, tools, draft)
            version = _add(
                tx, tools, found, draft, by=by, takes_effect_at=takes_effect_at
            )
            what = "earning_rule.changed" if rule_id else "earning_rule.made"
            audit.record(
                tx,
                tools,
                what,
                found.rule_id,
                by=by.staff_id,
                version=version.version,
                kind=version.kind,
                unit=version.unit,
                terms=version.terms,
            )
            return kept.rule_of(found, version)
    except IntegrityError as error:
        # Another took the same number.
        raise TryAgain from error


def switch(tools: Tools, rule_id: UUID, *, is_on: bool, by: ConsoleCaller) -> None:
    """Stop a rule from now on, or let it give again; to do it twice does nothing.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: it contradicts another rule by now.
        NotFound: no such rule.
        TryAgain: somebody else changed it at the same time.
        StoreDown: nothing was written.
    """
    must_lead(by)
    try:
        with tools.database.begin() as tx:
            found = tx.get(EarningRule, rule_id)
            last = _last(tx, rule_id)
            if found is None or last is None:
                raise NotFound
            if last.is_on is is_on:
                return
            draft = kept.rule_of(found, last)
            if is_on:
                _must_fit(tx, tools, draft)
            _add(tx, tools, found, draft, by=by, is_on=is_on)
            what = "earning_rule.resumed" if is_on else "earning_rule.stopped"
            audit.record(tx, tools, what, rule_id, by=by.staff_id)
    except IntegrityError as error:
        raise TryAgain from error


def _rule_row(
    tx: Tx, tools: Tools, programme_id: UUID, rule_id: UUID | None
) -> EarningRule:
    if rule_id is not None:
        found = tx.get(EarningRule, rule_id)
        if found is None or found.programme_id != programme_id:
            raise NotFound
        return found
    if tx.get(Programme, programme_id) is None:
        raise NotFound
    made = EarningRule(
        rule_id=uuid4(), programme_id=programme_id, created_at=tools.now()
    )
    tx.add(made)
    tx.flush()
    return made


def _must_fit(tx: Tx, tools: Tools, draft: Rule) -> None:
    others = shelf.in_effect(tx, draft.programme_id, tools.now())
    wrong = drafts.contradictions(draft, others)
    known = set(tx.scalars(select(Location.location_id)))
    if not draft.places <= known:
        wrong["places"] = "missing"
    if wrong:
        raise InvalidRequest(wrong)


def _add(
    tx: Tx,
    tools: Tools,
    found: EarningRule,
    draft: Rule,
    *,
    by: ConsoleCaller,
    is_on: bool = True,
    takes_effect_at: datetime | None = None,
) -> EarningRuleVersion:
    last = _last(tx, found.rule_id)
    now = tools.now()
    version = EarningRuleVersion(
        version_id=uuid4(),
        rule_id=found.rule_id,
        version=last.version + 1 if last else 1,
        kind=draft.kind.value,
        unit=draft.unit.value,
        name=draft.name,
        terms=kept.terms_of(draft),
        is_on=is_on,
        takes_effect_at=max(takes_effect_at or now, now),
        created_at=now,
        created_by=by.staff_id,
    )
    tx.add(version)
    tx.flush()
    return version


def _last(tx: Tx, rule_id: UUID) -> EarningRuleVersion | None:
    return tx.scalar(
        select(EarningRuleVersion)
        .where(EarningRuleVersion.rule_id == rule_id)
        .order_by(EarningRuleVersion.version.desc())
        .limit(1)
    )


def _given(tx: Tx) -> dict[UUID, int]:
    """Add up what each rule has given, less what was taken back."""
    rows = tx.execute(
        select(EarningRuleVersion.rule_id, func.sum(LedgerEntry.units))
        .join(LedgerEntry, LedgerEntry.rule_version_id == EarningRuleVersion.version_id)
        .where(~counting.is_undone(), LedgerEntry.kind != "REVERSE")
        .group_by(EarningRuleVersion.rule_id)
    )
    return {rule_id: int(units) for rule_id, units in rows}
