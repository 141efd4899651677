"""Mails about a paid membership: it ends soon, it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency

from app.programme import money
from app.worker.letters.tiers import led
from app.worker.letters.voice import Letter, Voice


def ends(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Remind that a paid period ends."""
    gettext, say = voice.gettext, voice.say
    plan = voice.name(facts["plan"])
    until = voice.day(datetime.fromisoformat(facts["until_at"]))
    value = Decimal(money.spelled(int(facts["price"]), facts["currency"]))
    price = format_currency(value, facts["currency"], locale=voice.language.locale)
    title = say(gettext("%(plan)s is paid until %(day)s"), plan=plan, day=until)
    return _letter(
        voice,
        facts,
        title,
        say(
            gettext(
                "Nothing is taken by itself. To go on, pay %(price)s at the till "
                "before then; the next period follows this one."
            ),
            price=price,
        ),
        gettext("The card's page says what it gave you, and whether it pays."),
    )


def ended(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Tell that a paid period has ended."""
    gettext, say = voice.gettext, voice.say
    plan = voice.name(facts["plan"])
    return _letter(
        voice,
        facts,
        say(gettext("Your time with %(plan)s is over"), plan=plan),
        gettext("You keep what it gave you, and your card goes on without it."),
        gettext("You can take it again at the till, whenever you like."),
    )


def _letter(
    voice: Voice, facts: Mapping[str, Any], title: str, *paragraphs: str
) -> Letter:
    shop = voice.name(voice.shop.name)
    reason = voice.gettext(
        "You get this mail because a membership at %(shop)s was paid for your card."
    )
    return led(
        voice,
        facts,
        Letter(
            language=voice.language,
            subject=voice.say(
                voice.gettext("%(title)s · %(shop)s"), title=title, shop=shop
            ),
            title=title,
            paragraphs=paragraphs,
            reason=voice.say(reason, shop=shop),
        ),
    )
