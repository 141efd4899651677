"""The ladder as managers change it: checked at the field, with care for who has a tier.

A lowered bar holds at once. A raised one has its day (``Ladder.next_period``), unless
no card has a tier yet. How units are counted, and over which time, changes while nobody
has a tier, or so that nobody can lose by it: a longer window, more grace. A tier that
cards have goes when it is said where its people go: to another tier, for as long as
theirs was promised, or where their own units take them.

Every change is followed by a look at all cards (``rounds``), within a minute.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from app.programme import audit
from app.programme.errors import NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.tiers import holding
from app.programme.tiers import rules as books
from app.programme.tiers.rules import Rules
from app.programme.units import Unit
from app.programme.words import clean_lines, clean_name
from app.store.database import Tx
from app.store.tables import Ladder, Programme, Tier, TierHeld
from app.tools import Tools

UNITS: Final = range(1, 10_000_001)
WINDOW_MONTHS: Final = range(1, 61)
GRACE_DAYS: Final = range(367)
BOOST_PERCENT: Final = range(401)
BIRTHDAY_UNITS: Final = range(10_001)
BENEFITS_LENGTH: Final = 1000
#: More than anybody keeps apart.
MOST_TIERS: Final = 12
#: Where people of a removed tier go if to no other: where their units take them.
BY_UNITS: Final = "units"
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class TierDraft:
    """A tier as it was typed; -1 stands for what is no number."""

    name: str
    colour: str
    #: None: by invitation alone.
    units: int | None
    by_invitation: bool
    #: The tier below it; None: it is the lowest.
    above_id: UUID | None
    boost_percent: int
    benefits: str
    birthday_units: int


def tiers_held(tools: Tools, programme_id: UUID) -> dict[UUID, int]:
    """Count the cards that have each tier; a tier that none has is left out."""
    with tools.database.read() as tx:
        return held(tx, programme_id)


def save_ladder(
    tools: Tools,
    programme_id: UUID,
    *,
    unit: str,
    window_months: int | None,
    grace_days: int,
    by: ConsoleCaller,
) -> None:
    """Say how a programme counts for its tiers.

    Args:
        tools: the books.
        programme_id: which.
        unit: a ``Unit``.
        window_months: of ``WINDOW_MONTHS``; None: a calendar year.
        grace_days: of ``GRACE_DAYS``.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: a figure is ``out_of_range``; or somebody has a tier, and
            ``unit`` is ``in_use``, ``window_months`` or ``grace_days`` is
            ``only_longer``.
        NotFound: no such programme.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    if unit not in set(Unit):
        wrong["unit"] = "missing"
    if window_months is not None and window_months not in WINDOW_MONTHS:
        wrong["window_months"] = "out_of_range"
    if grace_days not in GRACE_DAYS:
        wrong["grace_days"] = "out_of_range"
    refuse(wrong)
    with tools.database.begin() as tx:
        row = _ladder(tx, tools, programme_id)
        if row.unit and held(tx, programme_id):
            _must_lose_nobody(row, unit, window_months, grace_days)
        row.unit, row.window_months, row.grace_days = unit, window_months, grace_days
        _note(tx, tools, row, by)


def save_tier(
    tools: Tools,
    programme_id: UUID,
    tier_id: UUID | None,
    draft: TierDraft,
    *,
    by: ConsoleCaller,
) -> UUID:
    """Change a tier, or make one.

    Args:
        tools: the books.
        programme_id: whose ladder; it says already how it counts.
        tier_id: which; a new one when None.
        draft: as typed.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: see ``checked``.
        NotFound: no such ladder or tier.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        ladder = tx.get(Ladder, programme_id, with_for_update=True)
        rules = books.read(tx, Ladder.programme_id == programme_id)
        if ladder is None or rules is None or (tier_id and not rules.tier(tier_id)):
            raise NotFound
        day, _ = books.today(tx, tools.now())
        has_people = bool(held(tx, programme_id))
        rows = _laid(tx, rules, tier_id, draft, day, has_people=has_people)
        row = rows[1]
        if tier_id is None:
            row.created_at = tools.now()
        for position, one in enumerate(rows[0]):
            one.position = position
        tx.add(row)
        tx.flush()
        _note(tx, tools, ladder, by)
        return row.tier_id


def checked(
    rules: Rules, tier_id: UUID | None, draft: TierDraft
) -> tuple[TierDraft, int]:
    """Check a draft against the rest of its ladder; pure.

    Returns:
        The draft, trimmed, and the place it takes among the other tiers.

    Raises:
        InvalidRequest: ``name`` as ``clean_name`` has it, or ``taken``; ``colour`` is
            ``not_a_colour``; a figure is ``out_of_range``; ``units`` is ``no_way_in``,
            ``same_bar`` or ``out_of_order``; ``benefits`` is ``too_long`` or has
            ``bad_characters``; ``above_id`` is ``too_many`` or ``not_an_id``.
    """
    wrong: dict[str, str] = {}
    others = [one for one in rules.tiers if one.tier_id != tier_id]
    name = clean_name(draft.name, wrong)
    if name.casefold() in {one.name.casefold() for one in others}:
        wrong["name"] = "taken"
    colour = draft.colour.strip().lower()
    if not _COLOUR.fullmatch(colour):
        wrong["colour"] = "not_a_colour"
    benefits = clean_lines(draft.benefits, wrong, "benefits", BENEFITS_LENGTH)
    ids = [one.tier_id for one in others]
    place = 0
    if draft.above_id is not None:
        place = ids.index(draft.above_id) + 1 if draft.above_id in ids else -1
    if place < 0 or len(others) >= MOST_TIERS:
        wrong["above_id"] = "not_an_id" if place < 0 else "too_many"
    bars = [one.next_units if one.next_from else one.units for one in others]
    wrong |= _wrong_bar(draft, bars, max(place, 0)) | _wrong_benefits(draft)
    refuse(wrong)
    found = TierDraft(
        name, colour, draft.units, draft.by_invitation, draft.above_id,
        draft.boost_percent, benefits, draft.birthday_units,
    )  # fmt: skip
    return found, place


def remove_tier(
    tools: Tools, tier_id: UUID, to: str | None, *, by: ConsoleCaller
) -> None:
    """Take a tier off its ladder.

    Args:
        tools: the books.
        tier_id: which.
        to: where its people go: ``BY_UNITS``, or the id of another tier of the ladder;
            None or "" where nobody has it.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``to`` is ``missing``, and somebody has it; or ``not_an_id``.
        NotFound: no such tier.
    """
    must_lead(by)
    now = tools.now()
    with tools.database.begin() as tx:
        tier = tx.get(Tier, tier_id, with_for_update=True)
        if tier is None or tier.removed_at is not None:
            raise NotFound
        ladder = tx.get_one(Ladder, tier.programme_id, with_for_update=True)
        rules = books.read(tx, Ladder.programme_id == tier.programme_id)
        people = tx.execute(
            select(TierHeld.card_id, TierHeld.until_at).where(
                TierHeld.tier_id == tier_id, TierHeld.ended_at.is_(None)
            )
        ).all()
        if people and not to:
            refuse({"to": "missing"})
        if to and to != BY_UNITS:
            target = _other(rules, tier_id, to)
            day, zone = books.today(tx, now)
            for card_id, until_at in people:
                until = until_at.astimezone(zone).date() if until_at else None
                if until is None or until >= day:
                    holding.let_in(
                        tx, card_id, target, day, until, now, why="moved", by=by
                    )
        tier.removed_at = now
        _note(tx, tools, ladder, by, removed=str(tier_id), to=to or None)


def _other(rules: Rules | None, tier_id: UUID, to: str) -> UUID:
    known = {
        str(one.tier_id): one.tier_id
        for one in (rules.tiers if rules else ())
        if one.tier_id != tier_id
    }
    if to not in known:
        refuse({"to": "not_an_id"})
    return known[to]


def _wrong_benefits(draft: TierDraft) -> dict[str, str]:
    wrong = {}
    if draft.boost_percent not in BOOST_PERCENT:
        wrong["boost_percent"] = "out_of_range"
    if draft.birthday_units not in BIRTHDAY_UNITS:
        wrong["birthday_units"] = "out_of_range"
    return wrong


def _wrong_bar(
    draft: TierDraft, bars: Sequence[int | None], place: int
) -> dict[str, str]:
    """Tell what is wrong with a bar between the bars of the others, lowest first."""
    if draft.units is None:
        return {} if draft.by_invitation else {"units": "no_way_in"}
    if draft.units not in UNITS:
        return {"units": "out_of_range"}
    if draft.units in bars:
        return {"units": "same_bar"}
    below = [bar for bar in bars[:place] if bar is not None]
    above = [bar for bar in bars[place:] if bar is not None]
    if (below and draft.units < max(below)) or (above and draft.units > min(above)):
        return {"units": "out_of_order"}
    return {}


def _laid(
    tx: Tx,
    rules: Rules,
    tier_id: UUID | None,
    draft: TierDraft,
    day: date,
    *,
    has_people: bool,
) -> tuple[list[Tier], Tier]:
    """Lay a draft into its row: all rows of the ladder in their order, and this one."""
    draft, place = checked(rules, tier_id, draft)
    row = tx.get_one(Tier, tier_id) if tier_id else Tier(
        programme_id=rules.programme_id
    )  # fmt: skip
    others = [
        tx.get_one(Tier, one.tier_id) for one in rules.tiers if one.tier_id != tier_id
    ]
    is_raised = (
        tier_id is not None
        and has_people
        and row.units is not None
        and (draft.units is None or draft.units > row.units)
    )
    if is_raised:
        row.next_units, row.next_from = draft.units, rules.ladder.next_period(day)
    else:
        row.units, row.next_units, row.next_from = draft.units, None, None
    row.name, row.colour = draft.name, draft.colour
    row.by_invitation, row.boost_percent = draft.by_invitation, draft.boost_percent
    row.benefits, row.birthday_units = draft.benefits, draft.birthday_units
    return [*others[:place], row, *others[place:]], row


def _must_lose_nobody(
    row: Ladder, unit: str, window_months: int | None, grace_days: int
) -> None:
    wrong = {}
    if unit != row.unit:
        wrong["unit"] = "in_use"
    was = row.window_months
    is_other = (was is None) != (window_months is None)
    if is_other or (was and window_months and window_months < was):
        wrong["window_months"] = "only_longer"
    if grace_days < row.grace_days:
        wrong["grace_days"] = "only_longer"
    refuse(wrong)


def _ladder(tx: Tx, tools: Tools, programme_id: UUID) -> Ladder:
    row = tx.get(Ladder, programme_id, with_for_update=True)
    if row is not None:
        return row
    if tx.get(Programme, programme_id) is None:
        raise NotFound
    row = Ladder(programme_id=programme_id, changed_at=tools.now())
    tx.add(row)
    return row


def held(tx: Tx, programme_id: UUID) -> dict[UUID, int]:
    """Count the cards that have each tier now, within a transaction."""
    rows = tx.execute(
        select(Tier.tier_id, func.count())
        .join(TierHeld, TierHeld.tier_id == Tier.tier_id)
        .where(Tier.programme_id == programme_id, TierHeld.ended_at.is_(None))
        .group_by(Tier.tier_id)
    )
    return dict(rows.all())


def _note(tx: Tx, tools: Tools, row: Ladder, by: ConsoleCaller, **more: Any) -> None:
    """Let all cards be looked at again, and write down the ladder as it is now."""
    row.changed_at = tools.now()
    tx.flush()
    rules = books.read(tx, Ladder.programme_id == row.programme_id)
    audit.record(
        tx,
        tools,
        "ladder.changed",
        row.programme_id,
        by=by.staff_id,
        unit=row.unit,
        window_months=row.window_months,
        grace_days=row.grace_days,
        tiers=books.told(rules) if rules else [],
        **more,
    )
