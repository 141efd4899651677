"""The account's pages, with Flask's client: details, mail, devices, signing in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.programme import members
from app.programme.account import asked, details
from app.programme.sessions import ConsoleCaller
from app.store.tables import Outgoing
from app.translations import LANGUAGES

ANNA = "anna@example.org"


@pytest.fixture
def facts_of(tools):
    """What the newest mail of a kind says."""

    def newest(kind: str) -> dict[str, str]:
        with tools.database.read() as tx:
            found = tx.scalars(
                select(Outgoing)
                .where(Outgoing.kind == kind)
                .order_by(Outgoing.created_at.desc())
            ).first()
        assert found, kind
        return dict(found.facts)

    return newest


@pytest.fixture
def member(tools, founded):
    return members.join(tools, name="Anna", email=ANNA)


def sign_in(phone, facts_of) -> None:
    phone.submit("/sign-in", "/sign-in", email=ANNA)
    code = facts_of("sign_in")["code"]
    done = phone.submit("/sign-in/code", "/sign-in/code", code=code)
    assert done.headers["Location"] == "/signed-in"


def test_the_card_leads_to_the_account_and_back(anna):
    phone, card_id = anna

    assert 'href="/account"' in phone.get(f"/card/{card_id}").text
    page = phone.get("/account")
    assert page.status_code == 200
    for path in re.findall(r'class="list__row" href="([^"]+)"', page.text):
        assert phone.get(path).status_code == 200, path
    assert 'href="/card"' in page.text


@pytest.mark.parametrize(
    "path",
    ["", "/details", "/e-mail", "/devices", "/passkeys"],
)
def test_a_stranger_has_no_account(phone, path):
    assert phone.get(f"/account{path}").status_code == 401


def test_details_are_shown_and_changed(anna, tools):
    phone, _ = anna
    typed = {
        "name": "Anne",
        "phone": "+45 12345678",
        "address": "Nyhavn 1",
        "birthday": "1990-05-01",
        "language": "da",
    }

    saved = phone.submit("/account/details", "/account/details", **typed)

    assert saved.status_code == 303
    page = phone.get("/account/details").text
    for shown in ("Anne", "+45 12345678", "Nyhavn 1", "1990-05-01", 'lang="da"'):
        assert shown in page
    assert "Medlemsnummer" in page


def test_what_makes_no_sense_is_refused_at_the_field(anna):
    phone, _ = anna

    page = phone.submit(
        "/account/details",
        "/account/details",
        name="x" * 61,
        phone="call me",
        birthday="2999-01-01",
    )

    assert page.status_code == 422
    assert "That is not a phone number." in page.text
    assert "That is not a day in the past." in page.text
    assert "That is too long." in page.text
    assert 'value="call me"' in page.text


def test_a_new_phone_signs_in_by_the_code_and_signs_the_lost_one_out(
    make_phone, member, facts_of
):
    lost, new = make_phone(), make_phone()
    lost.hold(member.token)
    assert lost.get("/account").status_code == 200

    sign_in(new, facts_of)
    page = new.get("/signed-in").text
    assert "Lost a phone?" in page
    new.submit("/signed-in", "/account/devices/sign-out-others")

    assert lost.get("/account").status_code == 401
    assert "One other phone was signed out." in new.get("/account/devices").text


def test_opening_the_link_spends_nothing_and_its_button_signs_in(
    make_phone, member, facts_of
):
    asking, opening = make_phone(), make_phone()
    asking.submit("/sign-in", "/sign-in", email=ANNA)
    path = f"/sign-in/mail/{facts_of('sign_in')['link']}"

    for _ in range(3):
        assert make_phone().get(path).status_code == 200
    assert opening.submit(path, path).headers["Location"] == "/signed-in"

    assert opening.get("/account").status_code == 200
    again = make_phone()
    assert again.get(path).status_code == 410
    assert again.submit(path, path).status_code == 410
    assert again.get("/account").status_code == 401


def test_known_and_unknown_addresses_read_the_same(make_phone, member, facts_of):
    pages = []
    for email in (ANNA, "none@example.org"):
        phone = make_phone()
        phone.submit("/sign-in", "/sign-in", email=email)
        page = phone.get("/sign-in/code")
        wrong = phone.submit("/sign-in/code", "/sign-in/code", code="x")
        told = [
            re.sub(r'(content|value)="[^"]+"', "", one.text).replace(email, "")
            for one in (page, wrong)
        ]
        pages.append((page.status_code, wrong.status_code, told))

    assert pages[0] == pages[1]
    assert facts_of("sign_in_unknown") == {}


def test_another_browser_cannot_guess_at_the_code(make_phone, member, facts_of):
    asking, other = make_phone(), make_phone()
    asking.submit("/sign-in", "/sign-in", email=ANNA)
    code = facts_of("sign_in")["code"]

    answer = other.submit("/sign-in", "/sign-in/code", code=code)

    assert answer.headers["Location"] == "/sign-in"
    assert other.get("/account").status_code == 401


def test_five_wrong_codes_end_it(phone, member, facts_of):
    phone.submit("/sign-in", "/sign-in", email=ANNA)
    code = facts_of("sign_in")["code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        page = phone.submit("/sign-in/code", "/sign-in/code", code=wrong)
        assert "That is not the code in the mail." in page.text

    page = phone.submit("/sign-in/code", "/sign-in/code", code=code)

    assert "This code is used up. Ask for a new one." in page.text


def test_an_address_is_changed_when_both_mailboxes_say_yes(
    make_phone, member, facts_of, tools
):
    phone = make_phone()
    sign_in(phone, facts_of)
    phone.submit("/account/e-mail", "/account/e-mail", email="new@example.org")
    assert "Waiting for a yes" in phone.get("/account/e-mail").text
    old = f"/e-mail/old/{facts_of('email_old')['link']}"

    mailbox = make_phone()
    assert "anna@example.org" in mailbox.get(old).text
    assert "new address" in mailbox.submit(old, old, answer="yes").text
    code = facts_of("email_new")["code"]
    phone.submit("/account/e-mail", "/account/e-mail/code", code=code)

    assert "Done. Your address is confirmed." in phone.get("/account/e-mail").text
    assert details.details(tools, member.member_id).email == "new@example.org"
    assert mailbox.get(old).status_code == 410


def test_the_old_mailbox_stops_a_change(make_phone, member, facts_of, tools):
    phone = make_phone()
    sign_in(phone, facts_of)
    phone.submit("/account/e-mail", "/account/e-mail", email="thief@example.org")
    old = f"/e-mail/old/{facts_of('email_old')['link']}"

    assert "Stopped." in make_phone().submit(old, old, answer="no").text

    assert "Waiting for a yes" not in phone.get("/account/e-mail").text
    assert details.details(tools, member.member_id).email == ANNA


def test_one_device_is_signed_out_and_this_one_too(make_phone, member, facts_of):
    first, second = make_phone(), make_phone()
    first.hold(member.token)
    sign_in(second, facts_of)
    page = second.get("/account/devices").text
    here, there = re.findall(r'name="device_id" value="([0-9a-f]+)"', page)

    second.submit("/account/devices", "/account/devices/sign-out", device_id=there)
    assert first.get("/account").status_code == 401
    second.submit("/account/devices", "/account/devices/sign-out", device_id=here)

    assert second.get("/account").status_code == 401


def test_a_device_of_somebody_else_is_not_found(anna):
    phone, _ = anna

    answer = phone.submit(
        "/account/devices", "/account/devices/sign-out", device_id="0" * 32
    )

    assert answer.status_code == 404


def test_the_form_asks_what_the_shop_chose(phone, tools, founded):
    boss = ConsoleCaller(founded.staff_id, "Owner", "owner")
    wanted = asked.FIRST | {
        "phone": "required",
        "address": "optional",
        "name": "hidden",
    }
    asked.save(tools, wanted, by=boss)
    page = phone.get("/join").text
    assert 'name="name"' not in page
    assert 'name="birthday"' not in page
    assert "No app, no password, no form." not in page

    refused = phone.submit("/join", "/join")
    assert refused.status_code == 422
    assert "Please fill this in." in refused.text
    joined = phone.submit(
        "/join", "/join", phone="12345678", address="Nyhavn 1", name="Anna"
    )

    assert joined.status_code == 303
    page = phone.get("/account/details").text
    assert "12345678" in page
    assert "Anna" not in page


def test_codes_and_challenges_go_out_in_no_header_and_are_kept_by_nobody(
    phone, member, facts_of, clock
):
    phone.submit("/sign-in", "/sign-in", email=ANNA)
    page = phone.get(f"/sign-in/mail/{facts_of('sign_in')['link']}")

    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    clock.forward(timedelta(minutes=11))
    assert phone.get(page.request.path).status_code == 410


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
def test_each_page_speaks_each_language(anna, language):
    phone, _ = anna
    phone.submit("/account", "/language", language=language.tag, next="/account")
    for path in ("", "/details", "/e-mail", "/devices", "/passkeys"):
        page = phone.get(f"/account{path}").text
        assert f'lang="{language.tag}"' in page
        assert ("My account" in page) == (language.tag == "en")
