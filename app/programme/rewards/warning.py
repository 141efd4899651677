"""The warning that a voucher ends: one mail, some days before, to who wants reminders.

Once for a voucher: its row is marked by a conditional update in the transaction that
writes the mail. Who has no address, or did not ask for reminders, is marked too; the
card's page tells them in any case.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from app.programme import consents, expiry
from app.programme.welcome import greeting_name
from app.store import outbox
from app.store.database import Tx
from app.store.tables import Card, Member, Voucher
from app.tools import Tools

KIND: Final = "voucher_ends"
#: Nobody is warned of what they have had for a shorter time.
_HELD_FOR: Final = timedelta(days=2)
#: Vouchers of one look; the next takes the others.
_AT_ONCE: Final = 200


def warn(tools: Tools) -> int:
    """Write the mails that are due; returns how many.

    Raises:
        StoreDown: the books gave no answer; the next look begins anew.
    """
    now = tools.now()
    with tools.database.read() as tx:
        due = tx.scalars(
            select(Voucher.voucher_id)
            .where(
                Voucher.state == "issued",
                Voucher.warned_at.is_(None),
                Voucher.expires_at >= now,
                Voucher.expires_at <= now + timedelta(days=expiry.SOON_DAYS),
                Voucher.issued_at <= now - _HELD_FOR,
            )
            .order_by(Voucher.expires_at)
            .limit(_AT_ONCE)
        ).all()
    written = 0
    for voucher_id in due:
        with tools.database.begin() as tx:
            written += _warn(tx, tools, voucher_id)
    return written


def _warn(tx: Tx, tools: Tools, voucher_id: UUID) -> bool:
    """Mark a voucher and write its mail: of two workers at once, one does."""
    voucher = tx.execute(
        update(Voucher)
        .where(
            Voucher.voucher_id == voucher_id,
            Voucher.state == "issued",
            Voucher.warned_at.is_(None),
        )
        .values(warned_at=tools.now())
        .returning(Voucher.card_id, Voucher.reward, Voucher.expires_at)
        .execution_options(synchronize_session=False)
    ).first()
    if voucher is None:
        return False
    member = tx.scalars(
        select(Member)
        .join(Card, Card.member_id == Member.member_id)
        .where(Card.card_id == voucher.card_id)
    ).one()
    if member.email is None or not consents.may_send(tx, member.member_id, "reminders"):
        return False
    facts = {
        "name": greeting_name(member.name),
        "reward": voucher.reward,
        "ends_at": voucher.expires_at.isoformat(),
        "card_id": str(voucher.card_id),
    }
    outbox.put(
        tx,
        KIND,
        member.email,
        facts,
        now=tools.now(),
        member_id=member.member_id,
        locale=member.locale,
    )
    return True
