"""Cards with all that hangs on them, read a hundred at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.programme import cards
from app.programme.proofs.found import SLACK
from app.store.database import Tx
from app.store.tables import (
    AuditEntry,
    Card,
    LedgerEntry,
    Programme,
    ProgrammeVersion,
    Voucher,
)

#: Cards in memory at a time.
_CARDS = 100
#: What the audit log calls a change of a card that is no entry of the ledger; its
#: subject is the card's programme, or the card.
_CHANGES = (
    "programme.changed",
    "exchanges.changed",
    "programme.announced",
    "programme.called_back",
    "card.paused",
    "card.resumed",
    cards.CLOSED,
    "tier.changed",
    "membership.paid",
    "membership.refunded",
    "membership.ended",
)
#: When, and whether it brought other terms.
_Change = tuple[datetime, bool]


@dataclass(slots=True)
class Holding:
    """One card with all that hangs on it."""

    card_id: UUID
    number: str
    programme_id: UUID
    version: int
    stamps_required: int
    #: How often it may have changed without an entry since it was opened: with its
    #: programme, when its member agreed to other terms, when it was paused,
    #: resumed and closed.
    changes: int
    #: In the order of their numbers.
    entries: list[LedgerEntry] = field(default_factory=list)
    vouchers: dict[UUID, Voucher] = field(default_factory=dict)
    #: How many stamps each version of its programme asked for, where it was listed.
    required_by: Mapping[int, int] = field(default_factory=dict)

    def promised(self, voucher_id: UUID | None) -> int | None:
        """Tell for how many stamps a voucher was promised; None: not known."""
        voucher = self.vouchers.get(voucher_id) if voucher_id else None
        version = voucher.promised_version if voucher else None
        return None if version is None else self.required_by.get(version)

    @property
    def last_answer(self) -> LedgerEntry | None:
        """The entry whose answer told of the card when it had changed last."""
        told_of = [one for one in self.entries if number(one, "card", "version")]
        return max(
            told_of, key=lambda one: number(one, "card", "version") or 0, default=None
        )


def holdings(tx: Tx) -> Iterator[Holding]:
    """Read every card, in no order that means anything."""
    changed: defaultdict[str, list[_Change]] = defaultdict(list)
    for subject, at, detail in tx.execute(
        select(AuditEntry.subject, AuditEntry.at, AuditEntry.detail).where(
            AuditEntry.action.in_(_CHANGES)
        )
    ):
        changed[subject].append((at, detail.get("replaced") is not None))
    listed: defaultdict[UUID, dict[int, int]] = defaultdict(dict)
    for version in tx.scalars(select(ProgrammeVersion)):
        listed[version.programme_id][version.number] = version.stamps_required
    last: UUID | None = None
    while True:
        page = (
            select(Card, Programme.stamps_required, Programme.terms_version)
            .join(Programme, Programme.programme_id == Card.programme_id)
            .order_by(Card.card_id)
            .limit(_CARDS)
        )
        rows = tx.execute(page if last is None else page.where(Card.card_id > last))
        held = {
            card.card_id: Holding(
                card.card_id,
                card.number,
                card.programme_id,
                card.version,
                required,
                _changes(card, terms_version, changed),
                required_by={terms_version: required, **listed[card.programme_id]},
            )
            for card, required, terms_version in rows.all()
        }
        if not held:
            return
        last = max(held)
        _fill(tx, held)
        yield from held.values()
        tx.expunge_all()


def _changes(
    card: Card, terms_version: int, changed: Mapping[str, list[_Change]]
) -> int:
    """Count how often a card may have changed without an entry."""
    since = card.opened_at - SLACK
    with_its_programme = [
        has_new_terms
        for at, has_new_terms in changed.get(str(card.programme_id), ())
        if at >= since
    ]
    # It was opened with the terms of then; each version after is agreed to once.
    opened_with = terms_version - sum(with_its_programme)
    agreed = max(0, card.terms_version - opened_with)
    paused = len(changed.get(str(card.card_id), ()))
    return len(with_its_programme) + agreed + paused


def _fill(tx: Tx, held: Mapping[UUID, Holding]) -> None:
    entries = select(LedgerEntry).where(LedgerEntry.card_id.in_(held))
    for entry in tx.scalars(entries.order_by(LedgerEntry.entry_no)):
        held[entry.card_id].entries.append(entry)
    for voucher in tx.scalars(select(Voucher).where(Voucher.card_id.in_(held))):
        held[voucher.card_id].vouchers[voucher.voucher_id] = voucher


def told(entry: LedgerEntry, *names: str) -> Any:
    """Read the stored answer, which may be anything; None where there is nothing."""
    value: Any = entry.answer
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def number(entry: LedgerEntry, *names: str) -> int | None:
    """Read a whole number of the stored answer."""
    value = told(entry, *names)
    return value if type(value) is int else None
