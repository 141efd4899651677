"""The language that a customer or a member of staff reads, kept on their account."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from app.programme.errors import NotFound
from app.store.tables import Member, StaffMember
from app.tools import Tools

#: As wide as the column.
_LENGTH: Final = 12


def of_member(tools: Tools, member_id: UUID) -> str | None:
    """Tell a customer's language as a tag; None when it is not known."""
    with tools.database.read() as tx:
        row = tx.get(Member, member_id)
        return row.locale if row else None


def of_staff(tools: Tools, staff_id: UUID) -> str | None:
    """Tell the language of a member of staff as a tag; None when none was chosen."""
    with tools.database.read() as tx:
        row = tx.get(StaffMember, staff_id)
        return row.locale if row else None


def keep_for_member(tools: Tools, member_id: UUID, tag: str) -> None:
    """Note the language that a customer chose, for pages and for mail.

    Args:
        tools: the books.
        member_id: the customer.
        tag: BCP 47, ``zh-Hant``; checked by the caller.

    Raises:
        NotFound: no such customer.
    """
    with tools.database.begin() as tx:
        row = tx.get(Member, member_id)
        if row is None:
            raise NotFound
        row.locale = tag[:_LENGTH]


def keep_for_staff(tools: Tools, staff_id: UUID, tag: str) -> None:
    """Note the language that a member of staff chose; arguments as for a customer.

    Raises:
        NotFound: no such person.
    """
    with tools.database.begin() as tx:
        row = tx.get(StaffMember, staff_id)
        if row is None:
            raise NotFound
        row.locale = tag[:_LENGTH]
