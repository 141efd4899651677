"""The console's pages, all on one blueprint."""

from app.web.console import (
    entrance,
    home,
    keys,
    premises,
    printing,
    programme,
    team,
)
from app.web.console.room import bp

__all__ = [
    "bp",
    "entrance",
    "home",
    "keys",
    "premises",
    "printing",
    "programme",
    "team",
]
