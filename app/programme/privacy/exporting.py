"""All that is kept of a person, as one document that a program can read.

The document is JSON:

* ``format``: ``punchproof.person/1``; another number if a reader has to change
* ``made_at``, ``shop`` and ``origin``: when, by whom, and at which address
* ``about``: of each section, what it is
* a section for each table of ``kept.KEPT`` that has one: ``member`` an object, the
  others lists of objects, each with the columns of its table; moments in UTC by ISO
  8601, ids as text. Entries have their ``words`` beside them: the sentence that the
  member reads on the page, in the language of whoever asks.
* ``left_out``: of each table or column that is not told, why
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.programme import history
from app.programme import shop as shops
from app.programme.errors import NotFound
from app.programme.history import HistoryLine
from app.programme.privacy.kept import KEPT, Kept
from app.store.database import Tx, same_state
from app.store.tables import Card, Erasure, Member
from app.tools import Tools

FORMAT: Final = "punchproof.person/1"
#: More entries of one card than anybody will ever have.
_ALL: Final = 1_000_000


def of_member(
    tools: Tools, member_id: UUID, *, say: Callable[[HistoryLine], str]
) -> dict[str, Any]:
    """Put together all that is kept of a person.

    Args:
        tools: the books.
        member_id: whose; the caller has checked who asks.
        say: puts an entry into words.

    Raises:
        NotFound: no such member, or nobody any more.
        StoreDown: the books gave no answer.
    """
    told: dict[str, Any] = {
        "format": FORMAT,
        "made_at": _plain(tools.now()),
        "shop": shops.shop(tools).name,
        "origin": tools.settings.origin,
        "about": {line.section: line.what for line in KEPT if line.section},
    }
    with tools.database.read() as tx:
        same_state(tx)
        if tx.get(Member, member_id) is None or tx.get(Erasure, member_id) is not None:
            raise NotFound
        for line in KEPT:
            if line.section:
                told[line.section] = _rows(tx, line, member_id)
        cards = tx.scalars(select(Card.card_id).where(Card.member_id == member_id))
        mine = cards.all()
    [told["member"]] = told["member"]
    words = {
        str(row.entry_id): say(row)
        for card_id in mine
        for row in history.of_card(tools, card_id, limit=_ALL)
        if row.entry_id is not None
    }
    for entry in told["entries"]:
        entry["words"] = words.get(entry["entry_id"], "")
    return told | {"left_out": _left_out()}


def _rows(tx: Tx, line: Kept, member_id: UUID) -> list[dict[str, Any]]:
    shown = [each for each in line.schema.columns if each.key not in line.hides]
    asked = select(*shown).where(line.is_of(member_id))
    asked = asked.order_by(*line.schema.primary_key.columns)
    return [
        {name: _plain(value) for name, value in row._mapping.items()}
        for row in tx.execute(asked)
    ]


def _left_out() -> Mapping[str, str]:
    """Tell what is not told, and why."""
    tables = {line.schema.name: line.because for line in KEPT if not line.section}
    columns = {
        f"{line.section}.{name}": why
        for line in KEPT
        for name, why in line.hides.items()
    }
    return tables | columns


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value
