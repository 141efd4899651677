"""Whoever kept the ledger's head finds what was removed, on both books."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, create_engine, delete, select, update

from app.programme import cards, proofs, rewards, stamping
from app.programme.codes import Spending
from app.programme.errors import VoucherSpent
from app.programme.proofs import Head, Proved
from app.programme.sessions import StaffCaller
from app.programme.stamping import Giver
from app.store.settled import last_settled
from app.store.tables import Card, LedgerEntry
from app.tools import Tools
from signing import codes as signed
from signing.codes import Kind
from signing.keyring import KeyRing
from tests.conftest import both_books

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
ENTRIES, CARDS = LedgerEntry.__table__, Card.__table__
SHORT = timedelta(seconds=0.2)


@pytest.fixture
def card(make_card, give) -> cards.CardState:
    """A card with five entries, numbers 1 to 5."""
    made = make_card()
    for stamps in (1, 2, 1, 2, 1):
        made = give(made, stamps)
    return made


@pytest.fixture
def by_hand(card, database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def look(tools: Tools, *heads: Head) -> Proved:
    return proofs.prove(tools, heads=heads)


def codes_of(proved: Proved) -> list[str]:
    return [one.code for one in proved.findings]


def head_of(tools: Tools) -> Head:
    proved = look(tools)
    assert proved.findings == ()
    assert proved.head is not None
    return proved.head


def cut(by_hand: Connection, number: int) -> None:
    """Remove an entry, with the card's counter set back."""
    whose = select(ENTRIES.c.card_id).where(ENTRIES.c.entry_no == number)
    card_id = by_hand.scalar(whose)
    by_hand.execute(delete(ENTRIES).where(ENTRIES.c.entry_no == number))
    by_hand.execute(
        update(CARDS)
        .where(CARDS.c.card_id == card_id)
        .values(version=CARDS.c.version - 1)
    )
    by_hand.commit()


def move(by_hand: Connection, number: int, to: int) -> None:
    rows = update(ENTRIES).where(ENTRIES.c.entry_no == number)
    by_hand.execute(rows.values(entry_no=to))
    by_hand.commit()


@both_books
def test_the_head_is_what_it_is_said_to_be(tools, card):
    head = head_of(tools)

    with tools.database.read() as tx:
        entries = tx.scalars(select(LedgerEntry).order_by(LedgerEntry.entry_no)).all()
    rows = b"".join(
        entry.entry_id.bytes + (66).to_bytes(4, "big") + entry.receipt
        for entry in entries
    )
    assert head == Head(5, 5, hashlib.sha256(rows).digest())


def test_an_empty_ledger_has_a_head(tools, make_card, give):
    head = head_of(tools)
    assert head == Head(0, 0, hashlib.sha256().digest())

    give(make_card(), 1)

    assert codes_of(look(tools, head)) == []


def test_it_is_not_told_unless_asked_for(tools, card):
    assert proofs.prove(tools).head is None


@both_books
def test_a_ledger_that_grows_holds_all_that_it_was(tools, card, give, make_card):
    heads = [head_of(tools)]
    for _ in range(3):
        give(make_card(), 4)
        heads.append(head_of(tools))

    proved = look(tools, *heads, heads[0])

    assert (proved.findings, proved.head) == ((), heads[-1])


@both_books
def test_the_last_entries_removed_without_a_trace_are_found(tools, card, by_hand):
    head = head_of(tools)

    cut(by_hand, 5)
    cut(by_hand, 4)

    # without an anchor it is the ledger of a while ago, and that has no fault
    assert codes_of(look(tools)) == []
    proved = look(tools, head)
    assert [(one.code, one.subject) for one in proved.findings] == [
        ("ledger_anchor", head.digest.hex())
    ]
    assert "had 5 entries. It has 3 now" in proved.findings[0].sentence


@both_books
def test_the_last_entries_written_anew_are_found(tools, card, by_hand, give):
    """As after a backup of yesterday was put back, and the day went on."""
    head = head_of(tools)
    cut(by_hand, 5)
    move_back = {"sqlite": None, "postgresql": 5}[by_hand.dialect.name]

    give(card, 1)

    if move_back is not None:
        # a sequence gives no number twice; who writes the books does
        move(by_hand, 6, move_back)
    assert codes_of(look(tools)) == []
    proved = look(tools, head)
    assert codes_of(proved) == ["ledger_anchor"]
    assert "It has as many now" in proved.findings[0].sentence


@both_books
def test_entries_whose_order_was_changed_are_found(tools, card, by_hand):
    head = head_of(tools)

    for number, to in ((2, 99), (3, 2), (99, 3)):
        move(by_hand, number, to)

    assert codes_of(look(tools)) == []
    assert codes_of(look(tools, head)) == ["ledger_anchor"]


@both_books
def test_an_entry_dated_back_by_a_thief_of_the_key_is_found(
    tools, card, by_hand, give, make_card
):
    """Signed by us, put in before the anchor: the one thing that tells of it."""
    head = head_of(tools)
    give(make_card(), 1)

    move(by_hand, 6, 0)

    assert "ledger_anchor" not in codes_of(look(tools))
    assert "ledger_anchor" in codes_of(look(tools, head))


@both_books
def test_of_many_anchors_the_first_that_is_gone_is_told(
    tools, card, by_hand, give, make_card
):
    before = head_of(tools)
    other = make_card()
    heads = []
    for _ in range(3):
        other = give(other, 1)
        heads.append(head_of(tools))
    assert [head.last for head in heads] == [6, 7, 8]

    cut(by_hand, 8)
    cut(by_hand, 7)

    [finding] = look(tools, before, *heads).findings
    assert finding.subject == heads[1].digest.hex()


def spending(tools: Tools, card_id: UUID) -> Spending:
    now = tools.now()
    code = signed.sign(
        Kind.CARD,
        tools.keys.ring,
        origin=tools.settings.origin,
        not_after=now + timedelta(minutes=1),
        nonce=signed.new_nonce(),
    )
    return Spending(code, uuid4().hex, {}, now)


def write_slowly(tx: Any, tools: Tools, card_id: UUID) -> int:
    """Write a stamp in a transaction that goes on; tells its number."""
    giver = Giver(None, None, None)
    said = stamping.book_stamps(
        tx, tools, spending(tools, card_id), card_id=card_id, stamps=1, giver=giver
    )
    entry_id = UUID(said["stamp_id"])
    number = tx.scalar(
        select(LedgerEntry.entry_no).where(LedgerEntry.entry_id == entry_id)
    )
    return int(number)


@on_postgresql
def test_an_entry_in_flight_is_no_false_alarm(tools, card, give, make_card):
    other = make_card()
    with ThreadPoolExecutor(1) as pool:
        with tools.database.begin() as tx:
            # given a number that was taken, and a later one that can be seen
            taken = write_slowly(tx, tools, card.card_id)
            give(other, 1)
            with tools.database.read() as outside:
                seen = outside.scalars(select(LedgerEntry.entry_no)).all()
            assert taken not in seen
            assert max(seen) == taken + 1

            # then who does not wait is told nothing, and who waits waits
            assert last_settled(tools.database, patience=SHORT) is None
            waiting = pool.submit(head_of, tools)
            time.sleep(0.3)
            assert not waiting.done()
        head = waiting.result()

    # and when it came to light, it was in the anchor already
    assert (head.last, head.count) == (taken + 1, 7)
    assert codes_of(look(tools, head)) == []


@on_postgresql
def test_without_waiting_it_would_be_a_false_alarm(
    tools, card, give, make_card, monkeypatch
):
    """So the test above tests what it says."""

    def hasty(database: Any) -> int:
        with database.read() as tx:
            return max(tx.scalars(select(LedgerEntry.entry_no)).all())

    monkeypatch.setattr(proofs, "last_settled", hasty)
    other = make_card()
    with tools.database.begin() as tx:
        write_slowly(tx, tools, card.card_id)
        give(other, 1)
        head = head_of(tools)

    assert codes_of(look(tools, head)) == ["ledger_anchor"]


@on_postgresql
def test_a_transaction_that_is_given_up_is_no_false_alarm(tools, card, give, make_card):
    other = make_card()
    with tools.database.begin() as tx:
        write_slowly(tx, tools, card.card_id)
        give(other, 1)
        tx.rollback()

    head = head_of(tools)

    give(other, 1)
    proved = look(tools, head)
    assert codes_of(proved) == []
    assert [note.code for note in proved.notes] == ["gap"]


@on_postgresql
def test_while_somebody_writes_on_there_is_no_head(tools, card, monkeypatch):
    monkeypatch.setattr(
        proofs, "last_settled", lambda database: last_settled(database, patience=SHORT)
    )
    head = head_of(tools)
    with tools.database.begin() as tx:
        write_slowly(tx, tools, card.card_id)

        proved = look(tools, head)

    assert (proved.head, proved.findings) == (None, ())
    assert [note.code for note in proved.notes] == ["ledger_busy"]


@on_postgresql
def test_heads_that_are_taken_under_load_hold(
    tools, make_card, give, counts: Callable[..., None]
):
    """Eight who write at once; whatever was a head stays one."""
    made = [make_card() for _ in range(8)]

    def customer(card: cards.CardState) -> None:
        for _ in range(8):
            give(card, 1)

    heads = []
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(customer, card) for card in made]
        while not all(job.done() for job in jobs):
            heads.append(head_of(tools))
        for job in jobs:
            job.result()

    proved = look(tools, *heads)

    assert proved.findings == ()
    counts(heads=len(set(heads)), entries=proved.entries, findings=0)


def test_removals_are_counted(counts: Callable[..., None]):
    """Each is found by a test above, with an anchor and by nothing else."""
    counts(ways=4)


@dataclasses.dataclass
class Keys:
    """A ring that the test changes under the house."""

    ring: KeyRing
    problem: str | None = None

    def ring_knowing(self, _key_id: int) -> KeyRing:
        return self.ring

    def refresh(self) -> bool:
        return False


@dataclasses.dataclass
class LateKeys(Keys):
    """Keys of somebody who has not looked since another key signs."""

    newest: KeyRing | None = None

    def refresh(self) -> bool:
        self.ring = self.newest or self.ring
        return True


def test_a_key_that_is_new_since_the_check_began_is_known(tools, card, give):
    old = tools.keys.ring
    new = old.with_new_key(tools.now())
    new = new.activated(new.keys[-1].key_id, tools.now())
    signing = dataclasses.replace(tools, keys=Keys(new))
    with signing.database.begin() as tx:
        write_slowly(tx, signing, card.card_id)
    late = dataclasses.replace(tools, keys=LateKeys(old, newest=new))

    assert codes_of(look(late)) == []
    assert set(codes_of(look(dataclasses.replace(tools, keys=Keys(old))))) == {
        "proof_forged",
        "receipt_forged",
    }


@dataclasses.dataclass
class House:
    """A shop with a few cards, where much happens."""

    tools: Tools
    till: StaffCaller
    made: list[cards.CardState]
    given: list[UUID] = dataclasses.field(default_factory=list)

    def rotate(self) -> None:
        keys, now = self.tools.keys, self.tools.now()
        ring = keys.ring.with_new_key(now)
        keys.ring = ring.activated(ring.keys[-1].key_id, now)

    def give(self, step: int) -> None:
        card_id, stamps = self.made[step % len(self.made)].card_id, 1 + step % 3
        if step % 2:
            code = stamping.card_code(self.tools, card_id).code
            request_id = uuid4().hex
            said = stamping.stamp(
                self.tools, code, stamps=stamps, request_id=request_id, staff=self.till
            )
        else:
            code = stamping.stamp_code(self.tools, self.till, stamps).code
            said = stamping.collect(self.tools, code, card_id=card_id)
        self.given.append(UUID(said.answer["stamp_id"]))

    def use(self, step: int) -> None:
        card = cards.card(self.tools, self.made[step % len(self.made)].card_id)
        for voucher in card.vouchers:
            if voucher.state == "issued":
                shown = rewards.voucher_code(
                    self.tools, voucher.voucher_id, card.member_id
                )
                request_id = uuid4().hex
                rewards.redeem(
                    self.tools, shown.code, request_id=request_id, staff=self.till
                )

    def undo(self) -> None:
        with contextlib.suppress(VoucherSpent):
            stamping.reverse_stamp(
                self.tools, self.given.pop(), staff=self.till, reason="Wrong"
            )


@pytest.mark.slow
@pytest.mark.long
def test_thousands_of_honest_entries_through_ten_rotations_are_clean(
    tools, barista, make_card, clock, counts: Callable[..., None]
):
    # given a shop whose keys are rotated while it is busy
    mine = dataclasses.replace(tools, keys=Keys(tools.keys.ring))
    house = House(mine, barista, [make_card() for _ in range(20)])
    heads = []
    for step in range(1, 1801):
        clock.forward(timedelta(seconds=20))
        house.give(step)
        if step % 40 == 7:
            house.use(step)
        if step % 25 == 11:
            house.undo()
        if step % 180 == 90:
            house.rotate()
            heads.append(head_of(mine))

    # when an old key is called back that signed last long ago
    before = mine.keys.ring.retired(1, clock())
    stolen = before.keys[4]
    mine.keys.ring = before.revoked(stolen.key_id, clock())
    proved = look(mine, *heads)

    # then all of it is clean, and the head of each time is still there
    assert proved.findings == ()
    with mine.database.read() as tx:
        receipts = tx.scalars(select(LedgerEntry.receipt)).all()
    signers = {int.from_bytes(receipt[:2], "big") for receipt in receipts}
    assert len(signers) == 11
    assert len(receipts) == proved.entries > 2000
    # but not what that key signed after it was called back, had that been earlier
    since = stolen.activated_at + timedelta(minutes=10)
    mine.keys.ring = before.revoked(stolen.key_id, since)
    late = look(mine, *heads)
    assert set(codes_of(late)) == {"receipt_revoked", "proof_revoked"}
    counts(
        entries=proved.entries,
        signatures=proved.signatures,
        keys=len(signers),
        heads=len(heads),
        findings=0,
    )
