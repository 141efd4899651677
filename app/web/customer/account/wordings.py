"""The sentences by which consent is asked, and which of them a form was shown with.

Each kind is asked by a sentence of its own; what is kept is that sentence, in the
language in which it was read. ``VERSION`` rises whenever a sentence comes to mean
something else: a form that was shown before is shown again. A test holds the sentences
to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from flask_babel import force_locale, gettext, lazy_gettext

from app import translations
from app.programme import shop as shops
from app.programme.consents import KINDS, Choice, Wording
from app.web.shared import access, languages

VERSION: Final = 1
#: A word for each kind, and how its sentence ends.
_WORDS: Final[Mapping[str, tuple[Any, Any]]] = {
    "news": (lazy_gettext("News"), lazy_gettext("news of the shop")),
    "offers": (lazy_gettext("Offers"), lazy_gettext("offers that fit what I buy")),
    "reminders": (
        lazy_gettext("Reminders"),
        lazy_gettext("a reminder before stamps or vouchers end"),
    ),
    "birthday": (lazy_gettext("Birthday"), lazy_gettext("a greeting on my birthday")),
    "feedback": (
        lazy_gettext("Feedback"),
        lazy_gettext("a question now and then: how was it?"),
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind as a form asks it."""

    kind: str
    ends: str
    is_given: bool


@dataclass(frozen=True, slots=True)
class Question:
    """All kinds, and the words that they are asked by."""

    begins: str
    rows: tuple[Asked, ...]
    language: str
    version: int


def question(given: Iterable[str] = ()) -> Question:
    """Ask of every kind, in the language of this request.

    Args:
        given: the kinds that are wanted now; never ticked by us.
    """
    wanted = frozenset(given)
    return Question(
        _begins(),
        tuple(Asked(kind, str(_WORDS[kind][1]), kind in wanted) for kind in KINDS),
        languages.spoken().tag,
        VERSION,
    )


def title(kind: str) -> str:
    """Name a kind in a word."""
    return str(_WORDS[kind][0])


def wording(kind: str) -> Wording:
    """Write the sentence of a kind as this request's page shows it."""
    sentence = f"{_begins()} {_WORDS[kind][1]}"
    return Wording(sentence, languages.spoken().tag, VERSION)


def ticked() -> frozenset[str]:
    """Read which kinds are ticked in the form that was sent."""
    return frozenset(request.form.getlist("wants")) & frozenset(KINDS)


def is_shown() -> bool:
    """Tell whether the form was shown with the sentences of now."""
    version = request.form.get("wording_version", type=int)
    return version == VERSION and _language_of_form() is not None


def choices(*, only_given: bool = False) -> list[Choice]:
    """Read what the form says, with the sentences that it was shown with.

    Args:
        only_given: leave out what is not ticked, as where nothing was said before.
    """
    language, wanted = _language_of_form(), ticked()
    if not is_shown() or language is None:
        return []
    with force_locale(language.locale):
        return [
            Choice(
                kind,
                kind in wanted,
                Wording(f"{_begins()} {_WORDS[kind][1]}", language.tag, VERSION),
            )
            for kind in KINDS
            if kind in wanted or not only_given
        ]


def _language_of_form() -> translations.Language | None:
    return translations.language(request.form.get("wording_language"))


def _begins() -> str:
    shop = shops.shop(access.tools()).name
    return str(gettext("%(shop)s may e-mail me:", shop=shop))
