"""Who would be where today: a ladder tried on the shop's own cards first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from app.programme.errors import NotFound
from app.programme.tiers import rules as books
from app.programme.tiers import setting
from app.programme.tiers.ladder import Ladder, Rung, standing
from app.programme.tiers.rules import Rules
from app.programme.tiers.setting import TierDraft
from app.store.tables import Card
from app.store.tables import Ladder as LadderRow
from app.tools import Tools

#: The draft of a tier that is not there yet.
NEW: UUID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Weighed:
    """How many open cards each tier would have today, by what counts today."""

    cards: int
    #: By tier, the lowest first; a draft that is new has the id ``NEW``.
    at: Mapping[UUID, int]
    #: From when on a raised bar holds; None: all of it at once.
    raised_from: date | None = None

    @property
    def none(self) -> int:
        """Cards that would have no tier."""
        return self.cards - sum(self.at.values())


def weigh(
    tools: Tools,
    programme_id: UUID,
    tier_id: UUID | None = None,
    draft: TierDraft | None = None,
) -> Weighed:
    """Count who would be where today.

    A raised bar is counted as if it held today, for that is what one wants to know.
    Grace is left out, and invitations.

    Args:
        tools: the books.
        programme_id: whose ladder.
        tier_id: the tier that ``draft`` changes; a new one when None.
        draft: None: the ladder as it is.

    Raises:
        InvalidRequest: of the draft, as ``setting.checked``.
        NotFound: no such ladder.
    """
    with tools.database.read() as tx:
        rules = books.read(tx, LadderRow.programme_id == programme_id)
        if rules is None:
            raise NotFound
        rungs = _rungs(rules, tier_id, draft)
        day, zone = books.today(tx, tools.now())
        sums = books.counted_now(tx, rules, day, zone)
        cards = tx.scalar(
            select(func.count())
            .select_from(Card)
            .where(Card.programme_id == programme_id, Card.closed_at.is_(None))
        )
        held = setting.held(tx, programme_id)
    ladder = Ladder(rungs, rules.window_months)
    found: Counter[UUID] = Counter()
    for earned in sums.values():
        there = standing(ladder, earned, day).held
        if there is not None:
            found[there.tier_id] += 1
    was = rules.tier(tier_id)
    is_raised = bool(
        draft and was and was.units and held
        and (draft.units is None or draft.units > was.units)
    )  # fmt: skip
    return Weighed(
        cards or 0,
        {rung.tier_id: found[rung.tier_id] for rung in rungs},
        rules.ladder.next_period(day) if is_raised else None,
    )


def _rungs(
    rules: Rules, tier_id: UUID | None, draft: TierDraft | None
) -> tuple[Rung, ...]:
    if draft is None:
        return tuple(one.rung for one in rules.tiers)
    draft, place = setting.checked(rules, tier_id, draft)
    others = [one.rung for one in rules.tiers if one.tier_id != tier_id]
    mine = Rung(tier_id or NEW, draft.name, draft.units)
    return (*others[:place], mine, *others[place:])
