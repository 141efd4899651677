"""Moments as people of each language read them, in the shop's time zone.

CLDR's skeletons are asked for, never patterns: "12 Nov" is "12. nov." in Danish and
"11月12日" in Chinese. Hours are 0 to 23 everywhere: a stamp's time is read at a glance.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from babel.dates import format_skeleton
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


def _told(skeleton: str, at: datetime, zone: tzinfo | None) -> str:
    spoken = translations.language(str(get_locale())) or translations.SOURCE
    return format_skeleton(
        skeleton, at, tzinfo=zone or get_timezone(), locale=spoken.dates
    )
