"""A member's change of e-mail address: both mailboxes say yes.

1. The member names the new address. It gets six digits and a link; a confirmed old
   address gets a mail with a link that leads to yes and to no.
2. The change is made when both have said yes, in whichever order, within 72 hours. No
   ends it, from either side; so does another change.
3. An old address that was never confirmed, or none, has no say and gets no mail: a
   stranger may have it. Then the new one's yes is enough.

Each step is a conditional update of one row, so of many at once one counts. A confirmed
address is one member's (``uq_member_email_key_confirmed``): of two who confirm one
address, the second is refused. With the address, every code in older mails dies.

Where the promise ends: who can no longer read a confirmed address can't change it here;
a card that is joined anew, or the shop's staff, has to help.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.programme.account import mail_codes
from app.programme.errors import InvalidRequest, LimitReached, NotFound, TryAgain
from app.programme.words import clean_email
from app.store import outbox
from app.store.database import Tx, changed
from app.store.limits import LimitHit
from app.store.tables import EmailChange, MailCode, Member
from app.tools import Tools
from signing import links
from signing.errors import LinkExpired, LinkForged

#: The kinds of mail: to the new address, and to the old.
KIND_NEW: Final = "email_new"
KIND_OLD: Final = "email_old"
#: For how long both may say yes.
LASTS: Final = timedelta(hours=72)
_PER_MEMBER, _PER_ADDRESS, _GUESSES = "5/day", "5/day", "30/hour"
#: What a link was sealed for: which mailbox has it.
_PURPOSES: Final = {"new": "email-new", "old": "email-old"}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of address that is under way."""

    change_id: UUID
    old_email: str | None
    new_email: str
    expires_at: datetime
    #: Whether each mailbox's yes is there; an old one that has no say counts as yes.
    is_old_confirmed: bool
    is_new_confirmed: bool
    is_done: bool


def ask(tools: Tools, member_id: UUID, email: str) -> Change:
    """Ask for another address, or for the one there is to be confirmed.

    Raises:
        InvalidRequest: ``email`` is no address, or is confirmed already.
        LimitReached: ``mail_code``: too many mails for this member or address.
        NotFound: no such member.
        TryAgain: another change of this member began at the same moment.
    """
    wrong: dict[str, str] = {}
    email = clean_email(email, wrong)
    if wrong:
        raise InvalidRequest(wrong)
    _may(tools, "email_change", member_id.hex, _PER_MEMBER)
    _may(tools, "email_change_address", email.casefold(), _PER_ADDRESS)
    try:
        with tools.database.begin() as tx:
            return _ask(tx, tools, member_id, email)
    except IntegrityError as error:
        raise TryAgain from error


def under_way(tools: Tools, member_id: UUID) -> Change | None:
    """Tell of the change that waits for somebody's yes."""
    with tools.database.read() as tx:
        row = tx.scalar(_open_of(tools, member_id))
        return _view(row) if row else None


def by_code(tools: Tools, member_id: UUID, digits: str) -> Change:
    """Say yes for the new address, by the digits that it got.

    Raises:
        InvalidRequest: ``code`` is wrong (the guess counted) or dead, or ``email`` is
            another member's by now.
        LimitReached: ``mail_code``: too many guesses.
    """
    _may(tools, "email_change_guess", member_id.hex, _GUESSES)
    try:
        with tools.database.begin() as tx:
            row = tx.scalar(_open_of(tools, member_id))
            code_id = _newest_code(tx, row.change_id) if row else None
            if row is None or code_id is None:
                raise InvalidRequest({"code": "dead_code"})
            spent = mail_codes.guess(tx, tools, code_id, "new_email", digits)
            told = _say_yes(tx, tools, row.change_id, "new") if spent else None
    except IntegrityError as error:
        raise InvalidRequest({"email": "taken"}) from error
    if told is None:
        raise InvalidRequest({"code": "wrong_code"})
    return told


def look(tools: Tools, link: str, side: str) -> Change | None:
    """Tell which change a link is about; None if it is over. Changes nothing.

    Args:
        tools: books, ring and clock.
        link: of a mail; not trusted.
        side: ``new`` or ``old``: whose mailbox it was in.
    """
    try:
        change_id = _opened(tools, link, side)
    except InvalidRequest:
        return None
    with tools.database.read() as tx:
        row = tx.scalar(select(EmailChange).where(*_is_open(tools, change_id)))
        return _view(row) if row else None


def say_yes(tools: Tools, link: str, side: str) -> Change:
    """Say yes for an address, by the link that it got; arguments as for ``look``.

    Raises:
        InvalidRequest: ``code``: the change is over, or this side has said yes; or
            ``email`` is another member's by now.
    """
    change_id = _opened(tools, link, side)
    try:
        with tools.database.begin() as tx:
            return _say_yes(tx, tools, change_id, side)
    except IntegrityError as error:
        raise InvalidRequest({"email": "taken"}) from error


def say_no(tools: Tools, link: str, side: str) -> None:
    """Stop a change, by the link that a mailbox got.

    Raises:
        InvalidRequest: ``code``: it is over.
    """
    _stop(tools, *_is_open(tools, _opened(tools, link, side)))


def give_up(tools: Tools, member_id: UUID) -> None:
    """Stop a member's own change; one that is over already is no fault."""
    with tools.database.begin() as tx:
        _end_open(tx, tools, member_id)


def _ask(tx: Tx, tools: Tools, member_id: UUID, email: str) -> Change:
    member = tx.get(Member, member_id)
    if member is None:
        raise NotFound
    is_same = member.email_key == email.casefold()
    if is_same and member.email_confirmed_at is not None:
        raise InvalidRequest({"email": "same_email"})
    _end_open(tx, tools, member_id)
    has_say = member.email_confirmed_at is not None
    now = tools.now()
    row = EmailChange(
        member_id=member_id,
        old_email=member.email if has_say else None,
        new_email=email,
        created_at=now,
        expires_at=now + LASTS,
    )
    tx.add(row)
    tx.flush()
    issued = mail_codes.issue(
        tx, tools, "new_email", member_id=member_id, change_id=row.change_id
    )
    until = (now + mail_codes.LIVES).isoformat()
    new = {"code": issued.code, "until": until, "link": _link(tools, row, "new")}
    _put(tx, tools, member, KIND_NEW, email, new)
    if row.old_email is not None:
        old = {"new_email": email, "link": _link(tools, row, "old")}
        _put(tx, tools, member, KIND_OLD, row.old_email, old)
    return _view(row)


def _say_yes(tx: Tx, tools: Tools, change_id: UUID, side: str) -> Change:
    column = (
        EmailChange.new_confirmed_at if side == "new" else EmailChange.old_confirmed_at
    )
    said = update(EmailChange).where(*_is_open(tools, change_id), column.is_(None))
    if not changed(tx, said.values({column: tools.now()})):
        raise InvalidRequest({"code": "dead_code"})
    made = update(EmailChange).where(
        *_is_open(tools, change_id),
        EmailChange.new_confirmed_at.is_not(None),
        or_(EmailChange.old_email.is_(None), EmailChange.old_confirmed_at.is_not(None)),
    )
    is_done = bool(changed(tx, made.values(done_at=tools.now())))
    row = tx.get_one(EmailChange, change_id, populate_existing=True)
    if is_done:
        mail_codes.end_all(tx, tools, row.member_id)
        changed(
            tx,
            update(Member)
            .where(Member.member_id == row.member_id)
            .values(
                email=row.new_email,
                email_key=row.new_email.casefold(),
                email_confirmed_at=tools.now(),
            ),
        )
    return _view(row)


def _stop(tools: Tools, *which: ColumnElement[bool]) -> None:
    with tools.database.begin() as tx:
        stopped = update(EmailChange).where(*which).values(stopped_at=tools.now())
        if not changed(tx, stopped):
            raise InvalidRequest({"code": "dead_code"})


def _end_open(tx: Tx, tools: Tools, member_id: UUID) -> None:
    """End what is open, also what nobody answered in time."""
    changed(
        tx,
        update(EmailChange)
        .where(
            EmailChange.member_id == member_id,
            EmailChange.stopped_at.is_(None),
            EmailChange.done_at.is_(None),
        )
        .values(stopped_at=tools.now()),
    )


def _open_of(tools: Tools, member_id: UUID) -> Select[EmailChange]:
    return select(EmailChange).where(
        EmailChange.member_id == member_id,
        EmailChange.stopped_at.is_(None),
        EmailChange.done_at.is_(None),
        EmailChange.expires_at > tools.now(),
    )


def _is_open(tools: Tools, change_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        EmailChange.change_id == change_id,
        EmailChange.stopped_at.is_(None),
        EmailChange.done_at.is_(None),
        EmailChange.expires_at > tools.now(),
    )


def _newest_code(tx: Tx, change_id: UUID) -> UUID | None:
    return tx.scalar(
        select(MailCode.mail_code_id)
        .where(MailCode.change_id == change_id)
        .order_by(MailCode.created_at.desc())
        .limit(1)
    )


def _view(row: EmailChange) -> Change:
    return Change(
        change_id=row.change_id,
        old_email=row.old_email,
        new_email=row.new_email,
        expires_at=row.expires_at,
        is_old_confirmed=row.old_email is None or row.old_confirmed_at is not None,
        is_new_confirmed=row.new_confirmed_at is not None,
        is_done=row.done_at is not None,
    )


def _link(tools: Tools, row: EmailChange, side: str) -> str:
    facts = {"change": row.change_id.hex}
    ring = tools.keys.ring
    return links.seal(facts, ring, purpose=_PURPOSES[side], now=tools.now())


def _opened(tools: Tools, link: str, side: str) -> UUID:
    try:
        facts = links.open_(
            link,
            tools.keys.ring,
            purpose=_PURPOSES[side],
            max_age=LASTS,
            now=tools.now(),
        )
        return UUID(facts["change"])
    except (LinkForged, LinkExpired, KeyError, ValueError) as error:
        raise InvalidRequest({"code": "dead_code"}) from error


def _put(
    tx: Tx, tools: Tools, member: Member, kind: str, email: str, facts: dict[str, str]
) -> None:
    outbox.put(
        tx,
        kind,
        email,
        facts,
        now=tools.now(),
        member_id=member.member_id,
        locale=member.locale,
    )


def _may(tools: Tools, name: str, key: str, limit: str) -> None:
    try:
        tools.limits.hit(name, key, limit=limit)
    except LimitHit as error:
        raise LimitReached("mail_code", error.retry_after) from error
