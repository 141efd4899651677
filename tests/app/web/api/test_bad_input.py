"""Whatever is sent, the API says no in its one shape, and writes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import MOST_BODY
from app.web.shared.errors import TABLE
from tests.app.web.conftest import Api, Call, House, books, calls, problem
from tests.conftest import both_books

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")


def with_bodies(house: House) -> Iterator[tuple[Api, Call]]:
    """Give each call that reads a body, and somebody who may make it."""
    for call in calls(house):
        if call.body is not None:
            yield house.api(next(iter(call.kinds))), call


def send(api: Api, call: Call, body: object, **more: Any):
    """Send a body of any kind, as bytes or to be written as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    options = {"content_type": "application/json", **more}
    return api(call.method, call.path, data=data, **options)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"true",
        b"7",
        b'"code"',
        b"NaN",
        b"{'code': 'x'}",
        b'{"a": 1,}',
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        b'{"code": "\xff"}',
        b'{"code": "\\ud800", "reason": "\\ud800", "name": "\\ud800", "pin": "\\ud8"}',
        b"[" * 30_000,
        b'{"code":' * 7_000,
        b'[{"code": 1}]',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_json_object_is_refused(house: House, body: bytes):
    ready = list(with_bodies(house))
    before = books(house.tools)

    for api, call in ready:
        refused = send(api, call, body)
        assert refused.status_code == 422, (str(call), refused.text)
        problem(refused, 422, "invalid_request")

    assert books(house.tools) == before


#: Values of another type than each field's, by the field.
# fmt: off
WRONG: dict[str, tuple[object, ...]] = {
    "name": (7, True, [], {}, 1.5),
    "code": (None, 7, True, [], {}, "", "x" * 401),
    "staff_id": (None, 7, True, [], "", "x", "0" * 32 + "0"),
    "card_id": (None, 7, True, [], "", "x", "0" * 32 + "0"),
    "programme": (None, 7, True, [], "", "x", "0" * 32 + "0"),
    "reward_id": (None, 7, True, [], "", "x", "0" * 32 + "0"),
    "edition": (None, "1", True, 1.5, [1], 0, -1, 1_000_001, 10**40),
    "q": (None, 7, True, [], "", "  ", "ab", "1234", "%%%%", "x" * 81, "abc\0"),
    "pin": (None, 1234, True, ["1"], "1" * 33),
    "stamps": (None, "1", True, False, 1.5, [1], 0, 6, -1, 10**40, -(2**63), 1e308),
    "request_id": (None, 7, True, [], "", " ", "a b", "é", "a\n", "x" * 65, "\0"),
    "amount": ("1", True, 1.5, [1], -1, 10_000_001, 10**40, -(2**63), 1e308),
    "items": (
        None, 7, "x", {}, [7], [{}], [{"item_id": "x"}], [{"item_id": str(uuid4())}],
        [{"item_id": str(uuid4()), "quantity": 0}],
        [{"item_id": str(uuid4()), "quantity": 100}],
        [{"item_id": str(uuid4()), "price": 1}],
        [{"item_id": str(uuid4())}] * 41,
    ),
    "lines": (None, 7, "1", [0], ["1"], [True], [100], [2], [1] * 51),
    "till_number": (None, 7, True, [], "", " ", "a b", "é", "a\n", "x" * 61, "\0"),
    "reason": (None, 7, True, [], "", "  ", "x" * 401, "a\0b", "a\x1bb", "a\u202eb"),
}
# fmt: on


def test_a_field_of_the_wrong_type_is_named(house: House):
    ready = list(with_bodies(house))
    before = books(house.tools)

    for api, call in ready:
        for field in call.body or {}:
            for value in WRONG[field]:
                refused = send(api, call, {**(call.body or {}), field: value})
                assert refused.status_code == 422, (str(call), field, value)
                told = problem(refused, 422, "invalid_request")
                assert told["fields"].keys() == {field}, (str(call), field, value)

    assert books(house.tools) == before


def test_a_field_that_is_missing_is_named(house: House):
    ready = list(with_bodies(house))
    before = books(house.tools)

    for api, call in ready:
        for field in (call.body or {}).keys() - {"name", "stamps", "items", "lines"}:
            body = {name: value for name, value in call.body.items() if name != field}
            told = problem(send(api, call, body), 422, "invalid_request")
            assert told["fields"].keys() == {field}

    assert books(house.tools) == before


def test_a_field_that_we_do_not_know_is_refused(house: House):
    ready = list(with_bodies(house))
    before = books(house.tools)

    for api, call in ready:
        refused = send(api, call, {**(call.body or {}), "is_admin": True})
        told = problem(refused, 422, "invalid_request")
        assert told["fields"].keys() == {"is_admin"}

    assert books(house.tools) == before


def test_a_number_of_ten_thousand_digits_is_refused(house: House):
    body = b'{"stamps": ' + b"9" * 10_000 + b"}"

    for path in ("/stamp-codes", "/stamps"):
        refused = house.api("staff").post(path, data=body)
        problem(refused, 422, "invalid_request")
        assert "999" not in refused.text


def test_too_much_is_refused(house: House):
    ready = list(with_bodies(house))
    before = books(house.tools)

    for api, call in ready:
        much = json.dumps(call.body).encode() + b" " * MOST_BODY
        problem(send(api, call, much), 413, "too_large")

    assert books(house.tools) == before


def test_a_body_may_be_as_long_as_we_say(house: House):
    body = b'{"name": "Bo"}'.ljust(MOST_BODY)

    assert house.api().post("/members", data=body).status_code == 201


def test_another_method_is_refused_with_those_that_serve(house: House):
    ready = calls(house)
    before = books(house.tools)
    allowed: dict[str, set[str]] = {}
    for call in ready:
        allowed.setdefault(call.path, set()).add(call.method)

    for path, methods in allowed.items():
        serve = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        for method in {*METHODS, "HEAD"} - serve:
            refused = house.api("staff")(method, path)
            assert refused.status_code == 405, (method, path)
            if method != "HEAD":
                problem(refused, 405, "method_not_allowed")
            assert set(refused.headers["Allow"].split(", ")) == serve

    assert books(house.tools) == before


def test_options_tells_the_methods_and_lets_no_other_site_in(house: House):
    ready = calls(house)
    before = books(house.tools)
    asks = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
    }

    for call in ready:
        told = house.api()("OPTIONS", call.path, headers=asks)
        assert told.status_code == 200
        assert call.method in told.headers["Allow"]
        assert not [name for name, _ in told.headers if name.startswith("Access-")]

    assert books(house.tools) == before


def test_head_is_get_without_its_body(house: House):
    for call in calls(house):
        if call.method == "GET":
            api = house.api(next(iter(call.kinds)))
            got, head = api.get(call.path), api("HEAD", call.path)
            assert (head.status_code, head.data) == (200, b"")
            assert head.headers.get("ETag") == got.headers.get("ETag")


NO_IDS = (
    "x",
    "0",
    "-1",
    "..",
    "%00",
    "%0a",
    "%20",
    "%2e%2e%2f",
    "%F0%9F%8D%B5",
    "%ff%fe",
    "' OR 1=1 --",
    "{00000000-0000-4000-8000-000000000000}",
    "urn:uuid:00000000-0000-4000-8000-000000000000",
    "00000000-0000-4000-8000-00000000000",
    "00000000-0000-4000-8000-0000000000000",
    "00000000-0000-4000-8000-00000000000\u0660",
    "\uff10" * 32,
    "9" * 5000,
)


@pytest.mark.parametrize("bad", NO_IDS, ids=lambda bad: ascii(bad)[:24])
def test_an_id_that_is_none_finds_nothing(house: House, bad: str):
    ready = [call for call in calls(house) if "{id}" in call.name]
    before = books(house.tools)

    for call in ready:
        path = call.name.replace("{id}", bad)
        api = house.api(next(iter(call.kinds)))
        refused = api(call.method, path, call.body)
        assert refused.status_code in {308, 404, 405, 422}, path
        assert "Traceback" not in refused.text

    assert books(house.tools) == before


#: A letter that looks or folds like one of base32, and the one.
LOOK_ALIKES = {
    "cyrillic": ("\u0410", "A"),
    "greek": ("\u0391", "A"),
    "full width": ("\uff21", "A"),
    "long s": ("\u017f", "S"),
    "kelvin": ("\u212a", "K"),
    "dotless i": ("\u0131", "I"),
    "dotted i": ("\u0130", "I"),
    "full width digit": ("\uff12", "2"),
    "arabic digit": ("\u0662", "2"),
    "mathematical": ("\U0001d400", "A"),
}


@pytest.mark.parametrize("pair", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_a_letter_that_looks_like_another_is_another(
    house: House, pair: tuple[str, str]
):
    other, ours = pair
    code = next(code for code in iter(house.card_code, "") if ours in code)
    before = books(house.tools)

    for text in (
        code.replace(ours, other, 1),
        code.lower().replace(ours.lower(), other),
    ):
        body = {"code": text, "request_id": "1"}
        refused = house.api("staff").post("/stamps", body)
        problem(refused, 400, "code_invalid")

    assert books(house.tools) == before


@pytest.mark.parametrize(
    "spoil",
    [
        "{} ",
        " {}",
        "{}\n",
        "{}\0",
        "\ufeff{}",
        "{}=",
        "{}{}",
        "https://localhost:8000/S/{}/",
        "https://localhost:8000/S/{}?a=1",
        "https://localhost:8000/S/{}#a",
        "https://localhost:8000/T/{}",
        "javascript:/S/{}",
    ],
    ids=ascii,
)
def test_a_code_with_something_around_it_is_none(house: House, spoil: str):
    code = house.card_code()
    before = books(house.tools)

    body = {"code": spoil.format(code, code), "request_id": "1"}
    refused = house.api("staff").post("/stamps", body)

    assert refused.status_code in {400, 422}
    problem(
        refused,
        refused.status_code,
        "code_invalid" if refused.status_code == 400 else "invalid_request",
    )
    assert books(house.tools) == before


@pytest.mark.parametrize(
    "path", ["//members", "//stamps", "/stamps//", "/stamps/", "//cards//x//code"]
)
def test_slashes_too_many_lead_nowhere_else(house: House, path: str):
    before = books(house.tools)

    answer = house.api("staff").post(path, {"name": "Bo"})

    assert answer.status_code in {308, 404}
    if answer.status_code == 308:
        assert answer.headers["Location"].startswith("http://localhost/api/v1/")
    assert books(house.tools) == before


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/xml",
        "nonsense",
        "",
    ],
)
def test_a_form_is_no_json(house: House, content_type: str):
    ready = list(with_bodies(house))
    before = books(house.tools)

    for api, call in ready:
        for data in (b"code=x&stamps=1&name=Bo", b"--x\r\n\r\n1\r\n--x--\r\n"):
            refused = send(api, call, data, content_type=content_type)
            problem(refused, 422, "invalid_request")

    assert books(house.tools) == before


BAD_HEADERS = {
    "bearer of nothing": {"Authorization": "Bearer"},
    "bearer of spaces": {"Authorization": "Bearer    "},
    "bearer of latin": {"Authorization": "Bearer \xe6\xf8\xe5"},
    "bearer of much": {"Authorization": "Bearer " + "A" * 60_000},
    "bearer of nul": {"Authorization": "Bearer " + "\0" * 43},
    "basic": {"Authorization": "Basic !!!"},
    "cookies": {"Cookie": "pp_member=\xff; pp_page=.x.y; pp_staff=" + "A" * 43},
    "a page's cookie": {"Cookie": "pp_page=eyJhIjoxfQ.aaaaaa.bbbbbb"},
    "languages": {"Accept-Language": "*;q=x, en-;q=2, \xff, " + "a-" * 500},
    "types": {"Accept": "text/html;q=abc, */, ;;, " + "a/b," * 500},
    "tags": {"If-None-Match": 'W/"\xff", *, "'},
    "a proxy's words": {"X-Forwarded-For": "unknown", "X-Forwarded-Host": "\xff"},
    "a host": {"Host": 'x"><script>'},
    "an empty host": {"Host": ""},
}


@pytest.mark.parametrize("headers", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_headers_of_nonsense_do_no_harm(house: House, headers: dict[str, str]):
    ready = calls(house)
    before = books(house.tools)

    for call in ready:
        if None not in call.kinds:
            answer = house.api()(call.method, call.path, call.body, headers=headers)
            assert 400 <= answer.status_code < 500, (str(call), answer.status_code)
            assert "<script>" not in answer.text

    assert books(house.tools) == before


def test_joining_through_a_proxy_that_tells_no_address_is_counted(
    house: House, make_tools
):
    behind = house.over(make_tools(proxy_hops=1))
    headers = {"X-Forwarded-For": "unknown"}

    assert behind.api().post("/members", {}, headers=headers).status_code == 201


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
TEXTS = st.text(max_size=60) | st.sampled_from(
    ["\0", "a\0b", "\x1f", "a\0@b.co", "\U0001f375", "1", "0000", "A" * 128, "22 22222"]
)
FIELDS = [
    "programme",
    "name",
    "email",
    "locale",
    "terms_version",
    "invite",
    "code",
    "staff_id",
    "pin",
    "stamps",
    "request_id",
    "reason",
    "x",
]


def bodies(call: Call) -> st.SearchStrategy[object]:
    """Draw JSON that comes near to what a call takes, or not at all."""
    own = st.fixed_dictionaries(
        {},
        optional={
            field: JSON | TEXTS | st.just((call.body or {}).get(field, 1))
            for field in FIELDS
        },
    )
    kept = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[:3], JSON))
    known = st.sampled_from(sorted(call.body or {"x": 1})).flatmap(
        lambda field: (JSON | TEXTS).map(
            lambda value: {**(call.body or {}), field: value}
        )
    )
    return JSON | own | known | kept


@both_books
def test_no_json_makes_any_call_stumble(house: House):
    ready = calls(house)

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def throw(data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(ready))
        body = data.draw(bodies(call))
        kind = data.draw(st.sampled_from(sorted(call.kinds, key=str)))

        answer = send(house.api(kind), call, body)

        assert answer.status_code < 500, (str(call), body, answer.text)
        if answer.status_code >= 400:
            problem(answer, answer.status_code, answer.get_json()["code"])
            assert answer.get_json()["code"] in TABLE

    throw()


@both_books
def test_no_text_in_an_address_makes_us_stumble(house: House):
    rules = [
        rule
        for rule in house.app.url_map.iter_rules()
        if rule.arguments and "GET" in (rule.methods or set())
    ]

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(rules), TEXTS | st.text(st.characters(max_codepoint=127)))
    def open_(rule: Any, text: str) -> None:
        path = re.sub("<[^>]*>", lambda _: quote(text), rule.rule)
        client = house.app.test_client()
        for kind, token in house.tokens.items():
            client.set_cookie(f"pp_{kind}", token)

        answer = client.get(path)

        assert answer.status_code < 500, (path, answer.text)

    open_()
