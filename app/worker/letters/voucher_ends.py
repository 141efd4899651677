"""The warning that a voucher ends soon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.worker.letters.voice import Letter, Voice


def write(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write the letter of ``app.programme.rewards.warning``."""
    gettext, say = voice.gettext, voice.say
    shop, reward = voice.name(voice.shop.name), voice.name(facts["reward"])
    day = voice.day(datetime.fromisoformat(facts["ends_at"]))
    name = facts["name"]
    return Letter(
        language=voice.language,
        subject=say(gettext("Your voucher at %(shop)s ends soon"), shop=shop),
        title=say(gettext("%(name)s, do not let it go"), name=voice.name(name))
        if name
        else gettext("Do not let it go"),
        paragraphs=(
            say(
                gettext("You have a voucher: %(reward)s. It is good until %(day)s."),
                reward=reward,
                day=day,
            ),
            gettext("Open your card and tap “Use now” at the till."),
        ),
        url=f"{voice.origin}/card",
        button=gettext("Open my card"),
        hint=gettext("It opens on the phone on which you got the card."),
        reason=say(
            gettext("You get this mail because you asked %(shop)s for reminders."),
            shop=shop,
        ),
    )
