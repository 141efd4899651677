"""Who may change what in the shop, and how a change is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.exc import IntegrityError

from app.programme.errors import Forbidden, InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller
from app.store.database import Tx
from app.store.tables import AccessToken, StaffMember
from app.tools import Tools


def must_lead(by: ConsoleCaller) -> None:
    """Let managers and owners pass.

    Raises:
        Forbidden: ``by`` is neither.
    """
    if by.role not in {"manager", "owner"}:
        raise Forbidden


def may_change(by: ConsoleCaller, role: str) -> bool:
    """Tell whether ``by`` may change people of a role, or make them."""
    return by.role == "owner" or (by.role == "manager" and role != "owner")


def may_change_person(tx: Tx, staff_id: UUID, by: ConsoleCaller) -> StaffMember:
    """Find a person whom ``by`` may change, and hold them.

    Raises:
        Forbidden: ``by`` may not change this person.
        NotFound: no such person.
    """
    row = tx.get(StaffMember, staff_id, with_for_update=True)
    if row is None:
        raise NotFound
    if not may_change(by, row.role):
        raise Forbidden
    return row


def refuse(wrong: Mapping[str, str]) -> None:
    """Refuse what was typed, if anything in it is wrong.

    Raises:
        InvalidRequest: it is.
    """
    if wrong:
        raise InvalidRequest(wrong)


@contextmanager
def unique(field: str) -> Iterator[None]:
    """Open a transaction inside: its broken constraint means that ``field`` is taken.

    Raises:
        InvalidRequest: somebody else has it, perhaps since a moment ago.
    """
    try:
        yield
    except IntegrityError as error:
        raise InvalidRequest({field: "taken"}) from error


def end_tokens(tx: Tx, tools: Tools, *whose: ColumnElement[bool]) -> None:
    """End every token that answers to ``whose``."""
    tx.execute(
        update(AccessToken)
        .where(*whose, AccessToken.ended_at.is_(None))
        .values(ended_at=tools.now())
        .execution_options(synchronize_session=False)
    )
