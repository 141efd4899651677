"""What members agreed to be written about, and when, and by which words.

Nobody gets news, offers, reminders, birthday mail or questions without having said so.
What needs no consent is what somebody has just asked for: a code to sign in, a
confirmation, the welcome that explains the card (``NEEDS``).

The history is append-only: each change is a row with its moment, the sentence as it was
shown, the language and version of it, and where it was said. The present is the newest
row of a kind. Saying again what is so already writes nothing.

``may_send`` is asked at the moment of sending, by the worker, and again by whoever
chooses readers; a mail that waits when its reader changes their mind is not sent.

Each mail of a kind carries a link that ends it without signing in (RFC 8058). The link
names a member and a kind under a seal, does nothing when it is opened, and gives
nothing when it is posted: whoever finds one can only end mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.programme import privacy
from app.programme.errors import InvalidRequest, NotFound
from app.store.database import Tx
from app.store.tables import CONSENT_KINDS, Consent, Erasure, Member
from app.tools import Tools
from signing import links
from signing.errors import LinkExpired, LinkForged

#: Kinds of messages that are asked for one by one, in the order of the pages.
KINDS: Final = CONSENT_KINDS
#: Of each kind of mail (``outbox``), the consent that it needs; None: none, for its
#: reader has just asked for it. A test holds every mail of the worker to this.
NEEDS: Final[dict[str, str | None]] = {
    "welcome": None,
    # Somebody asked for it, or must know that somebody did.
    "sign_in": None,
    "sign_in_unknown": None,
    "email_new": None,
    "email_old": None,
    # What was agreed on changes, or what was paid for ends.
    "terms": None,
    "event_off": None,
    "membership_ends": None,
    "membership_ended": None,
    "tier_changed": None,
    "tier_ends": "reminders",
    "voucher_ends": "reminders",
    "units_end": "reminders",
}
_PURPOSE: Final = "unsubscribe"
#: Longer than mailboxes are looked through.
_LINK_AGE: Final = timedelta(days=800)


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence as it was shown."""

    sentence: str
    #: As a tag.
    language: str
    #: Rises whenever a sentence means something else than before.
    version: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person says of one kind of message."""

    kind: str
    is_given: bool
    wording: Wording


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the history."""

    kind: str
    is_given: bool
    at: datetime
    wording: Wording
    channel: str


@dataclass(frozen=True, slots=True)
class Link:
    """What an unsubscribing link names."""

    member_id: UUID
    kind: str


def may_send(tx: Tx, member_id: UUID, kind: str) -> bool:
    """Tell whether a member wants messages of a kind, as of now.

    Args:
        tx: the caller's.
        member_id: the reader.
        kind: one of ``KINDS``.

    Raises:
        ValueError: ``kind`` is none.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of message: {kind}")
    return _newest(tx, member_id).get(kind, False)


def may_mail(tx: Tx, member_id: UUID | None, mail: str) -> bool:
    """Tell whether a mail of the outbox may go out now.

    Args:
        tx: the caller's.
        member_id: the reader; None: nobody who joined.
        mail: its kind, as in ``NEEDS``.
    """
    kind = NEEDS.get(mail)
    if kind is None:
        return True
    return member_id is not None and may_send(tx, member_id, kind)


def note(
    tx: Tx, tools: Tools, member_id: UUID, choices: Iterable[Choice], *, channel: str
) -> tuple[str, ...]:
    """Write what a person says now, where it is not what they said before.

    Args:
        tx: the caller's.
        tools: the clock.
        member_id: who says it; the caller has checked that.
        choices: of the kinds that were asked about; others stay.
        channel: ``join``, ``account``, ``mail`` or ``console``.

    Returns:
        The kinds that changed.

    Raises:
        NotFound: no such member, or nobody any more.
        InvalidRequest: ``kind`` is ``unexpected``.
    """
    privacy.must_be_known(tx, member_id)
    present = _newest(tx, member_id)
    changed: list[str] = []
    for choice in choices:
        if choice.kind not in KINDS:
            raise InvalidRequest({"kind": "unexpected"})
        if choice.is_given == present.get(choice.kind, False):
            continue
        tx.add(
            Consent(
                member_id=member_id,
                kind=choice.kind,
                is_given=choice.is_given,
                at=tools.now(),
                wording=choice.wording.sentence,
                wording_version=choice.wording.version,
                language=choice.wording.language,
                channel=channel,
            )
        )
        tx.flush()
        changed.append(choice.kind)
    return tuple(changed)


def choose(
    tools: Tools, member_id: UUID, choices: Iterable[Choice], *, channel: str
) -> tuple[str, ...]:
    """Write what a person says now; arguments, answer and refusals as of ``note``.

    Raises:
        StoreDown: the books gave no answer; nothing was written.
    """
    with tools.database.begin() as tx:
        return note(tx, tools, member_id, choices, channel=channel)


def given(tools: Tools, member_id: UUID) -> frozenset[str]:
    """Tell what a member wants to get now."""
    with tools.database.read() as tx:
        newest = _newest(tx, member_id)
    return frozenset(kind for kind, is_given in newest.items() if is_given)


def history(tools: Tools, member_id: UUID) -> list[Told]:
    """Read all that a member ever said, newest first."""
    asked = select(Consent).where(Consent.member_id == member_id)
    with tools.database.read() as tx:
        return [
            Told(
                row.kind,
                row.is_given,
                row.at,
                Wording(row.wording, row.language, row.wording_version),
                row.channel,
            )
            for row in tx.scalars(asked.order_by(Consent.consent_no.desc()))
        ]


def link(tools: Tools, member_id: UUID, kind: str) -> str:
    """Make the address that ends messages of a kind, whoever opens it."""
    facts = {"member": member_id.hex, "kind": kind}
    sealed = links.seal(facts, tools.keys.ring, purpose=_PURPOSE, now=tools.now())
    return f"{tools.settings.origin}/unsubscribe/{sealed}"


def opened(tools: Tools, text: str) -> Link:
    """Read what is behind an unsubscribing link.

    Args:
        tools: keys and clock.
        text: the last part of the address; not trusted.

    Raises:
        NotFound: we did not make it, or it is years old, or the person is not known
            any more. One answer: whoever tries links learns nothing.
    """
    try:
        facts = links.open_(
            text,
            tools.keys.ring,
            purpose=_PURPOSE,
            max_age=_LINK_AGE,
            now=tools.now(),
        )
        found = Link(UUID(facts["member"]), facts["kind"])
    except (LinkForged, LinkExpired, KeyError, ValueError) as error:
        raise NotFound from error
    with tools.database.read() as tx:
        is_known = tx.get(Member, found.member_id) is not None
        if not is_known or tx.get(Erasure, found.member_id) is not None:
            raise NotFound
    return found


def _newest(tx: Tx, member_id: UUID) -> dict[str, bool]:
    """Read the newest word on each kind that there is one on."""
    last = (
        select(func.max(Consent.consent_no))
        .where(Consent.member_id == member_id)
        .group_by(Consent.kind)
    )
    rows = tx.execute(
        select(Consent.kind, Consent.is_given).where(Consent.consent_no.in_(last))
    )
    return {row.kind: row.is_given for row in rows}
