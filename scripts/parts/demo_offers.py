"""What the demo's shop promises: what is on the till, what earns, what it buys.

Everything is set up by the calls of the console's pages, so that nothing stands here
that a person could not have typed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from app.programme import rewards, shop
from app.programme.earning import desk
from app.programme.earning.rules import Act, Caps, Figures, Rule, RuleKind
from app.programme.earning.windows import Window
from app.programme.eligible import invitations
from app.programme.eligible.groups import add_group, put_in_by_number
from app.programme.plans import offering
from app.programme.plans.offering import PlanDraft
from app.programme.rewards import Kind, Plan, partners
from app.programme.sessions import ConsoleCaller
from app.programme.shop import TypedItem
from app.programme.tiers import setting
from app.programme.tiers.setting import TierDraft
from app.programme.units import Unit
from app.store.database import Database, Tx
from app.tools import Tools

CURRENCY: Final = "DKK"
#: Name, minor units, category, whether it stands first.
_ITEMS: Final = (
    ("Filter coffee", 3000, "Coffee", True),
    ("Cappuccino", 4200, "Coffee", True),
    ("Flat white", 4400, "Coffee", False),
    ("Tea", 3200, "Tea", False),
    ("Cardamom bun", 2800, "Bakery", True),
    ("Cheese roll", 3600, "Bakery", False),
    ("Rye loaf", 4800, "Bakery", False),
    ("Beans, 250 g", 9500, "To take home", False),
)
#: For how many days points are good.
POINT_DAYS: Final = 180
_CODES: Final = "\n".join(f"GRAND-{number:04}" for number in range(3107, 3143))
#: Lowest first: name, colour, points in twelve months, what it adds, what else.
_TIERS: Final = (
    ("Regular", "#8a6d3b", 60, 0, "A birthday bun"),
    ("Friend", "#5f6b77", 160, 10, "Oat milk at no charge"),
    ("House guest", "#9a7400", 320, 25, "Oat milk at no charge\nThe first new roast"),
)
_EVENING: Final = "We taste three roasts, and bake with what is left of them."


@dataclass(frozen=True, slots=True)
class Offers:
    """What visits and choices of the demo's members are made of."""

    #: Id and price of each item, the favourites among them.
    items: tuple[tuple[UUID, int], ...]
    rewards: tuple[tuple[UUID, Plan], ...]
    plan_id: UUID


class InOne(Database):
    """Books whose every transaction is a part of one that is open already."""

    def __init__(self, tx: Tx, like: Database) -> None:
        self._tx = tx
        self.is_sqlite = like.is_sqlite

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Take back what is written when the block fails, and nothing else."""
        with self._tx.begin_nested():
            yield self._tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """See what is written so far."""
        yield self._tx


def set_up(
    tools: Tools, programme_id: UUID, *, by: ConsoleCaller, now: datetime
) -> Offers:
    """Set up all that the shop promises.

    Args:
        tools: at the moment of the founding.
        programme_id: of the stamp card.
        by: the owner.
        now: today, from which days to come are counted.
    """
    items = tuple(
        (shop.add_item(tools, TypedItem(*typed), by=by), typed[1]) for typed in _ITEMS
    )
    for number, rule in enumerate(_rules(programme_id)):
        # One after the other: that is the order in which they are shown.
        then = partial(datetime.__add__, tools.now(), timedelta(seconds=number))
        desk.save(replace(tools, now=then), rule, by=by)
    tier_ids = _ladder(tools, programme_id, by)
    offered = []
    for plan in _rewards(now, tier_ids[-1]):
        reward_id = rewards.save(
            tools, plan, programme_id=programme_id, reward_id=None, by=by
        )
        if plan.kind == Kind.PARTNER:
            partners.add(tools, reward_id, _CODES, by=by)
        offered.append((reward_id, plan))
    draft = PlanDraft(
        "Kaffe Plus", 19_900, 12, 500, 60_000, "The paper is always free", True
    )
    plan_id = offering.save_plan(tools, programme_id, None, draft, by=by)
    return Offers(items, tuple(offered), plan_id)


def invite(tools: Tools, numbers: list[str], *, by: ConsoleCaller) -> None:
    """Make a group with some members, and an invitation to it."""
    group_id = add_group(tools, name="Neighbours", staff_may_add=True, by=by)
    for number in numbers:
        put_in_by_number(tools, group_id, number, by=by)
    invitations.invite(
        tools, group_id, name="Note in the stairwell", most_uses=100,
        last_day=None, by=by,
    )  # fmt: skip


def _rules(programme_id: UUID) -> list[Rule]:
    """Write a stamp for each drink, and points for what is paid."""

    def rule(
        kind: RuleKind, figures: Figures, *, name: str = "", unit: Unit = Unit.POINT
    ) -> Rule:
        is_lot = unit is Unit.POINT and kind is not RuleKind.TIMES
        life = POINT_DAYS if is_lot else None
        return Rule(
            uuid4(), 1, uuid4(), programme_id, kind, unit, figures, name,
            life_days=life,
        )  # fmt: skip

    a_visit = Figures(units=1, each=True)
    tuesday = (Window("FREQ=WEEKLY;BYDAY=TU"),)
    return [
        rule(RuleKind.VISIT, a_visit, unit=Unit.STAMP),
        replace(rule(RuleKind.AMOUNT, Figures(units=1, per=1000)), caps=Caps(day=100)),
        replace(
            rule(RuleKind.TIMES, Figures(percent=200), name="Double Tuesday"),
            windows=tuesday,
        ),
        rule(
            RuleKind.ITEM,
            Figures(units=3, per=1, categories=frozenset({"To take home"})),
            name="Beans for home",
        ),
        rule(RuleKind.SIGNUP, Figures(units=10), name="Welcome"),
        rule(RuleKind.BIRTHDAY, Figures(units=25), name="Happy birthday"),
        rule(
            RuleKind.REFERRAL, Figures(units=20, friend_units=10), name="Bring a friend"
        ),
        rule(RuleKind.ACT, Figures(units=5, act=Act.NEWSLETTER)),
        rule(RuleKind.ACT, Figures(units=10, act=Act.REVIEW)),
    ]


def _ladder(tools: Tools, programme_id: UUID, by: ConsoleCaller) -> list[UUID]:
    setting.save_ladder(
        tools, programme_id, unit="point", window_months=12, grace_days=30, by=by
    )
    ids: list[UUID] = []
    for name, colour, units, boost, benefits in _TIERS:
        draft = TierDraft(
            name, colour, units, False, ids[-1] if ids else None, boost, benefits, 0
        )
        ids.append(setting.save_tier(tools, programme_id, None, draft, by=by))
    return ids


def _rewards(now: datetime, highest: UUID) -> list[Plan]:
    day = now.astimezone(ZoneInfo("Europe/Copenhagen")).date() + timedelta(days=12)
    evening = datetime.combine(day, time(19), ZoneInfo("Europe/Copenhagen"))
    evening = evening.astimezone(UTC)
    points = Plan(Kind.ITEM, "", None, unit="point", voucher_days=60)
    return [
        replace(points, name="Any coffee", price=40, cost=700),
        replace(
            points, kind=Kind.PERCENT, name="10 % off", price=25, worth=10, cost=600,
            about="Off everything that you buy at once.",
        ),
        replace(
            points, kind=Kind.MONEY, name="50 kr. to spend", price=90, worth=5000,
            cost=5000, voucher_days=365,
            about="Spend it at once or bit by bit.",
        ),
        replace(
            points, kind=Kind.MERCHANDISE, name="Enamel mug", price=120, cost=4500,
            stock=25, budget=112_500, per_member=2,
            about="White, with a green rim. 3 dl.",
        ),
        replace(
            points, kind=Kind.EVENT, name="An evening of roasts", price=60, cost=3000,
            stock=12, per_member=1, place="Torvet", voucher_days=None, about=_EVENING,
            starts_at=evening, ends_at=evening + timedelta(hours=3),
        ),
        replace(
            points, kind=Kind.PARTNER, name="Grand cinema, one seat", price=110,
            cost=4000, per_member=1, about="From our neighbours across the street.",
            content="Show the code at the cinema's desk.",
        ),
        replace(
            points, kind=Kind.DELIVERY, name="Bread to your door", price=50,
            cost=2500, about="Within two kilometres, on Saturdays.",
        ),
        replace(
            points, kind=Kind.CONTENT, name="Our bun recipe", price=15, per_member=1,
            voucher_days=None,
            content="500 g flour, 300 g milk, 75 g butter, 75 g sugar, 8 g cardamom,\n"
            "12 g yeast. Rest it overnight; 12 minutes at 220 degrees.",
        ),
        replace(
            points, kind=Kind.VIP, name="A table by the window", price=30,
            needs_tier_id=highest, about="Kept for you for an hour, any morning.",
        ),
    ]  # fmt: skip
