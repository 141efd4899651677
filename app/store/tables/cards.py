"""Members, their cards and vouchers, the ledger, and stamps on paper."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, validates

from app.store.tables.columns import Table

_IS_CONFIRMED = text("email_confirmed_at IS NOT NULL")


class Member(Table):
    """A customer who joined."""

    __tablename__ = "member"
    __table_args__ = (
        # A confirmed address is one member's.
        Index(
            "uq_member_email_key_confirmed",
            "email_key",
            unique=True,
            sqlite_where=_IS_CONFIRMED,
            postgresql_where=_IS_CONFIRMED,
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None] = mapped_column(String(60))
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    locale: Mapped[str | None] = mapped_column(String(12))
    #: The joining that made this member, so that a double tap makes one.
    join_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    #: The invitation that brought this member, as it was given.
    invite: Mapped[str | None] = mapped_column(String(64))
    joined_at: Mapped[datetime]
    #: A hash of the device and network that joined, for a month; None: not known.
    joined_from: Mapped[str | None] = mapped_column(String(32))
    #: Who works here and is this customer: stamped by colleagues only.
    staff_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("staff_member.staff_id"), index=True
    )
    #: ``email`` as it is compared: small letters. Follows it by itself.
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    #: When whoever reads that mailbox proved it; None: never.
    email_confirmed_at: Mapped[datetime | None]
    phone: Mapped[str | None] = mapped_column(String(32))
    #: For letters by post, a line for each of its lines.
    address: Mapped[str | None] = mapped_column(String(300))
    birthday: Mapped[date | None]
    #: When it was last set to a day; it stays when the day is taken away.
    birthday_set_at: Mapped[datetime | None]

    @validates("email")
    def _compare(self, _name: str, email: str | None) -> str | None:
        self.email_key = email.casefold() if email else None
        return email


class Card(Table):
    """A member's card in one programme."""

    __tablename__ = "card"
    __table_args__ = (UniqueConstraint("member_id", "programme_id"),)

    card_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.programme_id"))
    #: Eight random digits that people read to each other.
    number: Mapped[str] = mapped_column(String(8), unique=True)
    terms_version: Mapped[int]
    #: The version that the running round was promised under; None: none has begun,
    #: and the next goes by the version in force.
    promised_version: Mapped[int | None]
    #: Counts every change that the card's page shows.
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    #: Since when nothing counts on it, until a manager says otherwise.
    paused_at: Mapped[datetime | None]
    #: The soonest end of units that are left on it, for ``app.programme.ends``; None:
    #: none of them ends.
    units_end_at: Mapped[datetime | None] = mapped_column(index=True)
    #: Ends up to this moment were looked at for ``earning.warning``; None: none was.
    units_warned_until: Mapped[datetime | None]


class Voucher(Table):
    """A reward that one member holds."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint(
            "state IN ('issued', 'redeemed', 'expired', 'voided')", name="state"
        ),
        CheckConstraint("rest >= 0 AND rest <= worth", name="rest"),
        # One member's first, second, third of a reward: each there once.
        Index("uq_voucher_nth", "reward_id", "card_id", "nth", unique=True),
        Index("ix_voucher_expires_at", "expires_at"),
    )

    voucher_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    #: As promised when it was issued, whatever the programme says later.
    reward: Mapped[str] = mapped_column(String(60))
    #: The version that its round was promised under; None: older than versions.
    promised_version: Mapped[int | None]
    #: ``expired`` is told by ``app.programme.expiry`` from the end, and not written.
    state: Mapped[str] = mapped_column(String(10), default="issued")
    issued_at: Mapped[datetime]
    #: The last second in which it is good, promised when it was issued; None: no end.
    expires_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
    #: The reward that was chosen; None: what a full card gave.
    reward_id: Mapped[UUID | None] = mapped_column(ForeignKey("reward.reward_id"))
    #: Which of the member's of this reward it is, while it is theirs.
    nth: Mapped[int | None]
    #: As promised: what kind, percent or minor units, in which money.
    kind: Mapped[str] = mapped_column(String(12), default="item", server_default="item")
    worth: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    #: Of money: what is not used yet.
    rest: Mapped[int | None]
    #: What it cost the budget, to be given back with it.
    cost: Mapped[int | None]
    #: As promised: a text or link for its holder alone.
    content: Mapped[str | None] = mapped_column(Text)
    #: When its holder first read what only a holder may: it can't go back then.
    opened_at: Mapped[datetime | None]
    #: When its holder was written to that its end comes near.
    warned_at: Mapped[datetime | None]


#: Entries that give stamps, as a limit counts them: an undoing takes none away.
_GIVES = text("units > 0")
LEDGER_KINDS = ("EARN", "BONUS", "REDEEM", "EXPIRE", "REVERSE", "ADJUST", "MERGE")


class LedgerEntry(Table):
    """One thing that happened to a card; never changed, never removed.

    An entry made by a code carries the code: its ``nonce``, unique in the whole
    ledger, and its 80 bytes as ``proof``, which anyone with the public keys can
    check for ever. The use of a voucher moves no units; its entry is there for
    its proof and so that it can be reversed.

    Every entry carries a ``receipt`` over all its columns but the number, also those
    that are added here later: ``app.programme.ledger`` signs and writes it.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint(f"kind IN {LEDGER_KINDS}", name="kind"),
        CheckConstraint("(nonce IS NULL) = (proof IS NULL)", name="nonce_has_proof"),
        CheckConstraint(
            "kind <> 'EARN' OR (nonce IS NOT NULL AND units > 0)", name="earn_has_proof"
        ),
        CheckConstraint(
            "(kind = 'REVERSE') = (reverses_id IS NOT NULL)", name="reverse_names_entry"
        ),
        CheckConstraint("unit IN ('point', 'cent')", name="unit"),
        Index("ix_ledger_entry_card_id_entry_no", "card_id", "entry_no"),
        Index("uq_ledger_entry_once", "once", unique=True),
        *(
            Index(
                f"ix_ledger_entry_given_{whose}",
                f"{whose}_id",
                "at",
                "units",
                sqlite_where=_GIVES,
                postgresql_where=_GIVES,
            )
            for whose in ("staff", "terminal", "location")
        ),
    )

    #: The order in which the books took it.
    entry_no: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    entry_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"))
    kind: Mapped[str] = mapped_column(String(8))
    #: Of ``unit``; negative where they leave the card.
    units: Mapped[int]
    #: None: stamps, as in entries older than other units.
    unit: Mapped[str | None] = mapped_column(String(5))
    #: The last second of what it gives; None: no end.
    expires_at: Mapped[datetime | None]
    #: The rule that made it, a stable word.
    rule: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(index=True)
    #: The code that was spent: 9 bytes, and all 80.
    nonce: Mapped[bytes | None] = mapped_column(unique=True)
    proof: Mapped[bytes | None]
    request_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    #: What the first answer said, for the same request asked again.
    answer: Mapped[dict[str, Any] | None]
    voucher_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("voucher.voucher_id"), index=True
    )
    reverses_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ledger_entry.entry_id"), unique=True
    )
    #: What brought it about: the entry of its transaction, or the lot that it ends.
    caused_by_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ledger_entry.entry_id")
    )
    #: Names what happens once in the life of the books; None: as often as it likes.
    once: Mapped[str | None] = mapped_column(String(120))
    #: What earned it, as it said then; None: what the barista counted, or no earning.
    rule_version_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("earning_rule_version.version_id"), index=True
    )
    reason: Mapped[str | None] = mapped_column(String(200))
    #: The purchase that brought it about, if one did.
    purchase_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("purchase.purchase_id"), index=True
    )
    terminal_id: Mapped[UUID | None] = mapped_column(ForeignKey("terminal.terminal_id"))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.location_id"))
    #: The signing key's id in 2 bytes, and its signature in 64. NULL until the
    #: transaction that writes the entry ends, and in entries older than receipts.
    receipt: Mapped[bytes | None]


class PrintedBatch(Table):
    """A batch of single-use stamps on paper.

    ``app.programme.printed`` tells what its receipt covers, and why the codes
    themselves are not in the books.
    """

    __tablename__ = "printed_batch"
    __table_args__ = (
        CheckConstraint("stamps BETWEEN 1 AND 5", name="stamps"),
        CheckConstraint("count > 0", name="count"),
        CheckConstraint("state IN ('open', 'revoked')", name="state"),
        CheckConstraint(
            "(state = 'revoked') = (revoked_at IS NOT NULL)", name="revoked_has_moment"
        ),
    )

    #: What people call it: stands on each stamp.
    batch_no: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    batch_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    #: What it is for, in the shop's own words.
    name: Mapped[str] = mapped_column(String(60))
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.programme_id"))
    #: Where its stamps count as given; None: nowhere in particular.
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.location_id"))
    #: Stamps that each code gives.
    stamps: Mapped[int]
    #: How many codes.
    count: Mapped[int]
    #: The last moment of every code.
    expires_at: Mapped[datetime]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.staff_id"))
    created_at: Mapped[datetime]
    #: The key that signs its codes.
    key_id: Mapped[int]
    #: 32 bytes from which every nonce follows.
    seed: Mapped[bytes]
    receipt: Mapped[bytes]
    #: How often its codes were put on paper.
    printings: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(7), default="open")
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    reason: Mapped[str | None] = mapped_column(String(200))


class PrintedCode(Table):
    """One printed code: its issue record, for as long as paper lives."""

    __tablename__ = "printed_code"
    __table_args__ = (UniqueConstraint("batch_id", "number"),)

    nonce: Mapped[bytes] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("printed_batch.batch_id"))
    #: 1 to the batch's count.
    number: Mapped[int]
    key_id: Mapped[int]
