"""A change of what a programme promises: announced, at once, or called back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.translations import changes
from app.translations.changes import Change, Promised
from app.worker.letters.voice import CardPicture, Letter, Voice


class _Words:
    """The voice of the mail, for the sentences that pages say too."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self.gettext, self.ngettext = voice.gettext, voice.ngettext

    def name(self, name: object) -> str:
        return self._voice.name(name)

    def on(self, at: datetime) -> str:
        return self._voice.day(at)


def write(voice: Voice, facts: Mapping[str, Any]) -> Letter:
    """Write the letter of ``app.programme.terms.telling``."""
    gettext, say = voice.gettext, voice.say
    words, shop = _Words(voice), voice.name(voice.shop.name)
    change = Change(
        Promised(**facts["present"]),
        Promised(**facts["coming"]),
        datetime.fromisoformat(facts["effective_at"]),
        facts["has_new_terms"],
        facts["is_gain"],
    )
    is_off, number = facts["is_called_back"], str(facts["number"])
    shown = change.before if is_off else change.after
    return Letter(
        language=voice.language,
        subject=say(
            gettext("Your stamp card at %(shop)s stays as it is")
            if is_off
            else gettext("Your stamp card at %(shop)s changes"),
            shop=shop,
        ),
        title=gettext("The change is called off")
        if is_off
        else gettext("What changes on your card"),
        paragraphs=_called_back(voice, words, change)
        if is_off
        else _announced(words, change, facts["says"]),
        card=CardPicture(
            programme=voice.name(facts["programme"]),
            offer=changes.promise(words, shown),
            required=shown.stamps_required,
            number_label=gettext("Card number"),
            number=f"{number[:4]} {number[4:]}",
        ),
        url=f"{voice.origin}/card",
        button=gettext("Open my card"),
        hint=gettext("It opens on the phone on which you got the card."),
        terms_title=gettext("The terms"),
        terms=(
            facts["terms"]
            or gettext("Show your code at each visit. A full card becomes a voucher.")
        )
        if change.has_new_terms and not is_off
        else "",
        reason=say(
            gettext(
                "You get this mail because you have a card at %(shop)s, and what a "
                "card promises is told before it changes."
            ),
            shop=shop,
        ),
    )


def _announced(words: _Words, change: Change, says: str) -> tuple[str, ...]:
    told = tuple(changes.sentences(words, change))
    return (*told, says) if says else told


def _called_back(voice: Voice, words: _Words, change: Change) -> tuple[str, ...]:
    told = voice.say(
        voice.gettext(
            "The change that was announced for %(day)s does not come. All stays as it "
            "is: %(promise)s"
        ),
        day=words.on(change.effective_at),
        promise=changes.promise(words, change.before),
    )
    return (told,)
