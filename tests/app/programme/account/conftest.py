"""Members with addresses, and the mail that waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.programme import members
from app.programme.members import Joined
from app.store.tables import Outgoing
from app.tools import Tools

ANNA = "Anna@Example.org"


@pytest.fixture
def anna(tools: Tools, founded: object) -> Joined:
    """A member who left an address that nobody has proved."""
    return members.join(tools, name="Anna", email=ANNA, locale="sv")


@pytest.fixture
def mails(tools: Tools) -> Callable[[str], list[Any]]:
    """The mails of a kind that wait, the oldest first."""

    def waiting(kind: str) -> list[Any]:
        with tools.database.read() as tx:
            return list(
                tx.scalars(
                    select(Outgoing)
                    .where(Outgoing.kind == kind)
                    .order_by(Outgoing.created_at)
                )
            )

    return waiting
