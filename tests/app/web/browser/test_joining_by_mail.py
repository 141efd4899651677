"""Joining with an e-mail address, on a phone: folded away, told beside the field."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app import translations
from app.programme.founding import Founded
from app.store.tables import Outgoing
from app.tools import Tools
from app.translations import LANGUAGES, Language
from tests.app.web.browser.conftest import Window
from tests.app.web.browser.walking import STILL, check

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BOTH = [each for each in LANGUAGES if each.locale in {"en", "he"}]


@pytest.mark.parametrize(
    "language",
    [
        pytest.param(
            each, id=each.tag, marks=() if each.tag == "en" else pytest.mark.long
        )
        for each in BOTH
    ],
)
def test_an_address_is_asked_for_quietly_and_told_right_or_wrong(
    open_window: Callable[..., Window],
    own_tools: Tools,
    shop: Founded,
    language: Language,
):
    def said(english: str) -> str:
        return translations.catalogue(language.locale).gettext(english)

    page = open_window("/join", locale=language.tag, **STILL).page
    field = page.get_by_label(said("Your e-mail"))
    # given the field out of the way until somebody wants it, by keyboard too
    expect(field).to_be_hidden()
    page.get_by_text(said("Add your e-mail")).focus()
    page.keyboard.press("Enter")
    expect(field).to_be_visible()
    check(page)

    # when a slip of the finger is sent, then the page says so beside the field
    field.fill("anna@example")
    page.get_by_role("button", name=said("Get my card")).click()
    expect(page.get_by_text(said("That is not an e-mail address."))).to_be_visible()
    expect(field).to_have_value("anna@example")
    expect(field).to_have_attribute("aria-invalid", "true")
    check(page)

    # when it is right, then there is a card, and a mail on its way
    field.fill("anna@example.org")
    page.get_by_role("button", name=said("Get my card")).click()
    page.wait_for_url("**/card/*")
    with own_tools.database.read() as tx:
        (mail,) = tx.scalars(select(Outgoing))
    assert (mail.address, mail.locale) == ("anna@example.org", language.tag)
