"""What gets out: codes in logs and referrers, refusals that say too much."""

from __future__ import annotations

import base64
import re
import secrets
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from app.programme import proofs
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.codes import SHOWN, text_of
from scripts.attacks.parts import API, Browser
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer
from signing.codes import Kind

#: Policies by which no address of ours goes to another host.
_QUIET: Final = frozenset({"same-origin", "no-referrer", "strict-origin", "origin"})
_ELSEWHERE: Final = re.compile(r"""(?:href|src|action)\s*=\s*["'](https?://[^"']+)""")
_LONG: Final = re.compile(r"[A-Z2-7]{100,}", re.IGNORECASE)
#: Shorter secrets are found by chance; a PIN is looked for as it would be told.
_SHORTEST: Final = 12


@attack()
def refusals_that_tell(shop: Shop, volley: Volley) -> None:
    """Bends codes to learn which part was wrong; all answers are one."""
    real = base64.b32decode(shop.fresh(Kind.CARD))
    bent = [
        "x",
        "A" * 128,
        text_of(secrets.token_bytes(80)),
        text_of(real[:1] + b"\x7f\xff" + real[3:]),
        text_of(real[:-1] + bytes([real[-1] ^ 1])),
        text_of(bytes([real[0] ^ 0x20]) + real[1:]),
        text_of(real[:3] + bytes(4) + real[7:]),
    ]
    answers = volley.throw(
        (partial(shop.till.scan, text) for text in volley.share(bent)),
        by={"code_invalid"},
    )
    if len({answer.body for answer in answers}) > 1:
        volley.accept("forgers are answered in different ways")


@attack()
def secrets_in_answers(shop: Shop, volley: Volley) -> None:
    """Reads what refusals repeat of the request; nothing that came in goes out."""
    marks = [secrets.token_urlsafe(32) for _ in range(4)]
    codes = [shop.fresh(kind) for kind in SHOWN]
    told = [*marks, *codes]

    def judge(answer: Answer) -> str | None:
        return None if any(one in answer.text for one in told) else "nothing of it"

    tries = [partial(shop.knock, kind, text) for kind in SHOWN for text in marks]
    tries += [partial(shop.till.redeem, codes[0]), partial(shop.till.scan, codes[1])]
    tries += [
        partial(
            shop.wire.ask, "GET", f"/{mark}", token=mark, cookies={"pp_staff": mark}
        )
        for mark in marks
    ]
    volley.throw(volley.share(tries), by={"nothing of it"}, verdict=judge)


@attack()
def referrers_and_caches(shop: Shop, volley: Volley) -> None:
    """Waits at another host or cache for codes in addresses; pages keep quiet.

    They send no referrer, lead nowhere else and may not be kept.
    """
    code = shop.fresh(Kind.STAMP)
    own = Browser(shop.wire, {shop.cookie("member"): shop.phone.token})
    pages = [f"/S/{code}", "/join", f"/card/{shop.phone.card_id}", "/scan", "/counter/"]

    def judge(answer: Answer) -> str | None:
        policy = answer.headers.get("referrer-policy", "")
        is_kept = "no-store" not in answer.headers.get("cache-control", "")
        hosts = {urlsplit(url).hostname for url in _ELSEWHERE.findall(answer.text)}
        own_host = urlsplit(shop.origin).hostname
        leads_away = hosts - {own_host, shop.wire.host, "www.w3.org"}
        return None if policy not in _QUIET or is_kept or leads_away else "kept quiet"

    volley.throw(
        (
            partial(own.ask, "GET", page, headers={"Accept": "text/html"})
            for page in volley.share(pages)
        ),
        by={"kept quiet"},
        verdict=judge,
        lanes=1,
    )
    path = f"{API}/cards/{shop.phone.card_id}/code?picture=svg"
    shown = shop.wire.ask("POST", path, token=shop.phone.token)
    is_kept = "no-store" not in shown.headers.get("cache-control", "")
    volley.note("a code may be kept by a cache" if is_kept else None, "not kept")


@attack(Need.INSIDE)
def entries_slipped_into_the_books(shop: Shop, volley: Volley) -> None:
    """Wrote in the books on the way, after all; every entry is proved again."""
    proved = proofs.prove(shop.inside)
    volley.note(None, "proved")
    if proved.findings:
        volley.accept("the books do not follow", len(proved.findings))


@attack(Need.INSIDE)
def secrets_in_the_log(shop: Shop, volley: Volley) -> None:
    """Reads the log after all of this; it holds no code, token, PIN or address."""
    shop.join(email="leak@attacked.example")
    # A code in the address that is opened, and one that makes the server complain.
    shop.wire.ask("GET", f"/S/{shop.fresh(Kind.STAMP)}")
    shop.wire.ask("GET", f"/S/{shop.fresh(Kind.CARD)}%00")
    logs = [shop.log, *(shop.inside.settings.data.glob("*.log"))]
    found = {path for path in logs if path is not None and path.exists()}
    log = "\n".join(path.read_text(errors="replace") for path in sorted(found))
    for secret in sorted(shop.secrets):
        if len(secret) >= _SHORTEST:
            volley.note(
                "a secret is in the log" if secret in log else None, "not there"
            )
    for person in shop.people:
        told = re.search(rf"""pin\W{{1,6}}{person.pin}\b""", log, re.IGNORECASE)
        volley.note("a PIN is in the log" if told else None, "not there")
    volley.note("a code is in the log" if _LONG.search(log) else None, "not there")
