"""Refusals and faults as people and programs meet them: one table, two shapes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import app
from app import create_app
from app.programme import errors
from app.programme.errors import Refused
from app.web.shared.errors import TABLE, field_sentence
from app.web.shared.field_words import FIELD_SENTENCES
from tests.app.web.conftest import House, books, csrf_token, problem
from tests.conftest import both_books

#: What HTTP itself refuses: no rule of the programme does.
OF_HTTP = {
    "page_too_old": 403,
    "method_not_allowed": 405,
    "too_large": 413,
    "bad_request": 400,
    "internal_error": 500,
}
#: As promised to those who use the API.
PROMISED = {
    "code_invalid": 400,
    "code_wrong_kind": 400,
    "code_expired": 410,
    "code_revoked": 410,
    "code_unknown": 410,
    "code_spent": 409,
    "code_in_use": 409,
    "voucher_spent": 409,
    "voucher_expired": 410,
    "voucher_early": 409,
    "amount_needed": 409,
    "reward_unavailable": 409,
    "not_enough": 409,
    "receipt_counted": 409,
    "erased_before": 410,
    "purchase_refunded": 409,
    "card_closed": 409,
    "not_eligible": 403,
    "limit_reached": 429,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "invalid_request": 422,
    "try_again": 503,
}


def refusals() -> dict[str, type[Refused]]:
    found = (kind for _, kind in inspect.getmembers(errors, inspect.isclass))
    return {
        kind.code: kind
        for kind in found
        if issubclass(kind, Refused) and kind is not Refused
    }


def test_every_refusal_has_a_line_and_every_line_a_refusal():
    assert refusals().keys() | OF_HTTP.keys() == TABLE.keys()
    assert refusals().keys().isdisjoint(OF_HTTP)


def test_every_refusal_is_told_apart():
    kinds = [
        kind
        for kind in Refused.__subclasses__()
        if kind.__module__ == "app.programme.errors"
    ]

    assert len({kind.code for kind in kinds}) == len(kinds) == len(PROMISED)


def test_every_code_has_the_status_that_was_promised():
    statuses = {code: int(line.status) for code, line in TABLE.items()}

    assert statuses == PROMISED | OF_HTTP


@pytest.mark.parametrize("code", TABLE)
def test_every_line_speaks_to_a_person(house: House, code: str):
    with house.app.test_request_context("/"):
        title, detail = str(TABLE[code].title), str(TABLE[code].detail)

    assert 1 <= len(title.split()) <= 4
    assert not title.endswith(".")
    assert detail.endswith(".")
    assert len(detail.split()) >= 4
    assert "_" not in title + detail


def test_every_word_for_a_field_has_a_sentence(house: House):
    """Read from the source, since no list of the words could be trusted more."""
    used = {
        word
        for path in Path(app.__file__).parent.rglob("*.py")
        for word in re.findall(
            r'(?:wrong\[[^\]]+\] = |InvalidRequest\(\{\w*"\w+": )"(\w+)"',
            path.read_text(encoding="utf-8"),
        )
    }

    # the console tells these with the fields' own words
    own = {"not_for_role", "days_missing", "not_by_invitation", "paid_already"}
    own |= {"in_use", "only_longer", "past", "gives_nothing", "price_changed", "over"}
    assert used - own <= FIELD_SENTENCES.keys()
    assert "missing" in used
    with house.app.test_request_context("/"):
        assert all(field_sentence(word).endswith(".") for word in used)


class Seen(HTMLParser):
    """The words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_person_gets_a_page(house: House):
    answer = house.app.test_client().get(
        "/card/nothing", headers={"Accept": "text/html"}
    )

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    page = Seen()
    page.feed(answer.text)
    assert "Not found" in " ".join(page.words)


def test_a_program_gets_json_wherever_it_asks(house: House):
    answer = house.app.test_client().get(
        "/nothing", headers={"Accept": "application/json"}
    )

    problem(answer, 404, "not_found")


def test_a_fault_is_told_without_its_cause(
    house: House, capsys: pytest.CaptureFixture[str]
):
    app = create_app(house.tools)

    @app.get("/api/v1/broken/S/<code>")
    def broken(code: str) -> str:
        raise RuntimeError("the secret ingredient")

    answer = app.test_client().get("/api/v1/broken/S/" + "A" * 128)

    problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    logged = capsys.readouterr().out
    assert "the secret ingredient" in logged
    # a code in an address is worth a stamp
    assert "A" * 128 not in logged


PAGES = (
    "/",
    "/join",
    "/card",
    "/scan",
    "/counter/",
    "/counter/enrol",
    "/console/",
    "/console/feed",
    "/console/staff",
    "/console/sign-in",
    "/manifest.webmanifest",
    "/sw.js",
    "/offline",
    "/shop.css",
    "/livez",
    "/readyz",
    "/S/" + "A" * 128,
)


@pytest.mark.parametrize("kind", [None, "everybody"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_breaks_without_the_books(
    house: House, make_tools, path: str, kind: str | None
):
    away = house.over(make_tools(database_url="sqlite:////nowhere/books.sqlite3"))
    client = away.app.test_client()
    for each, token in (house.tokens if kind else {}).items():
        client.set_cookie(f"pp_{each}", token)

    answer = client.get(path)

    assert answer.status_code in {200, 302, 400, 503}
    assert "Traceback" not in answer.text
    if answer.status_code == 503 and path != "/readyz" and "/S/" not in path:
        assert answer.headers["Retry-After"] == "2"


def test_readiness_names_the_store_that_is_away(house: House, make_tools, tmp_path):
    for changes, word in (
        ({"database_url": "sqlite:////nowhere/b.sqlite3"}, "database"),
        ({"redis_url": f"unix://{tmp_path}/nobody.sock"}, "Redis"),
    ):
        client = house.over(make_tools(**changes)).app.test_client()
        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert any(word in sentence for sentence in answer.get_json()["problems"])
        assert client.get("/livez").status_code == 200


def forms(house: House) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Every post of a page: its address, its fields, and whether it is JSON."""
    location, staff_id = house.founded.location_id, house.founded.staff_id
    person = ("name", "role", "pin", "location_id", "email", "password")
    yield "/join", ("name", "terms_version"), False
    yield "/collect", ("code", "card_id"), False
    yield "/counter/enrol", ("code", "name"), True
    yield "/counter/sign-in", ("staff_id", "pin"), True
    yield "/console/sign-in", ("email", "password", "next"), False
    yield "/console/locations", ("name",), False
    yield f"/console/locations/{location}", ("name",), False
    yield "/console/terminals/new", ("location_id", "name"), False
    yield "/console/staff/new", person, False
    yield f"/console/staff/{staff_id}/pin", ("pin",), False
    yield f"/console/staff/{staff_id}/console-access", ("email", "password"), False
    yield f"/console/staff/{staff_id}/sideways", (), False
    yield "/console/shop", ("name", "colour", "timezone"), False
    yield (
        "/console/programme",
        (
            "name",
            "reward",
            "stamps_required",
            "terms",
            "is_open",
        ),
        False,
    )


WORDS = st.text(max_size=30) | st.sampled_from(
    [
        "",
        "a\0b",
        "\0@b.co",
        "a\0@b.co",
        "Bo",
        "10",
        "9" * 5000,
        "#00000g",
        "owner",
        "bo@example.org",
        "a long password",
        "4071",
        "UTC",
        "/console/\r\nSet-Cookie: a=b",
    ]
)


@both_books
def test_no_form_makes_a_page_stumble(house: House):
    ready = list(forms(house))
    client = house.app.test_client()
    for kind in ("member", "terminal", "console"):
        client.set_cookie(f"pp_{kind}", house.tokens[kind])
    token = csrf_token(client)
    headers = {"X-CSRFToken": token, "Accept": "text/html"}

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def fill_in(data: st.DataObject) -> None:
        path, fields, is_json = data.draw(st.sampled_from(ready))
        form = {name: data.draw(WORDS, label=name) for name in fields}
        sent: dict[str, Any] = {"json": form} if is_json else {"data": form}
        if not is_json:
            # A form cannot hold half a character.
            sent["data"] = {
                name: text.encode("utf-8", "replace") for name, text in form.items()
            }

        answer = client.post(path, headers=headers, **sent)

        assert answer.status_code < 500, (path, form, answer.text[-500:])
        assert "Set-Cookie: a=b" not in str(answer.headers)

    fill_in()


@both_books
def test_no_question_makes_a_page_stumble(house: House):
    client = house.app.test_client()
    for kind, token in house.tokens.items():
        client.set_cookie(f"pp_{kind}", token)
    card = f"/card/{house.joined.card_id}"
    paths = (
        ("/console/", "place"),
        ("/console/feed", "after"),
        ("/console/feed", "place"),
        ("/console/sign-in", "next"),
        (card, "new"),
        (f"{card}/face", "after"),
        ("/scan", "card"),
        ("/join", "again"),
    )
    before = books(house.tools)

    for path, name in paths:
        for value in (
            "",
            "\0",
            "x" * 3000,
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "2026-11-22T10:00:00+00:00",
            "2026-11-22",
            str(house.founded.location_id),
            "00000000-0000-4000-8000-000000000000",
            "//elsewhere.example",
            "/console/\r\nSet-Cookie: a=b",
            "none",
        ):
            answer = client.get(path, query_string={name: value})
            assert answer.status_code < 500, (path, name, value)
            assert "elsewhere" not in answer.headers.get("Location", "")

    assert books(house.tools) == before
