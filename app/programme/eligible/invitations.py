"""Invitations: a code that puts whoever has it into a group, a stated number of times.

A code has twelve characters of thirty, 58 bits from the system's random source, and
opens nothing but the group. It may be printed or sent; a link holds it too, and opening
the link uses nothing.

Each member uses one once (``pk_invitation_use``), all of them together as often as it
says: a conditional update counts, and ``ck_invitation_uses`` holds it. Who uses one
again that they have used is told the same as before, and nothing is counted.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.programme import audit, expiry
from app.programme.eligible.groups import is_good, put_in
from app.programme.errors import (
    LimitReached,
    NotEligible,
    NotFound,
    TryAgain,
)
from app.programme.networks import network_of
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.words import clean_name
from app.store.database import Tx
from app.store.limits import LimitHit
from app.store.tables import (
    Eligibility,
    Invitation,
    InvitationUse,
    MemberGroup,
    Programme,
)
from app.tools import Tools

MOST_USES: Final = range(1, 100_001)
_LENGTH: Final = 12
#: Digits and letters that are not mistaken for each other.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_FURTHEST: Final = timedelta(days=730)
#: Codes that one network may try within an hour. A café's guests share one.
_TRIES: Final = "60/hour"


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation as the console shows it."""

    invitation_id: UUID
    group_id: UUID
    group_name: str
    #: As people read it: "ABCD-EFGH-JKMN".
    code: str
    name: str
    uses: int
    most_uses: int
    expires_at: datetime | None
    created_at: datetime
    #: ``good``, ``used_up``, ``over`` or ``ended``.
    state: str


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation opens."""

    code: str
    group_name: str
    #: The open programmes that are for its group.
    programme_ids: tuple[UUID, ...]


def invite(
    tools: Tools,
    group_id: UUID,
    *,
    name: str,
    most_uses: int | None,
    last_day: date | None,
    by: ConsoleCaller,
) -> UUID:
    """Make an invitation.

    Args:
        tools: the books.
        group_id: into which group.
        name: what it is for, in the shop's own words.
        most_uses: how many members may use it, of ``MOST_USES``.
        last_day: the shop's last day on which it works; None: no end.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``most_uses`` or ``last_day`` is ``out_of_range``; ``name``
            makes no sense.
        NotFound: no such group.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    if most_uses is None or most_uses not in MOST_USES:
        wrong["most_uses"] = "out_of_range"
    now = tools.now()
    with tools.database.begin() as tx:
        if tx.get(MemberGroup, group_id) is None:
            raise NotFound
        zone = expiry.zone_of(tx)
        today = now.astimezone(zone).date()
        if last_day is not None and not today <= last_day <= today + _FURTHEST:
            wrong["last_day"] = "out_of_range"
        refuse(wrong)
        row = Invitation(
            group_id=group_id,
            code="".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)),
            name=name,
            most_uses=most_uses or 1,
            expires_at=expiry.last_moment(last_day, zone) if last_day else None,
            created_at=now,
            created_by=by.staff_id,
        )
        tx.add(row)
        tx.flush()
        audit.record(
            tx,
            tools,
            "invitation.made",
            row.invitation_id,
            by=by.staff_id,
            group=str(group_id),
            name=name,
            most_uses=most_uses,
            last_day=last_day.isoformat() if last_day else None,
        )
        return row.invitation_id


def end_invitation(tools: Tools, invitation_id: UUID, *, by: ConsoleCaller) -> None:
    """End an invitation: nobody uses it any more, and who has used it stays.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such invitation.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = tx.get(Invitation, invitation_id, with_for_update=True)
        if row is None:
            raise NotFound
        if row.revoked_at is None:
            row.revoked_at = tools.now()
            audit.record(tx, tools, "invitation.ended", invitation_id, by=by.staff_id)


def of_group(tools: Tools, group_id: UUID) -> list[InvitationView]:
    """Read a group's invitations, the newest first."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(Invitation, MemberGroup.name)
            .join(MemberGroup, MemberGroup.group_id == Invitation.group_id)
            .where(Invitation.group_id == group_id)
            .order_by(Invitation.created_at.desc())
        )
        return [_view(row, name, tools.now()) for row, name in rows]


def invitation(tools: Tools, invitation_id: UUID) -> InvitationView:
    """Read one invitation.

    Raises:
        NotFound: no such invitation.
    """
    with tools.database.read() as tx:
        row = tx.get(Invitation, invitation_id)
        if row is None:
            raise NotFound
        name = tx.get_one(MemberGroup, row.group_id).name
        return _view(row, name, tools.now())


def may_try(tools: Tools, address: str) -> None:
    """Count a code that somebody tries, to slow down who guesses.

    Args:
        tools: the limits.
        address: the network address that it came from; the machine's own is not
            limited, as with joining.

    Raises:
        LimitReached: ``invitation``.
    """
    network = network_of(address)
    if network is None:
        return
    try:
        tools.limits.hit("invitation", network, limit=_TRIES)
    except LimitHit as error:
        raise LimitReached("invitation", error.retry_after) from error


def peek(tools: Tools, text: str) -> Invited:
    """Read what an invitation opens; nothing is used.

    Raises:
        NotEligible: as ``use``.
    """
    with tools.database.read() as tx:
        row = _good(tx, text, tools.now())
        name = tx.get_one(MemberGroup, row.group_id).name
        ids = tx.scalars(
            select(Programme.programme_id)
            .join(Eligibility, Eligibility.programme_id == Programme.programme_id)
            .where(Eligibility.group_id == row.group_id, Programme.is_open)
            .order_by(Programme.created_at)
        )
        return Invited(spelled(row.code), name, tuple(ids))


def use_invitation(tools: Tools, text: str, member_id: UUID) -> None:
    """Let a member use an invitation.

    Raises:
        NotEligible: as ``use``.
        TryAgain: the same member is using it right now.
    """
    try:
        with tools.database.begin() as tx:
            use(tx, tools, text, member_id)
    except IntegrityError as error:
        raise TryAgain from error


def use(tx: Tx, tools: Tools, text: str, member_id: UUID) -> None:
    """Let a member use an invitation, in the caller's transaction.

    Args:
        tx: the caller's.
        tools: the clock.
        text: the code as typed; not trusted.
        member_id: who uses it.

    Raises:
        NotEligible: ``invitation_unknown``, ``invitation_over`` or
            ``invitation_used_up``.
        IntegrityError: the same member uses it at once elsewhere.
    """
    now = tools.now()
    row = _good(tx, text, now, member_id)
    if tx.get(InvitationUse, (row.invitation_id, member_id)) is not None:
        return
    counted = tx.execute(
        update(Invitation)
        .where(Invitation.invitation_id == row.invitation_id, *is_good(now))
        .values(uses=Invitation.uses + 1)
        .execution_options(synchronize_session=False)
        .returning(Invitation.invitation_id)
    ).first()
    if counted is None:
        raise NotEligible("invitation_used_up")
    tx.add(
        InvitationUse(invitation_id=row.invitation_id, member_id=member_id, used_at=now)
    )
    tx.flush()
    put_in(
        tx,
        tools,
        row.group_id,
        member_id,
        way="invitation",
        invitation_id=row.invitation_id,
    )


def spelled(code: str) -> str:
    """Spell a code as people read it, in fours."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _good(
    tx: Tx, text: str, now: datetime, member_id: UUID | None = None
) -> Invitation:
    code = re.sub(r"[\s-]", "", text[:40]).upper()
    # What can't be one is not looked up: PostgreSQL takes no text with a NUL in it.
    is_one = set(code) <= set(_ALPHABET)
    row = (
        tx.scalar(select(Invitation).where(Invitation.code == code)) if is_one else None
    )
    if row is None:
        raise NotEligible("invitation_unknown")
    state = _state(row, now)
    is_theirs = (
        member_id is not None
        and tx.get(InvitationUse, (row.invitation_id, member_id)) is not None
    )
    if state == "used_up" and not is_theirs:
        raise NotEligible("invitation_used_up")
    if state in {"over", "ended"}:
        raise NotEligible("invitation_over")
    return row


def _state(row: Invitation, now: datetime) -> str:
    if row.revoked_at is not None:
        return "ended"
    if expiry.is_over(row.expires_at, now):
        return "over"
    return "used_up" if row.uses >= row.most_uses else "good"


def _view(row: Invitation, group_name: str, now: datetime) -> InvitationView:
    return InvitationView(
        row.invitation_id,
        row.group_id,
        group_name,
        spelled(row.code),
        row.name,
        row.uses,
        row.most_uses,
        row.expires_at,
        row.created_at,
        _state(row, now),
    )
