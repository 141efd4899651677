"""Telling members by mail what will change, in the transaction that decides it.

Such a mail is about what was promised, so it asks for no consent, as a receipt does
not; who left no address reads it on the card. It goes to whoever has an open card of
the programme.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import insert, select

from app.programme.terms.figures import gains
from app.programme.terms.reading import Version
from app.programme.welcome import greeting_name
from app.store.database import Tx
from app.store.tables import Card, Member, Outgoing, Programme
from app.tools import Tools

KIND: Final = "terms"
#: Mails in one statement.
_AT_A_TIME: Final = 500


def announce(
    tx: Tx, tools: Tools, programme: Programme, present: Version, coming: Version
) -> None:
    """Write to everybody that a version will be, or is, in force."""
    _write(tx, tools.now(), programme, present, coming, is_called_back=False)


def call_back(
    tx: Tx, tools: Tools, programme: Programme, present: Version, coming: Version
) -> None:
    """Write to everybody that an announced version will not come."""
    _write(tx, tools.now(), programme, present, coming, is_called_back=True)


def _write(
    tx: Tx,
    now: datetime,
    programme: Programme,
    present: Version,
    coming: Version,
    *,
    is_called_back: bool,
) -> None:
    facts: dict[str, Any] = {
        "programme": programme.name,
        "present": _plain(present),
        "coming": _plain(coming),
        "says": coming.says,
        "terms": coming.terms,
        "has_new_terms": present.terms != coming.terms,
        "is_gain": gains(present.figures, coming.figures),
        "effective_at": coming.effective_at.isoformat(),
        "is_called_back": is_called_back,
    }
    rows = tx.execute(
        select(Member.member_id, Member.name, Member.email, Member.locale, Card.number)
        .join(Card, Card.member_id == Member.member_id)
        .where(
            Card.programme_id == programme.programme_id,
            Card.closed_at.is_(None),
            Member.email.is_not(None),
        )
    ).all()
    mails = [
        {
            "outgoing_id": uuid4(),
            "kind": KIND,
            "member_id": row.member_id,
            "address": row.email,
            "locale": row.locale,
            "facts": {
                **facts,
                "name": greeting_name(row.name),
                "number": row.number,
            },
            "created_at": now,
            "due_at": now,
            "attempts": 0,
        }
        for row in rows
    ]
    for start in range(0, len(mails), _AT_A_TIME):
        tx.execute(insert(Outgoing), mails[start : start + _AT_A_TIME])


def _plain(version: Version) -> dict[str, Any]:
    figures = version.figures
    return {
        "stamps_required": figures.stamps_required,
        "reward": figures.reward,
        "voucher_days": figures.voucher_days,
    }
