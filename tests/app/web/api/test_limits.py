"""Limits, own cards and paused cards as tills and phones meet them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.programme import limits, own_cards, shop, signals
from app.programme.limits import Limits
from app.programme.sessions import ConsoleCaller
from app.programme.signals import desk
from tests.app.web.api.test_refusals import nothing_written
from tests.app.web.conftest import House, csrf_token, problem


@pytest.fixture
def owner(house: House) -> ConsoleCaller:
    return ConsoleCaller(house.founded.staff_id, "Sofie", "owner")


def scan(house: House, stamps: int = 1, **more: object):
    body = {
        "code": house.card_code(),
        "stamps": stamps,
        "request_id": uuid4().hex,
    }
    return house.api("staff").post("/stamps", body, **more)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Limits(5, 2, None, None, None), "One card gets 2 stamps an hour at most."),
        (Limits(5, None, 2, None, None), "One person gives 2 stamps an hour at most."),
        (Limits(5, None, None, 2, None), "One till gives 2 stamps an hour at most."),
        (
            Limits(5, None, None, None, 2),
            "One location gives 2 stamps an hour",
        ),
    ],
    ids=["card", "staff_member", "terminal", "location"],
)
def test_each_limit_is_named_with_when_it_is_over(
    house: House, owner: ConsoleCaller, request, wanted: Limits, words: str
):
    shop.save_limits(house.tools, house.founded.programme_id, wanted, by=owner)
    assert scan(house, 2).status_code == 201

    refused = scan(house)

    told = problem(refused, 429, "limit_reached")
    name = request.node.callspec.id.rpartition("-")[2]
    assert (told["limit"], told["most"]) == (f"stamps_per_{name}", 2)
    assert told["title"] == "Enough for now"
    assert told["detail"].startswith(words)
    assert told["detail"].endswith(".")
    assert " Again at " in told["detail"]
    assert 3500 < told["retry_after"] <= 3600
    assert refused.headers["Retry-After"] == str(told["retry_after"])


def test_more_than_a_scan_gives_is_named_without_a_time(
    house: House, owner: ConsoleCaller
):
    wanted = Limits(1, None, None, None, None)
    shop.save_limits(house.tools, house.founded.programme_id, wanted, by=owner)

    with nothing_written(house.tools):
        refused = scan(house, 2)

    told = problem(refused, 429, "limit_reached")
    assert (told["limit"], told["most"]) == ("stamps_per_scan", 1)
    assert told["detail"] == "At most 1 stamp a scan is given here."
    assert "Retry-After" not in refused.headers


def test_a_limit_is_told_in_the_readers_language(house: House, owner: ConsoleCaller):
    wanted = Limits(5, 1, None, None, None)
    shop.save_limits(house.tools, house.founded.programme_id, wanted, by=owner)
    scan(house)

    refused = scan(house, headers={"Accept-Language": "da"})

    told = problem(refused, 429, "limit_reached")
    assert told["detail"].startswith("Et kort får højst 1 stempler i timen. Igen kl.")


def test_own_card_is_refused_with_why(house: House, owner: ConsoleCaller):
    own_cards.say_by_number(
        house.tools, house.founded.staff_id, house.card().number, by=owner
    )

    told = problem(scan(house), 403, "not_eligible")

    assert (told["why"], told["title"]) == ("own_card", "Own card")
    assert told["detail"] == "Nobody stamps their own card. A colleague does."


def test_a_paused_card_is_refused_with_why(house: House, owner: ConsoleCaller):
    code = house.card_code()
    shop.pause_card(house.tools, house.joined.card_id, is_paused=True, by=owner)
    body = {"code": code, "stamps": 1, "request_id": uuid4().hex}

    with nothing_written(house.tools):
        at_the_till = house.api("staff").post("/stamps", body)
        on_the_phone = house.api("member").post(f"/cards/{house.joined.card_id}/code")

    for refused in (at_the_till, on_the_phone):
        told = problem(refused, 409, "card_closed")
        assert (told["is_paused"], told["title"]) == (True, "Card paused")


def test_a_closed_card_is_not_said_to_be_paused(house: House):
    shop.save_programme(
        house.tools,
        programme_id=house.founded.programme_id,
        name="Closed",
        reward="Tea",
        stamps_required=5,
        terms="",
        is_open=False,
        voucher_days=None,
        by=ConsoleCaller(house.founded.staff_id, "Sofie", "owner"),
    )

    told = problem(
        house.api("member").post(f"/cards/{house.joined.card_id}/code"),
        409,
        "card_closed",
    )

    assert "is_paused" not in told


def browser(house: House, *kinds: str):
    """One browser that holds the cookies of several."""
    client = house.app.test_client()
    for kind in kinds:
        client.set_cookie(f"pp_{kind}", house.tokens[kind])
    headers = {"X-CSRFToken": csrf_token(client)}
    return client, headers


def test_a_till_that_holds_the_card_which_it_stamps_is_a_signal(house: House):
    client, headers = browser(house, "terminal", "staff", "member")
    for _ in range(2):
        body = {"code": house.card_code(), "stamps": 1, "request_id": uuid4().hex}
        answer = client.post("/api/v1/stamps", json=body, headers=headers)
        # It is counted all the same: a signal refuses nothing.
        assert answer.status_code == 201

    [seen] = desk.signals(house.tools)
    assert (seen.kind, seen.card_id) == ("own_phone", house.joined.card_id)
    assert seen.staff_id == house.founded.staff_id
    assert seen.evidence["way"] == "scanned"


def test_a_phone_with_a_till_in_it_that_collects_is_a_signal(house: House):
    client, headers = browser(house, "terminal", "staff", "member")
    path = f"/api/v1/cards/{house.joined.card_id}/stamps"
    answer = client.post(path, json={"code": house.stamp_code()}, headers=headers)

    assert answer.status_code == 201
    [seen] = desk.signals(house.tools)
    assert (seen.kind, seen.evidence["way"]) == ("own_phone", "collected")


def test_a_till_with_somebody_elses_card_in_it_is_none(house: House):
    client, headers = browser(house, "terminal", "staff", "member")
    other = house.join()
    body = {"code": house.card_code(other), "stamps": 1, "request_id": uuid4().hex}

    client.post("/api/v1/stamps", json=body, headers=headers)

    assert desk.signals(house.tools) == []


def test_my_card_is_named_at_the_till_by_its_seven_characters(house: House):
    from app.programme import stamping  # noqa: PLC0415

    client, headers = browser(house, "terminal", "staff")
    shown = stamping.card_code(house.tools, house.joined.card_id)
    page = client.get("/counter/my-card")
    assert "Say which is yours" in page.text

    wrong = client.post("/counter/my-card", data={"code": "AAAAAAA"}, headers=headers)
    assert wrong.status_code == 422
    assert "This code is not known here." in wrong.text
    right = client.post("/counter/my-card", data={"code": shown.short}, headers=headers)

    assert right.status_code == 200
    number = house.card().number
    assert f"N° {number[:4]} {number[4:]}" in right.text
    assert client.post("/counter/my-card", data={"code": "x"}).status_code == 403


def test_nobody_at_the_till_has_no_card_to_name(house: House):
    client, _ = browser(house, "terminal")

    assert client.get("/counter/my-card").location == "/counter/"


def test_every_kind_of_signal_has_a_title(house: House):
    from app.web.console.lines import SIGNALS  # noqa: PLC0415

    assert set(SIGNALS) == set(signals.kinds.ALL)
    assert limits.SAFE.per_card == 20
