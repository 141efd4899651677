"""The way in on another phone: six digits, and a link that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.worker.letters.voice import Letter, Voice


def write(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write the letter of ``app.programme.account.sign_in``."""
    gettext, say, shop = voice.gettext, voice.say, voice.name(voice.shop.name)
    return Letter(
        language=voice.language,
        subject=say(gettext("Sign in at %(shop)s"), shop=shop),
        title=gettext("Your code"),
        paragraphs=(
            say(
                gettext(
                    "Type it on the page that asked for it. It is good until "
                    "%(time)s, once."
                ),
                time=voice.time(datetime.fromisoformat(facts["until"])),
            ),
            gettext("Nobody at the shop will ever ask you for it."),
        ),
        code=str(facts["code"]),
        url=f"{voice.origin}/sign-in/mail/{facts['link']}",
        button=gettext("Sign in"),
        hint=gettext("The button does the same, on the phone on which you tap it."),
        reason=say(
            gettext(
                "You get this mail because somebody typed this address to open a card "
                "at %(shop)s. If that was not you, there is nothing to do."
            ),
            shop=shop,
        ),
    )


def write_unknown(voice: Voice, _facts: Mapping[str, Any]) -> Letter:
    """Write the letter to an address that nobody has."""
    gettext, say, shop = voice.gettext, voice.say, voice.name(voice.shop.name)
    return Letter(
        language=voice.language,
        subject=say(gettext("No card with this address at %(shop)s"), shop=shop),
        title=gettext("No card with this address"),
        paragraphs=(
            gettext(
                "Somebody wanted to sign in with it, but no card has it. If it was "
                "you, try another address of yours, or get a new card."
            ),
        ),
        url=f"{voice.origin}/join",
        button=gettext("Get my card"),
        reason=say(
            gettext(
                "You get this mail because somebody typed this address to open a card "
                "at %(shop)s. If that was not you, there is nothing to do."
            ),
            shop=shop,
        ),
    )
