"""Changing what a programme promises: announced in time, called back, taking effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from app.programme import audit, expiry
from app.programme.errors import InvalidRequest, NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.terms import telling
from app.programme.terms.figures import Figures, gains
from app.programme.terms.reading import Version, figures_of, in_force, of_programme
from app.store.database import Tx
from app.store.tables import Card, Programme, ProgrammeVersion
from app.tools import Tools

#: How many days of notice a programme may ask for.
NOTICE_DAYS: Final = range(1, 366)
SAYS_LENGTH: Final = 300
#: A change further ahead than this was a slip of the finger.
_FURTHEST: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a programme is to promise; checked by whoever made it."""

    terms: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Plan:
    """What would come of a change."""

    present: Version
    #: As it would be announced, with the first day that is allowed.
    coming: Version
    earliest: date
    #: Whether it may take effect at once: nobody loses by it.
    is_at_once: bool


def plan(tools: Tools, programme_id: UUID, wanted: Wanted) -> Plan | None:
    """Tell what a change would be, and write nothing; None: it changes nothing.

    Raises:
        NotFound: no such programme.
    """
    with tools.database.read() as tx:
        row = tx.get(Programme, programme_id)
        if row is None:
            raise NotFound
        return _plan(tx, row, wanted, tools.now())


def change(
    tx: Tx,
    tools: Tools,
    row: Programme,
    wanted: Wanted,
    *,
    effective_on: date | None,
    says: str,
    by: UUID | None,
) -> Version | None:
    """Announce a change, or bring it into force where nobody loses by it.

    Args:
        tx: the caller's transaction.
        tools: the clock.
        row: the programme, held by the caller.
        wanted: what it is to promise.
        effective_on: from which day of the shop on; the first allowed one when None.
        says: what changes and why, in the shop's words, for members to read.
        by: who asks.

    Returns:
        The new version; None where nothing changes.

    Raises:
        InvalidRequest: ``effective_on`` is ``too_soon``, ``out_of_range`` or
            ``announced_before``: another change waits and would have to be called
            back first.
    """
    now = tools.now()
    _bring_due(tx, tools, row)
    planned = _plan(tx, row, wanted, now)
    if planned is None:
        return None
    if of_programme(tx, row)[-1].effective_at > now:
        raise InvalidRequest({"effective_on": "announced_before"})
    zone = expiry.zone_of(tx)
    today = now.astimezone(zone).date()
    day = effective_on or planned.earliest
    if day < planned.earliest:
        raise InvalidRequest({"effective_on": "too_soon"})
    if day > today + _FURTHEST:
        raise InvalidRequest({"effective_on": "out_of_range"})
    effective_at = now if day == today else first_moment(day, zone)
    if planned.coming.number == planned.present.number:
        return _rewrite(tx, tools, row, wanted.figures, by)
    _list_present(tx, row, planned.present)
    coming = ProgrammeVersion(
        programme_id=row.programme_id,
        number=planned.coming.number,
        terms=wanted.terms,
        stamps_required=wanted.figures.stamps_required,
        reward=wanted.figures.reward,
        voucher_days=wanted.figures.voucher_days,
        says=says,
        announced_at=now,
        effective_at=effective_at,
        announced_by=by,
    )
    tx.add(coming)
    tx.flush()
    if effective_at > now:
        _touch_cards(tx, row.programme_id)
        _record(tx, tools, "programme.announced", row, coming, by)
    else:
        _bring_in(tx, tools, row, coming, by)
    told = of_programme(tx, row)[-1]
    telling.announce(tx, tools, row, planned.present, told)
    return told


def call_back(
    tools: Tools, programme_id: UUID, number: int, *, by: ConsoleCaller
) -> None:
    """Take an announced change back, before it takes effect.

    Its number goes to the next one that is announced; what it said stays in the audit
    log, and whoever got a mail of it gets another.

    Raises:
        NotFound: no such change waits, or it has taken effect.
    """
    with tools.database.begin() as tx:
        row = tx.get(Programme, programme_id, with_for_update=True)
        waiting = tx.get(ProgrammeVersion, (programme_id, number))
        now = tools.now()
        if row is None or waiting is None or waiting.effective_at <= now:
            raise NotFound
        known = of_programme(tx, row)
        told = next(one for one in known if one.number == number)
        tx.delete(waiting)
        tx.flush()
        _touch_cards(tx, programme_id)
        telling.call_back(tx, tools, row, in_force(known, now), told)
        _record(tx, tools, "programme.called_back", row, waiting, by.staff_id)


def save_notice(
    tools: Tools, programme_id: UUID, days: int | None, *, by: ConsoleCaller
) -> None:
    """Set how many days before it takes effect a change is announced.

    Raises:
        InvalidRequest: ``notice_days`` is ``out_of_range``.
        NotFound: no such programme.
    """
    if days is None or days not in NOTICE_DAYS:
        raise InvalidRequest({"notice_days": "out_of_range"})
    with tools.database.begin() as tx:
        row = tx.get(Programme, programme_id, with_for_update=True)
        if row is None:
            raise NotFound
        was, row.notice_days = row.notice_days, days
        audit.record(
            tx,
            tools,
            "notice.changed",
            programme_id,
            by=by.staff_id,
            was=was,
            days=days,
        )


def take_effect(tools: Tools) -> int:
    """Move every version whose day has come into its programme's own row.

    Returns:
        How many.

    Raises:
        StoreDown: the books gave no answer.
    """
    now = tools.now()
    due = (
        select(Programme.programme_id)
        .join(ProgrammeVersion, ProgrammeVersion.programme_id == Programme.programme_id)
        .where(
            ProgrammeVersion.number > Programme.terms_version,
            ProgrammeVersion.effective_at <= now,
        )
    )
    with tools.database.read() as tx:
        ids = list(tx.scalars(due))
    for programme_id in ids:
        with tools.database.begin() as tx:
            row = tx.get_one(Programme, programme_id, with_for_update=True)
            _bring_due(tx, tools, row)
    return len(ids)


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """Tell when a local day begins, as UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _plan(tx: Tx, row: Programme, wanted: Wanted, now: datetime) -> Plan | None:
    present = in_force(of_programme(tx, row), now)
    if (present.terms, present.figures) == (wanted.terms, wanted.figures):
        return None
    zone = expiry.zone_of(tx)
    is_gain = present.terms == wanted.terms and gains(present.figures, wanted.figures)
    has_cards = _has_cards(tx, row.programme_id)
    is_at_once = is_gain or not has_cards
    today = now.astimezone(zone).date()
    earliest = today if is_at_once else today + timedelta(days=row.notice_days)
    # Of figures that nobody was promised there need not be two versions.
    is_rewritten = present.terms == wanted.terms and not has_cards
    coming = Version(
        number=present.number + (not is_rewritten),
        terms=wanted.terms,
        figures=wanted.figures,
        says="",
        announced_at=now,
        effective_at=now if is_at_once else first_moment(earliest, zone),
    )
    return Plan(present, coming, earliest, is_at_once)


def _has_cards(tx: Tx, programme_id: UUID) -> bool:
    is_there = select(Card.card_id).where(Card.programme_id == programme_id)
    return tx.scalar(is_there.limit(1)) is not None


def _rewrite(
    tx: Tx, tools: Tools, row: Programme, figures: Figures, by: UUID | None
) -> Version:
    """Change the figures of a version that no card was promised yet."""
    listed = tx.get(ProgrammeVersion, (row.programme_id, row.terms_version))
    if listed is not None:
        listed.stamps_required, listed.reward = figures.stamps_required, figures.reward
        listed.voucher_days = figures.voucher_days
    row.stamps_required, row.reward = figures.stamps_required, figures.reward
    row.voucher_days = figures.voucher_days
    tx.flush()
    audit.record(
        tx,
        tools,
        "programme.changed",
        row.programme_id,
        by=by,
        name=row.name,
        is_open=row.is_open,
        terms_version=row.terms_version,
        figures=_plain(figures),
        replaced=None,
    )
    return of_programme(tx, row)[-1]


def _list_present(tx: Tx, row: Programme, present: Version) -> None:
    """Put the version that is replaced into the table, where it is not yet."""
    if tx.get(ProgrammeVersion, (row.programme_id, present.number)) is None:
        tx.add(
            ProgrammeVersion(
                programme_id=row.programme_id,
                number=present.number,
                terms=present.terms,
                stamps_required=present.figures.stamps_required,
                reward=present.figures.reward,
                voucher_days=present.figures.voucher_days,
                says=present.says,
                announced_at=present.announced_at,
                effective_at=present.effective_at,
            )
        )


def _bring_due(tx: Tx, tools: Tools, row: Programme) -> None:
    """Bring the version to come into force, if its day has come."""
    waiting = tx.scalar(
        select(ProgrammeVersion).where(
            ProgrammeVersion.programme_id == row.programme_id,
            ProgrammeVersion.number > row.terms_version,
            ProgrammeVersion.effective_at <= tools.now(),
        )
    )
    if waiting is not None:
        _bring_in(tx, tools, row, waiting, waiting.announced_by)


def _bring_in(
    tx: Tx, tools: Tools, row: Programme, version: ProgrammeVersion, by: UUID | None
) -> None:
    replaced = {"terms": row.terms, "terms_version": row.terms_version}
    row.terms, row.terms_version = version.terms, version.number
    row.stamps_required, row.reward = version.stamps_required, version.reward
    row.voucher_days = version.voucher_days
    tx.flush()
    _touch_cards(tx, row.programme_id)
    _record(tx, tools, "programme.changed", row, version, by, replaced=replaced)


def _touch_cards(tx: Tx, programme_id: UUID) -> None:
    """Count a change of every card in the programme: phones show what it promises."""
    tx.execute(
        update(Card)
        .where(Card.programme_id == programme_id)
        .values(version=Card.version + 1)
        .execution_options(synchronize_session=False)
    )


def _record(
    tx: Tx,
    tools: Tools,
    action: str,
    row: Programme,
    version: ProgrammeVersion,
    by: UUID | None,
    **more: object,
) -> None:
    audit.record(
        tx,
        tools,
        action,
        row.programme_id,
        by=by,
        name=row.name,
        is_open=row.is_open,
        terms_version=version.number,
        terms=version.terms,
        figures=_plain(figures_of_version(version)),
        says=version.says,
        effective_at=version.effective_at.isoformat(),
        **more,
    )


def figures_of_version(row: ProgrammeVersion) -> Figures:
    """Read the figures of a version's row."""
    return Figures(row.stamps_required, row.reward, row.voucher_days)


def _plain(figures: Figures) -> dict[str, object]:
    return {
        "stamps_required": figures.stamps_required,
        "reward": figures.reward,
        "voucher_days": figures.voucher_days,
    }


__all__ = [
    "NOTICE_DAYS",
    "SAYS_LENGTH",
    "Plan",
    "Wanted",
    "call_back",
    "change",
    "figures_of",
    "plan",
    "save_notice",
    "take_effect",
]
