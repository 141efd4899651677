"""What a programme asks of whoever takes its card, and whether a member has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.programme import audit, expiry, programmes
from app.programme.cards import ProgrammeView
from app.programme.eligible import ages
from app.programme.eligible.groups import has_way_in
from app.programme.errors import InvalidRequest, NotEligible, NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.store.database import Tx
from app.store.tables import (
    Card,
    Eligibility,
    GroupMember,
    LedgerEntry,
    MemberGroup,
    Programme,
)
from app.tools import Tools

LEAST_COUNT: Final = range(1, 1001)
LEAST_AGE: Final = range(1, 121)
#: What may be counted: times that stamps were given, or days with any.
COUNTED: Final = ("purchases", "visits")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a programme asks of whoever takes its card; all of it."""

    #: Only members of this group; None: no group is asked for.
    group_id: UUID | None = None
    group_name: str = ""
    #: Purchases or visits on other cards; None: none are asked for.
    least_count: int | None = None
    #: Of ``COUNTED``.
    counted: str = "purchases"
    #: Years; None: nobody asks.
    least_age: int | None = None

    @property
    def is_for_everyone(self) -> bool:
        """Tell whether nothing is asked."""
        return self.group_id is None and not (self.least_count or self.least_age)


EVERYONE: Final = Rules()


@dataclass(frozen=True, slots=True)
class Offer:
    """A programme as it is offered to somebody."""

    programme: ProgrammeView
    rules: Rules
    #: Their card in it; None: they have none.
    card_id: UUID | None
    #: What they lack, the first of it; None: they may take it.
    lacks: NotEligible | None


def rules_of(tools: Tools, programme_id: UUID) -> Rules:
    """Read what a programme asks."""
    with tools.database.read() as tx:
        return _rules(tx, programme_id)


def offers(tools: Tools, member_id: UUID | None = None) -> list[Offer]:
    """Read every open programme, as it is offered to a member or to a stranger.

    Those that are for everyone come first, then the oldest.
    """
    now = tools.now()
    with tools.database.read() as tx:
        rows = tx.scalars(
            select(Programme).where(Programme.is_open).order_by(Programme.created_at)
        ).all()
        held_rows = tx.execute(
            select(Card.programme_id, Card.card_id).where(Card.member_id == member_id)
        )
        held = {row.programme_id: row.card_id for row in held_rows}
        found = []
        for row in rows:
            rules = _rules(tx, row.programme_id)
            found.append(
                Offer(
                    programmes.present(tx, row, now),
                    rules,
                    held.get(row.programme_id),
                    next(_lacking(tx, row.programme_id, rules, member_id, now), None),
                )
            )
    return sorted(found, key=lambda offer: not offer.rules.is_for_everyone)


def must_be_eligible(
    tx: Tx, programme_id: UUID, member_id: UUID | None, at: datetime
) -> None:
    """Refuse whom the programme's rules leave out.

    Args:
        tx: the caller's transaction.
        programme_id: whose card is to be taken.
        member_id: who takes it; None: somebody of whom nothing is known.
        at: the moment, for ages.

    Raises:
        NotEligible: ``needs_invitation``, ``needs_visits``, ``needs_purchases`` or
            ``needs_age``, with how many or how old.
    """
    rules = _rules(tx, programme_id)
    for lacking in _lacking(tx, programme_id, rules, member_id, at):
        raise lacking


def save_rules(
    tools: Tools, programme_id: UUID, wanted: Rules, *, by: ConsoleCaller
) -> Rules:
    """Set what a programme asks of whoever takes its card from now on.

    Args:
        tools: the books.
        programme_id: which.
        wanted: all of it; its ``group_name`` is not looked at.
        by: who asks.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: ``least_count`` or ``least_age`` is ``out_of_range``;
            ``least_count`` is ``no_other_card``: there is no other open programme to
            collect on; ``group_id`` is ``missing`` or ``no_way_in``: nobody is in it,
            no invitation to it is good, and staff may not put anybody in.
        NotFound: no such programme.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    if wanted.least_count is not None and wanted.least_count not in LEAST_COUNT:
        wrong["least_count"] = "out_of_range"
    if wanted.least_age is not None and wanted.least_age not in LEAST_AGE:
        wrong["least_age"] = "out_of_range"
    if wanted.counted not in COUNTED:
        wrong["counted"] = "wrong_type"
    refuse(wrong)
    with tools.database.begin() as tx:
        if tx.get(Programme, programme_id, with_for_update=True) is None:
            raise NotFound
        _must_be_possible(tx, tools, programme_id, wanted)
        row = tx.get(Eligibility, programme_id)
        if row is None:
            row = Eligibility(programme_id=programme_id)
            tx.add(row)
        row.group_id, row.counted = wanted.group_id, wanted.counted
        row.least_count, row.least_age = wanted.least_count, wanted.least_age
        tx.flush()
        audit.record(
            tx,
            tools,
            "eligibility.changed",
            programme_id,
            by=by.staff_id,
            group=str(wanted.group_id) if wanted.group_id else None,
            least_count=wanted.least_count,
            counted=wanted.counted,
            least_age=wanted.least_age,
        )
        return _rules(tx, programme_id)


def _must_be_possible(tx: Tx, tools: Tools, programme_id: UUID, wanted: Rules) -> None:
    wrong: dict[str, str] = {}
    if wanted.least_count is not None:
        other = select(Programme.programme_id).where(
            Programme.programme_id != programme_id, Programme.is_open
        )
        if tx.scalar(other.limit(1)) is None:
            wrong["least_count"] = "no_other_card"
    if wanted.group_id is not None:
        if tx.get(MemberGroup, wanted.group_id) is None:
            wrong["group_id"] = "missing"
        elif not has_way_in(tx, wanted.group_id, tools.now()):
            wrong["group_id"] = "no_way_in"
    if wrong:
        raise InvalidRequest(wrong)


def _rules(tx: Tx, programme_id: UUID) -> Rules:
    row = tx.execute(
        select(Eligibility, MemberGroup.name)
        .outerjoin(MemberGroup, MemberGroup.group_id == Eligibility.group_id)
        .where(Eligibility.programme_id == programme_id)
    ).first()
    if row is None:
        return EVERYONE
    found, name = row
    return Rules(
        found.group_id, name or "", found.least_count, found.counted, found.least_age
    )


def _lacking(
    tx: Tx, programme_id: UUID, rules: Rules, member_id: UUID | None, at: datetime
) -> Iterator[NotEligible]:
    """Tell what somebody lacks, one thing after the other."""
    if rules.group_id is not None and not _is_in(tx, rules.group_id, member_id):
        yield NotEligible("needs_invitation", group=rules.group_name)
    if rules.least_count is not None:
        have = _count(tx, programme_id, rules.counted, member_id)
        if have < rules.least_count:
            yield NotEligible(
                f"needs_{rules.counted}", needed=rules.least_count, have=have
            )
    if rules.least_age is not None and not ages.is_at_least(
        tx, member_id, rules.least_age, at
    ):
        yield NotEligible("needs_age", needed=rules.least_age)


def _is_in(tx: Tx, group_id: UUID, member_id: UUID | None) -> bool:
    row = tx.get(GroupMember, (group_id, member_id)) if member_id else None
    return row is not None and row.left_at is None


def _count(tx: Tx, programme_id: UUID, counted: str, member_id: UUID | None) -> int:
    """Count what a member did on other cards, and nobody took back."""
    if member_id is None:
        return 0
    cards = select(Card.card_id).where(
        Card.member_id == member_id, Card.programme_id != programme_id
    )
    undone = select(LedgerEntry.reverses_id).where(
        LedgerEntry.card_id.in_(cards), LedgerEntry.reverses_id.is_not(None)
    )
    moments = tx.scalars(
        select(LedgerEntry.at).where(
            LedgerEntry.card_id.in_(cards),
            LedgerEntry.kind.in_(("EARN", "ADJUST")),
            LedgerEntry.units > 0,
            LedgerEntry.entry_id.not_in(undone),
        )
    ).all()
    if counted == "purchases":
        return len(moments)
    zone = expiry.zone_of(tx)
    return len({at.astimezone(zone).date() for at in moments})
