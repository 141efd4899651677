"""An event is called off: every place is given back, and its holder is told.

The event is marked first; from then on nobody takes a place, and no code opens the
door. Then each place is given back in a transaction of its own, with the mail that
tells of it, once: its entry is reversed, and an entry is reversed once. Who dies on the
way leaves the rest to the worker's round (``sweep``).
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.programme import audit, cards, stock, welcome
from app.programme.errors import NotFound, RewardUnavailable, VoucherSpent
from app.programme.rewards import choosing
from app.programme.rewards.plans import Kind
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.words import REASON_LENGTH, clean_name
from app.store import outbox
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Member, Reward, Voucher
from app.tools import Tools

KIND: Final = "event_off"
#: Places of one look; the next takes the others.
_AT_ONCE: Final = 200


def call_off(tools: Tools, reward_id: UUID, reason: str, *, by: ConsoleCaller) -> None:
    """Call an event off; the first reason stands.

    Args:
        tools: books, keys and clock.
        reward_id: which.
        reason: in the words of ``by``; everybody who had a place reads it.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: the ``reason`` as ``clean_name`` has it.
        NotFound: no such event.
        RewardUnavailable: ``too_late``: it has begun.
        TryAgain, StoreDown: the places that are left come back by the next look.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    reason = clean_name(reason, wrong, "reason", REASON_LENGTH)
    refuse(wrong)
    now = tools.now()
    with tools.database.begin() as tx:
        row = tx.get(Reward, reward_id, with_for_update=True)
        if row is None or row.kind != Kind.EVENT or row.starts_at is None:
            raise NotFound
        if row.called_off_at is None:
            if row.starts_at <= now:
                raise RewardUnavailable("too_late")
            row.called_off_at, row.called_off_why = now, reason
            row.is_open = False
            audit.record(
                tx,
                tools,
                "reward.called_off",
                reward_id,
                by=by.staff_id,
                reason=reason,
                places=row.sold,
            )
    while sweep(tools, reward_id):
        pass


def sweep(tools: Tools, reward_id: UUID | None = None) -> int:
    """Give back places at events that were called off; returns how many.

    Raises:
        TryAgain, StoreDown: the next look begins anew.
    """
    places = (
        select(Voucher.voucher_id)
        .join(Reward, Reward.reward_id == Voucher.reward_id)
        .where(Reward.called_off_at.is_not(None), stock.untouched())
        .limit(_AT_ONCE)
    )
    if reward_id is not None:
        places = places.where(Reward.reward_id == reward_id)
    with tools.database.read() as tx:
        due = tx.scalars(places).all()
    return sum(_give_back(tools, voucher_id) for voucher_id in due)


def _give_back(tools: Tools, voucher_id: UUID) -> bool:
    """Give one place back and tell its holder: of two at once, one does."""
    try:
        with tools.database.begin() as tx:
            stock.hold(tx, voucher_id)
            voucher = tx.get_one(Voucher, voucher_id)
            event = tx.get_one(Reward, voucher.reward_id)
            paid = tx.scalars(
                select(LedgerEntry).where(
                    LedgerEntry.voucher_id == voucher_id,
                    LedgerEntry.rule == cards.RULE_CHOSEN,
                )
            ).one()
            choosing.give_back(tx, tools, paid, reason=event.called_off_why)
            _tell(tx, tools, voucher.card_id, event)
    except (IntegrityError, VoucherSpent):
        return False
    return True


def _tell(tx: Tx, tools: Tools, card_id: UUID, event: Reward) -> None:
    member = tx.scalars(
        select(Member)
        .join(Card, Card.member_id == Member.member_id)
        .where(Card.card_id == card_id)
    ).one()
    if member.email is None or event.starts_at is None:
        return
    outbox.put(
        tx,
        KIND,
        member.email,
        {
            "name": welcome.greeting_name(member.name),
            "event": event.name,
            "starts_at": event.starts_at.isoformat(),
            "reason": event.called_off_why,
            "is_paid": event.price > 0,
            "card_id": str(card_id),
        },
        now=tools.now(),
        member_id=member.member_id,
        locale=member.locale,
    )
