"""A customer's account: the code and link of a mail, a passkey's challenge."""

from __future__ import annotations

import json
import secrets
from functools import partial
from urllib.parse import urlencode

from sqlalchemy import select

from app.store.tables import Outgoing
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import FORM, Browser, CannotSetUp, must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Try, Volley
from scripts.attacks.wire import Answer
from signing import links

#: What the page says to a wrong guess, and to a code that is dead.
_NO = frozenset({"422", "410", "limit_reached"})
_GUESSES = 5
_IN = "/signed-in"


@attack(Need.INSIDE)
def a_mails_code_guessed(shop: Shop, volley: Volley) -> None:
    """Knows an address, asks for its code and guesses; five guesses are heard.

    After them not even the right one is.
    """
    browser, mail = _asked(shop)
    right = mail["code"]
    wrong = [f"{n:06}" for n in range(1000) if f"{n:06}" != right]
    guesses = (partial(_type, shop, browser, code) for code in volley.share(wrong[:60]))
    volley.throw(guesses, by=_NO, verdict=_verdict)
    volley.throw([partial(_type, shop, browser, right)], by=_NO, verdict=_verdict)


@attack(Need.INSIDE)
def a_mails_code_used_again(shop: Shop, volley: Volley) -> None:
    """Saw code and link of a mail that its owner has used; they are spent together."""
    browser, mail = _asked(shop)
    thief = Browser(shop.wire, dict(browser.cookies))
    if _verdict(_type(shop, browser, mail["code"])) is not None:
        raise CannotSetUp("signing in by a code was refused")
    ways: list[Try] = [
        partial(_type, shop, thief, mail["code"]),
        partial(_follow, shop, Browser(shop.wire), mail["link"]),
    ]
    volley.throw(volley.share(ways), by=_NO, verdict=_verdict)


@attack(Need.INSIDE)
def a_mails_code_raced(shop: Shop, volley: Volley) -> None:
    """Uses code and link of one mail many times in one moment; one is let in."""
    for size in (2, 8, 16):
        browser, mail = _asked(shop)
        token = browser.page_token()
        link = f"/sign-in/mail/{mail['link']}"
        way = {
            "code": ("/sign-in/code", {"code": mail["code"]}),
            "link": (link, {}),
        }
        sends: list[Try] = []
        for number in range(size):
            path, fields = way["code" if number % 2 else "link"]
            body = urlencode({**fields, "csrf_token": token}).encode()
            sends.append(partial(_once, shop, browser, path, body))
        volley.at_once(sends, by={*_NO, "try_again"})


@attack(Need.INSIDE)
def a_sign_in_link_forged(shop: Shop, volley: Volley) -> None:
    """Makes links that sign in; only ours, for this, of a code that is alive, open."""
    _, mail = _asked(shop)
    ring = shop.inside.keys.ring
    head, _, seal = mail["link"].rpartition(".")
    made_up = (
        secrets.token_urlsafe(90),
        f"{head}.{secrets.token_urlsafe(32)}",
        links.seal({"code": secrets.token_hex(16)}, ring, purpose="sign-in"),
        links.seal({"code": "x"}, ring, purpose="sign-in"),
        links.seal({"change": secrets.token_hex(16)}, ring, purpose="email-old"),
        head,
        seal,
    )
    tries: list[Try] = [
        partial(_follow, shop, Browser(shop.wire), text) for text in made_up
    ]
    volley.throw(volley.share(tries), by=_NO, verdict=_verdict)


@attack(Need.INSIDE)
def an_address_changed_behind_its_owner(shop: Shop, volley: Volley) -> None:
    """Has an unlocked phone and changes the address; the old mailbox has to say yes.

    Its new mailbox says yes as often as it likes, and with the other's kind of link.
    """
    browser, mail = _asked(shop)
    if _verdict(browser.send("/sign-in/code", {"code": mail["code"]})) is not None:
        raise CannotSetUp("signing in by a code was refused")
    address = f"{secrets.token_hex(8)}@attacked.example"
    browser.send("/account/e-mail", {"email": address})
    new = _newest(shop, "email_new")["link"]
    first = browser.send(f"/e-mail/new/{new}", {"answer": "yes"})
    if not first.is_success:
        raise CannotSetUp(f"the new mailbox was refused: {first.code}")
    paths = (f"/e-mail/new/{new}", f"/e-mail/old/{new}")
    tries: list[Try] = [
        partial(browser.send, path, {"answer": "yes"}) for path in paths
    ]
    volley.throw(volley.share(tries), by={"410"})
    if address in browser.ask("GET", "/account").body.decode():
        volley.accept("the address was changed")


@attack()
def a_passkeys_answer_made_up(shop: Shop, volley: Volley) -> None:
    """Answers challenges without the key, with old seals and with none of ours."""
    browser = Browser(shop.wire)
    offer = must(browser.call("/sign-in/passkey/offer", {}), "asking for a passkey")
    challenge = offer["options"]["challenge"]
    client = {"type": "webauthn.get", "challenge": challenge, "origin": shop.origin}
    text = json.dumps(client).encode().hex()
    answer = {
        "id": secrets.token_urlsafe(32),
        "rawId": secrets.token_urlsafe(32),
        "type": "public-key",
        "response": {
            "clientDataJSON": text,
            "authenticatorData": secrets.token_urlsafe(37),
            "signature": secrets.token_urlsafe(70),
        },
    }
    seals = (offer["seal"], offer["seal"][:-2], secrets.token_urlsafe(80), "")
    bodies: list[object] = [
        {"answer": one, "seal": seal}
        for one in (answer, {}, {**answer, "response": {}}, {**answer, "id": 5})
        for seal in seals
    ]
    tries: list[Try] = [
        partial(browser.call, "/sign-in/passkey", body) for body in bodies
    ]
    volley.throw(volley.share(tries), by={"invalid_request"})


def _asked(shop: Shop) -> tuple[Browser, dict[str, str]]:
    """Let a new member ask for a mail; gives the browser and what the mail holds."""
    email = f"{secrets.token_hex(8)}@attacked.example"
    shop.join(email=email)
    browser = Browser(shop.wire)
    answer = browser.send("/sign-in", {"email": email})
    if answer.status != 303:  # noqa: PLR2004
        raise CannotSetUp(f"asking for a mail was refused: {answer.code}")
    return browser, _newest(shop, "sign_in")


def _newest(shop: Shop, kind: str) -> dict[str, str]:
    with shop.inside.database.read() as tx:
        found = tx.scalar(
            select(Outgoing)
            .where(Outgoing.kind == kind)
            .order_by(Outgoing.created_at.desc())
            .limit(1)
        )
    if found is None or "link" not in found.facts:
        raise CannotSetUp("the mail is away already")
    shop.secrets |= {str(found.facts["link"])}
    return {name: str(value) for name, value in found.facts.items()}


def _type(shop: Shop, browser: Browser, code: str) -> Answer:
    """Type a code where it was asked for; nothing that comes back is kept."""
    return Browser(shop.wire, dict(browser.cookies)).send(
        "/sign-in/code", {"code": code}
    )


def _follow(shop: Shop, browser: Browser, link: str) -> Answer:
    """Follow a link, as ``_type``: tries at once don't share a browser's memory."""
    return Browser(shop.wire, dict(browser.cookies)).send(f"/sign-in/mail/{link}", {})


def _once(shop: Shop, browser: Browser, path: str, body: bytes) -> Answer:
    headers = {**FORM, "Referer": f"{shop.wire.url}/"}
    return shop.wire.ask(
        "POST", path, body, cookies=dict(browser.cookies), headers=headers
    )


def _verdict(answer: Answer) -> str | None:
    """Say why nobody was let in; a page that leads to another place is no way in."""
    if answer.status == 303 and answer.headers.get("location") == _IN:  # noqa: PLR2004
        return None
    return answer.code
