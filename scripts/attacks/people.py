"""People who are let in, and want more: guessers, baristas with friends, collectors."""

from __future__ import annotations

import secrets
from functools import partial
from itertools import count
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import API, FORM, Browser, Phone, Till, must
from scripts.attacks.races import GUESSES, judge_guesses
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer

#: Scans of one card within an hour that nobody sells so much coffee for. The shop
#: must have refused by then.
MOST_SCANS: Final = 40


@attack(signal="guesses")
def pins_guessed(shop: Shop, volley: Volley) -> None:
    """Stands at a till and guesses a PIN; five guesses in a quarter of an hour.

    From whatever address, and then not even the right one is heard.
    """
    till, who = shop.new_till(), shop.people[1 % len(shop.people)]
    wrong = [pin for pin in (f"{n:04}" for n in range(10_000)) if pin != who.pin]
    lines = ({"X-Forwarded-For": f"192.0.2.{n % 256}"} for n in count())
    volley.throw(
        (
            partial(_type_pin, shop, till.terminal, who.staff_id, pin, line)
            for pin, line in zip(
                volley.share(wrong[: max(volley.size, 8)]), lines, strict=False
            )
        ),
        by={"unauthenticated", "limit_reached"},
    )
    judge_guesses(volley)
    volley.throw([partial(shop.sign_in, till.terminal, who)], by={"limit_reached"})


def _type_pin(
    shop: Shop, terminal: str, staff_id: str, pin: str, line: dict[str, str]
) -> Answer:
    body = {"staff_id": staff_id, "pin": pin}
    path = f"{API}/staff-sessions"
    return shop.wire.ask("POST", path, body, token=terminal, headers=line)


@attack(signal="guesses")
def pins_of_everybody_guessed(shop: Shop, volley: Volley) -> None:
    """Tries one PIN with everybody, and strangers; a till has a limit of its own."""
    till = shop.new_till()
    strangers = [str(uuid4()) for _ in range(20)]
    names = [*(one.staff_id for one in shop.people), *strangers]
    pins = {one.pin for one in shop.people}
    pin = next(one for one in ("0815", "4711", "2580") if one not in pins)
    volley.throw(
        (
            partial(_type_pin, shop, till.terminal, name, pin, {})
            for name in volley.share(names)
        ),
        by={"unauthenticated", "limit_reached"},
    )
    beyond = volley.refused["unauthenticated"] - _AT_ONE_TILL
    if beyond > 0:
        volley.accept(f"{beyond} guesses were looked at beyond the limit", beyond)


#: Guesses at all PINs of one till within its window.
_AT_ONE_TILL: Final = 20


@attack(Need.OWN, signal="guesses")
def passwords_guessed(shop: Shop, volley: Volley) -> None:
    """Knows the owner's address and guesses the password; five guesses are heard."""
    address = shop.account.email if shop.account else ""
    volley.throw(
        (
            partial(_sign_in, shop, spelled, secrets.token_hex(8))
            for spelled in volley.share([address, address.upper(), f" {address} "])
        ),
        # Few are hashed at once; who waits too long is told to come again.
        by={"401", "429", "try_again"},
    )
    beyond = volley.refused["401"] - GUESSES
    if beyond > 0:
        volley.accept(f"{beyond} guesses were looked at beyond the limit", beyond)


@attack()
def addresses_guessed(shop: Shop, volley: Volley) -> None:
    """Learns who works here from the answer to a wrong password; all hear the same."""
    strangers = [f"{uuid4().hex}@attacked.example" for _ in range(8)]
    answers = volley.throw(
        (partial(_sign_in, shop, one, "wrong password") for one in strangers),
        by={"401"},
        lanes=2,
    )
    if len({(answer.status, len(answer.body)) for answer in answers}) > 1:
        volley.accept("strangers are answered in different ways")


def _sign_in(shop: Shop, email: str, password: str) -> Answer:
    """Sign in to the console, or not: the page that leads on is no refusal."""
    browser = Browser(shop.wire)
    facts = {"email": email, "password": password}
    body = urlencode({**facts, "csrf_token": browser.page_token()}).encode()
    return browser.ask(
        "POST", "/console/sign-in", body, {**FORM, "Referer": shop.wire.url + "/"}
    )


@attack()
def joining_for_a_bonus(shop: Shop, volley: Volley) -> None:
    """Joins again and again, invited by themselves; an empty card is worth nothing."""
    mine = shop.join(name="Mallory")
    for _ in range(min(max(volley.size, 5), 100)):
        card = shop.join(invite=mine.card_id.replace("-", ""), name="Mallory").card()
        got = card["stamps"] + len(card["vouchers"])
        volley.note("a new card was worth something" if got else None, "an empty card")
    got = mine.card()["stamps"]
    volley.note("an invitation was worth something" if got else None, "nothing for it")


@attack(signal="own_card")
def self_stamping(shop: Shop, volley: Volley) -> None:
    """Is a barista with a card that is known as their own; colleagues stamp that.

    By scanning it, and by collecting what their own till shows.
    """
    till, mine = shop.new_till(), shop.join(name="Mia")
    browser = _browser_at(shop, till)
    browser.send("/counter/my-card", {"code": mine.code()})
    for _ in range(3):
        volley.throw([partial(till.scan, mine.code())], by={"not_eligible"})
        volley.throw([partial(mine.collect, till.code())], by={"not_eligible"})


@attack(signal="own_phone")
def a_till_that_holds_the_card(shop: Shop, volley: Volley) -> None:
    """Is a barista whose till is the phone with their card; somebody looks at that.

    The stamp is given, since who holds a phone is not for us to say.
    """
    browser = _browser_at(shop, shop.new_till())
    joined = browser.send("/join", {"name": "Mia"})
    card_id = joined.headers.get("location", "").rpartition("/")[2]
    token = browser.cookies.get(shop.cookie("member"), "")
    shop.phones.append(Phone(shop.wire, "", card_id, token))
    shown = browser.call(f"{API}/cards/{card_id}/code", {})
    code = must(shown, "showing a code")["code"]
    body = {"code": code, "stamps": 1, "request_id": uuid4().hex}
    must(browser.call(f"{API}/stamps", body), "scanning their own phone")
    shop.honest["stamps"] += 1
    volley.note(None, "heard, and told")


def _browser_at(shop: Shop, till: Till) -> Browser:
    held = {shop.cookie("terminal"): till.terminal, shop.cookie("staff"): till.staff}
    return Browser(shop.wire, held)


@attack(signal="limit_met")
def a_baristas_friend(shop: Shop, volley: Volley) -> None:
    """Is a barista who scans a friend's phone again and again; a card has limits."""
    till, friend = shop.new_till(2), shop.join(name="Friend")
    for heard in range(MOST_SCANS):
        answer = till.scan(friend.code(), stamps=5)
        if not answer.is_success:
            volley.note(None, answer.code)
            volley.tried += heard
            volley.refused["heard"] += heard
            return
        shop.honest["stamps"] += 5
    volley.tried += MOST_SCANS
    volley.accept(f"{MOST_SCANS} scans of one card in a row were heard", MOST_SCANS)
