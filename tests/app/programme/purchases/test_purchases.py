"""Purchases: prices from the books, once each, and what comes back of them."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.programme import cards, proofs, purchases, rewards, shop, stamping
from app.programme.errors import (
    Forbidden,
    InvalidRequest,
    PurchaseRefunded,
    ReceiptCounted,
    Refused,
    VoucherSpent,
)
from app.programme.purchases import FiledLine, Order
from app.programme.purchases.refunds import rest_of
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from app.store.tables import LedgerEntry, Purchase, RefundLine
from tests.conftest import both_books


@pytest.fixture
def owner(founded):
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def menu(tools, owner):
    """Coffee at 3.50 and cake at 4.00, by their ids."""
    return [
        shop.add_item(tools, TypedItem("Coffee", 350, "Hot drinks"), by=owner),
        shop.add_item(tools, TypedItem("Cake", 400), by=owner),
    ]


@pytest.fixture
def sell(tools, barista):
    """Scan a card's phone after something was bought."""

    def sold(card_id, order, stamps=1, request_id=None, staff=barista):
        code = stamping.card_code(tools, card_id).code
        return stamping.stamp(
            tools,
            code,
            stamps=stamps,
            request_id=request_id or uuid4().hex,
            staff=staff,
            order=order,
        ).answer

    return sold


def count(tools, what):
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(what))


def purchase_of(answer):
    return UUID(answer["purchase"]["purchase_id"])


# Selling


@both_books
def test_a_purchase_has_its_prices_from_the_books(tools, menu, make_card, sell):
    coffee, cake = menu
    card = make_card()

    told = sell(card.card_id, Order(((coffee, 2), (cake, 1))))["purchase"]

    assert (told["amount"], told["currency"]) == (1100, "EUR")
    assert [
        (line["line_no"], line["name"], line["quantity"], line["price"])
        for line in told["lines"]
    ] == [(1, "Coffee", 2, 350), (2, "Cake", 1, 400)]
    with tools.database.read() as tx:
        entry = tx.scalars(select(LedgerEntry)).one()
        assert str(entry.purchase_id) == told["purchase_id"]
        assert (entry.answer or {})["purchase"] == told


def test_what_was_paid_beyond_the_items_is_a_line_of_its_own(menu, make_card, sell):
    told = sell(make_card().card_id, Order(((menu[0], 1),), 500))["purchase"]

    assert told["amount"] == 500
    assert told["lines"][1] == {
        "line_no": 2,
        "item_id": None,
        "name": None,
        "quantity": 1,
        "price": 150,
    }


def test_a_later_price_changes_no_purchase(tools, menu, owner, make_card, sell):
    card = make_card()
    bought = sell(card.card_id, Order(((menu[0], 1),)))

    shop.change_item(tools, menu[0], TypedItem("Latte", 900), by=owner)

    with tools.database.read() as tx:
        kept = purchases.of_card(tx, card.card_id)[purchase_of(bought)]
    assert [(line.name, line.price) for line in kept.lines] == [("Coffee", 350)]


def test_without_a_purchase_stamps_are_as_ever(tools, make_card, sell):
    assert "purchase" not in sell(make_card().card_id, Order(), stamps=3)
    assert count(tools, Purchase) == 0


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (Order(((uuid4(), 1),)), "items"),
        (Order(((uuid4(), 0),)), "items"),
        (Order(((uuid4(), -2), (uuid4(), 3))), "items"),
        (Order(((uuid4(), 100),)), "items"),
        (Order(amount=-1), "amount"),
        (Order(amount=10_000_001), "amount"),
        (Order(till_number="7"), "amount"),
    ],
)
def test_what_makes_no_sense_counts_for_nothing(tools, make_card, sell, order, field):
    card = make_card()

    with pytest.raises(InvalidRequest) as refused:
        sell(card.card_id, order)

    assert refused.value.fields.keys() == {field}
    assert (count(tools, Purchase), count(tools, LedgerEntry)) == (0, 0)


def test_a_number_below_nought_is_not_mended_by_the_next(menu, make_card, sell):
    with pytest.raises(InvalidRequest):
        sell(make_card().card_id, Order(((menu[0], -1), (menu[0], 2))))


def test_a_shown_code_carries_the_sale(tools, menu, barista, make_card):
    shown = stamping.stamp_code(tools, barista, 2, Order(((menu[1], 2),), 750))

    told = stamping.collect(tools, shown.code, card_id=make_card().card_id).answer

    assert told["purchase"]["amount"] == 750
    assert told["purchase"]["lines"][0]["quantity"] == 2


def test_a_code_for_what_is_not_sold_is_not_shown(tools, barista):
    with pytest.raises(InvalidRequest):
        stamping.stamp_code(tools, barista, 1, Order(((uuid4(), 1),)))


@both_books
def test_one_receipt_counts_once_however_many_bring_it(tools, menu, make_card, barista):
    """Of eight at once, each with a code and a request of its own, one counts."""
    order = Order(((menu[0], 1),), None, "2026-0007")
    codes = [stamping.card_code(tools, make_card().card_id).code for _ in range(8)]

    def bring(code):
        try:
            return stamping.stamp(
                tools, code, stamps=1, request_id=code[:20], staff=barista, order=order
            )
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(bring, codes))

    assert sum(isinstance(each, ReceiptCounted) for each in came) == 7
    assert (count(tools, Purchase), count(tools, LedgerEntry)) == (1, 1)


@both_books
def test_one_request_brings_one_purchase(tools, menu, make_card, barista):
    order = Order(((menu[0], 1),), None, "7")
    code = stamping.card_code(tools, make_card().card_id).code

    def ask(_):
        try:
            return stamping.stamp(
                tools, code, stamps=1, request_id="r", staff=barista, order=order
            ).answer
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(6) as pool:
        came = list(pool.map(ask, range(6)))

    assert all(each == came[0] for each in came), came
    assert (count(tools, Purchase), count(tools, LedgerEntry)) == (1, 1)


# What comes back


@both_books
def test_a_line_comes_back_once(tools, menu, make_card, sell, barista):
    purchase_id = purchase_of(
        sell(make_card().card_id, Order(((menu[0], 2), (menu[1], 1))))
    )

    def back(number):
        try:
            return purchases.refund(
                tools,
                purchase_id,
                lines=[1],
                staff=barista,
                reason="cold",
                request_id=f"r{number}",
            ).answer["amount"]
        except PurchaseRefunded:
            return None

    with ThreadPoolExecutor(6) as pool:
        came = list(pool.map(back, range(6)))

    assert sorted(came, key=str) == [700] + [None] * 5
    assert count(tools, RefundLine) == 1


@both_books
def test_one_request_sent_by_many_at_once_takes_back_once_and_is_told_alike(
    tools, menu, make_card, sell, barista
):
    purchase_id = purchase_of(sell(make_card().card_id, Order(((menu[0], 1),))))

    def back(_):
        return purchases.refund(
            tools, purchase_id, staff=barista, reason="cold", request_id="storm"
        )

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(back, range(12)))

    assert sum(not one.is_repeat for one in told) == 1
    assert len({one.answer["refund_id"] for one in told}) == 1
    assert count(tools, RefundLine) == 1


@both_books
def test_the_whole_and_a_line_of_it_at_once_give_nothing_twice(
    tools, menu, make_card, sell, barista
):
    card = make_card()
    purchase_id = purchase_of(sell(card.card_id, Order(((menu[0], 1), (menu[1], 1)))))

    def back(lines):
        try:
            return purchases.refund(
                tools, purchase_id, lines=lines, staff=barista, reason="cold"
            ).answer["amount"]
        except PurchaseRefunded:
            return 0

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(back, [[], [1], [2], []]))

    assert sum(came) == 750
    assert count(tools, RefundLine) == 2
    assert cards.card(tools, card.card_id).stamps == 0


def test_the_whole_takes_back_what_the_sale_gave(
    tools, menu, make_card, sell, barista, give
):
    card = give(make_card(), 3)
    purchase_id = purchase_of(sell(card.card_id, Order(((menu[0], 2),)), stamps=2))

    told = purchases.refund(
        tools, purchase_id, staff=barista, reason="cold", request_id="r"
    )
    again = purchases.refund(
        tools, purchase_id, staff=barista, reason="cold", request_id="r"
    )

    assert told.answer["amount"] == 700
    assert told.answer["card"]["stamps"] == 3
    assert again.is_repeat
    assert again.answer == told.answer
    with pytest.raises(PurchaseRefunded):
        purchases.refund(tools, purchase_id, staff=barista, reason="cold")
    assert proofs.prove(tools).findings == ()


def test_what_was_spent_meanwhile_is_owed_and_an_undo_is_refused(
    tools, menu, make_card, sell, barista, give
):
    card = give(make_card(), 5)
    sold = sell(card.card_id, Order(((menu[0], 5),)), stamps=5)
    [voucher] = cards.card(tools, card.card_id).vouchers
    code = rewards.voucher_code(tools, voucher.voucher_id, card.member_id).code
    rewards.redeem(tools, code, request_id="v", staff=barista)

    with pytest.raises(VoucherSpent):
        stamping.reverse_stamp(
            tools, UUID(sold["stamp_id"]), staff=barista, reason="mistake"
        )
    told = purchases.refund(tools, purchase_of(sold), staff=barista, reason="cold")

    assert told.answer["card"]["stamps"] == -5
    assert give(card, 3).stamps == -2
    assert proofs.prove(tools).findings == ()


def test_a_discount_comes_back_by_its_share(tools, menu, make_card, sell, barista):
    purchase_id = purchase_of(
        sell(make_card().card_id, Order(((menu[0], 2), (menu[1], 1)), 1000))
    )

    came = [
        purchases.refund(
            tools, purchase_id, lines=[number], staff=barista, reason="cold"
        ).answer["amount"]
        for number in (1, 2)
    ]

    assert came == [637, 363]


@given(
    lines=st.lists(
        st.tuples(st.integers(1, 99), st.integers(0, 99_999)), min_size=1, max_size=8
    ),
    amount=st.integers(0, 10_000_000),
    order=st.randoms(),
)
def test_whatever_comes_back_piece_by_piece_is_what_was_paid(lines, amount, order):
    sold = [
        FiledLine(number, uuid4(), "x", "", quantity, price, is_back=False)
        for number, (quantity, price) in enumerate(lines, 1)
    ]
    numbers = [line.line_no for line in sold]
    order.shuffle(numbers)
    left = [
        rest_of(sold, amount, set(numbers[:many])).amount
        for many in range(len(numbers) + 1)
    ]

    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    assert left[0] in (amount, 0)


def test_a_stamp_of_a_purchase_is_undone_with_all_of_it(
    tools, menu, make_card, sell, barista
):
    card = make_card()
    given_ = sell(card.card_id, Order(((menu[0], 1),)))

    stamp_id = UUID(given_["stamp_id"])
    undone = stamping.reverse_stamp(tools, stamp_id, staff=barista, reason="mistake")
    again = stamping.reverse_stamp(tools, stamp_id, staff=barista, reason="mistake")

    assert undone.answer["reversal_id"] == again.answer["reversal_id"]
    assert again.is_repeat
    with pytest.raises(PurchaseRefunded):
        purchases.refund(tools, purchase_of(given_), staff=barista, reason="cold")
    assert proofs.prove(tools).findings == ()


def test_who_takes_back_is_who_may_undo(
    tools, menu, make_card, sell, barista, founded, owner, clock
):
    elsewhere = shop.add_location(tools, name="Torvet", by=owner)
    purchase_id = purchase_of(sell(make_card().card_id, Order(((menu[0], 1),))))

    other = dataclasses.replace(barista, role="barista", location_id=elsewhere)
    late = dataclasses.replace(barista, role="barista")

    with pytest.raises(Forbidden):
        purchases.refund(tools, purchase_id, staff=other, reason="cold")
    clock.forward(timedelta(hours=25))
    with pytest.raises(Forbidden):
        purchases.refund(tools, purchase_id, staff=late, reason="cold")
    assert purchases.refund(tools, purchase_id, staff=owner, reason="cold").answer


def test_the_list_of_a_till_shows_what_was_bought_there(
    tools, menu, make_card, sell, barista
):
    sell(make_card("Anna").card_id, Order(((menu[0], 1),)))
    second = purchase_of(sell(make_card("Bo").card_id, Order(amount=500)))
    purchases.refund(tools, second, staff=barista, reason="cold")

    listed = purchases.lately(tools, barista)

    assert [each.member_name for each in listed] == ["Bo", "Anna"]
    assert [each.is_back for each in listed] == [True, False]
