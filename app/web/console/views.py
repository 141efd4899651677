"""The console's pages, all on one blueprint."""

from app.web.console import (
    entrance,
    home,
    keys,
    look,
    premises,
    printing,
    programme,
    setup,
    style,
    team,
)
from app.web.console.room import bp

__all__ = [
    "bp",
    "entrance",
    "home",
    "keys",
    "look",
    "premises",
    "printing",
    "programme",
    "setup",
    "style",
    "team",
]
