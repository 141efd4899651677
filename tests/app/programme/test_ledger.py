"""What is written is signed, reads back as it was signed, or is not written at all."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

import app.programme
from app.programme import ledger, rewards, stamping
from app.programme.errors import TryAgain
from app.programme.sessions import StaffCaller
from app.store.tables import Card, LedgerEntry, Voucher
from app.tools import Tools
from signing import receipts
from signing.errors import SignerDown
from signing.keyring import KeyRing
from tests.conftest import both_books

PROGRAMME = Path(app.programme.__file__).parent


class Away:
    """A token that gives no answer."""

    def sign(self, _data: bytes) -> bytes:
        raise SignerDown("no answer")


@dataclasses.dataclass
class Keys:
    """Keys that a test puts in charge."""

    ring: KeyRing
    problem: str | None = None

    def ring_knowing(self, _key_id: int) -> KeyRing:
        return self.ring


def without_answer(ring: KeyRing) -> KeyRing:
    keys = tuple(
        dataclasses.replace(key, signer=Away()) if key is ring.active else key
        for key in ring.keys
    )
    return dataclasses.replace(ring, keys=keys)


def without_active(ring: KeyRing) -> KeyRing:
    """The same ring while nobody signs: the key's private part is not here."""
    keys = tuple(dataclasses.replace(key, signer=None) for key in ring.keys)
    return dataclasses.replace(ring, keys=keys)


UNABLE = pytest.mark.parametrize("unable", [without_answer, without_active])


def rows(tools: Tools) -> tuple[int, int, str]:
    with tools.database.read() as tx:
        entries = tx.scalar(select(func.count()).select_from(LedgerEntry))
        vouchers = tx.scalars(select(Voucher.state).order_by(Voucher.state)).all()
        versions = tx.scalar(select(func.sum(Card.version)))
    return entries or 0, versions or 0, " ".join(vouchers)


def unable_tools(tools: Tools, unable: Callable[[KeyRing], KeyRing]) -> Tools:
    return dataclasses.replace(tools, keys=Keys(unable(tools.keys.ring)))


@UNABLE
@both_books
def test_without_a_signature_no_stamp_is_given_and_no_code_is_spent(
    tools, barista, give, make_card, unable
):
    """Of both ways, and with an exchange, which is signed too."""
    away = unable_tools(tools, unable)
    card = give(make_card(), 9)
    shown = stamping.card_code(tools, card.card_id).code
    at_till = stamping.stamp_code(tools, barista, 2).code
    before = rows(tools)

    with pytest.raises(TryAgain):
        stamping.stamp(away, shown, stamps=1, request_id="r", staff=barista)
    with pytest.raises(TryAgain):
        stamping.collect(away, at_till, card_id=card.card_id)

    assert rows(tools) == before
    # and whoever comes next, by another request too, is served
    stamping.stamp(tools, shown, stamps=1, request_id="s", staff=barista)
    stamping.collect(tools, at_till, card_id=make_card().card_id)
    assert rows(tools)[0] == before[0] + 3


@UNABLE
def test_without_a_signature_no_voucher_is_used_and_nothing_is_undone(
    tools, barista, give, make_card, unable
):
    away = unable_tools(tools, unable)
    card = give(make_card(), 10)
    shown = rewards.voucher_code(tools, card.vouchers[0].voucher_id, card.member_id)
    given = stamping.stamp(
        tools,
        stamping.card_code(tools, card.card_id).code,
        stamps=1,
        request_id="one",
        staff=barista,
    ).answer
    before = rows(tools)

    with pytest.raises(TryAgain):
        rewards.redeem(away, shown.code, request_id="use", staff=barista)
    with pytest.raises(TryAgain):
        stamping.reverse_stamp(
            away, UUID(given["stamp_id"]), staff=barista, reason="slip"
        )

    assert rows(tools) == before
    used = rewards.redeem(tools, shown.code, request_id="use", staff=barista).answer
    before = rows(tools)
    with pytest.raises(TryAgain):
        rewards.reverse_redemption(
            away, UUID(used["redemption_id"]), staff=barista, reason="slip"
        )
    assert rows(tools) == before


def plain(most: int) -> st.SearchStrategy[str]:
    """What PostgreSQL takes as text."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=most)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain(20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(plain(8), inner, max_size=3)
    ),
    max_leaves=8,
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
FACTS = st.fixed_dictionaries(
    {
        "units": st.integers(-(2**31), 2**31 - 1),
        "rule": plain(40),
        "at": st.datetimes(
            *(datetime(year, 1, 2) for year in (1970, 9998)),  # noqa: DTZ001
            timezones=ZONES,
        ),
        "request_id": st.none() | plain(60).map(lambda name: name + uuid4().hex),
        "reason": st.none() | plain(200),
        "coded": st.booleans(),
        "by": st.booleans(),
    }
)


@both_books
def test_what_is_read_is_what_was_signed(tools: Tools, barista: StaffCaller, make_card):
    """Any moment in any zone, any words, any answer, on both books."""
    card_id = make_card().card_id
    ring, origin = tools.keys.ring, tools.settings.origin

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(facts=FACTS, answer=st.none() | st.dictionaries(plain(8), JSON, max_size=4))
    def write_and_read(facts: dict[str, Any], answer: dict[str, Any] | None) -> None:
        is_coded, is_by = facts.pop("coded"), facts.pop("by")
        if is_coded:
            facts |= {"nonce": uuid4().bytes[:9], "proof": uuid4().bytes * 5}
        if is_by:
            facts |= {
                "staff_id": barista.staff_id,
                "terminal_id": barista.terminal_id,
                "location_id": barista.location_id,
            }
        entry = LedgerEntry(entry_id=uuid4(), card_id=card_id, kind="ADJUST", **facts)
        with tools.database.begin() as tx:
            if answer is None:
                ledger.write(tx, tools, entry)
            else:
                said = ledger.write_first(tx, tools, entry, answer=lambda: answer)
                assert said == answer
            signed = ledger.told(entry)

        with tools.database.read() as tx:
            read = tx.scalars(
                select(LedgerEntry).where(LedgerEntry.entry_id == entry.entry_id)
            ).one()

        assert ledger.told(read) == signed
        receipts.verify(read.receipt, ledger.told(read), ring, origin=origin)

    write_and_read()


def test_an_answer_is_kept_as_it_will_be_read(tools: Tools, make_card):
    """Keys of JSON are texts; a tuple becomes a list."""
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=make_card().card_id,
        kind="ADJUST",
        units=0,
        rule="",
        at=datetime.now(UTC),
    )
    with tools.database.begin() as tx:
        said = ledger.write_first(tx, tools, entry, answer=lambda: {10: (1,), 9: 2})
        assert said == {"10": [1], "9": 2}
        told = ledger.told(entry)
    with tools.database.read() as tx:
        assert ledger.told(tx.scalars(select(LedgerEntry)).one()) == told


def test_every_column_has_its_own_name_in_what_is_signed():
    moment, one = (
        datetime(2026, 3, 1, 13, 0, 0, 7, timezone(timedelta(hours=1))),
        UUID(int=1),
    )
    entry = LedgerEntry(
        entry_id=one, card_id=one, kind="EARN", units=1, rule="é", at=moment, nonce=b"n"
    )

    assert ledger.told(entry) == (
        b'{"at":"2026-03-01T12:00:00.000007+00:00",'
        b'"card_id":"00000000000000000000000000000001",'
        b'"entry_id":"00000000000000000000000000000001","kind":"EARN","nonce":"6e",'
        b'"rule":"\\u00e9","units":1}'
    )
    columns = {column.key for column in LedgerEntry.__table__.columns}
    assert columns - set(ledger.SIGNED) == {"entry_no", "receipt"}


def test_entries_are_written_in_one_place():
    """Elsewhere they are made and handed over."""
    made, added = set(), set()
    for path in PROGRAMME.rglob("*.py"):
        place = path.relative_to(PROGRAMME).with_suffix("").as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called == "LedgerEntry":
                    made.add(place)
                if called in {"ledger.write", "ledger.write_first"}:
                    added.add(place)
                if called == "tx.add" and path.stem != "ledger":
                    added_there = ast.unparse(node.args[0]).partition("(")[0]
                    assert "entry" not in added_there.lower(), path

    assert made | added == {
        "by_hand",
        "cards/changes",
        "earning/booking",
        "earning/gifts",
        "earning/taking_back",
        "cards/moving",
        "plans/cashback",
        "purchases/giving_back",
        "reversals",
        "rewards/choosing",
        "rewards/using",
        "stamping",
    }
