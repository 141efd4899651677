"""The welcome: what the card is, how it is used, and what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.worker.letters.voice import CardPicture, Letter, Voice, together


def write(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write the letter of ``app.programme.welcome``."""
    gettext, ngettext, say = voice.gettext, voice.ngettext, voice.say
    shop, required = voice.name(voice.shop.name), int(facts["stamps_required"])
    name, number = facts["name"], str(facts["number"])
    offer = say(
        ngettext(
            "One stamp, then: %(reward)s.",
            "%(num)s stamps, then: %(reward)s.",
            required,
        ),
        num=required,
        reward=voice.name(facts["reward"]),
    )
    opened_on = voice.day(datetime.fromisoformat(facts["opened_at"]))
    return Letter(
        language=voice.language,
        subject=say(gettext("Your stamp card at %(shop)s"), shop=shop),
        title=say(gettext("Welcome, %(name)s"), name=voice.name(name))
        if name
        else gettext("Welcome"),
        paragraphs=(
            together(
                say(gettext("This is your stamp card at %(shop)s."), shop=shop), offer
            ),
            gettext(
                "Open the card on your phone and show its code each time you pay. "
                "The stamp falls by itself, and a full card becomes a voucher."
            ),
            *_promise(voice, facts.get("voucher_days")),
        ),
        card=CardPicture(
            programme=voice.name(facts["programme"]),
            offer=offer,
            required=required,
            number_label=gettext("Card number"),
            number=f"{number[:4]} {number[4:]}",
        ),
        url=f"{voice.origin}/card",
        button=gettext("Open my card"),
        hint=gettext(
            "It opens on the phone on which you got the card. On another phone, sign "
            "in there with this address."
        ),
        terms_title=gettext("The terms"),
        terms=facts["terms"]
        or gettext("Show your code at each visit. A full card becomes a voucher."),
        reason=say(
            gettext(
                "You get this mail because this address was given for a card at "
                "%(shop)s on %(day)s. If that was not you, there is nothing to do."
            ),
            shop=shop,
            day=opened_on,
        ),
    )


def _promise(voice: Voice, days: int | None) -> tuple[str, ...]:
    """Say for how long a voucher is good, as the pages do; nothing if it has no end."""
    if days is None:
        return ()
    told = voice.ngettext(
        "A voucher is good until the end of the day after you earn it.",
        "A voucher is good for %(num)s days after the day on which you earn it.",
        days,
    )
    return (voice.say(told, num=days),)
