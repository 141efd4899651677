"""The shop's programmes: each with its name, its rules and what it promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update

from app.programme import audit, cards, expiry, programmes, terms
from app.programme.cards import ProgrammeView
from app.programme.errors import NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.terms import Figures, Plan, Wanted
from app.programme.terms import changing as terms_changing
from app.programme.words import clean_name, has_controls
from app.store.database import Tx
from app.store.tables import Card, Programme
from app.tools import Tools

STAMPS_REQUIRED = range(2, 31)
TERMS_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Typed:
    """A programme as somebody typed it; not checked."""

    name: str
    reward: str
    #: None: nothing that is a number was typed.
    stamps_required: int | None
    terms: str
    voucher_days: int | None


def listed(tools: Tools) -> list[ProgrammeView]:
    """Read every programme, open ones first, oldest first."""
    with tools.database.read() as tx:
        rows = tx.scalars(
            select(Programme).order_by(Programme.is_open.desc(), Programme.created_at)
        )
        return [programmes.present(tx, row, tools.now()) for row in rows]


def cards_in(tools: Tools, programme_id: UUID) -> int:
    """Count the cards of a programme that were not closed."""
    with tools.database.read() as tx:
        found = tx.scalar(
            select(func.count())
            .select_from(Card)
            .where(Card.programme_id == programme_id, Card.closed_at.is_(None))
        )
    return found or 0


def planned(tools: Tools, programme_id: UUID, typed: Typed) -> Plan | None:
    """Tell what would come of a change, and write nothing; None: nothing is promised.

    Raises:
        InvalidRequest: a field makes no sense.
        NotFound: no such programme.
    """
    _, wanted = _checked(typed, {})
    return terms.plan(tools, programme_id, wanted)


def save_programme(  # noqa: PLR0913 -- as many as the form has fields
    tools: Tools,
    *,
    programme_id: UUID | None,
    name: str,
    reward: str,
    stamps_required: int | None,
    terms: str,
    is_open: bool,
    voucher_days: int | None,
    by: ConsoleCaller,
    effective_on: date | None = None,
    says: str = "",
) -> ProgrammeView:
    """Change a programme, or make one.

    Its name, and whether it is open, change at once. What it promises changes as
    ``terms`` has it: announced in time, or at once where nobody loses by it. Vouchers
    keep the reward and the end that were promised when they were issued.

    Args:
        tools: the books.
        programme_id: which; a new one when None.
        name: 1 to 60 characters.
        reward: what a full card gives, 1 to 60 characters.
        stamps_required: 2 to 30; None (nothing that is a number was typed) is
            refused as ``out_of_range``.
        terms: up to 10,000 characters.
        is_open: whether people may join and collect.
        voucher_days: for how many days new vouchers are good, of ``expiry.DAYS``; None:
            they have no end.
        by: who asks.
        effective_on: from which day of the shop on a change of what it promises holds;
            the first allowed one when None.
        says: what changes and why, for members to read, up to 300 characters.

    Returns:
        The programme as it is now, with what it promises now.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: a field makes no sense; of ``effective_on``, see
            ``terms.changing``.
        NotFound: no such programme.
    """
    must_lead(by)
    typed = Typed(name, reward, stamps_required, terms, voucher_days)
    wrong: dict[str, str] = {}
    says = " ".join(says.split())
    if len(says) > terms_changing.SAYS_LENGTH:
        wrong["says"] = "too_long"
    elif has_controls(says):
        wrong["says"] = "bad_characters"
    name, wanted = _checked(typed, wrong)
    with tools.database.begin() as tx:
        if programme_id is None:
            row = _begun(tx, tools, name, wanted, is_open=is_open, by=by)
            return cards.programme_view(row)
        found = tx.get(Programme, programme_id, with_for_update=True)
        if found is None:
            raise NotFound
        _rename(tx, tools, found, name, is_open=is_open, by=by)
        terms_changing.change(
            tx,
            tools,
            found,
            wanted,
            effective_on=effective_on,
            says=says,
            by=by.staff_id,
        )
        return cards.programme_view(found)


def _checked(typed: Typed, wrong: dict[str, str]) -> tuple[str, Wanted]:
    """Tidy what was typed.

    Raises:
        InvalidRequest: with what is in ``wrong`` already.
    """
    name, reward = clean_name(typed.name, wrong), ""
    reward = clean_name(typed.reward, wrong, "reward")
    text = "\n".join(line.rstrip() for line in typed.terms.strip().splitlines())
    required = typed.stamps_required
    if required is None or required not in STAMPS_REQUIRED:
        wrong["stamps_required"] = "out_of_range"
    if typed.voucher_days is not None and typed.voucher_days not in expiry.DAYS:
        wrong["voucher_days"] = "out_of_range"
    if len(text) > TERMS_LENGTH:
        wrong["terms"] = "too_long"
    elif has_controls(text, but="\n\t"):
        wrong["terms"] = "bad_characters"
    refuse(wrong)
    return name, Wanted(text, Figures(required or 0, reward, typed.voucher_days))


def _begun(
    tx: Tx, tools: Tools, name: str, wanted: Wanted, *, is_open: bool, by: ConsoleCaller
) -> Programme:
    figures = wanted.figures
    row = Programme(
        name=name,
        terms=wanted.terms,
        terms_version=1,
        stamps_required=figures.stamps_required,
        reward=figures.reward,
        voucher_days=figures.voucher_days,
        is_open=is_open,
        created_at=tools.now(),
    )
    tx.add(row)
    tx.flush()
    audit.record(
        tx,
        tools,
        "programme.added",
        row.programme_id,
        by=by.staff_id,
        name=name,
        reward=figures.reward,
        stamps_required=figures.stamps_required,
        is_open=is_open,
        voucher_days=figures.voucher_days,
        terms_version=1,
        terms=wanted.terms,
    )
    return row


def _rename(
    tx: Tx, tools: Tools, row: Programme, name: str, *, is_open: bool, by: ConsoleCaller
) -> None:
    """Change what holds at once."""
    if (row.name, row.is_open) == (name, is_open):
        return
    row.name, row.is_open = name, is_open
    tx.flush()
    tx.execute(
        update(Card)
        .where(Card.programme_id == row.programme_id)
        .values(version=Card.version + 1)
        .execution_options(synchronize_session=False)
    )
    audit.record(
        tx,
        tools,
        "programme.changed",
        row.programme_id,
        by=by.staff_id,
        name=name,
        is_open=is_open,
        terms_version=row.terms_version,
        replaced=None,
    )
