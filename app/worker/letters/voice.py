"""What every letter is made of and written with: its words, and the shop's voice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app import translations
from app.programme.shop import ShopView
from app.translations import Language, speech


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
    """The words of one mail; what a letter has no need of is left out."""

    language: Language
    subject: str
    title: str
    paragraphs: tuple[str, ...]
    #: At the foot: why the reader has this mail.
    reason: str
    card: CardPicture | None = None
    #: A code to be typed, shown large.
    code: str = ""
    #: Where the one button leads, and what it says; none without.
    url: str = ""
    button: str = ""
    #: Under the button.
    hint: str = ""
    terms_title: str = ""
    #: As the shop wrote it, any number of lines; none without.
    terms: str = ""
    #: Where it can be told that no more mail of this kind is wanted; none without.
    stop_url: str = ""
    stop: str = ""


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

    def time(self, at: datetime) -> str:
        """Tell hour and minute, where the shop is."""
        zone = ZoneInfo(self.shop.timezone)
        return speech.moment("Hm", at, zone, self.language)


def together(one: str, other: str) -> str:
    """Put two sentences into one paragraph; Chinese has no space between them."""
    return one + ("" if one.endswith("\N{IDEOGRAPHIC FULL STOP}") else " ") + other
