"""Rewards in the console: made, refused at the field, filled with codes, in order."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest

from app.programme import rewards
from app.programme.founding import Founded
from app.tools import Tools
from tests.app.web.console.conftest import Browser, seen

GOOD = {
    "kind": "item",
    "name": "Cinnamon roll",
    "unit": "stamp",
    "price": "6",
    "cost": "1.50",
    "budget": "300",
    "stock": "200",
    "is_open": "1",
}


def made(tools: Tools, founded: Founded) -> list[rewards.RewardView]:
    return list(rewards.rewards(tools, founded.programme_id))


def test_a_reward_is_made_as_members_will_read_it(
    owner: Browser, tools: Tools, founded: Founded
):
    assert "No rewards to choose yet" in seen(owner.get("/console/rewards"))

    answer = owner.send("/console/rewards/new", **GOOD)

    assert answer.status_code == 302
    [one] = made(tools, founded)
    assert (one.plan.name, one.plan.price, one.plan.cost, one.plan.budget) == (
        "Cinnamon roll",
        6,
        150,
        30000,
    )
    page = seen(owner.get("/console/rewards"))
    assert "Cinnamon roll" in page
    assert "6 stamps" in page
    assert "200 left" in page
    form = owner.get(f"/console/rewards/{one.reward_id}").text
    assert 'value="300.00"' in form
    preview = owner.send(
        "/console/rewards/new", "/console/rewards/preview", **GOOD | {"price": "7"}
    )
    assert "7 stamps" in seen(preview)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("price", "-3", "0 to 1,000,000, without a sign."),
        ("price", "", "Please fill this in."),
        ("price", "0", "What costs nothing needs a limit for each member."),
        ("stock", "1000000", "1 to 100,000, or nothing."),
        ("closes_at", "2020-01-01", "That is over. Choose a later day."),
        ("cost", "-1", "A sum such as 1.50, or nothing."),
        ("cost", "", "Say what one costs you, or the budget is never used."),
        ("budget", "1.00", "It would not even pay for one."),
        ("name", " ", "Please fill this in."),
        ("kind", "gold", "Please fill this in."),
        ("opens_at", "yesterday", "That is no day. Choose one."),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    owner: Browser, tools: Tools, founded: Founded, field, typed, sentence
):
    answer = owner.send("/console/rewards/new", **GOOD | {field: typed})

    assert answer.status_code == 422
    said = re.findall(r'class="field__error"[^>]*>([^<]+)', answer.text)
    assert sentence in said
    assert made(tools, founded) == []


@pytest.mark.parametrize("percent", ["0", "101", "-5", "ten", ""])
def test_a_percent_is_1_to_100(owner: Browser, percent: str):
    answer = owner.send(
        "/console/rewards/new", **GOOD | {"kind": "percent", "worth": percent}
    )

    assert answer.status_code == 422
    assert "A whole number from 1 to 100." in seen(answer)


def test_an_event_needs_a_day_and_places(owner: Browser):
    answer = owner.send(
        "/console/rewards/new",
        **GOOD
        | {
            "kind": "event",
            "stock": "",
            "starts_at": "2020-05-01T18:00",
            "ends_at": "2020-05-01T17:00",
        },
    )

    assert answer.status_code == 422
    page = seen(answer)
    assert "That is over. Choose a later day." in page
    assert "The end comes before the beginning." in page


def test_codes_of_a_partner_are_read_line_by_line(
    owner: Browser, tools: Tools, founded: Founded
):
    partner = {"kind": "partner", "name": "Cinema", "unit": "stamp", "price": "3"}
    owner.send("/console/rewards/new", **partner, is_open="1")
    [one] = made(tools, founded)
    page = f"/console/rewards/{one.reward_id}"

    answer = owner.send(page, f"{page}/codes", codes="code\nA-1\nA-2\nA-1\n<b>\n")

    said = seen(answer)
    assert "2 codes added." in said
    assert "Line 4: A-1 : twice in here" in said
    assert "Line 5: <b> : characters that no code has" in said
    assert "They run low" in said
    file = (io.BytesIO(b"code;value\nA-2;5\nB-7;5\n"), "codes.csv")
    again = owner.send(page, f"{page}/codes", file=file)
    assert "1 code added." in seen(again)
    assert "there already" in seen(again)
    owner.send(page, f"{page}/withdrawal")
    assert rewards.reward(tools, one.reward_id).left == 0


def test_rewards_are_put_in_order_and_stamps_may_wait(
    owner: Browser, tools: Tools, founded: Founded
):
    for name in ("Coffee", "Cake"):
        owner.send("/console/rewards/new", **GOOD | {"name": name})
    last = made(tools, founded)[-1]

    owner.send("/console/rewards", f"/console/rewards/{last.reward_id}/move", way="up")
    owner.send("/console/rewards", "/console/rewards/exchanges", exchanges="by_choice")

    assert [each.plan.name for each in made(tools, founded)] == ["Cake", "Coffee"]
    page = owner.get("/console/rewards").text
    assert re.search(r'value="by_choice" checked', page)


def test_a_stranger_sees_no_rewards(stranger: Browser):
    assert stranger.get("/console/rewards").status_code == 302


def test_a_choice_is_undone_on_the_card_with_a_reason(
    owner: Browser, tools: Tools, founded: Founded, make_card, give
):
    owner.send("/console/rewards/new", **GOOD | {"unit": "stamp", "price": "3"})
    [one] = made(tools, founded)
    card = give(make_card(), 4)
    spent = rewards.choose(
        tools,
        card.card_id,
        one.reward_id,
        member_id=card.member_id,
        request_id="a" * 20,
        edition=one.edition,
    )
    page = f"/console/cards/{card.card_id}"
    assert "Chosen: Cinnamon roll" in seen(owner.get(page))

    answer = owner.send(
        page,
        f"/console/entries/{spent.answer['exchange_id']}/undo",
        reason="A slip of the thumb",
    )

    assert answer.status_code == 302
    page = seen(owner.get(page))
    assert "Cinnamon roll taken back" in page
    assert "A slip of the thumb" in page
    assert made(tools, founded)[0].left == 200


def test_an_event_is_called_off_on_its_page(
    owner: Browser, tools: Tools, founded: Founded
):
    day = (tools.now() + timedelta(days=9)).date().isoformat()
    owner.send(
        "/console/rewards/new",
        **GOOD
        | {
            "kind": "event",
            "name": "Tasting",
            "starts_at": f"{day}T19:00",
            "ends_at": f"{day}T21:00",
            "stock": "4",
        },
    )
    [one] = made(tools, founded)
    page = f"/console/rewards/{one.reward_id}"

    wrong = owner.send(page, f"{page}/calling-off", reason="")
    assert wrong.status_code == 422

    assert owner.send(page, f"{page}/calling-off", reason="Ill").status_code == 302
    assert "This event is called off." in seen(owner.get(page))
    assert made(tools, founded)[0].why_not == "called_off"
