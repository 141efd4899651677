"""What each kind of mail says, in the language of whoever reads it.

A letter is words only. ``envelopes`` lays them out, once as plain text and once as
HTML, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app import translations
from app.programme import welcome
from app.programme.shop import ShopView
from app.store.outbox import Waiting
from app.translations import SOURCE, Language, speech


class UnknownKind(Exception):
    """A mail of a kind that this worker does not know; a newer one may."""


@dataclass(frozen=True, slots=True)
class CardPicture:
    """The card as a mail draws it."""

    programme: str
    offer: str
    required: int
    number_label: str
    number: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of one mail."""

    language: Language
    subject: str
    title: str
    paragraphs: tuple[str, ...]
    card: CardPicture
    #: Where the one button leads, and what it says.
    url: str
    button: str
    #: Under the button.
    hint: str
    terms_title: str
    #: As the shop wrote it, any number of lines.
    terms: str
    #: At the foot: why the reader has this mail.
    reason: str


@dataclass(frozen=True, slots=True)
class Voice:
    """One language, and the shop that speaks: what every letter is written with."""

    language: Language
    shop: ShopView
    origin: str

    def say(self, sentence: str, **facts: object) -> str:
        """Put facts into a sentence that is translated already."""
        return sentence % facts

    def gettext(self, sentence: str) -> str:
        """Translate a sentence."""
        return str(translations.catalogue(self.language.locale).gettext(sentence))

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Translate a sentence that counts."""
        found = translations.catalogue(self.language.locale)
        return str(found.ngettext(one, many, number))

    def name(self, name: object) -> str:
        """Keep a name from turning its sentence; one line, whatever the books hold."""
        plain = " ".join(str(name).split())
        return speech.isolated(plain, self.language.direction)

    def day(self, at: datetime) -> str:
        """Tell a day with its year, where the shop is."""
        zone = ZoneInfo(self.shop.timezone)
        return speech.moment("yMMMd", at, zone, self.language)


def letter(mail: Waiting, shop: ShopView, origin: str) -> Letter:
    """Write the letter of a mail.

    Args:
        mail: its kind, facts and language.
        shop: whose it is, as it is now.
        origin: of the pages that it leads to.

    Raises:
        UnknownKind: we know no such mail.
    """
    write = _WRITERS.get(mail.kind)
    if write is None:
        raise UnknownKind(mail.kind)
    language = translations.language(mail.locale) or SOURCE
    return write(Voice(language, shop, origin), mail.facts)


def _welcome(voice: Voice, facts: Mapping[str, Any]) -> Letter:
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
            _together(
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
        hint=gettext("It opens on the phone on which you got the card."),
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


def _together(one: str, other: str) -> str:
    """Put two sentences into one paragraph; Chinese has no space between them."""
    return one + ("" if one.endswith("\N{IDEOGRAPHIC FULL STOP}") else " ") + other


_WRITERS: Final[Mapping[str, Callable[[Voice, Mapping[str, Any]], Letter]]] = {
    welcome.KIND: _welcome,
}

#: The kinds of mail that we know.
KINDS: Final = frozenset(_WRITERS)
