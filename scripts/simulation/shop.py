"""The simulated shop: places, tills, people at them, and the clock that all go by."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from app.programme import founding, limits, shop, staff
from app.programme.founding import Charter
from app.programme.hours import Hours
from app.programme.limits import Limits
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.tools import Tools

ZONE: Final = ZoneInfo("Europe/Copenhagen")
#: A Monday. Codes carry moments from 2026 on.
FIRST_DAY: Final = date(2027, 1, 4)
OPENS, CLOSES = 7.5, 18.0
PLACES: Final = ("Nyhavn", "Torvet", "Havnen")
#: Two of the three places are a short walk apart.
NEAR: Final = (0, 1)
PEOPLE: Final = tuple("Mia Emil Freja Noah Ida Oscar Luna Villads Asta".split())  # noqa: SIM905


class Clock:
    """The moment that it is in the simulation."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Tell it."""
        return self.at


@dataclass
class Shop:
    """The shop as the simulation knows it."""

    tools: Tools
    clock: Clock
    owner: ConsoleCaller
    #: A till of each place.
    tills: list[tuple[UUID, UUID, str]]
    #: Staff ids, in the order of ``PEOPLE``.
    people: list[UUID]
    chance: random.Random
    #: Who stands where on a day, morning and afternoon.
    _rota: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def caller(self, person: int, place: int) -> StaffCaller:
        """Give somebody at a place's till."""
        terminal_id, location_id, name = self.tills[place]
        return StaffCaller(
            self.people[person],
            PEOPLE[person],
            "barista",
            terminal_id,
            location_id,
            name,
        )

    def on_shift(self, at: datetime, place: int) -> int:
        """Tell who is at a place's till: three share it, in halves of a day.

        Each keeps the same halves for weeks on end, as people do, so that a regular
        who comes at the same hour meets the same person.
        """
        local = at.astimezone(ZONE)
        half = int(local.hour >= 13)  # noqa: PLR2004 -- one o'clock
        day = (local.date() - FIRST_DAY).days
        key = (place, day, half)
        if key not in self._rota:
            team = (3 * place, 3 * place + 1, 3 * place + 2)
            steady = team[(local.weekday() + 2 * half + day // 42) % 3]
            is_swapped = self.chance.random() < 0.2  # noqa: PLR2004 -- a day in five
            self._rota[key] = self.chance.choice(team) if is_swapped else steady
        return self._rota[key]


def found(tools: Tools, seed: int) -> Shop:
    """Found the shop a day before it opens."""
    clock = Clock(moment(0, 8.0) - timedelta(days=1))
    mine = dataclasses.replace(tools, now=clock)
    first = founding.found(
        mine,
        Charter(
            name="Simulated",
            timezone=str(ZONE),
            location=PLACES[0],
            limits=Limits(5, limits.SAFE.per_card, 400, 400, 2000),
        ),
    )
    by = ConsoleCaller(first.staff_id, "Owner", "owner")
    places = [first.location_id]
    places += [shop.add_location(mine, name=name, by=by) for name in PLACES[1:]]
    week = Hours(((int(OPENS * 60), int(CLOSES * 60)),) * 7)
    tills = []
    for location_id, name in zip(places, PLACES, strict=True):
        shop.save_hours(mine, location_id, week, by=by)
        code = staff.enrolment_code(mine, location_id, name=f"Till {name}").code
        tills.append((staff.enrol(mine, code).terminal_id, location_id, name))
    people = [
        shop.add_staff(mine, name=name, role="barista", pin="8127", by=by)
        for name in PEOPLE
    ]
    return Shop(mine, clock, by, tills, people, random.Random(seed))  # noqa: S311


def moment(day: int, hour: float) -> datetime:
    """Tell a moment of a day of the simulation, by the shop's own clock."""
    midnight = datetime.combine(FIRST_DAY + timedelta(days=day), time(), ZONE)
    return midnight + timedelta(hours=hour)
