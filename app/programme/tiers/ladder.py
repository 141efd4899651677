"""Where a card stands on a ladder of tiers: what it has, until when, what is missing.

Pure: units that were earned, by the day of the shop's calendar, and the rules.

What counts is what was *earned* within the ladder's window, never what is left of it:
using units lowers nothing (``earned_of`` does not look at it). What was taken back
counts as if it had never been given.

* A rolling window of so many months: units count from their day to the day before the
  same day so many months later.
* A calendar year: units of a year count together, until the end of the year after.

A rung is *reached* on a day if what counts then is its bar or more, and *held* if it
was reached on that day or within the days of grace before it. A card has the highest
rung that it holds, by its units or by an invitation. So more units never lower it, and
the order in which they came on a day is nothing. With nothing more earned, what counts
only falls: ``Standing.until`` is the last day on which the rung is reached, ``ends``
the last one on which it is held.

A bar that was lowered holds at once. One that is raised has its day
(``Rung.next_from``), which ``next_period`` tells: the new year, whose units are counted
by it, or one window from today. So nobody loses what they have, and whoever collects
for the old bar has the time that was promised for it.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from typing import Final
from uuid import UUID

#: Kinds of entries that earn where they add; the rest moves units about.
EARNING: Final = frozenset({"EARN", "BONUS", "ADJUST"})
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moved:
    """One entry of a card's ledger, as far as tiers look at it."""

    entry_id: UUID
    kind: str
    units: int
    day: date
    reverses_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Earned:
    """Units that were earned on a day, and kept."""

    day: date
    units: int


@dataclass(frozen=True, slots=True)
class Rung:
    """One tier, as far as reaching it goes."""

    tier_id: UUID
    name: str
    #: Units that reach it; None: by invitation alone.
    units: int | None
    #: From that day on it asks for ``next_units``.
    next_from: date | None = None
    next_units: int | None = None

    def bar(self, day: date) -> int | None:
        """Tell how many units reach it on a day; None: no number does."""
        is_next = self.next_from is not None and day >= self.next_from
        return self.next_units if is_next else self.units


@dataclass(frozen=True, slots=True)
class Ladder:
    """The tiers of a programme, the lowest first."""

    rungs: tuple[Rung, ...]
    #: None: a calendar year.
    window_months: int | None = 12
    grace_days: int = 0

    def last_day(self, earned_on: date) -> date:
        """Tell until when units count."""
        if self.window_months is None:
            return date(earned_on.year + 1, 12, 31)
        return months_later(earned_on, self.window_months) - _DAY

    def next_period(self, today: date) -> date:
        """Tell from when on a bar may be higher, so that no promise is broken."""
        if self.window_months is None:
            return date(today.year + 1, 1, 1)
        return months_later(today, self.window_months)


@dataclass(frozen=True, slots=True)
class Invited:
    """A rung that somebody was invited to; None: without an end."""

    tier_id: UUID
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a card has on a day, and what it is short of."""

    #: None: it has no tier.
    held: Rung | None = None
    is_invited: bool = False
    #: The last day on which the rung is reached, with nothing more earned; None: there
    #: is no end.
    until: date | None = None
    #: The last day on which it is held: ``until`` and the days of grace.
    ends: date | None = None
    #: Whether the days of grace have begun.
    in_grace: bool = False
    #: Units that are short for keeping it after ``until``, if they are earned by then,
    #: or in its grace at once; None: that can't be told yet, or nothing is short.
    keep: int | None = None
    #: The rung above that units reach, and how many are short.
    next: Rung | None = None
    missing: int = 0
    #: What counts today, with what is earned today.
    counted: int = 0


def earned_of(moved: Iterable[Moved]) -> tuple[Earned, ...]:
    """Tell what was earned and kept.

    Args:
        moved: entries of one card in one unit, in any order. Those that use up, end or
            move units are no earning, and do not undo one either.
    """
    known = list(moved)
    undone = {each.reverses_id for each in known if each.reverses_id is not None}
    return tuple(
        Earned(each.day, each.units)
        for each in known
        if each.kind in EARNING and each.units > 0 and each.entry_id not in undone
    )


def standing(
    ladder: Ladder,
    earned: Iterable[Earned],
    day: date,
    invited: Collection[Invited] = (),
) -> Standing:
    """Tell where a card stands at the end of a day.

    Args:
        ladder: the rules.
        earned: in any order; what comes after ``day`` is not looked at.
        day: of the shop's calendar.
        invited: to rungs of the ladder; others are not looked at.
    """
    counts = _Counts(ladder, earned, day)
    place, held = _by_units(ladder, counts, day)
    above, open_end = _by_invitation(ladder, invited, day)
    if above > place:
        rung = ladder.rungs[above]
        held = Standing(held=rung, is_invited=True, until=open_end, ends=open_end)
    elif above == place >= 0 and held.ends and (not open_end or open_end > held.ends):
        held = replace(
            held, is_invited=True, until=open_end, ends=open_end, in_grace=False,
            keep=None,
        )  # fmt: skip
    counted = counts.open_on(day)
    told = replace(held, counted=counted)
    for rung in ladder.rungs[max(place, above) + 1 :]:
        bar = rung.bar(counts.bar_day(day))
        if bar is not None:
            return replace(told, next=rung, missing=bar - counted)
    return told


def months_later(day: date, months: int) -> date:
    """Tell the same day some months later, or the last day of that month."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


class _Counts:
    """What counts on which day, as steps: each pot of units for itself."""

    def __init__(self, ladder: Ladder, earned: Iterable[Earned], day: date) -> None:
        self._ladder = ladder
        pots: defaultdict[int, defaultdict[date, int]] = defaultdict(
            lambda: defaultdict(int)
        )
        for each in earned:
            if each.day <= day:
                pot = pots[self._pot_of(each.day)]
                pot[each.day] += each.units
                pot[ladder.last_day(each.day) + _DAY] -= each.units
        self._pots = {name: _Steps.of(pot) for name, pot in pots.items()}

    def reaches(self, rung: Rung, day: date) -> bool:
        """Tell whether a rung is reached on a day, with nothing more earned."""
        for name, pot in self._pots.items():
            # A year's units are measured by the bar of that year.
            bar = rung.bar(date(name, 12, 31) if name else day)
            if bar is not None and pot.on(day) >= bar:
                return True
        return False

    def on(self, day: date) -> int:
        """Tell what counts on a day, in a rolling window."""
        return sum(pot.on(day) for pot in self._pots.values())

    def bar_day(self, day: date) -> date:
        """Tell the day whose bar measures what is earned on a day."""
        return date(day.year, 12, 31) if self._ladder.window_months is None else day

    def open_on(self, day: date) -> int:
        """Tell what counts together with what is earned on that day."""
        pot = self._pots.get(self._pot_of(day))
        return pot.on(day) if pot else 0

    def changes_after(self, day: date) -> list[date]:
        """Tell the days on which less counts, in their order."""
        return sorted(
            {each for pot in self._pots.values() for each in pot.days if each > day}
        )

    def _pot_of(self, day: date) -> int:
        return day.year if self._ladder.window_months is None else 0


@dataclass(frozen=True, slots=True)
class _Steps:
    days: Sequence[date]
    totals: Sequence[int]

    @classmethod
    def of(cls, changes: Mapping[date, int]) -> _Steps:
        days = sorted(changes)
        return cls(days, list(accumulate(changes[day] for day in days)))

    def on(self, day: date) -> int:
        place = bisect_right(self.days, day)
        return self.totals[place - 1] if place else 0


def _by_units(ladder: Ladder, counts: _Counts, day: date) -> tuple[int, Standing]:
    """Find the highest rung that units hold, and its place; -1: none."""
    recent = [day - _DAY * back for back in range(ladder.grace_days + 1)]
    for place in reversed(range(len(ladder.rungs))):
        rung = ladder.rungs[place]
        # The latest day comes first.
        last = next((each for each in recent if counts.reaches(rung, each)), None)
        if last is not None:
            return place, _held(ladder, rung, counts, day, last)
    return -1, Standing()


def _held(
    ladder: Ladder, rung: Rung, counts: _Counts, day: date, last: date
) -> Standing:
    """Tell how long a rung is held that was last reached on a day."""
    in_grace = last < day
    if not in_grace:
        ahead = counts.changes_after(day)
        if rung.next_from is not None and rung.next_from > day:
            ahead = sorted({*ahead, rung.next_from})
        # What counts only falls, so the first day that is too little ends it.
        short = (each for each in ahead if not counts.reaches(rung, each))
        last = next(short, day) - _DAY
    return Standing(
        held=rung,
        until=last,
        ends=last + _DAY * ladder.grace_days,
        in_grace=in_grace,
        keep=_to_keep(ladder, rung, counts, day, last),
    )


def _to_keep(
    ladder: Ladder, rung: Rung, counts: _Counts, day: date, last: date
) -> int | None:
    is_year = ladder.window_months is None
    # In its grace what is short is short today; before, on the first day without it.
    then = max(day, last + _DAY)
    bar = rung.bar(counts.bar_day(day) if is_year else then)
    # What is earned today must still count then, or it can't be told yet.
    if bar is None or ladder.last_day(day) < then:
        return None
    if is_year and last > day and last.year != day.year:
        return None
    there = counts.open_on(day) if is_year or day > last else counts.on(then)
    return bar - there if bar > there else None


def _by_invitation(
    ladder: Ladder, invited: Collection[Invited], day: date
) -> tuple[int, date | None]:
    """Find the highest rung that an invitation opens, and its last day."""
    places = {rung.tier_id: place for place, rung in enumerate(ladder.rungs)}
    good = [
        (places[each.tier_id], each.until or date.max)
        for each in invited
        if each.tier_id in places
        and each.since <= day
        and (each.until is None or each.until >= day)
    ]
    if not good:
        return -1, None
    place, until = max(good)
    return place, None if until == date.max else until
