from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.programme.earning.windows import (
    EVERY_DAY,
    NotAWindow,
    Window,
    checked,
    hold,
    weekdays_of,
    weekly,
)

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAYS = Window("FREQ=WEEKLY;BYDAY=TU")


def berlin(*numbers: int, fold: int = 0) -> datetime:
    return datetime(*numbers, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc]


def test_every_tuesday_is_the_shops_own_tuesday_also_when_clocks_change() -> None:
    # 29 March 2026 has 23 hours in Berlin, 25 October has 25.
    for day in (date(2026, 3, 24), date(2026, 3, 31), date(2026, 10, 27)):
        assert TUESDAYS.holds(berlin(day.year, day.month, day.day, 0, 0), BERLIN)
        assert TUESDAYS.holds(berlin(day.year, day.month, day.day, 23, 59), BERLIN)
        before = berlin(day.year, day.month, day.day) - timedelta(seconds=1)
        assert not TUESDAYS.holds(before, BERLIN)


def test_weekdays_from_two_to_four() -> None:
    window = Window(weekly((0, 1, 2, 3, 4)), 14 * 60, 16 * 60)

    assert window.holds(berlin(2026, 3, 27, 14, 0), BERLIN)
    assert window.holds(berlin(2026, 3, 27, 15, 59), BERLIN)
    assert not window.holds(berlin(2026, 3, 27, 16, 0), BERLIN)
    # Saturday.
    assert not window.holds(berlin(2026, 3, 28, 14, 0), BERLIN)
    # The next week the clock on the wall is another hour in UTC.
    assert window.holds(berlin(2026, 3, 30, 14, 0), BERLIN)


def test_an_hour_that_comes_twice_holds_twice() -> None:
    window = Window(EVERY_DAY, 2 * 60, 3 * 60)

    assert window.holds(berlin(2026, 10, 25, 2, 30), BERLIN)
    assert window.holds(berlin(2026, 10, 25, 2, 30, fold=1), BERLIN)


def test_a_night_that_ends_in_the_next_day_belongs_to_the_day_it_began() -> None:
    fridays = Window("FREQ=WEEKLY;BYDAY=FR", 22 * 60, 26 * 60)

    assert fridays.holds(berlin(2026, 3, 27, 23, 0), BERLIN)
    assert fridays.holds(berlin(2026, 3, 28, 1, 59), BERLIN)
    assert not fridays.holds(berlin(2026, 3, 28, 2, 0), BERLIN)
    assert not fridays.holds(berlin(2026, 3, 27, 1, 0), BERLIN)


def test_a_window_begins_and_ends_with_its_days() -> None:
    window = Window(first_day=date(2026, 5, 1), last_day=date(2026, 5, 2))

    assert not window.holds(berlin(2026, 4, 30, 23, 59), BERLIN)
    assert window.holds(berlin(2026, 5, 1), BERLIN)
    assert window.holds(berlin(2026, 5, 2, 23, 59), BERLIN)
    assert not window.holds(berlin(2026, 5, 3), BERLIN)


def test_every_second_week_counts_from_the_first_day() -> None:
    window = Window("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", first_day=date(2026, 5, 5))

    assert window.has_day(date(2026, 5, 5))
    assert not window.has_day(date(2026, 5, 12))
    assert window.has_day(date(2026, 5, 19))


@pytest.mark.parametrize(
    ("days", "day"),
    [
        ("FREQ=MONTHLY;BYDAY=1FR", date(2026, 5, 1)),
        ("FREQ=MONTHLY;BYDAY=-1SU", date(2026, 5, 31)),
        ("FREQ=MONTHLY;BYMONTHDAY=31", date(2026, 5, 31)),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", date(2028, 2, 29)),
        ("FREQ=DAILY;INTERVAL=3", date(2024, 1, 4)),
    ],
)
def test_recurrences_that_are_taken(days: str, day: date) -> None:
    assert Window(checked(days)).has_day(day)
    assert not Window(checked(days)).has_day(day - timedelta(days=1))


@pytest.mark.parametrize(
    "days",
    [
        "",
        "FREQ=SECONDLY",
        "FREQ=HOURLY;INTERVAL=2",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY\nEXDATE:20260101",
        "FREQ=DAILY;COUNT=3",
    ],
)
def test_what_is_no_recurrence_is_refused(days: str) -> None:
    with pytest.raises(NotAWindow):
        checked(days)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_way(text: str) -> None:
    try:
        taken = checked(text)
    except NotAWindow:
        return
    Window(taken).has_day(date(2026, 5, 5))


def test_no_window_at_all_means_always() -> None:
    at = berlin(2026, 5, 5)

    assert hold((), at, BERLIN)
    assert hold((Window("FREQ=WEEKLY;BYDAY=MO"), TUESDAYS), at, BERLIN)


@given(st.sets(st.integers(0, 6)))
def test_days_of_the_week_are_read_as_they_were_written(days: set[int]) -> None:
    read = weekdays_of(weekly(tuple(days)))

    assert read == (tuple(sorted(days)) or tuple(range(7)))
