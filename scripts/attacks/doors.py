"""Doors that are not for everybody: wrong kinds, other people's cards, guessed ids."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import partial
from typing import Final
from uuid import uuid4

from scripts.attacks.catalogue import attack
from scripts.attacks.codes import SHOWN
from scripts.attacks.parts import API, Phone
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Try, Volley
from scripts.attacks.wire import Answer
from signing.codes import Kind

_NOT_YOURS: Final = frozenset({"not_found"})
#: Every call of the API that asks who is there: method, path, body, and who may.
CALLS: Final = (
    ("POST", "/cards", {"programme": "{any}"}, {"member"}),
    ("GET", "/cards/{card}", None, {"member", "staff"}),
    ("POST", "/cards/{card}/code", None, {"member"}),
    ("POST", "/cards/{card}/stamps", {"code": "{code}"}, {"member"}),
    ("GET", "/cards/{card}/rewards", None, {"member"}),
    (
        "POST",
        "/cards/{card}/exchanges",
        {"reward_id": "{any}", "request_id": "{any}", "edition": 1},
        {"member"},
    ),
    ("POST", "/vouchers/{any}/code", None, {"member"}),
    ("GET", "/staff", None, {"terminal"}),
    ("POST", "/staff-sessions", {"staff_id": "{any}", "pin": "0815"}, {"terminal"}),
    ("POST", "/stamp-codes", {"stamps": 1}, {"staff"}),
    ("GET", "/stamp-codes/" + "0" * 18, None, {"staff"}),
    (
        "POST",
        "/stamps",
        {"code": "{code}", "stamps": 1, "request_id": "{any}"},
        {"staff"},
    ),
    ("GET", "/purchases", None, {"staff"}),
    (
        "POST",
        "/purchases",
        {"code": "{code}", "request_id": "{any}", "amount": 100, "items": []},
        {"staff", "terminal"},
    ),
    (
        "POST",
        "/purchases/{any}/refund",
        {"reason": "mine", "request_id": "{any}", "lines": [1]},
        {"staff"},
    ),
    ("POST", "/redemptions", {"code": "{code}", "request_id": "{any}"}, {"staff"}),
    ("POST", "/card-searches", {"q": "Anna"}, {"staff"}),
    (
        "POST",
        "/hand-stamps",
        {"card_id": "{card}", "stamps": 1, "request_id": "{any}"},
        {"staff"},
    ),
    ("POST", "/stamps/{any}/reversal", {"reason": "mine"}, {"staff"}),
    ("POST", "/redemptions/{any}/reversal", {"reason": "mine"}, {"staff"}),
)


@attack()
def wrong_kind_at_each_door(shop: Shop, volley: Volley) -> None:
    """Takes a living code to a door of another kind; a door takes its own only."""
    real = {kind: shop.fresh(kind) for kind in SHOWN}
    pairs = [(door, kind) for door in SHOWN for kind in SHOWN if door is not kind]
    volley.throw(
        (partial(shop.knock, door, real[kind]) for door, kind in volley.share(pairs)),
        by={"code_wrong_kind"},
    )


@attack()
def codes_for_anothers_card(shop: Shop, volley: Volley) -> None:
    """Has a card, and asks for the code of another's; a card has one member."""
    stranger, victim = shop.join(name="Mallory"), shop.phone
    as_victim = Phone(shop.wire, stranger.member_id, victim.card_id, stranger.token)
    shown = shop.till.code()
    tries: list[Try] = [
        as_victim.show,
        partial(as_victim.collect, shown),
        partial(stranger.show_voucher, shop.holder.vouchers()[0]),
        partial(_read, shop, victim.card_id, stranger.token),
    ]
    volley.throw(volley.share(tries), by=_NOT_YOURS)


@attack()
def card_ids_guessed(shop: Shop, volley: Volley) -> None:
    """Guesses ids of cards, as a customer and at a till; an id has 122 random bits."""
    tokens = (shop.phone.token, shop.till.staff)
    volley.throw(
        (partial(_read, shop, str(uuid4()), token) for token in volley.share(tokens)),
        by=_NOT_YOURS,
    )


@attack()
def voucher_ids_guessed(shop: Shop, volley: Volley) -> None:
    """Guesses ids of vouchers to show; a voucher has one member."""
    volley.throw(
        (
            partial(phone.show_voucher, str(uuid4()))
            for phone in volley.share([shop.phone])
        ),
        by=_NOT_YOURS,
    )


@attack()
def stamps_and_rewards_guessed_to_be_undone(shop: Shop, volley: Volley) -> None:
    """Stands at a till and guesses what to undo; an entry's id is random."""
    volley.throw(
        (
            partial(shop.till.undo, what, str(uuid4()))
            for what in volley.share(["stamps", "redemptions"])
        ),
        by=_NOT_YOURS,
    )


@attack()
def ids_that_are_none(shop: Shop, volley: Volley) -> None:
    """Puts something else in an id's place; what is no id is asked of no store."""
    strange = ["0", "%00", "..%2f..%2fstaff", "'%20OR%201=1--", "NaN", "a" * 400, "*"]
    volley.throw(
        (partial(_read, shop, one, shop.phone.token) for one in volley.share(strange)),
        by={"invalid_request", "not_found"},
    )


@attack()
def short_codes_guessed(shop: Shop, volley: Volley) -> None:
    """Stands at a till and types; of 22 thousand million short codes few are out."""
    letters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
    volley.throw(
        (
            partial(door, "".join(secrets.choice(letters) for _ in range(7)))
            for door in volley.share([shop.till.scan, shop.till.redeem])
        ),
        by={"code_unknown"},
    )


@attack()
def tokens_of_another_kind(shop: Shop, volley: Volley) -> None:
    """Speaks as a customer where staff may, as a till where a person must."""
    held = {
        "member": shop.phone.token,
        "terminal": shop.till.terminal,
        "staff": shop.till.staff,
    }
    if shop.account is not None:
        held["console"] = shop.owner.cookies[shop.cookie("console")]
    tries = [
        partial(_call, shop, number, token)
        for number, (*_, may) in enumerate(CALLS)
        for kind, token in held.items()
        if kind not in may
    ]
    volley.throw(volley.share(tries), by={"forbidden"})


@attack()
def tokens_made_up(shop: Shop, volley: Volley) -> None:
    """Guesses a token, or sends none; it has 256 random bits, and we keep its hash."""
    calls = range(len(CALLS))
    volley.throw(
        (
            partial(_call, shop, number, token)
            for number, token in zip(volley.share(calls), _guesses(), strict=False)
        ),
        by={"unauthenticated"},
    )


def _guesses() -> Iterator[str | None]:
    while True:
        yield None
        yield secrets.token_urlsafe(32)
        yield "null"
        yield "'; --"


@attack()
def stamps_by_hand_unasked(shop: Shop, volley: Volley) -> None:
    """Stands at a till and gives without a code; off until a manager allows it."""
    body = {"card_id": shop.phone.card_id, "stamps": 5}
    volley.throw(
        (
            partial(
                shop.wire.ask,
                "POST",
                f"{API}/hand-stamps",
                {**body, "request_id": uuid4().hex},
                token=token,
            )
            for token in volley.share([shop.till.staff])
        ),
        by={"forbidden"},
    )


@attack()
def more_than_a_code_may_give(shop: Shop, volley: Volley) -> None:
    """Stands at a till and asks for stamps without end; a code gives one to five."""
    amounts: list[object] = [0, -1, 6, 950, 10**30, 1.5, "5", True, None, [5], {"n": 5}]
    code = shop.fresh(Kind.CARD)
    tries = [partial(shop.till.scan, code, stamps=one) for one in amounts]
    offers = [partial(shop.till.offer, one) for one in amounts]
    volley.throw(volley.share([*tries, *offers]), by={"invalid_request"})


def _read(shop: Shop, card_id: str, token: str) -> Answer:
    return shop.wire.ask("GET", f"{API}/cards/{card_id}", token=token)


def _call(shop: Shop, number: int, token: str | None) -> Answer:
    method, path, body, _ = CALLS[number]
    facts = {"card": shop.phone.card_id, "any": str(uuid4()), "code": "A" * 128}
    filled = body and {
        name: value.format(**facts) if isinstance(value, str) else value
        for name, value in body.items()
    }
    return shop.wire.ask(method, API + path.format(**facts), filled, token=token)
