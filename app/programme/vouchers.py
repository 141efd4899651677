"""Vouchers as people see them: which a card has, until when, and which are over.

Reads only. ``cards`` issues them, ``rewards`` redeems them, ``expiry`` tells when and
why one has expired although its row says that it was issued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select

from app.programme import expiry
from app.programme.errors import VoucherExpired, VoucherSpent
from app.store.database import Tx
from app.store.tables import Voucher


@dataclass(frozen=True, slots=True)
class VoucherView:
    """A reward that the member holds or held."""

    voucher_id: UUID
    reward: str
    #: ``issued``, ``redeemed``, ``expired`` or ``voided``.
    state: str
    issued_at: datetime
    redeemed_at: datetime | None
    #: The last second in which it is good; None: it has no end.
    expires_at: datetime | None
    #: Midnights in the shop until the day of its end, while it can be used.
    days_left: int | None
    #: As ``rewards.Kind`` has it.
    kind: str = "item"
    #: Of a discount: percent, or minor units of ``currency``.
    worth: int | None = None
    #: Of money: what is not used yet.
    rest: int | None = None
    currency: str | None = None
    #: The reward that was chosen; None: what a full card gave.
    reward_id: UUID | None = None
    #: Whether there is something in it that only its holder reads.
    has_content: bool = False

    @property
    def is_soon(self) -> bool:
        """Tell whether its end is near enough to warn of."""
        return self.days_left is not None and self.days_left <= expiry.SOON_DAYS


def of_card(tx: Tx, card_id: UUID, at: datetime) -> tuple[VoucherView, ...]:
    """Read a card's vouchers as they are at a moment, newest first."""
    rows = tx.scalars(
        select(Voucher)
        .where(Voucher.card_id == card_id)
        .order_by(Voucher.issued_at.desc())
    ).all()
    has_ends = any(row.expires_at for row in rows)
    zone = expiry.zone_of(tx) if has_ends else None
    views = []
    for row in rows:
        state, left = state_at(row, at), None
        if zone is not None and row.expires_at is not None and state == "issued":
            left = expiry.days_left(row.expires_at, at, zone)
        views.append(
            VoucherView(
                voucher_id=row.voucher_id,
                reward=row.reward,
                state=state,
                issued_at=row.issued_at,
                redeemed_at=row.redeemed_at,
                expires_at=row.expires_at,
                days_left=left,
                kind=row.kind,
                worth=row.worth,
                rest=row.rest,
                currency=row.currency,
                reward_id=row.reward_id,
                has_content=row.content is not None,
            )
        )
    return tuple(views)


def state_at(row: Voucher, at: datetime) -> str:
    """Tell a voucher's state at a moment."""
    is_expired = row.state == "issued" and expiry.is_over(row.expires_at, at)
    return "expired" if is_expired else row.state


def unused_with_end() -> ColumnElement[bool]:
    """Ask for vouchers whose end matters: none has used them or taken them back."""
    return and_(Voucher.state == "issued", Voucher.expires_at.is_not(None))


def expired(tx: Tx, card_id: UUID, at: datetime) -> list[Voucher]:
    """Read the rows of a card's vouchers that ended unused, the last to end first."""
    return list(
        tx.scalars(
            select(Voucher)
            .where(
                Voucher.card_id == card_id,
                unused_with_end(),
                Voucher.expires_at < at,
            )
            .order_by(Voucher.expires_at.desc())
        )
    )


def must_be_usable(state: str, expires_at: datetime | None, at: datetime) -> None:
    """Refuse a voucher that can't be used.

    Raises:
        VoucherSpent: it was used or taken back.
        VoucherExpired: its end has passed.
    """
    if state != "issued":
        raise VoucherSpent
    if expires_at is not None and expiry.is_over(expires_at, at):
        raise VoucherExpired(expires_at)


def told(voucher: VoucherView) -> Mapping[str, Any]:
    """Write a voucher as plain data, as it stands in answers."""
    ends = voucher.expires_at
    return {
        "voucher_id": str(voucher.voucher_id),
        "reward": voucher.reward,
        "state": voucher.state,
        "expires_at": ends.isoformat() if ends else None,
        "kind": voucher.kind,
        "worth": voucher.worth,
        "rest": voucher.rest,
        "currency": voucher.currency,
    }
