"""What members may choose: rewards, and the codes of partners that go with them.

What is left of a reward is never asked before it is taken: ``sold`` and ``spent`` are
raised by one conditional update, and these constraints hold what it promises.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.store.tables.columns import Table

REWARD_KINDS: Final = (
    "item",
    "percent",
    "money",
    "delivery",
    "merchandise",
    "early_access",
    "vip",
    "content",
    "partner",
    "event",
)


class Reward(Table):
    """Something that members choose for what is on their card."""

    __tablename__ = "reward"
    __table_args__ = (
        CheckConstraint(f"kind IN {REWARD_KINDS}", name="kind"),
        CheckConstraint("unit IN ('stamp', 'point', 'cent')", name="unit"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("worth > 0", name="worth"),
        CheckConstraint("kind <> 'percent' OR worth BETWEEN 1 AND 100", name="percent"),
        CheckConstraint(
            "(worth IS NOT NULL) = (kind IN ('percent', 'money'))", name="has_worth"
        ),
        CheckConstraint("cost >= 0", name="cost"),
        CheckConstraint("sold >= 0 AND (stock IS NULL OR sold <= stock)", name="stock"),
        CheckConstraint(
            "spent >= 0 AND (budget IS NULL OR spent <= budget)", name="budget"
        ),
        CheckConstraint("per_member > 0", name="per_member"),
        CheckConstraint("voucher_days BETWEEN 1 AND 3650", name="voucher_days"),
        CheckConstraint(
            "kind <> 'event' OR (starts_at IS NOT NULL AND ends_at IS NOT NULL "
            "AND starts_at < ends_at AND stock IS NOT NULL)",
            name="event",
        ),
    )

    reward_id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    programme_id: Mapped[UUID] = mapped_column(
        ForeignKey("programme.programme_id"), index=True
    )
    kind: Mapped[str] = mapped_column(String(12))
    #: What people read: "Free cinnamon roll".
    name: Mapped[str] = mapped_column(String(60))
    #: More of it, in a few lines; "" where the name says all.
    about: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    #: What it is paid with, and how many; 0: it costs nothing.
    unit: Mapped[str] = mapped_column(String(5), default="stamp")
    price: Mapped[int]
    #: Percent, or minor units of the shop's currency; None where it is neither.
    worth: Mapped[int | None]
    #: What one of them costs the shop, in minor units.
    cost: Mapped[int] = mapped_column(default=0)
    #: How many there are in all, places at an event too; None: no limit.
    stock: Mapped[int | None]
    #: Of these, how many members hold or have used.
    sold: Mapped[int] = mapped_column(default=0)
    #: What all of them may cost the shop, in minor units; None: no limit.
    budget: Mapped[int | None]
    #: Of this, how much those that were sold cost.
    spent: Mapped[int] = mapped_column(default=0)
    #: How many one member may have; None: no limit.
    per_member: Mapped[int | None]
    #: When it can be chosen; None: always, from or until.
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    #: For how many days its vouchers are good; None: they have no end.
    voucher_days: Mapped[int | None]
    #: Only members of this tier, or above; None: everybody.
    needs_tier_id: Mapped[UUID | None]
    #: A text or a link that only those read who hold it.
    content: Mapped[str | None] = mapped_column(Text)
    #: Of an event: when and where.
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    place: Mapped[str | None] = mapped_column(String(120))
    #: Where it stands in the list; the lowest is first.
    position: Mapped[int] = mapped_column(default=0)
    is_open: Mapped[bool] = mapped_column(default=True, server_default=true())
    #: Of an event that does not take place: since when, and what its guests read.
    called_off_at: Mapped[datetime | None]
    called_off_why: Mapped[str | None] = mapped_column(String(200))
    #: Counts the changes of what it promises: nobody pays a price they did not see.
    edition: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


_IS_FREE = text("voucher_id IS NULL AND withdrawn_at IS NULL")


class PartnerCode(Table):
    """A code of another firm, handed to one voucher."""

    __tablename__ = "partner_code"
    __table_args__ = (
        UniqueConstraint("reward_id", "code"),
        Index(
            "ix_partner_code_free",
            "reward_id",
            "code_no",
            sqlite_where=_IS_FREE,
            postgresql_where=_IS_FREE,
        ),
    )

    #: The order in which they are handed out.
    code_no: Mapped[int] = mapped_column(primary_key=True)
    reward_id: Mapped[UUID] = mapped_column(ForeignKey("reward.reward_id"))
    code: Mapped[str] = mapped_column(String(80))
    #: Whose it is; unique, so that a voucher has one.
    voucher_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("voucher.voucher_id"), unique=True
    )
    added_at: Mapped[datetime]
    #: When the shop took it out of the pool.
    withdrawn_at: Mapped[datetime | None]
