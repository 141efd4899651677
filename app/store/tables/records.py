"""What else is written down: tokens, signals, mail on its way, the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table


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
    #: What the device says it is: "Chrome, Android"; None: it said nothing.
    device: Mapped[str | None] = mapped_column(String(60))
    #: To the hour, of members' tokens; None: not since it was made.
    seen_at: Mapped[datetime | None]


class Signal(Table):
    """Something that may be fraud, with its evidence; it blocks nothing itself."""

    __tablename__ = "signal"
    __table_args__ = (
        CheckConstraint(
            "state IN ('new', 'looked_at', 'dismissed', 'confirmed')", name="state"
        ),
        Index("uq_signal_once", "once", unique=True),
        Index("ix_signal_state_at", "state", "at"),
    )

    signal_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    evidence: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10), default="new")
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("card.card_id"))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    terminal_id: Mapped[UUID | None] = mapped_column(ForeignKey("terminal.terminal_id"))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.location_id"))
    #: The entry that it is about, where there is one.
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.entry_id"))
    #: Names what is told once, however often it is seen; None: always another.
    once: Mapped[str | None] = mapped_column(String(120))
    #: Who gave it its state, when, and what they wrote of it.
    judged_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.staff_id"))
    judged_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(String(500))


class Watched(Table):
    """How far the ledger was looked through for signals."""

    __tablename__ = "watched"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    until: Mapped[datetime]


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
