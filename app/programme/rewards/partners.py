"""The pool of a partner's codes: read line by line, handed out one by one.

A code that a member holds stays in the books with its voucher; those that nobody has
can be taken out of the pool, as when a partner ends it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.programme import audit, stock
from app.programme.errors import InvalidRequest, NotFound
from app.programme.rewards.plans import Kind
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead
from app.store.tables import PartnerCode, Reward
from app.tools import Tools

CODE_LENGTH: Final = 80
#: Codes in one import.
MOST: Final = 10_000
#: Bytes of one import: more than so many codes are long.
MOST_BYTES: Final = 1_000_000
#: What a code may be made of: what is printed on one line, and no formula of a table.
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/:#?&=%+*-]*")
#: What people write over a column of codes.
_HEADINGS: Final = frozenset({"code", "codes", "kode", "kood", "kod", "coupon"})


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that holds no code: its number from 1, and a stable word."""

    line: int
    #: ``too_long``, ``bad_characters`` or ``twice``; ``known`` where the pool has it.
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Pool:
    """What was read: the codes in their order, with their lines."""

    codes: Mapping[str, int]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought."""

    added: int
    faults: tuple[Fault, ...]


def read(text: str) -> Pool:
    """Read codes as they were pasted, or as a table with one in the first column.

    Args:
        text: not trusted; lines, or CSV with commas, semicolons or tabs.

    Returns:
        The codes in their order, each once, and every line that holds none. Empty
        lines and a heading are neither.

    Raises:
        InvalidRequest: ``codes``: nothing at all, too much, or no text.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise InvalidRequest({"codes": "too_long"})
    lines = text.lstrip("\N{BYTE ORDER MARK}").splitlines()
    codes: dict[str, int] = {}
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        code = _first_column(line)
        if not code or (number == 1 and code.casefold() in _HEADINGS):
            continue
        why = _why_not(code, codes)
        if why is None:
            codes[code] = number
        else:
            faults.append(Fault(number, why, code[:CODE_LENGTH]))
    if not codes and not faults:
        raise InvalidRequest({"codes": "missing"})
    if len(codes) > MOST:
        raise InvalidRequest({"codes": "too_long"})
    return Pool(codes, tuple(faults))


def _first_column(line: str) -> str:
    """Read the first cell of a line; the line itself where it is no table."""
    for mark in ("\t", ";", ","):
        if mark in line:
            try:
                row = next(csv.reader(io.StringIO(line), delimiter=mark), [])
            except csv.Error:
                return line.strip()
            return row[0].strip() if row else ""
    return line.strip().strip('"').strip()


def _why_not(code: str, known: dict[str, int]) -> str | None:
    if len(code) > CODE_LENGTH:
        return "too_long"
    if not _CODE.fullmatch(code):
        return "bad_characters"
    return "twice" if code in known else None


def add(tools: Tools, reward_id: UUID, text: str, *, by: ConsoleCaller) -> Imported:
    """Put codes into a partner's pool: all that are codes and not there yet.

    Args:
        tools: the books.
        reward_id: a reward of kind ``partner``.
        text: as ``read`` takes it.
        by: who asks.

    Returns:
        How many came in, and every line that did not.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: as ``read``; ``codes: try_again``: somebody else was putting
            the same in at the same moment.
        NotFound: no such reward, or of another kind.
    """
    must_lead(by)
    pool = read(text)
    try:
        with tools.database.begin() as tx:
            row = tx.get(Reward, reward_id, with_for_update=True)
            if row is None or row.kind != Kind.PARTNER:
                raise NotFound
            known = set(
                tx.scalars(
                    select(PartnerCode.code).where(PartnerCode.reward_id == reward_id)
                )
            )
            new = [code for code in pool.codes if code not in known]
            now = tools.now()
            tx.add_all(
                PartnerCode(reward_id=reward_id, code=code, added_at=now)
                for code in new
            )
            tx.flush()
            audit.record(
                tx, tools, "codes.added", reward_id, by=by.staff_id, count=len(new)
            )
    except IntegrityError as error:
        raise InvalidRequest({"codes": "used_before"}) from error
    there = [
        Fault(number, "known", code)
        for code, number in pool.codes.items()
        if code in known
    ]
    return Imported(len(new), (*pool.faults, *there))


def left(tools: Tools, reward_id: UUID) -> int:
    """Count the codes of a pool that nobody has."""
    with tools.database.read() as tx:
        return stock.codes_left(tx, reward_id)


def withdraw(tools: Tools, reward_id: UUID, *, by: ConsoleCaller) -> int:
    """Take every code that nobody has out of a pool.

    Returns:
        How many.

    Raises:
        Forbidden: ``by`` may not.
    """
    must_lead(by)
    with tools.database.begin() as tx:
        out = tx.execute(
            update(PartnerCode)
            .where(
                PartnerCode.reward_id == reward_id,
                PartnerCode.voucher_id.is_(None),
                PartnerCode.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=tools.now())
            .returning(PartnerCode.code_no)
            .execution_options(synchronize_session=False)
        )
        count = len(out.all())
        audit.record(
            tx, tools, "codes.withdrawn", reward_id, by=by.staff_id, count=count
        )
        return count
