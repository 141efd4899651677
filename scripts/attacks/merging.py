"""Two cards put together: units doubled, or a stranger's taken."""

from __future__ import annotations

import secrets
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from app.programme import merging
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import FORM, Browser, Phone, must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Try, Volley
from signing import links

_STAMPS = 4
#: Who is not there any more, whose link it is now, and a link that is none.
_NO = frozenset({"erased_before", "401", "404", "422", "409", "try_again"})


@attack(Need.INSIDE)
def two_cards_put_together_many_times(shop: Shop, volley: Volley) -> None:
    """Gives a card away many times in one moment, and again later; it counts once."""
    for size in (2, 8, 16):
        giver, taker = shop.join(name="Bo"), shop.join(name="Bo")
        for phone in (giver, taker):
            _fill(shop, phone)
        text = _text(shop, taker)
        send = _sender(shop, giver, text)
        # Its phone opens the other card from then on.
        shop.phones.remove(giver)
        volley.at_once([send] * size, by=_NO)
        volley.throw([send], by=_NO)
        if (stamps := taker.card()["stamps"]) != 2 * _STAMPS:
            volley.accept(f"{2 * _STAMPS} stamps became {stamps}")


@attack(Need.INSIDE)
def somebodys_card_put_to_ones_own(shop: Shop, volley: Volley) -> None:
    """Wants a stranger's stamps: their phone alone gives them, to a link of ours."""
    victim, thief = shop.join(name="Vera"), shop.join(name="Mallory")
    _fill(shop, victim)
    ring = shop.inside.keys.ring
    good = _text(shop, victim)
    facts = {"into": UUID(thief.member_id).hex}
    head, _, seal = good.rpartition(".")
    texts = (
        _text(shop, thief),
        links.seal(facts, ring, purpose="unsubscribe"),
        links.seal({"into": "x"}, ring, purpose="merge"),
        f"{head}.{secrets.token_urlsafe(32)}",
        secrets.token_urlsafe(80),
        head,
        seal,
    )
    tries: list[Try] = []
    for text in texts:
        tries.append(_sender(shop, thief, text, giver_id=victim.member_id))
        path = f"/merge/{text}"
        body = urlencode({"giver_id": victim.member_id}).encode()
        # From the victim's phone, but from a page of somebody else's.
        cookies = {shop.cookie("member"): victim.token}
        tries.append(
            partial(shop.wire.ask, "POST", path, body, cookies=cookies, headers=FORM)
        )
    volley.throw(volley.share(tries), by={*_NO, "page_too_old"})
    if victim.card()["stamps"] != _STAMPS:
        volley.accept("the stranger's stamps are gone")


def _fill(shop: Shop, phone: Phone) -> None:
    must(shop.till.scan(phone.code(), stamps=_STAMPS), "giving stamps")
    shop.honest["stamps"] += _STAMPS


def _text(shop: Shop, taker: Phone) -> str:
    link = merging.link(shop.inside, UUID(taker.member_id))
    return link.rpartition("/")[2]


def _sender(shop: Shop, phone: Phone, text: str, **fields: str) -> Try:
    """Prepare the tap of a phone that has the page of a link open."""
    browser = Browser(shop.wire, {shop.cookie("member"): phone.token})
    token = browser.page_token()
    return partial(
        shop.wire.ask,
        "POST",
        f"/merge/{text}",
        urlencode({**fields, "csrf_token": token}).encode(),
        cookies=dict(browser.cookies),
        headers={**FORM, "Referer": f"{shop.wire.url}/"},
    )
