"""The languages that Punchproof speaks, and the catalogues of their sentences.

One ``.po`` file for each language lies beside this module and is read as it is when
the language is first asked for: a tenth or two of a second, once in a process. Nothing
is compiled and kept, so a fresh clone speaks every language, no binary lies in the
repository, and no catalogue can be older than its text.

Knows no Flask and no request: pages, mail and printed sheets find the same sentences
here. English is the source and has no file. ``scripts/words.py`` keeps the files in
step with the sentences.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

#: Where the catalogues lie: ``da.po`` and so on.
DIRECTORY: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its name in CLDR (``zh_Hant``), and what its people call it."""

    locale: str
    own_name: str

    @property
    def tag(self) -> str:
        """The language as HTML and HTTP write it: ``zh-Hant``."""
        return self.locale.replace("_", "-")

    @property
    def direction(self) -> str:
        """Tell which way it is written: ``ltr`` or ``rtl``."""
        return str(Locale.parse(self.locale).text_direction)

    @property
    def dates(self) -> str:
        """The locale of its dates: British English, for the day comes first here."""
        return "en_GB" if self.locale == "en" else self.locale


#: By their own names, as a chooser lists them.
LANGUAGES: Final = (
    Language("da", "Dansk"),
    Language("et", "Eesti"),
    Language("en", "English"),
    Language("sv", "Svenska"),
    Language("he", "עברית"),
    Language("zh_Hant", "繁體中文"),
)
#: Spoken when nothing that was asked for is.
SOURCE: Final = LANGUAGES[2]

#: Tags that mean one of ours. A Norwegian reads Danish without effort; `iw` is what
#: old systems call Hebrew; Chinese without a script may be either, and ours is at hand.
_MEANT: Final = {
    "iw": "he",
    "nb": "da",
    "nn": "da",
    "no": "da",
    "zh": "zh_Hant",
    "zh-tw": "zh_Hant",
    "zh-hk": "zh_Hant",
    "zh-mo": "zh_Hant",
    "zh-hant": "zh_Hant",
}
#: Who reads simplified Chinese reads ours, but rather any language they asked for.
_RATHER_ANOTHER: Final = ("zh-hans", "zh-cn", "zh-sg", "zh-my")
_BY_LOCALE: Final = {language.locale: language for language in LANGUAGES}


def language(tag: str | None) -> Language | None:
    """Find the language that a tag means; None when it is none of ours.

    Args:
        tag: BCP 47 or CLDR, in any case: ``zh-TW``, ``da_DK``. Not trusted.
    """
    words = (tag or "").lower().replace("_", "-").split("-")
    if "-".join(words[:2]) in _RATHER_ANOTHER:
        return None
    for length in (2, 1):
        name = "-".join(words[:length])
        found = _BY_LOCALE.get(_MEANT.get(name, name))
        if found is not None:
            return found
    return None


def best(tags: Iterable[str]) -> Language | None:
    """Choose for somebody who reads several languages.

    Args:
        tags: the most wanted first.

    Returns:
        The first that is ours, None when none is.
    """
    wanted = list(tags)
    for tag in wanted:
        found = language(tag)
        if found is not None:
            return found
    reads_chinese = any(
        tag.lower().replace("_", "-").startswith(_RATHER_ANOTHER) for tag in wanted
    )
    return _BY_LOCALE["zh_Hant"] if reads_chinese else None


@cache
def catalogue(locale: str) -> NullTranslations:
    """Give a language's sentences.

    Args:
        locale: of one of ``LANGUAGES``.

    Returns:
        What turns English into it; a sentence that it lacks stays English.
    """
    path = DIRECTORY / f"{locale}.po"
    if locale == SOURCE.locale or not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        sentences = read_po(file, locale=locale, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, sentences)
    compiled.seek(0)
    return Translations(compiled)
