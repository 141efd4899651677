"""An account, played by hand: signing in, passkeys, phones, an address; and privacy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import CDPSession, Page, expect
from sqlalchemy import select

from app.programme import cards, consents, members, proofs
from app.programme.founding import Founded
from app.store.tables import Outgoing
from app.tools import Tools
from app.translations import LANGUAGES
from tests.app.web.browser.conftest import Window
from tests.app.web.browser.stage import Stage
from tests.app.web.browser.walking import STILL, check

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EMAIL = "anna@example.org"
Open = Callable[..., Window]


@pytest.fixture
def stage(own_tools: Tools, shop: Founded, open_window: Open) -> Stage:
    english = next(each for each in LANGUAGES if each.locale == "en")
    return Stage(own_tools, shop, english, None, open_window)  # type: ignore[arg-type]


def tap(page: Page, name: str) -> None:
    """Tap a button that leads to another page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def mail(tools: Tools, kind: str) -> dict[str, str]:
    """Read the newest mail of a kind, as its receiver does."""
    with tools.database.read() as tx:
        asked = select(Outgoing).where(Outgoing.kind == kind)
        newest = tx.scalars(asked.order_by(Outgoing.created_at.desc())).first()
        assert newest, f"no {kind} was written"
        return {name: str(said) for name, said in newest.facts.items()}


def finger(page: Page) -> tuple[CDPSession, str]:
    """Give a browser a screen lock that keeps passkeys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session, made["authenticatorId"]


def join(open_window: Open) -> Page:
    page = open_window("/join", **STILL).page
    page.get_by_label("What may we call you?").fill("Anna")
    page.get_by_text("Add your e-mail").click()
    page.get_by_label("Your e-mail").fill(EMAIL)
    tap(page, "Get my card")
    page.wait_for_url("**/card/*")
    return page


def sign_in_by_mail(page: Page, tools: Tools) -> None:
    """Ask for a mail, mistype, and type what is in it."""
    page.get_by_label("Your e-mail").fill(EMAIL)
    tap(page, "Send me a code")
    page.get_by_label("Six digits").fill("000 000")
    tap(page, "Sign in")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    check(page)
    page.get_by_label("Six digits").fill(mail(tools, "sign_in")["code"])
    tap(page, "Sign in")
    told = page.get_by_text("You are still signed in on another phone.")
    expect(told).to_be_visible()


def make_passkey(page: Page) -> dict[str, object]:
    """Make one where signing in offers it; gives what a phone's cloud would copy."""
    session, lock = finger(page)
    page.get_by_role("link", name="Next time without a mail: add a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    check(page)
    asked = session.send("WebAuthn.getCredentials", {"authenticatorId": lock})
    (kept,) = asked["credentials"]
    return dict(kept)


def sign_in_by_passkey(page: Page, kept: dict[str, object]) -> None:
    synced, lock = finger(page)
    synced.send("WebAuthn.addCredential", {"authenticatorId": lock, "credential": kept})
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/signed-in")
    page.get_by_role("link", name="To my card").click()


def change_the_address(page: Page, tools: Tools, open_window: Open) -> None:
    """Both mailboxes say yes: the one by its digits, the other by its link."""
    page.goto("/account/e-mail")
    expect(page.get_by_text("Confirmed", exact=True)).to_be_visible()
    page.get_by_label("New address").fill("anna@example.net")
    tap(page, "Send the mail")
    check(page)
    digits = mail(tools, "email_new")["code"]
    page.get_by_label("Code in the mail to the new address").fill(digits)
    tap(page, "Confirm")
    expect(page.get_by_text(EMAIL).first).to_be_visible()
    old = open_window(f"/e-mail/old/{mail(tools, 'email_old')['link']}", **STILL).page
    check(old)
    tap(old, "Yes, that is me")
    page.reload()
    expect(page.locator(".account__address")).to_have_text("anna@example.net")


def test_an_account_on_three_phones_with_a_passkey_and_a_new_address(
    open_window: Open, own_tools: Tools
):
    first = join(open_window)
    card = first.url
    second = open_window("/sign-in", **STILL).page
    sign_in_by_mail(second, own_tools)
    kept = make_passkey(second)
    third = open_window("/sign-in", **STILL).page
    sign_in_by_passkey(third, kept)
    third.wait_for_url(card)

    # One phone was given away, another was lost.
    third.goto("/account/devices")
    phones = third.get_by_role("listitem").filter(has_text="Last seen")
    expect(phones).to_have_count(3)
    tap(third, "Sign out all the others")
    expect(phones).to_have_count(1)
    assert first.request.get(card).status == 401
    assert second.request.get(card).status == 401

    change_the_address(third, own_tools, open_window)


def decide_about_mail(page: Page, tools: Tools, member_id: UUID) -> None:
    """Ask for mail, and by one tap in one not any more."""
    page.goto("/account/mail")
    page.get_by_label("news of the shop").check()
    tap(page, "Save")
    assert consents.given(tools, member_id) == {"news"}
    link = consents.link(tools, member_id, "news")
    page.goto("/unsubscribe/" + link.rpartition("/")[2])
    check(page)
    tap(page, "Unsubscribe")
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert consents.given(tools, member_id) == set()
    page.goto("/account/mail")
    page.get_by_text("What you said so far").click()
    expect(page.get_by_text("Taken back on")).to_be_visible()
    check(page)


def put_together(page: Page, stage: Stage) -> None:
    """Bring the three stamps of another phone's card to this one's."""
    other = stage.card(3, "Anna's tablet")
    page.goto("/account/merge")
    path = (page.locator(".merge__link").text_content() or "").partition("/merge/")[2]
    tablet = stage.phone(other, f"/merge/{path}")
    check(tablet)
    tap(tablet, "Put them together")


def take_along(page: Page, file: Path) -> str:
    page.goto("/account/data")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download my data").click()
    waiting.value.save_as(file)
    return json.dumps(json.loads(file.read_text(encoding="utf-8")))


def erase(page: Page, number: str) -> None:
    page.get_by_role("link", name="Erase my data").click()
    for digits in ("0", number[-4:]):
        page.get_by_label("Type the last four digits of your card number").fill(digits)
        tap(page, "Erase it all, for good")
    expect(page.get_by_role("heading", name="Your data is erased")).to_be_visible()
    check(page)


def test_a_person_decides_about_mail_takes_all_along_and_leaves(
    open_window: Open, own_tools: Tools, stage: Stage, tmp_path: Path
):
    page = join(open_window)
    card_id = UUID(page.url.rpartition("/")[2])
    mine = cards.card(own_tools, card_id)
    stage.give(card_id, 4)

    decide_about_mail(page, own_tools, mine.member_id)
    put_together(page, stage)
    assert cards.card(own_tools, card_id).stamps == 7
    assert EMAIL in take_along(page, tmp_path / "mine.json")

    erase(page, mine.number)
    assert members.member(own_tools, mine.member_id).email is None
    assert proofs.prove(own_tools).findings == ()
