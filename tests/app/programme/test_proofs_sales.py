"""The audit finds purchases, and what came back of them, that somebody changed."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.programme import proofs, purchases, shop, stamping
from app.programme.earning import desk
from app.programme.earning.rules import Figures, Rule, RuleKind
from app.programme.purchases import Order
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from app.programme.units import Unit
from tests.conftest import both_books


@pytest.fixture
def sold(tools, founded, make_card, barista):
    """A sale of three lines by a rule, of which one has come back."""
    owner = ConsoleCaller(founded.staff_id, "Owner", "owner")
    rule = Rule(
        uuid4(), 0, uuid4(), founded.programme_id, RuleKind.AMOUNT, Unit.POINT,
        Figures(units=1, per=100),
    )  # fmt: skip
    desk.save(tools, rule, by=owner)
    items = [
        shop.add_item(tools, TypedItem(name, price), by=owner)
        for name, price in (("Coffee", 350), ("Cake", 400))
    ]
    code = stamping.card_code(tools, make_card().card_id).code
    order = Order(((items[0], 2), (items[1], 1)), 1200)
    answer = stamping.stamp(
        tools, code, stamps=1, request_id="one", staff=barista, order=order
    ).answer
    purchase_id = UUID(answer["purchase"]["purchase_id"])
    purchases.refund(tools, purchase_id, lines=[2], staff=barista, reason="cold")
    return purchase_id


@both_books
def test_books_that_nobody_touched_are_clean(tools, sold):
    assert proofs.prove(tools).findings == ()
    assert sold


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE purchase SET amount = 90000", "purchase_changed"),
        ("UPDATE purchase SET currency = 'KWD'", "purchase_changed"),
        ("UPDATE purchase SET till_number = 'R1'", "purchase_changed"),
        ("UPDATE purchase SET staff_id = NULL", "purchase_changed"),
        ("UPDATE purchase_line SET price = 1 WHERE line_no = 1", "purchase_changed"),
        ("UPDATE purchase_line SET quantity = 9", "purchase_changed"),
        ("UPDATE refund SET amount = 1", "refund_changed"),
        ("DELETE FROM refund_line", "refund_missing"),
        ("UPDATE refund_line SET line_no = 1", "refund_missing"),
    ],
)
def test_what_was_changed_is_found(tools, sold, change, found):
    with tools.database.begin() as tx:
        tx.execute(text(change))

    assert found in {one.code for one in proofs.prove(tools).findings}


def test_one_that_was_put_in_or_removed_is_found(tools, sold):
    with tools.database.begin() as tx:
        tx.execute(text("PRAGMA defer_foreign_keys = ON"))
        tx.execute(text("UPDATE ledger_entry SET purchase_id = NULL"))
    codes = {one.code for one in proofs.prove(tools).findings}

    assert {"purchase_stray", "receipt_forged"} <= codes
    assert sold
