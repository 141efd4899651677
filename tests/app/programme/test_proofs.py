"""Whoever changes the ledger by hand is found, and an honest one is not accused."""
# ruff: noqa: S608 -- SQL by hand is what is tested

from __future__ import annotations

import contextlib
import dataclasses
import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text, update

from app.programme import (
    cards,
    ledger,
    members,
    proofs,
    rewards,
    shop,
    stamping,
    terms,
    vouchers,
)
from app.programme.errors import VoucherSpent
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import (
    Card,
    EarningRule,
    EarningRuleVersion,
    LedgerEntry,
    Member,
    Purchase,
    Voucher,
)
from app.tools import Tools
from scripts import demo
from signing import receipts
from signing.keyring import KeyRing
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

    def entry(self, number: int) -> LedgerEntry:
        with self.tools.database.read() as tx:
            return tx.get_one(LedgerEntry, number)

    @property
    def purchase_id(self) -> UUID:
        """A purchase of the first card, which no entry names."""
        with self.tools.database.begin() as tx:
            made = Purchase(
                purchase_id=uuid4(), card_id=self.one, at=self.tools.now(), amount=350,
                currency="EUR", request_id=uuid4().hex,
            )  # fmt: skip
            tx.add(made)
            return made.purchase_id

    @property
    def rule_version_id(self) -> UUID:
        """A rule of the first card's programme, which no entry names."""
        now = self.tools.now()
        programme = cards.card(self.tools, self.one).programme
        with self.tools.database.begin() as tx:
            rule = EarningRule(
                rule_id=uuid4(), programme_id=programme.programme_id, created_at=now
            )
            tx.add(rule)
            tx.flush()
            version = EarningRuleVersion(
                version_id=uuid4(), rule_id=rule.rule_id, version=1, kind="visit",
                unit="stamp", name="", terms={}, is_on=False, takes_effect_at=now,
                created_at=now,
            )  # fmt: skip
            tx.add(version)
            return version.version_id

    @property
    def voucher_id(self) -> UUID:
        voucher_id = self.entry(3).voucher_id
        assert voucher_id is not None
        return voucher_id


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
_ALL = f"{_COLUMNS}, reverses_id, reason, caused_by_id, receipt"
_NEW = "lower(hex(randomblob(16)))"
_AGAIN = (
    f"INSERT INTO ledger_entry ({_ALL}) SELECT 14, {{entry}}, card_id, kind, units, "
    "rule, at, nonce, proof, request_id, answer, voucher_id, terminal_id, staff_id, "
    "location_id, {reverses}, reason, caused_by_id, receipt FROM ledger_entry "
    "WHERE entry_no = {number}"
)
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
    "voucher made to promise more": (
        "UPDATE voucher SET reward = 'Free cake' WHERE state = 'issued'",
        "voucher_reward",
    ),
    "voucher without an end given one": (
        "UPDATE voucher SET expires_at = '2030-01-01 00:00:00.000000' "
        "WHERE state = 'issued'",
        "voucher_end",
    ),
    "card given another number": (
        "UPDATE card SET number = '00000000' WHERE card_id = "
        "(SELECT card_id FROM ledger_entry WHERE entry_no = 1)",
        "card_changed",
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
        _BARE + _AGAIN.format(entry=_NEW, reverses="reverses_id", number=8),
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
    "reversal again, its ids spelled otherwise": (
        _AGAIN.format(entry="upper(entry_id)", reverses="upper(reverses_id)", number=8),
        "entry_twice reversed_twice version",
    ),
    "exchange again, its id spelled otherwise": (
        _AGAIN.format(entry="upper(entry_id)", reverses="reverses_id", number=11),
        "entry_twice exchange voucher_unpaid",
    ),
}
#: Of each column, an entry of which it is changed, and to what: the least change that
#: makes sense. A new column needs a line here.
COLUMNS: dict[str, tuple[int, object]] = {
    "entry_no": (13, 1000),
    "entry_id": (6, UUID(int=7)),
    "card_id": (6, lambda day, _row: day.one),
    "kind": (3, "BONUS"),
    "units": (6, lambda _day, row: row.units + 1),
    "rule": (6, "stamp "),
    "at": (6, lambda _day, row: row.at + timedelta(microseconds=1)),
    "nonce": (6, b"n" * 9),
    "proof": (6, lambda _day, row: row.proof[:-1] + bytes([row.proof[-1] ^ 1])),
    "request_id": (6, lambda _day, row: row.request_id[:-1]),
    "answer": (
        6,
        lambda _day, row: (
            row.answer | {"card": row.answer["card"] | {"programme_name": "Coffee"}}
        ),
    ),
    "voucher_id": (6, lambda day, _row: day.voucher_id),
    "reverses_id": (8, lambda day, _row: day.entry(6).entry_id),
    "reason": (8, "Right"),
    "terminal_id": (8, None),
    "staff_id": (6, None),
    "location_id": (11, None),
    "receipt": (6, lambda _day, row: row.receipt[:2] + bytes(64)),
    "purchase_id": (6, lambda day, row: day.purchase_id),
    "rule_version_id": (6, lambda day, row: day.rule_version_id),
    "unit": (6, "point"),
    "expires_at": (6, datetime(2030, 1, 1, tzinfo=UTC)),
    "caused_by_id": (11, lambda day, _row: day.entry(6).entry_id),
    "once": (6, "signup"),
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


def set_by_hand(by_hand: Connection, number: int, **values: object) -> None:
    """Change columns of one entry, on either books."""
    rows = LedgerEntry.__table__
    by_hand.execute(update(rows).where(rows.c.entry_no == number).values(**values))
    by_hand.commit()


def insert_by_hand(by_hand: Connection, **values: object) -> None:
    by_hand.execute(insert(LedgerEntry.__table__).values(**values))
    by_hand.execute(
        update(Card.__table__)
        .where(Card.__table__.c.card_id == values["card_id"])
        .values(version=Card.__table__.c.version + 1)
    )
    by_hand.commit()


@both_books
@pytest.mark.parametrize("column", LedgerEntry.__table__.columns.keys())
def test_a_change_of_any_column_is_found(day: Day, by_hand: Connection, column: str):
    number, value = COLUMNS[column]
    before = proofs.prove(day.tools, heads=())
    assert (before.findings, before.head.count) == ((), 13)
    new = value(day, day.entry(number)) if callable(value) else value

    set_by_hand(by_hand, number, **{column: new})

    codes = {one.code for one in proofs.prove(day.tools, heads=[before.head]).findings}
    # Its number is not signed: the order is for an anchor to know.
    assert ("ledger_anchor" if column == "entry_no" else "receipt_forged") in codes


@both_books
def test_a_receipt_that_was_removed_is_found(day: Day, by_hand: Connection):
    set_by_hand(by_hand, 6, receipt=None)

    assert found(day.tools) == {"receipt_missing"}


def plain_copy(entry: LedgerEntry) -> dict[str, Any]:
    """All columns of an entry, as values of a new one."""
    facts = {name: getattr(entry, name) for name in ledger.SIGNED}
    return facts | {"entry_id": uuid4()}


def fit_answer(day: Day, entry: dict[str, Any], named: str, stamps: int) -> None:
    """Make the answer of a copied entry what the server would have said."""
    state = cards.card(day.tools, entry["card_id"])
    card = cards.answer_of(state) | {
        "stamps": state.stamps + stamps,
        "version": state.version + 1,
    }
    entry["answer"] = entry["answer"] | {named: str(entry["entry_id"]), "card": card}


def unscanned(day: Day) -> dict[str, Any]:
    """An entry of a real code of one's own card that nobody scanned, all right."""
    issued = stamping.card_code(day.tools, day.other)
    entry = plain_copy(day.entry(6)) | {
        "nonce": issued.nonce,
        "proof": stamping.codes.read(day.tools, issued.code).data,
        "request_id": f"{day.till.terminal_id.hex}:{uuid4().hex}",
        "at": day.tools.now(),
    }
    fit_answer(day, entry, "stamp_id", 3)
    return entry


def reversal(day: Day) -> dict[str, Any]:
    """A reversal of number 6 that nobody asked for, all of it right."""
    entry = plain_copy(day.entry(8)) | {
        "card_id": day.other,
        "at": day.tools.now(),
        "units": -1,
        "reverses_id": day.entry(12).entry_id,
    }
    fit_answer(day, entry, "reversal_id", -1)
    return entry


FALSE_RECEIPTS = {
    "none": lambda _day, _entry: None,
    "another entry's": lambda day, _entry: day.entry(6).receipt,
    "of a key of one's own": lambda day, entry: receipts.sign(
        ledger.told(LedgerEntry(**entry)),
        KeyRing.new(day.tools.now()),
        origin=day.tools.settings.origin,
    ),
    "of another installation": lambda day, entry: receipts.sign(
        ledger.told(LedgerEntry(**entry)),
        day.tools.keys.ring,
        origin="https://copy.example",
    ),
    "of a key that never was": lambda day, entry: b"\xff\xff" + bytes(64),
    "none at all": lambda day, entry: b"",
}


@both_books
@pytest.mark.parametrize("receipt", FALSE_RECEIPTS)
@pytest.mark.parametrize("forged", [unscanned, reversal])
def test_an_entry_by_hand_that_is_right_in_every_detail_is_found(
    day: Day, by_hand: Connection, forged: Any, receipt: str
):
    """And by nothing else than its receipt: all the rest is right."""
    entry = forged(day)

    insert_by_hand(by_hand, **entry, receipt=FALSE_RECEIPTS[receipt](day, entry))

    wrong = "receipt_missing" if receipt == "none" else "receipt_forged"
    assert found(day.tools) == {wrong}


@both_books
def test_with_a_receipt_of_ours_it_would_not_be_found(day: Day, by_hand: Connection):
    """Whoever has the key writes as we do; so the test above tests what it says."""
    entry = unscanned(day)
    signed = receipts.sign(
        ledger.told(LedgerEntry(**entry)),
        day.tools.keys.ring,
        origin=day.tools.settings.origin,
    )

    insert_by_hand(by_hand, **entry, receipt=signed)

    assert found(day.tools) == set()


@both_books
@pytest.mark.parametrize("is_signed", [False, True], ids=["no receipt", "borrowed"])
def test_an_exchange_by_hand_is_found(day: Day, by_hand: Connection, is_signed: bool):
    """A voucher for the stamps of a card that was not full, of a genuine moment."""
    last, voucher_id = day.entry(12), uuid4()
    by_hand.execute(
        insert(Voucher.__table__).values(
            voucher_id=voucher_id,
            card_id=day.other,
            reward="Free coffee",
            state="issued",
            issued_at=last.at,
        )
    )
    exchange = plain_copy(day.entry(11)) | {"voucher_id": voucher_id, "at": last.at}
    receipt = day.entry(11).receipt if is_signed else None

    insert_by_hand(by_hand, **exchange, receipt=receipt)

    wrong = "receipt_forged" if is_signed else "receipt_missing"
    assert {wrong, "exchange"} <= found(day.tools)


@both_books
def test_a_voucher_that_was_lengthened_for_its_use_is_found(
    day: Day, by_hand: Connection, good_for, clock: Clock
):
    """Its row is as promised again when somebody looks."""
    good_for(1)
    day.give(day.other, 5)
    day.give(day.other, 5)
    promised = cards.card(day.tools, day.other).vouchers[0].expires_at
    clock.forward(timedelta(days=3))
    assert found(day.tools) == set()

    ending = "UPDATE voucher SET expires_at = '{}' WHERE expires_at IS NOT NULL"
    tampered(by_hand, ending.format("2099-01-01 00:00:00.000000+00"))
    assert found(day.tools) == {"voucher_end"}
    day.use(day.other)
    tampered(by_hand, ending.format(f"{promised:%Y-%m-%d %H:%M:%S}.000000+00"))

    assert found(day.tools) == {"voucher_end", "voucher_late"}


def test_what_a_release_without_ends_wrote_is_clean(
    day: Day, monkeypatch: pytest.MonkeyPatch, good_for
):
    with monkeypatch.context() as older:
        # as it told of a voucher
        older.setattr(
            vouchers,
            "told",
            lambda row: {
                "voucher_id": str(row.voucher_id),
                "reward": row.reward,
                "state": row.state,
            },
        )
        day.give(day.one, 5)
        day.give(day.one, 5)
    good_for(1)
    day.give(day.one, 5)
    day.give(day.one, 5)
    day.use(day.one)

    assert found(day.tools) == set()


def test_ways_of_tampering_are_counted(counts: Callable[..., None]):
    """Each is found by a test above."""
    by_hand = len(FALSE_RECEIPTS) * 2 + 2 + 1
    counts(
        ways=len(ON_BOTH) + len(ON_SQLITE) + len(COLUMNS) + by_hand,
        columns=len(COLUMNS),
    )


def test_the_demo_is_clean(tools: Tools, tmp_path: Path, counts: Callable[..., None]):
    demo.load(tools, tmp_path)

    # somebody's voucher ends soon, and somebody's has ended
    with tools.database.read() as tx:
        ends = {
            name: cards.state_of(tx, card_id, tools.now()).vouchers[0]
            for card_id, name in tx.execute(
                select(Card.card_id, Member.name)
                .join(Member, Member.member_id == Card.member_id)
                .where(Member.name.in_(["Alma", "Bent"]))
            )
        }
    assert (ends["Alma"].state, ends["Alma"].days_left) == ("issued", 3)
    assert (ends["Bent"].state, ends["Bent"].days_left) == ("expired", None)
    proved = proofs.prove(tools)

    assert (proved.findings, proved.notes) == ((), ())
    assert 2 * proved.entries > proved.signatures > proved.entries > 500
    counts(entries=proved.entries, signatures=proved.signatures, findings=0)


def change_without_an_entry(
    day: Day, card_id: UUID, step: int, owner: ConsoleCaller, clock: Clock
) -> None:
    """Pause a card, or change its programme and agree to that."""
    if step % 40 == 10:
        for is_paused in (True, False):
            shop.pause_card(day.tools, card_id, is_paused=is_paused, by=owner)
        return
    rules = cards.card(day.tools, card_id).programme
    shop.save_programme(
        day.tools,
        programme_id=rules.programme_id,
        name=rules.name,
        reward=rules.reward,
        stamps_required=rules.stamps_required - 1,
        terms=f"As of step {step}",
        is_open=True,
        voucher_days=[None, 1, 2][step // 40],
        by=owner,
    )
    clock.forward(timedelta(days=15))
    terms.take_effect(day.tools)
    changed = cards.card(day.tools, card_id).programme
    for _ in range(2):
        cards.accept_terms(day.tools, card_id, changed.terms_version)


@both_books
def test_what_is_removed_is_missed_also_from_a_card_that_changed_otherwise(
    day: Day, by_hand: Connection, clock: Clock
):
    owner = ConsoleCaller(day.till.staff_id, "Owner", "owner")
    for step in (10, 30):
        change_without_an_entry(day, day.one, step, owner, clock)
    assert found(day.tools) == set()

    tampered(by_hand, "DELETE FROM ledger_entry WHERE entry_no = 13")

    assert "entry_missing" in found(day.tools)


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
        if step % 20 == 10:
            change_without_an_entry(day, card_id, step, owner, clock)

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
        revoked = ring.revoked(ring.active.key_id, moment)
        keys = SimpleNamespace(ring=revoked, refresh=lambda: False)
        return found(dataclasses.replace(day.tools, keys=keys))

    assert revoked_at(now + timedelta(minutes=1)) == set()
    both = {"proof_revoked", "receipt_revoked"}
    assert revoked_at(now - timedelta(minutes=2)) == both


def test_another_origin_signed_nothing_here(day: Day, make_tools: Callable[..., Tools]):
    tools = make_tools(origin="https://other.example")

    assert found(tools) == {"proof_forged", "receipt_forged"}
