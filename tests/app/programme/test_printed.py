"""Printed stamps count once, for months, whatever stores and keys go through."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import create_engine, func, select, text

from app.programme import (
    batches,
    cards,
    ceremonies,
    codes,
    printing,
    proofs,
    shop,
    stamping,
)
from app.programme.batches import MOST_CODES, MOST_PRINTINGS, PRINT_WITHIN
from app.programme.ceremonies import LAST_CODE_DEAD
from app.programme.errors import (
    CodeExpired,
    CodeInvalid,
    CodeRevoked,
    CodeSpent,
    CodeUnknown,
    CodeWrongKind,
    Forbidden,
    InvalidRequest,
    NotEligible,
    Refused,
    StoreDown,
)
from app.programme.sessions import ConsoleCaller
from app.store.tables import AuditEntry, LedgerEntry, PrintedBatch, PrintedCode, Signal
from signing import codes as signed
from signing.codes import Kind
from tests.app.programme.key_rooms import own_ring, patient, room_of
from tests.conftest import both_books
from tests.servers import wipe

PHONES = 16


@pytest.fixture
def settings(settings, tmp_path):
    """A ring of the test's own, which it changes."""
    return own_ring(settings, tmp_path)


@pytest.fixture
def owner(founded):
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def make(tools, founded, owner):
    def made(**changes):
        fields = {
            "name": "Spring market",
            "programme_id": founded.programme_id,
            "location_id": founded.location_id,
            "stamps": 2,
            "count": 3,
            "last_day": tools.now().date() + timedelta(days=90),
            "by": owner,
        }
        return batches.make(tools, **(fields | changes))

    return made


@pytest.fixture
def paper(tools, owner, make):
    """The links of a batch, as they stand on paper."""

    def printed(batch_id=None, **changes):
        drawn = []

        def draw(stamps):
            drawn.extend(stamps)
            return b"%PDF"

        batch_id = batch_id or make(**changes)
        printing.put_on_paper(tools, batch_id, layout="a4", by=owner, draw=draw)
        return [stamp.url for stamp in drawn]

    return printed


def only_batch(tools):
    [view] = batches.batches(tools)
    return view


def earned(tools):
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).where(LedgerEntry.kind == "EARN"))


def signals(tools):
    with tools.database.read() as tx:
        return list(tx.scalars(select(Signal.kind)))


def lines(tools):
    with tools.database.read() as tx:
        rows = tx.scalars(select(AuditEntry).order_by(AuditEntry.audit_no))
        return [row.action for row in rows if row.action.startswith("batch.")]


def collect(tools, url, card):
    return stamping.collect(tools, url, card_id=card.card_id)


@both_books
def test_a_printed_stamp_is_collected_once(tools, paper, make_card):
    first, *_ = paper()
    anna, bo = make_card("Anna"), make_card("Bo")

    given = collect(tools, first, anna)

    assert given.answer["stamps_given"] == 2
    assert collect(tools, first, anna).is_repeat
    with pytest.raises(CodeSpent) as refusal:
        collect(tools, first, bo)
    assert refusal.value.place == "Nyhavn"
    assert cards.card(tools, anna.card_id).stamps == 2
    assert proofs.prove(tools).findings == ()


@both_books
def test_a_stamp_of_no_place_is_the_shops(tools, paper, make_card):
    anna = make_card("Anna")
    collect(tools, paper(location_id=None)[0], anna)

    marks = cards.card(tools, anna.card_id).marks
    assert {mark.place for mark in marks} == {shop.shop(tools).name}


@both_books
@pytest.mark.parametrize("is_wiped", [False, True], ids=["redis up", "redis wiped"])
def test_of_many_phones_at_one_printed_stamp_one_counts(
    tools, make_tools, paper, make_card, redis_url, is_wiped, counts
):
    first, *_ = paper()
    phones = [(make_tools(), make_card(f"Phone {n}")) for n in range(PHONES)]
    start = threading.Barrier(PHONES)

    def at_phone(phone):
        mine, card = phone
        start.wait()
        if is_wiped:
            wipe(redis_url)
        try:
            collect(mine, first, card)
        except Refused as refusal:
            return refusal.code
        return "given"

    with ThreadPoolExecutor(PHONES) as pool:
        answers = list(pool.map(at_phone, phones))

    counts(phones=PHONES, given=answers.count("given"))
    assert answers.count("given") == 1
    assert set(answers) <= {"given", "code_in_use", "code_spent", "code_unknown"}
    assert earned(tools) == 1
    assert only_batch(tools).spent == 1


@both_books
def test_a_wiped_store_knows_printed_stamps_again_from_the_books(
    tools, paper, make_card, redis_url
):
    first, second, _ = paper()
    anna, bo = make_card("Anna"), make_card("Bo")
    collect(tools, first, anna)

    wipe(redis_url)

    # what was collected stays so, what was not still counts once
    assert collect(tools, first, anna).is_repeat
    with pytest.raises(CodeSpent):
        collect(tools, first, bo)
    collect(tools, second, bo)
    wipe(redis_url)
    with pytest.raises(CodeSpent):
        collect(tools, second, anna)
    assert earned(tools) == 2


def test_who_writes_the_store_makes_a_printed_stamp_worth_no_more(
    tools, paper, make_card, redis_url
):
    first, *_ = paper(stamps=1)
    nonce = signed.verify(first, tools.keys.ring, origin=tools.settings.origin).nonce

    tools.nonces.issue(nonce, {"stamps": "5"}, keep=timedelta(hours=1))

    assert collect(tools, first, make_card()).answer["stamps_given"] == 1


def test_without_a_store_no_printed_stamp_is_collected(make_tools, paper, make_card):
    first, *_ = paper()
    card = make_card()

    with pytest.raises(StoreDown):
        collect(make_tools(redis_url="unix:///nowhere"), first, card)

    collect(make_tools(), first, card)


def test_looking_spends_nothing(tools, paper, make_card):
    first, *_ = paper()

    seen = [codes.peek(tools, first) for _ in range(3)]

    assert {peeked.state for peeked in seen} == {"waiting"}
    assert seen[0].record["stamps"] == "2"
    assert seen[0].record["place"] == "Nyhavn"
    collect(tools, first, make_card())
    assert codes.peek(tools, first).state == "spent"


def test_a_till_takes_no_printed_stamp(tools, paper, barista, make_card):
    first, *_ = paper()

    with pytest.raises(CodeWrongKind):
        stamping.stamp(tools, first, stamps=1, request_id="r", staff=barista)

    collect(tools, first, make_card())


def test_its_last_day_ends_at_midnight_where_the_shop_is(
    tools, paper, clock, make_card
):
    day = tools.now().date() + timedelta(days=90)
    first, second, _ = paper(last_day=day)
    ends = only_batch(tools).expires_at
    anna = make_card()
    collect(tools, first, anna)

    clock.forward(ends + timedelta(seconds=1) - tools.now())

    assert ends.astimezone().tzinfo is not None
    with pytest.raises(CodeExpired) as refusal:
        collect(tools, second, anna)
    assert refusal.value.is_printed
    assert codes.peek(tools, second).state == "expired"
    assert only_batch(tools).state == "ended"
    # but who had it gets the first answer
    assert collect(tools, first, anna).is_repeat


def test_a_printed_stamp_of_another_shop_is_none_of_ours(tools, make_tools, paper):
    first, *_ = paper()
    elsewhere = make_tools(origin="https://other.example")

    with pytest.raises(CodeInvalid):
        codes.peek(elsewhere, first)


def test_a_card_of_another_programme_gets_nothing(tools, paper, make_card, owner):
    other = shop.save_programme(
        tools,
        programme_id=None,
        name="Lunch",
        reward="Soup",
        stamps_required=5,
        terms="",
        is_open=True,
        voucher_days=None,
        by=owner,
    )
    first, *_ = paper(programme_id=other.programme_id)

    with pytest.raises(NotEligible):
        collect(tools, first, make_card())

    assert codes.peek(tools, first).state == "waiting"


# Its batch is called back


@both_books
def test_a_batch_that_was_called_back_gives_nothing_more(
    tools, paper, make, make_card, owner
):
    batch_id = make()
    first, second, _ = paper(batch_id)
    anna = make_card()
    collect(tools, first, anna)

    batches.revoke(tools, batch_id, reason="The box was stolen", by=owner)
    batches.revoke(tools, batch_id, reason="Once more", by=owner)

    with pytest.raises(CodeRevoked) as refusal:
        collect(tools, second, anna)
    assert refusal.value.is_printed
    assert codes.peek(tools, second).state == "revoked"
    assert collect(tools, first, anna).is_repeat
    view = only_batch(tools)
    assert (view.state, view.reason, view.spent) == ("revoked", "The box was stolen", 1)
    assert lines(tools) == ["batch.made", "batch.printed", "batch.revoked"]
    assert proofs.prove(tools).findings == ()


@both_books
def test_a_batch_called_back_under_load_gives_nothing_from_then_on(
    tools, make_tools, make, paper, make_card, owner, counts
):
    batch_id = make(count=60)
    links = paper(batch_id)
    phones = [(make_tools(), make_card(f"Phone {n}")) for n in range(6)]
    under_way = threading.Event()

    def at_phone(number):
        mine, card = phones[number]
        answers = []
        for link in links[number::6]:
            try:
                collect(mine, link, card)
            except CodeRevoked:
                answers.append(None)
            else:
                answers.append(datetime.now(UTC))
                under_way.set()
        return answers

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(at_phone, number) for number in range(6)]
        under_way.wait(30)
        batches.revoke(tools, batch_id, reason="Lost", by=owner)
        booked = earned(tools)
        answers = [answer for one in running for answer in one.result()]

    counts(codes=len(links), given=booked, refused=answers.count(None))
    assert earned(tools) == booked
    assert len(links) - answers.count(None) == booked
    assert 0 < booked < len(links)


# Its key


def test_a_retired_key_still_verifies_what_it_printed(tools, paper, make_card, clock):
    first, second, _ = paper()
    room = room_of(tools)
    ceremonies.rotate(room, is_applied=True, wait=patient)
    tools.keys.refresh()
    collect(tools, first, make_card())

    # its retirement waits for no paper
    clock.forward(LAST_CODE_DEAD)
    ceremonies.retire(room, 1, is_applied=True)
    tools.keys.refresh()

    assert tools.keys.ring.key(1).state == "retired"
    collect(tools, second, make_card())
    assert proofs.prove(tools).findings == ()


def test_a_card_code_of_a_retired_key_is_still_refused(tools, make_card, clock):
    code = stamping.card_code(tools, make_card().card_id).code
    room = room_of(tools)
    ceremonies.rotate(room, is_applied=True, wait=patient)
    clock.forward(LAST_CODE_DEAD)
    ceremonies.retire(room, 1, is_applied=True)
    tools.keys.refresh()

    with pytest.raises(CodeRevoked):
        codes.read(tools, code)


@pytest.mark.parametrize(
    ("after", "is_hard", "is_good"),
    [
        pytest.param(timedelta(hours=1), False, True, id="batch older than the theft"),
        pytest.param(timedelta(hours=-1), False, False, id="batch made after it"),
        pytest.param(timedelta(hours=1), True, False, id="older, but hard"),
        pytest.param(timedelta(hours=-1), True, False, id="after it, and hard"),
    ],
)
@pytest.mark.parametrize("is_retired", [False, True], ids=["in use", "retired before"])
def test_a_revoked_keys_paper_is_judged_by_its_batch(
    tools, paper, make_card, clock, after, is_hard, is_good, is_retired
):
    first, *_ = paper()
    room = room_of(tools)
    made_at = only_batch(tools).created_at
    if is_retired:
        ceremonies.rotate(room, is_applied=True, wait=patient)
        clock.forward(LAST_CODE_DEAD)
        ceremonies.retire(room, 1, is_applied=True)
    clock.forward(timedelta(hours=2))

    done = ceremonies.revoke(
        room, 1, since=made_at + after, reason="x", is_applied=True, is_hard=is_hard
    )
    tools.keys.refresh()

    assert [hit.stays_good for hit in done.batches] == [is_good]
    if is_good:
        collect(tools, first, make_card())
    else:
        assert codes.peek(tools, first).state == "revoked"
        with pytest.raises(CodeRevoked):
            collect(tools, first, make_card())
    assert earned(tools) == is_good
    assert proofs.prove(tools).findings == ()
    assert signals(tools) == []


def test_a_key_thief_prints_nothing(tools, founded, paper, make_card):
    paper()
    ends = only_batch(tools).expires_at
    with tools.database.read() as tx:
        known = tx.scalars(select(PrintedCode.nonce)).first()

    def forge(nonce, not_after):
        return signed.sign(
            Kind.PRINTED_STAMP,
            tools.keys.ring,
            origin=tools.settings.origin,
            not_after=not_after,
            nonce=nonce,
        ).text

    # a nonce of their own, and one of ours with a later end
    for forged in (
        forge(signed.new_nonce(), ends),
        forge(known, ends + timedelta(days=1)),
    ):
        with pytest.raises(CodeUnknown):
            collect(tools, forged, make_card())

    assert signals(tools) == ["unissued_code", "unissued_code"]
    assert earned(tools) == 0


# Who writes in the books


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE printed_batch SET stamps = 5",
        "UPDATE printed_batch SET location_id = NULL",
        "UPDATE printed_batch SET seed = zeroblob(32)",
        "UPDATE printed_code SET number = 4 - number WHERE number <> 2",
        "UPDATE printed_batch SET created_at = '2026-01-01 00:00:00.000000'",
    ],
    ids=["worth", "place", "seed", "numbers", "age"],
)
def test_who_writes_the_books_makes_no_printed_stamp_worth_more(
    tools, paper, make_card, database_url, change
):
    first, *_ = paper(stamps=1)
    engine = create_engine(database_url)
    with engine.begin() as by_hand:
        by_hand.execute(text("PRAGMA foreign_keys = OFF"))
        # through a number that is free, where two change places
        if "number" in change:
            by_hand.execute(text("UPDATE printed_code SET number = 9 WHERE number = 3"))
            by_hand.execute(text("UPDATE printed_code SET number = 3 WHERE number = 1"))
            by_hand.execute(text("UPDATE printed_code SET number = 1 WHERE number = 9"))
        else:
            by_hand.execute(text(change))
    engine.dispose()

    with pytest.raises(CodeUnknown):
        collect(tools, first, make_card())

    assert earned(tools) == 0
    assert proofs.prove(tools).findings != ()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("UPDATE printed_batch SET stamps = 4", "batch_forged"),
        ("DELETE FROM printed_code WHERE number = 1", "batch_codes"),
        ("DELETE FROM printed_code WHERE number = 3", "batch_codes"),
        (
            "UPDATE printed_batch SET state = 'open', revoked_at = NULL",
            "batch_reopened",
        ),
        ("UPDATE ledger_entry SET units = 1 WHERE kind = 'EARN'", "printed_units"),
        (
            "UPDATE ledger_entry SET location_id = NULL WHERE kind = 'EARN'",
            "printed_place",
        ),
        (
            "UPDATE ledger_entry SET at = '2027-06-01 00:00:00.000000' "
            "WHERE kind = 'EARN'",
            "printed_revoked",
        ),
    ],
)
def test_the_audit_finds_what_was_changed(
    tools, paper, make, make_card, owner, database_url, change, finding
):
    batch_id = make()
    first, *_ = paper(batch_id)
    collect(tools, first, make_card())
    batches.revoke(tools, batch_id, reason="Lost", by=owner)
    assert proofs.prove(tools).findings == ()
    engine = create_engine(database_url)
    with engine.begin() as by_hand:
        by_hand.execute(text(change))
    engine.dispose()

    assert finding in {one.code for one in proofs.prove(tools).findings}


# Making, printing


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 0),
        ("count", MOST_CODES + 1),
        ("count", None),
        ("stamps", 0),
        ("stamps", 6),
        ("last_day", None),
        ("last_day", datetime(2020, 1, 1, tzinfo=UTC).date()),
        ("last_day", datetime(2190, 1, 1, tzinfo=UTC).date()),
        ("name", " "),
        ("programme_id", None),
        ("programme_id", UUID(int=1)),
        ("location_id", UUID(int=1)),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(tools, make, field, value):
    with pytest.raises(InvalidRequest) as refusal:
        make(**{field: value})

    assert set(refusal.value.fields) == {field}
    assert batches.batches(tools) == []


def test_baristas_make_print_and_revoke_nothing(tools, make, founded):
    barista = ConsoleCaller(founded.staff_id, "Mia", "barista")
    batch_id = make()

    with pytest.raises(Forbidden):
        make(by=barista)
    with pytest.raises(Forbidden):
        printing.put_on_paper(
            tools, batch_id, layout="a4", by=barista, draw=lambda _: b""
        )
    with pytest.raises(Forbidden):
        batches.revoke(tools, batch_id, reason="x", by=barista)

    assert lines(tools) == ["batch.made"]


def test_the_largest_batch_is_made(tools, make):
    make(count=MOST_CODES)

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(PrintedCode)) == MOST_CODES


def test_no_living_code_is_in_the_books(tools, paper):
    links = paper()
    with tools.database.read() as tx:
        rows = [*tx.scalars(select(PrintedBatch)), *tx.scalars(select(PrintedCode))]
        kept = b"".join(
            value
            for row in rows
            for value in vars(row).values()
            if isinstance(value, bytes)
        )

    for link in links:
        assert signed.read_text(link)[16:] not in kept


def test_printing_again_gives_the_same_codes_a_few_times(tools, make, paper):
    batch_id = make()

    prints = [paper(batch_id) for _ in range(MOST_PRINTINGS)]

    assert all(links == prints[0] for links in prints)
    with pytest.raises(InvalidRequest) as refusal:
        paper(batch_id)
    assert refusal.value.fields == {"batch": "too_often"}
    assert lines(tools).count("batch.printed") == MOST_PRINTINGS


def test_a_sheet_that_could_not_be_drawn_uses_no_printing_up(tools, make, owner):
    batch_id = make()

    def draw(_stamps):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        printing.put_on_paper(tools, batch_id, layout="a4", by=owner, draw=draw)

    assert only_batch(tools).printings_left == MOST_PRINTINGS


def test_who_comes_late_prints_nothing(tools, make, paper, clock):
    batch_id = make()
    clock.forward(PRINT_WITHIN + timedelta(seconds=1))

    with pytest.raises(InvalidRequest) as refusal:
        paper(batch_id)

    assert refusal.value.fields == {"batch": "too_late"}


def test_once_another_key_signs_nothing_is_printed_with_the_old(tools, make, paper):
    batch_id = make()
    ceremonies.rotate(room_of(tools), is_applied=True, wait=patient)
    tools.keys.refresh()

    with pytest.raises(InvalidRequest) as refusal:
        paper(batch_id)

    assert refusal.value.fields == {"batch": "key_changed"}


def test_a_printed_stamp_is_undone_like_any(tools, paper, make_card, barista):
    first, *_ = paper()
    card = make_card()
    stamp_id = UUID(collect(tools, first, card).answer["stamp_id"])

    stamping.reverse_stamp(tools, stamp_id, staff=barista, reason="Wrong")

    assert cards.card(tools, card.card_id).stamps == 0
    view = only_batch(tools)
    assert (view.spent, view.undone) == (1, 1)
    with pytest.raises(CodeSpent):
        collect(tools, first, dataclasses.replace(card, card_id=make_card().card_id))
    assert proofs.prove(tools).findings == ()
