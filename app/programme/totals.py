"""How much is in the books, for whoever watches the machine."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from app.store import outbox
from app.store.outbox import Figures
from app.store.tables import LEDGER_KINDS, LedgerEntry
from app.tools import Tools

__all__ = ["Figures", "ledger_entries", "mail"]


def ledger_entries(tools: Tools) -> Mapping[str, int]:
    """Count the ledger's entries of each kind; one pass over the ledger.

    Raises:
        StoreDown: the books gave no answer.
    """
    kind, count = LedgerEntry.kind, func.count()
    with tools.database.read() as tx:
        found = tx.execute(select(kind, count).group_by(kind))
        counted = {row[0]: row[1] for row in found}
    return {each: counted.get(each, 0) for each in LEDGER_KINDS}


def mail(tools: Tools) -> Figures:
    """Tell how full the outbox is.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        return outbox.figures(tx, tools.now())
