"""What happened to a card, in the order in which its member reads it.

Reads only: the ledger's entries, and the ends of vouchers that nobody had used. No
entry is written when an end passes (``expiry`` tells why); its member is told all the
same.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.programme import money, purchases, units, vouchers
from app.programme.purchases import FiledPurchase
from app.programme.units import Unit
from app.store.tables import EarningRuleVersion, LedgerEntry, Location, Voucher
from app.tools import Tools

#: What a line of a card's history says that no entry does: a voucher's end passed.
RULE_VOUCHER_ENDED = "voucher_ended"


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One ledger entry in the member's words, or the end of a voucher."""

    #: None: nothing was written, a voucher's end passed; ``kind`` is ``EXPIRE``.
    entry_id: UUID | None
    at: datetime
    kind: str
    rule: str
    #: Of ``unit``.
    units: int
    unit: Unit
    place: str | None
    voucher_reward: str | None
    #: Of the voucher, if it has one.
    voucher_expires_at: datetime | None
    reversed: bool
    reason: str | None
    #: What the shop calls the rule that gave it, as it was then; "" for none.
    rule_name: str = ""
    #: The shop's, for cents.
    currency: str = money.DEFAULT_CURRENCY
    #: What was bought, if it came of that.
    bought: FiledPurchase | None = None


def of_card(tools: Tools, card_id: UUID, *, limit: int = 20) -> list[HistoryLine]:
    """Read what happened to a card, newest first, ends of vouchers among it."""
    undone = select(LedgerEntry.reverses_id).where(LedgerEntry.card_id == card_id)
    with tools.database.read() as tx:
        rows = tx.execute(
            select(
                LedgerEntry,
                Location.name,
                Voucher.reward,
                Voucher.expires_at,
                EarningRuleVersion.name,
            )
            .outerjoin(Location, Location.location_id == LedgerEntry.location_id)
            .outerjoin(Voucher, Voucher.voucher_id == LedgerEntry.voucher_id)
            .outerjoin(
                EarningRuleVersion,
                EarningRuleVersion.version_id == LedgerEntry.rule_version_id,
            )
            .where(LedgerEntry.card_id == card_id)
            .order_by(LedgerEntry.entry_no.desc())
            .limit(limit)
        ).all()
        reversed_ids = set(tx.scalars(undone.where(LedgerEntry.kind == "REVERSE")))
        bought = purchases.of_card(tx, card_id)
        expired = vouchers.expired(tx, card_id, tools.now())
        currency = money.currency_of(tx)
    written = [
        HistoryLine(
            entry_id=entry.entry_id,
            at=entry.at,
            kind=entry.kind,
            rule=entry.rule,
            units=entry.units,
            unit=units.of(entry.unit),
            place=place,
            voucher_reward=reward,
            voucher_expires_at=ends,
            reversed=entry.entry_id in reversed_ids,
            reason=entry.reason,
            rule_name=rule_name or "",
            currency=currency,
            bought=bought.get(entry.purchase_id) if entry.purchase_id else None,
        )
        for entry, place, reward, ends, rule_name in rows
    ]
    # Not sorted anew: the ledger's own order stays as it is.
    both = (written, [_end_of(row) for row in expired])
    return list(heapq.merge(*both, key=lambda line: line.at, reverse=True))[:limit]


def _end_of(voucher: Voucher) -> HistoryLine:
    """Tell the end of a voucher that nobody had used, as a line of the history."""
    ended_at = voucher.expires_at or voucher.issued_at
    return HistoryLine(
        entry_id=None,
        at=ended_at,
        kind="EXPIRE",
        rule=RULE_VOUCHER_ENDED,
        units=0,
        unit=Unit.STAMP,
        place=None,
        voucher_reward=voucher.reward,
        voucher_expires_at=ended_at,
        reversed=False,
        reason=None,
    )
