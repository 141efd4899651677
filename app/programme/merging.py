"""Two cards of one person become one: units with their ends, vouchers, phones.

Everything of one member goes to another. For each open card whose programme the other
has a card of too: each lot leaves the one by an entry and comes to the other by another
that names it, with the end that it had; what is owed is owed there too; vouchers that
can be used hang on the other card from then on. No unit appears or vanishes. The card
is closed, and ``card_merge`` says which one goes on. A card of another programme just
changes hands. Groups and seen ages come along, phones open the other's cards, and the
member that is left empty is erased as any other (``privacy``).

It happens once: what goes is erased, and ``pk_erasure`` is written first. It cannot be
undone.

Who may. A customer gives their card away from their own phone, to whoever made the link
that it opened: a shown code is not enough, since somebody may photograph it. A manager
puts cards together in the console, with a reason. One member takes few in a day, so
that bonuses of many cards are not collected on one unseen.

What is undone later of the old card's entries is undone there, and what that leaves, or
lacks, follows to the card that goes on (``cards.debit``). What it had earned counts for
the tier there.

Where the promise ends. A card with a paid membership does not go: the other one goes to
it. What was left over of the old card's purchases, less than a unit
of each rule, is not carried over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app.programme import audit, cards, plans, privacy, stock, tiers
from app.programme import vouchers as all_vouchers
from app.programme.cards import moving
from app.programme.errors import (
    CardClosed,
    ErasedBefore,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.words import REASON_LENGTH, clean_name
from app.store.database import Tx
from app.store.limits import LimitHit
from app.store.tables import (
    AccessToken,
    AgeSeen,
    Card,
    CardMerge,
    GroupMember,
    Member,
    Voucher,
)
from app.tools import Tools
from signing import links
from signing.errors import LinkExpired, LinkForged

_PURPOSE: Final = "merge"
#: How long the other phone may take to open the link.
LINK_AGE: Final = timedelta(minutes=15)
_PER_MEMBER: Final = "3/day"


@dataclass(frozen=True, slots=True)
class Going:
    """What would go from one member to another."""

    into_name: str | None
    #: The number of the newest card that it goes to.
    into_number: str
    loss: privacy.Loss


def link(tools: Tools, member_id: UUID) -> str:
    """Make the address that another phone opens to give its cards to this member."""
    facts = {"into": member_id.hex}
    sealed = links.seal(facts, tools.keys.ring, purpose=_PURPOSE, now=tools.now())
    return f"{tools.settings.origin}/merge/{sealed}"


def looked(tools: Tools, text: str, *, giver_id: UUID) -> Going:
    """Tell what would go where; changes nothing.

    Args:
        tools: keys and books.
        text: the last part of the link; not trusted.
        giver_id: whose cards would go.

    Raises:
        NotFound: the link is not ours, or too old, or somebody is not there any more.
        InvalidRequest: ``link`` is ``taken``: it is the giver's own.
    """
    into_id = _opened(tools, text)
    if into_id == giver_id:
        raise InvalidRequest({"link": "taken"})
    into = privacy.loss(tools, into_id)
    if not into.cards:
        raise NotFound
    return Going(into.name, into.cards[-1].number, privacy.loss(tools, giver_id))


def give(tools: Tools, text: str, *, giver_id: UUID) -> None:
    """Give all cards of the caller to whoever made the link.

    Raises:
        NotFound, InvalidRequest: as ``looked``.
        InvalidRequest: ``number`` is ``has_membership``: what goes was paid for.
        CardClosed: a card is paused, or none of the other's is open.
        LimitReached: ``merge``: the other took several today.
        ErasedBefore: it is done already.
        TryAgain, StoreDown: nothing was written.
    """
    into_id = _opened(tools, text)
    if into_id == giver_id:
        raise InvalidRequest({"link": "taken"})
    try:
        tools.limits.hit("merge", into_id.hex, limit=_PER_MEMBER)
    except LimitHit as error:
        raise LimitReached("merge", error.retry_after) from error
    _together(tools, giver_id, into_id)


def put_together(
    tools: Tools, card_id: UUID, number: str, *, reason: str, by: ConsoleCaller
) -> None:
    """Put everything of the member with a card number to the member of another card.

    Args:
        tools: books, keys and clock.
        card_id: a card of the member who goes on.
        number: eight digits of a card of the one who goes; spaces do not matter.
        reason: why; it stays in the audit log.
        by: who does it.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such card.
        InvalidRequest: ``number`` is ``not_a_card`` or ``taken`` (the same person's),
            or ``reason`` does not serve.
        CardClosed, ErasedBefore, TryAgain, StoreDown: as ``give``.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    reason = clean_name(reason, wrong, "reason", REASON_LENGTH)
    with tools.database.read() as tx:
        digits = "".join(filter(str.isdecimal, number))
        into_id = tx.scalar(select(Card.member_id).where(Card.card_id == card_id))
        giver_id = tx.scalar(select(Card.member_id).where(Card.number == digits))
    if into_id is None:
        raise NotFound
    if giver_id is None:
        wrong["number"] = "not_a_card"
    elif giver_id == into_id:
        wrong["number"] = "same_person"
    refuse(wrong)
    assert giver_id is not None  # noqa: S101 -- refused above
    _together(tools, giver_id, into_id, by=by, reason=reason)


def _opened(tools: Tools, text: str) -> UUID:
    try:
        facts = links.open_(
            text,
            tools.keys.ring,
            purpose=_PURPOSE,
            max_age=LINK_AGE,
            now=tools.now(),
        )
        return UUID(facts["into"])
    except (LinkForged, LinkExpired, KeyError, ValueError) as error:
        raise NotFound from error


def _together(
    tools: Tools,
    giver_id: UUID,
    into_id: UUID,
    *,
    by: ConsoleCaller | None = None,
    reason: str = "",
) -> None:
    who = by.staff_id if by else None
    try:
        with tools.database.begin() as tx:
            privacy.write_first(tx, tools, giver_id, who)
            into = _held(tx, giver_id, into_id)
            closed = _move_cards(tx, tools, giver_id, into_id, who)
            _move_person(tx, giver_id, into)
            closed += privacy.forget(tx, tools, giver_id)
            for card_id in closed:
                audit.record(tx, tools, cards.CLOSED, card_id, by=who)
            audit.record(
                tx,
                tools,
                "member.merged",
                giver_id,
                by=who,
                into=str(into_id),
                reason=reason or None,
            )
    except IntegrityError as error:
        raise ErasedBefore from error


def _held(tx: Tx, giver_id: UUID, into_id: UUID) -> Member:
    """Hold both members, in one order for everybody, and see that both are known."""
    for member_id in sorted((giver_id, into_id)):
        tx.get(
            Member,
            member_id,
            with_for_update={"key_share": True},
            populate_existing=True,
        )
    giver, into = tx.get(Member, giver_id), privacy.must_be_known(tx, into_id)
    if giver is None:
        raise NotFound
    # Else a barista's own card would hide behind a friend's.
    if giver.staff_id is not None and into.staff_id not in (None, giver.staff_id):
        raise InvalidRequest({"number": "taken"})
    into.staff_id = into.staff_id or giver.staff_id
    return into


def _move_cards(
    tx: Tx, tools: Tools, giver_id: UUID, into_id: UUID, who: UUID | None
) -> list[UUID]:
    """Move each open card of a member to another; return those that were closed."""
    rows = tx.scalars(
        select(Card)
        .where(Card.member_id.in_((giver_id, into_id)))
        # The order in which everybody holds several.
        .order_by(Card.card_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    theirs = {row.programme_id: row for row in rows if row.member_id == into_id}
    if not any(row.closed_at is None for row in theirs.values()):
        raise CardClosed
    closed = []
    for row in rows:
        if row.member_id == into_id or row.closed_at is not None:
            continue
        other = theirs.get(row.programme_id)
        if other is None:
            row.member_id = into_id
            tx.flush()
            continue
        if other.closed_at is not None:
            raise CardClosed
        if row.paused_at is not None or other.paused_at is not None:
            raise CardClosed(is_paused=True)
        if plans.is_paid_on(tx, row.card_id, tools.now()):
            raise InvalidRequest({"number": "has_membership"})
        merge_cards(tx, tools, row.card_id, other.card_id, who)
        closed.append(row.card_id)
    return closed


def merge_cards(
    tx: Tx, tools: Tools, old_id: UUID, new_id: UUID, who: UUID | None
) -> None:
    """Empty one card into another and close it; both are held by the caller.

    Args:
        tx: the caller's.
        tools: keys and clock.
        old_id: the card that goes; the caller records its end in the audit log.
        new_id: the card that goes on, of the same programme.
        who: who does it on the customer's behalf; None: the customer.

    Raises:
        IntegrityError: it was put to another card before.
        TryAgain: nothing can be signed now.
    """
    at = tools.now()
    tx.execute(
        insert(CardMerge).values(
            card_id=old_id, into_card_id=new_id, at=at, staff_id=who
        )
    )
    moved = moving.units_of(tx, tools, old_id, new_id, at)
    for voucher in _usable(tx, old_id, at):
        out = moving.leaves(old_id, 0, at)
        out.voucher_id = voucher.voucher_id
        moved.append(moving.pair(out, new_id, ends=voucher.expires_at))
        if voucher.reward_id is not None:
            voucher.nth = stock.free_place(tx, new_id, voucher.reward_id)
        voucher.card_id = new_id
    for _ in moved:
        cards.touch(tx, old_id)
    moving.write(tx, tools, moved, new_id)
    tx.execute(
        update(Card)
        .where(Card.card_id == old_id)
        .values(units_end_at=None)
        .execution_options(synchronize_session=False)
    )
    cards.close(tx, tools, old_id)
    tiers.after_earning(tx, tools, new_id, at)


def _usable(tx: Tx, card_id: UUID, at: datetime) -> list[Voucher]:
    rows = tx.scalars(
        select(Voucher)
        .where(Voucher.card_id == card_id, Voucher.state == "issued")
        .order_by(Voucher.issued_at, Voucher.voucher_id)
    )
    return [row for row in rows if all_vouchers.state_at(row, at) == "issued"]


def _move_person(tx: Tx, giver_id: UUID, into: Member) -> None:
    """Let phones, groups and seen ages follow; who they are is the other's to say."""
    tx.execute(
        update(AccessToken)
        .where(AccessToken.member_id == giver_id)
        .values(member_id=into.member_id)
        .execution_options(synchronize_session=False)
    )
    for table, key in ((GroupMember, "group_id"), (AgeSeen, "least_age")):
        column = getattr(table, key)
        has = select(column).where(table.member_id == into.member_id)
        tx.execute(
            update(table)
            .where(table.member_id == giver_id, column.not_in(has))
            .values(member_id=into.member_id)
            .execution_options(synchronize_session=False)
        )
    tx.flush()
