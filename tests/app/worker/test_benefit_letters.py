"""Letters about tiers and memberships are written in the member's language."""

from __future__ import annotations

import dataclasses

import pytest

from app.programme.plans import rounds
from app.programme.tiers import telling
from app.translations import LANGUAGES, Language
from app.worker import letters
from tests.app.worker.test_envelopes import MAIL, ORIGIN, SHOP

CARD = {"name": "Anna", "card": "00000000-0000-0000-0000-000000000001"}
PLAN = {
    "plan": "Plus",
    "until_at": "2026-12-24T22:59:59+00:00",
    "price": 4500,
    "currency": "EUR",
    "period_months": 12,
}
KINDS = {
    telling.CHANGED: {
        "tier": "Gold",
        "was": None,
        "is_up": True,
        "until": "2026-12-24",
        "benefits": ["A seat"],
        "boost_percent": 50,
    },
    telling.ENDS: {
        "tier": "Gold",
        "until": "2026-12-24",
        "ends": "2027-01-07",
        "unit": "stamp",
        "keep": 3,
    },
    rounds.ENDS: PLAN,
    rounds.ENDED: PLAN,
}


def told(kind: str, locale: str) -> str:
    facts = CARD | KINDS[kind]
    mail = dataclasses.replace(MAIL, kind=kind, locale=locale, facts=facts)
    letter = letters.letter(mail, SHOP, ORIGIN)
    assert letter.language.tag == locale
    return "\n".join((letter.subject, letter.title, *letter.paragraphs, letter.reason))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
def test_each_letter_speaks_the_members_language(language: Language, kind: str):
    said = told(kind, language.tag)

    assert ("Gold" if "tier" in kind else "Plus") in said
    assert SHOP.name in said
    assert "%(" not in said
    if language.tag != "en":
        # The shop wrote its benefits itself.
        same = set(said.split("\n")) & set(told(kind, "en").split("\n"))
        assert same <= {"A seat"}
