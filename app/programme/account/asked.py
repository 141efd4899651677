"""What the form for joining asks: field by field, as the shop chose.

Joining by scanning a till's code asks nothing and requires nothing, whatever stands
here: it is the form that asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.programme import audit
from app.programme.errors import InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.store.database import Tx
from app.store.tables import Shop
from app.tools import Tools

CHOICES: Final = ("hidden", "optional", "required")
#: Every field that the form may have, in its order, and how a shop begins.
FIRST: Final[Mapping[str, str]] = {
    "name": "optional",
    "email": "optional",
    "phone": "hidden",
    "birthday": "hidden",
    "address": "hidden",
}


def asked(tools: Tools) -> Mapping[str, str]:
    """Tell for each field in ``FIRST`` which of ``CHOICES`` it is."""
    with tools.database.read() as tx:
        return asked_in(tx)


def asked_in(tx: Tx) -> Mapping[str, str]:
    """Tell the same in the caller's transaction."""
    row = tx.get(Shop, 1)
    kept = (row.join_fields if row else None) or {}
    return {
        name: kept[name] if kept.get(name) in CHOICES else first
        for name, first in FIRST.items()
    }


def save(tools: Tools, wanted: Mapping[str, str], *, by: ConsoleCaller) -> None:
    """Choose what the form asks.

    Args:
        tools: the books.
        wanted: a choice for each field; not trusted.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: a field has none of the choices.
        NotFound: the shop was never founded.
    """
    must_lead(by)
    wrong = {name: "missing" for name in FIRST if wanted.get(name) not in CHOICES}
    if wrong:
        raise InvalidRequest(wrong)
    with tools.database.begin() as tx:
        row = tx.get(Shop, 1)
        if row is None:
            raise NotFound
        row.join_fields = {name: wanted[name] for name in FIRST}
        audit.record(
            tx, tools, "shop.join_form", "shop", by=by.staff_id, **row.join_fields
        )
