"""What a check of the ledger has seen so far, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from app.programme.audit import Finding
from signing.keyring import KeyRing

#: How far two clocks of ours may differ, and how long workers may not have heard of a
#: key's end.
SLACK: Final = timedelta(seconds=15)

#: Told how many entries were checked so far.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """How far the ledger went once, and what was in it."""

    #: The last number.
    last: int
    #: How many entries, up to there.
    count: int
    #: 32 bytes; ``anchors`` tells over what.
    digest: bytes


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of checking the whole ledger."""

    entries: int
    #: Of codes and of receipts.
    signatures: int
    findings: tuple[Finding, ...]
    #: What is odd and proves nothing.
    notes: tuple[Finding, ...]
    #: How far the ledger went; None if it was not asked for or could not be told.
    head: Head | None = None


@dataclass(slots=True)
class Found:
    """What the check has seen so far, and what it checks with."""

    ring: KeyRing
    origin: str
    entries: int = 0
    signatures: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)

    def add(self, code: str, subject: object, sentence: str) -> None:
        """Keep a finding."""
        self.findings.append(Finding(code, str(subject), sentence))

    def note(self, code: str, subject: object, sentence: str) -> None:
        """Keep what proves nothing."""
        self.notes.append(Finding(code, str(subject), sentence))
