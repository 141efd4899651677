"""Moments as people of each language read them, in the shop's time zone.

CLDR's skeletons are asked for, never patterns: "12 Nov" is "12. nov." in Danish and
"11月12日" in Chinese. Hours are 0 to 23 everywhere: a stamp's time is read at a glance.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo

from babel.dates import format_date, format_skeleton
from flask_babel import get_locale, get_timezone

from app import translations


def time(at: datetime, zone: tzinfo | None = None) -> str:
    """Tell the time of day: "14:30".

    Args:
        at: aware.
        zone: the shop's, as this request has it, when None.
    """
    return _told("Hm", at, zone)


def day(at: datetime, zone: tzinfo | None = None) -> str:
    """Tell a day, short: "12 Nov". Arguments as for ``time``."""
    return _told("MMMd", at, zone)


def day_and_year(at: datetime, zone: tzinfo | None = None) -> str:
    """Tell a day with its year: "12 Nov 2026". Arguments as for ``time``."""
    return _told("yMMMd", at, zone)


def day_in_full(at: datetime, zone: tzinfo | None = None) -> str:
    """Tell a day, its month in full: "12 November 2026". Arguments as for ``time``."""
    return format_date(at.astimezone(zone or get_timezone()), "long", locale=_dates())


def day_in_words(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Tell a day to be kept in mind: "3 May", with its year where that is another.

    The month is written out, so that the sentence may end after it.

    Args:
        at: aware.
        now: aware.
        zone: as for ``time``.
    """
    local_zone = zone or get_timezone()
    if at.astimezone(local_zone).year == now.astimezone(local_zone).year:
        return _told("MMMMd", at, zone)
    return day_in_full(at, zone)


def calendar_day(day: date) -> str:
    """Tell a day of the shop's calendar, which no zone moves: "31 March 2027"."""
    return format_date(day, "long", locale=_dates())


def _dates() -> str:
    """Name the reader's language as CLDR has it for dates."""
    return (translations.language(str(get_locale())) or translations.SOURCE).dates


def _told(skeleton: str, at: datetime, zone: tzinfo | None) -> str:
    return format_skeleton(skeleton, at, tzinfo=zone or get_timezone(), locale=_dates())
