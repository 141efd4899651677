"""README's worked examples of tiers and of the plan are computed, line by line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from app.programme.plans.advice import Terms, advice
from app.programme.tiers.ladder import Ladder, Moved, Rung, earned_of, standing

README = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
LADDER = Ladder(
    tuple(
        Rung(UUID(int=number), name, bar)
        for number, (name, bar) in enumerate(
            (("Bronze", 100), ("Silver", 300), ("Gold", 600)), 1
        )
    ),
    window_months=12,
    grace_days=30,
)
#: The day, and points: earned, or used where they are below nought.
YEAR = (
    (date(2026, 1, 15), 120),
    (date(2026, 3, 10), 200),
    (date(2026, 6, 20), 300),
    (date(2026, 7, 1), -400),
    (date(2026, 12, 1), 60),
    (date(2027, 1, 15), 0),
    (date(2027, 2, 14), 0),
    (date(2027, 3, 10), 0),
)
CLUB = Terms(price=45_00, period_months=12, cashback=200, cap=500_00)


def row(day: date) -> str:
    """Tell one day of the year as the table has it."""
    moved = [
        Moved(uuid4(), "EARN" if units > 0 else "REDEEM", units, at)
        for at, units in YEAR
        if units and at <= day
    ]
    now = standing(LADDER, earned_of(moved), day)
    units = dict(YEAR)[day]
    happened = (
        (f"+{units}" if units > 0 else f"\N{MINUS SIGN}{-units}") if units else ""
    )
    tier = now.held.name if now.held else ""
    if now.in_grace:
        tier += ", in grace"
    return (
        f"| {day} | {happened} | {sum(each.units for each in moved)} | {now.counted} "
        f"| {tier} | {now.ends or ''} | {now.keep or ''} "
        f"| {f'{now.missing} to {now.next.name}' if now.next else ''} |"
    )


def test_three_tiers_over_twelve_months() -> None:
    for day, _ in YEAR:
        assert row(day) in README


def test_the_warehouse_clubs_two_percent() -> None:
    today = date(2026, 11, 23)
    for spent in (1_240_00, 2_250_00, 6_000_00, 30_000_00):
        bought = [(today - timedelta(days=30), spent)]
        found = advice(bought, CLUB, today=today, since=date(2025, 1, 1))
        says = "pays" if found.pays else "does not pay"
        if found.is_capped:
            says += ", and the cap holds"
        gain = f"{found.gain / 100:,.2f}".replace("-", "\N{MINUS SIGN}")
        line = (
            f"| {spent / 100:,.2f} | {found.given / 100:,.2f} "
            f"| {found.price / 100:,.2f} | {gain} | {says} |"
        )
        assert line in README
    assert f"above {(CLUB.break_even or 0) / 100:,.2f} a year" in README
