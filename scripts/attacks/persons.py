"""What is kept of a person: read, ended or erased by somebody else, or twice."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Final
from urllib.parse import urlencode

from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import FORM, Browser, Phone
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Try, Volley
from signing import links

_PAGES: Final = (
    "/account",
    "/account/data",
    "/account/data.json",
    "/account/erase",
    "/account/mail",
)
_DIGITS: Final = 4


@attack()
def a_persons_data_without_their_session(shop: Shop, volley: Volley) -> None:
    """Asks for somebody's file and pages; a member's own session alone opens them."""
    name = shop.cookie("member")
    held: tuple[dict[str, str], ...] = (
        {},
        {name: secrets.token_urlsafe(32)},
        {name: shop.till.staff},
        {name: shop.till.terminal},
        {name: shop.phone.member_id},
        {shop.cookie("staff"): shop.till.staff},
    )
    tries: list[Try] = [
        partial(shop.wire.ask, "GET", path, cookies=cookies)
        for path in (*_PAGES, f"/account/data.json?member_id={shop.phone.member_id}")
        for cookies in held
    ]
    volley.throw(volley.share(tries), by={"401"})


@attack(Need.INSIDE)
def unsubscribing_by_a_forged_link(shop: Shop, volley: Volley) -> None:
    """Makes links that end a stranger's mail; only ours, for this, open.

    Guessed, cut, of another use of the same secrets, of a ring of their own.
    """
    if shop.tools is None:
        return
    facts = {"member": shop.phone.member_id, "kind": "news"}
    ring = shop.tools.keys.ring
    others = links.seal(facts, ring, purpose="sign-in")
    good = links.seal(facts, ring, purpose="unsubscribe")
    head, _, seal = good.rpartition(".")
    made_up = (
        secrets.token_urlsafe(90),
        others,
        f"{head}.{secrets.token_urlsafe(32)}",
        f"{others.partition('.')[0]}.{good.partition('.')[2]}",
        good[:-1],
        head,
        seal,
    )
    post = partial(shop.wire.ask, "POST")
    tries: list[Try] = [
        partial(post, f"/unsubscribe/{text}", body, headers=FORM)
        for text in made_up
        if text != good
        for body in (b"", b"List-Unsubscribe=One-Click")
    ]
    volley.throw(volley.share(tries), by={"404"})


@attack()
def somebody_else_erased(shop: Shop, volley: Volley) -> None:
    """Erases a stranger from their own phone, and as a barista; nobody is named.

    Who is erased is whose session it is, and the digits are of their own card.
    """
    victim, own = shop.join(name="Vera"), shop.join(name="Mallory")
    digits = victim.card()["number"][-_DIGITS:]
    if digits == own.card()["number"][-_DIGITS:]:
        digits = "x"
    browser = _browser(shop, own)
    fields = {
        "digits": digits,
        "member_id": victim.member_id,
        "card_id": victim.card_id,
        "reason": "asked by letter",
        "csrf_token": browser.page_token(),
    }
    body = urlencode(fields).encode()
    at_the_till = {
        **browser.cookies,
        shop.cookie("terminal"): shop.till.terminal,
        shop.cookie("staff"): shop.till.staff,
        shop.cookie("console"): shop.till.staff,
    }
    headers = {**FORM, "Referer": f"{shop.wire.url}/"}
    post = partial(shop.wire.ask, "POST", headers=headers)
    tries: list[Try] = [
        partial(post, "/account/erase", body, cookies=browser.cookies),
        partial(
            post,
            f"/account/erase?member_id={victim.member_id}",
            body,
            cookies=browser.cookies,
        ),
        partial(
            post,
            f"/console/cards/{victim.card_id}/erase",
            body,
            cookies=at_the_till,
        ),
    ]
    volley.throw(volley.share(tries), by={"422", "unauthenticated"})
    for phone in (victim, own):
        if phone.card()["is_closed"]:
            volley.accept("somebody was erased")


@attack()
def one_person_erased_many_times_at_once(shop: Shop, volley: Volley) -> None:
    """Sends one erasure many times in one moment; the row is the member's own key."""
    for size in (2, 8, 32):
        phone = shop.join(name="Bo")
        browser = _browser(shop, phone)
        fields = {
            "digits": phone.card()["number"][-_DIGITS:],
            "csrf_token": browser.page_token(),
        }
        send = partial(
            shop.wire.ask,
            "POST",
            "/account/erase",
            urlencode(fields).encode(),
            cookies=dict(browser.cookies),
            headers={**FORM, "Referer": f"{shop.wire.url}/"},
        )
        # Its phone has no card any more, so nobody can ask it for one.
        shop.phones.remove(phone)
        volley.at_once([send] * size, by={"erased_before", "401", "try_again"})
        seen = phone.show()
        if seen.is_success:
            volley.accept("who was erased is still signed in")


def _browser(shop: Shop, phone: Phone) -> Browser:
    return Browser(shop.wire, {shop.cookie("member"): phone.token})
