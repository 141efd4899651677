"""Who may knock at which door: tokens, cookies, and the page's own token."""

from __future__ import annotations

import re
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.programme import sessions, shop, staff
from app.programme.sessions import ConsoleCaller
from tests.app.web.conftest import (
    Api,
    Call,
    House,
    books,
    calls,
    csrf_token,
    problem,
)

KINDS = ("member", "terminal", "staff", "console")
NOBODYS = "A" * 43
SECURE = "https://stamps.example"


def browser(house: House, *kinds: str) -> FlaskClient:
    """A browser that holds the cookies of these kinds."""
    client = house.app.test_client()
    for kind in kinds:
        client.set_cookie(f"pp_{kind}", house.tokens[kind])
    return client


def closed(house: House) -> list[Call]:
    """Every call that asks who is there."""
    return [call for call in calls(house) if None not in call.kinds]


def test_each_door_opens_to_its_own_kinds_alone(house: House):
    ready = closed(house)
    before = books(house.tools)
    for call in ready:
        for kind in set(KINDS) - call.kinds:
            refused = house.api(kind)(call.method, call.path, call.body)
            assert refused.status_code == 403, (str(call), kind)
            problem(refused, 403, "forbidden")
    assert books(house.tools) == before

    # and these were good calls
    for call in ready:
        for kind in call.kinds:
            answer = house.api(kind)(call.method, call.path, call.body)
            assert answer.status_code in {200, 201}, (str(call), kind)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {NOBODYS}"},
        {"Authorization": "Basic b3duZXI6cGFzc3dvcmQ="},
        {"Authorization": NOBODYS},
    ],
    ids=["none", "empty", "nobody's", "basic", "bare"],
)
def test_no_door_opens_to_strangers(house: House, headers: dict[str, str]):
    ready = closed(house)
    before = books(house.tools)

    for call in ready:
        refused = house.api()(call.method, call.path, call.body, headers=headers)
        problem(refused, 401, "unauthenticated")

    assert books(house.tools) == before


def test_a_bearer_needs_no_token_of_a_page(house: House):
    """Nothing sends a header by itself, so nobody can make a browser send it."""
    for call in closed(house):
        kind = next(iter(call.kinds))
        answer = house.api(kind)(call.method, call.path, call.body)
        assert answer.status_code in {200, 201}, str(call)


@pytest.mark.parametrize("bad", ["", NOBODYS, "x", NOBODYS[:-1], f"{NOBODYS} x"])
def test_a_bad_bearer_never_falls_back_to_the_cookie(house: House, bad: str):
    ready = closed(house)
    client = browser(house, *KINDS)
    headers = {"Authorization": f"Bearer {bad}", "X-CSRFToken": csrf_token(client)}
    before = books(house.tools)

    for call in ready:
        refused = client.open(
            f"/api/v1{call.path}", method=call.method, json=call.body, headers=headers
        )
        problem(refused, 401, "unauthenticated")

    assert books(house.tools) == before


def test_a_bearer_of_another_kind_never_falls_back_to_the_cookie(house: House):
    client = browser(house, *KINDS)
    headers = {
        "Authorization": f"Bearer {house.tokens['member']}",
        "X-CSRFToken": csrf_token(client),
    }

    refused = client.post("/api/v1/stamp-codes", json={}, headers=headers)

    problem(refused, 403, "forbidden")


def send(client: FlaskClient, call: Call, **headers: str) -> Any:
    return client.open(
        f"/api/v1{call.path}", method=call.method, json=call.body, headers=headers
    )


def by_cookie(call: Call) -> frozenset[str | None]:
    """Who may call from a page; a till by itself is a program, and has a bearer."""
    return call.kinds - {"terminal"} if "staff" in call.kinds else call.kinds


def test_a_cookie_with_the_pages_token_opens_each_door(house: House):
    for call in closed(house):
        for kind in by_cookie(call):
            client = browser(house, str(kind))
            answer = send(client, call, **{"X-CSRFToken": csrf_token(client)})
            assert answer.status_code in {200, 201}, str(call)


def test_a_cookie_without_the_pages_token_changes_nothing(house: House):
    ready = [call for call in closed(house) if call.method == "POST"]
    before = books(house.tools)

    for call in ready:
        client = browser(house, *KINDS)
        token = csrf_token(client)
        # given the token of a page in another browser
        others = csrf_token(browser(house, *KINDS))
        for headers in (
            {},
            {"X-CSRFToken": ""},
            {"X-CSRFToken": "nonsense"},
            {"X-CSRFToken": token[:-1]},
            {"X-CSRFToken": others},
        ):
            refused = send(client, call, **headers)
            assert refused.status_code == 403, (str(call), headers)
            problem(refused, 403, "page_too_old")

    assert books(house.tools) == before


def test_a_cookie_alone_may_look(house: House):
    for call in closed(house):
        if call.method == "GET":
            for kind in by_cookie(call):
                answer = send(browser(house, str(kind)), call)
                assert answer.status_code == 200, str(call)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_in_the_cookie_of_another_kind_is_no_ones(house: House, kind: str):
    client = house.app.test_client()
    for cookie in set(KINDS) - {kind}:
        client.set_cookie(f"pp_{cookie}", house.tokens[kind])
    token = csrf_token(client)

    for call in closed(house):
        refused = send(client, call, **{"X-CSRFToken": token})
        problem(refused, 401, "unauthenticated")


def test_no_page_takes_a_form_without_its_token(house: House):
    client = browser(house, *KINDS)
    staff_id, location_id = house.founded.staff_id, house.founded.location_id
    batch_id, entry_id = house.print_batch(), house.give(1)
    before = books(house.tools)

    for rule in house.app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.rule.startswith("/api/"):
            path = rule.rule.replace("<uuid:staff_id>", str(staff_id))
            path = path.replace("<uuid:location_id>", str(location_id))
            path = path.replace("<uuid:terminal_id>", str(house.barista.terminal_id))
            path = path.replace("<uuid:card_id>", str(house.joined.card_id))
            path = path.replace("<uuid:batch_id>", str(batch_id))
            path = path.replace("<uuid:entry_id>", str(entry_id))
            path = path.replace("<uuid:signal_id>", str(uuid4()))
            path = path.replace("<to>", "off").replace("<way>", "pause")
            # whatever else an address names: nothing is looked up before the token
            path = re.sub(r"<uuid:\w+>", str(uuid4()), path)
            path = re.sub(r"<int:\w+>", "1", path)
            path = re.sub(r"<\w+>", "A" * 18, path)
            assert "<" not in path
            if path.startswith("/unsubscribe/"):
                # a mail program posts there; the link's seal is looked at instead
                continue
            refused = client.post(path, data={"name": "Mallory", "reason": "none"})
            assert refused.status_code == 403, path
            assert "Page too old" in refused.text

    assert books(house.tools) == before


def cookies(answer: Any) -> SimpleCookie:
    """Read what an answer puts into the browser's cookies."""
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.getlist("Set-Cookie"):
        jar.load(header)
    return jar


def first_visits(house: House, client: FlaskClient, **more: Any) -> dict[str, Any]:
    """Do everything that gives a browser a token, from a page's form."""
    token = csrf_token(client, **more)
    enrolment = {"code": house.enrolment_code(), "name": "Till"}
    pin = {"staff_id": str(house.founded.staff_id), "pin": house.founded.pin}
    owner = {"email": house.founded.email, "password": house.founded.password}
    headers = {"X-CSRFToken": token, **more.pop("headers", {})}
    return {
        "member": client.post("/join", data={"name": "Bo"}, headers=headers, **more),
        "terminal": client.post(
            "/counter/enrol", json=enrolment, headers=headers, **more
        ),
        "staff": client.post("/counter/sign-in", json=pin, headers=headers, **more),
        "console": client.post("/console/sign-in", data=owner, headers=headers, **more),
    }


def test_cookies_on_the_machine_itself(house: House):
    for kind, answer in first_visits(house, house.app.test_client()).items():
        cookie = cookies(answer)[f"pp_{kind}"]
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        # by http a browser would drop it
        assert not cookie["secure"]


@pytest.fixture
def secure(house: House, make_tools) -> House:
    """The shop as it is reached by https."""
    return house.over(make_tools(origin=SECURE))


def test_cookies_by_https_are_this_hosts_alone(secure: House):
    more = {"base_url": SECURE, "headers": {"Referer": f"{SECURE}/"}}
    client = secure.app.test_client()

    answers = first_visits(secure, client, **more)

    for kind, answer in answers.items():
        cookie = cookies(answer)[f"__Host-pp_{kind}"]
        assert cookie["secure"] is True
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]


def test_the_pages_own_cookie_is_as_strict(house: House, secure: House):
    by_https = secure.app.test_client().get("/counter/enrol", base_url=SECURE)
    by_http = house.app.test_client().get("/counter/enrol")

    strict = cookies(by_https)["__Host-pp_page"]
    plain = cookies(by_http)["pp_page"]

    for cookie in (strict, plain):
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
    assert strict["secure"] is True


def test_by_https_a_plain_cookie_is_no_ones(secure: House):
    """Any host of the domain could have set it."""
    client = secure.app.test_client()
    client.set_cookie("pp_member", secure.tokens["member"], domain="stamps.example")

    refused = client.get(f"/api/v1/cards/{secure.joined.card_id}", base_url=SECURE)

    problem(refused, 401, "unauthenticated")


def test_by_https_another_sites_page_is_refused(secure: House):
    client = secure.app.test_client()
    client.set_cookie(
        "__Host-pp_member", secure.tokens["member"], domain="stamps.example"
    )
    token = csrf_token(client, base_url=SECURE)
    path = f"/api/v1/cards/{secure.joined.card_id}/code"

    def ask(page: str) -> Any:
        headers = {"X-CSRFToken": token, "Referer": page}
        return client.post(path, base_url=SECURE, headers=headers)

    problem(ask("https://elsewhere.example/"), 403, "page_too_old")
    assert ask(f"{SECURE}/card").status_code == 201


def test_signing_out_ends_the_token_itself(house: House):
    client = browser(house, "terminal", "staff")
    headers = {"X-CSRFToken": csrf_token(client)}

    answer = client.post("/counter/sign-out", headers=headers)

    assert answer.status_code == 204
    assert cookies(answer)["pp_staff"].value == ""
    # a copy of it is worth nothing either
    refused = house.api("staff").post("/stamp-codes", {})
    problem(refused, 401, "unauthenticated")
    assert house.api("terminal").get("/staff").status_code == 200


def test_an_ended_token_is_no_ones(house: House):
    ready = closed(house)

    for token in house.tokens.values():
        sessions.end(house.tools, token)

    before = books(house.tools)
    for call in ready:
        for kind in KINDS:
            refused = house.api(kind)(call.method, call.path, call.body)
            problem(refused, 401, "unauthenticated")
    assert books(house.tools) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_lives_as_long_as_its_kind(house: House, clock, kind: str):
    # The house may have been built a while ago, at the start of the run.
    path = f"/cards/{house.joined.card_id}"
    clock.forward(sessions.LIFETIME[kind] - timedelta(hours=1))
    assert house.api(kind).get(path).status_code in {200, 403}

    clock.forward(timedelta(hours=1, minutes=1))

    problem(house.api(kind).get(path), 401, "unauthenticated")


def owner(house: House) -> ConsoleCaller:
    return ConsoleCaller(house.founded.staff_id, "Owner", "owner")


def test_revoking_a_terminal_stops_its_staff_at_once(house: House):
    terminal_id = house.barista.terminal_id
    ready = [call for call in closed(house) if call.kinds & {"terminal", "staff"}]

    shop.revoke_terminal(house.tools, terminal_id, by=owner(house))

    before = books(house.tools)
    for call in ready:
        for kind in call.kinds & {"terminal", "staff"}:
            refused = house.api(kind)(call.method, call.path, call.body)
            problem(refused, 401, "unauthenticated")
    assert books(house.tools) == before
    # a token that was made beside the books of it is dead as well
    late = house.grant(
        "staff", terminal_id=terminal_id, staff_id=house.founded.staff_id
    )
    problem(Api(house.app, late).post("/stamp-codes", {}), 401, "unauthenticated")


def hire(house: House) -> Any:
    return shop.add_staff(
        house.tools, name="Bo", role="barista", pin="4071", by=owner(house)
    )


def sign_in(house: House, staff_id: Any, pin: str) -> Any:
    body = {"staff_id": str(staff_id), "pin": pin}
    return house.api("terminal").post("/staff-sessions", body)


def test_switching_a_person_off_stops_them_at_once(house: House):
    bo = hire(house)
    token = sign_in(house, bo, "4071").get_json()["token"]
    assert Api(house.app, token).post("/stamp-codes", {}).status_code == 201

    shop.set_active(house.tools, bo, is_active=False, by=owner(house))

    problem(Api(house.app, token).post("/stamp-codes", {}), 401, "unauthenticated")
    problem(sign_in(house, bo, "4071"), 401, "unauthenticated")
    names = [row["name"] for row in house.api("terminal").get("/staff").get_json()]
    assert names == ["Owner"]


def test_a_new_pin_ends_what_the_old_one_began(house: House):
    bo = hire(house)
    token = sign_in(house, bo, "4071").get_json()["token"]

    shop.set_pin(house.tools, bo, pin="9264", by=owner(house))

    problem(Api(house.app, token).post("/stamp-codes", {}), 401, "unauthenticated")
    problem(sign_in(house, bo, "4071"), 401, "unauthenticated")
    assert sign_in(house, bo, "9264").status_code == 201


def test_a_staff_cookie_of_another_till_shows_no_scanner(house: House):
    enrolled = staff.enrol(house.tools, house.enrolment_code())
    client = browser(house, "staff")
    client.set_cookie("pp_terminal", enrolled.token)

    page = client.get("/counter/").text

    assert str(house.founded.staff_id) in page
    assert page != browser(house, "staff", "terminal").get("/counter/").text


def test_a_terminal_knows_only_who_works_there(house: House):
    elsewhere = shop.add_location(house.tools, name="Harbour", by=owner(house))
    bo = shop.add_staff(
        house.tools,
        name="Bo",
        role="barista",
        pin="4071",
        location_id=elsewhere,
        by=owner(house),
    )

    names = house.api("terminal").get("/staff").get_json()

    assert [row["name"] for row in names] == ["Owner"]
    problem(sign_in(house, bo, "4071"), 401, "unauthenticated")


CONSOLE = "/console/ /console/feed /console/staff /console/shop /console/terminals"


@pytest.mark.parametrize("path", CONSOLE.split())
@pytest.mark.parametrize("kind", [None, "member", "terminal", "staff"])
def test_the_console_opens_to_owners_and_managers_alone(
    house: House, path: str, kind: str | None
):
    client = house.app.test_client()
    if kind:
        # in its own cookie, and in the one that the console asks
        client.set_cookie(f"pp_{kind}", house.tokens[kind])
        client.set_cookie("pp_console", house.tokens[kind])

    answer = client.get(path, headers={"Accept": "text/html"})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/console/sign-in")


def test_the_card_of_another_member_is_no_page(house: House):
    other = house.join().card_id
    client = browser(house, "member")

    for path in (f"/card/{other}", f"/card/{other}/face", f"/card/{other}/history"):
        assert client.get(path).status_code == 404
        assert house.app.test_client().get(path).status_code == 401


def test_a_double_tap_joins_once_and_a_later_one_anew(house: House, clock):
    # given a browser that taps twice, before its first answer came
    client = house.app.test_client()
    headers = {"X-CSRFToken": csrf_token(client, "/join")}

    def tap() -> str:
        client.delete_cookie("pp_member")
        answer = client.post("/join", headers=headers)
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    first = tap()
    assert tap() == first

    # when it has lost its card, and taps an hour later
    clock.forward(timedelta(hours=1))

    # then that is somebody new, who is not kept out
    assert tap() != first


@pytest.mark.parametrize("more", ["", '; filename="a.png"'])
def test_a_form_with_a_field_that_has_no_name_is_refused(house: House, more: str):
    client = browser(house, "console")
    token = csrf_token(client, "/console/shop")
    body = f"--x\r\nContent-Disposition: form-data{more}\r\n\r\nodd\r\n--x--\r\n"

    answer = client.post(
        "/console/shop",
        data=body.encode(),
        content_type="multipart/form-data; boundary=x",
        headers={"X-CSRFToken": token},
    )

    assert answer.status_code == 400
