"""What a programme promises, as its owner changes it: called back, and how early told.

The change itself is part of ``save_programme``.
"""

from __future__ import annotations

from uuid import UUID

from app.programme import terms
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.tools import Tools


def call_back(
    tools: Tools, programme_id: UUID, number: int, *, by: ConsoleCaller
) -> None:
    """Take an announced change back, before it takes effect.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such change waits, or it has taken effect.
    """
    must_lead(by)
    terms.call_back(tools, programme_id, number, by=by)


def save_notice(
    tools: Tools, programme_id: UUID, days: int | None, *, by: ConsoleCaller
) -> None:
    """Set how many days before it takes effect a change is announced.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``notice_days`` is ``out_of_range``.
        NotFound: no such programme.
    """
    must_lead(by)
    terms.save_notice(tools, programme_id, days, by=by)
