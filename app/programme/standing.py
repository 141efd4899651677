"""Whether anything counts on a card now: open, not paused, not the giver's own."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam, select

from app.programme.errors import CardClosed, NotEligible, NotFound
from app.programme.limits import Limits
from app.store.database import Tx
from app.store.tables import (
    Card,
    Eligibility,
    GroupMember,
    Member,
    MemberGroup,
    Programme,
)

#: Asked at every stamp; the limits come last, in the order of ``Limits``.
_TAKES = (
    select(
        Card.closed_at,
        Card.paused_at,
        Programme.is_open,
        Member.staff_id,
        Programme.most_per_scan,
        Programme.most_per_card,
        Programme.most_per_staff_member,
        Programme.most_per_terminal,
        Programme.most_per_location,
    )
    .join(Programme, Programme.programme_id == Card.programme_id)
    .join(Member, Member.member_id == Card.member_id)
    .where(Card.card_id == bindparam("card_id"))
)


def must_take_stamps(tx: Tx, card_id: UUID, giver_id: UUID | None = None) -> Limits:
    """Refuse a card that takes no stamps.

    Args:
        tx: the caller's transaction.
        card_id: the card.
        giver_id: the staff member who gives; None: nobody in particular.

    Returns:
        The limits of its programme.

    Raises:
        NotFound: no such card.
        CardClosed: it or its programme is closed, or it is paused.
        NotEligible: ``own_card``: it is the giver's own; ``left_group``: it is for a
            group that its member was taken out of.
    """
    row = tx.execute(_TAKES, {"card_id": card_id}).first()
    if row is None:
        raise NotFound
    if row.closed_at is not None or not row.is_open:
        raise CardClosed
    if row.paused_at is not None:
        raise CardClosed(is_paused=True)
    if giver_id is not None and row.staff_id == giver_id:
        raise NotEligible("own_card", card_id=card_id, staff_id=giver_id)
    _must_not_have_left(tx, card_id)
    return Limits(*row[4:])


def must_be_in_use(tx: Tx, card_id: UUID) -> None:
    """Refuse a card whose vouchers count for nothing now: paused, or closed for good.

    That its programme takes no more stamps does not matter here.

    Raises:
        CardClosed: it is closed or paused.
    """
    row = tx.execute(
        select(Card.closed_at, Card.paused_at).where(Card.card_id == card_id)
    ).one()
    if row.closed_at is not None:
        raise CardClosed
    if row.paused_at is not None:
        raise CardClosed(is_paused=True)


def must_not_be_own(tx: Tx, card_id: UUID, giver_id: UUID) -> None:
    """Refuse a card that is the own one of who gives something to it.

    Raises:
        NotEligible: ``own_card``.
        NotFound: no such card.
    """
    owner = tx.execute(
        select(Member.staff_id)
        .join(Card, Card.member_id == Member.member_id)
        .where(Card.card_id == card_id)
    ).first()
    if owner is None:
        raise NotFound
    if owner.staff_id == giver_id:
        raise NotEligible("own_card", card_id=card_id, staff_id=giver_id)


def _must_not_have_left(tx: Tx, card_id: UUID) -> None:
    """Refuse a card for a group alone, once its member was taken out of it.

    Raises:
        NotEligible: ``left_group``.
    """
    name = tx.scalar(
        select(MemberGroup.name)
        .join(GroupMember, GroupMember.group_id == MemberGroup.group_id)
        .join(Eligibility, Eligibility.group_id == MemberGroup.group_id)
        .join(Card, Card.programme_id == Eligibility.programme_id)
        .where(
            Card.card_id == card_id,
            GroupMember.member_id == Card.member_id,
            GroupMember.left_at.is_not(None),
        )
    )
    if name is not None:
        raise NotEligible("left_group", group=name)
