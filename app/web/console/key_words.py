"""Keys, alarms and ceremonies in words that a shop's owner reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_babel import gettext, lazy_gettext, ngettext

from app.programme.alarms import Alarm
from app.programme.key_history import Ceremony
from app.web.console.lines import isolated, when
from signing.keyring import KeyState


@dataclass(frozen=True, slots=True)
class State:
    """What a key's state means."""

    title: Any
    #: Colour of its chip: ``given``, ``waiting``, ``refused`` or none.
    tone: str
    #: One sentence.
    meaning: Any


@dataclass(frozen=True, slots=True)
class ToldAlarm:
    """An alarm as a person reads it."""

    code: str
    #: ``refused`` or ``waiting``: the colour of its notice.
    tone: str
    sentence: str
    #: What to do next.
    advice: str
    #: What to type for that.
    command: str
    since: datetime
    when: str


@dataclass(frozen=True, slots=True)
class ToldCeremony:
    """One step with the keys."""

    title: str
    facts: tuple[str, ...]
    tone: str
    at: datetime
    when: str


STATES: Final[Mapping[KeyState, State]] = {
    KeyState.PENDING: State(
        lazy_gettext("Not used yet"),
        "waiting",
        lazy_gettext("It can be verified already, and does not sign yet."),
    ),
    KeyState.ACTIVE: State(
        lazy_gettext("Signs now"),
        "given",
        lazy_gettext("Every new code is signed with it."),
    ),
    KeyState.VERIFY_ONLY: State(
        lazy_gettext("Still verified"),
        "",
        lazy_gettext("It signs no more; codes it signed are good until they run out."),
    ),
    KeyState.RETIRED: State(lazy_gettext("Retired"), "", ""),
    KeyState.REVOKED: State(
        lazy_gettext("Revoked"),
        "refused",
        lazy_gettext("Its codes are refused, and the phone shows a fresh one."),
    ),
}


def told_alarms(
    alarms: Sequence[Alarm], *, zone: ZoneInfo, now: datetime
) -> list[ToldAlarm]:
    """Put alarms into words.

    Args:
        alarms: the gravest first.
        zone: the shop's.
        now: aware; days are told from it ("yesterday").
    """
    told = []
    for alarm in alarms:
        sentence, advice, command = ALARMS[alarm.code](alarm)
        told.append(
            ToldAlarm(
                code=alarm.code,
                tone="refused" if alarm.severity == "critical" else "waiting",
                sentence=sentence,
                advice=advice,
                command=command,
                since=alarm.since,
                when=when(alarm.since, zone=zone, now=now),
            )
        )
    return told


def told_ceremony(ceremony: Ceremony, *, zone: ZoneInfo, now: datetime) -> ToldCeremony:
    """Put a ceremony into words; one that is not known here by its stable word."""
    title = CEREMONIES.get(ceremony.action)
    words = (
        title % {"key": ceremony.subject}
        if title is not None
        else f"{ceremony.action} {ceremony.subject}"
    )
    reason = ceremony.detail.get("reason")
    who = ceremony.by or gettext("by a command")
    return ToldCeremony(
        title=str(words),
        facts=tuple(isolated(str(fact)) for fact in (who, reason) if fact),
        tone="alarm" if ceremony.action == "key.revoked" else "plain",
        at=ceremony.at,
        when=when(ceremony.at, zone=zone, now=now),
    )


CEREMONIES: Final[Mapping[str, Any]] = {
    "key.created": lazy_gettext("Key %(key)s was made"),
    "key.secret_created": lazy_gettext("A secret was made beside key %(key)s"),
    "key.activated": lazy_gettext("Key %(key)s was put in charge"),
    "key.retired": lazy_gettext("Key %(key)s was retired"),
    "key.secrets_dropped": lazy_gettext("Old secrets were dropped"),
    "key.revoked": lazy_gettext("Key %(key)s was revoked"),
    "key.secret_replaced": lazy_gettext("The secret beside key %(key)s was replaced"),
    "key.exported": lazy_gettext("The keys were copied to a sealed file"),
    "key.imported": lazy_gettext("The keys were put back from a sealed file"),
    "key.resealed": lazy_gettext("The passphrase was changed"),
    "key.renewed": lazy_gettext("All keys were made anew"),
}

_ROTATE: Final = "scripts/rotate_keys.py --apply"
_CHECK: Final = "scripts/keys.py check"

_Words = tuple[str, str, str]


def _no_active_key(_alarm: Alarm) -> _Words:
    return (
        gettext("No key signs: no phone can show a code."),
        gettext("Put a new key in charge:"),
        _ROTATE,
    )


def _unissued_code(alarm: Alarm) -> _Words:
    key, count = alarm.facts["key_id"], alarm.facts["count"]
    return (
        ngettext(
            "A code with the good signature of key %(key)s was shown that we never "
            "made. The key may be stolen.",
            "%(num)s codes with the good signature of key %(key)s were shown that we "
            "never made. The key may be stolen.",
            count,
            key=key,
        ),
        gettext("Call the key back; phones show a fresh code by themselves:"),
        f"scripts/keys.py revoke {key} --since MOMENT --reason WHY --apply",
    )


def _ring_refused(alarm: Alarm) -> _Words:
    return (
        ngettext(
            "%(num)s of %(of)s web workers can't read the keys on the disk and goes "
            "on with those it had: %(problem)s.",
            "%(num)s of %(of)s web workers can't read the keys on the disk and go on "
            "with those they had: %(problem)s.",
            alarm.facts["count"],
            of=alarm.facts["of"],
            problem=isolated(alarm.facts["problem"]),
        ),
        gettext("Stamps go on. See what is wrong:"),
        _CHECK,
    )


def _worker_behind(alarm: Alarm) -> _Words:
    return (
        ngettext(
            "%(num)s of %(of)s web workers has other keys than the newest: %(names)s.",
            "%(num)s of %(of)s web workers have other keys than the newest: %(names)s.",
            alarm.facts["count"],
            of=alarm.facts["of"],
            names=isolated(alarm.facts["workers"]),
        ),
        gettext("Compare the directories that hold the keys on each machine:"),
        _CHECK,
    )


def _key_age(alarm: Alarm) -> _Words:
    return (
        ngettext(
            "Key %(key)s has signed for %(num)s day.",
            "Key %(key)s has signed for %(num)s days.",
            alarm.facts["days"],
            key=alarm.facts["key_id"],
        ),
        gettext("Put a new one in charge; nobody notices:"),
        _ROTATE,
    )


#: A test holds these to the codes of ``app.programme.alarms``.
ALARMS: Final[Mapping[str, Callable[[Alarm], _Words]]] = {
    "no_active_key": _no_active_key,
    "unissued_code": _unissued_code,
    "ring_refused": _ring_refused,
    "worker_behind": _worker_behind,
    "key_age": _key_age,
}
