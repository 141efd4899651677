"""What a shop gives for what: rules, the occasions they look at, and what comes of it.

Values only; ``count`` does the counting. Each rule has versions, and what was earned
names the version by which it was: a change holds for what is earned after it.

Figures, by the kind of rule:

* *visit*: ``units`` for each visit, or for each that the barista counts (``each``).
* *item*: ``units`` for every ``per`` of some items or categories.
* *amount*: ``units`` for every ``per`` minor units of the amount.
* *times*: ``percent`` of what visit, item and amount rules of its unit give: 200 is
  double. Of several that hold at once, tiers' among them, the best one counts.
* *act*: ``units`` for the ``act``, once for a member.
* *signup*, *birthday*: ``units``.
* *referral*: ``units`` for the member who invited, ``friend_units`` for the friend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.programme.earning.windows import Window, hold
from app.programme.units import Unit


class RuleKind(StrEnum):
    """What a rule gives for."""

    VISIT = "visit"
    ITEM = "item"
    AMOUNT = "amount"
    TIMES = "times"
    ACT = "act"
    SIGNUP = "signup"
    BIRTHDAY = "birthday"
    REFERRAL = "referral"


#: Rules that give for a sale; a programme without any counts what the barista counts.
BASES: Final = frozenset({RuleKind.VISIT, RuleKind.ITEM, RuleKind.AMOUNT})


class Act(StrEnum):
    """What a member can do for the shop, once."""

    NEWSLETTER = "newsletter"
    REVIEW = "review"
    SURVEY = "survey"
    PROFILE = "profile"
    SOCIAL = "social"


@dataclass(frozen=True, slots=True)
class Figures:
    """How much for what; which of them a rule uses, its kind says."""

    units: int = 0
    #: So many minor units, or items, for ``units``.
    per: int = 1
    #: A visit's: for each that the barista counts, not for the visit.
    each: bool = False
    items: frozenset[UUID] = frozenset()
    categories: frozenset[str] = frozenset()
    #: Nothing below this amount in minor units.
    least: int = 0
    percent: int = 100
    act: Act | None = None
    friend_units: int = 0


@dataclass(frozen=True, slots=True)
class Caps:
    """Units at most for one member: by a sale, a local day, month, year, for ever.

    None: no such bound. Of a *times* rule: what it adds.
    """

    sale: int | None = None
    day: int | None = None
    month: int | None = None
    year: int | None = None
    member: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in one version."""

    rule_id: UUID
    version: int
    version_id: UUID
    programme_id: UUID
    kind: RuleKind
    unit: Unit
    figures: Figures
    #: What the shop calls it: "Double Tuesday". May be empty.
    name: str = ""
    #: It holds in any of them; none: always.
    windows: tuple[Window, ...] = ()
    #: First and last local day of the rule itself.
    first_day: date | None = None
    last_day: date | None = None
    #: Where it holds; none: everywhere.
    places: frozenset[UUID] = frozenset()
    caps: Caps = field(default_factory=Caps)
    #: Units that it gives in all, to everybody together; None: no end.
    budget: int | None = None
    #: For how many days its units are good; None: no end.
    life_days: int | None = None

    def holds(self, occasion: Occasion) -> bool:
        """Tell whether the rule looks at this day, hour and place."""
        day = occasion.local_day
        return (
            (self.first_day is None or day >= self.first_day)
            and (self.last_day is None or day <= self.last_day)
            and (not self.places or occasion.location_id in self.places)
            and hold(self.windows, occasion.at, occasion.zone)
        )


@dataclass(frozen=True, slots=True)
class Bought:
    """One line of a sale."""

    quantity: int
    #: Minor units for one.
    price: int
    item_id: UUID | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that may earn."""

    #: ``RuleKind.VISIT`` for every sale, whatever rules look at it.
    kind: RuleKind
    at: datetime
    #: The shop's.
    zone: ZoneInfo
    #: What the barista counted.
    stamps: int = 1
    lines: tuple[Bought, ...] = ()
    #: Of the whole sale in minor units; None: nobody told, the lines say it.
    amount: int | None = None
    act: Act | None = None
    location_id: UUID | None = None
    #: In a referral: whether this is the friend's side.
    is_friend: bool = False

    @property
    def local_day(self) -> date:
        """The day on the shop's own calendar."""
        return self.at.astimezone(self.zone).date()

    @property
    def total(self) -> int:
        """The amount, or what the lines come to."""
        if self.amount is not None:
            return self.amount
        return sum(line.quantity * line.price for line in self.lines)


@dataclass(frozen=True, slots=True)
class Boost:
    """More of everything for this card, by a tier or a plan."""

    #: Whose: the tier's name.
    word: str
    #: Of what would be given otherwise: 150 is half as much again.
    percent: int
    #: None: of all units.
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What one rule has given so far: to this card, and (``total``) to everybody."""

    day: int = 0
    month: int = 0
    year: int = 0
    member: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What the books say before an occasion, by the rule's id."""

    used: Mapping[UUID, Used] = field(default_factory=dict)
    #: What is left over of earlier sales, as ``Tally.carried`` has it. None stands for
    #: what the barista counts.
    carried: Mapping[UUID | None, int] = field(default_factory=dict)


class Cut(StrEnum):
    """Why a rule gave less than its figures say, or nothing."""

    SALE = "sale"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    MEMBER = "member"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Tally:
    """How one sale moved what is left over of a base rule on a card.

    ``whole`` parts make one unit. Parts of a hundredth, so that half as much again of
    what is not yet a unit is counted too.
    """

    #: The base rule; None: what the barista counts.
    rule_id: UUID | None
    parts: int
    whole: int
    #: Left over after it: 0 to ``whole`` - 1.
    carried: int
    #: What it gave, with what multiplied it.
    units: int


@dataclass(frozen=True, slots=True)
class Award:
    """What one rule gives for one occasion; becomes one entry of the ledger."""

    unit: Unit
    #: May be 0: then only the tally moved, or ``cut`` tells why nothing came.
    units: int
    #: None: what the barista counted, or a tier's ``boost``.
    rule: Rule | None
    #: Set where this is more by a tier.
    boost: Boost | None = None
    cut: Cut | None = None
    expires_at: datetime | None = None
    #: Of base rules.
    tally: Tally | None = None
