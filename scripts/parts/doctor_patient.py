"""What the doctor's checks look at, and what each of them finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.settings import Settings
from app.tools import Tools


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, or worth a look; in words, nothing secret."""

    sentence: str
    #: What to do about it.
    mend: str
    #: False: worth a look, and nothing is wrong.
    is_wrong: bool = True


@dataclass(frozen=True, slots=True)
class Patient:
    """An installation, served or not."""

    environ: Mapping[str, str]
    tools: Tools
    #: Whether its nonce store can be asked.
    is_served: bool
    #: How old the last backup may be.
    backup_within: timedelta

    @property
    def settings(self) -> Settings:
        """What it is set to."""
        return self.tools.settings

    @property
    def now(self) -> datetime:
        """The moment, by the clock of this machine."""
        return self.tools.now()


#: A check gives what it finds; nothing means that all is well.
Check = Callable[[Patient], Iterator[Finding]]
