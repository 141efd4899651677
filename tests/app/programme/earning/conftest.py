from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.programme import stamping
from app.programme.cards import CardState
from app.programme.earning import desk
from app.programme.earning.rules import Figures, Rule, RuleKind
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.units import Unit
from app.tools import Tools
from tests.conftest import Clock


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def make_rule(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> Callable[..., Rule]:
    """Put a rule into effect."""

    def make(kind: RuleKind, unit: Unit = Unit.STAMP, **more: Any) -> Rule:
        figures = Figures(
            **{name: more.pop(name) for name in Figures.__slots__ if name in more}
        )
        draft = Rule(
            uuid4(), 0, uuid4(), founded.programme_id, kind, unit, figures, **more
        )
        return desk.save(tools, draft, by=owner)

    return make


@pytest.fixture
def visit(tools: Tools, barista: StaffCaller) -> Callable[..., dict[str, Any]]:
    """Scan a card; returns the answer."""

    def go(card: CardState, stamps: int = 1) -> dict[str, Any]:
        code = stamping.card_code(tools, card.card_id).code
        spent = stamping.stamp(
            tools, code, stamps=stamps, request_id=uuid4().hex, staff=barista
        )
        return dict(spent.answer)

    return go


@pytest.fixture
def to_weekday(clock: Clock) -> Callable[[int], datetime]:
    """Move the clock to noon of the next such day, 0 for Monday."""

    def move(day: int) -> datetime:
        now = clock()
        ahead = (day - now.weekday()) % 7 or 7
        noon = (now + timedelta(days=ahead)).replace(
            hour=11, minute=0, second=0, microsecond=0
        )
        clock.forward(noon - now)
        return noon.astimezone(UTC)

    return move
