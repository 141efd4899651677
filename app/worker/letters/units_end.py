"""The warning that stamps, points or money on a card end soon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency

from app.programme import money
from app.programme.units import Unit
from app.worker.letters import tiers
from app.worker.letters.voice import Letter, Voice


def write(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write the letter of ``app.programme.earning.warning``."""
    gettext, say = voice.gettext, voice.say
    shop, name = voice.name(voice.shop.name), facts["name"]
    told = tuple(
        say(
            gettext("%(what)s: good until %(day)s."),
            what=_what(voice, unit, int(count), facts["currency"]),
            day=voice.day(datetime.fromisoformat(end)),
        )
        for unit, count, end in facts["ends"]
    )
    return Letter(
        language=voice.language,
        subject=say(gettext("Something on your card at %(shop)s ends soon"), shop=shop),
        title=say(gettext("%(name)s, do not let it go"), name=voice.name(name))
        if name
        else gettext("Do not let it go"),
        paragraphs=(
            *told,
            gettext(
                "What ends first is used first: you lose nothing that you can use."
            ),
        ),
        url=f"{voice.origin}/card/{facts['card_id']}",
        button=gettext("Open my card"),
        hint=gettext("It opens on the phone on which you got the card."),
        reason=say(
            gettext("You get this mail because you asked %(shop)s for reminders."),
            shop=shop,
        ),
    )


def _what(voice: Voice, unit: str, count: int, currency: str) -> str:
    if unit == Unit.CENT:
        value = Decimal(money.spelled(count, currency))
        return str(format_currency(value, currency, locale=voice.language.locale))
    return tiers.units(voice, unit, count)
