"""What a card gives beyond its stamps: its tier, and a paid membership."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext

from app.programme import plans, tiers
from app.programme.cards import CardState
from app.programme.plans import Period, advising, offering
from app.web.shared import access, moments, plan_words, tier_words
from app.web.shared.names import isolated
from app.web.shared.tier_words import Shown


@dataclass(frozen=True, slots=True)
class Offered:
    """A plan that can be taken at the till."""

    name: str
    price: str
    gives: tuple[str, ...]
    #: Whether it would have paid; empty where no purchase has a sum.
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mine:
    """The membership that a card has now."""

    name: str
    until: str
    used: str
    gives: tuple[str, ...]
    #: What to do before it ends; "" while that is far.
    ends: str


@dataclass(frozen=True, slots=True)
class Gives:
    """All of it; nothing where the programme has neither tiers nor plans."""

    tier: Shown | None
    mine: Mine | None
    offered: tuple[Offered, ...]


def of_card(card: CardState) -> Gives:
    """Lay out what a card gives."""
    tools = access.tools()
    found = tiers.of_card(tools, card.card_id)
    periods = plans.of_card(tools, card.card_id)
    now = next((one for one in periods if one.is_good(tools.now())), None)
    return Gives(
        tier=tier_words.shown(found) if found else None,
        mine=_mine(now) if now else None,
        offered=() if now else _offered(card.card_id, card.programme.programme_id),
    )


def _mine(period: Period) -> Mine:
    until = moments.day_in_full(period.until_at)
    last = plans.renewable_from(period)
    ends = ""
    if last <= access.tools().now() and not period.is_renewed:
        ends = gettext("It ends then. Pay the next period at the till to go on.")
    return Mine(
        name=period.name,
        until=str(gettext("Paid until %(day)s.", day=until)),
        used=plan_words.used(period),
        gives=plan_words.gives(period.terms, period.benefits, period.currency),
        ends=str(ends),
    )


def _offered(card_id: UUID, programme_id: UUID) -> tuple[Offered, ...]:
    tools = access.tools()
    known = [
        one for one in offering.of_programme(tools, programme_id) if one.is_offered
    ]
    if not known:
        return ()
    currency = offering.currency(tools)
    history = advising.of_card(tools, card_id)
    return tuple(
        Offered(
            name=isolated(one.name),
            price=plan_words.price(one.terms, currency),
            gives=plan_words.gives(one.terms, one.benefits, currency),
            advice=plan_words.advice(history.advice(one.terms), currency)
            if history and one.terms.cashback
            else (),
        )
        for one in known
    )
