"""What comes over HTTP: requests to every surface, and records of the nonce store.

Requests go to the application as a web server hands them on, with real stores behind
it, so that every reader on the way has its turn: the host's name, languages, cookies,
tokens, the body, forms, files, ids, moments. ``{card}`` and others stand for what is
real in the shop. Whoever sends what is not answered by a refusal has found something.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import redis

from app.programme import codes, stamping
from app.programme.errors import Refused, StoreDown
from scripts.fuzzing import ground
from scripts.fuzzing.catalogue import Found, Seeds, target

_SLOW: Final = 40
_FAULT: Final = 500
_SAYS_SO: Final = 503
_FORM: Final = b"Content-Type: application/x-www-form-urlencoded"
_JSON: Final = b"Content-Type: application/json"


def _must_be_answered(data: bytes) -> None:
    answer = ground.ask(data)
    if answer.status >= _FAULT and answer.status != _SAYS_SO:
        raise Found(f"{answer.status} {answer.body[:200]!r}")
    for name, value in answer.headers.items():
        if "\n" in value or "\r" in value:
            raise Found(f"a line that ends in {name}")
    if answer.headers.get("Content-Type", "").endswith("json"):
        json.loads(answer.body or b"null")


def _request(
    line: bytes, *headers: bytes, who: bytes = b"", body: bytes = b""
) -> bytes:
    lines = [line + b" HTTP/1.1", *headers]
    if who:
        lines.append(b"Authorization: Bearer {" + who + b"}")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _posts(who: bytes, bodies: Sequence[tuple[bytes, bytes]]) -> Seeds:
    def made() -> list[bytes]:
        return [
            _request(b"POST /api/v1" + path, _JSON, who=who, body=body)
            for path, body in bodies
        ]

    return made


_STAFF_CALLS = (
    (b"/stamps", b'{"code": "{code}", "stamps": 2, "request_id": "a-1"}'),
    (b"/redemptions", b'{"code": "{code}", "request_id": "a-1"}'),
    (b"/stamp-codes?picture=svg", b'{"stamps": 3}'),
    (b"/card-searches", b'{"q": "Anna"}'),
    (b"/hand-stamps", b'{"card_id": "{card}", "stamps": 1, "request_id": "a"}'),
    (b"/stamps/{card}/reversal", b'{"reason": "slip"}'),
)
_OTHER_CALLS = (
    (b"/staff-sessions", b'{"staff_id": "{person}", "pin": "0000"}'),
    (b"/terminals", b'{"code": "{code}", "name": "By the door"}'),
    (b"/members", b'{"programme": "{card}", "name": "Bo", "email": "b@example.org",'
     b' "locale": "da", "terms_version": 2, "invite": "x"}'),
)  # fmt: skip
_CUSTOMER_CALLS = (
    (b"/cards/{card}/stamps", b'{"code": "{code}"}'),
    (b"/cards/{card}/code?picture=svg", b""),
)


@target(seeds=_posts(b"staff", _STAFF_CALLS), one_of=_SLOW)
def calls_of_a_till(data: bytes) -> None:
    """Calls of the API, by somebody signed in at a till."""
    _must_be_answered(data)


@target(seeds=_posts(b"terminal", _OTHER_CALLS), one_of=_SLOW)
def calls_of_strangers(data: bytes) -> None:
    """Calls of the API by a till with nobody at it, and by anybody."""
    _must_be_answered(data)


@target(seeds=_posts(b"member", _CUSTOMER_CALLS), one_of=_SLOW)
def calls_of_a_customer(data: bytes) -> None:
    """Calls of the API, by a customer."""
    _must_be_answered(data)


def _headers() -> list[bytes]:
    return [
        _request(
            b"GET /join",
            b"Host: localhost:8000",
            b"Accept-Language: da, en-GB;q=0.8, zh-Hant;q=0.5, *;q=0.1",
            b"Accept-Encoding: gzip, br;q=0.9",
            b"Cookie: pp_member={member}; pp_language=he; pp_page=eyJhIjoxfQ.aa.bb",
            b"User-Agent: Mozilla/5.0",
            b"X-Forwarded-For: 203.0.113.7",
            b"X-Request-ID: 0123456789abcdef",
        ),
        _request(
            b"GET /api/v1/cards/{card}",
            b'If-None-Match: W/"1-2", "3"',
            b"Accept: application/json;q=0.5, text/html",
            b"If-Modified-Since: Mon, 23 Nov 2026 13:00:00 GMT",
            who=b"member",
        ),
        _request(
            b"POST /language",
            _FORM,
            b"Cookie: {page}",
            b"X-CSRFToken: {csrf}",
            b"Origin: http://localhost:8000",
            b"Referer: http://localhost:8000/join",
            b"Transfer-Encoding: chunked",
            body=b"language=da&next=%2Fjoin",
        ),
        _request(b"GET /static/console/console.css", b"Range: bytes=0-10, 5-"),
    ]


@target(seeds=_headers, one_of=_SLOW)
def headers(data: bytes) -> None:
    """Hosts, languages, cookies, tokens, times and kinds, as anybody may send them."""
    _must_be_answered(data)


_LINES = (
    b"GET /S/{code}",
    b"GET /s/{code}?a=1",
    b"GET /card/{card}/history?before=2026-11-23T12:00:00Z",
    b"GET /card/{card}/face",
    b"GET /console/signals?state=new&kind=used_code&before=2026-11-23T12:00:00%2B00:00",
    b"GET /console/feed?after=2026-11-23T12:00:00%2B00:00&before=2026-11-23T13:00:00Z",
    b"GET /console/cards?q=Anna&page=2",
    b"GET /console/cards/{card}",
    b"GET /console/keys/1/review?since=2026-11-23",
    b"GET /console/locations/{location}/hours",
    b"GET /console/printing/sample.pdf?layout=sheet&count=3",
    b"GET /console/terminals/new/00ff00ff00ff00ff00/state",
    b"GET /logo/0123.png",
    b"GET /counter/my-card",
    b"GET /offline?language=da",
    b"GET /join?programme={card}&next=/card",
)
_COOKIES = b"Cookie: pp_console={console}; pp_member={member}; pp_staff={staff}"


@target(seeds=lambda: [_request(line, _COOKIES) for line in _LINES], one_of=_SLOW)
def addresses_of_pages(data: bytes) -> None:
    """Addresses of pages with ids, moments and words in them; links of codes too."""
    _must_be_answered(data)


_FORMS = (
    (b"/console/shop", b"name=Kaffe&colour=%230f5c4a&timezone=Europe%2FTallinn"),
    (b"/console/programme", b"name=Card&stamps_required=10&reward=Coffee&voucher_days="
     b"30&terms=One"),
    (b"/console/limits", b"per_scan=5&per_card=12&per_staff_member=60&per_terminal=90"
     b"&per_location=900"),
    (b"/console/locations/{location}/hours", b"from_0=08:00&to_0=18:00&closed_6=1"),
    (b"/console/locations", b"name=Torvet"),
    (b"/console/terminals/new", b"location_id={location}&name=Bar"),
    (b"/console/printing/new", b"name=Market&programme_id={card}&location_id={location}"
     b"&stamps=1&count=3&last_day=2026-12-24"),
    (b"/console/staff/new", b"name=Mia&role=barista&pin=12"),
    (b"/console/cards/{card}/pause", b"reason=odd"),
    (b"/console/staff/{person}/own-card", b"number=4417+2093"),
    (b"/console/entries/{card}/undo", b"reason=slip"),
    (b"/collect", b"code={code}&card_id={card}"),
    (b"/join", b"name=Bo&email=b%40&join_id=abc&locale=da"),
    (b"/card/{card}/terms", b"version=1"),
)  # fmt: skip


@target(
    seeds=lambda: [
        _request(
            b"POST " + path,
            _FORM,
            b"X-CSRFToken: {csrf}",
            _COOKIES + b"; {page}",
            body=body,
        )
        for path, body in _FORMS
    ],
    one_of=_SLOW,
)
def forms(data: bytes) -> None:
    """Forms of the console and of customers, with a token that is right."""
    _must_be_answered(data)


def _files() -> list[bytes]:
    kind = b"Content-Type: multipart/form-data; boundary=x"
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 20
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    fields = part % (b"name", b"", b"Kaffe") + part % (b"colour", b"", b"#0f5c4a")
    logo = part % (b"logo", b'; filename="a.png"\r\nContent-Type: image/png', png)
    star = part % (b"logo", b"; filename*=utf-8''a%20b.png", png)
    ask = partial(
        _request,
        b"POST /console/shop",
        kind,
        b"X-CSRFToken: {csrf}",
        _COOKIES + b"; {page}",
    )
    return [ask(body=fields + each + b"--x--\r\n") for each in (logo, star, b"")]


@target(seeds=_files, one_of=_SLOW)
def files_in_forms(data: bytes) -> None:
    """A form with a file, as browsers send a logo."""
    _must_be_answered(data)


def _tills() -> list[bytes]:
    bodies = (
        (b"/counter/enrol", b'{"code": "{code}", "name": "Bar"}'),
        (b"/counter/sign-in", b'{"staff_id": "{person}", "pin": "0000"}'),
        (b"/counter/my-card", b'{"code": "{code}"}'),
    )
    cookies = _COOKIES + b"; pp_terminal={terminal}; {page}"
    return [
        _request(b"POST " + path, _JSON, b"X-CSRFToken: {csrf}", cookies, body=body)
        for path, body in bodies
    ]


@target(seeds=_tills, one_of=_SLOW)
def posts_of_tills(data: bytes) -> None:
    """What a till's pages send."""
    _must_be_answered(data)


@target(
    seeds=lambda: [b'{"sealed": "eyJhIjoxfQ.aa.bb"}', b"{}", b'{"sealed": 1}'],
    allowed=(Refused, StoreDown),
    one_of=_SLOW,
)
def records_in_redis(data: bytes) -> None:
    """An issue record, changed by somebody who can write in Redis."""
    opened = ground.shop()
    tools, card = opened.tools, opened.words[b"{card}"].decode()
    issued = stamping.card_code(tools, UUID(card))
    key = f"pp:{{{issued.nonce[:1].hex()}}}:code:{issued.nonce.hex()}"
    with redis.Redis.from_url(tools.settings.redis_url) as client:
        client.hset(key, "record", data)
    if codes.peek(tools, issued.code).state == "waiting":
        raise Found("a record that nobody sealed")


def _reports() -> list[bytes]:
    at = "2026-11-23T12:00:00+00:00"
    told = {"ring": "ab", "problem": None, "at": at, "ring_at": at, "rejected": 0}
    held = {"held": [["key", 1, "active", at, at]], "since": at}
    return [json.dumps(told).encode(), json.dumps(told | held).encode()]


@target(seeds=_reports, allowed=(StoreDown,), one_of=_SLOW)
def reports_in_redis(data: bytes) -> None:
    """A worker's report, changed by somebody who can write in Redis."""
    tools = ground.shop().tools
    name = uuid4().hex
    with redis.Redis.from_url(tools.settings.redis_url) as client:
        client.zadd("pp:{workers}:ids", {name: 4e9})
        client.set(f"pp:{{workers}}:worker:{name}", data, ex=5)
    try:
        tools.workers.live()
    finally:
        with redis.Redis.from_url(tools.settings.redis_url) as client:
            client.zrem("pp:{workers}:ids", name)
