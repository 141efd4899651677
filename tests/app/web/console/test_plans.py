"""The plans' pages, and what one card has: set up, paid, paid back, refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from werkzeug.test import TestResponse

from app.programme.cards import CardState
from tests.app.web.console.conftest import Browser, seen

PLUS = {
    "name": "Plus",
    "price": "45",
    "period_months": "12",
    "cashback": "2",
    "cap": "500",
    "benefits": "",
    "is_offered": "1",
}


def error_of(response: TestResponse, field: str) -> str:
    found = re.search(rf'id="error-{field}">([^<]+)<', response.text)
    assert found, f"nothing is said beside {field}"
    return unescape(found[1])


def plan_id(browser: Browser) -> str:
    found = re.search(
        r"/console/plans/([0-9a-f-]{36})", browser.get("/console/plans").text
    )
    assert found
    return found[1]


def test_a_plan_is_set_up_and_read_as_customers_read_it(owner: Browser) -> None:
    answer = owner.send("/console/plans/new", **PLUS)

    assert answer.status_code == 302
    page = seen(owner.get("/console/plans"))
    assert "Plus €45.00 a year 2% back on what you pay, at most €500.00 a year" in page
    assert "It pays above €2,250.00 a year." in page
    assert "€45.00 a year" in seen(owner.get(f"/console/plans/{plan_id(owner)}"))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("price", "-5", "A price above nought"),
        ("price", "0", "A price above nought"),
        ("price", "free", "A price above nought"),
        ("cashback", "51", "0 to 50 percent"),
        ("cashback", "-1", "0 to 50 percent"),
        ("cashback", "0", "It would give nothing."),
        ("cap", "0", "A sum above nought"),
        ("cap", "3.74", "less in a year than a month of it costs"),
        ("cap", "44.99", "could never pay for itself"),
        ("name", "", "Please fill this in."),
        ("name", "CLUB", "Another plan has this name."),
        ("period_months", "7", "Choose a month or a year."),
    ],
)
def test_bad_input_is_refused_at_its_field(
    owner: Browser, field: str, typed: str, sentence: str
) -> None:
    owner.send("/console/plans/new", **PLUS | {"name": "Club"})

    answer = owner.send("/console/plans/new", **PLUS | {field: typed})

    assert answer.status_code == 422
    assert sentence in error_of(answer, field)


def test_a_membership_is_marked_paid_and_paid_back(
    owner: Browser, make_card: Callable[..., CardState]
) -> None:
    owner.send("/console/plans/new", **PLUS)
    card = make_card()
    page = f"/console/cards/{card.card_id}/gives"
    paid = {"plan_id": plan_id(owner), "paid_how": "cash", "request_id": "a" * 32}
    path = f"/console/cards/{card.card_id}/membership"

    owner.send(page, path, **paid)
    again = owner.send(page, path, **paid)
    twice = owner.send(page, path, **paid | {"request_id": "b" * 32})

    assert again.status_code == 302
    assert "It is paid already." in error_of(twice, "plan_id")
    assert "Plus Now" in seen(owner.get(page))
    assert "€500.00 left of at most €500.00" in seen(owner.get(page))
    back = re.search(r'action="([^"]+/refund)"', owner.get(page).text)
    assert back
    assert "Please fill this in." in error_of(owner.send(page, back[1]), "reason")
    owner.send(page, back[1], reason="Changed her mind")
    assert "Paid back" in seen(owner.get(page))


def test_a_member_reads_what_is_on_offer_and_what_was_paid(
    owner: Browser, make_card: Callable[..., CardState]
) -> None:
    owner.send("/console/plans/new", **PLUS)
    card = make_card()
    page = f"/console/cards/{card.card_id}/gives"

    owner.send(
        page,
        f"/console/cards/{card.card_id}/membership",
        plan_id=plan_id(owner),
        paid_how="card",
        request_id="c" * 32,
    )

    assert "By card" in seen(owner.get(page))
    assert "1 paid membership" in seen(owner.get("/console/plans"))
