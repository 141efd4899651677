"""What the account's doors leave behind, swept away once it can tell nobody anything.

A code that was spent, or died, is asked after no more; nor is a challenge, whose seal
ended long before. Both are kept for a day, so that whoever looks into a complaint finds
them. A change of address stays for a month: it tells a member where their address went.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from app.store.database import changed
from app.store.tables import EmailChange, MailCode, SpentChallenge
from app.tools import Tools

KEPT: Final = timedelta(days=1)
_CHANGES_KEPT: Final = timedelta(days=30)


def tidy(tools: Tools) -> int:
    """Delete what is over; tells how many rows."""
    now = tools.now()
    over = select(EmailChange.change_id).where(
        EmailChange.expires_at < now - _CHANGES_KEPT
    )
    with tools.database.begin() as tx:
        return (
            changed(tx, delete(MailCode).where(MailCode.expires_at < now - KEPT))
            + changed(
                tx, delete(SpentChallenge).where(SpentChallenge.spent_at < now - KEPT)
            )
            + changed(tx, delete(EmailChange).where(EmailChange.change_id.in_(over)))
        )
