"""What the worker does besides mail, every minute.

It looks for signals, and brings what programmes promise into force when its day comes.

A look that fails is told in the log and made up for by the next: it begins where the
last one that worked ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from app.programme import terms
from app.programme.account import tidying
from app.programme.signals import watch
from app.store.errors import StoreDown
from app.tools import Tools

EVERY_S: Final = 60.0

_log = structlog.get_logger("app.worker")


class Rounds:
    """Looks when it is time; call it often."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._due_at = 0.0

    def __call__(self) -> None:
        """Do all of it if a minute has passed since the last time."""
        if time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + EVERY_S
        self._do("watch_fault", watch.look)
        self._do("terms_fault", terms.take_effect)
        self._do("tidying_fault", tidying.tidy)

    def _do(self, fault: str, work: Callable[[Tools], object]) -> None:
        try:
            work(self._tools)
        except StoreDown as error:
            _log.warning("store_down", store=type(error).__name__)
        except Exception as error:
            # The mail goes on, whatever is wrong here. Its own words may hold data.
            _log.error(fault, error=type(error).__name__)
