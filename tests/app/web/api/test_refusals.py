"""Every code of the table of refusals, met by HTTP: its status, its shape, its silence.

Each test brings a request that is refused for one reason, and compares all that the
books hold before and after.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from app.programme import members, shop, staff
from app.programme.sessions import ConsoleCaller
from app.store.nonces import ClaimState
from app.store.tables import Card, LedgerEntry, Signal
from app.tools import Tools
from signing import codes as signed
from signing import keyfiles
from signing.codes import Kind
from tests.app.web.conftest import Api, House, books, problem
from tests.servers import wipe

NOBODY = "00000000-0000-4000-8000-000000000000"


@contextmanager
def nothing_written(tools: Tools, *, but: tuple[str, ...] = ()) -> Iterator[None]:
    """Hold the books to what they are."""
    before = books(tools, but=but)
    yield
    assert books(tools, but=but) == before


def scan(house: House, code: str, **more: object):
    body = {"code": code, "stamps": 1, "request_id": uuid4().hex, **more}
    return house.api("staff").post("/stamps", body)


def collect(house: House, code: str):
    path = f"/cards/{house.joined.card_id}/stamps"
    return house.api("member").post(path, {"code": code})


def redeem(house: House, code: str):
    body = {"code": code, "request_id": uuid4().hex}
    return house.api("staff").post("/redemptions", body)


def enrol(house: House, code: str):
    return house.api().post("/terminals", {"code": code})


DOORS = {"stamps": scan, "collect": collect, "redeem": redeem, "terminals": enrol}
Door = Callable[[House, str], object]
every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
#: The kind that each door takes.
KINDS = {
    scan: Kind.CARD,
    collect: Kind.STAMP,
    redeem: Kind.VOUCHER,
    enrol: Kind.ENROLMENT,
}


def sign(house: House, kind: Kind, **changes: object) -> str:
    """Sign a code that nobody issued."""
    tools = house.tools
    options = {
        "origin": tools.settings.origin,
        "not_after": tools.now() + timedelta(seconds=60),
        "nonce": signed.new_nonce(),
        **changes,
    }
    return signed.sign(kind, tools.keys.ring, **options).text


@every_door
@pytest.mark.parametrize(
    "text", ["A", "A" * 128, "https://elsewhere.example/S/" + "A" * 128, "q\u0000"]
)
def test_code_invalid_for_nonsense(house: House, door: Door, text: str):
    with nothing_written(house.tools):
        problem(door(house, text), 400, "code_invalid")


@every_door
def test_code_invalid_for_a_code_of_another_installation(house: House, door: Door):
    code = sign(house, KINDS[door], origin="https://other.example")

    with nothing_written(house.tools):
        problem(door(house, code), 400, "code_invalid")


@every_door
def test_code_invalid_for_a_code_with_one_letter_changed(house: House, door: Door):
    code = house.code_of(KINDS[door])
    changed = code[:60] + ("B" if code[60] == "A" else "A") + code[61:]

    with nothing_written(house.tools):
        problem(door(house, changed), 400, "code_invalid")


def test_a_forger_learns_nothing_from_the_answer(house: House):
    """One answer for malformed, forged and of an unknown key, but for no byte."""
    code = house.card_code()
    unknown_key = code[:3] + "QQ" + code[5:]
    changed = code[:-1] + ("B" if code[-1] == "A" else "A")

    answers = {
        scan(house, text).data
        for text in ("x", "A" * 128, unknown_key, "B" + code[1:], changed)
    }

    assert len(answers) == 1


@pytest.mark.parametrize(
    ("door", "kind"),
    [
        pytest.param(door, kind, id=f"{kind.name} at {name}")
        for name, door in DOORS.items()
        for kind in KINDS.values()
        if kind is not KINDS[door]
    ],
)
def test_code_wrong_kind(house: House, door: Door, kind: Kind):
    code = house.code_of(kind)

    with nothing_written(house.tools):
        problem(door(house, code), 400, "code_wrong_kind")

    # and it is not spent by it
    right = next(own for own, takes in KINDS.items() if takes is kind)
    assert right(house, code).status_code == 201


@every_door
def test_code_expired(house: House, door: Door, clock):
    code = house.code_of(KINDS[door])
    clock.forward(timedelta(minutes=10, seconds=2))

    with nothing_written(house.tools):
        problem(door(house, code), 410, "code_expired")

    # nobody holds it: a clock that jumps back finds it as it was
    look = house.tools.nonces.look(house.nonce_of(code))
    assert look.state is ClaimState.WAITING


@pytest.fixture
def own_keys(house: House, make_tools, tmp_path: Path) -> House:
    """The shop with a key directory of the test's own."""
    passphrase_file = house.tools.settings.keys_passphrase_file
    passphrase = keyfiles.read_passphrase(passphrase_file)
    keyfiles.create(tmp_path / "own", passphrase, now=house.tools.now())
    return house.over(make_tools(keys=tmp_path / "own"))


@every_door
def test_code_revoked(own_keys: House, door: Door):
    # given a code whose key is revoked, as in an emergency
    house, tools = own_keys, own_keys.tools
    code = house.code_of(KINDS[door])
    settings, now = tools.settings, tools.now()
    ring = tools.keys.ring.with_new_key(now)
    old, new = ring.keys
    ring = ring.activated(new.key_id, now).revoked(old.key_id, now)
    passphrase = keyfiles.read_passphrase(settings.keys_passphrase_file)
    keyfiles.save(settings.keys, ring, passphrase)
    tools.keys.refresh()

    # then it is refused, and a fresh one will do
    with nothing_written(tools):
        problem(door(house, code), 410, "code_revoked")
    assert door(house, house.code_of(KINDS[door])).status_code == 201


@every_door
def test_code_unknown_when_nobody_issued_it(house: House, door: Door):
    code = sign(house, KINDS[door])

    with nothing_written(house.tools, but=("signal",)):
        problem(door(house, code), 410, "code_unknown")


@every_door
def test_code_unknown_when_the_nonce_store_lost_it(house: House, door: Door):
    code = house.code_of(KINDS[door])
    wipe(house.tools.settings.redis_url)

    with nothing_written(house.tools):
        problem(door(house, code), 410, "code_unknown")
    # nobody is called a thief for it
    assert count(house, Signal) == 0


def test_code_unknown_for_a_short_code_that_stands_for_nothing(house: House):
    with nothing_written(house.tools):
        problem(scan(house, "222 2222"), 410, "code_unknown")


def test_a_customer_cannot_use_a_short_code(house: House):
    """Staff look at who stands before them; a customer could try them all."""
    path = f"/cards/{house.joined.card_id}/code"
    short = house.api("member").post(path).get_json()["short"]

    problem(collect(house, short), 400, "code_invalid")


@pytest.mark.parametrize("door", [scan, redeem], ids=["stamps", "redeem"])
def test_code_spent_tells_staff_when_and_where(house: House, door: Door):
    code = house.code_of(KINDS[door])
    assert door(house, code).status_code == 201
    at = house.tools.now()

    with nothing_written(house.tools, but=("signal",)):
        told = problem(door(house, code), 409, "code_spent")

    assert told["place"] == "Nyhavn"
    assert "Nyhavn" in told["detail"]
    assert abs(datetime.fromisoformat(told["spent_at"]) - at) < timedelta(seconds=30)


def test_code_spent_does_not_tell_members_when_and_where(house: House):
    code = house.stamp_code()
    other = Api(house.app, house.join().token)
    mine = str(house.joined.card_id)
    assert collect(house, code).status_code == 201
    card_id = next(str(row) for row in ids(house, Card.card_id) if str(row) != mine)

    with nothing_written(house.tools, but=("signal",)):
        refused = other.post(f"/cards/{card_id}/stamps", {"code": code})

    told = problem(refused, 409, "code_spent")
    assert told.keys().isdisjoint({"place", "spent_at"})
    assert "Nyhavn" not in refused.text


def test_code_spent_for_an_enrolment_tells_nothing(house: House):
    code = house.enrolment_code()
    assert enrol(house, code).status_code == 201

    with nothing_written(house.tools):
        told = problem(enrol(house, code), 409, "code_spent")

    assert told.keys().isdisjoint({"place", "spent_at", "token"})


@every_door
def test_code_in_use(house: House, door: Door):
    # given somebody else who is at it
    code = house.code_of(KINDS[door])
    nonce, now = house.nonce_of(code), house.tools.now()
    held = house.tools.nonces.claim(nonce, "somebody", at=now)
    assert held.state is ClaimState.CLAIMED

    with nothing_written(house.tools):
        refused = door(house, code)

    told = problem(refused, 409, "code_in_use")
    assert 1 <= told["retry_after"] <= 15
    # once they let go, it is good
    house.tools.nonces.release(nonce, "somebody")
    assert door(house, code).status_code == 201


def test_voucher_spent_for_another_code_of_the_same_voucher(house: House):
    voucher_id = house.voucher()
    first, second = house.voucher_code(voucher_id), house.voucher_code(voucher_id)
    assert redeem(house, first).status_code == 201

    with nothing_written(house.tools):
        problem(redeem(house, second), 409, "voucher_spent")


def test_voucher_spent_when_it_is_to_be_shown(house: House):
    voucher_id = house.voucher()
    redeem(house, house.voucher_code(voucher_id))

    with nothing_written(house.tools):
        refused = house.api("member").post(f"/vouchers/{voucher_id}/code")

    problem(refused, 409, "voucher_spent")


def test_voucher_spent_when_the_stamps_that_paid_for_it_are_to_be_undone(
    house: House,
):
    stamp_id = house.give(10)
    voucher_id = house.card().vouchers[0].voucher_id
    redeem(house, house.voucher_code(voucher_id))

    with nothing_written(house.tools):
        refused = house.api("staff").post(
            f"/stamps/{stamp_id}/reversal", {"reason": "slip"}
        )

    problem(refused, 409, "voucher_spent")


def test_voucher_expired_at_the_till(house: House, good_for, clock):
    good_for(1)
    voucher_id, sofie = house.voucher(), house.barista
    end = house.card().vouchers[0].expires_at
    assert end is not None
    clock.forward(end - house.tools.now() - timedelta(seconds=10))
    code = house.voucher_code(voucher_id)
    clock.forward(timedelta(seconds=20))
    # who signed in a day and more ago has to do so again
    whose = {"staff_id": sofie.staff_id, "terminal_id": sofie.terminal_id}
    token = house.grant("staff", **whose)
    house = dataclasses.replace(house, tokens={**house.tokens, "staff": token})

    with nothing_written(house.tools):
        told = problem(redeem(house, code), 410, "voucher_expired")

    assert told["title"] == "Expired"
    assert told["ended_at"] == end.isoformat()
    day = end.astimezone(ZoneInfo(shop.shop(house.tools).timezone))
    assert re.fullmatch(rf"Ended on {day.day} \w+( {day.year})?\.", told["detail"])


def test_voucher_expired_when_it_is_to_be_shown(house: House, good_for, clock):
    good_for(1)
    voucher_id = house.voucher()
    clock.forward(timedelta(days=2))

    with nothing_written(house.tools):
        refused = house.api("member").post(f"/vouchers/{voucher_id}/code")

    problem(refused, 410, "voucher_expired")


def close_card(house: House) -> None:
    with house.tools.database.begin() as tx:
        tx.execute(update(Card).values(closed_at=house.tools.now()))


def close_programme(house: House) -> None:
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    rules = shop.programmes(house.tools)[0]
    shop.save_programme(
        house.tools,
        programme_id=rules.programme_id,
        name=rules.name,
        reward=rules.reward,
        stamps_required=rules.stamps_required,
        terms=rules.terms,
        is_open=False,
        voucher_days=None,
        by=owner,
    )


closing = pytest.mark.parametrize(
    "close", [close_card, close_programme], ids=["card", "programme"]
)


@closing
@pytest.mark.parametrize("door", [scan, collect], ids=["stamps", "collect"])
def test_card_closed(house: House, door: Door, close: Callable[[House], None]):
    code = house.code_of(KINDS[door])
    close(house)

    with nothing_written(house.tools):
        problem(door(house, code), 409, "card_closed")

    # a refusal by a rule leaves the code unspent
    look = house.tools.nonces.look(house.nonce_of(code))
    assert look.state is ClaimState.WAITING


@closing
def test_card_closed_when_its_code_is_to_be_shown(
    house: House, close: Callable[[House], None]
):
    close(house)

    with nothing_written(house.tools):
        refused = house.api("member").post(f"/cards/{house.joined.card_id}/code")

    problem(refused, 409, "card_closed")


def test_card_closed_for_who_joins_a_closed_programme(house: House):
    close_programme(house)

    with nothing_written(house.tools):
        problem(house.api().post("/members", {}), 409, "card_closed")


def guess(house: House, staff_id: object, pin: str = "9999"):
    body = {"staff_id": str(staff_id), "pin": pin}
    return house.api("terminal").post("/staff-sessions", body)


def test_limit_reached_after_five_guesses_at_a_pin(house: House):
    with nothing_written(house.tools, but=("signal",)):
        for _ in range(5):
            problem(guess(house, house.founded.staff_id), 401, "unauthenticated")
        # the right one comes too late
        refused = guess(house, house.founded.staff_id, house.founded.pin)

    told = problem(refused, 429, "limit_reached")
    assert told["limit"] == "pin"
    assert 800 < told["retry_after"] <= 900
    assert "15 min" in told["detail"]


def test_limit_reached_after_twenty_guesses_at_one_terminal(house: House):
    for _ in range(20):
        problem(guess(house, uuid4()), 401, "unauthenticated")

    with nothing_written(house.tools, but=("signal",)):
        told = problem(guess(house, uuid4()), 429, "limit_reached")

    assert told["limit"] == "pin_terminal"


def test_a_right_pin_forgives_the_guesses_before(house: House):
    owner = house.founded
    for _ in range(3):
        for _ in range(4):
            guess(house, owner.staff_id)
        assert guess(house, owner.staff_id, owner.pin).status_code == 201


def test_limit_reached_by_one_address_that_collects_cards(house: House):
    address = "203.0.113.9"
    for _ in range(120):
        members.may_join(house.tools, address)

    with nothing_written(house.tools):
        refused = house.api().post(
            "/members", {}, environ_base={"REMOTE_ADDR": address}
        )

    assert problem(refused, 429, "limit_reached")["limit"] == "join"
    # others join
    other = {"REMOTE_ADDR": "203.0.113.10"}
    assert house.api().post("/members", {}, environ_base=other).status_code == 201


def test_unauthenticated_is_told_how_to_sign_in(house: House):
    with nothing_written(house.tools):
        refused = house.api().post("/stamp-codes", {})

    problem(refused, 401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_unauthenticated_for_a_wrong_pin_of_nobody_and_of_somebody_alike(
    house: House,
):
    with nothing_written(house.tools):
        somebody = guess(house, house.founded.staff_id)
        nobody = guess(house, NOBODY)

    problem(somebody, 401, "unauthenticated")
    assert somebody.data == nobody.data


def test_forbidden_for_a_member_at_a_staff_door(house: House):
    body = {"code": house.card_code(), "stamps": 1, "request_id": "1"}

    with nothing_written(house.tools):
        problem(house.api("member").post("/stamps", body), 403, "forbidden")


def test_forbidden_for_a_barista_who_undoes_what_another_place_gave(house: House):
    # given a barista at another location
    owner = ConsoleCaller(house.founded.staff_id, "Owner", "owner")
    elsewhere = shop.add_location(house.tools, name="Harbour", by=owner)
    bo = shop.add_staff(house.tools, name="Bo", role="barista", pin="4071", by=owner)
    enrolled = staff.enrol(
        house.tools, staff.enrolment_code(house.tools, elsewhere).code
    )
    token = house.grant("staff", terminal_id=enrolled.terminal_id, staff_id=bo)
    stamp_id = house.give(1)

    with nothing_written(house.tools):
        refused = Api(house.app, token).post(
            f"/stamps/{stamp_id}/reversal", {"reason": "slip"}
        )

    problem(refused, 403, "forbidden")


@pytest.mark.parametrize("method_and_end", ["GET ", "POST /code", "POST /stamps"])
def test_not_found_for_the_card_of_another_member(house: House, method_and_end: str):
    method, end = method_and_end.split(" ")
    code = house.stamp_code()
    other = house.join().card_id
    body = {"code": code} if end == "/stamps" else None

    with nothing_written(house.tools):
        theirs = house.api("member")(method, f"/cards/{other}{end}", body)
        nobodys = house.api("member")(method, f"/cards/{NOBODY}{end}", body)

    problem(theirs, 404, "not_found")
    # whether a card exists is not told
    assert theirs.data == nobodys.data
    look = house.tools.nonces.look(house.nonce_of(code))
    assert look.state is ClaimState.WAITING


def test_not_found_for_the_card_of_another_member_though_nothing_changed(
    house: House,
):
    other = house.join()
    path = f"/cards/{other.card_id}"
    tag = Api(house.app, other.token).get(path).headers["ETag"]

    refused = house.api("member").get(path, headers={"If-None-Match": tag})

    problem(refused, 404, "not_found")


def test_not_found_for_the_voucher_of_another_member(house: House):
    other = house.join()
    voucher_id = house.voucher(other)

    with nothing_written(house.tools):
        theirs = house.api("member").post(f"/vouchers/{voucher_id}/code")
        nobodys = house.api("member").post(f"/vouchers/{NOBODY}/code")

    problem(theirs, 404, "not_found")
    assert theirs.data == nobodys.data


@pytest.mark.parametrize(
    "path", [f"/stamps/{NOBODY}/reversal", f"/redemptions/{NOBODY}/reversal"]
)
def test_not_found_for_what_never_happened(house: House, path: str):
    with nothing_written(house.tools):
        refused = house.api("staff").post(path, {"reason": "slip"})

    problem(refused, 404, "not_found")


def test_not_found_for_a_redemption_that_is_a_stamp(house: House):
    stamp_id = house.give(1)

    with nothing_written(house.tools):
        refused = house.api("staff").post(
            f"/redemptions/{stamp_id}/reversal", {"reason": "slip"}
        )

    problem(refused, 404, "not_found")


def test_not_found_for_the_exchange_of_a_full_card(house: House):
    """It follows from stamps and is undone with them, never by itself."""
    house.voucher()
    exchange = next(
        iter(ids(house, LedgerEntry.entry_id, LedgerEntry.kind == "REDEEM"))
    )

    with nothing_written(house.tools):
        refused = house.api("staff").post(
            f"/redemptions/{exchange}/reversal", {"reason": "slip"}
        )

    problem(refused, 404, "not_found")


def test_not_found_for_what_another_till_gave(house: House):
    """Who collected a code is told to the till that showed it, and to no other."""
    code = house.stamp_code()
    collect(house, code)
    enrolled = staff.enrol(house.tools, house.enrolment_code())
    token = house.grant(
        "staff", terminal_id=enrolled.terminal_id, staff_id=house.founded.staff_id
    )

    refused = Api(house.app, token).get(f"/stamp-codes/{house.nonce_of(code).hex()}")

    problem(refused, 404, "not_found")


def test_not_found_for_an_unknown_programme(house: House):
    with nothing_written(house.tools):
        refused = house.api().post("/members", {"programme": NOBODY})

    problem(refused, 404, "not_found")


def test_not_found_for_an_address_that_is_none(house: House):
    problem(house.api("staff").get("/wages"), 404, "not_found")


SECRET = "s3cret-\u00e6\u00f8"


@pytest.mark.parametrize(
    ("kind", "path", "body", "fields"),
    [
        (None, "/members", {"name": "x" * 61}, {"name"}),
        (None, "/members", {"name": f"a\u202e{SECRET}"}, {"name"}),
        (None, "/members", {"email": SECRET, "locale": SECRET}, {"email", "locale"}),
        (None, "/members", {"programme": SECRET, "nickname": 1}, {"programme"}),
        (None, "/members", {"terms_version": 2}, {"terms_version"}),
        (None, "/members", {"invite": SECRET * 20}, {"invite"}),
        (None, "/terminals", {}, {"code"}),
        (None, "/terminals", {"code": SECRET * 50}, {"code"}),
        ("terminal", "/staff-sessions", {"pin": 987654321}, {"staff_id", "pin"}),
        ("terminal", "/staff-sessions", {"staff_id": SECRET}, {"staff_id", "pin"}),
        ("staff", "/stamp-codes", {"stamps": 0}, {"stamps"}),
        ("staff", "/stamp-codes", {"stamps": 6}, {"stamps"}),
        ("staff", "/stamps", {"code": SECRET}, {"request_id"}),
        ("staff", "/stamps", {"code": SECRET, "request_id": SECRET}, {"request_id"}),
        ("staff", "/redemptions", {SECRET: SECRET}, {"code", "request_id"}),
        ("staff", f"/stamps/{NOBODY}/reversal", {"reason": " "}, {"reason"}),
        ("staff", f"/stamps/{NOBODY}/reversal", {"reason": "x" * 201}, {"reason"}),
        ("staff", f"/redemptions/{NOBODY}/reversal", {}, {"reason"}),
        ("staff", f"/stamps/{SECRET}/reversal", {"reason": "slip"}, {"id"}),
    ],
)
def test_invalid_request_names_the_fields_and_echoes_nothing(
    house: House, kind: str | None, path: str, body: object, fields: set[str]
):
    with nothing_written(house.tools):
        refused = house.api(kind).post(path, body)

    told = problem(refused, 422, "invalid_request")
    assert fields <= told["fields"].keys()
    assert all(sentence.endswith(".") for sentence in told["fields"].values())
    assert "s3cret" not in refused.text
    assert "987654321" not in refused.text


def test_invalid_request_for_a_request_id_that_served_another_code(house: House):
    assert scan(house, house.card_code(), request_id="one").status_code == 201
    code = house.card_code()

    with nothing_written(house.tools):
        told = problem(scan(house, code, request_id="one"), 422, "invalid_request")

    assert told["fields"].keys() == {"request_id"}
    assert scan(house, code, request_id="two").status_code == 201


#: Calls that ask the nonce store, with who asks and what.
ASKING_REDIS = {
    "card code": lambda h: ("member", "POST", f"/cards/{h.joined.card_id}/code", {}),
    "collect": lambda h: (
        "member",
        "POST",
        f"/cards/{h.joined.card_id}/stamps",
        {"code": h.stamp_code()},
    ),
    "voucher code": lambda h: ("member", "POST", f"/vouchers/{h.voucher()}/code", {}),
    "terminals": lambda h: (None, "POST", "/terminals", {"code": h.enrolment_code()}),
    "stamp code": lambda h: ("staff", "POST", "/stamp-codes", {}),
    "stamp code state": lambda h: ("staff", "GET", "/stamp-codes/" + "0" * 18, None),
    "stamps": lambda h: (
        "staff",
        "POST",
        "/stamps",
        {"code": h.card_code(), "request_id": "1"},
    ),
    "short code": lambda h: (
        "staff",
        "POST",
        "/stamps",
        {"code": "2222222", "request_id": "1"},
    ),
    "redemptions": lambda h: (
        "staff",
        "POST",
        "/redemptions",
        {"code": h.code_of(Kind.VOUCHER), "request_id": "1"},
    ),
}
#: Calls that need the books alone.
ASKING_SQL = {
    "members": lambda _: (None, "POST", "/members", {}),
    "card": lambda h: ("member", "GET", f"/cards/{h.joined.card_id}", None),
    "staff": lambda _: ("terminal", "GET", "/staff", None),
    "staff session": lambda h: (
        "terminal",
        "POST",
        "/staff-sessions",
        {"staff_id": str(h.founded.staff_id), "pin": h.founded.pin},
    ),
    "reverse stamp": lambda h: (
        "staff",
        "POST",
        f"/stamps/{h.give(1)}/reversal",
        {"reason": "slip"},
    ),
}


@pytest.mark.parametrize("call", ASKING_REDIS.values(), ids=ASKING_REDIS)
def test_try_again_without_redis(house: House, make_tools, tmp_path: Path, call):
    kind, method, path, body = call(house)
    away = house.over(make_tools(redis_url=f"unix://{tmp_path}/nobody.sock"))

    with nothing_written(house.tools):
        refused = away.api(kind)(method, path, body)

    assert problem(refused, 503, "try_again")["retry_after"] == 2
    # it works as soon as the store is back
    assert house.api(kind)(method, path, body).status_code != 503


ASKING_EITHER = ASKING_REDIS | ASKING_SQL


@pytest.mark.parametrize("call", ASKING_EITHER.values(), ids=ASKING_EITHER)
def test_try_again_without_sql(house: House, make_tools, call):
    kind, method, path, body = call(house)
    away = house.over(make_tools(database_url="sqlite:////nowhere/books.sqlite3"))

    with nothing_written(house.tools):
        refused = away.api(kind)(method, path, body)

    assert problem(refused, 503, "try_again")["retry_after"] == 2
    assert house.api(kind)(method, path, body).status_code != 503


@pytest.mark.parametrize("call", ASKING_SQL.values(), ids=ASKING_SQL)
def test_what_needs_the_books_alone_works_without_redis(
    house: House, make_tools, tmp_path: Path, call
):
    """Limits fail open: no store for counting guesses closes no shop."""
    kind, method, path, body = call(house)
    away = house.over(make_tools(redis_url=f"unix://{tmp_path}/nobody.sock"))

    assert away.api(kind)(method, path, body).status_code in {200, 201}


def count(house: House, table: type) -> int:
    with house.tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


def ids(house: House, column, *where) -> set[UUID]:
    with house.tools.database.read() as tx:
        return set(tx.scalars(select(column).where(*where)))
