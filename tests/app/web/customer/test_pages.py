from __future__ import annotations

import json
import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.programme import cards, purchases, shop, stamping
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from app.store.tables import Card, Outgoing


def test_a_stranger_is_led_to_the_offer(phone):
    for path in ("/", "/card", "/scan"):
        assert phone.get(path).location == "/join"


def test_the_offer_says_what_it_gives_and_asks_for_nothing(phone):
    page = phone.get("/join")

    assert "10 stamps, then: Free coffee" in page.text
    assert "Get my card" in page.text
    assert 'name="name"' in page.text
    assert "required" not in page.text.split("<form", maxsplit=1)[1].split("</form")[0]


def test_one_button_makes_a_card(phone):
    answer = phone.submit("/join", "/join")
    page = phone.get(answer.location)

    assert answer.status_code == 303
    assert "<strong>0</strong> / 10" in page.text


def test_a_second_tap_makes_no_second_card(phone, tools):
    first = phone.submit("/join", "/join", name="Anna")
    second = phone.submit("/card", "/join", name="Anna")

    assert second.location == "/card"
    assert phone.get("/card").location == first.location


def test_a_name_that_does_not_serve_is_told_beside_the_field(phone):
    answer = phone.submit("/join", "/join", name="x" * 61)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'id="error-name"' in answer.text
    assert phone.client.get_cookie("pp_member") is None


def test_terms_that_changed_meanwhile_are_shown_again(phone):
    answer = phone.submit("/join", "/join", terms_version="99")

    assert answer.status_code == 422
    assert "The terms have just changed" in answer.text


def test_a_card_shows_its_stamps_number_and_latest(anna, tools, give):
    phone, card_id = anna
    card = give(cards.card(tools, card_id), 3)

    page = phone.get(f"/card/{card_id}").text

    assert "<strong>3</strong> / 10" in page
    assert f"{card.number[:4]} {card.number[4:]}" in page
    assert page.count('class="postmark"') == 3
    assert "Stamps at Nyhavn" in page


def test_a_full_card_offers_its_voucher(anna, tools, give):
    phone, card_id = anna
    card = give(cards.card(tools, card_id), 10)

    page = phone.get(f"/card/{card_id}").text

    assert f'href="#voucher-{card.vouchers[0].voucher_id}"' in page
    assert "Use now" in page


def test_the_face_carries_the_news_since_the_entry_named(anna, tools, give):
    phone, card_id = anna
    give(cards.card(tools, card_id), 2)

    fragment = phone.get(f"/card/{card_id}/face?after=none").text

    assert "<html" not in fragment
    assert 'data-news="given"' in fragment
    assert "2 stamps from Nyhavn" in fragment
    assert "data-news" not in phone.get(f"/card/{card_id}/face").text


@pytest.mark.parametrize("page", ["", "/face", "/history"])
def test_somebody_elses_card_is_not_found(anna, make_card, page):
    phone, _ = anna
    other = make_card("Bo")

    assert phone.get(f"/card/{other.card_id}{page}").status_code == 404
    assert phone.get(f"/card/{uuid4()}{page}").status_code == 404


def test_a_phone_that_lost_its_card_is_told_kindly(phone, make_card):
    page = phone.get(f"/card/{make_card().card_id}")

    assert page.status_code == 401
    assert "This card is not on this phone" in page.text
    assert "Get my card" in page.text


def test_a_name_is_text_and_never_markup(phone):
    answer = phone.submit("/join", "/join", name="<b>Anna</b>")

    page = phone.get(answer.location).text

    assert "<b>Anna" not in page
    assert "&lt;b&gt;Anna" in page


def test_the_history_shows_everything(anna, tools, give):
    phone, card_id = anna
    give(cards.card(tools, card_id), 10)

    page = phone.get(f"/card/{card_id}/history").text

    assert "Full card, yours: Free coffee" in page
    assert page.count("Stamps at Nyhavn") == 2


def test_an_empty_history_says_what_to_do(anna):
    phone, card_id = anna

    assert "No stamps yet" in phone.get(f"/card/{card_id}/history").text


def test_only_the_scanning_page_may_run_webassembly(anna):
    phone, card_id = anna

    assert "wasm" in phone.get("/scan").headers["Content-Security-Policy"]
    assert (
        "wasm" not in phone.get(f"/card/{card_id}").headers["Content-Security-Policy"]
    )


@pytest.mark.parametrize("path", ["/join", "/offline", "card", "/scan", "/S/X"])
def test_no_page_breaks_its_content_security_policy(anna, path):
    phone, card_id = anna
    if path == "/join":
        phone.client.delete_cookie("pp_member")

    page = phone.get(f"/card/{card_id}" if path == "card" else path).text

    assert "style=" not in page
    assert not re.findall(r"<script(?![^>]* src=)(?![^>]*application/json)", page)
    assert not re.findall(r" on[a-z]+=", page)


def test_a_page_of_a_card_stays_light(anna, tools, give):
    phone, card_id = anna
    give(cards.card(tools, card_id), 9)

    assert len(phone.get(f"/card/{card_id}").data) < 60_000


def test_the_manifest_names_the_shop_and_its_icons(phone):
    answer = phone.get("/manifest.webmanifest")
    manifest = json.loads(answer.text)

    assert answer.mimetype == "application/manifest+json"
    assert manifest["name"] == "Kaffe & Brød"
    assert manifest["theme_color"] == "#0f5c4a"
    for icon in manifest["icons"]:
        assert phone.get(icon["src"]).status_code == 200


def shell_of(phone) -> dict[str, object]:
    first, _ = phone.get("/sw.js").text.split(";\n", maxsplit=1)
    shell: dict[str, object] = json.loads(first.removeprefix("self.SHELL = "))
    return shell


def test_the_service_worker_keeps_the_shell_and_nothing_of_anybodys(phone):
    answer = phone.get("/sw.js")
    files = shell_of(phone)["files"]

    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert {f for f in files if not f.startswith("/static/")} == {
        "/shop.css",
        "/offline?language=en",
    }
    for file in files:
        kept = phone.get(file)
        assert kept.status_code == 200, file
        assert "Set-Cookie" not in kept.headers, file


def test_the_offline_page_holds_no_token(anna):
    phone, _ = anna

    page = phone.get("/offline").text

    assert "csrf" not in page
    assert "Anna" not in page


def test_a_new_look_is_a_new_shell(phone, tools, founded):
    before = shell_of(phone)["version"]
    shop.update_shop(
        tools,
        name="Kaffe & Brød",
        colour="#aa3311",
        timezone="UTC",
        by=ConsoleCaller(founded.staff_id, "Owner", "owner"),
    )

    assert shell_of(phone)["version"] != before


def test_the_offer_takes_an_address_for_one_mail(phone, tools):
    page = phone.get("/join").text
    form = page.split("<form", maxsplit=1)[1].split("</form")[0]
    field = re.search(r'<input id="field-email"[^>]*>', form)[0]

    for said in ('type="email"', 'autocomplete="email"', 'inputmode="email"'):
        assert said in field
    assert "<details open" not in form
    phone.submit("/join", "/join", name="Anna", email="anna@example.org")
    with tools.database.read() as tx:
        (mail,) = tx.scalars(select(Outgoing))
    assert (mail.address, mail.locale) == ("anna@example.org", "en")


def test_an_address_that_does_not_serve_is_told_beside_the_field(phone):
    answer = phone.submit("/join", "/join", name="Anna", email="anna@")

    assert answer.status_code == 422
    assert 'id="error-email"' in answer.text
    assert 'value="anna@"' in answer.text
    # and both are to be seen
    assert re.search(r"<details[^>]* open>", answer.text)
    assert 'value="Anna"' in answer.text
    assert phone.client.get_cookie("pp_member") is None


def test_an_address_that_had_its_mails_joins_all_the_same(make_phone, tools):
    answers = [
        make_phone().submit("/join", "/join", email="anna@example.org")
        for _ in range(5)
    ]

    told = [
        (each.status_code, re.sub(r"[0-9a-f-]{36}", "", each.text)) for each in answers
    ]
    assert told == [told[0]] * 5
    assert answers[0].status_code == 303
    with tools.database.read() as tx:
        assert len(list(tx.scalars(select(Outgoing)))) == 3


def test_the_history_tells_what_was_bought_and_what_came_back(phone, tools, barista):
    phone.submit("/join", "/join", name="Anna")
    owner = ConsoleCaller(barista.staff_id, "Owner", "owner")
    coffee, cake = (
        shop.add_item(tools, TypedItem(name, 350), by=owner)
        for name in ("Coffee", "Cake")
    )
    [card_id] = tools_cards(tools)
    bought = stamping.stamp(
        tools,
        stamping.card_code(tools, card_id).code,
        stamps=1,
        request_id="r",
        staff=barista,
        order=Order(((coffee, 2), (cake, 1))),
    ).answer["purchase"]
    page = phone.get(phone.get("/card").location).text.translate(
        {0x2068: "", 0x2069: ""}
    )

    assert "Coffee, Cake" in page
    assert "€10.50" in page

    purchases.refund(
        tools, UUID(bought["purchase_id"]), lines=[2], staff=barista, reason="Cold"
    )
    page = phone.get(phone.get("/card").location).text.translate(
        {0x2068: "", 0x2069: ""}
    )
    assert "came back: Cake" in page


def tools_cards(tools):
    with tools.database.read() as tx:
        return tx.scalars(select(Card.card_id)).all()
