"""A membership is paid at the till: looked at, confirmed with its sum, marked once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from app.programme import own_cards, plans
from app.programme.plans import offering
from app.programme.plans.offering import PlanDraft
from app.programme.sessions import ConsoleCaller
from tests.app.web.conftest import House, csrf_token
from tests.conftest import Clock

DRAFT = PlanDraft("Plus", 45_00, 12, 200, None, "", is_offered=True)
PATH = "/counter/membership"


@pytest.fixture
def owner(house: House) -> ConsoleCaller:
    return ConsoleCaller(house.founded.staff_id, "Owner", "owner")


@pytest.fixture
def plan_id(house: House, owner: ConsoleCaller) -> UUID:
    return offering.save_plan(
        house.tools, house.founded.programme_id, None, DRAFT, by=owner
    )


@pytest.fixture
def till(house: House) -> FlaskClient:
    client = house.app.test_client()
    client.set_cookie("pp_terminal", house.tokens["terminal"])
    client.set_cookie("pp_staff", house.tokens["staff"])
    return client


def send(till: FlaskClient, **form: object):
    """Send the page's form, and follow it."""
    headers = {"X-CSRFToken": csrf_token(till, PATH)}
    return till.post(PATH, data=form, headers=headers, follow_redirects=True)


def periods(house: House) -> list[plans.Period]:
    return plans.of_card(house.tools, house.joined.card_id)


def test_the_menu_offers_it_where_a_plan_is_on_offer(till: FlaskClient, plan_id: UUID):
    assert plan_id
    assert PATH in till.get("/counter/").text


def test_without_plans_the_menu_has_no_such_line(till: FlaskClient):
    assert PATH not in till.get("/counter/").text


def test_a_fee_is_taken_and_marked(house: House, till: FlaskClient, plan_id: UUID):
    code = house.card_code()
    shown = send(till, code=code)
    assert "Take €45.00 first" in re.sub("[\u2068\u2069]", "", shown.text)

    done = send(till, plan_id=plan_id, price=4500, paid_how="card")

    assert "€45.00, by card." in re.sub("[\u2068\u2069]", "", done.text)
    (period,) = periods(house)
    assert (period.paid_how, period.terms.price) == ("card", 45_00)
    # the code was looked at and not spent, and the next page knows nobody
    answer = house.api("staff").post("/stamps", {"code": code, "request_id": "r1"})
    assert answer.status_code == 201
    assert 'name="code"' in till.get(PATH).text


def test_it_is_not_taken_again_before_it_ends(
    house: House, till: FlaskClient, plan_id: UUID
):
    send(till, code=house.card_code())
    send(till, plan_id=plan_id, price=4500, paid_how="cash")

    again = send(till, code=house.card_code())

    assert "It is paid. The next period can be paid from" in again.text
    assert "paid_how" not in again.text
    refused = send(till, plan_id=plan_id, price=4500, paid_how="cash")
    assert refused.status_code == 422
    assert "It is paid already. Take no money" in refused.text
    assert len(periods(house)) == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"price": 4400, "paid_how": "cash"}, "The price has just changed"),
        ({"price": "", "paid_how": "cash"}, "The price has just changed"),
        ({"price": 4500, "paid_how": "gold"}, "Choose how it was paid"),
    ],
)
def test_what_does_not_fit_is_refused_and_marks_nothing(
    house: House, till: FlaskClient, plan_id: UUID, form: dict[str, object], said: str
):
    send(till, code=house.card_code())

    refused = send(till, plan_id=plan_id, **form)

    assert (refused.status_code, said in refused.text) == (422, True)
    assert periods(house) == []


def test_without_a_code_that_was_shown_nobody_is_marked(
    house: House, till: FlaskClient, plan_id: UUID, clock: Clock
):
    send(till, plan_id=plan_id, price=4500, paid_how="cash")
    send(till, code=house.card_code())
    clock.forward(timedelta(minutes=11))
    send(till, plan_id=plan_id, price=4500, paid_how="cash")
    assert send(till, code="4KD7QX2").status_code == 400 or periods(house) == []

    assert periods(house) == []


def test_nobody_marks_their_own_card(house: House, till: FlaskClient, plan_id: UUID):
    own_cards.say_so(house.tools, house.card_code(), staff=house.barista)
    send(till, code=house.card_code())

    refused = send(till, plan_id=plan_id, price=4500, paid_how="cash")

    assert refused.status_code == 422
    assert periods(house) == []


def test_a_plan_that_is_gone_is_not_offered(
    house: House, till: FlaskClient, plan_id: UUID, owner: ConsoleCaller
):
    hidden = replace(DRAFT, is_offered=False)
    programme_id = house.founded.programme_id
    offering.save_plan(house.tools, programme_id, plan_id, hidden, by=owner)

    shown = send(till, code=house.card_code())

    assert "No plan is on offer for this card." in shown.text
