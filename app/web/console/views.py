"""The console's pages, all on one blueprint."""

from app.web.console import (
    cards,
    entrance,
    home,
    items,
    keys,
    limits,
    look,
    persons,
    premises,
    printing,
    programme,
    rewards,
    setup,
    signals,
    style,
    team,
)
from app.web.console.room import bp

__all__ = [
    "bp",
    "cards",
    "entrance",
    "home",
    "items",
    "keys",
    "limits",
    "look",
    "persons",
    "premises",
    "printing",
    "programme",
    "rewards",
    "setup",
    "signals",
    "style",
    "team",
]
