"""What a rule would do: to one made-up purchase, and to the last three months.

Nothing is written. The simulation goes through the shop's own visits in their order,
card by card, with remainders and caps as in the books; so its figure is what the rule
would have given, had everybody come all the same. For what no visit earns it counts
what happened: first visits, birthdays of members who were here, friends who came twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Exists, select

from app.programme import expiry
from app.programme.earning import counting
from app.programme.earning.count import awards
from app.programme.earning.rules import (
    Award,
    Bought,
    Counts,
    Occasion,
    Rule,
    RuleKind,
    Used,
)
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Member, Purchase, PurchaseLine, Referral
from app.tools import Tools

#: How far a simulation looks back.
SPAN: Final = timedelta(days=91)
#: Visits that it looks at, at most: the newest.
MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a rule would have given."""

    #: Visits, or first visits, birthdays and friends, that it looked at.
    looked_at: int
    #: Cards that would have got something.
    cards: int
    units: int
    #: To one card, at most.
    most: int
    since: datetime
    #: False: nothing in the books tells; an act was not asked for yet.
    is_known: bool = True


@dataclass(slots=True)
class _Card:
    """A card in the simulation."""

    carried: dict[UUID | None, int] = field(default_factory=dict)
    given: list[tuple[date, int]] = field(default_factory=list)

    @property
    def units(self) -> int:
        return sum(units for _, units in self.given)

    def used(self, today: date, total: int) -> Used:
        return Used(
            day=sum(u for day, u in self.given if day == today),
            month=sum(
                u
                for day, u in self.given
                if (day.year, day.month) == (today.year, today.month)
            ),
            year=sum(u for day, u in self.given if day.year == today.year),
            member=self.units,
            total=total,
        )


def purchase(rules: Sequence[Rule], draft: Rule, occasion: Occasion) -> list[Award]:
    """Tell what a made-up purchase would earn with a draft among the rules."""
    others = [rule for rule in rules if rule.rule_id != draft.rule_id]
    return [
        award
        for award in awards([*others, draft], occasion)
        if award.units or award.cut
    ]


def simulate(tools: Tools, draft: Rule, rules: Sequence[Rule]) -> Simulated:
    """Tell what a rule would have given in the last three months.

    Args:
        tools: the books and the clock.
        draft: the rule.
        rules: those in effect, of which a multiplier needs the base rules.

    Raises:
        StoreDown: the books gave no answer.
    """
    since = tools.now() - SPAN
    if draft.kind is RuleKind.ACT:
        return Simulated(0, 0, 0, 0, since, is_known=False)
    with tools.database.read() as tx:
        if draft.kind in {RuleKind.SIGNUP, RuleKind.BIRTHDAY, RuleKind.REFERRAL}:
            return _once_each(tx, draft, since, tools.now())
        return _visits(tx, draft, rules, since)


def _visits(tx: Tx, draft: Rule, rules: Sequence[Rule], since: datetime) -> Simulated:
    zone = expiry.zone_of(tx)
    used_rules = [draft]
    if draft.kind is RuleKind.TIMES:
        used_rules += [rule for rule in rules if rule.kind is not RuleKind.TIMES]
    cards: defaultdict[UUID, _Card] = defaultdict(_Card)
    total, looked_at = 0, 0
    lines = _lines(tx, draft, since)
    for card_id, at, units, location_id, answer, purchase_id in _rows(tx, draft, since):
        looked_at += 1
        card = cards[card_id]
        occasion = Occasion(
            RuleKind.VISIT,
            at,
            zone,
            stamps=(answer or {}).get("counted", units) or 1,
            lines=tuple(lines.get(purchase_id, ())),
            amount=((answer or {}).get("purchase") or {}).get("amount"),
            location_id=location_id,
        )
        used = {draft.rule_id: card.used(occasion.local_day, total)}
        for award in awards(used_rules, occasion, (), Counts(used, card.carried)):
            if award.tally is not None:
                card.carried[award.tally.rule_id] = award.tally.carried
            if award.rule is draft and award.units:
                card.given.append((occasion.local_day, award.units))
                total += award.units
    got = [card.units for card in cards.values() if card.units]
    return Simulated(looked_at, len(got), total, max(got, default=0), since)


def _lines(tx: Tx, draft: Rule, since: datetime) -> dict[UUID, list[Bought]]:
    """Read what was bought, for a rule that looks at it."""
    found: defaultdict[UUID, list[Bought]] = defaultdict(list)
    if draft.kind is RuleKind.AMOUNT:
        # The sum says it all.
        return found
    rows = tx.execute(
        select(
            PurchaseLine.purchase_id,
            PurchaseLine.quantity,
            PurchaseLine.price,
            PurchaseLine.item_id,
            PurchaseLine.category,
        )
        .join(Purchase, Purchase.purchase_id == PurchaseLine.purchase_id)
        .where(Purchase.at >= since)
    )
    for purchase_id, quantity, price, item_id, category in rows:
        found[purchase_id].append(Bought(quantity, price, item_id, category or None))
    return found


def _rows(tx: Tx, draft: Rule, since: datetime) -> Iterator[Any]:
    newest = (
        select(
            LedgerEntry.card_id,
            LedgerEntry.at,
            LedgerEntry.units,
            LedgerEntry.location_id,
            LedgerEntry.answer,
            LedgerEntry.purchase_id,
        )
        .join(Card, Card.card_id == LedgerEntry.card_id)
        .where(
            Card.programme_id == draft.programme_id,
            LedgerEntry.nonce.is_not(None),
            LedgerEntry.kind != "REDEEM",
            LedgerEntry.at >= since,
            ~counting.is_undone(),
        )
        .order_by(LedgerEntry.entry_no.desc())
        .limit(MOST)
    )
    return reversed(tx.execute(newest).all())


def _once_each(tx: Tx, draft: Rule, since: datetime, now: datetime) -> Simulated:
    if draft.kind is RuleKind.REFERRAL:
        pairs = tx.scalars(
            select(Referral.giver_card_id).where(
                Referral.at >= since, Referral.state != "refused"
            )
        ).all()
        each = draft.figures.units + draft.figures.friend_units
        most = max((pairs.count(card) for card in set(pairs)), default=0)
        return _bounded(
            draft,
            Simulated(
                len(pairs),
                2 * len(pairs),
                len(pairs) * each,
                most * draft.figures.units,
                since,
            ),
        )
    happened = (
        _first_visits(tx, draft, since)
        if draft.kind is RuleKind.SIGNUP
        else _birthdays(tx, draft, since, now)
    )
    units = draft.figures.units
    return _bounded(
        draft,
        Simulated(happened, happened, happened * units, units * bool(happened), since),
    )


def _bounded(draft: Rule, found: Simulated) -> Simulated:
    if draft.budget is None or found.units <= draft.budget:
        return found
    return Simulated(
        found.looked_at, found.cards, draft.budget, found.most, found.since
    )


def _here_since(since: datetime) -> Exists:
    return (
        select(LedgerEntry.entry_id)
        .where(
            LedgerEntry.card_id == Card.card_id,
            LedgerEntry.nonce.is_not(None),
            LedgerEntry.at >= since,
        )
        .exists()
    )


def _first_visits(tx: Tx, draft: Rule, since: datetime) -> int:
    rows = select(Card.card_id).where(
        Card.programme_id == draft.programme_id,
        Card.opened_at >= since,
        _here_since(since),
    )
    return len(tx.scalars(rows).all())


def _birthdays(tx: Tx, draft: Rule, since: datetime, now: datetime) -> int:
    born = tx.scalars(
        select(Member.birthday)
        .join(Card, Card.member_id == Member.member_id)
        .where(
            Card.programme_id == draft.programme_id,
            Member.birthday.is_not(None),
            _here_since(since),
        )
    )
    span = {
        ((since + timedelta(days=number)).month, (since + timedelta(days=number)).day)
        for number in range((now - since).days + 1)
    }
    return sum((day.month, day.day) in span for day in born if day is not None)
