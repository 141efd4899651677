"""What a programme promises, in sentences that customers read and owners see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from flask_babel import get_domain, get_timezone, gettext, ngettext

from app.programme import terms
from app.programme.cards import ProgrammeView
from app.programme.eligible import Rules
from app.programme.terms import Figures, Version
from app.translations import changes
from app.web.shared import moments
from app.web.shared.names import isolated


@dataclass(frozen=True, slots=True)
class ComingChange:
    """A change that was announced, as members read it."""

    number: int
    sentences: tuple[str, ...]
    #: In the shop's own words; "" where nothing was said.
    says: str
    #: The new text, where there is one.
    terms: str
    #: "1 December".
    day: str


class _PageWords:
    """The language of the page, for ``app.translations.changes``."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def gettext(self, sentence: str) -> str:
        return str(gettext(sentence))

    def ngettext(self, one: str, many: str, number: int) -> str:
        # Without putting anything in yet, as flask_babel's own would.
        return str(get_domain().get_translations().ngettext(one, many, number))

    def name(self, name: object) -> str:
        return isolated(str(name))

    def on(self, at: datetime) -> str:
        return moments.day_in_words(at, self._now)


def of_vouchers(days: int | None) -> str:
    """Say for how long a new voucher is good; "" where it has no end.

    Args:
        days: as ``app.programme.expiry`` has them.
    """
    if days is None:
        return ""
    words = ngettext(
        "A voucher is good until the end of the day after you earn it.",
        "A voucher is good for %(num)s days after the day on which you earn it.",
        days,
    )
    return str(words)


def of_figures(figures: Figures, now: datetime) -> str:
    """Say what a full card takes and gives."""
    return changes.promise(_PageWords(now), _promised(figures))


def of_programme(view: ProgrammeView, now: datetime) -> str:
    """Say what a programme's full card takes and gives now."""
    held = Figures(view.stamps_required, view.reward, view.voucher_days)
    return of_figures(held, now)


def of_change(before: Version, after: Version, now: datetime) -> ComingChange:
    """Say what a version changes, from when, and what stays.

    Args:
        before: the version in force.
        after: the one to come.
        now: aware.
    """
    words = _PageWords(now)
    change = changes.Change(
        _promised(before.figures),
        _promised(after.figures),
        after.effective_at,
        before.terms != after.terms,
        terms.gains(before.figures, after.figures),
    )
    return ComingChange(
        after.number,
        tuple(changes.sentences(words, change)),
        after.says,
        after.terms if change.has_new_terms else "",
        words.on(after.effective_at),
    )


def moved(version: Version, day: date) -> Version:
    """Give a version as if it took effect on another day, to be looked at."""
    at = datetime.combine(day, time(12), get_timezone()).astimezone(UTC)
    return replace(version, effective_at=at)


def of_rules(rules: Rules) -> list[str]:
    """Say for whom a programme is, a sentence for each thing that it asks."""
    if rules.is_for_everyone:
        return [gettext("This card is for everyone.")]
    told = []
    if rules.group_id is not None:
        told.append(
            gettext("This card is for: %(group)s.", group=isolated(rules.group_name))
        )
    if rules.least_count is not None:
        told.append(_of_count(rules.least_count, rules.counted))
    if rules.least_age is not None:
        told.append(
            gettext("Only for people of %(age)s years and more.", age=rules.least_age)
        )
    return told


def _of_count(least: int, counted: str) -> str:
    if counted == "visits":
        told = ngettext(
            "You can have it after %(num)s visit with another card of this shop.",
            "You can have it after %(num)s visits with another card of this shop.",
            least,
        )
    else:
        told = ngettext(
            "You can have it after %(num)s purchase with another card of this shop.",
            "You can have it after %(num)s purchases with another card of this shop.",
            least,
        )
    return str(told)


def _promised(figures: Figures) -> changes.Promised:
    return changes.Promised(
        figures.stamps_required, figures.reward, figures.voucher_days
    )
