"""What happened to a card, in words a customer reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext, lazy_gettext, ngettext, to_user_timezone

from app.programme import expiry
from app.programme.cards import RULE_BY_HAND, RULE_CANCELLED, RULE_CHOSEN
from app.programme.earning.booking import RULE_SIGNUP, RULE_VISIT
from app.programme.earning.gifts import RULE_ACT, RULE_BIRTHDAY, RULE_REFERRAL
from app.programme.earning.taking_back import RULE_REFUND, RULE_REMAINDER, RULE_REST
from app.programme.history import HistoryLine
from app.programme.plans import RULE_CASHBACK
from app.programme.units import Unit
from app.web.shared import moments, purchased, reasons, rule_words, unit_words
from app.web.shared.names import isolated

_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: what stands at its start, its words, and when."""

    #: "+2"; empty when an icon stands there instead.
    mark: str
    icon: str
    words: str
    #: The shop's own words for it, such as the reason of an undo.
    note: str
    at: datetime
    when: str
    is_undone: bool


def line_of(happened: HistoryLine, now: datetime) -> Line:
    """Put one ledger entry into words.

    Args:
        happened: the entry.
        now: aware UTC; days are told from it ("today", "yesterday").
    """
    icon, words = _WORDS.get(happened.kind, _changed)(happened)
    return Line(
        mark="" if icon else f"{happened.units:+d}".replace("-", _MINUS),
        icon=icon,
        words=words,
        note=_note(happened),
        at=happened.at,
        when=when(happened.at, now),
        is_undone=happened.reversed,
    )


def _note(happened: HistoryLine) -> str:
    """Tell what was bought, and of an undoing why."""
    reason = reasons.told(happened.reason)
    if happened.bought is None:
        return reason
    if happened.kind == "EARN":
        return purchased.told(happened.bought)
    return " · ".join(filter(None, (reason, purchased.sum_of(happened.bought))))


def when(at: datetime, now: datetime) -> str:
    """Tell a moment as people do: the time today, then the day, then the year too."""
    local, today = to_user_timezone(at), to_user_timezone(now).date()
    if local.date() == today:
        return str(gettext("today %(time)s", time=moments.time(at)))
    if local.date() == today - timedelta(days=1):
        return str(gettext("yesterday %(time)s", time=moments.time(at)))
    if local.year == today.year:
        return day(at)
    return moments.day_and_year(at)


def day(at: datetime) -> str:
    """Tell the day of a moment, short: "12 Nov"."""
    return moments.day(at)


def stamps_from(units: int, place: str | None) -> str:
    """Say how many stamps came from where: "2 stamps from Nyhavn"."""
    if not place:
        return str(ngettext("A stamp", "%(num)s stamps", units))
    words = ngettext(
        "A stamp from %(place)s", "%(num)s stamps from %(place)s", units,
        place=isolated(place),
    )  # fmt: skip
    return str(words)


def _what(happened: HistoryLine) -> str:
    return rule_words.units(abs(happened.units), happened.unit, happened.currency)


def _by(happened: HistoryLine, rule: str) -> tuple[str, str]:
    """Say what a rule gave: "2 stamps: double Tuesday"."""
    words = gettext("%(what)s: %(rule)s", what=_what(happened), rule=rule)
    return "plus", words


def _earned(happened: HistoryLine) -> tuple[str, str]:
    if happened.rule_name:
        return _by(happened, isolated(happened.rule_name))
    if happened.unit is not Unit.STAMP:
        return "plus", _what(happened)
    if not happened.place:
        return "", ngettext("Stamp", "Stamps", happened.units)
    return "", ngettext(
        "Stamp at %(place)s", "Stamps at %(place)s", happened.units,
        place=isolated(happened.place),
    )  # fmt: skip


def _redeemed(happened: HistoryLine) -> tuple[str, str]:
    reward = isolated(happened.voucher_reward or gettext("Reward"))
    if happened.rule == RULE_CHOSEN:
        return "gift", gettext("Chosen: %(reward)s", reward=reward)
    if happened.units:
        return "gift", gettext("Full card, yours: %(reward)s", reward=reward)
    if happened.place:
        return "check", gettext(
            "%(reward)s, used at %(place)s",
            reward=reward,
            place=isolated(happened.place),
        )
    return "check", gettext("%(reward)s, used", reward=reward)


def _reversed(happened: HistoryLine) -> tuple[str, str]:
    if happened.voucher_reward is not None and happened.units > 0:
        return "undo", _came_back(happened, isolated(happened.voucher_reward))
    if happened.unit is Unit.CENT:
        sum_ = unit_words.of_shop(abs(happened.units))
        return "undo", gettext("Cashback of %(sum)s taken back", sum=sum_)
    if happened.unit is not Unit.STAMP:
        return "undo", gettext("%(what)s taken back", what=_what(happened))
    if happened.voucher_reward is None:
        return "", ngettext(
            "Stamp taken back", "Stamps taken back", abs(happened.units)
        )
    return "undo", _came_back(happened, isolated(happened.voucher_reward))


def _came_back(happened: HistoryLine, reward: str) -> str:
    """Say what became of a voucher that was given back or taken back."""
    if happened.rule == RULE_CANCELLED:
        return str(gettext("Your place was given back: %(reward)s", reward=reward))
    if happened.units and happened.unit is Unit.STAMP:
        return str(gettext("%(reward)s turned back into stamps", reward=reward))
    if happened.units:
        words = gettext(
            "%(reward)s turned back into %(what)s", reward=reward, what=_what(happened)
        )
        return str(words)
    if expiry.is_over(happened.voucher_expires_at, happened.at):
        return str(gettext("%(reward)s given back, but expired", reward=reward))
    return str(gettext("%(reward)s is yours again", reward=reward))


def _bonus(happened: HistoryLine) -> tuple[str, str]:
    if happened.rule == RULE_CASHBACK:
        sum_ = unit_words.of_shop(happened.units)
        return "gift", gettext("%(sum)s back, by your membership", sum=sum_)
    if happened.rule == RULE_VISIT:
        return "check", gettext("A visit")
    if happened.rule_name:
        return _by(happened, isolated(happened.rule_name))
    if happened.rule in _REASONS:
        return _by(happened, str(_REASONS[happened.rule]))
    if happened.unit is not Unit.STAMP:
        return "plus", _what(happened)
    return "", ngettext("Extra stamp", "Extra stamps", happened.units)


def _expired(happened: HistoryLine) -> tuple[str, str]:
    if happened.unit is not Unit.STAMP:
        words = gettext("%(what)s not used in time", what=_what(happened))
        return "time", words
    if happened.voucher_reward is not None:
        reward = isolated(happened.voucher_reward)
        return "time", gettext("%(reward)s, expired", reward=reward)
    return "", gettext("Stamps that were not used in time")


def _merged(happened: HistoryLine) -> tuple[str, str]:
    if happened.voucher_reward is not None:
        reward = isolated(happened.voucher_reward)
        return "gift", gettext("%(reward)s, from your other card", reward=reward)
    return "", gettext("From your other card")


def _adjusted(happened: HistoryLine) -> tuple[str, str]:
    if happened.rule == RULE_REFUND:
        return "undo", gettext("A purchase came back")
    if happened.rule in _REASONS:
        sign = _MINUS if happened.units < 0 else ""
        words = gettext(
            "%(what)s: %(rule)s",
            what=sign + _what(happened),
            rule=_REASONS[happened.rule],
        )
        return "undo", words
    is_stamp = happened.rule == RULE_BY_HAND
    if is_stamp and not happened.units:
        return "check", gettext("A visit")
    return (_earned if is_stamp else _changed)(happened)


def _changed(_happened: HistoryLine) -> tuple[str, str]:
    return "", gettext("Changed by the shop")


#: What gave it, where the shop has no name of its own for it.
_REASONS: Mapping[str, object] = {
    RULE_SIGNUP: lazy_gettext("your first visit"),
    RULE_BIRTHDAY: lazy_gettext("your birthday"),
    RULE_REFERRAL: lazy_gettext("an invitation"),
    RULE_ACT: lazy_gettext("thank you"),
    RULE_REST: lazy_gettext("the rest of the purchase"),
    RULE_REMAINDER: lazy_gettext("what was left over"),
}
_WORDS: Mapping[str, Callable[[HistoryLine], tuple[str, str]]] = {
    "EARN": _earned,
    "BONUS": _bonus,
    "ADJUST": _adjusted,
    "REDEEM": _redeemed,
    "REVERSE": _reversed,
    "EXPIRE": _expired,
    "MERGE": _merged,
}
