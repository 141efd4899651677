"""What is kept of a person: one line for each table that leads to a member.

``exporting`` and ``erasing`` walk along ``KEPT``, so a new table of a member's things
is exported and erased by its line here and by nothing else. A test walks the schema:
a table from which references lead to ``member`` and that has no line, a column of the
member about which nothing is decided, and a line without its reason are findings.

To add one: ``whose`` is the column by which a row is a member's; it refers to
``member``, or to another table that has a line, such as ``card``. Then

* exported: the ``section`` of the document in which its rows stand, but for the columns
  in ``hides``, each with why. Without a section the whole table is left out, and
  ``because`` tells why: the document repeats it.
* erased: ``goes``, its rows are deleted; or the columns in ``empties`` become NULL and
  those in ``stays`` stay, each with why; or neither, and ``because`` tells why the rows
  stay as they are. What stays must name nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Column, ColumnElement, or_, select
from sqlalchemy import Table as Schema

from app.store.tables import (
    AccessToken,
    AgeSeen,
    Card,
    CardMerge,
    Consent,
    EarningPart,
    EmailChange,
    Erasure,
    GroupMember,
    InvitationUse,
    LedgerEntry,
    MailCode,
    Member,
    Membership,
    Outgoing,
    PartnerCode,
    Passkey,
    Purchase,
    PurchaseLine,
    Referral,
    ReferralLink,
    Refund,
    RefundLine,
    Signal,
    Table,
    TermsAccepted,
    TierHeld,
    TierInvitation,
    Voucher,
)

_OTHERS: Final = "tells of somebody who works in the shop"
_OURS: Final = "a proof of the shop's books; it tells nothing of a person"
_AGAIN: Final = "says again what the other columns say"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one table has of a person, and what becomes of it."""

    table: type[Table]
    #: The column by which a row is a member's.
    whose: str
    #: Others by which it may be one, where the first is empty.
    also: tuple[str, ...] = field(default=(), kw_only=True)
    #: For the person who reads the document.
    what: str
    section: str = ""
    hides: Mapping[str, str] = field(default_factory=dict)
    goes: bool = False
    empties: tuple[str, ...] = ()
    stays: Mapping[str, str] = field(default_factory=dict)
    because: str = ""

    @property
    def schema(self) -> Schema:
        """The table as SQL has it."""
        return cast("Schema", self.table.__table__)

    def is_of(self, member_id: UUID) -> ColumnElement[bool]:
        """Say in SQL which rows are a member's."""
        ways = (self.whose, *self.also)
        return or_(*(_leads(self.schema.c[name], member_id) for name in ways))


def _leads(column: Column[Any], member_id: UUID) -> ColumnElement[bool]:
    """Say in SQL that a reference leads to a member, over however many tables."""
    if column.table is Member.__table__:
        return column == member_id
    to = next(iter(column.foreign_keys)).column
    if to.table is Member.__table__:
        return column == member_id
    [line] = (line for line in KEPT if line.schema is to.table)
    return column.in_(select(to).where(line.is_of(member_id)))


KEPT: Final = (
    Kept(
        Member,
        "member_id",
        "who you are, as you told it",
        section="member",
        hides={
            "join_id": "a secret of the phone that joined",
            "joined_from": "a number from which nobody can tell a device",
            "staff_id": _OTHERS,
            "email_key": _AGAIN,
        },
        empties=(
            "name", "email", "locale", "join_id", "invite", "joined_from", "staff_id",
            "email_key", "email_confirmed_at", "phone", "address", "birthday",
            "birthday_set_at",
        ),
        stays={
            "member_id": "a random number, to which the closed card belongs",
            "joined_at": "how many joined in a month stays true",
        },
    ),
    Kept(
        Card,
        "member_id",
        "your cards",
        section="cards",
        because="it is closed; its entries need it, and its number names nobody",
    ),
    Kept(
        LedgerEntry,
        "card_id",
        "everything that happened to your cards, in words",
        section="entries",
        hides={
            "nonce": _OURS, "proof": _OURS, "receipt": _OURS, "request_id": _OURS,
            "answer": _AGAIN, "staff_id": _OTHERS, "terminal_id": _OTHERS,
        },
        because="entries are signed and add up, and name no person",
    ),
    Kept(
        Voucher,
        "card_id",
        "your vouchers",
        section="vouchers",
        because="entries refer to it; it tells a reward and a day, and no person",
    ),
    Kept(
        PartnerCode,
        "voucher_id",
        "codes of other shops that you were given",
        section="partner_codes",
        because="it was handed out once; without its voucher it names nobody",
    ),
    Kept(
        TierHeld,
        "card_id",
        "the tiers that your cards have had, and why",
        section="tiers",
        because="it tells a tier and a day, and no person",
    ),
    Kept(
        TierInvitation,
        "card_id",
        "tiers that you were invited to",
        section="tier_invitations",
        hides={"staff_id": _OTHERS},
        because="it tells a tier and a day, and no customer",
    ),
    Kept(
        Membership,
        "card_id",
        "memberships that were paid",
        section="memberships",
        hides={
            "request_id": _OURS, "paid_by": _OTHERS, "ended_by": _OTHERS,
            "terminal_id": _OTHERS,
        },
        empties=("reason",),
        stays=dict.fromkeys(
            (
                "membership_id", "card_id", "plan_id", "name", "price",
                "period_months", "cashback", "cap", "currency", "from_at", "until_at",
                "year_from_at", "follows_id", "paid_how", "paid_at", "paid_by",
                "terminal_id", "request_id", "reminded_at", "told_at", "ended_at",
                "ended_by",
            ),
            "what was paid stays in the shop's books, and names no person",
        ),
    ),
    Kept(
        EarningPart,
        "card_id",
        "what is left over of purchases, and makes a part of your next point",
        section="remainders",
        hides={"part_no": _AGAIN},
        because="it is a share of one unit on a closed card, and names nobody",
    ),
    Kept(
        ReferralLink,
        "card_id",
        "the word with which you invite friends",
        section="referral_links",
        hides={"seen_from": "a number from which nobody can tell a device"},
        goes=True,
    ),
    Kept(
        Referral,
        "card_id",
        "that you came by an invitation, or invited somebody",
        also=("giver_card_id",),
        because="it tells of two people, and the other one's part is not yours to "
        "have; your entries tell what you were given for it",
    ),
    Kept(
        TermsAccepted,
        "card_id",
        "which terms you agreed to, and when",
        section="terms",
        because="how many agreed to a version stays true; it names a card and nobody",
    ),
    Kept(
        GroupMember,
        "member_id",
        "the groups that you belong to",
        section="groups",
        hides={"staff_id": _OTHERS},
        goes=True,
    ),
    Kept(
        InvitationUse,
        "member_id",
        "the invitations that you used",
        section="invitations",
        goes=True,
    ),
    Kept(
        AgeSeen,
        "member_id",
        "ages that staff saw a document for",
        section="ages",
        hides={"staff_id": _OTHERS},
        goes=True,
    ),
    Kept(
        Purchase,
        "card_id",
        "what you bought and showed your card for",
        section="purchases",
        hides={
            "request_id": _OURS, "staff_id": _OTHERS, "terminal_id": _OTHERS,
            "refunds": _AGAIN,
        },
        because="entries refer to it; it tells a sum and a day, and no person",
    ),
    Kept(
        PurchaseLine,
        "purchase_id",
        "the items of each purchase",
        section="purchase_lines",
        because="what was sold stays true; it tells an item, and no person",
    ),
    Kept(
        Refund,
        "purchase_id",
        "what of a purchase came back",
        section="refunds",
        hides={
            "request_id": _OURS, "answer": _AGAIN, "staff_id": _OTHERS,
            "terminal_id": _OTHERS,
        },
        because="what was paid back stays true; it tells a sum, and no person",
    ),
    Kept(
        RefundLine,
        "purchase_id",
        "which items came back",
        section="refund_lines",
        because="a line comes back once; it tells a number, and no person",
    ),
    Kept(
        Consent,
        "member_id",
        "what you agreed to, and what you took back",
        section="consents",
        # Without the person it proves nothing about anybody, and with the person it
        # would be what was to be forgotten.
        goes=True,
    ),
    Kept(
        AccessToken,
        "member_id",
        "the phones and browsers that hold your card",
        section="sessions",
        hides={
            "token_hash": "a key to your card, of which only a print is kept",
            "staff_id": _OTHERS,
            "terminal_id": _OTHERS,
        },
        goes=True,
    ),
    Kept(
        Passkey,
        "member_id",
        "the keys in your devices that sign you in",
        section="passkeys",
        hides={
            "credential_id": "of use to your device alone",
            "public_key": "of use to your device alone",
            "sign_count": "how often the key was used, as it counts itself",
        },
        goes=True,
    ),
    Kept(
        EmailChange,
        "member_id",
        "changes of your address",
        section="address_changes",
        goes=True,
    ),
    Kept(
        MailCode,
        "member_id",
        "codes that were sent to you; none of them is kept",
        also=("change_id",),
        section="mail_codes",
        hides={"code_hash": "a key to your account, of which only a print is kept"},
        goes=True,
    ),
    Kept(
        Outgoing,
        "member_id",
        "mail to you; once it is sent, neither address nor content is kept",
        section="mails",
        goes=True,
    ),
    Kept(
        Signal,
        "card_id",
        "what looked like a misuse of a card",
        because="who misuses a card must not learn what gives them away; it tells of a "
        "card and a till, and names no customer",
    ),
    Kept(
        CardMerge,
        "into_card_id",
        "cards that were put to yours",
        section="merged_cards",
        hides={"staff_id": _OTHERS},
        because="it names two closed cards and nobody",
    ),
    Kept(
        Erasure,
        "member_id",
        "that you wished to be forgotten",
        because="it is written when everything else is gone, so that books out of a "
        "backup forget again",
    ),
)  # fmt: skip
