"""The service as the disorder runs it: its clock can be moved while it serves.

Granian's workers are other processes than the one that moves their clock, so the shift
stands in a file, in seconds, which is read whenever the time is asked.
"""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from flask import Flask

from app import create_app
from app.settings import Settings
from app.tools import open_tools

#: Names the file.
SHIFT: Final = "PUNCHPROOF_CHAOS_SHIFT"


def application() -> Flask:
    """Make the application as its environment says, with a clock that can be moved."""
    file = Path(os.environ[SHIFT])
    tools = open_tools(Settings.from_env(os.environ))
    return create_app(dataclasses.replace(tools, now=lambda: _now(file)))


def _now(file: Path) -> datetime:
    try:
        shift = float(file.read_text())
    except (OSError, ValueError):
        shift = 0.0
    return datetime.now(UTC) + timedelta(seconds=shift)
