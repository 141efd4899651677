"""Stamps by hand: the customer's phone is dead, and somebody at the till knows them.

Off until a manager allows it (``app.programme.shop``). No code proves such a stamp; its
entry is an ADJUST with a rule of its own and a receipt like every other, so that the
proofs can tell it from a stamp with a code, and so can everybody who reads the feed.

What keeps it small:

* one person gives at most ``MOST_AN_HOUR`` stamps by hand in an hour. The books are
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

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.programme import (
    cards,
    codes,
    finding,
    ledger,
    limits,
    signals,
    standing,
    tiers,
)
from app.programme.codes import Spent
from app.programme.errors import (
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotEligible,
)
from app.programme.limits import Giving
from app.programme.sessions import StaffCaller
from app.programme.stamping import MOST_STAMPS
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
    tools: Tools, card_id: UUID, *, stamps: int, request_id: str, staff: StaffCaller
) -> Spent:
    """Give stamps to a card that nobody showed.

    Args:
        tools: books, keys and clock.
        card_id: as ``find`` told it.
        stamps: 1 to 5.
        request_id: made by the terminal, the same on each retry.
        staff: who gives.

    Returns:
        ``{stamp_id, stamps_given, card}``; the first answer again to the same request.

    Raises:
        Forbidden: no manager has allowed it.
        InvalidRequest: ``stamps`` is out of range, or the request was another's.
        LimitReached: ``by_hand``: this person has given too many in the last hour; or
            one of ``limits``.
        NotEligible: ``own_card``: it is their own.
        NotFound, CardClosed: the card takes no stamps.
        TryAgain: nothing can be signed now.
        StoreDown: nothing was written.
    """
    if not 1 <= stamps <= MOST_STAMPS:
        raise InvalidRequest({"stamps": "out_of_range"})
    request = staff.request(request_id)
    first = codes.answer_to(tools, request, named="stamp_id")
    if first is not None:
        return first
    try:
        with tools.database.begin() as tx:
            must_be_allowed(tx)
            answer = _book(tx, tools, card_id, stamps, request, staff)
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
    given, oldest = tx.execute(
        select(func.coalesce(func.sum(LedgerEntry.units), 0), func.min(LedgerEntry.at))
        # What was undone counts too: the limit is on how often a hand is trusted.
        .where(
            LedgerEntry.rule == cards.RULE_BY_HAND,
            LedgerEntry.staff_id == staff.staff_id,
            LedgerEntry.at > since,
        )
    ).one()
    if given > MOST_AN_HOUR:
        raise LimitReached("by_hand", oldest - since)


def _book(
    tx: Tx,
    tools: Tools,
    card_id: UUID,
    stamps: int,
    request: str,
    staff: StaffCaller,
) -> Mapping[str, Any]:
    now = tools.now()
    rules = standing.must_take_stamps(tx, card_id, staff.staff_id)
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind="ADJUST",
        units=stamps,
        rule=cards.RULE_BY_HAND,
        at=now,
        request_id=request,
        terminal_id=staff.terminal_id,
        staff_id=staff.staff_id,
        location_id=staff.location_id,
    )

    giving = Giving(
        stamps, now, card_id, staff.staff_id, staff.terminal_id, staff.location_id
    )

    # In this order everywhere: the card is held first, then the person.
    limits.hold(tx, rules, giving)
    # Held until we commit: two tills at once are counted one after the other. Not its
    # key: entries that name this person shall not wait for it.
    tx.get(Person, staff.staff_id, with_for_update={"key_share": True})

    def answer() -> Mapping[str, Any]:
        limits.must_fit(tx, rules, giving)
        _must_be_few(tx, now, staff)
        cards.credit(tx, tools, entry)
        tiers.after_earning(tx, tools, card_id, entry.at)
        stamp_id = str(entry.entry_id)
        tx.add(
            Signal(
                kind=signals.BY_HAND,
                at=now,
                card_id=card_id,
                staff_id=staff.staff_id,
                terminal_id=staff.terminal_id,
                evidence={"stamp": stamp_id, "stamps": stamps},
            )
        )
        return {
            "stamp_id": stamp_id,
            "stamps_given": stamps,
            "card": cards.answer_of(cards.state_of(tx, card_id, now)),
        }

    return ledger.write_first(tx, tools, entry, answer=answer)
