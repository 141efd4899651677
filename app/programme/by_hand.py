"""Stamps by hand: the customer's phone is dead, and somebody at the till knows them.

Off until a manager allows it (``app.programme.shop``). No code proves such a stamp; its
entry is an ADJUST with a rule of its own and a receipt like every other, so that the
proofs can tell it from a stamp with a code, and so can everybody who reads the feed.
What was bought is told with it, and rules give what they give for any visit, but for
the bonus of joining, which wants a code.

What keeps it small:

* one person gives at most ``MOST_AN_HOUR`` stamps by hand in an hour; what a rule
  gave counts as one, however much it was. The books are
  asked, in the transaction that gives: unlike other limits this one never fails open.
* each giving raises a signal, in that same transaction: it cannot be lost.
* a search needs three letters or a whole number, tells few facts, and is limited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import and_, case, func, select
from sqlalchemy.exc import IntegrityError

from app.programme import (
    cards,
    codes,
    finding,
    ledger,
    limits,
    purchases,
    signals,
    standing,
)
from app.programme.codes import Spent
from app.programme.earning import booking
from app.programme.errors import (
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotEligible,
)
from app.programme.limits import Giving
from app.programme.purchases import Counter, Order
from app.programme.sessions import StaffCaller
from app.programme.stamping import MOST_STAMPS, NOTHING, visited
from app.store.database import Tx
from app.store.limits import LimitHit
from app.store.tables import Card, LedgerEntry, Member, Programme, Shop, Signal
from app.store.tables import StaffMember as Person
from app.tools import Tools

#: Stamps that one person may give by hand in an hour.
MOST_AN_HOUR: Final = 10
#: Cards that a search tells of at most.
MOST_FOUND: Final = 5
_HOUR: Final = timedelta(hours=1)
_SEARCHES: Final = "30/10minute"


@dataclass(frozen=True, slots=True)
class FoundCard:
    """A card as the till may know it before anything is given: whose, and no more."""

    card_id: UUID
    member_name: str | None
    #: The last four digits of its number.
    number_end: str


def find(tools: Tools, words: str, *, staff: StaffCaller) -> list[FoundCard]:
    """Look for cards by their number or their member's name.

    Args:
        tools: books and limits.
        words: eight digits, or at least three letters of a name (two where a name
            is written with ideographs); spaces do not matter in a number.
        staff: who looks.

    Returns:
        ``MOST_FOUND`` cards at most, by name.

    Raises:
        Forbidden: no manager has allowed it.
        InvalidRequest: ``words`` is ``too_short``, ``too_long`` or ``bad_characters``.
        LimitReached: ``search``: too many searches by this person.
        StoreDown: the books gave no answer.
    """
    asked = finding.condition(words)
    try:
        tools.limits.hit("search", staff.staff_id.hex, limit=_SEARCHES)
    except LimitHit as error:
        raise LimitReached("search", error.retry_after) from error
    with tools.database.read() as tx:
        must_be_allowed(tx)
        rows = tx.execute(
            select(Card.card_id, Member.name, Card.number)
            .join(Member, Member.member_id == Card.member_id)
            .join(Programme, Programme.programme_id == Card.programme_id)
            .where(asked, Card.closed_at.is_(None), Programme.is_open)
            .order_by(func.lower(Member.name), Card.number)
            .limit(MOST_FOUND)
        )
        return [FoundCard(card_id, name, number[-4:]) for card_id, name, number in rows]


def give(
    tools: Tools,
    card_id: UUID,
    *,
    stamps: int,
    request_id: str,
    staff: StaffCaller,
    order: Order = NOTHING,
) -> Spent:
    """Give stamps to a card that nobody showed.

    Args:
        tools: books, keys and clock.
        card_id: as ``find`` told it.
        stamps: 1 to 5.
        request_id: made by the terminal, the same on each retry.
        staff: who gives.
        order: what was bought; not trusted.

    Returns:
        As ``stamping.stamp``; the first answer again to the same request.

    Raises:
        Forbidden: no manager has allowed it.
        InvalidRequest: ``stamps`` is out of range, ``order`` makes no sense, or the
            request was another's.
        LimitReached: ``by_hand``: this person has given too many in the last hour; or
            one of ``limits``.
        NotEligible: ``own_card``: it is their own.
        NotFound, CardClosed: the card takes no stamps.
        TryAgain: nothing can be signed now.
        StoreDown: nothing was written.
    """
    if not 1 <= stamps <= MOST_STAMPS:
        raise InvalidRequest({"stamps": "out_of_range"})
    purchases.check(order)
    request = staff.request(request_id)
    first = codes.answer_to(tools, request, named="stamp_id")
    if first is not None:
        return first
    try:
        with tools.database.begin() as tx:
            must_be_allowed(tx)
            hand = _Hand(card_id, stamps, request, staff, order)
            answer = _book(tx, tools, hand)
            return Spent(answer, is_repeat=False)
    except (IntegrityError, LimitReached) as error:
        # The same request was quicker on another way: it may have been the last one
        # that the hour had room for.
        first = codes.answer_to(tools, request, named="stamp_id")
        if first is not None:
            return first
        if isinstance(error, LimitReached):
            signals.refused(tools, error, tools.now())
            raise
        raise InvalidRequest({"request_id": "used_before"}) from error
    except NotEligible as error:
        signals.refused(tools, error, tools.now())
        raise


def must_be_allowed(tx: Tx) -> None:
    """Let pass where a manager has allowed stamps by hand.

    Raises:
        Forbidden: nobody has.
    """
    if not tx.scalar(select(Shop.allows_by_hand)):
        raise Forbidden


def _must_be_few(tx: Tx, at: datetime, staff: StaffCaller) -> None:
    """Count what was given by hand, this among it; refuse what is too much."""
    since = at - _HOUR
    is_counted = and_(
        LedgerEntry.rule_version_id.is_(None),
        LedgerEntry.unit.is_(None),
        LedgerEntry.units > 0,
    )
    stamps = func.sum(case((is_counted, LedgerEntry.units), else_=1))
    given, oldest = tx.execute(
        select(func.coalesce(stamps, 0), func.min(LedgerEntry.at))
        # What was undone counts too: the limit is on how often a hand is trusted.
        .where(
            LedgerEntry.rule == cards.RULE_BY_HAND,
            LedgerEntry.staff_id == staff.staff_id,
            LedgerEntry.at > since,
        )
    ).one()
    if given > MOST_AN_HOUR:
        raise LimitReached("by_hand", oldest - since)


@dataclass(frozen=True, slots=True)
class _Hand:
    """Who gives what to which card."""

    card_id: UUID
    stamps: int
    #: As the ledger keeps it.
    request: str
    staff: StaffCaller
    order: Order


def _book(tx: Tx, tools: Tools, hand: _Hand) -> Mapping[str, Any]:
    now, staff, card_id = tools.now(), hand.staff, hand.card_id
    place = {
        "terminal_id": staff.terminal_id,
        "staff_id": staff.staff_id,
        "location_id": staff.location_id,
    }
    rules = standing.must_take_stamps(tx, card_id, staff.staff_id)
    giving = Giving(hand.stamps, now, card_id, **place)
    # In this order everywhere: the card is held first, then the person.
    limits.hold(tx, rules, giving)
    # Held until we commit: two tills at once are counted one after the other. Not its
    # key: entries that name this person shall not wait for it.
    tx.get(Person, staff.staff_id, with_for_update={"key_share": True})
    counter = Counter(card_id, hand.request, now, **place)
    sold = purchases.write(tx, hand.order, counter)
    occasion = booking.occasion_of(
        tx,
        now,
        stamps=hand.stamps,
        basket=purchases.basket_of(sold.sale) if sold else None,
        location_id=staff.location_id,
    )
    plan = booking.plan(tx, card_id, occasion)
    entry = LedgerEntry(
        **{
            **plan.first,
            "entry_id": uuid4(),
            "card_id": card_id,
            "kind": "ADJUST",
            "rule": cards.RULE_BY_HAND,
            "at": now,
            "request_id": hand.request,
            "purchase_id": sold.purchase_id if sold else None,
            **place,
        }
    )

    def answer() -> Mapping[str, Any]:
        limits.must_fit(tx, rules, giving)
        _must_be_few(tx, now, staff)
        told = visited(tx, tools, entry, plan, sold)
        tx.add(
            Signal(
                kind=signals.BY_HAND,
                at=now,
                card_id=card_id,
                staff_id=staff.staff_id,
                terminal_id=staff.terminal_id,
                evidence={"stamp": told["stamp_id"], "stamps": hand.stamps},
            )
        )
        return told

    return ledger.write_first(tx, tools, entry, answer=answer)
