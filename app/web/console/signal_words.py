"""Signals in words that an owner reads: what, and the evidence without its data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_babel import format_decimal, gettext, lazy_gettext, ngettext

from app.programme.signals import kinds
from app.programme.signals.desk import SignalView
from app.web.console.lines import SIGNALS, isolated, when
from app.web.shared import moments

STATES: Final[Mapping[str, Any]] = {
    "new": lazy_gettext("New"),
    "looked_at": lazy_gettext("Looked at"),
    "dismissed": lazy_gettext("Dismissed"),
    "confirmed": lazy_gettext("Confirmed"),
}
#: The colour of a state's chip.
TONES: Final = {
    "new": "waiting",
    "looked_at": "plain",
    "dismissed": "plain",
    "confirmed": "refused",
}
#: Up to here minutes are told as they are; beyond it, hours.
_MINUTES: Final = 120


@dataclass(frozen=True, slots=True)
class ToldSignal:
    """A signal as the pages show it."""

    seen: SignalView
    title: str
    #: The evidence, in a sentence or two.
    sentence: str
    #: Person, card, place: whatever is known.
    facts: tuple[str, ...]
    state: str
    tone: str
    when: str
    judged: str


def told(seen: SignalView, *, zone: ZoneInfo, now: datetime) -> ToldSignal:
    """Put a signal into words.

    Args:
        seen: the signal.
        zone: the shop's.
        now: aware.
    """
    number = seen.card_number
    card = f"N° {number[:4]} {number[4:]}" if number else None
    known = (seen.staff_name, seen.member_name, card, seen.place, seen.terminal_name)
    judged = ""
    if seen.judged_at is not None:
        judged = ", ".join(
            (isolated(seen.judged_by or ""), when(seen.judged_at, zone=zone, now=now))
        )
    return ToldSignal(
        seen=seen,
        title=title(seen.kind),
        sentence=_EVIDENCE.get(seen.kind, _nothing)(seen.evidence, zone),
        facts=tuple(fact for fact in known if fact),
        state=str(STATES[seen.state]),
        tone=TONES[seen.state],
        when=when(seen.at, zone=zone, now=now),
        judged=judged,
    )


def title(kind: str) -> str:
    """Name a kind."""
    return str(SIGNALS.get(kind) or gettext("Something looks odd"))


def _time(evidence: Mapping[str, Any], name: str, zone: ZoneInfo) -> str:
    return moments.time(datetime.fromisoformat(evidence[name]), zone)


def _nothing(_evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return ""


def _spent(_evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return str(gettext("It was refused, and nothing was counted."))


def _unissued(evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return str(
        gettext(
            "It was refused. Key %(key)s may be stolen: see the page of keys.",
            key=evidence.get("key_id", "?"),
        )
    )


def _by_hand(evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return str(ngettext("%(num)s stamp", "%(num)s stamps", evidence.get("stamps", 1)))


def _own_phone(_evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return str(
        gettext("One browser is the till and holds the card. The stamp was counted.")
    )


def _limit(evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return str(
        gettext(
            "More than %(most)s stamps within an hour. What was too much was refused.",
            most=evidence.get("most", ""),
        )
    )


def _guesses(evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    limit, is_known = evidence["limit"], evidence["is_known"]
    if limit == "password_network":
        words = _AT_PASSWORDS
    elif limit.startswith("password"):
        words = _AT_A_PASSWORD if is_known else _AT_NOBODYS_PASSWORD
    else:
        words = _AT_A_PIN if is_known else _AT_PINS
    facts = {name: format_decimal(evidence[name]) for name in ("most", "minutes")}
    return str(words) % facts


_AT_A_PIN: Final = lazy_gettext(
    "More than %(most)s tries at this person's PIN within %(minutes)s minutes. "
    "What was too much was refused."
)
_AT_PINS: Final = lazy_gettext(
    "More than %(most)s tries at PINs of this till within %(minutes)s minutes. "
    "What was too much was refused."
)
_AT_A_PASSWORD: Final = lazy_gettext(
    "More than %(most)s tries at this person's password within %(minutes)s minutes. "
    "What was too much was refused."
)
_AT_NOBODYS_PASSWORD: Final = lazy_gettext(
    "More than %(most)s tries within %(minutes)s minutes at the password of an "
    "address that nobody signs in with. What was too much was refused."
)
_AT_PASSWORDS: Final = lazy_gettext(
    "More than %(most)s tries at passwords from one network within %(minutes)s "
    "minutes. What was too much was refused."
)


def _favourite(evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return str(
        gettext(
            "%(stamps)s stamps from this person within two weeks. The tenth of their "
            "cards got %(usual)s.",
            stamps=format_decimal(evidence["stamps"]),
            usual=format_decimal(evidence["usual"]),
        )
    )


def _after_hours(evidence: Mapping[str, Any], zone: ZoneInfo) -> str:
    return str(
        ngettext(
            "%(num)s stamp between %(first)s and %(last)s. %(place)s was closed.",
            "%(num)s stamps between %(first)s and %(last)s. %(place)s was closed.",
            evidence["stamps"],
            first=_time(evidence, "first_at", zone),
            last=_time(evidence, "last_at", zone),
            place=isolated(evidence["place"]),
        )
    )


def _two_places(evidence: Mapping[str, Any], zone: ZoneInfo) -> str:
    return str(
        gettext(
            "At %(first)s at %(place)s, at %(last)s at %(other)s.",
            first=_time(evidence, "first_at", zone),
            place=isolated(evidence["place"]),
            last=_time(evidence, "last_at", zone),
            other=isolated(evidence["other_place"]),
        )
    )


def _burst(evidence: Mapping[str, Any], zone: ZoneInfo) -> str:
    return str(
        gettext(
            "%(count)s cards between %(first)s and %(last)s.",
            count=format_decimal(evidence["times"]),
            first=_time(evidence, "first_at", zone),
            last=_time(evidence, "last_at", zone),
        )
    )


def _quick(evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    minutes = evidence["minutes"]
    if minutes < _MINUTES:
        return str(
            ngettext(
                "The card was %(num)s minute old.",
                "The card was %(num)s minutes old.",
                max(1, minutes),
            )
        )
    return str(
        ngettext(
            "The card was %(num)s hour old.",
            "The card was %(num)s hours old.",
            math.floor(minutes / 60),
        )
    )


def _undos(evidence: Mapping[str, Any], _zone: ZoneInfo) -> str:
    if evidence.get("rewards"):
        return str(
            gettext(
                "%(count)s rewards were handed out and taken back within a week.",
                count=format_decimal(evidence["times"]),
            )
        )
    return str(
        gettext(
            "Taken back %(count)s times on one day, and given %(given)s times.",
            count=format_decimal(evidence["times"]),
            given=format_decimal(evidence["given"]),
        )
    )


_EVIDENCE: Final[Mapping[str, Callable[[Mapping[str, Any], ZoneInfo], str]]] = {
    kinds.SPENT: _spent,
    kinds.UNISSUED: _unissued,
    kinds.BY_HAND: _by_hand,
    kinds.OWN_CARD: _spent,
    kinds.OWN_PHONE: _own_phone,
    kinds.GUESSES: _guesses,
    kinds.LIMIT_MET: _limit,
    kinds.FAVOURITE: _favourite,
    kinds.AFTER_HOURS: _after_hours,
    kinds.CARD_IN_TWO_PLACES: _two_places,
    kinds.PERSON_IN_TWO_PLACES: _two_places,
    kinds.JOIN_BURST: _burst,
    kinds.QUICK_REWARD: _quick,
    kinds.MANY_UNDOS: _undos,
}
