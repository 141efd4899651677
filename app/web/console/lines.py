"""What happened in the shop, in words that its owner reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_babel import gettext, lazy_gettext, ngettext

from app.programme.feed import FeedLine
from app.web.shared import moments, reasons

SIGNALS: Final[Mapping[str, Any]] = {
    "spent_code": lazy_gettext("A used code was shown again"),
    "by_hand": lazy_gettext("Stamps given by hand, without a code"),
    "unissued_code": lazy_gettext("A code signed by our key that we never made"),
    "own_card": lazy_gettext("Somebody tried to stamp their own card"),
    "own_phone": lazy_gettext("Till and card are the same device"),
    "guesses": lazy_gettext("Somebody guessed at a PIN or a password"),
    "limit_met": lazy_gettext("A limit was met"),
    "favourite": lazy_gettext("One card gets far more than others"),
    "after_hours": lazy_gettext("Stamps outside opening hours"),
    "card_in_two_places": lazy_gettext("One card at two places at once"),
    "person_in_two_places": lazy_gettext("One person at two places at once"),
    "join_burst": lazy_gettext("Many new cards from one device"),
    "quick_reward": lazy_gettext("A reward soon after joining"),
    "many_undos": lazy_gettext("Much is taken back"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the list."""

    line_id: str
    #: ``given``, ``good``, ``undone``, ``alarm`` or ``plain``: the colour of its mark.
    tone: str
    #: Stands in the mark instead of an icon: "+2".
    badge: str
    icon: str
    title: str
    #: Place, person, card, reason: whatever is known.
    facts: tuple[str, ...]
    at: datetime
    when: str


def told(line: FeedLine, *, zone: ZoneInfo, now: datetime) -> Told:
    """Put one line into words.

    Args:
        line: what happened.
        zone: the shop's.
        now: aware; days are told from it ("yesterday").
    """
    tone, icon, title = _WORDS[line.kind](line)
    number = _number(line.card_number)
    by_hand = gettext("by hand, no code") if line.kind == "by_hand" else None
    facts = (by_hand, line.place, line.staff_name, number, _reason(line))
    return Told(
        line_id=line.line_id,
        tone=tone,
        badge=f"+{line.units}" if line.kind in {"given", "by_hand"} else "",
        icon=icon,
        title=title,
        facts=tuple(fact for fact in facts if fact),
        at=line.at,
        when=when(line.at, zone=zone, now=now),
    )


def when(at: datetime, *, zone: ZoneInfo, now: datetime) -> str:
    """Tell a moment as people do: the time today, then the day."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    time = moments.time(at, zone)
    if local.date() == today:
        return time
    if local.date() == today - timedelta(days=1):
        return str(gettext("yesterday %(time)s", time=time))
    if local.year == today.year:
        return moments.day(at, zone)
    return moments.day_and_year(at, zone)


def isolated(name: str) -> str:
    """Keep a name's writing direction to itself within a sentence."""
    return f"\u2068{name}\u2069"


def _given(line: FeedLine) -> tuple[str, str, str]:
    if line.member_name:
        words = ngettext(
            "%(num)s stamp for %(name)s",
            "%(num)s stamps for %(name)s",
            line.units,
            name=isolated(line.member_name),
        )
    else:
        words = ngettext("%(num)s stamp", "%(num)s stamps", line.units)
    return "given", "stamp", words


def _by_hand(line: FeedLine) -> tuple[str, str, str]:
    # Amber: no code proves it, and a person answers for it.
    return "undone", "stamp", _given(line)[2]


def _earned(line: FeedLine) -> tuple[str, str, str]:
    reward = isolated(line.reward or "")
    if line.member_name:
        name = isolated(line.member_name)
        words = gettext("%(name)s earned: %(reward)s", name=name, reward=reward)
    else:
        words = gettext("Earned: %(reward)s", reward=reward)
    return "good", "gift", words


def _redeemed(line: FeedLine) -> tuple[str, str, str]:
    reward = isolated(line.reward or "")
    if line.member_name:
        name = isolated(line.member_name)
        words = gettext("%(reward)s handed to %(name)s", name=name, reward=reward)
    else:
        words = gettext("%(reward)s handed out", reward=reward)
    return "good", "check", words


def _stamp_undone(line: FeedLine) -> tuple[str, str, str]:
    words = ngettext("%(num)s stamp undone", "%(num)s stamps undone", line.units)
    return "undone", "undo", words


def _redemption_undone(line: FeedLine) -> tuple[str, str, str]:
    reward = isolated(line.reward or "")
    return "undone", "undo", gettext("%(reward)s given back", reward=reward)


def _joined(line: FeedLine) -> tuple[str, str, str]:
    if line.member_name:
        words = gettext("%(name)s joined", name=isolated(line.member_name))
    else:
        words = gettext("Somebody joined")
    return "plain", "person", words


def _enrolled(line: FeedLine) -> tuple[str, str, str]:
    name = isolated(line.subject or "")
    return "plain", "till", gettext("Till added: %(name)s", name=name)


def _signal(line: FeedLine) -> tuple[str, str, str]:
    words = SIGNALS.get(line.subject or "") or gettext("Something looks odd")
    return "alarm", "alert", str(words)


_WORDS: Final[Mapping[str, Callable[[FeedLine], tuple[str, str, str]]]] = {
    "given": _given,
    "by_hand": _by_hand,
    "earned": _earned,
    "redeemed": _redeemed,
    "stamp_undone": _stamp_undone,
    "redemption_undone": _redemption_undone,
    "joined": _joined,
    "enrolled": _enrolled,
    "signal": _signal,
}


def _number(number: str | None) -> str | None:
    """Write a card's number as the card has it: ``N° 4417 2093``."""
    return f"N° {number[:4]} {number[4:]}" if number else None


def _reason(line: FeedLine) -> str | None:
    """Only an undoing has a reason; other subjects stand in the title."""
    return reasons.told(line.subject) if line.kind.endswith("_undone") else None
