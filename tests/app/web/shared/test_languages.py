"""Which language a page speaks, who decides it, and that all of a page speaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from babel.support import NullTranslations
from flask.testing import FlaskClient

from app import translations
from app.programme import languages as accounts
from app.programme import members, shop, staff, stamping
from app.programme.sessions import ConsoleCaller
from app.translations import LANGUAGES
from app.web.shared.errors import TABLE
from app.web.shared.field_words import FIELD_SENTENCES
from signing.codes import Kind
from tests.app.web.conftest import House, csrf_token
from tests.app.web.console.conftest import PAGES

_HTML = re.compile(r'<html lang="([^"]+)" dir="([^"]+)"')


def spoken(client: FlaskClient, path: str, asked: str = "") -> str:
    page = client.get(path, headers={"Accept-Language": asked}, follow_redirects=True)
    found = _HTML.search(page.text)
    assert found
    assert page.headers["Content-Language"] == found[1]
    assert {"Accept-Language", "Cookie"} <= set(page.vary.as_set(preserve_casing=True))
    return found[1]


def choose(client: FlaskClient, page: str, tag: str):
    seen = client.get(page, follow_redirects=True).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', seen)
    assert token, f"{page} has no chooser"
    form = {"language": tag, "next": page, "csrf_token": token[1]}
    return client.post("/language", data=form)


@pytest.fixture
def stranger(house: House) -> FlaskClient:
    return house.app.test_client()


@pytest.fixture
def anna(house: House) -> FlaskClient:
    client = house.app.test_client()
    client.set_cookie("pp_member", house.tokens["member"])
    return client


@pytest.fixture
def till(house: House) -> FlaskClient:
    client = house.app.test_client()
    client.set_cookie("pp_terminal", house.tokens["terminal"])
    return client


@pytest.fixture
def console(house: House) -> FlaskClient:
    client = house.app.test_client()
    client.set_cookie("pp_console", house.tokens["console"])
    return client


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ("da-DK,da;q=0.9,en;q=0.8", "da"),
        ("en;q=0.4,he;q=0.5", "he"),
        ("zh-TW", "zh-Hant"),
        ("sv;q=0,fr", "en"),
        ("", "en"),
    ],
)
def test_a_stranger_is_spoken_to_as_their_browser_asks(
    stranger: FlaskClient, asked: str, tag: str
):
    assert spoken(stranger, "/join", asked) == tag


def test_hebrew_pages_run_from_right_to_left(stranger: FlaskClient):
    page = stranger.get("/join", headers={"Accept-Language": "he"}).text

    found = _HTML.search(page)
    assert found
    assert found[2] == "rtl"


def test_what_a_stranger_chose_is_kept_in_the_browser(stranger: FlaskClient):
    answer = choose(stranger, "/join", "et")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/join"
    assert spoken(stranger, "/join", "da") == "et"
    # and whoever joins takes it along
    new = csrf_token(stranger, "/join")
    stranger.post("/join", data={"csrf_token": new, "name": "Ene"})
    assert spoken(stranger, "/card", "da") == "et"


def test_what_a_customer_chose_is_kept_on_the_account(house: House, anna: FlaskClient):
    choose(anna, "/card", "zh-Hant")

    assert members.member(house.tools, house.joined.member_id).locale == "zh-Hant"
    other_phone = house.app.test_client()
    other_phone.set_cookie("pp_member", house.tokens["member"])
    assert spoken(other_phone, "/card", "da") == "zh-Hant"


def test_each_barista_has_a_language_and_the_till_its_own(
    house: House, till: FlaskClient
):
    # given a till that speaks Swedish
    choose(till, "/counter/", "sv")
    assert spoken(till, "/counter/", "da") == "sv"

    # when somebody who signed in chooses Estonian
    till.set_cookie("pp_staff", house.tokens["staff"])
    choose(till, "/counter/", "et")

    # then it is theirs, and the till goes on in Swedish without them
    assert spoken(till, "/counter/", "da") == "et"
    till.delete_cookie("pp_staff")
    assert spoken(till, "/counter/", "da") == "sv"


def test_signing_in_tells_the_page_whose_language_comes(
    house: House, till: FlaskClient
):
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    noor = shop.add_staff(
        house.tools, name="Noor", role="barista", pin="4826", by=owner
    )
    accounts.keep_for_staff(house.tools, noor, "he")
    headers = {"X-CSRFToken": csrf_token(till, "/counter/")}

    answer = till.post(
        "/counter/sign-in", json={"staff_id": str(noor), "pin": "4826"}, headers=headers
    )

    assert answer.get_json()["language"] == "he"


def test_what_an_owner_chose_is_kept_on_the_account(house: House, console: FlaskClient):
    choose(console, "/console/", "da")

    assert accounts.of_staff(house.tools, house.founded.staff_id) == "da"
    assert spoken(console, "/console/staff", "en") == "da"


def test_the_api_speaks_as_the_request_asks(house: House, anna: FlaskClient):
    choose(anna, "/card", "et")

    answer = anna.get(f"/api/v1/cards/{uuid4()}", headers={"Accept-Language": "sv"})

    assert answer.get_json()["title"] == "Hittades inte"


def test_a_language_that_is_none_of_ours_is_refused(stranger: FlaskClient):
    assert choose(stranger, "/join", "tlh").status_code == 422
    assert spoken(stranger, "/join") == "en"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "x"]
)
def test_choosing_leads_to_no_other_host(stranger: FlaskClient, elsewhere: str):
    token = csrf_token(stranger, "/join")
    form = {"language": "da", "next": elsewhere, "csrf_token": token}

    assert stranger.post("/language", data=form).headers["Location"] == "/"


def test_a_language_is_chosen_from_a_page_of_ours_alone(stranger: FlaskClient):
    answer = stranger.post("/language", data={"language": "da", "next": "/join"})

    assert answer.status_code == 403
    assert spoken(stranger, "/join") == "en"


def test_a_worker_keeps_the_language_of_the_page_that_asks_for_it(
    stranger: FlaskClient,
):
    asked = {"Accept-Language": "en"}

    assert "language=he" in stranger.get("/sw.js?language=he", headers=asked).text
    assert "language=en" in stranger.get("/sw.js?language=xx", headers=asked).text


def test_the_page_for_no_network_is_kept_in_the_phones_language(anna: FlaskClient):
    def shell() -> dict[str, str]:
        source = anna.get("/sw.js").text
        return json.loads(source[source.index("{") : source.index(";\n")])

    before = shell()
    choose(anna, "/card", "da")
    after = shell()

    # another version, so that the browser fetches the shell anew
    assert before["version"] != after["version"]
    assert after["offline"] == "/offline?language=da"
    assert after["offline"] in after["files"]
    # asked for without cookies, as the worker does
    kept = anna.application.test_client().get(after["offline"])
    assert '<html lang="da"' in kept.text
    assert "Ingen forbindelse" in kept.text
    assert "csrf" not in kept.text


def test_an_undoing_is_told_in_the_readers_language(house: House, anna: FlaskClient):
    given = house.give(2)
    stamping.reverse_stamp(
        house.tools, given, staff=house.barista, reason="Undone at the till"
    )
    choose(anna, "/card", "da")

    page = anna.get("/card", follow_redirects=True).text

    assert "Fortrudt ved kassen" in page
    assert "Undone" not in page


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.tag)
def test_days_are_written_as_the_language_writes_them(
    house: House, anna: FlaskClient, language: translations.Language
):
    house.give(1)
    choose(anna, "/card", language.tag)

    page = anna.get("/card", follow_redirects=True).text

    today = house.tools.now()
    day = {
        "da": f"{today.day}. ",
        "et": f"{today.day}. ",
        "en": f"{today.day} ",
        "sv": f"{today.day} ",
        "he": f"{today.day} ב",
        "zh_Hant": f"{today.month}月{today.day}日",
    }
    assert day[language.locale] in page


OPEN, CLOSE = "⟦", "⟧"
#: Of people and programs, not of ours to translate; and each language's own name.
EXEMPT = {"bdi", "code", "option", "script", "style", "svg", "textarea", "time"}
SPOKEN_ATTRIBUTES = {"alt", "aria-label", "data-said", "placeholder", "title"}
#: Of the shop that these tests found, and what stands beside a translated word.
OWN = {"Kaffe & Brød", "Owner", "Nyhavn", "Torvet", "Havn", "N°", "4KD7 QX2", "EUR"}
VOID = {"input", "img", "link", "meta", "br", "path", "circle", "rect", "use", "hr"}


class Pseudo(NullTranslations):
    """A language in which every sentence can be told from one that is not wrapped."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"{OPEN}{msgid1 if n == 1 else msgid2}{CLOSE}"

    ugettext, ungettext = gettext, ngettext


class Seen(HTMLParser):
    """All that a person reads or hears on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.data: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.texts += [named[name] or "" for name in SPOKEN_ATTRIBUTES & named.keys()]
        is_data = named.get("type") == "application/json" and named.get("id") == "texts"
        is_own = tag in EXEMPT or ("lang" in named and tag == "button")
        if tag not in VOID:
            self.inside.append("texts" if is_data else "own" if is_own else tag)

    def handle_startendtag(
        self, _tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        self.handle_starttag("br", attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag not in VOID:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside and self.inside[-1] == "texts":
            self.texts += leaves(json.loads(data))
        elif "own" not in self.inside:
            self.texts.append(data)


def leaves(texts: object) -> Iterator[str]:
    if isinstance(texts, str):
        yield texts
        return
    for inner in texts.values() if isinstance(texts, dict) else texts:
        yield from leaves(inner)


def unwrapped(page: str) -> set[str]:
    """What has letters, and is neither a sentence of ours nor a name."""
    found = set()
    for text in Seen(page).texts:
        rest = re.sub(r"\u2068.*?\u2069", "", " ".join(text.split()))
        for name in OWN:
            rest = rest.replace(name, "")
        # An initial stands for a face; the terms are the shop's.
        if len(rest.strip()) == 1 or text.startswith("One stamp for each drink"):
            continue
        if any(letter.isalpha() for letter in rest) and OPEN not in rest:
            found.add(rest)
    return found


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "catalogue", lambda _locale: Pseudo())


@pytest.mark.usefixtures("pseudo")
def test_every_word_of_a_customers_pages_is_translated(
    house: House, anna: FlaskClient, stranger: FlaskClient
):
    # given a card on which everything has happened
    card = f"/card/{house.joined.card_id}"
    before = {path: anna.get(path).text for path in (card, f"{card}/history")}
    house.voucher()
    house.give(3)
    stamping.reverse_stamp(
        house.tools, house.give(1), staff=house.barista, reason="Undone at the till"
    )
    codes = [
        f"/S/{house.code_of(kind)}"
        for kind in (Kind.CARD, Kind.STAMP, Kind.VOUCHER, Kind.ENROLMENT)
    ]
    paths = [card, f"{card}?new=1", f"{card}/face?after=none", f"{card}/history"]
    paths += ["/scan", "/offline", "/S/" + "A" * 128, "/nowhere", *codes]

    pages = {path: anna.get(path, follow_redirects=True).text for path in paths}
    pages |= {f"{path} stranger": stranger.get(path).text for path in ["/join", *codes]}
    pages |= {f"{path} new": page for path, page in before.items()}

    wrong = {path: bare for path, page in pages.items() if (bare := unwrapped(page))}
    assert wrong == {}


@pytest.mark.usefixtures("pseudo")
def test_every_word_of_the_counter_is_translated(
    house: House, till: FlaskClient, stranger: FlaskClient
):
    pages = [stranger.get("/counter/").text, till.get("/counter/").text]
    till.set_cookie("pp_staff", house.tokens["staff"])
    pages.append(till.get("/counter/").text)

    # What is kept in the books is kept in English: see `reasons`.
    wrong = set().union(*map(unwrapped, pages)) - {"Undone at the till"}
    assert wrong == set()


@pytest.mark.usefixtures("pseudo")
def test_every_word_of_the_console_is_translated(
    house: House, console: FlaskClient, stranger: FlaskClient
):
    # given a shop in which everything has happened
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    noor = shop.add_staff(house.tools, name="⟦N", role="barista", pin="4826", by=owner)
    shop.set_active(house.tools, noor, is_active=False, by=owner)
    house.voucher()
    stamping.reverse_stamp(
        house.tools, house.give(1), staff=house.barista, reason="Undone at the till"
    )
    staff.enrol(house.tools, house.enrolment_code(), name="⟦T")
    till = shop.terminals(house.tools)[0]
    pages = {path: console.get(path).text for path in PAGES}
    shop.revoke_terminal(house.tools, till.terminal_id, by=owner)
    pages |= {
        f"{path} later": console.get(path, follow_redirects=True).text
        for path in ("/console/terminals", f"/console/staff/{noor}", "/console/nowhere")
    }
    pages["door"] = stranger.get("/console/", follow_redirects=True).text
    token = csrf_token(console, "/console/staff/new")
    answer = console.post("/console/staff/new", data={"csrf_token": token})
    pages["form"] = answer.text
    made = console.post(
        "/console/terminals/new",
        data={
            "csrf_token": token,
            "name": "⟦T",
            "location_id": house.founded.location_id,
        },
        follow_redirects=True,
    )
    pages["enrolment"] = made.text
    feed = console.get("/console/feed", headers={"Accept": "application/json"})
    pages["feed"] = "".join(line["html"] for line in feed.get_json()["lines"])

    wrong = {path: bare for path, page in pages.items() if (bare := unwrapped(page))}
    assert wrong == {}


def test_every_refusal_is_told_in_every_language(house: House):
    for language in LANGUAGES:
        if language == translations.SOURCE:
            continue
        with house.app.test_request_context(
            "/join", headers={"Accept-Language": language.tag}
        ):
            for code, line in TABLE.items():
                catalogue = translations.catalogue(language.locale)
                assert str(line.title) == catalogue.gettext(line.title._args[0]), code
                assert str(line.detail) != line.detail._args[0], code
            for word, sentence in FIELD_SENTENCES.items():
                assert str(sentence) != sentence._args[0], word
