"""What lies below a request: large and slow bodies, lying headers, strange methods."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from typing import Final
from urllib.parse import urlencode

from scripts.attacks.catalogue import attack
from scripts.attacks.parts import API, FORM
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Try, Volley, refusal
from scripts.attacks.wire import Answer, Wire
from signing.codes import Kind

_EVIL: Final = "elsewhere.example"
#: What a customer waits for at most while somebody holds our lines, in s.
_PATIENCE_S: Final = 10.0
_MOST_BODY: Final = 64 * 1024
_OTHER_METHODS: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
_SPENDING: Final = (
    f"{API}/stamps",
    f"{API}/redemptions",
    f"{API}/stamp-codes",
    f"{API}/terminals",
    f"{API}/staff-sessions",
    "/collect",
)
_REFUSED_METHOD: Final = frozenset(
    {"method_not_allowed", "405", "not_found", "page_too_old"}
)


@attack()
def oversized_bodies(shop: Shop, volley: Volley) -> None:
    """Sends more than anybody reads; no body over 64 KiB is taken."""
    large = [b"x" * (_MOST_BODY + 1), b'{"a":' + b"[" * 1_000_000, b"0" * 4_000_000]
    paths = (*_SPENDING, "/join", f"{API}/members", "/console/sign-in")
    tries = [
        partial(shop.wire.ask, "POST", path, body, token=shop.till.staff)
        for path in paths
        for body in large
    ]
    # Some are told so before they have sent all, and hear no answer.
    volley.throw(
        volley.share(tries[: max(volley.size, len(paths))]),
        by={"too_large", "no_answer", "page_too_old", "forbidden"},
        lanes=4,
    )


@attack()
def bodies_that_are_no_request(shop: Shop, volley: Volley) -> None:
    """Sends JSON that no parser likes: deep, endless, twice the same, not UTF-8."""
    deep = b"[" * 30_000
    bodies = [
        deep,
        b'{"code":' * 5000,
        b'{"code":"A","code":"B","stamps":1,"request_id":"x","stamps":5e0}',
        b"\xff\xfe{}",
        b'{"code":"\\ud800","stamps":1,"request_id":"x"}',
        b'{"stamps":1e400,"code":"A","request_id":"x"}',
        b'{"stamps":NaN,"code":"A","request_id":"x"}',
        b"null",
        b"[]",
        b'"' + b"A" * 60_000 + b'"',
        b'{"__proto__":{"stamps":5},"code":"A","request_id":"x"}',
        b"code=A&stamps=1&request_id=x",
        b'{"code":{"$ne":null},"stamps":1,"request_id":"x"}',
        b'{"code":["A"],"stamps":1,"request_id":"x"}',
        b'{"code":"A","stamps":1,"request_id":"\\u0000"}',
        b'{"code":"A","stamps":1,"request_id":"' + b"x" * 1000 + b'"}',
    ]
    volley.throw(
        (
            partial(
                shop.wire.ask,
                "POST",
                f"{API}/stamps",
                body,
                token=shop.till.staff,
                headers={"Content-Type": "application/json"},
            )
            for body in volley.share(bodies)
        ),
        by={"invalid_request"},
    )


@attack()
def slow_bodies(shop: Shop, volley: Volley) -> None:
    """Opens many lines and sends no request to its end; tills go on meanwhile.

    As a stranger and as a customer: few of them may keep us waiting at a time.
    """
    phone, till, patience = (
        shop.join(name="Bo"),
        shop.till,
        Wire(shop.wire.url, may_be_elsewhere=True, patience_s=_PATIENCE_S),
    )
    doors = (
        (f"{API}/members", ""),
        ("/join", ""),
        ("/console/sign-in", ""),
        (f"{API}/cards/{phone.card_id}/stamps", phone.token),
        (f"{API}/stamps", phone.token),
    )
    with contextlib.ExitStack() as lines:
        for door in islice(cycle(doors), min(max(volley.size, 64), 256)):
            _hold(lines, shop, *door)
            volley.note(None, "others were served")
        code = replace(phone, wire=patience).show()
        scanned = code.json and replace(till, wire=patience).scan(code.json["code"])
        patience.close()
    if scanned and scanned.is_success:
        shop.honest["stamps"] += 1
    else:
        volley.accept(f"nobody could be served within {_PATIENCE_S:.0f} s")


def _hold(lines: contextlib.ExitStack, shop: Shop, path: str, token: str) -> None:
    """Begin a request that will not end."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {shop.wire.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        "Content-Length: 200\r\n\r\n{"
    )
    if not token:
        head = head.replace("Authorization: Bearer \r\n", "")
    line = lines.enter_context(shop.wire.connect())
    with contextlib.suppress(OSError):
        line.sendall(head.encode())


@attack()
def requests_in_two_minds(shop: Shop, volley: Volley) -> None:
    """Sends lengths that disagree, to hide a request in another; none is heard."""
    lies = [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 400",
        "Transfer-Encoding: xchunked\r\nContent-Length: 4",
        "Transfer-Encoding : chunked\r\nContent-Length: 4",
        "Transfer-Encoding: chunked, identity",
        "Content-Length: +4",
        "Content-Length: 0x4",
        "Content-Length: -1",
        "Content-Length: 4\r\n Transfer-Encoding: chunked",
    ]
    line = f"POST {API}/stamps HTTP/1.1\r\nHost: {shop.wire.netloc}\r\n"
    volley.throw(
        (
            partial(shop.wire.raw, [f"{line}{lie}\r\n\r\n0\r\n\r\n".encode()])
            for lie in volley.share(lies)
        ),
        # Chunks win over a length (RFC 9112, 6.3); then it is a request of nobody's.
        by={"400", "no_answer", "unauthenticated"},
    )


@attack()
def lines_that_are_no_http(shop: Shop, volley: Volley) -> None:
    """Speaks something else, or too much of it; it is hung up on."""
    host = f"Host: {shop.wire.netloc}\r\n"
    many = "".join(f"X-{number}: 1\r\n" for number in range(2000))
    lines = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 4000 + b"\r\n\r\n",
        b"\r\n" * 2000,
        b"FOO\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 9,
        b"GET / HTTP/9.9\r\n\r\n",
        f"GET /\0 HTTP/1.1\r\n{host}\r\n".encode(),
        f"GET /{'a' * 200_000} HTTP/1.1\r\n{host}\r\n".encode(),
        f"GET / HTTP/1.1\r\n{host}X-Long: {'a' * 500_000}\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\n{host}{many}\r\n".encode(),
    ]

    def judge(answer: Answer) -> str | None:
        # Some of it can be read as a request for a page that everybody may see.
        return "a page for all" if 0 < answer.status < 400 else refusal(answer)  # noqa: PLR2004

    volley.throw(
        (partial(shop.wire.raw, [line]) for line in volley.share(lines)),
        by={
            "400",
            "414",
            "431",
            "no_answer",
            "bad_request",
            "not_found",
            "a page for all",
        },
        verdict=judge,
    )
    if not shop.wire.ask("GET", "/livez").is_success:
        volley.accept("the server did not answer any more")


@attack()
def hosts_that_are_not_ours(shop: Shop, volley: Volley) -> None:
    """Names another host in every header that a proxy might set; none is believed."""
    lies: list[Mapping[str, str]] = [
        {"Host": _EVIL},
        {"X-Forwarded-Host": _EVIL},
        {"X-Host": _EVIL},
        {"Forwarded": f"host={_EVIL};proto=https"},
        {"X-Forwarded-Server": _EVIL},
        {"X-Forwarded-Prefix": f"//{_EVIL}"},
        {"X-Script-Name": f"//{_EVIL}"},
        {"X-Forwarded-Proto": f"https://{_EVIL}"},
    ]
    paths = (
        "/",
        "/join",
        "/card",
        "/counter/",
        "/console/",
        "/console/sign-in",
        "/sw.js",
    )
    tries = [
        partial(shop.wire.ask, "GET", path, headers={**lie, "Accept": "text/html"})
        for path in paths
        for lie in lies
    ]
    volley.throw(volley.share(tries), by={"not believed"}, verdict=_not_believed)


def _not_believed(answer: Answer) -> str | None:
    said = answer.text + " ".join(answer.headers.values())
    return None if _EVIL in said else "not believed"


@attack()
def headers_that_open_doors_elsewhere(shop: Shop, volley: Volley) -> None:
    """Says to be the proxy, the owner, or elsewhere; a door asks for a token."""
    lies: list[Mapping[str, str]] = [
        {"X-Original-URL": "/console/feed"},
        {"X-Rewrite-URL": "/console/feed"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Client-IP": "127.0.0.1"},
        {"X-Forwarded-User": "owner"},
        {"Remote-User": "owner"},
        {"X-Forwarded-Path": "/console/feed"},
        {"Forwarded": "for=127.0.0.1;by=127.0.0.1"},
    ]
    paths = ("/console/feed", f"{API}/staff", "/metrics")
    tries = [
        partial(shop.wire.ask, "GET", path, headers=lie)
        for path in paths
        for lie in lies
    ]
    volley.throw(volley.share(tries), by={"unauthenticated", "not_found"})


@attack()
def methods_that_are_not_offered(shop: Shop, volley: Volley) -> None:
    """Spends by GET, PUT or a method in disguise; POST alone changes anything."""
    code = shop.fresh(Kind.CARD)
    fields = {"code": code, "stamps": "1", "request_id": "disguised"}
    disguises = [
        {"X-HTTP-Method-Override": "POST"},
        {"X-HTTP-Method": "POST"},
        {"X-Method-Override": "POST"},
    ]
    query = urlencode({**fields, "_method": "POST"})
    tries: list[Try] = [
        partial(
            shop.wire.ask,
            method,
            f"{path}?{query}",
            None if method in {"GET", "HEAD", "TRACE"} else fields,
            token=shop.till.staff,
            headers=disguise,
        )
        for path in _SPENDING
        for method in _OTHER_METHODS
        for disguise in disguises
    ]
    volley.throw(volley.share(tries), by=_REFUSED_METHOD)


@attack()
def forms_at_the_doors_for_json(shop: Shop, volley: Volley) -> None:
    """Posts a form where JSON is read, as another site's page can; it is no JSON."""
    code = shop.fresh(Kind.CARD)
    fields = {"code": code, "stamps": "1", "request_id": "a-form"}
    kinds = [FORM, {"Content-Type": "multipart/form-data; boundary=x"}, {}]
    volley.throw(
        (
            partial(
                shop.wire.ask,
                "POST",
                f"{API}/stamps",
                urlencode(fields).encode(),
                token=shop.till.staff,
                headers=kind,
            )
            for kind in volley.share(kinds)
        ),
        by={"invalid_request"},
    )
