"""What the shop sells: the tiles of the till, their prices and their order."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme import money, shop
from app.programme.errors import InvalidRequest
from app.programme.shop import ItemView, TypedItem
from app.web.console.room import again, bp
from app.web.shared import access, amounts


@dataclass(frozen=True, slots=True)
class Row:
    """An item as the page shows it."""

    item: ItemView
    #: "€3.50"
    price: str
    #: What stands in its form.
    form: dict[str, str]
    is_first: bool
    is_last: bool


@bp.route("/console/items", methods=["GET", "POST"])
def items() -> ResponseReturnValue:
    """List what is sold, and add something."""
    if request.method != "POST":
        return render_template("console/items.html", form={}, wrong={}, **_facts())
    try:
        shop.add_item(access.tools(), _typed(), by=access.console())
    except InvalidRequest as error:
        return again("console/items.html", error, **_facts())
    flash(gettext("Item added."))
    return redirect(url_for("console.items"))


@bp.post("/console/items/<uuid:item_id>")
def change_item(item_id: UUID) -> ResponseReturnValue:
    """Give an item another name, price or group."""
    try:
        shop.change_item(access.tools(), item_id, _typed(), by=access.console())
    except InvalidRequest as error:
        return again("console/items.html", error, **_facts(changing=item_id))
    flash(gettext("Saved."))
    return redirect(url_for("console.items"))


@bp.post("/console/items/<uuid:item_id>/move")
def move_item(item_id: UUID) -> ResponseReturnValue:
    """Move an item one place up or down."""
    is_up = request.form.get("to") != "down"
    shop.move_item(access.tools(), item_id, up=is_up, by=access.console())
    return redirect(url_for("console.items", _anchor=f"item-{item_id}"))


@bp.post("/console/items/<uuid:item_id>/on-sale")
def put_on_sale(item_id: UUID) -> ResponseReturnValue:
    """Hide an item from the till, or show it again."""
    is_active = request.form.get("to") != "off"
    shop.set_on_sale(access.tools(), item_id, is_active=is_active, by=access.console())
    flash(gettext("At the till again.") if is_active else gettext("Hidden."))
    return redirect(url_for("console.items"))


def _facts(changing: UUID | None = None) -> dict[str, object]:
    tools = access.tools()
    currency, known = shop.currency(tools), shop.items(tools)
    sold = [each for each in known if each.is_active]
    return {
        "changing": changing,
        "currency": currency,
        "sold": [
            _row(each, currency, at=at, of=len(sold)) for at, each in enumerate(sold, 1)
        ],
        "hidden": [_row(each, currency) for each in known if not each.is_active],
        "categories": sorted({each.category for each in known if each.category}),
    }


def _row(item: ItemView, currency: str, at: int = 0, of: int = 0) -> Row:
    return Row(
        item=item,
        price=amounts.told(item.price, currency),
        form={
            "item_name": item.name,
            "price": money.spelled(item.price, currency),
            "category": item.category,
            "is_favourite": "1" if item.is_favourite else "",
        },
        is_first=at <= 1,
        is_last=at == of,
    )


def _typed() -> TypedItem:
    form = request.form
    currency = shop.currency(access.tools())
    return TypedItem(
        name=form.get("item_name", ""),
        price=money.parse(form.get("price", ""), currency),
        category=form.get("category", ""),
        is_favourite=form.get("is_favourite") == "1",
    )
