"""When a location is open, as its owner says; nothing is refused by it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from app.programme import audit, hours
from app.programme.errors import NotFound
from app.programme.hours import Hours
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.store.tables import Location
from app.tools import Tools


def hours_of(tools: Tools) -> Mapping[UUID, Hours | None]:
    """Read the opening hours of every location; None where nobody has said."""
    with tools.database.read() as tx:
        rows = tx.execute(select(Location.location_id, Location.hours))
        return {location_id: hours.read(kept) for location_id, kept in rows}


def save_hours(
    tools: Tools, location_id: UUID, wanted: Hours | None, *, by: ConsoleCaller
) -> None:
    """Say when a location is open; None: nobody says.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such location.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        row = tx.get(Location, location_id, with_for_update={"key_share": True})
        if row is None:
            raise NotFound
        row.hours = hours.kept(wanted)
        audit.record(
            tx,
            tools,
            "location.hours_set",
            location_id,
            by=by.staff_id,
            hours=hours.kept(wanted),
        )
