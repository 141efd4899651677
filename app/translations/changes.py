"""What changes in a programme's promise, in sentences that pages and mails share.

One place, since a member who reads the card and the mail must read the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Words(Protocol):
    """A language, with the shop's days and names in it."""

    def gettext(self, sentence: str) -> str:
        """Translate a sentence."""

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Translate a sentence that counts."""

    def name(self, name: object) -> str:
        """Keep a name from turning its sentence."""

    def on(self, at: datetime) -> str:
        """Tell a day: "1 December"."""


@dataclass(frozen=True, slots=True)
class Promised:
    """The figures of a version."""

    stamps_required: int
    reward: str
    voucher_days: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """One version after another."""

    before: Promised
    after: Promised
    effective_at: datetime
    has_new_terms: bool
    #: Whether nobody loses by its figures.
    is_gain: bool


def promise(words: Words, of: Promised) -> str:
    """Say what a full card takes and gives: "10 stamps, then: Free coffee."."""
    told = words.ngettext(
        "One stamp, then: %(reward)s.",
        "%(num)s stamps, then: %(reward)s.",
        of.stamps_required,
    )
    return told % {"num": of.stamps_required, "reward": words.name(of.reward)}


def sentences(words: Words, change: Change) -> list[str]:
    """Say all that changes, from when, and what stays."""
    gettext = words.gettext
    told = list(_differences(words, change))
    if change.before == change.after:
        return told
    if change.is_gain:
        told.append(gettext("It holds for the stamps that you have too."))
    else:
        kept = promise(words, change.before)
        told.append(
            gettext("Stamps that you have by then keep what was promised: %(promise)s")
            % {"promise": kept}
        )
    return told


def _differences(words: Words, change: Change) -> Iterator[str]:
    gettext, ngettext = words.gettext, words.ngettext
    day, before, after = words.on(change.effective_at), change.before, change.after
    if after.stamps_required != before.stamps_required:
        told = ngettext(
            "From %(day)s: %(num)s stamp instead of %(before)s.",
            "From %(day)s: %(num)s stamps instead of %(before)s.",
            after.stamps_required,
        )
        yield told % {
            "day": day,
            "num": after.stamps_required,
            "before": before.stamps_required,
        }
    if after.reward != before.reward:
        yield gettext("From %(day)s: %(reward)s instead of %(before)s.") % {
            "day": day,
            "reward": words.name(after.reward),
            "before": words.name(before.reward),
        }
    if after.voucher_days != before.voucher_days:
        yield _end(words, day, after.voucher_days)
    if change.has_new_terms:
        yield gettext("From %(day)s the terms have a new text.") % {"day": day}


def _end(words: Words, day: str, days: int | None) -> str:
    if days is None:
        return words.gettext("From %(day)s: new vouchers have no end.") % {"day": day}
    told = words.ngettext(
        "From %(day)s: a new voucher is good for %(num)s day.",
        "From %(day)s: a new voucher is good for %(num)s days.",
        days,
    )
    return told % {"day": day, "num": days}
