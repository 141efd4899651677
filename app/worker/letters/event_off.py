"""The mail that an event is called off, to everybody who had a place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.worker.letters.voice import Letter, Voice


def write(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write the letter of ``app.programme.rewards.calling_off``."""
    gettext, say = voice.gettext, voice.say
    title = say(gettext("%(event)s is called off"), event=voice.name(facts["event"]))
    day = voice.day(datetime.fromisoformat(facts["starts_at"]))
    paragraphs = [
        say(gettext("It was to be on %(day)s. We are sorry."), day=day),
        say(gettext("Why: %(reason)s"), reason=voice.name(facts["reason"])),
    ]
    if facts["is_paid"]:
        paragraphs.append(gettext("What your place cost is on your card again."))
    return Letter(
        language=voice.language,
        subject=say(
            gettext("%(title)s · %(shop)s"),
            title=title,
            shop=voice.name(voice.shop.name),
        ),
        title=title,
        paragraphs=tuple(paragraphs),
        url=f"{voice.origin}/card/{facts['card_id']}",
        button=gettext("Open my card"),
        hint=gettext("It opens on the phone on which you got the card."),
        reason=gettext("You get this mail because you had a place."),
    )
