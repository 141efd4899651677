"""Signing in on another phone, by a mail to the member's address.

Whoever asks is told the same whether an address is known or not, and the same is done:
a code is written and a mail put in the outbox. To an address that nobody has the mail
says just that, and to an address that somebody has it holds the way in.

Nobody can be made to get many mails: an address gets five an hour, a network asks for
forty. Those limits fail open; what does not is the count in the books, of five live
codes in an hour for one member. Beyond it the answer is the same and no mail goes.

Several members may have typed one address: who proved it comes first, then who joined
first. Signing in proves it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from app.programme import sessions
from app.programme.account import devices, mail_codes
from app.programme.errors import InvalidRequest, LimitReached, TryAgain
from app.programme.networks import network_of
from app.programme.words import clean_email
from app.store import outbox
from app.store.database import Tx, changed
from app.store.limits import LimitHit
from app.store.tables import MailCode, Member
from app.tools import Tools
from signing import links
from signing.errors import LinkExpired, LinkForged

#: The kinds of mail: the way in, and that there is none.
KIND: Final = "sign_in"
KIND_UNKNOWN: Final = "sign_in_unknown"
_PURPOSE: Final = "sign-in"
_PER_ADDRESS, _PER_NETWORK, _GUESSES = "5/hour", "40/hour", "60/hour"
_CODES_AN_HOUR: Final = 5


def ask(
    tools: Tools, email: str, *, device: str | None = None, locale: str | None = None
) -> UUID:
    """Send a mail with a code and a link.

    Args:
        tools: books, ring, limits and clock.
        email: as typed; not trusted.
        device: the network address that asks; None: nobody's, as for scripts.
        locale: of the page, for a mail to nobody we know.

    Returns:
        What the code is guessed at by; tells nothing of who has the address.

    Raises:
        InvalidRequest: ``email`` is no address.
        LimitReached: ``mail_code``: too many for this address or network.
    """
    wrong: dict[str, str] = {}
    email = clean_email(email, wrong)
    if wrong:
        raise InvalidRequest(wrong)
    _may(tools, "mail_code_network", device, _PER_NETWORK)
    try:
        tools.limits.hit("mail_code_address", email.casefold(), limit=_PER_ADDRESS)
    except LimitHit as error:
        raise LimitReached("mail_code", error.retry_after) from error
    with tools.database.begin() as tx:
        member = _whose(tx, email)
        issued = mail_codes.issue(
            tx, tools, "sign_in", member_id=member.member_id if member else None
        )
        if member is None or _has_room(tx, tools, member.member_id):
            _put(tx, tools, email, issued, member, locale)
        return issued.mail_code_id


def by_code(
    tools: Tools,
    mail_code_id: UUID,
    digits: str,
    *,
    device: str | None = None,
    browser: str | None = None,
) -> str:
    """Sign in by the digits of the mail.

    Args:
        tools: books, ring, limits and clock.
        mail_code_id: what ``ask`` gave to this browser.
        digits: as typed; not trusted.
        device: the network address that asks.
        browser: what the device says of itself.

    Returns:
        A token.

    Raises:
        InvalidRequest: ``code`` is wrong (the guess counted) or dead.
        LimitReached: ``mail_code``: this network guesses too often.
    """
    _may(tools, "mail_code_guess", device, _GUESSES)
    try:
        with tools.database.begin() as tx:
            spent = mail_codes.guess(tx, tools, mail_code_id, "sign_in", digits)
            token = _sign_in(tx, tools, spent, browser) if spent else None
    except IntegrityError as error:
        raise TryAgain from error
    if token is None:
        raise InvalidRequest({"code": "wrong_code"})
    return token


def by_link(tools: Tools, link: str, *, browser: str | None = None) -> str:
    """Sign in by the link of the mail; as ``by_code``."""
    mail_code_id = _opened(tools, link)
    try:
        with tools.database.begin() as tx:
            spent = mail_codes.follow(tx, tools, mail_code_id, "sign_in")
            return _sign_in(tx, tools, spent, browser)
    except IntegrityError as error:
        raise TryAgain from error


def link_works(tools: Tools, link: str) -> bool:
    """Tell whether a link could sign somebody in; spends nothing."""
    try:
        mail_code_id = _opened(tools, link)
    except InvalidRequest:
        return False
    with tools.database.read() as tx:
        return mail_codes.is_alive(tx, tools, mail_code_id)


def _may(tools: Tools, name: str, device: str | None, limit: str) -> None:
    network = network_of(device) if device else None
    if network is None:
        return
    try:
        tools.limits.hit(name, network, limit=limit)
    except LimitHit as error:
        raise LimitReached("mail_code", error.retry_after) from error


def _whose(tx: Tx, email: str) -> Member | None:
    return tx.scalar(
        select(Member)
        # As typed, too: older code kept no key.
        .where(or_(Member.email_key == email.casefold(), Member.email == email))
        .order_by(
            Member.email_confirmed_at.is_(None), Member.joined_at, Member.member_id
        )
        .limit(1)
    )


def _has_room(tx: Tx, tools: Tools, member_id: UUID) -> bool:
    """Tell whether a member may get another code; this one is written already."""
    written = tx.scalar(
        select(func.count())
        .select_from(MailCode)
        .where(
            MailCode.member_id == member_id,
            MailCode.purpose == "sign_in",
            MailCode.created_at > tools.now() - timedelta(hours=1),
        )
    )
    return (written or 0) <= _CODES_AN_HOUR


def _put(
    tx: Tx,
    tools: Tools,
    email: str,
    issued: mail_codes.Issued,
    member: Member | None,
    locale: str | None,
) -> None:
    now = tools.now()
    link = links.seal(
        {"code": issued.mail_code_id.hex}, tools.keys.ring, purpose=_PURPOSE, now=now
    )
    facts = {
        "code": issued.code,
        "link": link,
        "until": (now + mail_codes.LIVES).isoformat(),
    }
    outbox.put(
        tx,
        KIND if member else KIND_UNKNOWN,
        # To where the member had it, which may be written otherwise.
        (member.email if member else None) or email,
        facts if member else {},
        now=now,
        member_id=member.member_id if member else None,
        locale=(member.locale if member else None) or locale,
    )


def _opened(tools: Tools, link: str) -> UUID:
    try:
        facts = links.open_(
            link,
            tools.keys.ring,
            purpose=_PURPOSE,
            max_age=mail_codes.LIVES,
            now=tools.now(),
        )
        return UUID(facts["code"])
    except (LinkForged, LinkExpired, KeyError, ValueError) as error:
        raise InvalidRequest({"code": "dead_code"}) from error


def _sign_in(tx: Tx, tools: Tools, spent: mail_codes.Spent, browser: str | None) -> str:
    """Grant a token, and note that the address is proved."""
    other = aliased(Member)
    is_taken = exists().where(
        other.email_key == Member.email_key, other.email_confirmed_at.is_not(None)
    )
    proved = update(Member).where(
        Member.member_id == spent.member_id,
        Member.email_confirmed_at.is_(None),
        ~is_taken,
    )
    changed(tx, proved.values(email_confirmed_at=tools.now()))
    return sessions.grant(
        tx,
        tools,
        "member",
        member_id=spent.member_id,
        device=devices.name_of(browser),
    )
