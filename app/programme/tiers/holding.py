"""What tier a card has: settled again whenever something may have changed it.

``settle`` asks ``ladder`` where the card stands and, if that is another tier than the
books have, writes a new row of ``TierHeld``, in the transaction of the cause. The card
is held from before, so two at once take turns; and a card has one row that has not
ended, by constraint.

A row promises its tier up to ``until_at``, which is the last second if nothing more is
earned. It is looked at again then, and moved on by another row if more was earned. What
changes a card and is no entry of the ledger stands in the audit log as
``tier.changed``, which the proofs count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from app.programme import audit, cards, expiry
from app.programme.earning.rules import Boost
from app.programme.sessions import ConsoleCaller
from app.programme.tiers import rules as books
from app.programme.tiers import telling
from app.programme.tiers.ladder import Standing, standing
from app.programme.tiers.rules import Rules, TierView
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import Card, Tier, TierHeld, TierInvitation
from app.tools import Tools

#: Why a card is looked at.
Cause = Literal["earned", "undone", "clock", "ladder", "invited", "withdrawn", "moved"]
#: Causes that are entries of the ledger, which count their change themselves.
_ENTRIES: Final = frozenset({"earned", "undone"})
#: So many days before a tier ends its member is warned, where it is long enough.
WARN_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class CardTier:
    """A card's tier as its member sees it."""

    rules: Rules
    #: None: it has none yet.
    tier: TierView | None
    #: When it came to it; None: with no tier.
    since_at: datetime | None
    #: As the card stands now, with everything earned today.
    standing: Standing
    #: The tier above that units reach.
    next: TierView | None


def after_earning(tx: Tx, tools: Tools, card_id: UUID, at: datetime) -> None:
    """Let a card rise by what was just booked; costs one question without tiers.

    Args:
        tx: the caller's, which has written the entries and holds the card.
        tools: the clock, for mail.
        card_id: which.
        at: the moment of the entries.
    """
    settle(tx, tools, card_id, at, "earned")


def after_undoing(tx: Tx, tools: Tools, card_id: UUID, at: datetime) -> None:
    """Take a tier back that stood on what was just taken back; as ``after_earning``.

    Also of the card that goes on for one that was put to it.
    """
    for each in filter(None, (card_id, cards.goes_on(tx, card_id))):
        settle(tx, tools, each, at, "undone")


def boosts_of(tx: Tx, card_id: UUID, at: datetime) -> tuple[Boost, ...]:
    """Tell what a card's tier adds to what it earns; a plan's cashback grows by none.

    Args:
        tx: the caller's.
        card_id: whose.
        at: the moment of earning.
    """
    tier = tier_at(tx, card_id, at)
    more = tier.boost_percent if tier else 0
    return (Boost(tier.name, 100 + more),) if tier and more else ()


def tier_at(tx: Tx, card_id: UUID, at: datetime) -> TierView | None:
    """Tell which tier a card has, also where the worker has yet to see that it ended.

    Args:
        tx: the caller's.
        card_id: which.
        at: the moment, not before now.
    """
    row = tx.execute(_held(card_id, TierHeld.tier_id, TierHeld.until_at)).first()
    if row is None:
        return None
    rules = books.of_card(tx, card_id)
    if rules is None:
        return None
    tier_id, until_at = row
    if until_at is not None and until_at < at:
        day, zone = books.today(tx, at)
        now = _standing(tx, card_id, rules, day, zone).held
        tier_id = now.tier_id if now else None
    return rules.tier(tier_id)


def reaches(tx: Tx, card_id: UUID, tier_id: UUID, at: datetime) -> bool:
    """Tell whether a card has a tier or one above it; of one that is gone, nobody does.

    Args:
        tx: the caller's.
        card_id: which.
        tier_id: that is asked for.
        at: the moment, not before now.
    """
    rules = books.of_card(tx, card_id)
    if rules is None or rules.tier(tier_id) is None:
        return False
    has = tier_at(tx, card_id, at)
    return has is not None and rules.place(has.tier_id) >= rules.place(tier_id)


def name_of(tx: Tx, tier_id: UUID) -> str:
    """Read what a tier is called, or was."""
    return tx.scalar(select(Tier.name).where(Tier.tier_id == tier_id)) or ""


def birthday_extra(tx: Tx, card_id: UUID, at: datetime) -> tuple[int, Unit, str] | None:
    """Tell what a card's tier gives on a birthday: units, of what, the tier's name.

    Args:
        tx: the caller's.
        card_id: which.
        at: the moment, not before now.
    """
    rules, tier = books.of_card(tx, card_id), tier_at(tx, card_id, at)
    if rules is None or tier is None or not tier.birthday_units:
        return None
    return tier.birthday_units, rules.unit, tier.name


def gives_on_birthdays(tx: Tx) -> set[UUID]:
    """Read the programmes in which a tier gives something on a birthday."""
    rows = select(Tier.programme_id).where(Tier.birthday_units > 0)
    return set(tx.scalars(rows))


def of_card(tools: Tools, card_id: UUID) -> CardTier | None:
    """Read a card's tier, with what it is short of; None in a programme without."""
    with tools.database.read() as tx:
        rules = books.of_card(tx, card_id)
        if rules is None:
            return None
        day, zone = books.today(tx, tools.now())
        found = _standing(tx, card_id, rules, day, zone)
        row = tx.execute(_held(card_id, TierHeld.tier_id, TierHeld.since_at)).first()
        tier = rules.tier(row[0]) if row else None
        above = rules.tier(found.next.tier_id) if found.next else None
        return CardTier(rules, tier, row[1] if row and tier else None, found, above)


def let_in(
    tx: Tx,
    card_id: UUID,
    tier_id: UUID,
    since: date,
    until: date | None,
    at: datetime,
    *,
    why: str,
    by: ConsoleCaller,
) -> None:
    """Write an invitation in place of the one that a card has."""
    end_invitation(tx, card_id, at)
    tx.add(
        TierInvitation(
            card_id=card_id,
            tier_id=tier_id,
            why=why,
            since_day=since,
            until_day=until,
            staff_id=by.staff_id,
            at=at,
        )
    )
    tx.flush()


def settle(
    tx: Tx,
    tools: Tools,
    card_id: UUID,
    at: datetime,
    cause: Cause,
    *,
    by: UUID | None = None,
) -> bool:
    """Give a card the tier on which it stands; write nothing where it has that.

    Args:
        tx: the caller's. Of an entry it holds the card; else it is held here.
        tools: the clock.
        card_id: which.
        at: the moment.
        cause: why it is looked at.
        by: who brought it about, if somebody did.

    Returns:
        Whether something was written.
    """
    rules = books.of_card(tx, card_id)
    if rules is None and cause in _ENTRIES:
        return False
    if cause not in _ENTRIES:
        tx.get(Card, card_id, with_for_update=True)
    day, zone = books.today(tx, at)
    now = _standing(tx, card_id, rules, day, zone) if rules else Standing()
    held = tx.scalar(
        select(TierHeld).where(TierHeld.card_id == card_id, TierHeld.ended_at.is_(None))
    )
    row = _next_row(card_id, rules, held, now, at, cause, zone)
    if row is None:
        return False
    if held is not None:
        held.ended_at = at
        tx.flush()
    tx.add(row)
    tx.flush()
    was = held.tier_id if held else None
    if row.tier_id != was:
        telling.changed(tx, tools, card_id, rules, now, was=was)
    if cause not in _ENTRIES:
        cards.touch(tx, card_id)
        audit.record(
            tx,
            tools,
            "tier.changed",
            card_id,
            by=by,
            tier=str(row.tier_id) if row.tier_id else None,
            was=str(was) if was else None,
            why=row.why,
        )
    return True


def would_settle(
    tx: Tx, card_id: UUID, rules: Rules, day: date, zone: ZoneInfo
) -> bool:
    """Tell whether a card stands on another tier than the books have."""
    held = tx.scalar(_held(card_id, TierHeld.tier_id))
    now = _standing(tx, card_id, rules, day, zone).held
    return bool(held != (now.tier_id if now else None))


def _next_row(
    card_id: UUID,
    rules: Rules | None,
    held: TierHeld | None,
    now: Standing,
    at: datetime,
    cause: Cause,
    zone: ZoneInfo,
) -> TierHeld | None:
    """Tell the row to write; None where what there is stays as it is."""
    was = held.tier_id if held else None
    tier_id = now.held.tier_id if now.held else None
    until_at = expiry.last_moment(now.ends, zone) if now.ends else None
    if tier_id == was and (
        held is None
        or tier_id is None
        or held.until_at == until_at
        or not _moves(cause, held.until_at, until_at)
    ):
        return None
    is_up = rules is not None and rules.place(tier_id) > rules.place(was)
    return TierHeld(
        card_id=card_id,
        tier_id=tier_id,
        why=_why(cause, is_up=is_up, is_same=tier_id == was),
        since_at=held.since_at if held and tier_id == was else at,
        at=at,
        until_at=until_at,
        warn_at=_warn_at(now, at, zone),
    )


def _moves(cause: Cause, was: datetime | None, until: datetime | None) -> bool:
    """Tell whether a tier that stays gets another end.

    What is earned moves no end at once: it is told from what was earned, and the row is
    looked at again when it is over.
    """
    is_sooner = until is not None and (was is None or until < was)
    return cause not in _ENTRIES or (cause == "undone" and is_sooner)


def _why(cause: Cause, *, is_up: bool, is_same: bool) -> str:
    if cause == "clock" or (cause == "earned" and not is_up):
        return "kept" if is_same or is_up else "lost"
    return cause


def _warn_at(now: Standing, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Tell when to warn: a month before the end, or a third of a shorter time."""
    if now.until is None:
        return None
    long = (now.until - at.astimezone(zone).date()).days
    day = now.until - timedelta(days=max(0, min(WARN_DAYS, long // 3)))
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _standing(
    tx: Tx, card_id: UUID, rules: Rules, day: date, zone: ZoneInfo
) -> Standing:
    earned = books.earned_by(tx, card_id, rules, day, zone)
    return standing(rules.ladder, earned, day, books.invited_to(tx, card_id))


def _held(card_id: UUID, *what: object) -> Any:
    return (
        select(*what)  # type: ignore[call-overload]
        .select_from(TierHeld)
        .join(Tier, Tier.tier_id == TierHeld.tier_id)
        .where(TierHeld.card_id == card_id, TierHeld.ended_at.is_(None))
    )


def end_invitation(tx: Tx, card_id: UUID, at: datetime) -> bool:
    """End the invitation that a card has; tell whether it had one."""
    ended = tx.execute(
        update(TierInvitation)
        .where(TierInvitation.card_id == card_id, TierInvitation.ended_at.is_(None))
        .values(ended_at=at)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(ended, "rowcount", 0))
