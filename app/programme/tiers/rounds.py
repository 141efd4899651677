"""What the clock brings to tiers, and a changed ladder: looked for by the worker.

* A tier that is over soon: its member is warned, once (``TierHeld.warned_at``).
* One whose last second has passed: moved on by what was earned meanwhile, or lost.
* A ladder that was changed: every card of the programme is looked at again, those whose
  tier changes each in a transaction of its own. A look that is cut off is made up for
  by the next.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CursorResult, and_, or_, select, update

from app.programme.tiers import holding, telling
from app.programme.tiers import rules as books
from app.programme.tiers.ladder import standing
from app.store.database import Tx
from app.store.tables import Card, Ladder, TierHeld
from app.tools import Tools

#: Cards looked at in one look at most, so that mail does not wait for it.
_MOST: Final = 200


def look(tools: Tools) -> int:
    """Do what is due now; tell how many cards were looked at.

    Raises:
        StoreDown: the books gave no answer; the rest is for the next look.
    """
    now = tools.now()
    with tools.database.read() as tx:
        due = tx.scalars(
            select(TierHeld.card_id)
            .where(
                TierHeld.ended_at.is_(None),
                or_(
                    TierHeld.until_at < now,
                    and_(TierHeld.warned_at.is_(None), TierHeld.warn_at <= now),
                ),
            )
            .limit(_MOST)
        ).all()
        changed = tx.execute(
            select(Ladder.programme_id, Ladder.changed_at).where(
                or_(Ladder.settled_at.is_(None), Ladder.settled_at < Ladder.changed_at)
            )
        ).all()
    for card_id in due:
        with tools.database.begin() as tx:
            _pass_by(tx, tools, card_id, now)
    for programme_id, changed_at in changed:
        _settle_all(tools, programme_id, changed_at)
    return len(due)


def _pass_by(tx: Tx, tools: Tools, card_id: UUID, now: datetime) -> None:
    if holding.settle(tx, tools, card_id, now, "clock"):
        return
    rules = books.of_card(tx, card_id)
    marked = tx.execute(
        update(TierHeld)
        .where(
            TierHeld.card_id == card_id,
            TierHeld.ended_at.is_(None),
            TierHeld.warned_at.is_(None),
            TierHeld.warn_at <= now,
        )
        .values(warned_at=now)
        .execution_options(synchronize_session=False)
    )
    if rules and isinstance(marked, CursorResult) and marked.rowcount == 1:
        day, zone = books.today(tx, now)
        earned = books.earned_by(tx, card_id, rules, day, zone)
        invited = books.invited_to(tx, card_id)
        found = standing(rules.ladder, earned, day, invited)
        telling.ends(tx, tools, card_id, rules, found)


def _settle_all(tools: Tools, programme_id: UUID, changed_at: datetime) -> None:
    now, last = tools.now(), None
    while True:
        with tools.database.read() as tx:
            page = (
                select(Card.card_id)
                .where(Card.programme_id == programme_id)
                .order_by(Card.card_id)
                .limit(_MOST)
            )
            ids = tx.scalars(
                page if last is None else page.where(Card.card_id > last)
            ).all()
            rules = books.read(tx, Ladder.programme_id == programme_id)
            day, zone = books.today(tx, now)
            wanting = [
                card_id
                for card_id in ids
                if rules and holding.would_settle(tx, card_id, rules, day, zone)
            ]
        if not ids:
            break
        last = ids[-1]
        for card_id in wanting:
            with tools.database.begin() as tx:
                holding.settle(tx, tools, card_id, now, "ladder")
    with tools.database.begin() as tx:
        tx.execute(
            update(Ladder)
            .where(Ladder.programme_id == programme_id)
            .values(settled_at=changed_at)
            .execution_options(synchronize_session=False)
        )
