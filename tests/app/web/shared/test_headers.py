"""What a browser may do with our answers, page by page; looking costs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from app.programme import signals
from app.programme.signals import desk
from app.store.nonces import ClaimState
from signing.codes import Kind
from tests.app.web.conftest import House, books, csrf_token

KINDS = ("member", "terminal", "staff", "console")
#: Who opens pages: with which cookies.
PEOPLE = {
    "stranger": (),
    "member": ("member",),
    "till": ("terminal",),
    "staff": ("terminal", "staff"),
    "console": ("console",),
}
#: May be kept if asked after each time; nothing of them is anybody's.
REVALIDATED = {"/shop.css", "/sw.js"}
#: The id of nothing.
NONE_SUCH = uuid4()
#: Pages that read codes, and who sees them so.
SCANNING = {
    ("member", "/scan"),
    ("staff", "/counter/"),
    *((person, "/counter/enrol") for person in PEOPLE),
    # who is no till yet is asked to become one
    ("stranger", "/counter/"),
    ("member", "/counter/"),
    ("console", "/counter/"),
}


@pytest.fixture
def busy(house: House) -> House:
    """A shop in which every page has something to show."""
    house.give(10)
    house.give(3)
    return house


def browser(house: House, kinds: tuple[str, ...]) -> FlaskClient:
    client = house.app.test_client()
    for kind in kinds:
        client.set_cookie(f"pp_{kind}", house.tokens[kind])
    return client


def open_(client: FlaskClient, path: str, method: str = "GET") -> Any:
    """Open an address as a browser does; the answer is read to its end."""
    accept = {"Accept": "text/html"}
    return client.open(path, method=method, headers=accept, buffered=True)


def addresses(house: House) -> Iterator[str]:
    """Every address that a browser may GET, filled in."""
    fill = {
        "card_id": str(house.joined.card_id),
        "batch_id": str(house.print_batch()),
        "staff_id": str(house.founded.staff_id),
        "location_id": str(house.founded.location_id),
        "signal_id": str(raise_signal(house)),
        "code_id": "0" * 18,
        "nonce": "0" * 18,
        "key_id": "1",
        "filename": "punchproof.css",
        # A logo that is not there; one that is has rules of its own, in test_look.
        "name": "none-64",
    }
    for rule in house.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        if rule.arguments == {"code"}:
            for kind in (Kind.CARD, Kind.STAMP, Kind.VOUCHER, Kind.ENROLMENT):
                yield rule.rule.replace("<code>", house.code_of(kind))
            yield rule.rule.replace("<code>", "A" * 128)
            continue
        path = rule.rule
        for name, value in fill.items():
            for converter in ("", "uuid:", "int:", "path:"):
                path = path.replace(f"<{converter}{name}>", value)
        # of these there is none; a page that has one is its own tests' to open
        path = re.sub(r"<uuid:\w+>", str(NONE_SUCH), path)
        path = re.sub(r"<\w+>", "A" * 18, path)
        assert "<" not in path, path
        yield path


def raise_signal(house: House) -> UUID:
    """Let something look odd; the signal's id."""
    with house.tools.database.begin() as tx:
        evidence = {"stamps": 38, "usual": 4}
        card_id = house.joined.card_id
        signals.put(
            tx,
            signals.Raised("favourite", house.tools.now(), evidence, card_id=card_id),
        )
    return desk.signals(house.tools)[0].signal_id


def visits(house: House) -> Iterator[tuple[str, str, Any]]:
    """Open every address as everybody: person, path, answer."""
    paths = list(addresses(house))
    for person, kinds in PEOPLE.items():
        client = browser(house, kinds)
        for path in paths:
            yield person, path, open_(client, path)


def policy(answer: Any) -> dict[str, list[str]]:
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return {name: values for name, *values in (part.split(" ") for part in parts)}


def test_every_answer_tells_browsers_what_they_may_do(busy: House):
    for _, path, answer in visits(busy):
        headers, rules = answer.headers, policy(answer)
        assert rules["default-src"] == ["'none'"], path
        assert rules["frame-ancestors"] == ["'none'"]
        assert rules["base-uri"] == ["'none'"]
        assert rules["form-action"] == ["'self'"]
        assert rules["style-src"] == ["'self'"]
        assert rules["script-src"] in (["'self'"], ["'self'", "'wasm-unsafe-eval'"])
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert "'unsafe-eval'" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "microphone=()" in headers["Permissions-Policy"]
        assert "Access-Control-Allow-Origin" not in headers


def test_pages_that_scan_may_use_wasm_and_the_camera_and_no_other(busy: House):
    for person, path, answer in visits(busy):
        if answer.status_code != 200:
            continue
        may_scan = (person, path) in SCANNING
        assert ("'wasm-unsafe-eval'" in policy(answer)["script-src"]) == may_scan, (
            person,
            path,
        )
        camera = "camera=(self)" if may_scan else "camera=()"
        assert camera in answer.headers["Permissions-Policy"], (person, path)


@pytest.mark.parametrize(
    ("path", "may_scan"),
    [
        ("/static/shared/scanner/decoder-worker.js", True),
        ("/static/shared/scanner/scanner.js", True),
        ("/static/shared/api.js", False),
        ("/static/counter/till.js", False),
        ("/static/shared/vendor/zxing/reader/index.js", False),
    ],
)
def test_the_scanners_own_scripts_may_use_wasm(house: House, path: str, may_scan: bool):
    """A worker goes by the policy of its own script's answer."""
    answer = open_(house.app.test_client(), path)

    assert answer.status_code == 200
    assert ("'wasm-unsafe-eval'" in policy(answer)["script-src"]) == may_scan


def test_who_asks_for_a_head_alone_does_nothing(busy: House):
    """HEAD needs no CSRF token: what it led to must be what GET leads to."""
    for person, kinds in PEOPLE.items():
        client = browser(busy, kinds)
        for path in addresses(busy):
            seen = open_(client, path).status_code
            assert open_(client, path, "HEAD").status_code == seen, (person, path)


def test_nothing_but_files_is_kept(busy: House):
    for person, path, answer in visits(busy):
        kept = answer.headers["Cache-Control"]
        if answer.status_code != 200:
            assert kept == "no-store", (person, path)
        elif path.startswith("/static/") or path in REVALIDATED:
            assert kept == "no-cache", path
            assert path == "/sw.js" or answer.headers["ETag"]
        elif path.startswith("/api/v1/cards/") and not path.endswith("/rewards"):
            assert kept == "private, no-cache"
        elif path == "/.well-known/jwks.json":
            assert kept == "public, max-age=300"
        else:
            assert kept == "no-store", (person, path)


def test_no_error_is_kept(house: House):
    for path in ("/nothing", "/card/nothing", "/api/v1/nothing", "/static/nothing.js"):
        answer = open_(house.app.test_client(), path)
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in answer.headers


class Page(HTMLParser):
    """Collects what the policy would refuse to run, and where the page leads."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.sources: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        where = self.get_starttag_text() or tag
        is_data = said.get("type") == "application/json"
        if tag == "style" or (tag == "script" and "src" not in said and not is_data):
            self.inline.append(where)
        for name, value in said.items():
            is_bad = (value or "").strip().lower().startswith(("javascript:", "data:"))
            if name == "style" or name.startswith("on") or is_bad:
                self.inline.append(where)
        if tag in {"script", "link", "img", "iframe", "object", "embed", "source"}:
            self.sources += filter(None, (said.get("src"), said.get("href")))


def pages(house: House) -> Iterator[tuple[str, str, Page]]:
    for person, path, answer in visits(house):
        if answer.mimetype == "text/html":
            page = Page()
            page.feed(answer.text)
            yield person, path, page


def test_no_page_has_a_script_or_style_in_it(busy: House):
    seen = 0
    for person, path, page in pages(busy):
        assert page.inline == [], (person, path)
        seen += 1
    assert seen > 50


def test_every_page_loads_files_of_ours_that_are_there(busy: House):
    client = browser(busy, KINDS)
    wanted = {source for *_, page in pages(busy) for source in page.sources}

    for source in wanted:
        assert source.startswith("/"), source
        assert not source.startswith("//"), source
        assert open_(client, source).status_code == 200, source


def test_a_new_terminals_code_is_shown_by_the_same_rules(house: House):
    """A page that one comes to by a form only."""
    client = browser(house, ("console",))
    form = {
        "csrf_token": csrf_token(client),
        "location_id": str(house.founded.location_id),
        "name": "By the door",
    }
    shown = client.post("/console/terminals/new", data=form, follow_redirects=True)
    page = Page()

    page.feed(shown.text)

    assert shown.status_code == 200
    assert "<svg" in shown.text
    assert page.inline == []
    # the code that it shows is in no address and in no title
    assert shown.request.path.count("/") == 4


def test_everybody_sees_the_pages_that_are_theirs(busy: House):
    """So that the tests above looked at pages, and not at refusals."""
    seen = {(person, path): answer.status_code for person, path, answer in visits(busy)}

    card = f"/card/{busy.joined.card_id}"
    for path in (card, f"{card}/face", f"{card}/history", "/scan"):
        assert seen["member", path] == 200
        assert seen["stranger", path] in {302, 401}
    for (person, path), status in seen.items():
        if str(NONE_SUCH) in path or "A" * 18 in path:
            assert status < 500, (person, path)
        elif path.startswith("/console/") and path not in {
            "/console/sign-in",
            "/console/terminals/new/" + "0" * 18,
            "/console/setup/till/" + "0" * 18,
            "/console/setup",
            # nobody has said yet what tiers count
            "/console/tiers/new",
            # key 1 is not revoked
            "/console/keys/1/review",
            "/console/keys/1/review.csv",
        }:
            assert status == (200 if person == "console" else 302), (person, path)
        assert status < 500


def test_looking_writes_nothing(busy: House):
    visited = list(addresses(busy))
    before = books(busy.tools)

    for kinds in PEOPLE.values():
        client = browser(busy, kinds)
        for path in visited:
            for method in ("GET", "HEAD", "OPTIONS"):
                open_(client, path, method)

    assert books(busy.tools) == before


ISSUED = (Kind.CARD, Kind.STAMP, Kind.VOUCHER, Kind.ENROLMENT)


@pytest.mark.parametrize("kind", ISSUED, ids=lambda kind: kind.name)
def test_opening_a_codes_link_never_spends_it(house: House, kind: Kind):
    # given a code that waits, and everybody who might open its link
    code = house.code_of(kind)
    nonce = house.nonce_of(code)
    before = books(house.tools)

    # when they look, by any method that fetches
    for kinds in (*PEOPLE.values(), KINDS):
        client = browser(house, kinds)
        for path in (f"/S/{code}", f"/s/{code.lower()}", f"/S/{code}?utm=1"):
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = client.open(path, method=method)
                assert answer.status_code == 200

    # then it waits still, nothing was written, and it is good
    assert house.tools.nonces.look(nonce).state is ClaimState.WAITING
    assert books(house.tools) == before
    spent = {
        Kind.CARD: ("staff", "/stamps", {"request_id": uuid4().hex}),
        Kind.STAMP: ("member", f"/cards/{house.joined.card_id}/stamps", {}),
        Kind.VOUCHER: ("staff", "/redemptions", {"request_id": uuid4().hex}),
        Kind.ENROLMENT: (None, "/terminals", {}),
    }
    who, path, more = spent[kind]
    assert house.api(who).post(path, {"code": code, **more}).status_code == 201


def test_by_https_browsers_are_told_to_come_back_so(house: House, make_tools):
    secure = house.over(make_tools(origin="https://stamps.example"))
    client = secure.app.test_client()

    by_https = client.get("/offline", base_url="https://stamps.example")
    by_http = client.get("/offline", base_url="http://stamps.example")

    assert int(by_https.headers["Strict-Transport-Security"].split("=")[1]) > 86400
    # by http it means nothing, and browsers would drop it
    assert "Strict-Transport-Security" not in by_http.headers
