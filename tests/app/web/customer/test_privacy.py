"""What a customer gets by mail, takes along, and has erased: on the pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask

from app.programme import cards, consents, members, privacy
from app.programme.cards import CardState
from app.programme.consents import KINDS
from app.programme.founding import Founded
from app.tools import Tools
from app.web.customer.account import wordings
from tests.app.web.customer.conftest import Phone

SHOWN = {"wording_language": "da", "wording_version": str(wordings.VERSION)}
#: The sentences of each version. Whoever changes what one means writes another version.
SENTENCES = {
    1: (
        "Kaffe & Brød may e-mail me: news of the shop",
        "Kaffe & Brød may e-mail me: offers that fit what I buy",
        "Kaffe & Brød may e-mail me: a reminder before stamps or vouchers end",
        "Kaffe & Brød may e-mail me: a greeting on my birthday",
        "Kaffe & Brød may e-mail me: a question now and then: how was it?",
    )
}


def member_of(tools: Tools, card_id: UUID) -> UUID:
    return cards.card(tools, card_id).member_id


def link(tools: Tools, member_id: UUID, kind: str = "news") -> str:
    return consents.link(tools, member_id, kind).removeprefix(tools.settings.origin)


def agree(phone: Phone, *kinds: str, **fields: object) -> object:
    form = SHOWN | {"wants": list(kinds)} | fields
    return phone.submit("/account/mail", "/account/mail", **form)


def test_the_sentences_are_those_of_their_version(flask_app: Flask) -> None:
    with flask_app.test_request_context():
        told = tuple(wordings.wording(kind).sentence for kind in KINDS)

    assert told == SENTENCES[wordings.VERSION]


def test_joining_asks_and_ticks_nothing(phone: Phone) -> None:
    page = phone.get("/join").text

    assert page.count('name="wants"') == len(KINDS)
    assert "checked" not in page


def test_who_ticks_at_joining_has_agreed_in_the_words_they_read(
    phone: Phone, tools: Tools
) -> None:
    answer = phone.submit(
        "/join",
        "/join",
        name="Anna",
        email="anna@example.org",
        wants=["news", "spam"],
        **SHOWN,
    )

    card_id = UUID(answer.location.rpartition("/")[2])
    (told,) = consents.history(tools, member_of(tools, card_id))
    assert (told.kind, told.channel, told.wording.language) == ("news", "join", "da")
    assert told.wording.sentence.startswith("Kaffe & Brød må sende mig på mail:")


def test_without_an_address_nothing_is_agreed_to(phone: Phone, tools: Tools) -> None:
    answer = phone.submit("/join", "/join", name="Anna", wants="news", **SHOWN)

    card_id = UUID(answer.location.rpartition("/")[2])
    assert consents.history(tools, member_of(tools, card_id)) == []


def test_the_account_keeps_what_is_ticked_and_takes_back_what_is_not(
    anna: tuple[Phone, UUID], tools: Tools
) -> None:
    phone, card_id = anna
    assert "Nothing but what you ask for" in phone.get("/account").text

    assert agree(phone, "news", "birthday").status_code == 303
    assert "News, Birthday" in phone.get("/account").text
    agree(phone, "birthday")

    assert consents.given(tools, member_of(tools, card_id)) == {"birthday"}
    page = phone.get("/account/mail").text
    assert page.count("Agreed on") == 2
    assert page.count("Taken back on") == 1
    assert page.count(" checked") == 1


@pytest.mark.parametrize(
    "shown", [{"wording_version": "0"}, {"wording_language": "xx"}]
)
def test_a_form_with_other_sentences_is_shown_again(
    anna: tuple[Phone, UUID], tools: Tools, shown: dict[str, str]
) -> None:
    phone, card_id = anna

    agree(phone, "news", **shown)

    assert consents.given(tools, member_of(tools, card_id)) == frozenset()
    assert "The sentences have changed" in phone.get("/account/mail").text


def test_opening_the_link_of_a_mail_ends_nothing_and_its_button_does(
    anna: tuple[Phone, UUID], make_phone: Callable[[], Phone], tools: Tools
) -> None:
    phone, card_id = anna
    agree(phone, "news", "offers")
    member_id = member_of(tools, card_id)
    path, stranger = link(tools, member_id), make_phone()

    assert "No more mail of this kind?" in stranger.get(path).text
    assert stranger.client.head(path).status_code == 200
    assert consents.given(tools, member_id) == {"news", "offers"}

    done = stranger.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (done.status_code, "You are unsubscribed" in done.text) == (200, True)
    assert consents.given(tools, member_id) == {"offers"}
    assert consents.history(tools, member_id)[0].channel == "mail"
    assert "You do not get such mail" in stranger.get(path).text
    assert stranger.client.post(path).status_code == 200


def test_a_forged_link_ends_nothing(anna: tuple[Phone, UUID], tools: Tools) -> None:
    phone, card_id = anna
    agree(phone, "news")
    member_id = member_of(tools, card_id)
    path = link(tools, member_id)

    for forged in (path[:-2], f"{path}A", "/unsubscribe/x", "/unsubscribe/%00"):
        assert phone.client.post(forged).status_code == 404
        assert phone.get(forged).status_code == 404

    assert consents.given(tools, member_id) == {"news"}


def test_all_that_is_kept_comes_as_a_file(
    anna: tuple[Phone, UUID], tools: Tools, give: Callable[..., CardState]
) -> None:
    phone, card_id = anna
    give(cards.card(tools, card_id), 11)

    answer = phone.get("/account/data.json")

    told = json.loads(answer.text)
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["member"]["name"] == "Anna"
    assert "Nyhavn" in told["entries"][0]["words"]


@pytest.mark.parametrize(
    "path", ["/account/data", "/account/data.json", "/account/erase", "/account/mail"]
)
def test_strangers_get_nothing(phone: Phone, path: str) -> None:
    assert phone.get(path).status_code == 401


def test_erasing_says_what_is_lost_asks_for_digits_and_is_done(
    anna: tuple[Phone, UUID], tools: Tools, give: Callable[..., CardState]
) -> None:
    phone, card_id = anna
    give(cards.card(tools, card_id), 12)
    number = cards.card(tools, card_id).number
    page = phone.get("/account/erase").text
    assert "2 stamps on" in page
    assert "Free coffee" in page

    wrong = "0000" if number[-4:] != "0000" else "1111"
    refused = phone.submit("/account/erase", "/account/erase", digits=wrong)
    assert refused.status_code == 422
    assert "Those are not the last four digits" in refused.text

    done = phone.submit("/account/erase", "/account/erase", digits=number[-4:])
    assert (done.status_code, done.location) == (303, "/erased")
    assert "pp_member=;" in done.headers["Set-Cookie"]
    after = phone.get("/erased")
    assert "Your data is erased" in after.text
    assert after.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert phone.get("/account").status_code == 401
    assert cards.card(tools, card_id).is_closed
    assert members.member(tools, member_of(tools, card_id)).name is None


def test_erasing_needs_the_token_of_its_form(
    anna: tuple[Phone, UUID], tools: Tools, founded: Founded
) -> None:
    assert founded.staff_id
    phone, card_id = anna
    digits = privacy.loss(tools, member_of(tools, card_id)).digits

    answer = phone.client.post("/account/erase", data={"digits": digits})

    assert answer.status_code == 403
    assert not cards.card(tools, card_id).is_closed


def test_the_link_of_one_phone_opened_on_the_other_makes_the_cards_one(
    anna: tuple[Phone, UUID],
    make_phone: Callable[[], Phone],
    tools: Tools,
    give: Callable[..., CardState],
) -> None:
    phone, card_id = anna
    give(cards.card(tools, card_id), 3)
    other, joined = make_phone(), members.join(tools, name="Bo")
    other.hold(joined.token)
    page = other.get("/account/merge").text
    link = page.partition(f"{tools.settings.origin}/merge/")[2].partition("<")[0]
    path = f"/merge/{link}"

    assert other.get(path).status_code == 409
    assert make_phone().get(path).status_code == 401
    assert phone.get(path[:-1]).status_code == 404
    assert phone.client.post(path).status_code == 403
    assert "3 stamps on" in phone.get(path).text
    assert not cards.card(tools, card_id).is_closed

    assert phone.submit(path, path).location == "/account"

    assert cards.card(tools, joined.card_id).stamps == 3
    assert "Your cards are one now." in phone.get("/account").text
    assert phone.get("/card").location.endswith(str(joined.card_id))
    assert other.get("/account").status_code == 200
