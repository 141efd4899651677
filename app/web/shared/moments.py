"""Moments as the reader of this page reads them, in the shop's time zone."""

from __future__ import annotations

from datetime import datetime, tzinfo

from flask_babel import get_locale, get_timezone

from app import translations
from app.translations import speech


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
    return speech.moment(skeleton, at, zone or get_timezone(), spoken)
