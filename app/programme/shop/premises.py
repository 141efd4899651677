"""Where the shop works: its locations, and the terminals that stand there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.programme import audit, staff
from app.programme.codes import IssuedCode
from app.programme.errors import NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import end_tokens, must_lead, refuse, unique
from app.programme.words import clean_name
from app.store.tables import AccessToken, Location, Terminal
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class LocationView:
    """A shop's place, and how many terminals work there now."""

    location_id: UUID
    name: str
    terminals: int


@dataclass(frozen=True, slots=True)
class TerminalView:
    """A device at a counter."""

    terminal_id: UUID
    name: str
    location_id: UUID
    location_name: str
    enrolled_at: datetime
    #: To the minute; None if it never came back after its enrolment.
    seen_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """What became of an enrolment code."""

    #: ``waiting`` or ``added``; whether it is too old the clock tells.
    state: str
    terminal_name: str | None
    location_name: str | None


def locations(tools: Tools) -> list[LocationView]:
    """Read every location by name, with the number of its active terminals."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(Location, func.count(Terminal.terminal_id))
            .outerjoin(
                Terminal,
                (Terminal.location_id == Location.location_id)
                & Terminal.revoked_at.is_(None),
            )
            .group_by(Location.location_id)
            .order_by(func.lower(Location.name))
        )
        return [LocationView(row.location_id, row.name, count) for row, count in rows]


def add_location(tools: Tools, *, name: str, by: ConsoleCaller) -> UUID:
    """Add a location.

    Returns:
        Its id.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``name`` makes no sense or is ``taken``.
    """
    must_lead(by)
    name = _name(name)
    with unique("name"), tools.database.begin() as tx:
        row = Location(name=name, created_at=tools.now())
        tx.add(row)
        tx.flush()
        audit.record(
            tx, tools, "location.added", row.location_id, by=by.staff_id, name=name
        )
        return row.location_id


def rename_location(
    tools: Tools, location_id: UUID, *, name: str, by: ConsoleCaller
) -> None:
    """Give a location another name; stamps given there show the new one.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``name`` makes no sense or is ``taken``.
        NotFound: no such location.
    """
    must_lead(by)
    name = _name(name)
    with unique("name"), tools.database.begin() as tx:
        row = tx.get(Location, location_id)
        if row is None:
            raise NotFound
        was, row.name = row.name, name
        tx.flush()
        audit.record(
            tx,
            tools,
            "location.renamed",
            location_id,
            by=by.staff_id,
            was=was,
            name=name,
        )


def terminals(tools: Tools) -> list[TerminalView]:
    """Read every terminal, revoked ones too, by location and name."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(Terminal, Location.name)
            .join(Location, Location.location_id == Terminal.location_id)
            .order_by(func.lower(Location.name), func.lower(Terminal.name))
        )
        return [
            TerminalView(
                row.terminal_id,
                row.name,
                row.location_id,
                place,
                row.enrolled_at,
                row.seen_at,
                row.revoked_at,
            )
            for row, place in rows
        ]


def enrolment(
    tools: Tools, *, location_id: UUID | None, name: str, by: ConsoleCaller
) -> IssuedCode:
    """Issue an enrolment code: whichever device spends it becomes a terminal.

    Args:
        tools: the books, keys and nonce store.
        location_id: where the terminal will stand; None is refused as ``missing``.
        name: of the terminal, 1 to 60 characters.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``name`` or ``location_id`` makes no sense.
        StoreDown: the nonce store gave no answer.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    with tools.database.read() as tx:
        if location_id is None or tx.get(Location, location_id) is None:
            wrong["location_id"] = "missing"
    refuse(wrong)
    assert location_id is not None  # noqa: S101 -- for the type checker
    return staff.enrolment_code(tools, location_id, name=name, by=by.staff_id)


def enrolment_state(tools: Tools, nonce: bytes) -> EnrolmentState:
    """Tell whether an enrolment code has made its terminal yet."""
    with tools.database.read() as tx:
        row = tx.execute(
            select(Terminal.name, Location.name.label("place"))
            .join(Location, Location.location_id == Terminal.location_id)
            .where(Terminal.nonce == nonce)
        ).first()
    if row is None:
        return EnrolmentState("waiting", None, None)
    return EnrolmentState("added", row.name, row.place)


def revoke_terminal(tools: Tools, terminal_id: UUID, *, by: ConsoleCaller) -> None:
    """Stop a terminal at once; revoking it again changes nothing.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such terminal.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = tx.get(Terminal, terminal_id, with_for_update=True)
        if row is None:
            raise NotFound
        if row.revoked_at is not None:
            return
        row.revoked_at = tools.now()
        end_tokens(tx, tools, AccessToken.terminal_id == terminal_id)
        audit.record(
            tx, tools, "terminal.revoked", terminal_id, by=by.staff_id, name=row.name
        )


def _name(text: str) -> str:
    wrong: dict[str, str] = {}
    name = clean_name(text, wrong)
    refuse(wrong)
    return name
