"""The till's pages and the three posts that set or clear its cookies."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.programme import errors, sessions, shop
from app.programme.errors import Unauthenticated
from app.programme.sessions import ConsoleCaller
from app.web.counter import texts
from tests.app.web.conftest import House, csrf_token, problem

PIN = "4826"


@pytest.fixture
def device(house: House) -> FlaskClient:
    """A browser that is no till yet."""
    return house.app.test_client()


@pytest.fixture
def till(house: House) -> FlaskClient:
    """A till with nobody at it."""
    client = house.app.test_client()
    client.set_cookie("pp_terminal", house.tokens["terminal"])
    return client


@pytest.fixture
def at_work(house: House, till: FlaskClient) -> FlaskClient:
    """A till with the owner at it."""
    till.set_cookie("pp_staff", house.tokens["staff"])
    return till


@pytest.fixture
def noor(house: House) -> str:
    """A barista with a PIN; the id."""
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    made = shop.add_staff(house.tools, name="Noor", role="barista", pin=PIN, by=owner)
    return str(made)


def post(client: FlaskClient, path: str, body: object = None):
    """Post as the page's script does: JSON, with the page's token."""
    headers = {"X-CSRFToken": csrf_token(client, "/counter/")}
    return client.post(f"/counter/{path}", json=body, headers=headers)


def data(page: str, name: str) -> object:
    """Read what a page hands to its script."""
    found = re.search(
        rf'<script type="application/json" id="{name}">(.*?)</script>', page
    )
    assert found
    return json.loads(found[1])


def test_a_device_that_is_no_till_is_asked_for_its_code(device: FlaskClient):
    page = device.get("/counter/")

    assert page.status_code == 200
    assert "Make this device a till" in page.text
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/counter/", "/counter/enrol"])
def test_a_page_that_scans_may_compile_the_reader_and_film(
    device: FlaskClient, path: str
):
    page = device.get(path)

    assert "'wasm-unsafe-eval'" in page.headers["Content-Security-Policy"]
    assert "camera=(self)" in page.headers["Permissions-Policy"]


def test_a_page_that_does_not_scan_may_not(till: FlaskClient):
    page = till.get("/counter/")

    assert "wasm" not in page.headers["Content-Security-Policy"]
    assert "camera=()" in page.headers["Permissions-Policy"]


def test_the_worker_may_compile_the_reader(device: FlaskClient):
    # A worker goes by the policy of its own script, not by that of the page.
    script = device.get("/static/shared/scanner/decoder-worker.js", buffered=True)

    assert script.status_code == 200
    assert "'wasm-unsafe-eval'" in script.headers["Content-Security-Policy"]


def test_the_reader_is_served_as_what_it_is(device: FlaskClient):
    wasm = device.get(
        "/static/shared/vendor/zxing/reader/zxing_reader.wasm", buffered=True
    )

    assert wasm.content_type == "application/wasm"
    assert wasm.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", ["enrol", "till"])
def test_pages_hold_no_inline_script_or_style(
    device: FlaskClient, at_work: FlaskClient, page: str
):
    text = (
        device.get("/counter/enrol") if page == "enrol" else at_work.get("/counter/")
    ).text

    assert " style=" not in text
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag


def test_enrolling_makes_the_browser_a_till(house: House, device: FlaskClient):
    answer = post(device, "enrol", {"code": house.enrolment_code(), "name": "Front"})

    assert answer.status_code == 201
    assert answer.get_json()["name"] == "Front"
    assert answer.get_json()["location_name"] == "Nyhavn"
    assert "token" not in answer.text
    assert "Who is at the till?" in device.get("/counter/").text


def test_the_cookie_is_out_of_reach_of_scripts(house: House, device: FlaskClient):
    answer = post(device, "enrol", {"code": house.enrolment_code()})

    cookie = next(
        each for each in answer.headers.getlist("Set-Cookie") if "pp_terminal" in each
    )
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_an_enrolment_code_makes_one_till(house: House, device: FlaskClient):
    code = house.enrolment_code()
    post(device, "enrol", {"code": code})

    problem(post(house.app.test_client(), "enrol", {"code": code}), 409, "code_spent")


def test_a_cards_code_makes_no_till(house: House, device: FlaskClient):
    problem(post(device, "enrol", {"code": house.card_code()}), 400, "code_wrong_kind")


def test_enrolling_anew_sends_the_person_home(house: House, at_work: FlaskClient):
    post(at_work, "enrol", {"code": house.enrolment_code()})

    assert "Who is at the till?" in at_work.get("/counter/").text


def test_enrolling_anew_ends_what_the_browser_had(house: House, at_work: FlaskClient):
    answer = post(at_work, "enrol", {"code": house.enrolment_code()})

    assert answer.status_code == 201
    for kind in ("terminal", "staff"):
        with pytest.raises(Unauthenticated):
            sessions.who(house.tools, house.tokens[kind])


def test_signing_in_again_ends_the_session_before(
    house: House, at_work: FlaskClient, noor: str
):
    answer = post(at_work, "sign-in", {"staff_id": noor, "pin": PIN})

    assert answer.status_code == 200
    with pytest.raises(Unauthenticated):
        sessions.who(house.tools, house.tokens["staff"])
    assert sessions.who(house.tools, house.tokens["terminal"])


def test_a_till_shows_the_names_of_its_people(till: FlaskClient, noor: str):
    names = data(till.get("/counter/").text, "people")

    assert {"staff_id": noor, "name": "Noor"} in names


def test_the_right_pin_signs_in(till: FlaskClient, noor: str):
    answer = post(till, "sign-in", {"staff_id": noor, "pin": PIN})

    assert answer.get_json() == {
        "staff_id": noor,
        "name": "Noor",
        "role": "barista",
        "language": "en",
    }
    page = till.get("/counter/").text
    assert "Scan the customer" in page
    assert data(page, "me") == {"staff_id": noor, "name": "Noor"}


def test_a_wrong_pin_does_not(till: FlaskClient, noor: str):
    problem(
        post(till, "sign-in", {"staff_id": noor, "pin": "0000"}), 401, "unauthenticated"
    )

    assert "Who is at the till?" in till.get("/counter/").text


def test_a_stranger_is_refused_as_a_wrong_pin_is(till: FlaskClient):
    body = {"staff_id": str(uuid4()), "pin": PIN}

    problem(post(till, "sign-in", body), 401, "unauthenticated")


def test_guessing_a_pin_ends_in_a_wait(till: FlaskClient, noor: str):
    for _ in range(5):
        post(till, "sign-in", {"staff_id": noor, "pin": "0000"})

    told = problem(
        post(till, "sign-in", {"staff_id": noor, "pin": PIN}), 429, "limit_reached"
    )
    assert told["retry_after"] > 0


def test_nobody_signs_in_on_a_device_that_is_no_till(device: FlaskClient, noor: str):
    problem(
        post(device, "sign-in", {"staff_id": noor, "pin": PIN}), 401, "unauthenticated"
    )


def test_signing_out_ends_the_session_and_keeps_the_till(
    house: House, at_work: FlaskClient
):
    assert post(at_work, "sign-out").status_code == 204

    assert "Who is at the till?" in at_work.get("/counter/").text
    with pytest.raises(errors.Unauthenticated):
        sessions.who(house.tools, house.tokens["staff"])


def test_signing_out_twice_is_no_fault(till: FlaskClient):
    assert post(till, "sign-out").status_code == 204


@pytest.mark.parametrize("path", ["enrol", "sign-in", "sign-out"])
def test_a_post_without_the_pages_token_is_refused(at_work: FlaskClient, path: str):
    problem(at_work.post(f"/counter/{path}", json={}), 403, "page_too_old")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("enrol", {}, "code"),
        ("enrol", {"code": 7}, "code"),
        ("enrol", {"code": "x", "name": 7}, "name"),
        ("enrol", [], "body"),
        ("sign-in", {"pin": PIN}, "staff_id"),
        ("sign-in", {"staff_id": "Noor", "pin": PIN}, "staff_id"),
        ("sign-in", {"staff_id": str(uuid4())}, "pin"),
        ("sign-in", {"staff_id": str(uuid4()), "pin": 4826}, "pin"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_by_field(
    till: FlaskClient, path: str, body: object, field: str
):
    told = problem(post(till, path, body), 422, "invalid_request")

    assert list(told["fields"]) == [field]
    assert PIN not in json.dumps(told)


def test_a_person_of_another_till_has_to_sign_in_here(
    house: House, at_work: FlaskClient, device: FlaskClient
):
    # given the cookie of a person at one till in the browser of another
    post(device, "enrol", {"code": house.enrolment_code()})
    device.set_cookie("pp_staff", house.tokens["staff"])

    assert "Who is at the till?" in device.get("/counter/").text


def test_every_refusal_that_a_scan_can_meet_has_its_next_step(house: House):
    with house.app.test_request_context():
        known = texts.till_texts()["refused"]["next"]

    refusals = {each.code for each in errors.Refused.__subclasses__()}
    # The till waits by itself, signs in again, or never asks for these.
    elsewhere = {"code_in_use", "try_again", "unauthenticated", "erased_before"}
    # Members choose rewards on their own page.
    elsewhere |= {"not_enough", "reward_unavailable"}
    # "Scan again. If it stays so, tell your manager." is the step for these.
    faults = {"not_found", "invalid_request"}
    assert refusals - elsewhere - faults <= set(known)


def test_every_quantity_has_its_sentences(house: House):
    with house.app.test_request_context():
        said = texts.till_texts()

    assert len(said["given"]["stamps_for"]) == texts.MOST_STAMPS
    assert said["given"]["stamps_for"][0] == "1 stamp for {name}"
    assert said["given"]["stamps_for"][1] == "2 stamps for {name}"
    assert len(said["latest"]["stamp"]) == texts.MOST_STAMPS


def test_a_dead_phone_has_a_way_only_where_a_manager_allows_it(house: House, at_work):
    assert 'id="find"' not in at_work.get("/counter/").text
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    shop.allow_by_hand(house.tools, is_allowed=True, by=owner)

    page = at_work.get("/counter/").text

    assert 'id="find"' in page
    assert "Their phone is dead" in page
