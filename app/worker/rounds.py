"""What the worker does besides mail, every minute: it looks for what time has brought.

A look that fails is told in the log and made up for by the next: each begins where the
last one that worked ended. None keeps another from its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from app.programme import ends, terms
from app.programme.account import tidying
from app.programme.earning import birthdays, referrals
from app.programme.earning import warning as units_warning
from app.programme.errors import TryAgain
from app.programme.plans import rounds as plan_rounds
from app.programme.rewards import calling_off, warning
from app.programme.signals import watch
from app.programme.tiers import rounds as tier_rounds
from app.store.errors import StoreDown
from app.tools import Tools

EVERY_S: Final = 60.0
#: What is looked after, in this order, by the name that the log gives it.
_LOOKS: Final[Mapping[str, Callable[[Tools], object]]] = {
    "signals": watch.look,
    "tiers": tier_rounds.look,
    "memberships": plan_rounds.look,
    "birthdays": birthdays.sweep,
    "referrals": referrals.sweep,
    "terms": terms.take_effect,
    "ends": ends.sweep,
    "events": calling_off.sweep,
    "vouchers": warning.warn,
    "units": units_warning.warn,
    "tidying": tidying.tidy,
}

_log = structlog.get_logger("app.worker")


class Rounds:
    """Looks when it is time; call it often."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._due_at = 0.0

    def __call__(self) -> None:
        """Look after everything if a minute has passed since the last look."""
        if time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + EVERY_S
        for name, look in _LOOKS.items():
            try:
                look(self._tools)
            except (StoreDown, TryAgain) as error:
                _log.warning("store_down", store=type(error).__name__, look=name)
            except Exception as error:
                # The mail goes on, whatever is wrong here. Its own words may hold data.
                _log.error("watch_fault", error=type(error).__name__, look=name)
