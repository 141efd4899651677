"""A card as its page shows it: places with their postmarks, words, and news.

News is told by entries, not by counting stamps: a full card goes back to nought, and
two tills may have acted since the last look. The page names the last entry it showed;
whatever came after it is the news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from babel.lists import format_list
from flask_babel import get_locale, gettext, ngettext

from app.programme import expiry
from app.programme.cards import (
    RULE_FULL_CARD,
    RULE_VOUCHER_USED,
    CardState,
    Mark,
    ProgrammeView,
)
from app.programme.history import HistoryLine
from app.programme.money import DEFAULT_CURRENCY
from app.programme.rewards import Offer
from app.programme.rewards.plans import READ_ONLY
from app.programme.units import Unit
from app.programme.vouchers import VoucherView
from app.web.customer.lines import Line, day, line_of, stamps_from
from app.web.shared import (
    errors,
    guilloche,
    moments,
    reasons,
    reward_words,
    unit_words,
)
from app.web.shared.names import isolated

#: Lines under the card; the rest is a page of its own.
SHOWN_LINES = 6
#: From here on the places stand closer.
_MANY = 25


@dataclass(frozen=True, slots=True)
class Place:
    """One place for a stamp: SVG when there is one, "" when it is empty."""

    postmark: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A voucher that can be used, and until when; texts are "" where it has no end."""

    voucher_id: UUID
    reward: str
    #: As seen from today: "Ends tomorrow", or ``until`` while that is far.
    ends: str
    is_soon: bool
    #: "Good until 3 May": true on any day, so a phone may keep it.
    until: str
    #: The last moment, RFC 3339.
    until_at: str
    #: What it is worth, or what is left of it; "" where it is a thing.
    worth: str = ""
    #: Whether a till takes it; else it is read on its own page.
    is_shown: bool = True
    #: Whether its own page says more than this.
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Face:
    """All that the card's page shows of a card."""

    card_id: UUID | None
    #: SVG of the rosette.
    back: str
    number: str
    programme: str
    invitation: str
    reward: str
    stamps: int
    required: int
    across: int
    places: tuple[Place, ...]
    #: The one that ends first is the first.
    waiting: tuple[Held, ...]
    lines: tuple[Line, ...]
    has_more: bool
    #: The newest ledger entry that this face shows, "none" on a new card.
    entry: str
    #: Of the card, as its ETag has it.
    tag: str
    member_name: str
    #: What stands over the code, so that the barista can greet: "Anna · 7 of 10".
    about: str
    #: What is the matter, to be said under the card: "closed", "held", "paused",
    #: "full"; "" while all is as always.
    state: str
    terms: str
    terms_version: int
    has_new_terms: bool
    is_closed: bool
    #: What the card is short of since a purchase came back; "" where it is not.
    owes: str = ""
    #: Rewards that can be chosen now, and all that are offered.
    choices: int = 0
    offered: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What came since the last look. `kind`: given, used or taken."""

    kind: str
    title: str
    text: str
    postmarks: tuple[str, ...]
    #: The card went round: a voucher came of it.
    is_full: bool = False


def parts(shape: str) -> str:
    """Return the SVG that all postmarks of a page lean on, in the shop's shape."""
    return guilloche.postmark_parts(guilloche.CUP, shape)


def face(
    card: CardState,
    happened: Sequence[HistoryLine],
    *,
    now: datetime,
    new: int = 0,
    offers: Sequence[Offer] = (),
) -> Face:
    """Lay out a card.

    Args:
        card: its state.
        happened: its history, newest first; one more than `SHOWN_LINES` tells that
            there is more.
        now: aware UTC.
        new: how many of the last stamps shall fall into place.
        offers: what may be chosen for what is on it.
    """
    programme = card.programme
    return Face(
        card_id=card.card_id,
        back=guilloche.card_back(card.number),
        number=card.number,
        programme=programme.name,
        invitation=_inviting(card, offers),
        reward=programme.reward,
        # What is owed is told in words.
        stamps=max(card.stamps, 0),
        required=programme.stamps_required,
        across=across(programme.stamps_required),
        places=_places(card, new),
        waiting=_waiting(card, now),
        lines=tuple(line_of(row, now) for row in happened[:SHOWN_LINES]),
        has_more=len(happened) > SHOWN_LINES,
        entry=next((str(row.entry_id) for row in happened if row.entry_id), "none"),
        tag=card.tag,
        member_name=card.member_name or "",
        about=_about(card),
        state=_state(card),
        terms=programme.terms,
        terms_version=programme.terms_version,
        has_new_terms=card.has_new_terms and not card.is_closed,
        is_closed=bool(card.is_closed or card.paused_at or not programme.is_open),
        owes=_owes(card),
        choices=sum(one.can_be_had for one in offers),
        offered=len(offers),
    )


def specimen(programme: ProgrammeView) -> Face:
    """Lay out a card that nobody has yet, for the page that offers it."""
    required = programme.stamps_required
    return Face(
        card_id=None,
        back=guilloche.card_back(programme.programme_id.hex),
        number="",
        programme=programme.name,
        invitation=invitation(programme, 0),
        reward=programme.reward,
        stamps=0,
        required=required,
        across=across(required),
        places=(Place(""),) * required,
        waiting=(),
        lines=(),
        has_more=False,
        entry="none",
        tag="",
        member_name="",
        about="",
        state="" if programme.is_open else "paused",
        terms=programme.terms,
        terms_version=programme.terms_version,
        has_new_terms=False,
        is_closed=not programme.is_open,
    )


def news_since(
    entry: str, card: CardState, happened: Sequence[HistoryLine]
) -> News | None:
    """Tell what came after an entry that the page had shown.

    Args:
        entry: the entry's id as the page sent it, "none" for a new card; not trusted:
            an unknown one means that the page is too old to be told.
        card: the card now.
        happened: its history, newest first.
    """
    # That an end has passed is no news: the card had told of it for days.
    happened = [row for row in happened if row.entry_id]
    ids = [str(row.entry_id) for row in happened]
    if entry != "none" and entry not in ids:
        return None
    since = happened[: ids.index(entry)] if entry in ids else happened
    earned = [
        row
        for row in since
        if row.kind in {"EARN", "BONUS", "ADJUST"} and row.unit is Unit.STAMP
    ]
    used = [row for row in since if row.rule == RULE_VOUCHER_USED]
    if earned:
        return _given(earned, card, is_full=any(_is_full(row) for row in since))
    if used:
        reward = used[0].voucher_reward or ""
        return News("used", gettext("Voucher used"), reward, ())
    return _taken(since, card)


def invitation(programme: ProgrammeView, stamps: int) -> str:
    """Say what is missing: "3 more stamps, then: Free coffee"."""
    words = ngettext(
        "One more stamp, then: %(reward)s",
        "%(num)s more stamps, then: %(reward)s",
        max(programme.stamps_required - stamps, 1),
        reward=isolated(programme.reward),
    )
    return str(words)


def _inviting(card: CardState, offers: Sequence[Offer]) -> str:
    """Say what comes next: a full card, or the nearest reward to choose."""
    if card.programme.exchanges == "automatic":
        return invitation(card.programme, card.stamps)
    in_stamps = [
        one
        for one in offers
        if one.reward.plan.unit == "stamp" and one.reward.plan.price
    ]
    near = [one for one in in_stamps if one.why_not is None]
    if any(one.can_be_had for one in near):
        return str(gettext("Enough for a reward: choose one"))
    nearest = min(near, key=lambda one: one.missing, default=None)
    if nearest is None:
        return str(gettext("Stamps that you exchange for rewards"))
    words = ngettext(
        "One more stamp, then: %(reward)s",
        "%(num)s more stamps, then: %(reward)s",
        nearest.missing,
        reward=isolated(nearest.reward.plan.name),
    )
    return str(words)


def across(required: int) -> int:
    """Choose how many places stand in a row, so that the last row looks full."""
    choices = (5, 4, 3, 6) if required < _MANY else (6, 5, 4)
    if required <= min(choices):
        return min(choices)
    return min(choices, key=lambda row: -required % row)


def waiting_marks(stamps: int, place: str, seed: str, now: datetime) -> list[str]:
    """Draw stamps that wait to be collected."""
    label = place or gettext("Stamp")
    return [
        guilloche.postmark(f"{seed}{number}", date=day(now), place=place, label=label)
        for number in range(stamps)
    ]


def _waiting(card: CardState, now: datetime) -> tuple[Held, ...]:
    # On a paused card none can be used.
    usable = [
        row for row in card.vouchers if row.state == "issued" and card.paused_at is None
    ]
    usable.sort(key=lambda row: row.expires_at or datetime.max.replace(tzinfo=UTC))
    return tuple(_held(row, now) for row in usable)


def _held(voucher: VoucherView, now: datetime) -> Held:
    ends, until = voucher.expires_at, ""
    if ends is not None:
        until = gettext("Good until %(day)s", day=moments.day_in_words(ends, now))
    return Held(
        voucher_id=voucher.voucher_id,
        reward=voucher.reward,
        ends=_soon(voucher.days_left or 0) if voucher.is_soon else until,
        is_soon=voucher.is_soon,
        until=until,
        until_at=ends.isoformat() if ends else "",
        worth=_worth(voucher),
        is_shown=voucher.kind not in READ_ONLY,
        has_more=voucher.has_content or voucher.kind in {*READ_ONLY, "event"},
    )


def _worth(voucher: VoucherView) -> str:
    currency = voucher.currency or DEFAULT_CURRENCY
    if voucher.rest is not None:
        left = reward_words.amount(voucher.rest, currency)
        return str(gettext("%(left)s left", left=left))
    return reward_words.worth(voucher.kind, voucher.worth, currency)


def _soon(days: int) -> str:
    near = {0: gettext("Ends today"), 1: gettext("Ends tomorrow")}
    told = ngettext("Ends in %(num)s day", "Ends in %(num)s days", days)
    return str(near.get(days, told))


def _about(card: CardState) -> str:
    count = gettext(
        "%(full)s of %(of)s",
        full=max(card.stamps, 0),
        of=card.programme.stamps_required,
    )
    return f"{isolated(card.member_name)} · {count}" if card.member_name else count


def _state(card: CardState) -> str:
    if card.is_closed:
        return "closed"
    if card.paused_at is not None:
        return "held"
    if not card.programme.is_open:
        return "paused"
    # A full card starts anew at once; its member shall not think the stamps are lost.
    by_itself = card.programme.exchanges == "automatic"
    just_full = (
        by_itself
        and not card.stamps
        and any(row.state == "issued" for row in card.vouchers)
    )
    return "full" if just_full else ""


def _owes(card: CardState) -> str:
    """Say what a card is short of: "You owe 2 stamps: they were refunded"."""
    short = [
        unit_words.of_shop(-left)
        if unit is Unit.CENT
        else unit_words.units(unit, -left, DEFAULT_CURRENCY)
        for unit, left in card.balances.items()
        if left < 0
    ]
    if not short:
        return ""
    what = format_list(short, locale=get_locale())
    return str(
        gettext(
            "You owe %(what)s: the purchase that gave them came back after they were "
            "used. What you earn next pays for it.",
            what=what,
        )
    )


def _places(card: CardState, new: int) -> tuple[Place, ...]:
    required = card.programme.stamps_required
    full = max(min(card.stamps, required), 0)
    # A stamp without a mark of its own (moved here by the shop) has a plain one.
    stamped_marks = card.marks[-full:] if full else ()
    marks: list[Mark | None] = [None] * (full - len(stamped_marks))
    marks += stamped_marks
    stamped = [
        Place(_postmark(mark, card, place), is_new=place >= full - new)
        for place, mark in enumerate(marks)
    ]
    return (*stamped, *[Place("")] * (required - full))


def _postmark(mark: Mark | None, card: CardState, place: int) -> str:
    if mark is None:
        label = gettext("Stamp %(number)s", number=place + 1)
        return guilloche.postmark(
            f"{card.number}{place}", date="", place="", label=label
        )
    date = day(mark.at)
    label = gettext(
        "Stamp %(number)s: %(date)s, %(place)s",
        number=place + 1,
        date=date,
        place=isolated(mark.place),
    )
    return guilloche.postmark(mark.seed, date=date, place=mark.place, label=label)


def _is_full(row: HistoryLine) -> bool:
    return row.rule == RULE_FULL_CARD


def _given(earned: Sequence[HistoryLine], card: CardState, *, is_full: bool) -> News:
    units = sum(row.units for row in earned)
    places = {row.place for row in earned}
    title = stamps_from(units, places.pop() if len(places) == 1 else None)
    text = gettext(
        "The card is full. Yours: %(reward)s", reward=isolated(card.programme.reward)
    )
    if not is_full:
        text = invitation(card.programme, card.stamps)
    shown = card.marks[-min(units, 5) :] if card.marks else ()
    postmarks = tuple(_postmark(mark, card, 0) for mark in shown)
    return News("given", title, text, postmarks, is_full=is_full)


def _taken(since: Sequence[HistoryLine], card: CardState) -> News | None:
    undone = [row for row in since if row.kind == "REVERSE"]
    if not undone:
        return None
    # Of a stamp and the voucher that it had paid for, the stamp is the news.
    stamp = next((row for row in undone if row.voucher_reward is None), None)
    text = invitation(card.programme, card.stamps)
    if stamp is not None and stamp.unit is not Unit.STAMP:
        return News("taken", line_of(stamp, stamp.at).words, _owes(card), ())
    if stamp is not None:
        title = ngettext(
            "A stamp was taken back", "%(num)s stamps were taken back", -stamp.units
        )
        return News("taken", title, reasons.told(stamp.reason) or text, ())
    ends = undone[0].voucher_expires_at
    if ends is not None and expiry.is_over(ends, undone[0].at):
        text = errors.ended(ends)
    return News("given", gettext("Your voucher is back"), text, ())
