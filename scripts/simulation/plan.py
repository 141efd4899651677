"""What happens, as a list of moments; who is honest is known to each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One thing that somebody does."""

    at: datetime
    number: int
    #: ``join``, ``visit``, ``redeem``, ``undo``, ``reuse``: a verb of ``play``.
    what: str = field(compare=False)
    #: The customer, by number.
    who: int = field(compare=False)
    place: int = field(compare=False)
    stamps: int = field(compare=False, default=1)
    #: The barista, by number; None: whoever is on shift.
    person: int | None = field(compare=False, default=None)
    #: What the device says of itself, of a join.
    device: tuple[str, str] | None = field(compare=False, default=None)
    #: The cheat that it belongs to; None: honest.
    cheat: str | None = field(compare=False, default=None)


class Plan:
    """Collects events; numbers keep the order of those at one moment."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.members = 0

    def add(self, at: datetime, what: str, who: int, place: int, **more: Any) -> None:
        """Note that something happens."""
        self.events.append(Event(at, len(self.events), what, who, place, **more))

    def newcomer(
        self,
        at: datetime,
        place: int,
        device: tuple[str, str],
        cheat: str | None = None,
    ) -> int:
        """Let somebody join; tells their number."""
        who, self.members = self.members, self.members + 1
        self.add(at, "join", who, place, device=device, cheat=cheat)
        return who
