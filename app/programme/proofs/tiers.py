"""Of tiers and memberships: that each stands on what the ledger and the log have.

* A card has no higher tier than its units reach, or a manager's word in the audit log.
* The ladder asks for what the log says it asks for.
* Each paid period is in the log with the same terms, and so is each that was paid back.

What a card earned is counted from entries whose receipts are checked elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.programme.proofs.found import Found
from app.programme.tiers import rules as books
from app.programme.tiers.ladder import Invited, standing
from app.programme.tiers.rules import Rules
from app.store.database import Tx
from app.store.tables import AuditEntry, Ladder, Membership, TierHeld, TierInvitation

#: How late the worker may be.
_LATE = timedelta(days=2)
_Log = Mapping[str, list[Mapping[str, Any]]]


def check(tx: Tx, found: Found, at: datetime) -> None:
    """Check every tier and membership as it is at a moment."""
    ladders = tx.scalars(select(Ladder)).all()
    log = _log(tx, "ladder.changed", "tier.invited", "membership.paid",
               "membership.refunded")  # fmt: skip
    for ladder in ladders:
        rules = books.read(tx, Ladder.programme_id == ladder.programme_id)
        if rules is not None:
            _check_ladder(rules, log["ladder.changed"], found)
            _check_held(tx, rules, log, found, at)
    _check_memberships(tx, log, found)


def _log(tx: Tx, *actions: str) -> Mapping[str, _Log]:
    """Read what the log says, by action and subject, oldest first."""
    told: dict[str, defaultdict[str, list[Mapping[str, Any]]]] = {
        action: defaultdict(list) for action in actions
    }
    rows = tx.execute(
        select(AuditEntry.action, AuditEntry.subject, AuditEntry.detail)
        .where(AuditEntry.action.in_(actions))
        .order_by(AuditEntry.audit_no)
    )
    for action, subject, detail in rows:
        told[action][subject].append(detail)
    return told


def _check_ladder(rules: Rules, log: _Log, found: Found) -> None:
    said = log.get(str(rules.programme_id), [])
    last = said[-1] if said else {}
    now = (rules.unit.value, rules.window_months, rules.grace_days)
    then = tuple(last.get(name) for name in ("unit", "window_months", "grace_days"))
    if now != then or last.get("tiers") != books.told(rules):
        sentence = "The ladder of tiers is not as the audit log last told it."
        found.add("ladder_changed", rules.programme_id, sentence)


def _check_held(
    tx: Tx, rules: Rules, log: Mapping[str, _Log], found: Found, at: datetime
) -> None:
    day, zone = books.today(tx, at)
    ids = [one.tier_id for one in rules.tiers]
    held = tx.execute(
        select(TierHeld.card_id, TierHeld.tier_id, TierHeld.until_at).where(
            TierHeld.ended_at.is_(None), TierHeld.tier_id.in_(ids)
        )
    ).all()
    for card_id, tier_id, until_at in held:
        is_late = until_at is not None and at - _LATE < until_at < at
        earned = books.earned_by(tx, card_id, rules, day, zone)
        invited = _invited(tx, card_id, log)
        there = standing(rules.ladder, earned, day, invited).held
        place = rules.place(there.tier_id) if there else -1
        if rules.place(tier_id) > place and not is_late:
            sentence = "Its tier is higher than what it earned, and nobody invited it."
            found.add("tier_unearned", card_id, sentence)


def _invited(tx: Tx, card_id: UUID, log: Mapping[str, _Log]) -> list[Invited]:
    """Read the invitation of a card, if the log knows of it."""
    row = tx.scalar(
        select(TierInvitation).where(
            TierInvitation.card_id == card_id, TierInvitation.ended_at.is_(None)
        )
    )
    if row is None:
        return []
    until = row.until_day.isoformat() if row.until_day else None
    if row.why == "invited":
        known = any(
            (said["tier"], said["until"]) == (str(row.tier_id), until)
            for said in log["tier.invited"].get(str(card_id), [])
        )
    else:
        known = any(
            said.get("to") == str(row.tier_id)
            for changes in log["ladder.changed"].values()
            for said in changes
        )
    return [Invited(row.tier_id, row.since_day, row.until_day)] if known else []


def _check_memberships(tx: Tx, log: Mapping[str, _Log], found: Found) -> None:
    for row in tx.scalars(select(Membership)):
        subject, mine = str(row.card_id), str(row.membership_id)
        terms = {
            "price": row.price,
            "period_months": row.period_months,
            "cashback": row.cashback,
            "cap": row.cap,
        }
        said = next(
            (one for one in log["membership.paid"].get(subject, [])
             if one["membership"] == mine), None,
        )  # fmt: skip
        if said is None:
            sentence = "Nobody is known to have marked this membership as paid."
            found.add("membership_unpaid", mine, sentence)
        elif (said["terms"], said["until_at"]) != (terms, row.until_at.isoformat()):
            sentence = "Its terms or its end are not what was paid for."
            found.add("membership_changed", mine, sentence)
        refunds = log["membership.refunded"].get(subject, [])
        is_back = any(one["membership"] == mine for one in refunds)
        if is_back != (row.ended_at is not None):
            sentence = "It was paid back, or was not, against what the log says."
            found.add("membership_changed", mine, sentence)
