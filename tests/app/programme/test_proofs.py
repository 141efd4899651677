"""Whoever changes the ledger by hand is found, and an honest one is not accused."""
# ruff: noqa: S608 -- SQL by hand is what is tested

from __future__ import annotations

import contextlib
import dataclasses
import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, create_engine, text

from app.programme import cards, members, proofs, rewards, shop, stamping
from app.programme.errors import VoucherSpent
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.tools import Tools
from scripts import demo
from tests.conftest import Clock, both_books


@dataclasses.dataclass
class Day:
    """A day of which the tests know each entry, by number."""

    tools: Tools
    till: StaffCaller
    #: Has 1 to 5 and 7, 8, 13: five and five stamps, the exchange, the voucher's use,
    #: two collected, one and its undoing, one at the end.
    one: UUID
    #: Has 6 and 9 to 12: three, five and two stamps, the exchange, one more.
    other: UUID

    def give(self, card_id: UUID, stamps: int) -> UUID:
        code = stamping.card_code(self.tools, card_id).code
        answer = stamping.stamp(
            self.tools, code, stamps=stamps, request_id=uuid4().hex, staff=self.till
        ).answer
        return UUID(answer["stamp_id"])

    def collect(self, card_id: UUID, stamps: int) -> UUID:
        code = stamping.stamp_code(self.tools, self.till, stamps).code
        answer = stamping.collect(self.tools, code, card_id=card_id).answer
        return UUID(answer["stamp_id"])

    def use(self, card_id: UUID) -> UUID:
        state = cards.card(self.tools, card_id)
        voucher = next(row for row in state.vouchers if row.state == "issued")
        code = rewards.voucher_code(
            self.tools, voucher.voucher_id, state.member_id
        ).code
        answer = rewards.redeem(
            self.tools, code, request_id=uuid4().hex, staff=self.till
        ).answer
        return UUID(answer["redemption_id"])

    def undo(self, stamp_id: UUID) -> None:
        stamping.reverse_stamp(self.tools, stamp_id, staff=self.till, reason="Wrong")


@pytest.fixture
def day(tools: Tools, barista: StaffCaller) -> Day:
    made = Day(tools, barista, members.join(tools).card_id, members.join(tools).card_id)
    made.give(made.one, 5)
    made.give(made.one, 5)
    made.use(made.one)
    made.collect(made.one, 2)
    made.give(made.other, 3)
    made.undo(made.give(made.one, 1))
    made.give(made.other, 5)
    made.give(made.other, 2)
    made.give(made.other, 1)
    made.give(made.one, 1)
    return made


@pytest.fixture
def by_hand(day: Day, database_url: str) -> Iterator[Connection]:
    """The books as their administrator has them, past every rule of ours."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        yield connection
    engine.dispose()


def found(tools: Tools) -> set[str]:
    return {finding.code for finding in proofs.prove(tools).findings}


_COLUMNS = (
    "entry_no, entry_id, card_id, kind, units, rule, at, nonce, proof, request_id, "
    "answer, voucher_id, terminal_id, staff_id, location_id"
)
_COPY = (
    f"INSERT INTO ledger_entry ({_COLUMNS}) SELECT 14, lower(hex(randomblob(16))), "
    "card_id, kind, units, rule, at, {nonce}, {proof}, {request}, answer, voucher_id, "
    "terminal_id, staff_id, location_id FROM ledger_entry WHERE entry_no = 6"
)
_NEW = "lower(hex(randomblob(16)))"
#: Without any constraint, as after a DROP INDEX elsewhere.
_BARE = (
    "CREATE TABLE bare AS SELECT * FROM ledger_entry; DROP TABLE ledger_entry; "
    "ALTER TABLE bare RENAME TO ledger_entry; "
)
_VOUCHER = (
    "INSERT INTO voucher (voucher_id, card_id, reward, state, issued_at) SELECT "
    "'{}', card_id, 'Free coffee', 'issued', at FROM ledger_entry WHERE entry_no = 12"
).format("a" * 32)
_SET = "UPDATE ledger_entry SET "

ON_BOTH = {
    "stamps made more": (_SET + "units = 4 WHERE entry_no = 6", "answer sum"),
    "stamps beyond five": (_SET + "units = 6 WHERE entry_no = 6", "units"),
    "stamps moved to another card": (
        _SET + "card_id = (SELECT card_id FROM ledger_entry WHERE entry_no = 1) "
        "WHERE entry_no = 6",
        "answer version sum entry_added entry_missing",
    ),
    "moment changed": (
        _SET + "at = '2026-01-01 00:00:00.000000' WHERE entry_no = 6",
        "proof_time",
    ),
    "entry removed": (
        "DELETE FROM ledger_entry WHERE entry_no = 6",
        "sum entry_missing",
    ),
    "last entry removed": (
        "DELETE FROM ledger_entry WHERE entry_no = 13",
        "entry_missing",
    ),
    "reversal removed": (
        "DELETE FROM ledger_entry WHERE entry_no = 8",
        "sum entry_missing",
    ),
    "used voucher made new": (
        "UPDATE voucher SET state = 'issued', redeemed_at = NULL "
        "WHERE state = 'redeemed'",
        "voucher_state",
    ),
    "new voucher made used": (
        "UPDATE voucher SET state = 'redeemed' WHERE state = 'issued'",
        "voucher_state",
    ),
    "kind changed": (_SET + "kind = 'BONUS' WHERE entry_no = 6", "rule_unknown"),
    "use of a voucher made a stamp": (
        _SET + "kind = 'EARN', rule = 'stamp', units = 1 WHERE entry_no = 4",
        "proof_kind",
    ),
    "exchange made cheaper": (_SET + "units = -3 WHERE entry_no = 11", "exchange"),
    "exchange removed": (
        "DELETE FROM ledger_entry WHERE entry_no = 11",
        "balance voucher_unpaid",
    ),
    "exchange for another voucher": (
        _SET + "voucher_id = (SELECT voucher_id FROM ledger_entry "
        "WHERE entry_no = 3) WHERE entry_no = 11",
        "voucher_unknown voucher_unpaid",
    ),
    "reversal of more": (_SET + "units = -3 WHERE entry_no = 8", "reversal"),
    "reversal of something else": (
        _SET + "reverses_id = (SELECT entry_id FROM ledger_entry WHERE entry_no = 6) "
        "WHERE entry_no = 8",
        "reversal",
    ),
    "answer removed": (_SET + "answer = NULL WHERE entry_no = 6", "answer sum"),
    "request of another card": (
        _SET + "request_id = 'x' WHERE entry_no = 5",
        "request_other",
    ),
    "given by another till": (
        _SET + "terminal_id = NULL WHERE entry_no = 6",
        "request_other",
    ),
    "request removed": (
        _SET + "request_id = NULL WHERE entry_no = 6",
        "request_missing",
    ),
}
ON_SQLITE = {
    "entry with a false proof": (
        _COPY.format(nonce="randomblob(9)", proof="randomblob(80)", request=_NEW),
        "proof_forged answer version",
    ),
    "entry with a borrowed proof": (
        _COPY.format(nonce="randomblob(9)", proof="proof", request=_NEW),
        "proof_nonce",
    ),
    "nonce twice, past its index": (
        _BARE + _COPY.format(nonce="nonce", proof="proof", request=_NEW),
        "nonce_twice",
    ),
    "request twice, past its index": (
        _BARE + _SET + "request_id = (SELECT request_id FROM ledger_entry "
        "WHERE entry_no = 1) WHERE entry_no = 2",
        "request_twice",
    ),
    "reversal twice, past its index": (
        _BARE + "INSERT INTO ledger_entry SELECT 14, lower(hex(randomblob(16))), "
        "card_id, kind, units, rule, at, nonce, proof, request_id, answer, "
        "voucher_id, reverses_id, reason, terminal_id, staff_id, location_id "
        "FROM ledger_entry WHERE entry_no = 8",
        "reversed_twice",
    ),
    "proof of another kind of entry": (
        _SET + "nonce = randomblob(9), proof = randomblob(80) WHERE entry_no = 3",
        "proof_unexpected",
    ),
    "proof removed": (
        _SET + "nonce = NULL, proof = NULL WHERE entry_no = 6",
        "proof_missing",
    ),
    "reversal of nothing": (
        _SET + f"reverses_id = {_NEW} WHERE entry_no = 8",
        "reversal",
    ),
    "sum changed in the answer": (
        _SET + "answer = json_set(answer, '$.card.stamps', 9) WHERE entry_no = 6",
        "sum",
    ),
    "voucher made of nothing": (_VOUCHER, "voucher_unpaid"),
    "exchange made of nothing": (
        _VOUCHER + "; INSERT INTO ledger_entry (entry_id, card_id, kind, units, rule, "
        f"at, voucher_id) SELECT {_NEW}, card_id, 'REDEEM', -10, 'full_card', at, "
        f"'{'a' * 32}' FROM ledger_entry WHERE entry_no = 12",
        "exchange balance",
    ),
    "number missing": ("DELETE FROM ledger_entry WHERE entry_no = 12", "gap"),
    "entry of no card": (
        _SET + f"card_id = {_NEW} WHERE entry_no = 6",
        "card_missing",
    ),
    "terminal with a false proof": (
        "UPDATE terminal SET proof = randomblob(80)",
        "proof_forged",
    ),
    "terminal with another nonce": (
        "UPDATE terminal SET nonce = randomblob(9)",
        "proof_nonce",
    ),
}


def tampered(connection: Connection, statements: str) -> None:
    for statement in statements.split("; "):
        connection.execute(text(re.sub(r"(?<=\w):", r"\\:", statement)))
    connection.commit()


@both_books
@pytest.mark.parametrize("way", ON_BOTH)
def test_a_change_by_hand_is_found(day: Day, by_hand: Connection, way: str):
    assert found(day.tools) == set()
    statements, codes = ON_BOTH[way]

    tampered(by_hand, statements)

    assert set(codes.split()) <= found(day.tools)


@pytest.mark.parametrize("way", ON_SQLITE)
def test_a_change_past_every_constraint_is_found(
    day: Day, by_hand: Connection, way: str
):
    statements, codes = ON_SQLITE[way]

    tampered(by_hand, statements)

    assert set(codes.split()) <= found(day.tools)


def unscanned(day: Day, by_hand: Connection, answer: str) -> None:
    """Write an entry of a real code that nobody scanned."""
    issued = stamping.card_code(day.tools, day.other)
    proof = stamping.codes.read(day.tools, issued.code).data
    copy = _COPY.format(nonce=":nonce", proof=":proof", request=_NEW)
    facts = {"nonce": issued.nonce, "proof": proof}
    by_hand.execute(text(copy), facts)
    now = day.tools.now().strftime("%Y-%m-%d %H:%M:%S.%f")
    by_hand.execute(
        text(_SET + f"answer = {answer}, at = :now WHERE entry_no = 14"), {"now": now}
    )
    by_hand.commit()


def test_an_unscanned_code_without_its_card_is_found(day: Day, by_hand: Connection):
    unscanned(day, by_hand, "NULL")

    assert {"entry_added", "answer", "sum"} <= found(day.tools)


def test_an_unscanned_code_with_all_that_belongs_to_it_is_not_found(
    day: Day, by_hand: Connection
):
    """What ``proofs`` says that it cannot find; here so that it stays true."""
    uuid = "substr({0},1,8)||'-'||substr({0},9,4)||'-'||substr({0},13,4)||'-'||" + (
        "substr({0},17,4)||'-'||substr({0},21)"
    )
    state = cards.card(day.tools, day.other)
    answer = (
        f"json_set(answer, '$.stamp_id', {uuid.format('entry_id')}, "
        f"'$.card.stamps', {state.stamps + 3}, '$.card.version', {state.version + 1})"
    )
    unscanned(day, by_hand, answer)
    by_hand.execute(
        text("UPDATE card SET version = version + 1 WHERE card_id = :card"),
        {"card": day.other.hex},
    )
    by_hand.commit()

    assert found(day.tools) == set()


def test_the_demo_is_clean(tools: Tools, tmp_path: Path, counts: Callable[..., None]):
    demo.load(tools, tmp_path)

    proved = proofs.prove(tools)

    assert (proved.findings, proved.notes) == ((), ())
    assert proved.entries > proved.signatures > 500
    counts(entries=proved.entries, signatures=proved.signatures, findings=0)


@both_books
def test_a_random_history_is_clean(day: Day, clock: Clock, counts: Callable[..., None]):
    chance = random.Random(7)
    given: list[UUID] = []
    owner = ConsoleCaller(day.till.staff_id, "Owner", "owner")
    for step in range(120):
        clock.forward(timedelta(minutes=chance.randrange(90)))
        card_id = chance.choice([day.one, day.other])
        what = chance.random()
        if what < 0.6:
            give = chance.choice([day.give, day.collect])
            given.append(give(card_id, chance.randint(1, 5)))
        elif what < 0.75 and given:
            try:
                day.undo(given.pop(chance.randrange(len(given))))
            except VoucherSpent:
                continue
        elif any(v.state == "issued" for v in cards.card(day.tools, card_id).vouchers):
            use_id = day.use(card_id)
            if chance.random() < 0.3:
                rewards.reverse_redemption(
                    day.tools, use_id, staff=day.till, reason="Wrong"
                )
        if step % 40 == 20:
            rules = cards.card(day.tools, card_id).programme
            shop.save_programme(
                day.tools,
                programme_id=rules.programme_id,
                name=rules.name,
                reward=rules.reward,
                stamps_required=rules.stamps_required - 1,
                terms=rules.terms,
                is_open=True,
                by=owner,
            )

    proved = proofs.prove(day.tools)

    assert proved.findings == ()
    counts(entries=proved.entries, signatures=proved.signatures, findings=0)


@both_books
def test_many_at_once_on_one_card_are_clean(day: Day, counts: Callable[..., None]):
    """Numbered in one order, counted by the card in another: that is no tampering."""
    start = Barrier(8)

    def customer(number: int) -> None:
        start.wait()
        for _ in range(6):
            given = (day.give if number % 2 else day.collect)(day.one, 1 + number % 3)
            if number == 0:
                with contextlib.suppress(VoucherSpent):
                    day.undo(given)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(customer, number) for number in range(8)]:
            done.result()
    proved = proofs.prove(day.tools)

    assert proved.findings == ()
    counts(threads=8, entries=proved.entries, signatures=proved.signatures, findings=0)


def test_what_a_revoked_key_signed_before_is_good_and_after_is_not(
    day: Day, clock: Clock
):
    now = clock()
    ring = day.tools.keys.ring

    def revoked_at(moment: datetime) -> set[str]:
        keys = SimpleNamespace(ring=ring.revoked(ring.active.key_id, moment))
        return found(dataclasses.replace(day.tools, keys=keys))

    assert revoked_at(now + timedelta(minutes=1)) == set()
    assert revoked_at(now - timedelta(minutes=2)) == {"proof_revoked"}


def test_another_origin_signed_nothing_here(day: Day, make_tools: Callable[..., Tools]):
    assert found(make_tools(origin="https://other.example")) == {"proof_forged"}
