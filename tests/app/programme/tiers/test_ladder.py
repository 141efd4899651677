"""Where a card stands: any history in any order, held to a count day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.programme.tiers.ladder import (
    Earned,
    Invited,
    Ladder,
    Moved,
    Rung,
    Standing,
    earned_of,
    months_later,
    standing,
)

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
BRONZE, SILVER, GOLD = (
    Rung(UUID(int=number), name, bar)
    for number, (name, bar) in enumerate(
        (("Bronze", 100), ("Silver", 300), ("Gold", 600)), 1
    )
)
RUNGS = (BRONZE, SILVER, GOLD)

days = st.integers(0, 800).map(lambda after: FIRST + DAY * after)
earnings = st.builds(Earned, days, st.integers(1, 400))
histories = st.lists(earnings, max_size=12)
ladders = st.builds(
    Ladder,
    st.just(RUNGS),
    st.sampled_from([None, 1, 3, 6, 12, 24]),
    st.sampled_from([0, 1, 14, 45]),
)


def place(found: Standing) -> int:
    return RUNGS.index(found.held) if found.held else -1


def by_hand(ladder: Ladder, history: list[Earned], day: date) -> int:
    """Count as the sentence says it, without any of the code's short ways."""
    best = -1
    for back in range(ladder.grace_days + 1):
        then = day - DAY * back
        known = [each for each in history if each.day <= day]
        if ladder.window_months is None:
            counted = max(
                sum(e.units for e in known if e.day <= then and e.day.year == year)
                for year in (then.year, then.year - 1)
            )
        else:
            counted = sum(
                each.units
                for each in known
                if each.day <= then < months_later(each.day, ladder.window_months)
            )
        reached = [n for n, rung in enumerate(RUNGS) if counted >= (rung.units or 0)]
        best = max([best, *reached])
    return best


@settings(max_examples=300, deadline=None)
@given(ladders, histories, days)
def test_it_is_what_a_count_by_hand_says(
    ladder: Ladder, history: list[Earned], day: date
) -> None:
    assert place(standing(ladder, history, day)) == by_hand(ladder, history, day)


@given(ladders, histories, days, st.randoms())
def test_the_order_in_which_units_came_means_nothing(
    ladder: Ladder, history: list[Earned], day: date, chance: object
) -> None:
    shuffled = list(history)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert standing(ladder, shuffled, day) == standing(ladder, history, day)


@given(ladders, histories, earnings, days)
def test_more_units_never_lower_a_tier(
    ladder: Ladder, history: list[Earned], more: Earned, day: date
) -> None:
    before = standing(ladder, history, day)

    after = standing(ladder, [*history, more], day)

    assert place(after) >= place(before)
    if before.ends and place(after) == place(before):
        assert after.ends
        assert after.ends >= before.ends


movements = st.lists(
    st.tuples(
        st.sampled_from(["EARN", "BONUS", "ADJUST", "REDEEM", "EXPIRE", "MERGE"]),
        days,
        st.integers(1, 400),
        st.booleans(),
    ),
    max_size=14,
)


@given(ladders, movements, days)
def test_using_or_losing_units_lowers_nothing(
    ladder: Ladder, drawn: list[tuple[str, date, int, bool]], day: date
) -> None:
    moved: list[Moved] = []
    kept: list[Earned] = []
    for kind, on, units, is_undone in drawn:
        adds = kind in {"EARN", "BONUS", "ADJUST"}
        entry = Moved(uuid4(), kind, units if adds else -units, on)
        moved.append(entry)
        if is_undone:
            moved.append(
                Moved(uuid4(), "REVERSE", -entry.units, on + DAY, entry.entry_id)
            )
        elif adds:
            kept.append(Earned(on, units))

    assert standing(ladder, earned_of(moved), day) == standing(ladder, kept, day)


@settings(max_examples=200, deadline=None)
@given(ladders, histories, days)
def test_it_is_held_to_its_last_day_and_not_a_day_longer(
    ladder: Ladder, history: list[Earned], day: date
) -> None:
    known = [each for each in history if each.day <= day]
    now = standing(ladder, known, day)
    if not now.held or not now.ends:
        return

    assert now.ends >= day
    assert standing(ladder, known, now.ends).held == now.held
    assert place(standing(ladder, known, now.ends + DAY)) < place(now)


@settings(max_examples=200, deadline=None)
@given(ladders, histories, days)
def test_what_is_short_is_exactly_what_keeps_it(
    ladder: Ladder, history: list[Earned], day: date
) -> None:
    known = [each for each in history if each.day <= day]
    now = standing(ladder, known, day)
    if now.keep is None or now.ends is None:
        return

    enough = standing(ladder, [*known, Earned(day, now.keep)], now.ends + DAY)
    short = standing(ladder, [*known, Earned(day, now.keep - 1)], now.ends + DAY)

    assert place(enough) >= place(now)
    assert place(short) < place(now)


@settings(max_examples=200, deadline=None)
@given(ladders, histories, days)
def test_what_is_missing_for_the_next_is_exactly_that(
    ladder: Ladder, history: list[Earned], day: date
) -> None:
    known = [each for each in history if each.day <= day]
    now = standing(ladder, known, day)
    if now.next is None:
        return

    assert now.missing > 0
    reached = standing(ladder, [*known, Earned(day, now.missing)], day)
    assert reached.held == now.next
    short = standing(ladder, [*known, Earned(day, now.missing - 1)], day)
    assert short.held == now.held


def test_a_bar_that_is_raised_waits_for_its_day() -> None:
    later = date(2026, 6, 1)
    ladder = Ladder((Rung(uuid4(), "Gold", 100, next_from=later, next_units=150),), 12)
    history = [Earned(FIRST, 120)]

    before = standing(ladder, history, later - DAY)

    assert before.held
    assert before.until == later - DAY
    assert before.keep == 30
    assert standing(ladder, history, later).held is None
    assert standing(ladder, [Earned(FIRST, 150)], later).held


@given(ladders, histories, days, st.integers(0, 2), st.none() | st.integers(1, 900))
def test_a_raised_bar_takes_nothing_from_who_has_a_tier(
    ladder: Ladder, history: list[Earned], day: date, which: int, more: int | None
) -> None:
    known = [each for each in history if each.day <= day]
    rungs = list(RUNGS)
    rungs[which] = replace(
        rungs[which],
        next_from=ladder.next_period(day),
        next_units=None if more is None else (rungs[which].units or 0) + more,
    )
    raised = replace(ladder, rungs=tuple(rungs))

    before, after = standing(ladder, known, day), standing(raised, known, day)

    assert place(before) == (rungs.index(after.held) if after.held else -1)
    assert (after.until, after.ends) == (before.until, before.ends)


def test_an_invitation_opens_what_units_do_not() -> None:
    club = Rung(uuid4(), "Club", None)
    ladder = Ladder((BRONZE, club), 12)
    until = date(2026, 3, 31)
    invited = [Invited(club.tier_id, FIRST, until)]

    there = standing(ladder, [Earned(FIRST, 100)], until, invited)

    assert (there.held, there.is_invited, there.ends) == (club, True, until)
    after = standing(ladder, [Earned(FIRST, 100)], until + DAY, invited)
    assert after.held == BRONZE
    assert standing(ladder, [], FIRST - DAY, invited).held is None
    assert standing(ladder, [Earned(FIRST, 10**9)], FIRST).held == BRONZE


def test_an_invitation_to_what_one_has_lasts_as_long_as_the_longer() -> None:
    ladder = Ladder(RUNGS, 12)
    history = [Earned(FIRST, 300)]

    without_end = standing(
        ladder, history, FIRST, [Invited(SILVER.tier_id, FIRST, None)]
    )
    short = standing(ladder, history, FIRST, [Invited(SILVER.tier_id, FIRST, FIRST)])

    assert (without_end.ends, without_end.is_invited) == (None, True)
    assert (short.ends, short.is_invited) == (date(2026, 12, 31), False)


def test_a_calendar_year_counts_to_the_end_of_the_next() -> None:
    ladder = Ladder(RUNGS, None, grace_days=31)
    history = [Earned(date(2026, 11, 30), 300)]

    reached = standing(ladder, history, date(2026, 12, 1))
    assert (reached.held, reached.until) == (SILVER, date(2027, 12, 31))
    assert reached.keep is None
    next_year = standing(ladder, history, date(2027, 5, 1))
    assert (next_year.held, next_year.keep, next_year.counted) == (SILVER, 300, 0)
    grace = standing(ladder, history, date(2028, 1, 31))
    assert (grace.held, grace.in_grace, grace.keep) == (SILVER, True, 300)
    assert standing(ladder, history, date(2028, 2, 1)).held is None


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_months_end_where_the_calendar_ends_them(
    day: date, months: int, expected: date
) -> None:
    assert months_later(day, months) == expected
