"""Joining: one tap makes a member and a card; details may follow later.

Who leaves an e-mail address gets one mail that explains the card
(``app.programme.welcome``), written to the outbox in the same transaction.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import case, or_, select
from sqlalchemy.exc import IntegrityError

from app.programme import cards, consents, programmes, sessions, welcome
from app.programme.account import asked as forms
from app.programme.account import details as contacts
from app.programme.account import devices
from app.programme.cards import ProgrammeView
from app.programme.consents import Choice
from app.programme.earning import referrals
from app.programme.eligible import invitations, must_be_eligible
from app.programme.errors import (
    CardClosed,
    InvalidRequest,
    LimitReached,
    NotFound,
    TryAgain,
)
from app.programme.networks import network_of
from app.programme.words import has_controls
from app.store.database import Tx
from app.store.limits import LimitHit
from app.store.tables import Card, Eligibility, Member, Programme
from app.tools import Tools

_INVITE_LENGTH = 64
_EARLIEST = date(1900, 1, 1)
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_][A-Za-z]{2})?")


#: How long a joining may be repeated by the device that made it.
JOIN_RETRY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Joined:
    """A new member, the card and the token that is the key to both."""

    member_id: UUID
    card_id: UUID
    token: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A member's card in another programme."""

    card_id: UUID
    #: Whether they had none before.
    is_new: bool


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member's own details."""

    member_id: UUID
    name: str | None
    email: str | None
    locale: str | None


def join(  # noqa: PLR0913 -- what a person may say of themselves, each by its name
    tools: Tools,
    *,
    programme_id: UUID | None = None,
    name: str | None = None,
    email: str | None = None,
    locale: str | None = None,
    terms_version: int | None = None,
    invite: str | None = None,
    invitation: str | None = None,
    birthday: date | None = None,
    join_id: str | None = None,
    device: str | None = None,
    browser: str | None = None,
    choices: Iterable[Choice] = (),
    contact: Mapping[str, str] | None = None,
    is_form: bool = False,
) -> Joined:
    """Make a member with a card.

    Args:
        tools: books and clock.
        programme_id: the programme; the shop's first open one when None.
        name: how to greet, up to 60 characters.
        email: where to write.
        locale: a language tag, ``da`` or ``zh-Hant``.
        terms_version: the version that was shown and accepted; the present one
            when None.
        invite: the invitation of another member.
        invitation: the code of a group's invitation, as typed; not trusted.
        birthday: theirs, where they say it.
        join_id: a secret of the device that joins, the same on each retry, so that a
            double tap makes one member. Whoever knows it within ``JOIN_RETRY`` of
            the joining is that device.
        device: the network address that the joining came from; few of them get many
            mails sent. None: nobody's, as for scripts.
        browser: what the device says of itself. With the network's address it tells
            for a month which cards one device got (``app.programme.signals``).
        choices: the kinds of mail that they ticked, with the sentences that they read;
            kept only with an address to write to.
        contact: what else was typed, ``phone`` and ``address``; not trusted.
        is_form: whether it is the shop's form that joins: what that requires must be
            there, and what it does not ask is not taken.

    Raises:
        InvalidRequest: a detail makes no sense, one that is required is missing, or
            older terms were accepted.
        NotFound: no such programme.
        CardClosed: the programme takes no new members.
        NotEligible: its rules leave them out, or the invitation does not work.
        TryAgain: another joining was in the way; nothing was written.
    """
    typed = {"name": name or "", "email": email or "", **(contact or {})}
    asked = forms.asked(tools) if is_form else None
    details = _checked(typed, asked, locale, invite, birthday=birthday)
    _check_birthday(birthday, tools.now())
    # Before the transaction, since it asks another store. Its answer changes nothing
    # that whoever joins can see.
    may_write = welcome.may_write(tools, details["email"], device)
    try:
        with tools.database.begin() as tx:
            programme = _open_programme(tx, programme_id)
            _must_be_in_force(tx, programme, terms_version, tools.now())
            member = Member(
                **details,
                birthday=birthday,
                birthday_set_at=tools.now() if birthday else None,
                join_id=join_id,
                joined_at=tools.now(),
                joined_from=device_of(tools, device, browser),
            )
            tx.add(member)
            tx.flush()
            if invitation:
                invitations.use(tx, tools, invitation, member.member_id)
            card_id = _open(tx, tools, member.member_id, programme)
            referrals.noted(tx, tools, member, card_id)
            token = sessions.grant(
                tx,
                tools,
                "member",
                member_id=member.member_id,
                device=devices.name_of(browser),
            )
            if details["email"] is not None:
                consents.note(tx, tools, member.member_id, choices, channel="join")
            if may_write:
                welcome.write(tx, tools, member, programme, card_id)
            return Joined(member.member_id, card_id, token)
    except IntegrityError as error:
        if join_id is None:
            # Two cards drew one number at once: the next try draws another.
            raise TryAgain from error
        return _joined_before(tools, join_id)


def take_card(
    tools: Tools,
    member_id: UUID,
    programme_id: UUID,
    *,
    terms_version: int | None = None,
    invitation: str | None = None,
    birthday: date | None = None,
) -> Taken:
    """Give a member a card in another programme; the one they have, if they have one.

    Args:
        tools: books and clock.
        member_id: who takes it.
        programme_id: whose card.
        terms_version: as in ``join``.
        invitation: as in ``join``.
        birthday: theirs, where they say it and had not before.

    Raises:
        InvalidRequest: older terms were accepted, or the birthday makes no sense.
        NotFound: no such programme, or no such member.
        CardClosed: the programme takes no new members.
        NotEligible: its rules leave them out, or the invitation does not work.
        TryAgain: the same member takes it right now; nothing was written.
    """
    _check_birthday(birthday, tools.now())
    try:
        with tools.database.begin() as tx:
            # Held, so that of two taps at once one finds the other's card.
            member = tx.get(Member, member_id, with_for_update=True)
            if member is None:
                raise NotFound
            held = _held(tx, member_id, programme_id)
            if held is not None:
                return Taken(held, is_new=False)
            programme = _open_programme(tx, programme_id)
            _must_be_in_force(tx, programme, terms_version, tools.now())
            if birthday is not None and member.birthday_set_at is None:
                member.birthday, member.birthday_set_at = birthday, tools.now()
            tx.flush()
            if invitation:
                invitations.use(tx, tools, invitation, member_id)
            opened = _open(tx, tools, member_id, programme)
            return Taken(opened, is_new=True)
    except IntegrityError as error:
        raise TryAgain from error


def may_join(tools: Tools, address: str) -> None:
    """Count a joining from a network address, to slow down who collects cards.

    A café's guests share one address, so the limit is wide. The machine's own address
    is not limited: behind a proxy that the settings do not name everybody has it.

    Args:
        tools: the limits.
        address: IPv4 or IPv6; what a proxy wrote instead is limited as it stands.

    Raises:
        LimitReached: ``join``.
    """
    network = network_of(address)
    if network is None:
        return
    try:
        tools.limits.hit("join", network, limit="120/hour")
    except LimitHit as error:
        raise LimitReached("join", error.retry_after) from error


def member(tools: Tools, member_id: UUID) -> MemberView:
    """Read a member's details.

    Raises:
        NotFound: no such member.
    """
    with tools.database.read() as tx:
        row = tx.get(Member, member_id)
    if row is None:
        raise NotFound
    return MemberView(row.member_id, row.name, row.email, row.locale)


def default_programme(tools: Tools) -> ProgrammeView:
    """Read the programme that a stranger joins: an open one, for everyone if it can be.

    Raises:
        NotFound: the shop has none.
    """
    with tools.database.read() as tx:
        return programmes.present(tx, _first_programme(tx), tools.now())


def programme(tools: Tools, programme_id: UUID) -> ProgrammeView:
    """Read a programme.

    Raises:
        NotFound: no such programme.
    """
    with tools.database.read() as tx:
        row = tx.get(Programme, programme_id)
        if row is None:
            raise NotFound
        return programmes.present(tx, row, tools.now())


def _must_be_in_force(tx: Tx, row: Programme, shown: int | None, now: datetime) -> None:
    """Refuse terms that are no longer, or not yet, in force; None passes.

    Raises:
        InvalidRequest: ``terms_version``.
    """
    if shown not in (None, programmes.present(tx, row, now).terms_version):
        raise InvalidRequest({"terms_version": "out_of_date"})


def _open(tx: Tx, tools: Tools, member_id: UUID, row: Programme) -> UUID:
    """Open a card for whom the rules let have one, by the terms in force."""
    must_be_eligible(tx, row.programme_id, member_id, tools.now())
    return cards.open_card(tx, tools, member_id, row)


def _held(tx: Tx, member_id: UUID, programme_id: UUID) -> UUID | None:
    return tx.scalar(
        select(Card.card_id).where(
            Card.member_id == member_id, Card.programme_id == programme_id
        )
    )


def _check_birthday(birthday: date | None, now: datetime) -> None:
    """Refuse the birthday of nobody who lives.

    Raises:
        InvalidRequest: ``birthday`` is ``out_of_range``.
    """
    if birthday is not None and not _EARLIEST <= birthday <= now.date():
        raise InvalidRequest({"birthday": "out_of_range"})


def device_of(tools: Tools, device: str | None, browser: str | None) -> str | None:
    """Name a device by a hash that nobody can turn back; None where many share it.

    Args:
        tools: the keys.
        device: its network address.
        browser: what it says of itself.
    """
    network = network_of(device) if device else None
    if network is None:
        return None
    told = f"{network}\0{browser or ''}".encode()
    key = tools.keys.ring.secrets[-1]
    return hmac.new(key, b"punchproof/joined/1\0" + told, "sha256").hexdigest()[:32]


def _joined_before(tools: Tools, join_id: str) -> Joined:
    """Answer a joining that was heard before."""
    with tools.database.begin() as tx:
        row = tx.execute(
            select(Member.member_id, Card.card_id, Member.joined_at)
            .join(Card, Card.member_id == Member.member_id)
            .where(Member.join_id == join_id)
        ).first()
        if row is None or tools.now() - row.joined_at > JOIN_RETRY:
            raise InvalidRequest({"join_id": "used_before"})
        token = sessions.grant(tx, tools, "member", member_id=row.member_id)
        return Joined(row.member_id, row.card_id, token)


def _checked(
    typed: Mapping[str, str],
    asked: Mapping[str, str] | None,
    locale: str | None,
    invite: str | None,
    *,
    birthday: date | None,
) -> dict[str, str | None]:
    """Check what was typed, and what a form (``asked``) requires of it."""
    wrong: dict[str, str] = {}
    if asked is not None:
        typed = {name: said for name, said in typed.items() if asked[name] != "hidden"}
    clean = contacts.cleaned(typed, wrong)
    if asked is not None:
        wrong = contacts.must_have(asked, {**clean, "birthday": birthday}) | wrong
    if invite and (len(invite) > _INVITE_LENGTH or has_controls(invite)):
        wrong["invite"] = "bad_characters"
    if locale and not _LOCALE.fullmatch(locale):
        wrong["locale"] = "not_a_locale"
    if wrong:
        raise InvalidRequest(wrong)
    return {**clean, "locale": locale or None, "invite": invite or None}


def _open_programme(tx: Tx, programme_id: UUID | None) -> Programme:
    programme = (
        _first_programme(tx)
        if programme_id is None
        else tx.get(Programme, programme_id)
    )
    if programme is None:
        raise NotFound
    if not programme.is_open:
        raise CardClosed
    return programme


def _first_programme(tx: Tx) -> Programme:
    asks_something = case(
        (
            or_(
                Eligibility.group_id.is_not(None),
                Eligibility.least_count.is_not(None),
                Eligibility.least_age.is_not(None),
            ),
            1,
        ),
        else_=0,
    )
    found = tx.scalar(
        select(Programme)
        .outerjoin(Eligibility, Eligibility.programme_id == Programme.programme_id)
        .order_by(Programme.is_open.desc(), asks_something, Programme.created_at)
        .limit(1)
    )
    if found is None:
        raise NotFound
    return found
