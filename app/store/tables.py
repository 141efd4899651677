"""Every table of the books, with the constraints that hold "once".

Names of constraints are fixed, since ``app.programme`` asks which one was met.
Moments are UTC (``Moment``). The ledger is append-only: nothing here updates or
deletes an entry, and a card's balance is the sum of its entries.

What holds each "once":

* a code counts once: ``uq_ledger_entry_nonce``
* a request counts once: ``uq_ledger_entry_request_id``
* an entry is reversed once: ``uq_ledger_entry_reverses_id``
* a terminal is enrolled once per code: ``uq_terminal_nonce``
* a joining makes one member: ``uq_member_join_id``
* a member has one card in a programme: ``uq_card_member_id_programme_id``
* a printed code belongs to one batch, under one number: ``pk_printed_code`` and
  ``uq_printed_code_batch_id_number``
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Moment(TypeDecorator[datetime]):
    """A point in time: aware on both sides, UTC in the books.

    SQLite keeps no zone and would hand back naive moments.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Refuse a naive moment, write an aware one as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Read a moment as UTC."""
        if value is None:
            return None
        return (
            value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        )


class Table(DeclarativeBase):
    """Root of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy reads it as it is
        datetime: Moment(),
        UUID: Uuid(),
        dict[str, Any]: JSON(),
        bytes: LargeBinary(),
    }


class Shop(Table):
    """The shop itself: one row."""

    __tablename__ = "shop"
    __table_args__ = (CheckConstraint("shop_id = 1", name="one_row"),)

    shop_id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(String(60))
    #: ``#rrggbb``
    colour: Mapped[str] = mapped_column(String(7))
    #: IANA name, for dates on stamps and days in figures.
    timezone: Mapped[str] = mapped_column(String(40))
    #: Whether staff may give stamps to a card that nobody showed.
    allows_by_hand: Mapped[bool] = mapped_column(default=False, server_default=false())
    founded_at: Mapped[datetime]
    stamp_shape: Mapped[str] = mapped_column(
        String(12), default="round", server_default="round"
    )
    #: The name of its picture in ``Logo``; None for the plain mark.
    logo: Mapped[str | None] = mapped_column(String(24))


class Logo(Table):
    """The shop's own mark as PNG, apart from ``Shop`` because that is read often."""

    __tablename__ = "logo"

    #: Of its content, with its size: another picture has another name.
    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    png: Mapped[bytes]


class Programme(Table):
    """The rules of one stamp card."""

    __tablename__ = "programme"
    __table_args__ = (
        CheckConstraint("stamps_required BETWEEN 2 AND 30", name="stamps_required"),
        CheckConstraint("voucher_days BETWEEN 1 AND 3650", name="voucher_days"),
    )

    programme_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60))
    reward: Mapped[str] = mapped_column(String(60))
    stamps_required: Mapped[int]
    terms: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[int] = mapped_column(default=1)
    #: For how many days its vouchers are good, told by ``app.programme.expiry``; None:
    #: they have no end.
    voucher_days: Mapped[int | None]
    is_open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Location(Table):
    """A shop's place: one counter or several."""

    __tablename__ = "location"

    location_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    created_at: Mapped[datetime]


class Terminal(Table):
    """A device at a counter, enrolled by a single-use code."""

    __tablename__ = "terminal"

    terminal_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    location_id: Mapped[UUID] = mapped_column(
        ForeignKey("location.location_id"), index=True
    )
    name: Mapped[str] = mapped_column(String(60))
    #: The enrolment code that made it: 9 bytes, and all 80 as its proof.
    nonce: Mapped[bytes] = mapped_column(unique=True)
    proof: Mapped[bytes]
    enrolled_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class StaffMember(Table):
    """A person who works in the shop."""

    __tablename__ = "staff_member"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'manager', 'barista')", name="role"),
    )

    staff_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(10))
    #: None: works at every location.
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.location_id"))
    #: argon2 of the PIN; None until one is set.
    pin_hash: Mapped[str | None] = mapped_column(String(120))
    #: For the console, lower case; None: no console.
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(120))
    #: The language they chose, as a tag; None: the till's or the browser's.
    locale: Mapped[str | None] = mapped_column(String(12))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Member(Table):
    """A customer who joined."""

    __tablename__ = "member"

    member_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None] = mapped_column(String(60))
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    locale: Mapped[str | None] = mapped_column(String(12))
    #: The joining that made this member, so that a double tap makes one.
    join_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    #: The invitation that brought this member, as it was given.
    invite: Mapped[str | None] = mapped_column(String(64))
    joined_at: Mapped[datetime]


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
    #: Counts every change that the card's page shows.
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]


class Voucher(Table):
    """A reward that one member holds."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint(
            "state IN ('issued', 'redeemed', 'expired', 'voided')", name="state"
        ),
    )

    voucher_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"), index=True)
    #: As promised when it was issued, whatever the programme says later.
    reward: Mapped[str] = mapped_column(String(60))
    #: ``expired`` is told by ``app.programme.expiry`` from the end, and not written.
    state: Mapped[str] = mapped_column(String(10), default="issued")
    issued_at: Mapped[datetime]
    #: The last second in which it is good, promised when it was issued; None: no end.
    expires_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]


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
        Index("ix_ledger_entry_card_id_entry_no", "card_id", "entry_no"),
    )

    #: The order in which the books took it.
    entry_no: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    entry_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.card_id"))
    kind: Mapped[str] = mapped_column(String(8))
    #: Stamps; negative where they leave the card.
    units: Mapped[int]
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
    reason: Mapped[str | None] = mapped_column(String(200))
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


class AccessToken(Table):
    """A bearer's right to speak as somebody; only its hash is kept."""

    __tablename__ = "access_token"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('member', 'terminal', 'staff', 'console')", name="kind"
        ),
    )

    #: SHA-256 of the token, which has 256 random bits of its own.
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    member_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("member.member_id"), index=True
    )
    terminal_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("terminal.terminal_id"), index=True
    )
    staff_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("staff_member.staff_id"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Signal(Table):
    """Something that may be fraud, with its evidence; it blocks nothing itself."""

    __tablename__ = "signal"
    __table_args__ = (
        CheckConstraint(
            "state IN ('new', 'looked_at', 'dismissed', 'confirmed')", name="state"
        ),
    )

    signal_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    evidence: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10), default="new")
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("card.card_id"))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    terminal_id: Mapped[UUID | None] = mapped_column(ForeignKey("terminal.terminal_id"))


_IS_WAITING = text("sent_at IS NULL AND failed_at IS NULL")


class Outgoing(Table):
    """A mail waiting to be sent, or sent; written with what caused it.

    ``app.store.outbox`` tells how one is handed over. What was sent or given up keeps
    neither address nor facts: these columns are for the way only.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("sent_at IS NULL OR failed_at IS NULL", name="one_end"),
        CheckConstraint(
            "address IS NOT NULL OR sent_at IS NOT NULL OR failed_at IS NOT NULL",
            name="waiting_has_address",
        ),
        Index(
            "ix_outbox_waiting",
            "due_at",
            sqlite_where=_IS_WAITING,
            postgresql_where=_IS_WAITING,
        ),
    )

    #: Also the mail's Message-ID, so that one that was sent twice is known as one.
    outgoing_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    #: A stable word: ``welcome``.
    kind: Mapped[str] = mapped_column(String(40))
    #: Whom it is about; None: nobody who joined.
    member_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("member.member_id"), index=True
    )
    address: Mapped[str | None] = mapped_column(String(254))
    #: The language to write in, as a tag; None: not known.
    locale: Mapped[str | None] = mapped_column(String(12))
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    #: When it may be taken next: the next try, or the end of a lease.
    due_at: Mapped[datetime]
    #: Times that it was taken; tells one taking from the next.
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    #: When it was given up.
    failed_at: Mapped[datetime | None]
    #: Why the last try did not work, a stable word; nothing personal.
    problem: Mapped[str | None] = mapped_column(String(40))


class AuditEntry(Table):
    """Who changed what in the shop; append-only, each row chained to the one before."""

    __tablename__ = "audit_entry"

    audit_no: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    #: The staff member who did it; None for a script.
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    #: A stable word: ``terminal.revoked``.
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]]
    #: The ``entry_hash`` of the row before, 32 zero bytes for the first: unique, so
    #: that the chain cannot fork.
    previous_hash: Mapped[bytes] = mapped_column(unique=True)
    #: SHA-256 over all but ``audit_no``; ``app.programme.audit`` tells how.
    entry_hash: Mapped[bytes]
