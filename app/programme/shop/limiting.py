"""How many stamps a programme lets be given, as its owner decides."""

from __future__ import annotations

from uuid import UUID

from app.programme import audit, limits
from app.programme.errors import NotFound
from app.programme.limits import Limits
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.store.tables import Programme
from app.tools import Tools


def save_limits(
    tools: Tools, programme_id: UUID, wanted: Limits, *, by: ConsoleCaller | None
) -> None:
    """Set a programme's limits; they hold for the next stamp.

    Args:
        tools: the books.
        programme_id: which.
        wanted: stamps a scan of ``limits.A_SCAN``; stamps an hour of
            ``limits.AN_HOUR``, or None for no limit.
        by: who asks; None: a script on the machine itself.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: a limit is ``out_of_range``.
        NotFound: no such programme.
    """
    if by is not None:
        must_lead(by)
    wrong: dict[str, str] = {}
    values = limits.columns(wanted)
    for name, most in values.items():
        allowed = limits.A_SCAN if name == "most_per_scan" else limits.AN_HOUR
        is_without = most is None and name != "most_per_scan"
        if not is_without and most not in allowed:
            wrong[name] = "out_of_range"
    refuse(wrong)
    with tools.database.begin() as tx:
        row = tx.get(Programme, programme_id, with_for_update=True)
        if row is None:
            raise NotFound
        was = limits.columns(limits.of(row))
        if was == values:
            return
        for name, most in values.items():
            setattr(row, name, most)
        audit.record(
            tx,
            tools,
            "limits.changed",
            programme_id,
            by=by.staff_id if by else None,
            was=dict(was),
            now=dict(values),
        )
