"""The page of items, and what comes back of a purchase, as a manager does it."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest

from app.programme import cards, purchases, shop, stamping
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from tests.app.web.console.conftest import Browser, seen


def names(browser: Browser) -> list[str]:
    page = browser.get("/console/items").text
    return re.findall(r'entry__what"><strong><bdi>([^<]+)<', page)


def add(browser: Browser, name: str, price: str, **more: str):
    return browser.send("/console/items", item_name=name, price=price, **more)


@pytest.fixture
def bought(tools, founded, barista, make_card):
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    coffee = shop.add_item(tools, TypedItem("Coffee", 350), by=by)
    cake = shop.add_item(tools, TypedItem("Cake", 400), by=by)
    card = make_card()
    return stamping.stamp(
        tools,
        stamping.card_code(tools, card.card_id).code,
        stamps=2,
        request_id=uuid4().hex,
        staff=barista,
        order=Order(((coffee, 2), (cake, 1))),
    ).answer


def test_items_are_added_changed_ordered_hidden_and_shown_again(
    owner: Browser, tools
) -> None:
    assert add(owner, "Coffee", "3,50").status_code == 302
    add(owner, "Cake", "4", category="Bakery", is_favourite="1")
    assert names(owner) == ["Coffee", "Cake"]
    coffee, cake = shop.items(tools)
    assert (coffee.price, cake.price, cake.category) == (350, 400, "Bakery")
    assert [item.name for item in shop.on_sale(tools)] == ["Cake", "Coffee"]

    path = f"/console/items/{cake.item_id}"
    owner.send("/console/items", f"{path}/move", to="up")
    assert names(owner) == ["Cake", "Coffee"]
    owner.send("/console/items", f"{path}/move", to="up")
    owner.send("/console/items", path, item_name="Carrot cake", price="4.20")
    assert shop.items(tools)[0].price == 420
    owner.send("/console/items", f"{path}/on-sale", to="off")
    assert [item.name for item in shop.on_sale(tools)] == ["Coffee"]
    owner.send("/console/items", f"{path}/on-sale", to="on")
    assert len(shop.on_sale(tools)) == 2


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"item_name": "", "price": "3"}, "item_name", "Please fill this in."),
        ({"item_name": "Coffee", "price": "3"}, "item_name", "Another item has"),
        ({"item_name": "Tea", "price": "-3"}, "price", "not a sum of money"),
        ({"item_name": "Tea", "price": "3.505"}, "price", "not a sum of money"),
        ({"item_name": "Tea", "price": "999999"}, "price", "A price from nothing"),
        ({"item_name": "x" * 61, "price": "3"}, "item_name", "too long"),
        (
            {"item_name": "Tea", "price": "3", "category": "x" * 41},
            "category",
            "too long",
        ),
    ],
)
def test_a_wrong_figure_is_told_beside_its_field(
    owner: Browser, tools, typed: dict[str, str], field: str, said: str
) -> None:
    add(owner, "Coffee", "3.50")

    refused = owner.send("/console/items", **typed)

    assert refused.status_code == 422
    found = re.search(rf'id="error-{field}-new">([^<]+)<', refused.text)
    assert found, field
    assert said in found[1]
    assert len(shop.items(tools)) == 1


def test_what_comes_back_of_a_purchase_is_taken_back_by_line(
    owner: Browser, tools, bought
) -> None:
    page = f"/console/cards/{bought['card']['card_id']}"
    path = f"/console/purchases/{bought['purchase']['purchase_id']}/refund"
    assert "Coffee" in owner.get(page).text

    nothing = owner.send(page, path, reason="cold")
    assert nothing.status_code == 422
    assert "Choose what comes back." in nothing.text
    assert owner.send(page, path, line="2", reason="").status_code == 422
    assert owner.send(page, path, line="2", reason="cold").status_code == 302
    again = owner.send(page, path, line="2", reason="cold")
    assert again.status_code == 409
    assert "It comes back once." in again.text
    assert "came back: Cake" in seen(owner.get(page)).replace("\u2068", "").replace(
        "\u2069", ""
    )

    owner.send(page, path, line="1", reason="cold")
    card_id = UUID(bought["card"]["card_id"])
    assert cards.card(tools, card_id).stamps == 0
    with tools.database.read() as tx:
        [filed] = purchases.of_card(tx, card_id).values()
    assert filed.is_back
