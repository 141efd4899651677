"""What the worker does besides mail, every minute: it looks for signals, and tidies up.

A look that fails is told in the log and made up for by the next: it begins where the
last one that worked ended.
"""

from __future__ import annotations

import time
from typing import Final

import structlog

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
        """Look through the ledger if a minute has passed since the last look."""
        if time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + EVERY_S
        try:
            watch.look(self._tools)
            tidying.tidy(self._tools)
        except StoreDown as error:
            _log.warning("store_down", store=type(error).__name__)
        except Exception as error:
            # The mail goes on, whatever is wrong here. Its own words may hold data.
            _log.error("watch_fault", error=type(error).__name__)
