"""Whether a till is the very browser that holds the card which it stamps.

A browser sends the cookies of card and till alike. Whoever works with both in one, and
stamps that card, is looked at by a person; it changes no answer.
"""

from __future__ import annotations

from uuid import UUID

from app.programme import cards, signals
from app.programme.codes import Spent
from app.programme.sessions import StaffCaller
from app.web.shared import access


def has_scanned(spent: Spent, staff: StaffCaller) -> None:
    """Look at a stamp that this browser gave as a till."""
    holder = access.member_or_none()
    if holder is None or spent.is_repeat:
        return
    card_id = UUID(spent.answer["card"]["card_id"])
    _, owner_id = cards.tag(access.tools(), card_id)
    if owner_id == holder.member_id:
        _tell(spent, staff, "scanned")


def has_collected(spent: Spent) -> None:
    """Look at stamps that this browser collected on a card."""
    staff = access.staff_or_none()
    if staff is not None and not spent.is_repeat:
        _tell(spent, staff, "collected")


def _tell(spent: Spent, staff: StaffCaller, way: str) -> None:
    signals.own_phone(
        access.tools(),
        entry_id=UUID(spent.answer["stamp_id"]),
        card_id=UUID(spent.answer["card"]["card_id"]),
        staff_id=staff.staff_id,
        way=way,
    )
