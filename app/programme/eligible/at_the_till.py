"""Who stands at the till: by the code on their phone, which is looked at and not spent.

Nobody vouches for themselves: staff do nothing here for a card that is known as theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.programme import codes, short_codes
from app.programme.errors import CodeUnknown, CodeWrongKind, NotEligible, NotFound
from app.programme.sessions import StaffCaller
from app.store.database import Tx
from app.store.tables import Card, Member
from app.tools import Tools
from signing.codes import Kind


@dataclass(frozen=True, slots=True)
class Shown:
    """A card whose code is shown now."""

    card_id: UUID

    def held(self, tx: Tx, staff: StaffCaller) -> Member:
        """Find its member and hold them.

        Raises:
            NotEligible: ``own_card``: it is the staff member's own.
            NotFound: no such card.
        """
        found = tx.scalar(
            select(Member)
            .join(Card, Card.member_id == Member.member_id)
            .where(Card.card_id == self.card_id)
            .with_for_update(of=Member, key_share=True)
        )
        if found is None:
            raise NotFound
        if found.staff_id == staff.staff_id:
            raise NotEligible("own_card", card_id=self.card_id, staff_id=staff.staff_id)
        return found


def member_of_code(tools: Tools, text: str) -> Shown:
    """Read whose code is shown.

    Args:
        tools: keys and stores.
        text: the code, its link, or the seven characters; not trusted.

    Raises:
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
    return Shown(UUID(seen.record["card"]))
