"""The page of keys, the list of what a revoked key made, and the notice of alarms."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import Babel

from app import create_app
from app.programme import (
    alarms,
    batches,
    ceremonies,
    key_history,
    rewards,
    shop,
    signals,
    stamping,
)
from app.programme.alarms import Alarm
from app.programme.ceremonies import KeyRoom
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import LedgerEntry, Location
from app.store.workers import Report
from app.tools import Tools
from app.web.console import key_words
from signing import keyfiles
from signing.keyring import KeyState
from tests.app.programme.key_rooms import own_ring
from tests.app.web.console.conftest import Browser, seen
from tests.conftest import Clock, both_books

REASON = "The laptop was stolen"


@pytest.fixture
def settings(settings, tmp_path):
    """A ring of the test's own, which it changes."""
    return own_ring(settings, tmp_path)


@pytest.fixture
def room(tools: Tools) -> KeyRoom:
    passphrase = keyfiles.read_passphrase(tools.settings.keys_passphrase_file)
    return KeyRoom(tools.settings.keys, passphrase, tools, is_served=False)


@pytest.fixture
def later(
    clock: Clock, owner: Browser, manager: Browser, tools: Tools, founded: Founded
) -> Callable[[timedelta], None]:
    """Let time go by; owner and manager sign in again, for a session is short."""

    def forward(by: timedelta) -> None:
        clock.forward(by)
        owner.hold(tools, founded.staff_id)
        staff = shop.staff_members(tools)
        manager.hold(tools, next(p.staff_id for p in staff if p.name == "Jonas"))

    return forward


@pytest.fixture
def revoke(room: KeyRoom, clock: Clock) -> Callable[..., datetime]:
    """Call key 1 back; gives the moment since when it may have been stolen."""

    def ceremony(ago: timedelta = timedelta(days=1), reason: str = REASON) -> datetime:
        since = clock() - ago
        ceremonies.revoke(room, 1, since=since, reason=reason, is_applied=True)
        room.tools.keys.refresh()
        return since

    return ceremony


def change(room: KeyRoom, step: Callable) -> None:
    """Change the ring on the disk, as a ceremony would."""
    keyfiles.save(room.directory, step(room.ring()), room.passphrase)
    room.tools.keys.refresh()


def rows(owner: Browser, key_id: int = 1) -> list[dict[str, str]]:
    answer = owner.get(f"/console/keys/{key_id}/review.csv")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    name = f'attachment; filename="key-{key_id}-review.csv"'
    assert answer.headers["Content-Disposition"] == name
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


# Keys


def test_the_page_begins_with_how_long_the_key_has_signed(owner: Browser, later):
    later(timedelta(days=12))

    page = seen(owner.get("/console/keys"))

    assert page.index("12 days that key 1 has signed") < page.index("Key 1 Signs now")
    assert "12 days old in a file" in page
    assert "Nothing was done with the keys" in page


def test_a_manager_may_look(manager: Browser):
    assert "Key 1 Signs now" in seen(manager.get("/console/keys"))


def test_each_state_is_told_in_words(owner: Browser, room: KeyRoom, later, revoke):
    for _ in range(3):
        ceremonies.rotate(room, is_applied=True, wait=lambda _: None)
    later(timedelta(days=1))
    ceremonies.retire(room, 2, is_applied=True)
    ceremonies.create(room, is_applied=True)
    revoke()

    page = seen(owner.get("/console/keys"))

    assert [key.state for key in room.ring().keys] == [
        KeyState.REVOKED,
        KeyState.RETIRED,
        KeyState.VERIFY_ONLY,
        KeyState.ACTIVE,
        KeyState.PENDING,
    ]
    for told in (
        "Key 5 Not used yet",
        "Key 4 Signs now",
        "Key 3 Still verified",
        "Key 1 Revoked",
        "1 retired key",
        "Key 2 Retired",
    ):
        assert told in page
    assert page.index("Key 5") < page.index("Key 1 Revoked") < page.index("Key 2")


def test_where_a_key_lives_is_told_without_its_address(
    owner: Browser, room: KeyRoom, tools: Tools, monkeypatch
):
    ring = tools.keys.ring
    address = "pkcs11:token=shop;object=key-00002"
    inside = dataclasses.replace(ring.keys[0], holder=address)
    told = dataclasses.replace(ring, keys=(inside,))
    monkeypatch.setattr(tools.keys, "_ring", told)

    page = owner.get("/console/keys")

    assert "in a token" in seen(page)
    assert address not in page.text


def test_how_many_workers_have_these_keys(owner: Browser, tools: Tools):
    now = tools.now()
    for name, ring in (("a", tools.keys.ring.digest), ("b", "old")):
        tools.workers._tell(f"{name}:1:aa", Report(ring), now)

    assert "Web workers with these keys 1 of 2" in seen(owner.get("/console/keys"))


def test_a_nonce_store_that_is_away_is_told(owner, make_tools, founded):
    away = Browser(create_app(make_tools(redis_url="unix:///no")).test_client())
    away.hold(owner.client.application.extensions["punchproof"], founded.staff_id)

    page = seen(away.get("/console/keys"))

    assert "Web workers with these keys \N{EN DASH}" in page
    assert "nobody knows which workers have these keys" in page
    assert away.get("/console/").status_code == 200


def test_ceremonies_are_told_with_who_and_why(owner: Browser, room: KeyRoom, revoke):
    ceremonies.rotate(room, is_applied=True, wait=lambda _: None)
    revoke()

    page = seen(owner.get("/console/keys"))

    lately = page[page.index("Lately") :]
    assert f"Key 1 was revoked by a command {REASON}" in lately
    assert "Key 2 was put in charge by a command" in lately
    assert lately.index("Key 1 was revoked") < lately.index("Key 2 was made")


def test_every_ceremony_that_leaves_a_line_has_words():
    """Actions are stable words in the ceremonies' source."""
    folder = Path(ceremonies.__path__[0])
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    actions = set(re.findall(r'"(key\.[a-z_]+)"', source))

    assert actions
    assert actions - set(key_words.CEREMONIES) == set()


def test_nothing_on_the_pages_acts(owner: Browser, revoke):
    revoke()
    for path in ("/console/keys", "/console/keys/1/review"):
        page = owner.get(path).text
        assert "style=" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        main = page.partition("<main")[2].partition("</main>")[0]
        assert "<form" not in main
        assert "<button" not in main
    assert "scripts/rotate_keys.py --apply" in seen(owner.get("/console/keys"))


# Alarms


def test_alarms_are_told_with_what_to_type(owner, tools, clock: Clock):
    signals.note(tools, "unissued_code", {"nonce": "ab", "key_id": 1})
    clock.forward(timedelta(hours=1))
    problem = "/srv/keys/ring.json is torn"
    tools.workers._tell("a:1:aa", Report("x", problem, since=clock()))

    page = seen(owner.get("/console/keys"))

    assert "A code with the good signature of key 1 was shown that we never made" in (
        page
    )
    assert "scripts/keys.py revoke 1 --since MOMENT --reason WHY --apply" in page
    assert f"1 of 1 web workers can't read the keys on the disk {problem}" in (
        page.replace("and goes on with those it had: ", "")
    )
    assert page.index("revoke 1") < page.index("ring.json is torn")


def test_every_alarm_has_words():
    facts = {
        "key_id": 3,
        "days": 91,
        "limit": 90,
        "count": 2,
        "of": 4,
        "problem": "torn",
        "workers": "a:1:aa, b:2:bb",
    }
    assert key_words.ALARMS.keys() == alarms.SEVERITY.keys()
    now = datetime.now(UTC)
    told = [Alarm(code, "", "", now, facts) for code in alarms.SEVERITY]

    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        words = key_words.told_alarms(told, zone=ZoneInfo("UTC"), now=now)

    assert all(each.sentence.endswith(".") and each.command for each in words)
    assert {each.tone for each in words} == {"refused", "waiting"}


def test_the_first_page_says_the_gravest_and_leads_to_the_keys(
    owner: Browser, manager: Browser, tools: Tools, later
):
    assert 'id="alarms" role="status" hidden' in owner.get("/console/").text

    later(timedelta(days=100))
    signals.note(tools, "unissued_code", {"nonce": "ab", "key_id": 1})

    for browser in (owner, manager):
        page = browser.get("/console/")
        words = seen(page)
        assert words.index("we never made. The key may be stolen.") < words.index(
            "stamps today"
        )
        assert "See what to do and 1 more" in words
        assert 'href="/console/keys"' in page.text.partition('id="live"')[2]


def test_the_feed_brings_an_alarm_to_a_page_that_is_open(owner: Browser, tools: Tools):
    before = owner.get("/console/feed")
    assert before.get_json()["alarms"] == ""
    headers = {"If-None-Match": before.headers["ETag"]}
    assert owner.get("/console/feed", headers=headers).status_code == 304

    signals.note(tools, "unissued_code", {"nonce": "ab", "key_id": 1})

    after = owner.get("/console/feed", headers=headers)
    assert after.status_code == 200
    assert "The key may be stolen." in after.get_json()["alarms"]


def test_a_problem_cannot_write_the_page(owner: Browser, tools: Tools):
    tools.workers._tell("a:1:aa", Report("x", "<img src=x>"))

    for path in ("/console/keys", "/console/"):
        assert "<img" not in owner.get(path).text
    assert "<img" not in owner.get("/console/feed").get_json()["alarms"]


# What a revoked key made


@both_books
def test_a_review_lists_what_the_key_made_since(
    owner: Browser,
    tools: Tools,
    later,
    give,
    make_card,
    barista: StaffCaller,
    revoke,
):
    # given stamps of the key before and after, one of them undone, and a reward
    card = make_card("Anna")
    give(card, 3)
    later(timedelta(hours=3))
    give(card, 2)
    code = stamping.card_code(tools, card.card_id).code
    spent = stamping.stamp(tools, code, stamps=1, request_id="one", staff=barista)
    stamping.reverse_stamp(
        tools, UUID(str(spent.answer["stamp_id"])), staff=barista, reason="slip"
    )
    voucher = give(card, 5).vouchers[0]
    code = rewards.voucher_code(tools, voucher.voucher_id, card.member_id).code
    rewards.redeem(tools, code, request_id="two", staff=barista)

    # when it is called back, and its successor gives more
    revoke(timedelta(hours=1))
    give(card, 4)

    # then the list has what lies between, and nothing was taken away
    page = seen(owner.get("/console/keys/1/review"))
    assert "4 stamps and rewards made with key 1" in page
    assert f"Reason: {REASON}" in page
    assert "Nothing was taken away. 1 was undone." in page
    assert "“Last 5”" in page
    number = f"{card.number[:4]} {card.number[4:]}"
    assert f"2 stamps {number} Nyhavn Owner no" in page
    assert f"1 stamp {number} Nyhavn Owner Undone" in page
    assert f"Reward {number} Nyhavn Owner no" in page
    told = rows(owner)
    assert [(row["kind"], row["stamps"], row["undone"]) for row in told] == [
        ("EARN", "2", "no"),
        ("EARN", "1", "yes"),
        ("EARN", "5", "no"),
        ("REDEEM", "0", "no"),
    ]
    assert {row["card"] for row in told} == {card.number}
    assert told[1]["entry"] == spent.answer["stamp_id"]
    assert all(datetime.fromisoformat(row["at"]).tzinfo for row in told)


def test_a_review_names_the_printed_batches(
    owner: Browser, tools: Tools, founded: Founded, later, revoke
):
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")

    def made(name: str) -> None:
        batches.make(
            tools,
            name=name,
            programme_id=founded.programme_id,
            location_id=None,
            stamps=1,
            count=20,
            last_day=tools.now().date() + timedelta(days=30),
            by=by,
        )

    made("Before the theft")
    later(timedelta(hours=3))
    made("After it")

    revoke(timedelta(hours=1))

    page = seen(owner.get("/console/keys/1/review"))
    assert "Before the theft Stays good" in page
    assert "After it No longer good" in page
    told = [(row["batch_name"], row["stays_good"]) for row in rows(owner)]
    assert told == [("Before the theft", "yes"), ("After it", "no")]


def test_a_review_is_the_one_that_the_command_shows(
    room: KeyRoom, tools: Tools, give, make_card, revoke
):
    give(make_card("Anna"), 7)
    since = revoke()

    of = key_history.review(tools, 1)

    assert of.since == since
    assert of.count == len(ceremonies.review(room, 1, since) or ()) == 2


def test_a_key_that_made_nothing_has_an_empty_review(owner: Browser, revoke):
    revoke()

    page = seen(owner.get("/console/keys/1/review"))

    assert "0 stamps and rewards made with key 1" in page
    assert "there is nothing to look at" in page
    assert "Download" not in page
    assert rows(owner) == []


def test_a_long_review_has_pages(owner: Browser, tools: Tools, make_card, revoke):
    card, now = make_card("Anna"), tools.now()
    with tools.database.begin() as tx:
        for number in range(120):
            tx.add(_entry(card.card_id, number, now))
    revoke()

    pages = [
        owner.get(f"/console/keys/1/review?page={number}").text for number in (1, 2, 3)
    ]

    assert [page.count("review__when") for page in pages] == [50, 50, 20]
    assert "Page 2 of 3" in pages[1]
    assert 'rel="prev"' not in pages[0]
    assert 'rel="next"' not in pages[2]
    assert len(rows(owner)) == 120
    for odd, like in (("0", 0), ("-4", 0), ("9", 2), ("x", 0), ("1e9", 0)):
        answer = owner.get(f"/console/keys/1/review?page={odd}")
        assert answer.text.count("review__when") == pages[like].count("review__when")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_file_is_a_formula(
    owner: Browser, tools: Tools, make_card, revoke, founded: Founded, start: str
):
    card, now = make_card("Anna"), tools.now()
    with tools.database.begin() as tx:
        place = tx.get(Location, founded.location_id)
        place.name = f'{start}HYPERLINK("https://evil.example","x")'
        entry = _entry(card.card_id, 1, now)
        entry.location_id = founded.location_id
        tx.add(entry)
    revoke()

    (row,) = rows(owner)

    assert row["place"].startswith(f"'{start}")
    assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


def test_without_a_line_in_the_log_all_that_it_made_is_listed(
    owner: Browser, room: KeyRoom, clock: Clock, later, give, make_card
):
    """A revocation goes on without the books, and its line may be missing."""
    give(make_card("Anna"), 2)
    later(timedelta(days=3))
    change(room, lambda ring: ring.revoked(1, clock()))

    assert len(rows(owner)) == 1


@both_books
def test_without_a_line_the_ring_may_know_since_when(
    owner: Browser, room: KeyRoom, clock: Clock, give, make_card
):
    card = make_card("Anna")
    give(card, 1)
    clock.forward(timedelta(hours=3))
    give(card, 2)
    since = clock() - timedelta(hours=1)
    change(room, lambda ring: ring.revoked(1, clock(), since=since))

    assert [row["stamps"] for row in rows(owner)] == ["2"]


@pytest.mark.parametrize("key_id", ["1", "9", "70000", "99999999999999999999"])
@pytest.mark.parametrize("page", ["review", "review.csv"])
def test_only_a_revoked_key_has_a_review(owner: Browser, key_id: str, page: str):
    assert owner.get(f"/console/keys/{key_id}/{page}").status_code == 404


def test_looking_writes_nothing(owner: Browser, tools: Tools, give, make_card, revoke):
    give(make_card("Anna"), 2)
    revoke()
    with tools.database.read() as tx:
        before = tx.query(LedgerEntry).count()

    for path in ("/console/keys", "/console/keys/1/review", "/console/keys"):
        answer = owner.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
    rows(owner)

    with tools.database.read() as tx:
        assert tx.query(LedgerEntry).count() == before


def _entry(card_id: UUID, number: int, now: datetime) -> LedgerEntry:
    nonce = number.to_bytes(9)
    return LedgerEntry(
        card_id=card_id,
        kind="EARN",
        units=1,
        rule="card_code",
        at=now,
        nonce=nonce,
        # Byte 1 is format and kind, 2 and 3 the key's id.
        proof=b"\x11\x00\x01" + bytes(4) + nonce + bytes(64),
        request_id=uuid4().hex,
    )
