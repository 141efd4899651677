"""Until when things are good: what is promised for days ends with a day of the shop.

What is good for N days is good until the end of the local day, in the shop's time zone,
N days after the day on which it was issued: what was issued on a Monday and is good for
one day ends on Tuesday, at 23:59:59 by the clock on the shop's wall. Days are those of
the calendar, so that the one of 23 or 25 hours, when clocks are changed, is one. The
end is the last second that is good, as it is for printed stamps, and is kept in UTC
from the moment of issue: a shop that changes its programme or its time zone later
moves no end. What was promised stays promised.

"Expired" is computed from the end whenever somebody looks, and is never stored. So no
worker has to pass by for it to be true, nothing is late when the worker is, and there
is no moment in which the clock says one thing and a column another. What must not
happen after the end asks for the end itself in the one statement that decides
(``rewards``), with the moment that goes into the ledger. An end moves no units, so it
needs no entry; that a thing was used before its end is proved from what its first
answer told, which is signed (``proofs.vouchers``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, SQLColumnExpression, or_, select

from app.store.database import Tx
from app.store.tables import Shop

#: For how many days something may be good.
DAYS: Final = range(1, 3651)
#: From so many days before its end on, people are warned; 0 is the last day itself.
SOON_DAYS: Final = 7


def zone_of(tx: Tx) -> ZoneInfo:
    """Read the shop's time zone; UTC before it was founded."""
    return ZoneInfo(tx.scalar(select(Shop.timezone)) or "UTC")


def last_moment(day: date, zone: ZoneInfo) -> datetime:
    """Tell the last second of a local day, as UTC.

    Where midnight is skipped, or comes twice, the next day begins with the first
    moment that a clock in the zone calls so.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return midnight.astimezone(UTC) - timedelta(seconds=1)


def end_of(issued_at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Tell the end of what is good for some days.

    Args:
        issued_at: aware.
        days: of ``DAYS``.
        zone: the shop's.
    """
    return last_moment(issued_at.astimezone(zone).date() + timedelta(days=days), zone)


def is_over(end: datetime | None, at: datetime) -> bool:
    """Tell whether the end has passed; what has none does not."""
    return end is not None and at > end


def not_over(
    end: SQLColumnExpression[datetime | None], at: datetime
) -> ColumnElement[bool]:
    """Ask the books the opposite of ``is_over``, within a statement."""
    return or_(end.is_(None), end >= at)


def days_left(end: datetime, now: datetime, zone: ZoneInfo) -> int:
    """Count the midnights until the day of the end; 0 on that day itself."""
    return (end.astimezone(zone).date() - now.astimezone(zone).date()).days


def stage(ends: Iterable[datetime], now: datetime, zone: ZoneInfo) -> str:
    """Name what people are told of some ends now: another name, other words.

    Returns:
        How many are over and, of each other, how many days are left up to the day
        before the first warning: "1.0.8".
    """
    known = sorted(ends)
    over = sum(is_over(end, now) for end in known)
    left = (min(days_left(end, now, zone), SOON_DAYS + 1) for end in known[over:])
    return ".".join(map(str, (over, *left)))
