"""Mails about tiers: reached or lost, and soon over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from babel.dates import format_date

from app.programme.units import Unit
from app.worker.letters.voice import Letter, Voice


def changed(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Tell that a card has another tier, or none any more."""
    gettext, say = voice.gettext, voice.say
    shop, tier = voice.name(voice.shop.name), facts["tier"]
    if facts["is_up"]:
        title = say(gettext("You are %(tier)s now"), tier=voice.name(tier))
        paragraphs = _gives(voice, facts)
    elif tier:
        title = say(gettext("Your tier is %(tier)s now"), tier=voice.name(tier))
        paragraphs = [_over(voice, facts)] if facts["was"] else []
    else:
        title = say(gettext("Your time as %(tier)s is over"), tier=_was(voice, facts))
        paragraphs = [
            gettext("Your stamps and points stay as they are. You can reach it again.")
        ]
    if tier and facts["until"]:
        until = day(voice, facts["until"])
        paragraphs.append(say(gettext("It is yours until %(day)s."), day=until))
    return led(
        voice,
        facts,
        Letter(
            language=voice.language,
            subject=say(gettext("%(title)s · %(shop)s"), title=title, shop=shop),
            title=title,
            paragraphs=tuple(paragraphs),
            reason=_reason(voice),
        ),
    )


def ends(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Tell that a tier is over soon, and what keeps it."""
    gettext, say = voice.gettext, voice.say
    tier, until = voice.name(facts["tier"]), day(voice, facts["until"])
    title = say(gettext("%(tier)s until %(day)s"), tier=tier, day=until)
    paragraphs = []
    if facts["keep"]:
        most = units(voice, facts["unit"], int(facts["keep"]))
        paragraphs.append(
            say(gettext("With %(units)s more by then you keep it."), units=most)
        )
    if facts["ends"] != facts["until"]:
        last = day(voice, facts["ends"])
        paragraphs.append(
            say(gettext("It stays yours until %(day)s to make up for it."), day=last)
        )
    return led(
        voice,
        facts,
        Letter(
            language=voice.language,
            subject=say(
                gettext("%(title)s · %(shop)s"),
                title=title,
                shop=voice.name(voice.shop.name),
            ),
            title=title,
            paragraphs=tuple(paragraphs),
            reason=_reason(voice),
        ),
    )


def led(voice: Voice, facts: Mapping[str, Any], letter: Letter) -> Letter:
    """Let a letter lead to the card that it is about."""
    return replace(
        letter,
        url=f"{voice.origin}/card/{facts['card']}",
        button=voice.gettext("Open my card"),
        hint=voice.gettext("It opens on the phone on which you got the card."),
    )


def day(voice: Voice, told: str) -> str:
    """Tell a day of the shop's calendar, which no zone moves."""
    return format_date(date.fromisoformat(told), "long", locale=voice.language.dates)


def _gives(voice: Voice, facts: Mapping[str, Any]) -> list[str]:
    found = []
    if facts["boost_percent"]:
        found.append(
            voice.say(
                voice.gettext(
                    "From now on you get %(percent)s %% more on all you earn."
                ),
                percent=facts["boost_percent"],
            )
        )
    return [*found, *map(voice.name, facts["benefits"])]


def _over(voice: Voice, facts: Mapping[str, Any]) -> str:
    return voice.say(
        voice.gettext("Your time as %(tier)s is over"), tier=_was(voice, facts)
    )


def _was(voice: Voice, facts: Mapping[str, Any]) -> str:
    return voice.name(facts["was"] or "")


def units(voice: Voice, unit: str, count: int) -> str:
    """Say how many stamps or points."""
    if unit == Unit.POINT:
        told = voice.ngettext("%(num)s point", "%(num)s points", count)
    else:
        told = voice.ngettext("%(num)s stamp", "%(num)s stamps", count)
    return voice.say(told, num=count)


def _reason(voice: Voice) -> str:
    return voice.say(
        voice.gettext(
            "You get this mail because you have a card at %(shop)s, whose tier changes."
        ),
        shop=voice.name(voice.shop.name),
    )
