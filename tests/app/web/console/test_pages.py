"""The console's pages over HTTP: the door, each form, the feed."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from app.programme import by_hand, cards, members, sessions, shop, staff, stamping
from app.programme.cards import CardState
from app.programme.errors import Unauthenticated
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.tools import Tools
from tests.app.web.conftest import csrf_token
from tests.app.web.console.conftest import PAGES, Browser, seen

Give = Callable[[CardState, int], CardState]


def error_of(response: TestResponse, field: str) -> str:
    found = re.search(rf'id="error-{field}">([^<]+)<', response.text)
    assert found, f"nothing is said beside {field}"
    assert f'aria-describedby="hint-{field} error-{field}"' in response.text or (
        f'aria-describedby="error-{field}"' in response.text
    )
    return unescape(found[1])


# The door


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_door_and_back(
    stranger: Browser, founded: Founded, path: str
) -> None:
    answer = stranger.get(path)

    assert answer.status_code == 302
    assert answer.location == f"/console/sign-in?next={path}"
    arrived = stranger.sign_in(founded.email, founded.password, next=path)
    assert arrived.location == path
    assert stranger.get(path).status_code == 200


def test_every_page_is_behind_the_door(stranger: Browser) -> None:
    app = stranger.client.application
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("console.") or rule.endpoint in {
            "console.static",
            "console.sign_in",
        }:
            continue
        values: dict[str, object] = {name: uuid4() for name in rule.arguments}
        if "key_id" in values:
            values["key_id"] = 1
        if "to" in values:
            values["to"] = "on"
        with app.test_request_context():
            path = app.url_for(rule.endpoint, **values)
        if "GET" in (rule.methods or ()):
            assert stranger.get(path).status_code == 302, path
        else:
            sent = stranger.send("/console/sign-in", path)
            assert sent.location == "/console/sign-in", path


@pytest.mark.parametrize(
    ("email", "password"),
    [("owner@localhost", "wrong"), ("nobody@localhost", "wrong"), ("", "")],
)
def test_a_wrong_pair_hears_one_sentence_and_keeps_the_email(
    stranger: Browser, email: str, password: str
) -> None:
    answer = stranger.sign_in(email, password)

    assert answer.status_code == 401
    assert "That email and password do not belong together." in seen(answer)
    assert f'value="{email}"' in answer.text
    assert "Set-Cookie" not in answer.headers or "console" not in str(answer.headers)


def test_who_guesses_too_often_is_told_to_wait(stranger: Browser) -> None:
    for _ in range(5):
        stranger.sign_in("owner@localhost", "wrong")

    answer = stranger.sign_in("owner@localhost", "wrong")

    assert answer.status_code == 429
    assert re.search(r"tried too often. Please wait \d+ min", seen(answer))


def test_a_barista_does_not_come_in(
    tools: Tools, stranger: Browser, founded: Founded
) -> None:
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    shop.add_staff(tools, name="Mia", role="barista", pin="2580", by=by)

    assert stranger.sign_in("mia", "2580").status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/card", ""],
)
def test_the_door_leads_nowhere_else(
    stranger: Browser, founded: Founded, elsewhere: str
) -> None:
    answer = stranger.sign_in(founded.email, founded.password, next=elsewhere)

    assert answer.location == "/console/"


def test_a_form_without_its_token_is_refused(owner: Browser, tools: Tools) -> None:
    answer = owner.client.post("/console/locations", data={"name": "Torvet"})

    assert answer.status_code == 403
    assert [each.name for each in shop.locations(tools)] == ["Nyhavn"]


def test_signing_out_ends_the_session_in_the_books(owner: Browser) -> None:
    cookie = owner.client.get_cookie("pp_console")
    assert cookie is not None

    owner.send("/console/", "/console/sign-out")
    owner.client.set_cookie("pp_console", cookie.value)

    assert owner.get("/console/").status_code == 302


def test_signing_in_again_ends_the_session_that_the_browser_had(
    owner: Browser, tools: Tools, founded: Founded
) -> None:
    # given a page of the door that was opened before its browser was signed in
    before = owner.client.get_cookie("pp_console")
    assert before is not None
    form = csrf_token(owner.client, "/console/shop")

    # when it is sent
    facts = {"email": founded.email, "password": founded.password}
    owner.client.post("/console/sign-in", data={"csrf_token": form, **facts})

    # then the browser has another session, and a copy of the first is worth nothing
    after = owner.client.get_cookie("pp_console")
    assert after is not None
    assert after.value != before.value
    assert sessions.who(tools, after.value)
    with pytest.raises(Unauthenticated):
        sessions.who(tools, before.value)


def test_a_new_password_of_ones_own_leaves_this_browser_signed_in(
    owner: Browser, founded: Founded
) -> None:
    person = f"/console/staff/{founded.staff_id}"
    facts = {"email": founded.email, "password": "long enough 2"}

    owner.send(person, f"{person}/console-access", **facts)

    assert owner.get(person).status_code == 200


# Today


def test_today_begins_with_the_figure(
    owner: Browser, give: Give, make_card: Callable[..., CardState]
) -> None:
    give(make_card("Anna"), 7)

    page = seen(owner.get("/console/"))

    assert page.index("7 stamps today") < page.index("Latest")
    assert "5 stamps for Anna" in page
    assert "2 stamps for Anna" in page
    assert "Anna joined" in page


def test_a_new_shop_is_told_what_to_do_first(owner: Browser) -> None:
    page = seen(owner.get("/console/"))

    assert "0 stamps today" in page
    assert "Set up the shop" in page
    assert "Nothing has happened yet." in page
    # One way in, not two: the list of what is left is for those who left half-way.
    assert "Before the first stamp" not in page


def test_a_name_cannot_write_the_page(
    owner: Browser, make_card: Callable[..., CardState]
) -> None:
    make_card("<img src=x>")

    feed = owner.get("/console/feed", headers={"Accept": "application/json"})

    assert "<img" not in owner.get("/console/").text
    assert "<img" not in str(feed.get_json())


def test_the_feed_says_nothing_until_something_happens(
    owner: Browser, give: Give, make_card: Callable[..., CardState]
) -> None:
    card = make_card("Anna")
    before = owner.get("/console/feed")
    after = before.get_json()["after"]
    tag = before.headers["ETag"]
    path = "/console/feed"

    quiet = owner.get(
        path, query_string={"after": after}, headers={"If-None-Match": tag}
    )
    give(card, 2)
    loud = owner.get(
        path, query_string={"after": after}, headers={"If-None-Match": tag}
    )

    assert (quiet.status_code, quiet.data) == (304, b"")
    assert loud.get_json()["figures"]["stamps"] == "2"
    assert "2 stamps for" in loud.get_json()["lines"][0]["html"]
    assert list(loud.get_json()["places"].values()) == [2]


@pytest.mark.parametrize("query", ["?after=now", "?after=2026-11-22", "?place=here"])
def test_the_feed_takes_any_question(owner: Browser, query: str) -> None:
    assert owner.get(f"/console/feed{query}").status_code == 200


def test_a_feed_without_a_session_is_no_page(stranger: Browser) -> None:
    answer = stranger.get("/console/feed", headers={"Accept": "application/json"})

    assert answer.status_code == 401
    assert answer.get_json()["code"] == "unauthenticated"


# Programme and shop


def test_changed_terms_say_their_version(owner: Browser) -> None:
    sent = owner.send(
        "/console/programme",
        name="12 teas",
        reward="Free tea",
        stamps_required="12",
        terms="Be kind.",
        is_open="1",
    )
    page = owner.get(sent.location)

    assert sent.status_code == 302
    assert "Saved. The terms are now version 2." in seen(page)
    assert 'value="12 teas"' in page.text
    assert "Saved." not in seen(owner.get(sent.location))


def test_a_wrong_field_of_the_programme_loses_nothing(
    owner: Browser, tools: Tools
) -> None:
    answer = owner.send(
        "/console/programme",
        name="12 teas",
        reward="",
        stamps_required="twelve",
        terms="Be very kind.",
        is_open="0",
    )

    assert answer.status_code == 422
    assert error_of(answer, "stamps_required") == "A whole number from 2 to 30."
    assert error_of(answer, "reward") == "Please fill this in."
    for kept in ('value="12 teas"', 'value="twelve"', "Be very kind."):
        assert kept in answer.text
    assert members.default_programme(tools).name != "12 teas"


def test_the_days_of_vouchers_are_shown_as_customers_read_them(
    owner: Browser, tools: Tools
) -> None:
    fields = {
        "name": "12 teas",
        "reward": "Free tea",
        "stamps_required": "12",
        "terms": "",
        "is_open": "1",
    }

    owner.send("/console/programme", **fields, voucher_days="60")
    page = owner.get("/console/programme")
    assert "good for 60 days after the day on which you earn it" in seen(page)
    assert 'value="60"' in page.text

    for wrong in ("0", "3651", "some", "-1"):
        answer = owner.send("/console/programme", **fields, voucher_days=wrong)
        told = error_of(answer, "voucher_days")
        assert told == "A whole number from 1 to 3,650, or nothing."
        assert f'value="{wrong}"' in answer.text
    assert members.default_programme(tools).voucher_days == 60

    owner.send("/console/programme", **fields, voucher_days=" ")
    assert "Vouchers have no end." in seen(owner.get("/console/programme"))
    assert members.default_programme(tools).voucher_days is None


def test_the_join_page_is_shown_as_a_picture_and_a_link(owner: Browser) -> None:
    picture = owner.get("/console/programme/join.svg")

    assert picture.mimetype == "image/svg+xml"
    assert picture.text.startswith("<svg")
    for path in ("/console/programme", "/console/programme/poster"):
        assert "http://localhost:8000/join" in seen(owner.get(path))


def test_the_shop_changes_its_colour(owner: Browser) -> None:
    owner.send("/console/shop", name="Kaffe", colour="#FFD400", timezone="Asia/Tokyo")

    assert "--shop:#ffd400;--on-shop:#1d1a16" in owner.get("/shop.css").text


def test_a_wrong_colour_is_told_beside_it(owner: Browser) -> None:
    answer = owner.send(
        "/console/shop", name="Kaffe", colour="red", timezone="Asia/Tokyo"
    )

    assert answer.status_code == 422
    assert error_of(answer, "colour") == "That is not a colour like #0f5c4a."
    assert 'value="red"' in answer.text


# Locations and tills


def test_a_location_is_added_and_renamed(
    owner: Browser, tools: Tools, founded: Founded
) -> None:
    owner.send("/console/locations", name="Torvet")
    owner.send(
        "/console/locations",
        f"/console/locations/{founded.location_id}",
        name="Nyhavn 17",
    )

    page = seen(owner.get("/console/locations"))
    assert "2 locations" in page
    assert "Nyhavn 17 0 tills" in page
    assert "Torvet 0 tills" in page


def test_a_taken_name_is_told_beside_the_location_it_was_for(
    owner: Browser, tools: Tools
) -> None:
    owner.send("/console/locations", name="Torvet")
    torvet = next(each for each in shop.locations(tools) if each.name == "Torvet")

    answer = owner.send(
        "/console/locations",
        f"/console/locations/{torvet.location_id}",
        name="Nyhavn",
    )

    assert answer.status_code == 422
    assert error_of(answer, "name-2") == "Another location has this name."
    assert answer.text.count("field__error") == 1


def test_an_enrolment_is_shown_until_the_till_is_there(
    owner: Browser, tools: Tools, founded: Founded
) -> None:
    sent = owner.send(
        "/console/terminals/new", name="Front", location_id=str(founded.location_id)
    )
    page = owner.get(sent.location)
    code = re.search(r'id="enrol-code"[^>]*>([A-Z2-7]{128})<', page.text)
    waiting = owner.get(f"{sent.location}/state").get_json()
    assert code

    staff.enrol(tools, code[1])

    assert sent.location.rsplit("/", 1)[1] not in code[1]
    assert waiting["state"] == "waiting"
    assert owner.get(f"{sent.location}/state").get_json() == {
        "state": "added",
        "name": "Front",
        "location_name": "Nyhavn",
    }
    assert "Front Nyhavn" in seen(owner.get("/console/terminals"))


def test_an_enrolment_of_another_browser_is_not_shown(
    owner: Browser, manager: Browser, founded: Founded
) -> None:
    sent = owner.send(
        "/console/terminals/new", name="Front", location_id=str(founded.location_id)
    )

    assert manager.get(sent.location).location == "/console/terminals/new"


def test_a_till_is_removed(owner: Browser, barista: StaffCaller, tools: Tools) -> None:
    owner.send("/console/terminals", f"/console/terminals/{barista.terminal_id}/revoke")

    page = seen(owner.get("/console/terminals"))
    assert "Till removed." in page
    assert "0 tills" in page
    assert "1 removed till" in page


# Staff


def test_a_person_is_added_and_may_sign_in(owner: Browser) -> None:
    sent = owner.send(
        "/console/staff/new",
        name="Jonas",
        role="manager",
        pin="2580",
        location_id="",
        email="jonas@example.com",
        password="long enough 1",
    )

    assert sent.location == "/console/staff"
    assert "2 people" in seen(owner.get("/console/staff"))
    other = Browser(owner.client.application.test_client())
    arrived = other.sign_in("jonas@example.com", "long enough 1")
    assert arrived.location == "/console/"


def test_a_refused_pin_and_password_are_not_written_on_the_page(
    owner: Browser,
) -> None:
    answer = owner.send(
        "/console/staff/new",
        name="Jonas",
        role="manager",
        pin="4321",
        email="jonas",
        password="secret!",
    )

    assert answer.status_code == 422
    assert "too easy to guess" in error_of(answer, "pin")
    assert error_of(answer, "password") == "That is too short."
    assert error_of(answer, "email") == "That is not an e-mail address."
    assert 'value="Jonas"' in answer.text
    assert "4321" not in answer.text
    assert "secret!" not in answer.text


def test_a_manager_is_shown_no_way_to_change_an_owner(
    manager: Browser, founded: Founded
) -> None:
    path = f"/console/staff/{founded.staff_id}"

    page = seen(manager.get(path))
    sent = manager.send("/console/staff/new", f"{path}/pin", pin="2580")

    assert "Only an owner may change an owner." in page
    assert "Save the PIN" not in page
    assert 'value="owner"' not in manager.get("/console/staff/new").text
    assert sent.status_code == 403


def test_a_person_is_switched_off_and_on(
    owner: Browser, manager: Browser, tools: Tools
) -> None:
    jonas = next(each for each in shop.staff_members(tools) if each.name == "Jonas")
    path = f"/console/staff/{jonas.staff_id}"

    owner.send(path, f"{path}/off")

    assert manager.get("/console/").status_code == 302
    assert "1 person switched off" in seen(owner.get("/console/staff"))
    owner.send(path, f"{path}/on")
    assert manager.get("/console/").status_code == 302
    assert manager.sign_in("jonas@example.com", "long enough 1").status_code == 302
    assert manager.get("/console/").status_code == 200


def test_a_new_pin_is_set_or_refused_beside_the_field(
    owner: Browser, founded: Founded
) -> None:
    path = f"/console/staff/{founded.staff_id}"

    refused = owner.send(path, f"{path}/pin", pin="12")
    owner.send(path, f"{path}/pin", pin="2580")

    assert refused.status_code == 422
    assert error_of(refused, "pin") == "Use 4 to 8 digits."
    assert "The new PIN holds from now on." in seen(owner.get(path))


def test_a_person_is_renamed_or_refused_beside_the_field(
    owner: Browser, founded: Founded
) -> None:
    path = f"/console/staff/{founded.staff_id}"

    refused = owner.send(path, f"{path}/name", name="W" * 61)
    owner.send(path, f"{path}/name", name="  Sofie ")

    assert refused.status_code == 422
    assert error_of(refused, "name") == "That is too long."
    assert "<h1><bdi>Sofie</bdi></h1>" in owner.get(path).text


@pytest.mark.parametrize("path", ["staff", "terminals"])
def test_an_unknown_id_is_not_found(owner: Browser, path: str) -> None:
    nobody = UUID(int=1)
    answer = (
        owner.get(f"/console/staff/{nobody}")
        if path == "staff"
        else owner.send("/console/", f"/console/terminals/{nobody}/revoke")
    )

    assert answer.status_code == 404


def test_the_line_of_an_undone_stamp_has_its_reason(
    owner: Browser,
    tools: Tools,
    barista: StaffCaller,
    make_card: Callable[..., CardState],
) -> None:
    card = make_card("Anna")
    code = stamping.card_code(tools, card.card_id).code
    spent = stamping.stamp(tools, code, stamps=2, request_id="one", staff=barista)
    stamping.reverse_stamp(
        tools, UUID(str(spent.answer["stamp_id"])), staff=barista, reason="wrong card"
    )

    page = seen(owner.get("/console/"))

    assert "2 stamps undone" in page
    assert "wrong card" in page
    assert "0 stamps today" in page
    assert cards.card(tools, card.card_id).stamps == 0


def test_stamps_by_hand_are_allowed_and_forbidden_by_a_button(
    owner: Browser, barista: StaffCaller, tools: Tools
) -> None:
    assert "Not allowed now." in seen(owner.get("/console/terminals"))

    owner.send("/console/terminals", "/console/terminals/by-hand", allow="yes")
    assert shop.allows_by_hand(tools)
    assert "Allowed now." in seen(owner.get("/console/terminals"))

    owner.send("/console/terminals", "/console/terminals/by-hand", allow="no")
    assert not shop.allows_by_hand(tools)


def test_a_stamp_by_hand_stands_out_in_the_list(
    owner: Browser, barista: StaffCaller, tools: Tools
) -> None:
    owner.send("/console/terminals", "/console/terminals/by-hand", allow="yes")
    card_id = members.join(tools, name="Anna").card_id
    by_hand.give(tools, card_id, stamps=2, request_id="r", staff=barista)

    page = seen(owner.get("/console/"))

    assert "2 stamps for \u2068Anna\u2069" in page or "2 stamps for Anna" in page
    assert "by hand, no code" in page
