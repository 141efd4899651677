"""On which days and at which hours a rule holds.

Days come from a recurrence of RFC 5545, the text after ``RRULE:``, read by dateutil and
counted in days of the shop's own calendar; hours are those of the clock on its wall. So
Tuesday is Tuesday in a week in which clocks are changed, and "2 to 3 o'clock" holds in
each of the two hours that are called so in autumn, and in none in spring.

Only recurrences that always come again are taken, so that no search for the next day
runs to the end of time:

* ``FREQ=DAILY`` with ``INTERVAL``
* ``FREQ=WEEKLY`` with ``BYDAY`` and perhaps ``INTERVAL``
* ``FREQ=MONTHLY`` with ``BYDAY`` (``1FR``, ``-1SU``) or ``BYMONTHDAY``
* ``FREQ=YEARLY`` with ``BYMONTH`` and ``BYMONTHDAY``

An interval is counted from the window's first day, or from Monday 1 January 2024.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

#: From Monday on, as RFC 5545 calls the days.
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MINUTES_OF_DAY: Final = 24 * 60
#: What a window that holds on every day says.
EVERY_DAY: Final = "FREQ=DAILY"
_ANCHOR: Final = date(2024, 1, 1)
_DAY_NAME: Final = r"(?:MO|TU|WE|TH|FR|SA|SU)"
_NTH_DAY: Final = rf"(?:-?[1-5])?{_DAY_NAME}"
_MONTH_DAY: Final = r"(?:-?(?:[1-9]|[12][0-9]|3[01]))"
_SHAPES: Final = (
    re.compile(r"FREQ=DAILY(;INTERVAL=[1-9][0-9]?)?"),
    re.compile(
        rf"FREQ=WEEKLY(;INTERVAL=[1-9])?;BYDAY={_DAY_NAME}(,{_DAY_NAME}){{0,6}}"
    ),
    re.compile(rf"FREQ=MONTHLY;BYDAY={_NTH_DAY}(,{_NTH_DAY}){{0,9}}"),
    re.compile(rf"FREQ=MONTHLY;BYMONTHDAY={_MONTH_DAY}(,{_MONTH_DAY}){{0,9}}"),
    re.compile(rf"FREQ=YEARLY;BYMONTH=([1-9]|1[0-2]);BYMONTHDAY={_MONTH_DAY}"),
)


class NotAWindow(ValueError):
    """A recurrence that is none, or none that is taken here."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some days, and perhaps some hours of them."""

    #: The text after ``RRULE:``; ``checked`` has read it.
    days: str = EVERY_DAY
    #: Minutes after midnight; an end beyond 1440 lies in the next day.
    opens: int = 0
    closes: int = MINUTES_OF_DAY
    #: First and last local day; None: no such bound.
    first_day: date | None = None
    last_day: date | None = None

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        """Tell whether a moment lies in the window.

        Args:
            at: aware.
            zone: the shop's.

        Raises:
            NotAWindow: the days were never ``checked``.
        """
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        today = local.date()
        return (self.opens <= minute < self.closes and self.has_day(today)) or (
            # Begun yesterday, and not over at midnight.
            minute < self.closes - MINUTES_OF_DAY
            and self.has_day(today - timedelta(days=1))
        )

    def has_day(self, day: date) -> bool:
        """Tell whether the window opens on a local day."""
        if self.first_day is not None and day < self.first_day:
            return False
        if self.last_day is not None and day > self.last_day:
            return False
        if self.days == EVERY_DAY:
            return True
        return _has(self.days, self.first_day or _ANCHOR, day)


def hold(windows: tuple[Window, ...], at: datetime, zone: ZoneInfo) -> bool:
    """Tell whether any of some windows holds; none at all means always."""
    return not windows or any(window.holds(at, zone) for window in windows)


def checked(days: str) -> str:
    """Read a recurrence as a person or a program wrote it.

    Args:
        days: the text after ``RRULE:``, in either case, with or without that word.

    Returns:
        It, in capitals.

    Raises:
        NotAWindow: it is none that is taken here.
    """
    text = days.strip().upper().removeprefix("RRULE:").rstrip(";")
    if not any(shape.fullmatch(text) for shape in _SHAPES):
        raise NotAWindow(days[:80])
    if text.startswith("FREQ=YEARLY"):
        _must_exist(text)
    return text


def weekly(days: tuple[int, ...]) -> str:
    """Write "every Tuesday and Friday": days from 0 for Monday; none is every day."""
    if not days or len(set(days)) == len(DAYS):
        return EVERY_DAY
    return "FREQ=WEEKLY;BYDAY=" + ",".join(DAYS[day] for day in sorted(set(days)))


def weekdays_of(days: str) -> tuple[int, ...] | None:
    """Read which days of the week a plain weekly recurrence has; None: it is another.

    Every day is all seven of them.
    """
    if days == EVERY_DAY:
        return tuple(range(len(DAYS)))
    found = re.fullmatch(r"FREQ=WEEKLY;BYDAY=([A-Z,]+)", days)
    return tuple(DAYS.index(name) for name in found[1].split(",")) if found else None


def _must_exist(yearly: str) -> None:
    """Refuse a day that no year has."""
    month, day = (int(part.partition("=")[2]) for part in yearly.split(";")[1:])
    # A leap year has every day that any year has.
    following = date(2024 + month // 12, month % 12 + 1, 1)
    if abs(day) > (following - timedelta(days=1)).day:
        raise NotAWindow(yearly)


@lru_cache(maxsize=512)
def _read(days: str, anchor: date) -> rrule:
    try:
        found = rrulestr(checked(days), dtstart=datetime.combine(anchor, time()))
    except ValueError as error:
        raise NotAWindow(days[:80]) from error
    if not isinstance(found, rrule):
        raise NotAWindow(days[:80])
    return found


@lru_cache(maxsize=4096)
def _has(days: str, anchor: date, day: date) -> bool:
    if day < anchor:
        return False
    moment = datetime.combine(day, time())
    return bool(_read(days, anchor).between(moment, moment, inc=True))
