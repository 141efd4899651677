"""The desk at which signals are read and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import aliased

from app.programme import audit
from app.programme.errors import InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.programme.signals import kinds
from app.programme.words import clean_name
from app.store.tables import (
    Card,
    Location,
    Member,
    Signal,
    StaffMember,
    Terminal,
)
from app.tools import Tools

#: Signals on a page, and letters of a note.
MOST: Final = 50
NOTE_LENGTH: Final = 500

_Judge = aliased(StaffMember)
_TillsPlace = aliased(Location)


@dataclass(frozen=True, slots=True)
class SignalView:
    """A signal with the names of what it is about."""

    signal_id: UUID
    kind: str
    at: datetime
    state: str
    evidence: Mapping[str, Any]
    card_id: UUID | None
    card_number: str | None
    member_name: str | None
    card_is_paused: bool
    staff_id: UUID | None
    staff_name: str | None
    staff_role: str | None
    terminal_id: UUID | None
    terminal_name: str | None
    terminal_is_revoked: bool
    place: str | None
    entry_id: UUID | None
    judged_by: str | None
    judged_at: datetime | None
    note: str | None


def count_new(tools: Tools) -> int:
    """Count what nobody has looked at.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        return (
            tx.scalar(
                select(func.count())
                .select_from(Signal)
                .where(Signal.state == "new", Signal.kind.not_in(kinds.QUIET))
            )
            or 0
        )


def counts(tools: Tools) -> Mapping[str, int]:
    """Count the signals of each state, without the quiet kinds."""
    with tools.database.read() as tx:
        rows = tx.execute(
            select(Signal.state, func.count())
            .where(Signal.kind.not_in(kinds.QUIET))
            .group_by(Signal.state)
        ).all()
    return dict.fromkeys(kinds.STATES, 0) | {row[0]: row[1] for row in rows}


def signals(
    tools: Tools,
    *,
    state: str | None = None,
    kind: str | None = None,
    card_id: UUID | None = None,
    before: datetime | None = None,
    limit: int = MOST,
) -> list[SignalView]:
    """Read signals, newest first; the quiet kinds only when they are asked for.

    Args:
        tools: the books.
        state: of ``kinds.STATES``; None: any.
        kind: of ``kinds.ALL``; None: any that is not quiet.
        card_id: only those about a card.
        before: only what happened before this moment.
        limit: at most so many.
    """
    asked: list[ColumnElement[bool]] = []
    if state is not None:
        asked.append(Signal.state == state)
    if kind is not None:
        asked.append(Signal.kind == kind)
    else:
        asked.append(Signal.kind.not_in(kinds.QUIET))
    if card_id is not None:
        asked.append(Signal.card_id == card_id)
    if before is not None:
        asked.append(Signal.at < before)
    query = (
        _query().where(*asked).order_by(Signal.at.desc(), Signal.signal_id).limit(limit)
    )
    with tools.database.read() as tx:
        return [_view(row) for row in tx.execute(query)]


def signal(tools: Tools, signal_id: UUID) -> SignalView:
    """Read one.

    Raises:
        NotFound: no such signal.
    """
    with tools.database.read() as tx:
        row = tx.execute(_query().where(Signal.signal_id == signal_id)).first()
    if row is None:
        raise NotFound
    return _view(row)


def judge(
    tools: Tools, signal_id: UUID, *, state: str, note: str = "", by: ConsoleCaller
) -> None:
    """Say what a signal is worth, with a note if there is more to say.

    Args:
        tools: the books.
        signal_id: which.
        state: of ``kinds.STATES``.
        note: up to 500 characters; the one before stays when it is empty.
        by: who judges.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``state`` or ``note`` makes no sense.
        NotFound: no such signal.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    if note.strip():
        note = clean_name(note, wrong, "note", NOTE_LENGTH)
    if state not in kinds.STATES:
        wrong["state"] = "unexpected"
    if wrong:
        raise InvalidRequest(wrong)
    with tools.database.begin() as tx:
        row = tx.get(Signal, signal_id, with_for_update=True)
        if row is None:
            raise NotFound
        was, row.state = row.state, state
        row.judged_by, row.judged_at = by.staff_id, tools.now()
        row.note = note.strip() or row.note
        audit.record(
            tx,
            tools,
            "signal.judged",
            signal_id,
            by=by.staff_id,
            kind=row.kind,
            was=was,
            now=state,
        )


def _query() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Signal,
            Card.number,
            Card.paused_at,
            Member.name.label("member"),
            StaffMember.name.label("person"),
            StaffMember.role,
            Terminal.name.label("till"),
            Terminal.revoked_at,
            func.coalesce(Location.name, _TillsPlace.name).label("place"),
            _Judge.name.label("judge"),
        )
        .outerjoin(Card, Card.card_id == Signal.card_id)
        .outerjoin(Member, Member.member_id == Card.member_id)
        .outerjoin(StaffMember, StaffMember.staff_id == Signal.staff_id)
        .outerjoin(Terminal, Terminal.terminal_id == Signal.terminal_id)
        .outerjoin(_TillsPlace, _TillsPlace.location_id == Terminal.location_id)
        .outerjoin(Location, Location.location_id == Signal.location_id)
        .outerjoin(_Judge, _Judge.staff_id == Signal.judged_by)
    )


def _view(row: Row[*tuple[Any, ...]]) -> SignalView:
    found: Signal = row.Signal
    return SignalView(
        signal_id=found.signal_id,
        kind=found.kind,
        at=found.at,
        state=found.state,
        evidence=found.evidence,
        card_id=found.card_id,
        card_number=row.number,
        member_name=row.member,
        card_is_paused=row.paused_at is not None,
        staff_id=found.staff_id,
        staff_name=row.person,
        staff_role=row.role,
        terminal_id=found.terminal_id,
        terminal_name=row.till,
        terminal_is_revoked=row.revoked_at is not None,
        place=row.place,
        entry_id=found.entry_id,
        judged_by=row.judge,
        judged_at=found.judged_at,
        note=found.note,
    )
