"""The console's pages, all on one blueprint."""

from app.web.console import (
    cards,
    eligibility,
    entrance,
    groups,
    home,
    keys,
    limits,
    look,
    persons,
    premises,
    printing,
    programme,
    setup,
    signals,
    style,
    team,
    terms,
)
from app.web.console.room import bp

__all__ = [
    "bp",
    "cards",
    "eligibility",
    "entrance",
    "groups",
    "home",
    "keys",
    "limits",
    "look",
    "persons",
    "premises",
    "printing",
    "programme",
    "setup",
    "signals",
    "style",
    "team",
    "terms",
]
