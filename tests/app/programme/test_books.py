"""The books add up, whatever happens, and everything in them can be proved.

Random days at a shop: stamps given by both ways, vouchers used, mistakes undone, and
everything sent twice. A small model says what each card must show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from app.programme import cards, ledger, members, rewards, shop, staff, stamping
from app.programme.codes import Spent
from app.programme.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    VoucherSpent,
)
from app.programme.reversals import UNDO_WITHIN
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import Card, LedgerEntry, Voucher
from app.tools import Tools
from signing import codes as signed
from signing import receipts
from signing.codes import Kind
from tests.conftest import both_books
from tests.servers import wipe

FULL = 10


@dataclass
class Holding:
    """What the model knows of one card."""

    stamps: int = 0
    #: Vouchers by state, as many as the model expects.
    issued: int = 0
    redeemed: int = 0
    voided: int = 0
    #: Units that were ever given and not undone.
    earned: int = field(default=0)

    def give(self, units: int) -> None:
        self.earned += units
        self.stamps += units
        self.issued += self.stamps // FULL
        self.stamps %= FULL

    def vouchers_to_take_back(self, units: int) -> int:
        """How many vouchers must go so that this many stamps can."""
        missing = units - self.stamps
        return max(0, -(-missing // FULL))

    def undo(self, units: int) -> None:
        back = self.vouchers_to_take_back(units)
        self.earned -= units
        self.issued -= back
        self.voided += back
        self.stamps += back * FULL - units


class Day(RuleBasedStateMachine):
    """One random day; the shop and its till stay the same from day to day."""

    tools: Tools
    till: StaffCaller

    stamps: Bundle[Any] = Bundle("stamps")
    uses: Bundle[Any] = Bundle("uses")

    def __init__(self) -> None:
        super().__init__()
        self.holdings: dict[UUID, Holding] = {}
        #: Every request that went well, to be sent again, and its answer.
        self.heard: list[tuple[Callable[[], Spent], Any]] = []

    def send(self, request: Callable[[], Spent]) -> Any:
        spent = request()
        assert not spent.is_repeat
        self.heard.append((request, spent.answer))
        return spent.answer

    @initialize(count=st.integers(1, 3))
    def open(self, count: int) -> None:
        for _ in range(count):
            self.holdings[members.join(self.tools).card_id] = Holding()

    @rule(target=stamps, data=st.data(), units=st.integers(1, 5), scans=st.booleans())
    def give(self, data: st.DataObject, units: int, scans: bool) -> Any:
        card_id = data.draw(st.sampled_from(sorted(self.holdings)))
        request_id = uuid4().hex
        if scans:
            code = stamping.card_code(self.tools, card_id).code

            def request() -> Spent:
                return stamping.stamp(
                    self.tools,
                    code,
                    stamps=units,
                    request_id=request_id,
                    staff=self.till,
                )
        else:
            code = stamping.stamp_code(self.tools, self.till, units).code

            def request() -> Spent:
                return stamping.collect(self.tools, code, card_id=card_id)

        answer = self.send(request)
        self.holdings[card_id].give(units)
        return card_id, UUID(answer["stamp_id"]), units

    @precondition(lambda self: any(one.issued for one in self.holdings.values()))
    @rule(target=uses, data=st.data())
    def use_a_voucher(self, data: st.DataObject) -> Any:
        able = sorted(card for card, held in self.holdings.items() if held.issued)
        card_id = data.draw(st.sampled_from(able))
        state = cards.card(self.tools, card_id)
        voucher = next(row for row in state.vouchers if row.state == "issued")
        code = rewards.voucher_code(
            self.tools, voucher.voucher_id, state.member_id
        ).code
        request_id = uuid4().hex
        answer = self.send(
            lambda: rewards.redeem(
                self.tools, code, request_id=request_id, staff=self.till
            )
        )
        self.holdings[card_id].issued -= 1
        self.holdings[card_id].redeemed += 1
        return card_id, UUID(answer["redemption_id"])

    @rule(target=stamps, stamp=consumes(stamps))
    def undo_a_stamp(self, stamp: Any) -> Any:
        card_id, stamp_id, units = stamp
        held = self.holdings[card_id]

        def request() -> Spent:
            return stamping.reverse_stamp(
                self.tools, stamp_id, staff=self.till, reason="slip"
            )

        if held.vouchers_to_take_back(units) > held.issued:
            with pytest.raises(VoucherSpent):
                request()
            return stamp
        self.send(request)
        held.undo(units)
        return multiple()

    @rule(use=consumes(uses))
    def undo_a_use(self, use: Any) -> None:
        card_id, redemption_id = use
        self.send(
            lambda: rewards.reverse_redemption(
                self.tools, redemption_id, staff=self.till, reason="slip"
            )
        )
        self.holdings[card_id].redeemed -= 1
        self.holdings[card_id].issued += 1

    @precondition(lambda self: self.heard)
    @rule(data=st.data(), is_wiped=st.booleans())
    def say_it_again(self, data: st.DataObject, is_wiped: bool) -> None:
        request, answer = data.draw(st.sampled_from(self.heard))
        if is_wiped:
            wipe(self.tools.settings.redis_url)

        spent = request()

        assert spent.is_repeat
        assert spent.answer == answer

    @invariant()
    def the_books_agree_with_the_model(self) -> None:
        for card_id, held in self.holdings.items():
            state = cards.card(self.tools, card_id)
            with self.tools.database.read() as tx:
                units = tx.scalars(
                    select(LedgerEntry.units).where(LedgerEntry.card_id == card_id)
                ).all()
            assert state.stamps == sum(units) == held.stamps
            assert 0 <= state.stamps < FULL
            assert len(state.marks) == state.stamps
            states = [row.state for row in state.vouchers]
            assert states.count("issued") == held.issued
            assert states.count("redeemed") == held.redeemed
            assert states.count("voided") == held.voided
            # nothing comes from nothing, and nothing is lost
            live = held.issued + held.redeemed
            assert held.earned == state.stamps + FULL * live

    def teardown(self) -> None:
        prove(self.tools)


def prove(tools: Tools) -> None:
    """Check every proof in the books as an auditor would, with public keys alone."""
    with tools.database.read() as tx:
        entries = tx.scalars(select(LedgerEntry)).all()
    nonces = [entry.nonce for entry in entries if entry.nonce]
    assert len(set(nonces)) == len(nonces)
    kinds = {
        (cards.RULE_STAMP): {Kind.CARD, Kind.STAMP},
        (cards.RULE_VOUCHER_USED): {Kind.VOUCHER},
    }
    for entry in entries:
        key = receipts.verify(
            entry.receipt or b"",
            ledger.told(entry),
            tools.keys.ring,
            origin=tools.settings.origin,
        )
        assert key is tools.keys.ring.active
        if entry.rule not in kinds:
            assert entry.proof is None
            continue
        code = signed.verify_data(
            entry.proof or b"", tools.keys.ring, origin=tools.settings.origin
        )
        assert len(entry.proof or b"") == 80
        assert code.nonce == entry.nonce
        assert code.kind in kinds[entry.rule]
        assert entry.at <= code.not_after


def test_the_books_add_up_whatever_happens(tools: Tools, barista: StaffCaller):
    class ThisShopsDay(Day):
        pass

    ThisShopsDay.tools, ThisShopsDay.till = tools, barista

    run_state_machine_as_test(
        ThisShopsDay,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(LedgerEntry))


@pytest.fixture
def owner(founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def make_person(tools: Tools, owner: ConsoleCaller, make_terminal):
    """Hire somebody and sign them in, at the first location or at another."""

    def make(role: str, *, elsewhere: bool = False) -> StaffCaller:
        place = (
            shop.add_location(tools, name=uuid4().hex, by=owner) if elsewhere else None
        )
        person = shop.add_staff(tools, name=role, role=role, pin="4071", by=owner)
        terminal = make_terminal(place) if place else make_terminal()
        staff.sign_in(tools, terminal, person, "4071")
        return StaffCaller(
            person,
            role,
            role,
            terminal.terminal_id,
            terminal.location_id,
            terminal.location_name,
        )

    return make


def give_one(tools: Tools, card_id: UUID, by: StaffCaller) -> UUID:
    code = stamping.card_code(tools, card_id).code
    spent = stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=by)
    return UUID(spent.answer["stamp_id"])


def undo(tools: Tools, stamp_id: UUID, by: StaffCaller) -> Spent:
    return stamping.reverse_stamp(tools, stamp_id, staff=by, reason="slip")


def test_a_barista_undoes_what_a_colleague_gave_at_the_same_place(
    tools, make_card, make_person
):
    stamp_id = give_one(tools, make_card().card_id, make_person("barista"))

    assert not undo(tools, stamp_id, make_person("barista")).is_repeat


def test_a_barista_undoes_nothing_of_another_place(tools, make_card, make_person):
    stamp_id = give_one(tools, make_card().card_id, make_person("barista"))

    with pytest.raises(Forbidden):
        undo(tools, stamp_id, make_person("barista", elsewhere=True))


def test_a_barista_undoes_nothing_of_the_day_before(
    tools, make_card, make_person, clock
):
    barista = make_person("barista")
    card = make_card()
    old, older = (give_one(tools, card.card_id, barista) for _ in range(2))
    clock.forward(UNDO_WITHIN - timedelta(minutes=1))
    undo(tools, old, barista)

    clock.forward(timedelta(minutes=2))

    with pytest.raises(Forbidden):
        undo(tools, older, barista)
    assert cards.card(tools, card.card_id).stamps == 1


def test_a_barista_undoes_no_redemption_of_another_place(
    tools, make_card, make_person, give, barista
):
    card = give(make_card(), FULL)
    shown = rewards.voucher_code(tools, card.vouchers[0].voucher_id, card.member_id)
    used = rewards.redeem(tools, shown.code, request_id="1", staff=barista)

    with pytest.raises(Forbidden):
        rewards.reverse_redemption(
            tools,
            UUID(used.answer["redemption_id"]),
            staff=make_person("barista", elsewhere=True),
            reason="slip",
        )


@pytest.mark.parametrize("role", ["manager", "owner"])
def test_managers_undo_anything(tools, make_card, make_person, clock, role):
    stamp_id = give_one(tools, make_card().card_id, make_person("barista"))
    clock.forward(timedelta(days=30))

    assert not undo(tools, stamp_id, make_person(role, elsewhere=True)).is_repeat


def test_an_undoing_is_not_undone(tools, make_card, barista):
    stamp_id = give_one(tools, make_card().card_id, barista)
    reversal = UUID(undo(tools, stamp_id, barista).answer["reversal_id"])

    with pytest.raises(NotFound):
        undo(tools, reversal, barista)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\x00b", "a\u202eb"])
def test_an_undoing_has_a_reason_that_can_be_read(
    tools, make_card, barista, reason: str
):
    stamp_id = give_one(tools, make_card().card_id, barista)

    with pytest.raises(InvalidRequest) as refusal:
        stamping.reverse_stamp(tools, stamp_id, staff=barista, reason=reason)

    assert refusal.value.fields.keys() == {"reason"}


def test_the_marks_on_a_card_are_those_of_stamps_that_stand(tools, make_card, barista):
    card = make_card()
    first, second, third = (give_one(tools, card.card_id, barista) for _ in range(3))
    assert first != third

    undo(tools, second, barista)

    marks = cards.card(tools, card.card_id).marks
    with tools.database.read() as tx:
        standing = tx.scalars(
            select(LedgerEntry.nonce)
            .where(LedgerEntry.entry_id.in_([first, third]))
            .order_by(LedgerEntry.entry_no)
        ).all()
    assert [mark.seed[:18] for mark in marks] == [nonce.hex() for nonce in standing]


@both_books
def test_the_ledger_only_grows(tools, make_card, give, barista, clock):
    """Every statement of a day: entries are written, answered once, and left alone."""
    # given somebody who notes every statement, and in which transaction it was
    said: list[tuple[int, str]] = []
    number = 0
    engine = tools.database._engine

    @event.listens_for(engine, "begin")
    def begin(_connection: Any) -> None:
        nonlocal number
        number += 1

    @event.listens_for(engine, "before_cursor_execute")
    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append((number, " ".join(statement.split())))

    # when everything happens that can happen to a card
    card = give(make_card(), 9)
    last = give_one(tools, card.card_id, barista)
    undo(tools, last, barista)
    undo(tools, last, barista)
    at_till = stamping.stamp_code(tools, barista, 5).code
    stamping.collect(tools, at_till, card_id=card.card_id)
    card = cards.card(tools, card.card_id)
    voucher = next(row for row in card.vouchers if row.state == "issued")
    shown = rewards.voucher_code(tools, voucher.voucher_id, card.member_id).code
    used = rewards.redeem(tools, shown, request_id="use", staff=barista)
    rewards.redeem(tools, shown, request_id="use", staff=barista)
    rewards.reverse_redemption(
        tools, UUID(used.answer["redemption_id"]), staff=barista, reason="slip"
    )

    # then the ledger saw new entries, their answers and receipts
    ledger = [
        (where, statement)
        for where, statement in said
        if "ledger_entry" in statement and not statement.startswith("SELECT")
    ]
    written = {
        where for where, line in ledger if line.startswith("INSERT INTO ledger_entry ")
    }
    assert len(written) >= 6
    for where, statement in ledger:
        if not statement.startswith("INSERT INTO ledger_entry "):
            # an entry's answer and receipt, in the transaction that wrote the entry
            set_, _, wanted = statement.partition(" WHERE ")
            assert re.findall(r"(\w+)=", set_) == ["answer", "receipt"], statement
            assert wanted.startswith("ledger_entry.entry_no = "), statement
            assert where in written
    # and nothing was ever removed
    assert not [line for _, line in said if line.startswith(("DELETE", "DROP"))]


def write(tools: Tools, entry: LedgerEntry) -> None:
    with tools.database.begin() as tx:
        tx.add(entry)


@both_books
def test_the_books_themselves_refuse_what_makes_no_sense(tools, make_card, barista):
    """Whatever a later rule gets wrong, these the tables do not take."""
    card = make_card()
    stamp_id = give_one(tools, card.card_id, barista)
    now = tools.now()
    row = {"card_id": card.card_id, "rule": "stamp", "at": now}
    proof = {"nonce": b"n" * 9, "proof": b"p" * 80}

    for bad in (
        {"kind": "EARN", "units": 1},
        {"kind": "EARN", "units": 0, **proof},
        {"kind": "EARN", "units": -1, **proof},
        {"kind": "GIFT", "units": 1, **proof},
        {"kind": "BONUS", "units": 1, "nonce": b"n" * 9},
        {"kind": "REVERSE", "units": -1},
        {"kind": "ADJUST", "units": -1, "reverses_id": stamp_id},
        {"kind": "BONUS", "units": 1, "card_id": uuid4()},
    ):
        with pytest.raises(IntegrityError):
            write(tools, LedgerEntry(**row | bad))

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(LedgerEntry)) == 1
        assert tx.scalar(select(func.count()).select_from(Voucher)) == 0
        assert tx.scalar(select(func.count()).select_from(Card)) == 1
