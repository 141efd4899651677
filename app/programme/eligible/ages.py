"""How old members are: by the birthday that they told, or since staff saw a document.

A document is looked at and not kept: what is written is "at least 18", by whom and
when. It stays true, for nobody gets younger.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from app.programme import audit, expiry
from app.programme.eligible.at_the_till import member_of_code
from app.programme.errors import InvalidRequest
from app.programme.sessions import StaffCaller
from app.store.database import Tx
from app.store.tables import AgeSeen, Eligibility, Member, Programme
from app.tools import Tools


def age_on(birthday: date, day: date) -> int:
    """Count somebody's years on a day; who was born on 29 February turns on 1 March."""
    return (
        day.year
        - birthday.year
        - ((day.month, day.day) < (birthday.month, birthday.day))
    )


def is_at_least(tx: Tx, member_id: UUID | None, years: int, at: datetime) -> bool:
    """Tell whether a member is known to be so old."""
    member = tx.get(Member, member_id) if member_id else None
    if member is None:
        return False
    today = at.astimezone(expiry.zone_of(tx)).date()
    if member.birthday is not None and age_on(member.birthday, today) >= years:
        return True
    seen = select(AgeSeen.least_age).where(
        AgeSeen.member_id == member_id, AgeSeen.least_age >= years
    )
    return tx.scalar(seen.limit(1)) is not None


def ages_asked(tools: Tools) -> list[int]:
    """Tell which ages the open programmes ask for, the youngest first."""
    with tools.database.read() as tx:
        return list(
            tx.scalars(
                select(Eligibility.least_age)
                .join(Programme, Programme.programme_id == Eligibility.programme_id)
                .where(Programme.is_open, Eligibility.least_age.is_not(None))
                .distinct()
                .order_by(Eligibility.least_age)
            )
        )


def note_age(
    tools: Tools, text: str, least_age: int, *, staff: StaffCaller
) -> str | None:
    """Note that staff saw by a document that a customer is at least so old.

    Args:
        tools: keys and stores.
        text: the code on the customer's phone, as typed or scanned; it is not spent.
        least_age: of ``ages_asked``.
        staff: who saw it.

    Returns:
        What the customer is called; None where they never said.

    Raises:
        InvalidRequest: ``what``: nobody asks for this age.
        NotEligible: ``own_card``: it is their own.
        Refused, StoreDown: as ``at_the_till.member_of_code``.
    """
    if least_age not in ages_asked(tools):
        raise InvalidRequest({"what": "missing"})
    card_id = member_of_code(tools, text)
    with tools.database.begin() as tx:
        member = card_id.held(tx, staff)
        if tx.get(AgeSeen, (member.member_id, least_age)) is None:
            tx.add(
                AgeSeen(
                    member_id=member.member_id,
                    least_age=least_age,
                    seen_at=tools.now(),
                    staff_id=staff.staff_id,
                )
            )
            tx.flush()
            audit.record(
                tx,
                tools,
                "age.seen",
                member.member_id,
                by=staff.staff_id,
                least_age=least_age,
            )
        return member.name
