"""Batches of printed stamps: made, looked after, called back.

Owners and managers alone, each time with a line in the audit log. A batch whose paper
or file got lost is called back, and nothing more is booked from the moment on which
that is written. ``printing`` puts a batch on paper; ``printed`` tells what a code on
paper is worth, and why.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import aliased

from app.programme import audit, expiry, printed
from app.programme.errors import NotFound, TryAgain
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.stamping import MOST_STAMPS
from app.programme.words import REASON_LENGTH, clean_name
from app.store.database import Tx
from app.store.tables import (
    LedgerEntry,
    Location,
    PrintedBatch,
    PrintedCode,
    Programme,
    StaffMember,
)
from app.tools import Tools
from signing import receipts
from signing.errors import NoActiveKey, SignerDown

#: Codes of one batch.
MOST_CODES: Final = 2000
#: From today to a batch's last day.
MOST_DAYS: Final = 730
#: For how long after it was made a batch may be put on paper.
PRINT_WITHIN: Final = timedelta(hours=24)
#: And how often.
MOST_PRINTINGS: Final = 5
_Maker, _Revoker = aliased(StaffMember), aliased(StaffMember)
_Undone = aliased(LedgerEntry)


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch, and what came back of it."""

    batch_id: UUID
    #: What people call it.
    number: int
    name: str
    programme_id: UUID
    programme_name: str
    #: What a full card gives.
    reward: str
    place: str | None
    stamps: int
    count: int
    expires_at: datetime
    created_at: datetime
    created_by: str
    key_id: int
    #: ``open``, ``ended`` (its last day is over) or ``revoked``.
    state: str
    revoked_at: datetime | None
    #: None: not revoked, or by a command that restored the books.
    revoked_by: str | None
    reason: str | None
    #: Codes that were collected, undone ones too.
    spent: int
    #: Those of them that were undone.
    undone: int
    last_spent_at: datetime | None
    #: Why it may not be put on paper now: ``ended``, ``revoked``, ``too_late``,
    #: ``too_often`` or ``key_changed``; None: it may.
    print_problem: str | None
    #: How often it may be put on paper yet.
    printings_left: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A batch whose key was called back."""

    batch_id: UUID
    number: int
    name: str
    created_at: datetime
    count: int
    spent: int
    expires_at: datetime
    #: Whether its codes go on counting: it is older than the theft.
    stays_good: bool

    @property
    def out(self) -> int:
        """How many codes may still come back."""
        return self.count - self.spent


def make(
    tools: Tools,
    *,
    name: str,
    programme_id: UUID | None,
    location_id: UUID | None,
    stamps: int | None,
    count: int | None,
    last_day: date | None,
    by: ConsoleCaller,
) -> UUID:
    """Make a batch; nothing is on paper yet.

    Args:
        tools: books, keys and clock.
        name: what it is for, 1 to 60 characters.
        programme_id: whose cards may collect it.
        location_id: where its stamps count as given; None: nowhere in particular.
        stamps: that each code gives, 1 to ``stamping.MOST_STAMPS``.
        count: of codes, 1 to ``MOST_CODES``.
        last_day: in the shop's time zone; codes end with it.
        by: who asks.

    Returns:
        Its id.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: a field makes no sense.
        TryAgain: nothing can be signed now.
        StoreDown: nothing was written.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    if stamps is None or not 1 <= stamps <= MOST_STAMPS:
        wrong["stamps"] = "out_of_range"
    if count is None or not 1 <= count <= MOST_CODES:
        wrong["count"] = "out_of_range"
    with tools.database.read() as tx:
        expires_at = _end_of(tx, tools, last_day, wrong)
        _must_be_there(tx, programme_id, location_id, wrong)
    refuse(wrong)
    batch = PrintedBatch(
        batch_id=uuid4(),
        name=name,
        programme_id=programme_id,
        location_id=location_id,
        stamps=stamps,
        count=count,
        expires_at=expires_at,
        created_by=by.staff_id,
        created_at=tools.now(),
        seed=secrets.token_bytes(printed.SEED_BYTES),
        printings=0,
        state="open",
    )
    _sign(tools, batch)
    with tools.database.begin() as tx:
        _write(tx, tools, batch, by)
    return batch.batch_id


def batches(tools: Tools) -> list[BatchView]:
    """Read every batch, newest first."""
    with tools.database.read() as tx:
        rows = tx.execute(_asked().order_by(PrintedBatch.batch_no.desc()))
        return [_view(tools, row) for row in rows]


def batch(tools: Tools, batch_id: UUID) -> BatchView:
    """Read one batch.

    Raises:
        NotFound: no such batch.
    """
    with tools.database.read() as tx:
        row = tx.execute(_asked().where(PrintedBatch.batch_id == batch_id)).first()
    if row is None:
        raise NotFound
    return _view(tools, row)


def revoke(tools: Tools, batch_id: UUID, *, reason: str, by: ConsoleCaller) -> None:
    """Call a batch back: nothing more is collected from it. Again changes nothing.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``reason`` is missing or makes no sense.
        NotFound: no such batch.
        StoreDown: nothing was written.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    reason = clean_name(reason, wrong, "reason", REASON_LENGTH)
    refuse(wrong)
    with tools.database.begin() as tx:
        # Waits for those who are collecting; who comes later waits for this.
        row = tx.scalar(
            select(PrintedBatch)
            .where(PrintedBatch.batch_id == batch_id)
            .with_for_update()
        )
        if row is None:
            raise NotFound
        if row.state == "revoked":
            return
        row.state, row.revoked_at = "revoked", tools.now()
        row.revoked_by, row.reason = by.staff_id, reason
        audit.record(
            tx,
            tools,
            "batch.revoked",
            batch_id,
            by=by.staff_id,
            number=row.batch_no,
            reason=reason,
        )


def hit(
    tools: Tools, key_id: int, since: datetime, *, is_hard: bool = False
) -> list[Hit]:
    """List the batches of a key that may still come back, oldest first.

    Args:
        tools: the books and the clock.
        key_id: of the key that was called back, or is about to be.
        since: when it may have been stolen, aware.
        is_hard: nothing stays good, whenever it was made.

    Raises:
        StoreDown: the books gave no answer.
    """
    asked = (
        _asked()
        .where(
            PrintedBatch.key_id == key_id,
            PrintedBatch.state == "open",
            PrintedBatch.expires_at > tools.now(),
        )
        .order_by(PrintedBatch.batch_no)
    )
    # No view of them: a command that calls a key back watches no ring.
    with tools.database.read() as tx:
        return [
            _hit(row, not is_hard and row.PrintedBatch.created_at < since)
            for row in tx.execute(asked)
        ]


def still_out(tx: Tx, now: datetime) -> list[Hit]:
    """List the batches that are open and not over, oldest first; all stay good."""
    asked = _asked().where(PrintedBatch.state == "open", PrintedBatch.expires_at > now)
    return [
        _hit(row, True) for row in tx.execute(asked.order_by(PrintedBatch.batch_no))
    ]


def call_all_back(tx: Tx, tools: Tools, *, reason: str) -> list[Hit]:
    """Call every batch back that is still out, at a command's word.

    Args:
        tx: the caller's transaction, over books that nobody serves.
        tools: the clock.
        reason: for the page of the batch and the audit log.

    Returns:
        Those batches; none of them stays good.
    """
    found = [replace(hit, stays_good=False) for hit in still_out(tx, tools.now())]
    for each in found:
        row = tx.get_one(PrintedBatch, each.number)
        row.state, row.revoked_at, row.reason = "revoked", tools.now(), reason
        audit.record(
            tx,
            tools,
            "batch.revoked",
            each.batch_id,
            by=None,
            number=each.number,
            reason=reason,
        )
    return found


def print_problem(tools: Tools, of: PrintedBatch) -> str | None:
    """Say why a batch may not be put on paper now; None if it may.

    Args:
        tools: the keys and the clock.
        of: the batch.

    Returns:
        A word of ``BatchView.print_problem``.
    """
    now = tools.now()
    active = [key for key in tools.keys.ring.keys if key.state == "active"]
    problems = {
        "revoked": of.state == "revoked",
        "ended": now > of.expires_at,
        "too_late": now > of.created_at + PRINT_WITHIN,
        "too_often": of.printings >= MOST_PRINTINGS,
        "key_changed": [key.key_id for key in active] != [of.key_id],
    }
    return next((word for word, is_so in problems.items() if is_so), None)


def _end_of(
    tx: Tx, tools: Tools, last_day: date | None, wrong: dict[str, str]
) -> datetime:
    """Return the last second of a day in the shop's time zone."""
    zone = expiry.zone_of(tx)
    today = tools.now().astimezone(zone).date()
    if last_day is None:
        wrong["last_day"] = "missing"
        return tools.now()
    if not today <= last_day <= today + timedelta(days=MOST_DAYS):
        wrong["last_day"] = "out_of_range"
        return tools.now()
    return expiry.last_moment(last_day, zone)


def _must_be_there(
    tx: Tx, programme_id: UUID | None, location_id: UUID | None, wrong: dict[str, str]
) -> None:
    programme = tx.get(Programme, programme_id) if programme_id else None
    if programme is None or not programme.is_open:
        wrong["programme_id"] = "missing"
    if location_id is not None and tx.get(Location, location_id) is None:
        wrong["location_id"] = "missing"


def _sign(tools: Tools, batch: PrintedBatch) -> None:
    """Give a batch its key and its receipt."""
    ring = tools.keys.ring
    try:
        batch.key_id = ring.active.key_id
        batch.receipt = receipts.sign(
            printed.told(batch), ring, origin=tools.settings.origin
        )
    except (NoActiveKey, SignerDown) as error:
        raise TryAgain from error


def _write(tx: Tx, tools: Tools, batch: PrintedBatch, by: ConsoleCaller) -> None:
    tx.add(batch)
    tx.flush()
    rows = [
        {
            "nonce": printed.nonce_of(batch.seed, number),
            "batch_id": batch.batch_id,
            "number": number,
            "key_id": batch.key_id,
        }
        for number in range(1, batch.count + 1)
    ]
    tx.execute(insert(PrintedCode), rows)
    audit.record(
        tx,
        tools,
        "batch.made",
        batch.batch_id,
        by=by.staff_id,
        number=batch.batch_no,
        name=batch.name,
        stamps=batch.stamps,
        count=batch.count,
        expires_at=batch.expires_at.isoformat(),
        key=batch.key_id,
    )


def _hit(row: Any, stays_good: bool) -> Hit:
    of: PrintedBatch = row.PrintedBatch
    return Hit(
        batch_id=of.batch_id,
        number=of.batch_no,
        name=of.name,
        created_at=of.created_at,
        count=of.count,
        spent=row.spent,
        expires_at=of.expires_at,
        stays_good=stays_good,
    )


def _asked() -> Select[Any]:
    """Ask for batches with what came back of each."""
    came_back = (
        select(
            PrintedCode.batch_id,
            func.count(LedgerEntry.entry_id).label("spent"),
            func.count(_Undone.entry_id).label("undone"),
            func.max(LedgerEntry.at).label("last"),
        )
        .join(LedgerEntry, LedgerEntry.nonce == PrintedCode.nonce)
        .outerjoin(_Undone, _Undone.reverses_id == LedgerEntry.entry_id)
        .group_by(PrintedCode.batch_id)
        .subquery()
    )
    return (
        select(
            PrintedBatch,
            Programme.name.label("programme_name"),
            Programme.reward,
            Location.name.label("place"),
            _Maker.name.label("maker"),
            _Revoker.name.label("revoker"),
            func.coalesce(came_back.c.spent, 0).label("spent"),
            func.coalesce(came_back.c.undone, 0).label("undone"),
            came_back.c.last,
        )
        .join(Programme, Programme.programme_id == PrintedBatch.programme_id)
        .join(_Maker, _Maker.staff_id == PrintedBatch.created_by)
        .outerjoin(_Revoker, _Revoker.staff_id == PrintedBatch.revoked_by)
        .outerjoin(Location, Location.location_id == PrintedBatch.location_id)
        .outerjoin(came_back, came_back.c.batch_id == PrintedBatch.batch_id)
    )


def _view(tools: Tools, row: Any) -> BatchView:
    of: PrintedBatch = row.PrintedBatch
    is_over = of.state == "open" and tools.now() > of.expires_at
    return BatchView(
        batch_id=of.batch_id,
        number=of.batch_no,
        name=of.name,
        programme_id=of.programme_id,
        programme_name=row.programme_name,
        reward=row.reward,
        place=row.place,
        stamps=of.stamps,
        count=of.count,
        expires_at=of.expires_at,
        created_at=of.created_at,
        created_by=row.maker,
        key_id=of.key_id,
        state="ended" if is_over else of.state,
        revoked_at=of.revoked_at,
        revoked_by=row.revoker,
        reason=of.reason,
        spent=row.spent,
        undone=row.undone,
        last_spent_at=row.last,
        print_problem=print_problem(tools, of),
        printings_left=max(0, MOST_PRINTINGS - of.printings),
    )
