"""The figures that a card is promised, and who gains by others. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """What a round of a card gives."""

    #: Stamps for a full card.
    stamps_required: int
    #: What a full card gives.
    reward: str
    #: For how many days its voucher is good; None: it has no end.
    voucher_days: int | None


@dataclass(frozen=True, slots=True)
class Promise:
    """The figures of one version."""

    version: int
    figures: Figures


def gains(held: Figures, other: Figures) -> bool:
    """Tell whether nobody who was promised ``held`` loses by ``other``.

    Each figure has to be at least as good: as many stamps or fewer, as many days or
    more. Of another reward nobody can say that it is as good to everyone.
    """
    if other.voucher_days is None:
        lasts = True
    else:
        lasts = (
            held.voucher_days is not None and other.voucher_days >= held.voucher_days
        )
    return (
        other.reward == held.reward
        and other.stamps_required <= held.stamps_required
        and lasts
    )


def running(held: Promise, since: Iterable[Promise], *, has_stamps: bool) -> Promise:
    """Tell what a card's running round is promised.

    Args:
        held: what it was promised.
        since: the versions that took effect after that, oldest first.
        has_stamps: whether any stamp lies on it: without one no round has begun.
    """
    for one in since:
        if not has_stamps or gains(held.figures, one.figures):
            held = one
    return held
