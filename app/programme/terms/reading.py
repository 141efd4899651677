"""Reading versions: which is in force at a moment, which comes, what a card was told.

The version in force stands in the programme's own row; the table of versions has it too
from the first change on, with all before it and the one to come. Where the two differ
the programme's row is right: it is what older code beside this writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.programme.errors import NotFound
from app.programme.terms.figures import Figures, Promise, running
from app.store.database import Tx
from app.store.tables import Programme, ProgrammeVersion
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class Version:
    """One version of what a programme promises."""

    number: int
    terms: str
    figures: Figures
    #: What changes and why, in the shop's own words; "" where nothing was said.
    says: str
    announced_at: datetime
    #: From when on new rounds go by it.
    effective_at: datetime

    @property
    def promise(self) -> Promise:
        """Its figures, by its number."""
        return Promise(self.number, self.figures)


def versions(tools: Tools, programme_id: UUID) -> tuple[Version, ...]:
    """Read every version of a programme, also one to come, oldest first.

    Raises:
        NotFound: no such programme.
    """
    with tools.database.read() as tx:
        programme = tx.get(Programme, programme_id)
        if programme is None:
            raise NotFound
        return of_programme(tx, programme)


def coming(tools: Tools, programme_id: UUID) -> tuple[Version, Version] | None:
    """Read the version in force and the one to come; None where none was announced."""
    now = tools.now()
    with tools.database.read() as tx:
        programme = tx.get(Programme, programme_id)
        if programme is None:
            return None
        known = of_programme(tx, programme)
    present, last = in_force(known, now), known[-1]
    return (present, last) if last.effective_at > now else None


def of_programme(tx: Tx, programme: Programme) -> tuple[Version, ...]:
    """Read every version of a programme, oldest first; the last may be to come."""
    rows = tx.scalars(
        select(ProgrammeVersion)
        .where(ProgrammeVersion.programme_id == programme.programme_id)
        .order_by(ProgrammeVersion.number)
    )
    found = {row.number: _version(row) for row in rows}
    number = programme.terms_version
    listed = found.get(number)
    found[number] = Version(
        number=number,
        terms=programme.terms,
        figures=figures_of(programme),
        says=listed.says if listed else "",
        announced_at=listed.announced_at if listed else programme.created_at,
        effective_at=listed.effective_at if listed else programme.created_at,
    )
    return tuple(found[each] for each in sorted(found))


def in_force(known: Sequence[Version], at: datetime) -> Version:
    """Choose the version by which new rounds go at a moment.

    Args:
        known: as ``of_programme`` gives them.
        at: aware. Before the first took effect, that one.
    """
    begun = [one for one in known if one.effective_at <= at]
    return begun[-1] if begun else known[0]


def promised(
    known: Sequence[Version],
    held: int | None,
    at: datetime,
    *,
    has_stamps: bool,
) -> Version:
    """Tell which version the running round of a card goes by.

    Args:
        known: the versions of its programme.
        held: the version that the round was promised under; None: none has begun.
        at: the moment.
        has_stamps: whether any stamp lies on the card.
    """
    present = in_force(known, at)
    if held is None or not has_stamps:
        return present
    # A version that was never listed is older than all that are.
    first = next((one for one in reversed(known) if one.number <= held), known[0])
    since = (one.promise for one in known if first.number < one.number)
    until = (one for one in since if one.version <= present.number)
    number = running(first.promise, until, has_stamps=True).version
    return next(one for one in known if one.number == number)


def figures_of(programme: Programme) -> Figures:
    """Read the figures in a programme's own row."""
    return Figures(programme.stamps_required, programme.reward, programme.voucher_days)


def _version(row: ProgrammeVersion) -> Version:
    return Version(
        number=row.number,
        terms=row.terms,
        figures=Figures(row.stamps_required, row.reward, row.voucher_days),
        says=row.says,
        announced_at=row.announced_at,
        effective_at=row.effective_at,
    )
