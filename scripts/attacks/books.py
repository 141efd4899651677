"""What the shop's books say, so that "accepted" is judged by more than answers.

From inside, everything that an attack could gain is counted. From outside, what the
API tells of the cards that this run made.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, func, select

from app.store.tables import (
    AccessToken,
    LedgerEntry,
    Location,
    PrintedBatch,
    Programme,
    Shop,
    Signal,
    StaffMember,
    Table,
    Terminal,
)
from app.tools import Tools

if TYPE_CHECKING:
    from scripts.attacks.parts import Phone

#: What is the owner's to change, and nobody else's.
_SETTINGS: Final[tuple[type[Table], ...]] = (Shop, Programme, Location, StaffMember)
_GIVEN: Final = ("EARN", "ADJUST", "BONUS")


def of_phones(phones: list[Phone]) -> Counter[str]:
    """Count what the API tells of the cards of these phones."""
    found: Counter[str] = Counter()
    for phone in phones:
        card = phone.card()
        vouchers = card["vouchers"]
        found["stamps"] += card["stamps"] + card["stamps_required"] * len(vouchers)
        found["redemptions"] += sum(one["state"] == "redeemed" for one in vouchers)
    return found


def of_shop(tools: Tools) -> Counter[str]:
    """Count everything of worth in the books; ``settings`` is a digest of theirs.

    Raises:
        StoreDown: the books gave no answer.
    """
    given = LedgerEntry.kind.in_(_GIVEN)
    questions: Mapping[str, Select[Any]] = {
        "stamps": select(func.sum(LedgerEntry.units)).where(given),
        "redemptions": select(func.count()).where(
            LedgerEntry.kind == "REDEEM", LedgerEntry.nonce.is_not(None)
        ),
        "undone": select(func.count()).where(LedgerEntry.reason.is_not(None)),
        "tills": select(func.count()).select_from(Terminal),
        "removed tills": select(func.count()).where(Terminal.revoked_at.is_not(None)),
        "batches": select(func.count()).select_from(PrintedBatch),
        "called back": select(func.count()).where(PrintedBatch.state == "revoked"),
        "sessions": select(func.count()).where(AccessToken.kind != "member"),
    }
    with tools.database.read() as tx:
        found = Counter(
            {what: tx.scalar(asked) or 0 for what, asked in questions.items()}
        )
        settings = [
            sorted(map(repr, tx.execute(select(*table.__table__.columns)).all()))
            for table in _SETTINGS
        ]
    found["settings"] = int(
        hashlib.sha256(repr(settings).encode()).hexdigest()[:12], 16
    )
    return found


def signals(tools: Tools) -> Counter[str]:
    """Count the signals that were raised, by kind.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        rows = tx.execute(select(Signal.kind, func.count()).group_by(Signal.kind))
        return Counter({row[0]: row[1] for row in rows})


def differences(
    before: Counter[str], after: Counter[str], honest: Counter[str]
) -> Counter[str]:
    """Tell what changed that nobody did honestly: more than was given, or less.

    Only of what was counted: from outside less can be seen.
    """
    counted = before.keys() | after.keys()
    found = {
        what: after[what] - before[what] - honest[what] for what in sorted(counted)
    }
    return Counter({what: by for what, by in found.items() if by})
