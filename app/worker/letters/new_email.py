"""A change of address: what the new mailbox reads, and what the old one does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.worker.letters.voice import Letter, Voice


def write(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write to the new address."""
    gettext, say, shop = voice.gettext, voice.say, voice.name(voice.shop.name)
    return Letter(
        language=voice.language,
        subject=say(gettext("Confirm your address at %(shop)s"), shop=shop),
        title=gettext("Is this your address?"),
        paragraphs=(
            say(
                gettext("Type this code in your account, until %(time)s."),
                time=voice.time(datetime.fromisoformat(facts["until"])),
            ),
        ),
        code=str(facts["code"]),
        url=f"{voice.origin}/e-mail/new/{facts['link']}",
        button=gettext("Confirm this address"),
        hint=gettext("The button does the same, for three days."),
        reason=say(
            gettext(
                "You get this mail because this address was given for a card at "
                "%(shop)s. If that was not you, there is nothing to do."
            ),
            shop=shop,
        ),
    )


def write_to_old(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write to the address that is to be left."""
    gettext, say, shop = voice.gettext, voice.say, voice.name(voice.shop.name)
    return Letter(
        language=voice.language,
        subject=say(gettext("Your address at %(shop)s is to change"), shop=shop),
        title=gettext("Is that you?"),
        paragraphs=(
            say(
                gettext("Your card at %(shop)s is to have another address: %(email)s."),
                shop=shop,
                email=voice.name(facts["new_email"]),
            ),
            gettext(
                "Say yes if you want that. If it was not you, stop it, and sign out "
                "your other phones in your account."
            ),
        ),
        url=f"{voice.origin}/e-mail/old/{facts['link']}",
        button=gettext("Yes or no"),
        hint=gettext("Without your yes nothing changes."),
        reason=say(
            gettext(
                "You get this mail because this is the address of your card at "
                "%(shop)s."
            ),
            shop=shop,
        ),
    )
