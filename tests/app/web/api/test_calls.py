"""Every call of the API as it goes well, with the names that its users hold on to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.programme import cards
from signing.codes import Kind
from tests.app.web.conftest import House, books
from tests.servers import wipe

CARD = {
    "card_id",
    "programme",
    "programme_name",
    "reward",
    "number",
    "stamps",
    "stamps_required",
    "exchanges",
    "balances",
    "vouchers",
    "version",
    "is_closed",
}
CODE = {"code", "url", "not_after", "short"}
#: What a stamp tells to whoever gave or collected it.
STAMP = {"stamp_id", "stamps_given", "counted", "given", "filled", "card"}
#: What a till tells besides, in words.
TOLD = {"gained", "holds", "owes"}


#: What a voucher tells besides, that is worth no money.
PLAIN = {"kind": "item", "worth": None, "rest": None, "currency": None}


def is_card(card: object) -> bool:
    assert isinstance(card, dict)
    return card.keys() == CARD


def is_shown(answer: dict[str, str], origin: str) -> bool:
    """Tell whether an answer holds a code in all its spellings."""
    assert re.fullmatch(r"[A-Z2-7]{128}", answer["code"])
    scheme, rest = origin.split("://")
    assert answer["url"] == f"{scheme}://{rest.upper()}/S/{answer['code']}"
    return datetime.fromisoformat(answer["not_after"]).utcoffset() == timedelta()


def test_anyone_joins(house: House):
    joined = house.api().post("/members", {})

    assert joined.status_code == 201
    answer = joined.get_json()
    assert answer.keys() == {"member_id", "card_id", "token"}
    assert UUID(answer["member_id"])
    card = house.app.test_client().get(
        f"/api/v1/cards/{answer['card_id']}",
        headers={"Authorization": f"bearer {answer['token']}"},
    )
    assert card.get_json()["stamps"] == 0


def test_an_empty_body_joins_too(house: House):
    assert house.api().post("/members").status_code == 201


def test_a_member_may_say_who_they_are(house: House):
    joined = house.api().post(
        "/members",
        {
            "programme": str(house.founded.programme_id),
            "name": "  Zoë   Łuczak ",
            "email": "zoe@example.org",
            "locale": "zh-Hant",
            "terms_version": 1,
            "invite": "FRIEND",
        },
    )

    assert joined.status_code == 201
    state = cards.card(house.tools, UUID(joined.get_json()["card_id"]))
    assert state.member_name == "Zoë Łuczak"


@pytest.mark.parametrize("kind", ["member", "staff"])
def test_a_card_is_read_by_its_member_and_by_staff(house: House, kind: str):
    voucher_id = house.voucher()
    house.give(3)

    answer = house.api(kind).get(f"/cards/{house.joined.card_id}")

    assert answer.status_code == 200
    card = answer.get_json()
    assert is_card(card)
    assert card["card_id"] == str(house.joined.card_id)
    assert card["programme"] == str(house.founded.programme_id)
    assert (card["stamps"], card["stamps_required"]) == (3, 10)
    assert card["vouchers"] == [
        {
            "voucher_id": str(voucher_id),
            "reward": "Free coffee",
            "state": "issued",
            "expires_at": None,
            **PLAIN,
        }
    ]
    assert answer.headers["ETag"] == f'"{card["version"]}"'


@pytest.mark.parametrize("kind", ["member", "staff"])
def test_a_card_that_did_not_change_is_not_sent_again(house: House, kind: str):
    api, path = house.api(kind), f"/cards/{house.joined.card_id}"
    tag = api.get(path).headers["ETag"]

    same = api.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.data) == (304, b"")
    assert same.headers["ETag"] == tag

    # when it changed, the old tag asks in vain
    house.give(1)
    other = api.get(path, headers={"If-None-Match": tag})
    assert other.status_code == 200
    assert other.headers["ETag"] != tag
    assert other.get_json()["stamps"] == 1


def test_a_card_changes_by_the_clock_when_its_voucher_ends(
    house: House, good_for, clock
):
    good_for(1)
    house.voucher()
    api, path = house.api("member"), f"/cards/{house.joined.card_id}"
    before = api.get(path)

    clock.forward(timedelta(days=2))
    after = api.get(path, headers={"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.get_json()["version"] == before.get_json()["version"]
    (was,), (now,) = before.get_json()["vouchers"], after.get_json()["vouchers"]
    assert (was["state"], now["state"]) == ("issued", "expired")
    assert datetime.fromisoformat(now["expires_at"]) < house.tools.now()
    # and from then on it stands still
    tag = after.headers["ETag"]
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_no_shared_store_keeps_a_card(house: House):
    answer = house.api("member").get(f"/cards/{house.joined.card_id}")

    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_member_gets_a_code_for_their_card(house: House):
    answer = house.api("member").post(f"/cards/{house.joined.card_id}/code")

    assert answer.status_code == 201
    code = answer.get_json()
    assert code.keys() == CODE
    assert is_shown(code, house.tools.settings.origin)
    assert re.fullmatch(r"[2-9A-Z]{7}", code["short"])
    left = datetime.fromisoformat(code["not_after"]) - house.tools.now()
    assert timedelta(seconds=58) < left <= timedelta(seconds=60)


def test_a_code_comes_with_its_picture_when_asked(house: House):
    path = f"/cards/{house.joined.card_id}/code"

    answer = house.api("member").post(path, query_string={"picture": "svg"}).get_json()

    assert answer.keys() == CODE | {"picture"}
    assert answer["picture"].startswith("<svg")


@pytest.mark.parametrize("spelling", ["text", "url", "lower case", "short"])
def test_staff_give_stamps_for_a_card_code(house: House, spelling: str):
    shown = house.api("member").post(f"/cards/{house.joined.card_id}/code").get_json()
    code = {
        "text": shown["code"],
        "url": shown["url"],
        "lower case": shown["code"].lower(),
        "short": shown["short"],
    }[spelling]

    answer = house.api("staff").post(
        "/stamps", {"code": code, "stamps": 2, "request_id": "till-1:1"}
    )

    assert answer.status_code == 201
    given = answer.get_json()
    assert given.keys() == STAMP | TOLD | {"earned", "member_name"}
    assert given["stamps_given"] == given["counted"] == 2
    assert given["given"] == [
        {"unit": "stamp", "units": 2, "kind": "stamp", "rule": ""}
    ]
    # the title says it
    assert given["earned"] == []
    assert given["member_name"] == "Anna"
    assert is_card(given["card"])
    assert given["card"]["stamps"] == house.card().stamps == 2


def test_a_scan_gives_one_stamp_unless_it_says_more(house: House):
    body = {"code": house.card_code(), "request_id": "1"}

    assert house.api("staff").post("/stamps", body).get_json()["stamps_given"] == 1


def test_a_member_collects_what_a_till_shows(house: House):
    shown = house.api("staff").post("/stamp-codes", {"stamps": 3})
    assert shown.status_code == 201
    code = shown.get_json()
    assert code.keys() == CODE | {"code_id"}
    assert is_shown(code, house.tools.settings.origin)

    answer = house.api("member").post(
        f"/cards/{house.joined.card_id}/stamps", {"code": code["url"]}
    )

    assert answer.status_code == 201
    given = answer.get_json()
    assert given.keys() == STAMP
    assert given["card"]["stamps"] == 3


def test_a_till_hears_what_became_of_its_code(house: House):
    api = house.api("staff")
    code = api.post("/stamp-codes", {}).get_json()
    path = f"/stamp-codes/{code['code_id']}"
    assert api.get(path).get_json() == {
        "state": "waiting",
        "member_name": None,
        "card_number": None,
        "stamp_id": None,
        "stamps_given": None,
    }

    given = house.api("member").post(
        f"/cards/{house.joined.card_id}/stamps", {"code": code["code"]}
    )

    assert api.get(path).get_json() == {
        "state": "collected",
        "member_name": "Anna",
        "card_number": house.card().number,
        "stamp_id": given.get_json()["stamp_id"],
        "stamps_given": 1,
        "earned": [],
        "gained": "1 stamp",
        "holds": "",
        "owes": "",
    }


def test_a_voucher_is_shown_and_redeemed(house: House):
    voucher_id = house.voucher()
    shown = house.api("member").post(f"/vouchers/{voucher_id}/code")
    assert shown.status_code == 201
    code = shown.get_json()
    assert code.keys() == CODE
    assert is_shown(code, house.tools.settings.origin)

    answer = house.api("staff").post(
        "/redemptions", {"code": code["code"], "request_id": uuid4().hex}
    )

    assert answer.status_code == 201
    told = answer.get_json()
    assert told.keys() == {
        "redemption_id",
        "voucher",
        "card",
        "member_name",
        "holds",
        "owes",
    }
    assert told["voucher"] == {
        "voucher_id": str(voucher_id),
        "reward": "Free coffee",
        "state": "redeemed",
        "expires_at": None,
        **PLAIN,
    }
    assert told["card"]["vouchers"] == [told["voucher"]]
    assert told["member_name"] == "Anna"


def test_a_device_becomes_a_terminal_and_somebody_signs_in_at_it(house: House):
    enrolled = house.api().post("/terminals", {"code": house.enrolment_code()})
    assert enrolled.status_code == 201
    terminal = enrolled.get_json()
    assert terminal.keys() == {"terminal_id", "name", "location", "token"}
    bearer = {"Authorization": f"Bearer {terminal['token']}"}

    names = house.api().get("/staff", headers=bearer)
    assert names.status_code == 200
    staff_id = str(house.founded.staff_id)
    assert names.get_json() == [{"staff_id": staff_id, "name": "Owner"}]

    session = house.api().post(
        "/staff-sessions",
        {"staff_id": staff_id, "pin": house.founded.pin},
        headers=bearer,
    )
    assert session.status_code == 201
    signed_in = session.get_json()
    assert signed_in.keys() == {"staff_id", "name", "token"}
    assert signed_in["staff_id"] == staff_id
    bearer = {"Authorization": f"Bearer {signed_in['token']}"}
    assert house.api().post("/stamp-codes", {}, headers=bearer).status_code == 201


def test_a_terminal_may_bring_its_own_name(house: House):
    body = {"code": house.enrolment_code(), "name": "By the door"}

    assert house.api().post("/terminals", body).get_json()["name"] == "By the door"


def test_a_stamp_is_taken_back(house: House):
    stamp_id = house.give(2)

    answer = house.api("staff").post(f"/stamps/{stamp_id}/reversal", {"reason": "slip"})

    assert answer.status_code == 201
    told = answer.get_json()
    assert told.keys() == {"reversal_id", "card"}
    assert is_card(told["card"])
    assert told["card"]["stamps"] == 0


def test_a_redemption_is_taken_back(house: House):
    code = house.voucher_code(house.voucher())
    api = house.api("staff")
    redeemed = api.post("/redemptions", {"code": code, "request_id": "1"}).get_json()

    answer = api.post(
        f"/redemptions/{redeemed['redemption_id']}/reversal", {"reason": "slip"}
    )

    assert answer.status_code == 201
    assert [row["state"] for row in answer.get_json()["card"]["vouchers"]] == ["issued"]


@dataclass(frozen=True)
class Repeatable:
    """A call that may be sent again: who sends it, where to and with what."""

    kind: str
    path: str
    body: dict[str, object]


def _scan(house: House) -> Repeatable:
    body = {"code": house.card_code(), "stamps": 2, "request_id": "one"}
    return Repeatable("staff", "/stamps", body)


def _collect(house: House) -> Repeatable:
    path = f"/cards/{house.joined.card_id}/stamps"
    return Repeatable("member", path, {"code": house.stamp_code(2)})


def _redeem(house: House) -> Repeatable:
    body = {"code": house.voucher_code(house.voucher()), "request_id": "one"}
    return Repeatable("staff", "/redemptions", body)


def _reverse_stamp(house: House) -> Repeatable:
    path = f"/stamps/{house.give(2)}/reversal"
    return Repeatable("staff", path, {"reason": "slip"})


def _reverse_redemption(house: House) -> Repeatable:
    code = house.code_of(Kind.VOUCHER)
    answer = house.api("staff").post("/redemptions", {"code": code, "request_id": "1"})
    path = f"/redemptions/{answer.get_json()['redemption_id']}/reversal"
    return Repeatable("staff", path, {"reason": "slip"})


@pytest.mark.parametrize(
    "prepare",
    [_scan, _collect, _redeem, _reverse_stamp, _reverse_redemption],
    ids=["stamp", "collect", "redeem", "reverse stamp", "reverse redemption"],
)
def test_the_same_request_gets_the_same_bytes_again(
    house: House, prepare: Callable[[House], Repeatable]
):
    # given a call that went well, and a card that moved on since
    call = prepare(house)
    api = house.api(call.kind)
    first = api.post(call.path, call.body)
    house.give(1)
    before = books(house.tools)

    # when it is sent again
    again = api.post(call.path, call.body)

    # then it is told the same, and nothing was written
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.data == first.data
    assert books(house.tools) == before


def test_a_retry_gets_the_same_bytes_when_the_nonce_store_lost_everything(
    house: House, redis_url: str
):
    call = _scan(house)
    first = house.api("staff").post(call.path, call.body)
    wipe(house.tools.settings.redis_url)

    again = house.api("staff").post(call.path, call.body)

    assert (again.status_code, again.data) == (200, first.data)


def test_many_calls_make_one_card_full_and_begin_the_next(house: House):
    for stamps in (5, 5, 1):
        body = {
            "code": house.card_code(),
            "stamps": stamps,
            "request_id": uuid4().hex,
        }
        answer = house.api("staff").post("/stamps", body)

    card = answer.get_json()["card"]
    assert card["stamps"] == 1
    assert [row["state"] for row in card["vouchers"]] == ["issued"]
