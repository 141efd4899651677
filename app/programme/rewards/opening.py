"""What only the holder of a voucher reads: a partner's code, a link, a text.

Reading is a deed: it is asked for by a POST and noted once (``opened_at``). From then
on the voucher can't go back, for nobody forgets a code. It can be read again as often
as its holder likes, until its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from app.programme import expiry, standing, vouchers
from app.programme.errors import NotFound
from app.store.tables import Card, PartnerCode, Voucher
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class Opened:
    """What a holder reads."""

    #: Of a partner, as it was imported; None for other rewards.
    code: str | None
    content: str | None


def open_voucher(tools: Tools, voucher_id: UUID, *, member_id: UUID) -> Opened:
    """Read what a voucher has for its holder, and note that it was read.

    Raises:
        NotFound: no such voucher of this member, or nothing to read in it.
        CardClosed: its card is paused.
        VoucherSpent: it was taken back.
        VoucherExpired: its end has passed.
    """
    now = tools.now()
    with tools.database.begin() as tx:
        held = select(Card.card_id).where(Card.member_id == member_id)
        opened = tx.execute(
            update(Voucher)
            .where(
                Voucher.voucher_id == voucher_id,
                Voucher.card_id.in_(held),
                Voucher.opened_at.is_(None),
                Voucher.state != "voided",
                expiry.not_over(Voucher.expires_at, now),
            )
            .values(opened_at=now)
            .returning(Voucher.card_id)
            .execution_options(synchronize_session=False)
        ).first()
        if opened is not None:
            standing.must_be_in_use(tx, opened.card_id)
    return opened_before(tools, voucher_id, member_id=member_id)


def opened_before(tools: Tools, voucher_id: UUID, *, member_id: UUID) -> Opened:
    """Read again what was read before.

    Raises:
        NotFound: no such voucher of this member, nothing in it, or never opened.
        VoucherSpent: it was taken back.
        VoucherExpired: its end has passed.
    """
    with tools.database.read() as tx:
        row = tx.execute(
            select(
                Voucher.state,
                Voucher.expires_at,
                Voucher.content,
                Voucher.opened_at,
                PartnerCode.code,
            )
            .join(Card, Card.card_id == Voucher.card_id)
            .outerjoin(PartnerCode, PartnerCode.voucher_id == Voucher.voucher_id)
            .where(Voucher.voucher_id == voucher_id, Card.member_id == member_id)
        ).first()
    if row is None or (row.content is None and row.code is None):
        raise NotFound
    # One that a till has taken may be read on, by who came in with it.
    state = "issued" if row.state == "redeemed" else row.state
    vouchers.must_be_usable(state, row.expires_at, tools.now())
    if row.opened_at is None:
        raise NotFound
    return Opened(row.code, row.content)
