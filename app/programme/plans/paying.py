"""A membership is marked as paid: by staff at a till, or by a manager. Once.

The money is taken outside; what is written is that it was, how, when, and by whom.
Nobody marks their own card. The same request gets the first answer again. Each period
names the one before it and only one can (``Membership``), so of two who mark one paid
at the same moment the other is told that it is paid already, as is whoever comes long
before its end: a fee that was taken twice can be given back at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.programme import audit, cards, expiry, money, standing
from app.programme.errors import InvalidRequest, NotFound
from app.programme.plans.offering import view
from app.programme.plans.periods import RENEW_DAYS
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.tiers.ladder import months_later
from app.programme.words import REASON_LENGTH, clean_name
from app.store.database import Tx
from app.store.tables import Card, Membership, Plan
from app.tools import Tools

#: How the money was taken, stable words.
PAID_HOW: Final = ("cash", "card", "other")
_SECOND: Final = timedelta(seconds=1)
_REQUEST: Final = range(8, 65)


def mark_paid(
    tools: Tools,
    card_id: UUID,
    plan_id: UUID | None,
    *,
    paid_how: str,
    request_id: str,
    by: StaffCaller | ConsoleCaller,
    price: int | None = None,
) -> Mapping[str, Any]:
    """Note that a card's next period of a plan was paid.

    Args:
        tools: the books.
        card_id: whose.
        plan_id: of its programme, on offer.
        paid_how: of ``PAID_HOW``.
        request_id: made with the form, the same on each retry.
        by: who took the money, or saw it.
        price: what was taken, in minor units; None: nobody was told a price.

    Returns:
        ``{membership_id, plan, from_at, until_at}``; the same to the same request.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``plan_id`` is ``missing`` or ``paid_already``, or does not cost
            ``price`` now (``price_changed``); ``paid_how`` is ``missing``; the
            ``request_id`` makes no sense or was another's.
        NotEligible: ``own_card``: it is their own.
        NotFound, CardClosed: the card takes nothing.
    """
    if isinstance(by, ConsoleCaller):
        must_lead(by)
    wrong = {}
    if paid_how not in PAID_HOW:
        wrong["paid_how"] = "missing"
    if len(request_id) not in _REQUEST or not request_id.isalnum():
        wrong["request_id"] = "missing"
    refuse(wrong)
    request = f"{by.staff_id.hex}:{request_id}"
    first = _answer_to(tools, request, card_id)
    if first is not None:
        return first
    try:
        with tools.database.begin() as tx:
            wanted = _Wanted(card_id, plan_id, paid_how, request, price)
            return _mark(tx, tools, wanted, by)
    except (IntegrityError, InvalidRequest) as error:
        # The same request was quicker on another way: it may be what was in the way.
        first = _answer_to(tools, request, card_id)
        if first is not None:
            return first
        if isinstance(error, InvalidRequest):
            raise
        raise InvalidRequest({"plan_id": "paid_already"}) from error


def refund(
    tools: Tools, membership_id: UUID, reason: str, *, by: ConsoleCaller
) -> None:
    """End a period at once, since its fee was paid back; cashback it gave stays.

    Args:
        tools: the books.
        membership_id: the last of its card that has not ended.
        reason: in the words of ``by``; it is kept.
        by: who paid it back.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: the ``reason`` as ``clean_name`` has it; or ``renewed``: a later
            period has to be paid back first; or ``ended``: it has ended already.
        NotEligible: ``own_card``: it is their own.
        NotFound: no such membership.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    reason = clean_name(reason, wrong, "reason", REASON_LENGTH)
    refuse(wrong)
    now = tools.now()
    with tools.database.begin() as tx:
        row = tx.get(Membership, membership_id)
        if row is None:
            raise NotFound
        tx.get(Card, row.card_id, with_for_update=True)
        standing.must_not_be_own(tx, row.card_id, by.staff_id)
        tx.refresh(row)
        later = tx.scalar(
            select(Membership.membership_id).where(
                Membership.follows_id == membership_id, Membership.ended_at.is_(None)
            )
        )
        if later is not None:
            refuse({"reason": "renewed"})
        if row.ended_at is not None or row.until_at < now:
            refuse({"reason": "ended"})
        row.ended_at, row.ended_by, row.reason = now, by.staff_id, reason
        row.told_at = now
        cards.touch(tx, row.card_id)
        audit.record(
            tx,
            tools,
            "membership.refunded",
            row.card_id,
            by=by.staff_id,
            membership=str(membership_id),
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What somebody says was paid."""

    card_id: UUID
    plan_id: UUID | None
    paid_how: str
    #: As the books keep it.
    request: str
    price: int | None


def _mark(
    tx: Tx, tools: Tools, wanted: _Wanted, by: StaffCaller | ConsoleCaller
) -> Mapping[str, Any]:
    card_id, plan_id = wanted.card_id, wanted.plan_id
    now = tools.now()
    cards.touch(tx, card_id)
    standing.must_take_stamps(tx, card_id, by.staff_id)
    plan = tx.get(Plan, plan_id) if plan_id else None
    programme_id = tx.scalar(select(Card.programme_id).where(Card.card_id == card_id))
    if plan is None or plan.programme_id != programme_id or not plan.is_offered:
        raise InvalidRequest({"plan_id": "missing"})
    if wanted.price not in {None, plan.price}:
        raise InvalidRequest({"plan_id": "price_changed"})
    last = _last(tx, card_id)
    row = Membership(
        membership_id=uuid4(),
        card_id=card_id,
        plan_id=plan.plan_id,
        name=plan.name,
        price=plan.price,
        period_months=plan.period_months,
        cashback=plan.cashback,
        cap=plan.cap,
        currency=money.currency_of(tx),
        follows_id=last.membership_id if last else None,
        paid_how=wanted.paid_how,
        paid_at=now,
        paid_by=by.staff_id,
        terminal_id=by.terminal_id if isinstance(by, StaffCaller) else None,
        request_id=wanted.request,
    )
    _place(tx, row, last, now)
    tx.add(row)
    tx.flush()
    audit.record(
        tx,
        tools,
        "membership.paid",
        card_id,
        by=by.staff_id,
        membership=str(row.membership_id),
        plan=str(plan.plan_id),
        terms=_told_terms(view(plan).terms),
        paid_how=wanted.paid_how,
        from_at=row.from_at.isoformat(),
        until_at=row.until_at.isoformat(),
    )
    return _answer(row)


def _place(tx: Tx, row: Membership, last: Membership | None, now: datetime) -> None:
    """Say from when to when a period is good, and in which year its cap counts."""
    zone = expiry.zone_of(tx)
    is_on = last is not None and last.ended_at is None and last.until_at >= now
    row.from_at = now
    if last is not None and is_on:
        early = timedelta(days=RENEW_DAYS[last.period_months])
        if last.until_at - now > early:
            raise InvalidRequest({"plan_id": "paid_already"})
        row.from_at = last.until_at + _SECOND
    first = row.from_at.astimezone(zone).date()
    end = months_later(first, row.period_months) - timedelta(days=1)
    row.until_at = expiry.last_moment(end, zone)
    row.year_from_at = row.from_at
    if last is not None and is_on and row.period_months == last.period_months == 1:
        year = last.year_from_at.astimezone(zone).date()
        if first < months_later(year, 12):
            row.year_from_at = last.year_from_at


def _last(tx: Tx, card_id: UUID) -> Membership | None:
    """Find the period that no other follows."""
    followed = select(Membership.follows_id).where(
        Membership.card_id == card_id, Membership.follows_id.is_not(None)
    )
    return tx.scalar(
        select(Membership).where(
            Membership.card_id == card_id,
            Membership.membership_id.not_in(followed),
        )
    )


def _answer_to(tools: Tools, request: str, card_id: UUID) -> Mapping[str, Any] | None:
    """Give the first answer to a request; None: it was not answered yet.

    Raises:
        InvalidRequest: it was for another card.
    """
    with tools.database.read() as tx:
        row = tx.scalar(select(Membership).where(Membership.request_id == request))
        if row is not None and row.card_id != card_id:
            raise InvalidRequest({"request_id": "used_before"})
        return None if row is None else _answer(row)


def _answer(row: Membership) -> Mapping[str, Any]:
    return {
        "membership_id": str(row.membership_id),
        "plan": row.name,
        "from_at": row.from_at.isoformat(),
        "until_at": row.until_at.isoformat(),
    }


def _told_terms(terms: Any) -> dict[str, Any]:
    return {
        "price": terms.price,
        "period_months": terms.period_months,
        "cashback": terms.cashback,
        "cap": terms.cap,
    }
