"""Purchases: prices made up, receipts brought again, and what came back twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from app.store.tables import Purchase
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import API, Till, must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer

_AT_ONCE: Final = 24
#: What a till could say to get more than was paid for.
_MADE_UP: Final[tuple[Mapping[str, Any], ...]] = (
    {"items": [{"item_id": str(uuid4()), "quantity": 1}]},
    {"items": [{"item_id": str(uuid4()), "quantity": 1, "price": 999_999}]},
    {"items": [{"item_id": str(uuid4()), "quantity": -1}]},
    {"items": [{"item_id": str(uuid4()), "quantity": 10**9}]},
    {"items": [{"item_id": str(uuid4())}] * 41},
    {"amount": -1},
    {"amount": 10_000_001},
    {"amount": 10**30},
    {"amount": 0.5},
    {"amount": 350, "currency": "KWD"},
    {"purchase_id": str(uuid4())},
)


def _sell(
    shop: Shop, till: Till, said: Mapping[str, Any], door: str = "stamps"
) -> Answer:
    """Scan the phone of somebody new, and say what was bought."""
    code = shop.join(name="Eva").code()
    body = {"code": code, "request_id": uuid4().hex, **said}
    return till.wire.ask("POST", f"{API}/{door}", body, token=till.staff)


def _bought(shop: Shop) -> str:
    """Buy something, honestly; the purchase's id."""
    told = must(_sell(shop, shop.till, {"amount": 350}), "buying something")
    shop.honest["stamps"] += told["stamps_given"]
    return str(told["purchase"]["purchase_id"])


def _refund(
    purchase_id: str,
    token: str | None,
    till: Till,
    lines: Sequence[int] = (),
    request_id: str | None = None,
) -> Answer:
    body = {
        "reason": "cold",
        "request_id": request_id or uuid4().hex,
        "lines": list(lines),
    }
    return till.wire.ask(
        "POST", f"{API}/purchases/{purchase_id}/refund", body, token=token
    )


@attack()
def prices_made_up_at_the_till(shop: Shop, volley: Volley) -> None:
    """Is a barista who says what was never sold; prices come from the books alone."""
    volley.throw(
        (partial(_sell, shop, shop.till, said) for said in volley.share(_MADE_UP)),
        by={"invalid_request"},
    )


@attack()
def one_receipt_brought_again(shop: Shop, volley: Volley) -> None:
    """Brings a till system's receipt for friends' cards; its number counts once."""
    number = uuid4().hex
    said = {"amount": 350, "till_number": number}
    must(_sell(shop, shop.till, said, "purchases"), "bringing a receipt")
    shop.honest["stamps"] += 1
    again = partial(_sell, shop, shop.second_till, said, "purchases")
    volley.throw([again] * max(3, volley.size // 5), by={"receipt_counted"})
    fresh = {"amount": 350, "till_number": uuid4().hex}
    tries = [partial(_sell, shop, shop.till, fresh, "purchases")] * _AT_ONCE
    volley.at_once(tries, by={"receipt_counted", "try_again"})
    shop.honest["stamps"] += 1


@attack(Need.INSIDE)
def one_purchase_refunded_again(shop: Shop, volley: Volley) -> None:
    """Is paid back again, and at two tills at once; each line comes back once."""
    purchase_id, till = _bought(shop), shop.till
    must(_refund(purchase_id, till.staff, till), "paying back")
    again = partial(_refund, purchase_id, till.staff, till)
    volley.throw([again] * max(3, volley.size // 5), by={"purchase_refunded"})
    other = _bought(shop)
    tills = (shop.till, shop.second_till)
    tries = [
        partial(_refund, other, tills[n % 2].staff, tills[n % 2])
        for n in range(_AT_ONCE)
    ]
    volley.at_once(tries, by={"purchase_refunded", "try_again"})
    shop.honest["undone"] += 2


@attack()
def refunds_by_strangers(shop: Shop, volley: Volley) -> None:
    """Is a customer, a till with nobody at it or nobody; staff alone take back."""
    purchase_id, till = _bought(shop), shop.till
    customer = shop.join(name="Mallory").token
    volley.throw(
        (
            partial(_refund, purchase_id, token, till)
            for token in volley.share([customer, till.terminal, "x" * 43, None])
        ),
        by={"forbidden", "unauthenticated"},
    )
    volley.throw(
        [partial(_refund, str(uuid4()), till.staff, till)] * 3, by={"not_found"}
    )


@attack(Need.OWN, Need.INSIDE)
def refunds_beyond_a_baristas_right(shop: Shop, volley: Volley) -> None:
    """Is a barista who takes back an old sale, or lines of another's, for the money."""
    old, mine, other = (_bought(shop) for _ in range(3))
    with shop.inside.database.begin() as tx:
        sold = tx.get_one(Purchase, UUID(old))
        sold.at -= timedelta(days=2)
    till = next(one for one in (shop.till, shop.second_till) if _is_barista(shop, one))
    volley.throw(
        [partial(_refund, old, till.staff, till)] * max(3, volley.size // 10),
        by={"forbidden"},
    )
    with shop.inside.database.begin() as tx:
        sold = tx.get_one(Purchase, UUID(old))
        sold.at += timedelta(days=2)
    volley.throw(
        (
            partial(_refund, mine, till.staff, till, lines)
            for lines in volley.share(([2], [99], [1, 2], [0], [-1]))
        ),
        by={"invalid_request"},
    )
    # One request for two purchases: the first answer again, and nothing comes back.
    request = uuid4().hex
    must(_refund(mine, till.staff, till, request_id=request), "paying back")
    shop.honest["undone"] += 1
    again = _refund(other, till.staff, till, request_id=request)
    is_first = again.is_success and again.json["purchase_id"] == mine
    volley.note(None if is_first else "a request took two purchases back", "repeat")


def _is_barista(shop: Shop, till: Till) -> bool:
    roles = {person.staff_id: person.role for person in shop.people}
    return roles.get(till.staff_id) == "barista"
