"""Groups of customers, and their ways in: the console, the till, an invitation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select

from app.programme import audit
from app.programme.eligible.at_the_till import member_of_code
from app.programme.errors import InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.shop.permission import must_lead, refuse, unique
from app.programme.words import clean_name
from app.store.database import Tx
from app.store.tables import (
    AgeSeen,
    Card,
    Eligibility,
    GroupMember,
    Invitation,
    Member,
    MemberGroup,
    Programme,
)
from app.tools import Tools

_NUMBER: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group, how many are in it, and what is for it alone."""

    group_id: UUID
    name: str
    staff_may_add: bool
    members: int
    #: Names of the programmes that are for this group.
    programmes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupMemberView:
    """Somebody in a group."""

    member_id: UUID
    name: str | None
    #: Of their oldest card, by which they are known.
    number: str
    since_at: datetime
    #: ``console``, ``till`` or ``invitation``.
    way: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the shop knows of a member for its groups and ages."""

    groups: tuple[str, ...]
    #: The oldest age that staff saw by a document; None: none.
    age_seen: int | None


def groups(tools: Tools) -> list[GroupView]:
    """Read every group, by name."""
    with tools.database.read() as tx:
        rows = tx.scalars(select(MemberGroup).order_by(MemberGroup.name))
        return [_view(tx, row) for row in rows]


def group(
    tools: Tools, group_id: UUID, *, most: int = 200
) -> tuple[GroupView, list[GroupMemberView]]:
    """Read a group with its members, the newest first.

    Raises:
        NotFound: no such group.
    """
    number = (
        select(func.min(Card.number))
        .where(Card.member_id == Member.member_id)
        .scalar_subquery()
    )
    with tools.database.read() as tx:
        row = tx.get(MemberGroup, group_id)
        if row is None:
            raise NotFound
        found = tx.execute(
            select(
                Member.member_id,
                Member.name,
                number,
                GroupMember.since_at,
                GroupMember.way,
            )
            .join(GroupMember, GroupMember.member_id == Member.member_id)
            .where(GroupMember.group_id == group_id, GroupMember.left_at.is_(None))
            .order_by(GroupMember.since_at.desc(), Member.member_id)
            .limit(most)
        )
        members = [GroupMemberView(*one) for one in found]
        return _view(tx, row), members


def add_group(
    tools: Tools, *, name: str, staff_may_add: bool, by: ConsoleCaller
) -> UUID:
    """Make a group.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``name`` makes no sense, or is ``taken``.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    refuse(wrong)
    with unique("name"), tools.database.begin() as tx:
        row = MemberGroup(
            name=name, staff_may_add=staff_may_add, created_at=tools.now()
        )
        tx.add(row)
        tx.flush()
        _record(tx, tools, "group.added", row, by)
        return row.group_id


def save_group(
    tools: Tools, group_id: UUID, *, name: str, staff_may_add: bool, by: ConsoleCaller
) -> None:
    """Rename a group, and say whether staff at a till may put customers in.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``name`` makes no sense, or is ``taken``.
        NotFound: no such group.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    refuse(wrong)
    with unique("name"), tools.database.begin() as tx:
        row = tx.get(MemberGroup, group_id, with_for_update=True)
        if row is None:
            raise NotFound
        row.name, row.staff_may_add = name, staff_may_add
        tx.flush()
        _record(tx, tools, "group.changed", row, by)


def put_in_by_number(
    tools: Tools, group_id: UUID, number: str, *, by: ConsoleCaller
) -> None:
    """Put a customer into a group, by the number of a card.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``number`` is ``not_a_card``.
        NotFound: no such group.
    """
    must_lead(by)
    digits = re.sub(r"[\s·.-]|N°", "", number)
    with tools.database.begin() as tx:
        if tx.get(MemberGroup, group_id) is None:
            raise NotFound
        member_id = None
        if _NUMBER.fullmatch(digits):
            member_id = tx.scalar(select(Card.member_id).where(Card.number == digits))
        if member_id is None:
            raise InvalidRequest({"number": "not_a_card"})
        put_in(tx, tools, group_id, member_id, way="console", staff_id=by.staff_id)


def put_in_at_till(
    tools: Tools, text: str, group_id: UUID, *, staff: StaffCaller
) -> str | None:
    """Put a customer into a group whose code somebody at a till has seen.

    Returns:
        What the customer is called; None where they never said.

    Raises:
        InvalidRequest: ``what``: no such group, or one that is not for staff to fill.
        NotEligible: ``own_card``: it is their own.
        Refused, StoreDown: as ``at_the_till.member_of_code``.
    """
    shown = member_of_code(tools, text)
    with tools.database.begin() as tx:
        row = tx.get(MemberGroup, group_id)
        if row is None or not row.staff_may_add:
            raise InvalidRequest({"what": "missing"})
        member = shown.held(tx, staff)
        put_in(
            tx, tools, group_id, member.member_id, way="till", staff_id=staff.staff_id
        )
        return member.name


def take_out(
    tools: Tools, group_id: UUID, member_id: UUID, *, by: ConsoleCaller
) -> None:
    """Take a customer out of a group.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: they are not in it.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = tx.get(GroupMember, (group_id, member_id), with_for_update=True)
        if row is None or row.left_at is not None:
            raise NotFound
        row.left_at = tools.now()
        audit.record(
            tx,
            tools,
            "group.left",
            group_id,
            by=by.staff_id,
            member=str(member_id),
        )


def known_of(tools: Tools, member_id: UUID) -> Known:
    """Read what is known of a member."""
    with tools.database.read() as tx:
        names = tx.scalars(
            select(MemberGroup.name)
            .join(GroupMember, GroupMember.group_id == MemberGroup.group_id)
            .where(GroupMember.member_id == member_id, GroupMember.left_at.is_(None))
            .order_by(MemberGroup.name)
        )
        age = select(func.max(AgeSeen.least_age)).where(AgeSeen.member_id == member_id)
        return Known(tuple(names), tx.scalar(age))


def put_in(
    tx: Tx,
    tools: Tools,
    group_id: UUID,
    member_id: UUID,
    *,
    way: str,
    staff_id: UUID | None = None,
    invitation_id: UUID | None = None,
) -> None:
    """Put a member into a group, where they are not in it.

    Args:
        tx: the caller's transaction.
        tools: the clock.
        group_id: which.
        member_id: whom.
        way: ``console``, ``till`` or ``invitation``.
        staff_id: who did it; None with an invitation.
        invitation_id: the one that was used.
    """
    row = tx.get(GroupMember, (group_id, member_id), with_for_update=True)
    if row is not None and row.left_at is None:
        return
    if row is None:
        row = GroupMember(group_id=group_id, member_id=member_id)
        tx.add(row)
    row.since_at, row.way, row.left_at = tools.now(), way, None
    row.staff_id, row.invitation_id = staff_id, invitation_id
    tx.flush()
    audit.record(
        tx,
        tools,
        "group.joined",
        group_id,
        by=staff_id,
        member=str(member_id),
        way=way,
    )


def has_way_in(tx: Tx, group_id: UUID, now: datetime) -> bool:
    """Tell whether anybody is in a group, or can come into it without a manager."""
    row = tx.get_one(MemberGroup, group_id)
    if row.staff_may_add:
        return True
    inside = select(GroupMember.member_id).where(
        GroupMember.group_id == group_id, GroupMember.left_at.is_(None)
    )
    good = select(Invitation.invitation_id).where(
        Invitation.group_id == group_id, *is_good(now)
    )
    return any(tx.scalar(one.limit(1)) is not None for one in (inside, good))


def is_good(now: datetime) -> tuple:  # type: ignore[type-arg]
    """Ask the books for invitations that still work."""
    return (
        Invitation.revoked_at.is_(None),
        Invitation.uses < Invitation.most_uses,
        or_(Invitation.expires_at.is_(None), Invitation.expires_at >= now),
    )


def _view(tx: Tx, row: MemberGroup) -> GroupView:
    count = (
        select(func.count())
        .select_from(GroupMember)
        .where(GroupMember.group_id == row.group_id, GroupMember.left_at.is_(None))
    )
    names = tx.scalars(
        select(Programme.name)
        .join(Eligibility, Eligibility.programme_id == Programme.programme_id)
        .where(Eligibility.group_id == row.group_id)
        .order_by(Programme.created_at)
    )
    return GroupView(
        row.group_id, row.name, row.staff_may_add, tx.scalar(count) or 0, tuple(names)
    )


def _record(
    tx: Tx, tools: Tools, action: str, row: MemberGroup, by: ConsoleCaller
) -> None:
    audit.record(
        tx,
        tools,
        action,
        row.group_id,
        by=by.staff_id,
        name=row.name,
        staff_may_add=row.staff_may_add,
    )
