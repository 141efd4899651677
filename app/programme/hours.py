"""When a location is open, if its owner has said so.

Seven pairs of minutes after midnight, from Monday to Sunday; None for a day on which it
stays closed. A place that closes after midnight has an end beyond 1440: 1500 is one
o'clock of the next day. Hours refuse nothing. They say what is odd: a stamp that was
given ``GRACE`` before or after them (``app.programme.signals``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

#: Whoever opens or closes a shop gives themselves time.
GRACE: Final = timedelta(minutes=30)
_DAY: Final = 24 * 60
_TIME: Final = re.compile(r"([01]?[0-9]|2[0-4])[:.]([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Hours:
    """A week of opening hours."""

    #: From Monday on: minutes after midnight, or None.
    days: tuple[tuple[int, int] | None, ...]

    def is_open(self, at: datetime, zone: ZoneInfo) -> bool:
        """Tell whether stamps are to be expected at a moment.

        Args:
            at: aware.
            zone: the shop's.
        """
        local = at.astimezone(zone)
        grace = GRACE // timedelta(minutes=1)
        minute = local.hour * 60 + local.minute
        # The day, the one before that may end in it, and the next one's early bird.
        for ago in (0, 1, -1):
            day = self.days[(local.weekday() - ago) % 7]
            shifted = minute + ago * _DAY
            if day and day[0] - grace <= shifted < day[1] + grace:
                return True
        return False


def read(kept: Sequence[Any] | None) -> Hours | None:
    """Read hours as the books keep them; None where nobody has said."""
    if kept is None:
        return None
    return Hours(tuple((day[0], day[1]) if day else None for day in kept))


def kept(hours: Hours | None) -> list[list[int] | None] | None:
    """Write hours as the books keep them."""
    if hours is None:
        return None
    return [list(day) if day else None for day in hours.days]


def typed(days: Sequence[tuple[str, str]], wrong: dict[str, str]) -> Hours | None:
    """Read hours as people type them: "7:30" and "18.00".

    Args:
        days: opening and closing time of seven days; two empty ones: closed.
        wrong: gets ``hours_0`` and so on with ``not_a_time`` where a day has no sense.

    Returns:
        The hours; None when nothing was typed at all.
    """
    found: list[tuple[int, int] | None] = []
    for number, (opens, closes) in enumerate(days):
        pair = (_minutes(opens), _minutes(closes))
        if not opens.strip() and not closes.strip():
            found.append(None)
        elif pair[0] is None or pair[1] is None or pair[0] == pair[1]:
            wrong[f"hours_{number}"] = "not_a_time"
        else:
            # To close before one has opened is to close after midnight.
            ends = pair[1] if pair[1] > pair[0] else pair[1] + _DAY
            found.append((pair[0], ends))
    return Hours(tuple(found)) if any(found) and not wrong else None


def told(minutes: int) -> str:
    """Write minutes after midnight as a form shows them: "07:30"."""
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _minutes(text: str) -> int | None:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    minutes = int(found[1]) * 60 + int(found[2])
    return minutes if minutes <= _DAY else None
