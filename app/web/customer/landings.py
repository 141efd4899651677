"""What the link in a code says when a phone's camera opens it.

Looking spends nothing: previews, scanners and curious people open links. Each kind
and each state of a code has one calm sentence and one next step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeGuard

from flask import url_for
from flask_babel import gettext, ngettext

from app.programme.codes import Peeked
from app.programme.errors import (
    CardClosed,
    CodeExpired,
    CodeInUse,
    CodeRevoked,
    CodeSpent,
    CodeUnknown,
    CodeWrongKind,
    LimitReached,
    NotEligible,
    Refused,
    StoreDown,
    TryAgain,
)
from app.web.customer.lines import stamps_from
from app.web.shared import errors
from signing.codes import Kind


@dataclass(frozen=True, slots=True)
class Said:
    """What the page says, and where it leads."""

    title: str
    text: str
    icon: str = "info"
    can_collect: bool = False
    next_url: str = ""
    next_label: str = ""
    other_url: str = ""
    other_label: str = ""
    status: int = 200


def of_peek(seen: Peeked, *, has_card: bool) -> Said:
    """Say what a code of ours is.

    Args:
        seen: what looking at it told.
        has_card: whether this phone has a card.
    """
    if seen.code.kind in {Kind.STAMP, Kind.PRINTED_STAMP}:
        return _of_stamp(seen, has_card=has_card)
    if seen.code.kind is Kind.ENROLMENT:
        return _of_enrolment(seen)
    if seen.code.kind is Kind.VOUCHER:
        return _leading(
            gettext("This is a voucher"),
            gettext("It is used at the till: hold it to the scanner there."),
            "gift",
            has_card=has_card,
        )
    return _leading(
        gettext("This is somebody's card"),
        gettext("The barista scans it to give a stamp. Your phone can't add any."),
        "qr",
        has_card=has_card,
    )


def of_refusal(refusal: Refused | StoreDown, *, has_card: bool) -> Said:
    """Say why a code was refused, whether on looking or on collecting."""
    if isinstance(refusal, CodeExpired | CodeRevoked) and refusal.is_printed:
        words = iter([_PRINTED[type(refusal)]])
    else:
        words = (say for kind, say in _REFUSALS.items() if isinstance(refusal, kind))
    title, text, icon, status = next(words, _nonsense)()
    if _has_own_words(refusal):
        title, text = errors.title(refusal), errors.sentence(refusal)
    said = _leading(title, text, icon, has_card=has_card)
    return replace(said, status=status)


def _has_own_words(refusal: Refused | StoreDown) -> TypeGuard[Refused]:
    """Tell whether more is known than the kind of the refusal says."""
    return (
        (isinstance(refusal, LimitReached) and refusal.most is not None)
        or (isinstance(refusal, CardClosed) and refusal.is_paused)
        or (isinstance(refusal, NotEligible) and refusal.why is not None)
    )


def _of_stamp(seen: Peeked, *, has_card: bool) -> Said:
    if seen.state in {"waiting", "in_use"}:
        stamps = int(seen.record.get("stamps", "1"))
        place = seen.record.get("place") or None
        return Said(
            title=stamps_from(stamps, place),
            text=ngettext(
                "It is waiting for you.", "They are waiting for you.", stamps
            ),
            can_collect=True,
        )
    is_printed = seen.code.kind is Kind.PRINTED_STAMP
    refusal = {
        "spent": CodeSpent(),
        "expired": CodeExpired(is_printed=is_printed),
        "revoked": CodeRevoked(is_printed=is_printed),
    }.get(seen.state, CodeUnknown())
    return of_refusal(refusal, has_card=has_card)


def _of_enrolment(seen: Peeked) -> Said:
    if seen.state not in {"waiting", "in_use"}:
        return Said(
            gettext("This code is too old"),
            gettext("Ask for a new code in the console and scan that."),
            "time",
            next_url="/counter/",
            next_label=gettext("Go to the till"),
            status=410,
        )
    return Said(
        gettext("Make this device a till"),
        gettext("Baristas sign in on it with their PIN and scan customers' codes."),
        "till",
        # In the fragment, so that the code is in no server's log a second time.
        next_url=f"/counter/enrol#enrol={seen.code.text}",
        next_label=gettext("Make this device a till"),
        other_url="/",
        other_label=gettext("No, I am a customer"),
    )


def _leading(title: str, text: str, icon: str, *, has_card: bool) -> Said:
    """Lead to the card, or to getting one."""
    if has_card:
        url, label = url_for("customer.newest"), gettext("Go to my card")
    else:
        url, label = url_for("customer.join"), gettext("Get a card of my own")
    return Said(title, text, icon, next_url=url, next_label=label)


_Words = tuple[str, str, str, int]


def _spent() -> _Words:
    return (
        gettext("Already collected"),
        gettext("Each code works once. If the stamp is yours, it is on your card."),
        "check",
        409,
    )


def _expired() -> _Words:
    return (
        gettext("This code is too old"),
        gettext("Nothing is lost. Ask the barista to show a new one."),
        "time",
        410,
    )


def _fresh() -> _Words:
    return (
        gettext("This code does not work any more"),
        gettext("Nothing is lost. Ask the barista to show a fresh one."),
        "again",
        410,
    )


def _past_its_day() -> _Words:
    return (
        gettext("Its last day is over"),
        gettext("This printed stamp was good until the day that stands on it."),
        "time",
        410,
    )


def _called_back() -> _Words:
    return (
        gettext("This printed stamp was called back"),
        gettext("It gives no stamp any more. Ask at the counter what to do."),
        "info",
        410,
    )


def _busy() -> _Words:
    return (
        gettext("Just a moment"),
        gettext("Somebody is collecting this code right now. Try again in a moment."),
        "time",
        409,
    )


def _away() -> _Words:
    return (
        gettext("We can't reach the stamp book"),
        gettext("Nothing was counted and nothing is lost. Try again in a moment."),
        "alert",
        503,
    )


def _closed() -> _Words:
    return (
        gettext("No stamps at the moment"),
        gettext("This card is closed. Ask at the counter what to do."),
        "info",
        409,
    )


def _not_eligible() -> _Words:
    return (
        gettext("Not for this card"),
        gettext("This offer does not count on your card. Ask at the counter why."),
        "info",
        403,
    )


def _enough() -> _Words:
    return (
        gettext("Enough for now"),
        gettext("That was a lot in a short time. Try again a little later."),
        "time",
        429,
    )


def _wrong_kind() -> _Words:
    return (
        gettext("This code is for something else"),
        gettext("It gives no stamp. Ask the barista to show you a stamp."),
        "qr",
        400,
    )


def _nonsense() -> _Words:
    return (
        gettext("This is not one of our codes"),
        gettext("It may be damaged, or from another shop. Try scanning it again."),
        "alert",
        400,
    )


#: On paper nothing fresh is shown in a moment.
_PRINTED: Mapping[type[Exception], Callable[[], _Words]] = {
    CodeExpired: _past_its_day,
    CodeRevoked: _called_back,
}
_REFUSALS: Mapping[type[Exception], Callable[[], _Words]] = {
    CodeSpent: _spent,
    CodeExpired: _expired,
    CodeUnknown: _fresh,
    CodeRevoked: _fresh,
    CodeInUse: _busy,
    CodeWrongKind: _wrong_kind,
    CardClosed: _closed,
    NotEligible: _not_eligible,
    LimitReached: _enough,
    TryAgain: _away,
    StoreDown: _away,
}
