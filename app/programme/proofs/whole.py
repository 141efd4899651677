"""Of the whole ledger: what is there twice or missing, strays, and the terminals."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.programme import cards
from app.programme.proofs.codes import check_proof
from app.programme.proofs.found import Found
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Terminal
from signing.codes import Kind


def hold(tx: Tx) -> None:
    """Let the transaction see the books as they are now: the first question does."""
    tx.scalar(select(func.max(LedgerEntry.entry_no)))


def check(tx: Tx, found: Found, *, is_dense: bool) -> None:
    """Check what no card shows for itself.

    Args:
        tx: reads the same state as all other checks.
        found: takes the findings.
        is_dense: whether the books skip no number.
    """
    _check_twice(tx, LedgerEntry.nonce, "nonce_twice", found)
    _check_twice(tx, LedgerEntry.request_id, "request_twice", found)
    _check_twice(tx, LedgerEntry.reverses_id, "reversed_twice", found)
    known = select(Card.card_id)
    stray = select(LedgerEntry.entry_id).where(LedgerEntry.card_id.not_in(known))
    for entry_id in tx.scalars(stray):
        found.entries += 1
        found.add("card_missing", entry_id, "Its card is not there.")
    _check_moves(tx, found)
    _check_numbers(tx, found, is_dense=is_dense)
    _check_terminals(tx, found)


def _check_twice(
    tx: Tx, column: InstrumentedAttribute[Any], code: str, found: Found
) -> None:
    """Look for a value that is there twice, as if no unique index held it."""
    many = select(column).where(column.is_not(None)).group_by(column)
    for value in tx.scalars(many.having(func.count() > 1)).all():
        ids = select(LedgerEntry.entry_id).where(column == value)
        for entry_id in tx.scalars(ids.order_by(LedgerEntry.entry_no)):
            sentence = f"Another entry has the same {column.key}."
            found.add(code, entry_id, sentence)


def _check_moves(tx: Tx, found: Found) -> None:
    """Look for what left one card and did not come to another, or came from none."""
    out, into = aliased(LedgerEntry), aliased(LedgerEntry)
    fits = and_(
        into.caused_by_id == out.entry_id,
        into.rule == cards.RULE_MOVED_IN,
        into.card_id != out.card_id,
        into.units == -out.units,
        into.unit.is_not_distinct_from(out.unit),
        into.voucher_id.is_not_distinct_from(out.voucher_id),
    )
    comings = (
        select(out.entry_id, func.count(into.entry_id).label("comings"))
        .outerjoin(into, fits)
        .where(out.rule == cards.RULE_MOVED_OUT)
        .group_by(out.entry_id)
        .subquery()
    )
    astray = select(comings.c.entry_id).where(comings.c.comings != 1)
    for entry_id in tx.scalars(astray):
        sentence = "It did not come to another card as it left this one."
        found.add("move", entry_id, sentence)
    unsent = (
        select(into.entry_id)
        .outerjoin(out, and_(fits, out.rule == cards.RULE_MOVED_OUT))
        .where(into.rule == cards.RULE_MOVED_IN, out.entry_id.is_(None))
    )
    for entry_id in tx.scalars(unsent):
        found.add("move", entry_id, "It left no other card.")


def _check_numbers(tx: Tx, found: Found, *, is_dense: bool) -> None:
    """Look for numbers that are missing.

    SQLite takes the number after the highest, so a missing one was removed. A
    sequence of PostgreSQL skips those of transactions that were rolled back.
    """
    number = LedgerEntry.entry_no
    before = func.coalesce(func.lag(number).over(order_by=number), 0).label("before")
    pairs = select(before, number.label("number")).subquery()
    gaps = select(pairs).where(pairs.c.number - pairs.c.before > 1)
    for first, last in tx.execute(gaps.order_by(pairs.c.number)):
        sentence = f"Numbers {first + 1} to {last - 1} are missing from the ledger."
        (found.add if is_dense else found.note)("gap", last, sentence)


def _check_terminals(tx: Tx, found: Found) -> None:
    for row in tx.scalars(select(Terminal)):
        kinds = frozenset({Kind.ENROLMENT})
        check_proof(row.terminal_id, row, row.enrolled_at, kinds, found)
