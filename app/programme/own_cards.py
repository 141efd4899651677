"""Whose cards the people who work here hold themselves.

A staff member's own card gets its stamps from colleagues: ``standing.must_take_stamps``
refuses the rest. That holds for cards that are known to be theirs, so people say it:
at the till, with the code that their own phone shows, or a manager does, by number.
Saying so costs nothing: the code is looked at and stays as good as it was. Taking it
back is for managers alone.

It is the member that is known, with all their cards. What nobody said is not known;
``app.programme.signals`` looks for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.programme import audit, codes, short_codes
from app.programme.errors import (
    CodeUnknown,
    CodeWrongKind,
    Forbidden,
    InvalidRequest,
    NotFound,
)
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.shop.permission import may_change_person, must_lead
from app.store.database import Tx
from app.store.tables import Card, Member
from app.tools import Tools
from signing.codes import Kind

_NUMBER: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class OwnCard:
    """A card of somebody who works here."""

    card_id: UUID
    number: str
    member_name: str | None


def of_person(tools: Tools, staff_id: UUID) -> list[OwnCard]:
    """Read which cards are known to be a person's own, the oldest first."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(Card.card_id, Card.number, Member.name)
            .join(Member, Member.member_id == Card.member_id)
            .where(Member.staff_id == staff_id)
            .order_by(Card.opened_at)
        )
        return [OwnCard(*row) for row in rows]


def say_so(tools: Tools, text: str, *, staff: StaffCaller) -> OwnCard:
    """Note that the card whose code is shown is the own one of who is at the till.

    Args:
        tools: keys and stores.
        text: the code, its link, or the seven characters; not trusted. It is not spent.
        staff: who says so.

    Raises:
        InvalidRequest: ``code`` is ``taken``: it is a colleague's own card.
        CodeUnknown: it is not shown any more.
        CodeWrongKind: it is no card's code.
        Refused: what ``codes.peek`` refuses.
        StoreDown: a store gave no answer.
    """
    seen = codes.peek(tools, short_codes.code_of(tools, text))
    if seen.code.kind is not Kind.CARD:
        raise CodeWrongKind
    if "card" not in seen.record or seen.state == "expired":
        raise CodeUnknown
    card_id = UUID(seen.record["card"])
    with tools.database.begin() as tx:
        return _note(tx, tools, card_id, staff.staff_id, "code", by=staff.staff_id)


def say_by_number(
    tools: Tools, staff_id: UUID, number: str, *, by: ConsoleCaller
) -> OwnCard:
    """Note that a card is a person's own.

    Args:
        tools: the books.
        staff_id: the person.
        number: eight digits; spaces do not matter.
        by: who says so.

    Raises:
        Forbidden: ``by`` may not change this person.
        InvalidRequest: ``number`` is ``not_a_card`` or ``taken``.
        NotFound: no such person.
    """
    must_lead(by)
    digits = re.sub(r"[\s·.-]|N°", "", number)
    with tools.database.begin() as tx:
        may_change_person(tx, staff_id, by)
        card_id = None
        if _NUMBER.fullmatch(digits):
            card_id = tx.scalar(select(Card.card_id).where(Card.number == digits))
        if card_id is None:
            raise InvalidRequest({"number": "not_a_card"})
        return _note(tx, tools, card_id, staff_id, "number", by=by.staff_id)


def take_back(
    tools: Tools, staff_id: UUID, card_id: UUID, *, by: ConsoleCaller
) -> None:
    """Note that a card is not a person's own after all.

    Raises:
        Forbidden: ``by`` may not change this person, or is this person.
        NotFound: no such person, or not their card.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        may_change_person(tx, staff_id, by)
        # Else a manager stamps their own card as soon as they have said it is not.
        if by.staff_id == staff_id and by.role != "owner":
            raise Forbidden
        member = _member_of(tx, card_id)
        if member.staff_id != staff_id:
            raise NotFound
        member.staff_id = None
        audit.record(
            tx,
            tools,
            "own_card.taken_back",
            staff_id,
            by=by.staff_id,
            card=str(card_id),
        )


def _note(
    tx: Tx, tools: Tools, card_id: UUID, staff_id: UUID, field: str, *, by: UUID
) -> OwnCard:
    member = _member_of(tx, card_id)
    if member.staff_id not in (None, staff_id):
        raise InvalidRequest({field: "taken"})
    number = tx.scalars(select(Card.number).where(Card.card_id == card_id)).one()
    if member.staff_id is None:
        member.staff_id = staff_id
        audit.record(tx, tools, "own_card.noted", staff_id, by=by, card=str(card_id))
    return OwnCard(card_id, number, member.name)


def _member_of(tx: Tx, card_id: UUID) -> Member:
    found = tx.scalar(
        select(Member)
        .join(Card, Card.member_id == Member.member_id)
        .where(Card.card_id == card_id)
        .with_for_update(of=Member, key_share=True)
    )
    if found is None:
        raise NotFound
    return found
