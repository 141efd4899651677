"""Rewards in the console: the list, one reward with its form and preview, its pool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, gettext, lazy_gettext, ngettext

from app.programme import expiry, money, rewards, shop, tiers
from app.programme.cards import ProgrammeView
from app.programme.errors import InvalidRequest, NotFound, RewardUnavailable
from app.programme.rewards import Plan, RewardView, partners
from app.web.console.room import again, bp, form_values, id_or_none, sentences
from app.web.console.which import chosen_programme
from app.web.shared import access, errors, moments, reward_words
from app.web.shared.reward_words import Told

#: What a new reward begins with, before anybody has typed.
_BEGIN: Final = {"kind": "item", "unit": "stamp", "is_open": "1", "price": "10"}
_UNITS: Final = (
    ("stamp", lazy_gettext("Stamps")),
    ("point", lazy_gettext("Points")),
    ("cent", lazy_gettext("Cashback")),
)
#: Longest number that is read as one.
_DIGITS: Final = 9
_NO_NUMBER: Final = -1


@dataclass(frozen=True, slots=True)
class Row:
    """A reward of the list, in words."""

    of: RewardView
    told: Told
    state: str
    tone: str
    facts: tuple[str, ...]
    #: Of its stock or its budget, whichever is nearer to its end: 0 to 100.
    share: int


@bp.get("/console/rewards")
def rewards_page() -> ResponseReturnValue:
    """List the rewards with what is left of them and what they cost."""
    shown = _programme()
    found = rewards.rewards(access.tools(), shown.programme_id)
    currency = _currency()
    spent = sum(each.spent for each in found)
    return render_template(
        "console/rewards.html",
        programme=shown,
        rows=[_row(each, currency) for each in found],
        sold=format_decimal(sum(each.sold for each in found)),
        spent=reward_words.amount(spent, currency),
    )


@bp.post("/console/rewards/exchanges")
def set_exchanges() -> ResponseReturnValue:
    """Say whether a full card becomes a voucher by itself, or members choose."""
    rewards.set_exchanges(
        access.tools(),
        _programme().programme_id,
        request.form.get("exchanges", ""),
        by=access.console(),
    )
    flash(gettext("Saved."))
    return redirect(url_for("console.rewards_page"))


@bp.route("/console/rewards/new", methods=["GET", "POST"])
def new_reward() -> ResponseReturnValue:
    """Ask what the reward shall be, and make it."""
    if request.method != "POST":
        return _form_page(_BEGIN, None)
    return _save(None)


@bp.route("/console/rewards/<uuid:reward_id>", methods=["GET", "POST"])
def reward(reward_id: UUID) -> ResponseReturnValue:
    """Show a reward, and change it."""
    shown = rewards.reward(access.tools(), reward_id)
    if request.method != "POST":
        return _form_page(_values(shown.plan), shown)
    return _save(shown)


@bp.post("/console/rewards/preview")
def preview_reward() -> ResponseReturnValue:
    """Show how members would read what is typed; nothing is kept."""
    access.console()
    try:
        typed = _typed()
    except InvalidRequest:
        return "", 204
    return render_template("console/reward_preview.html", told=_preview(typed))


@bp.post("/console/rewards/<uuid:reward_id>/move")
def move_reward(reward_id: UUID) -> ResponseReturnValue:
    """Put a reward a place higher or lower."""
    is_up = request.form.get("way") == "up"
    rewards.move(access.tools(), reward_id, up=is_up, by=access.console())
    return redirect(url_for("console.rewards_page"))


@bp.post("/console/rewards/<uuid:reward_id>/codes")
def add_codes(reward_id: UUID) -> ResponseReturnValue:
    """Put partner's codes into the pool, pasted or from a file, line by line."""
    tools, by = access.tools(), access.console()
    file = request.files.get("file")
    text = request.form.get("codes", "")
    if file and file.filename:
        text = file.read(partners.MOST_BYTES + 1).decode("utf-8", "replace")
    shown = rewards.reward(tools, reward_id)
    try:
        brought = partners.add(tools, reward_id, text, by=by)
    except InvalidRequest as error:
        return _form_page(_values(shown.plan), shown, wrong=sentences(error)), 422
    said = ngettext("%(num)s code added.", "%(num)s codes added.", brought.added)
    if not brought.faults:
        flash(said)
        return redirect(url_for("console.reward", reward_id=reward_id))
    shown = rewards.reward(tools, reward_id)
    return _form_page(_values(shown.plan), shown, faults=brought.faults, said=said)


@bp.post("/console/rewards/<uuid:reward_id>/withdrawal")
def withdraw_codes(reward_id: UUID) -> ResponseReturnValue:
    """Take the codes that nobody has out of the pool."""
    gone = partners.withdraw(access.tools(), reward_id, by=access.console())
    flash(ngettext("%(num)s code taken out.", "%(num)s codes taken out.", gone))
    return redirect(url_for("console.reward", reward_id=reward_id))


@bp.post("/console/rewards/<uuid:reward_id>/calling-off")
def call_off(reward_id: UUID) -> ResponseReturnValue:
    """Call an event off: every place is given back, and its holder is told."""
    tools, by = access.tools(), access.console()
    shown = rewards.reward(tools, reward_id)
    try:
        rewards.call_off(tools, reward_id, request.form.get("reason", ""), by=by)
    except InvalidRequest as error:
        return _form_page(_values(shown.plan), shown, wrong=sentences(error)), 422
    except RewardUnavailable as refusal:
        problem = {"reason": errors.sentence(refusal)}
        return _form_page(_values(shown.plan), shown, wrong=problem), 409
    flash(gettext("Called off. Everybody who had a place is told."))
    return redirect(url_for("console.reward", reward_id=reward_id))


def _programme() -> ProgrammeView:
    shown = chosen_programme()
    if shown is None:
        raise NotFound
    return shown


def _currency() -> str:
    return shop.shop(access.tools()).currency


def _zone() -> tzinfo:
    with access.tools().database.read() as tx:
        return expiry.zone_of(tx)


def _save(shown: RewardView | None) -> ResponseReturnValue:
    try:
        reward_id = rewards.save(
            access.tools(),
            _typed(),
            programme_id=_programme().programme_id,
            reward_id=shown.reward_id if shown else None,
            by=access.console(),
        )
    except InvalidRequest as error:
        return again("console/reward.html", error, **_facts(shown, form_values()))
    flash(gettext("Saved."))
    if shown is None and request.form.get("kind") == "partner":
        return redirect(url_for("console.reward", reward_id=reward_id) + "#pool")
    return redirect(url_for("console.rewards_page"))


def _form_page(
    form: dict[str, str],
    shown: RewardView | None,
    *,
    wrong: dict[str, str] | None = None,
    **more: object,
) -> str:
    return render_template(
        "console/reward.html",
        form=form,
        wrong=wrong or {},
        **_facts(shown, form),
        **more,
    )


def _facts(shown: RewardView | None, form: dict[str, str]) -> dict[str, Any]:
    """Tell what the page says besides the form."""
    tools, currency = access.tools(), _currency()
    facts: dict[str, Any] = {
        "shown": shown,
        "kinds": [(key, title) for key, (title, _) in reward_words.KINDS.items()],
        "kind_hints": {key: str(hint) for key, (_, hint) in reward_words.KINDS.items()},
        "units": _UNITS,
        "tiers": _tiers(shown),
        "currency": currency,
        "preview": _preview(shown.plan) if shown else None,
        "low": rewards.LOW,
    }
    if shown is not None:
        facts |= {
            "row": _row(shown, currency),
            "guests": rewards.guests(tools, shown.reward_id)
            if shown.plan.kind == "event"
            else (),
            "day": moments.day,
            "time": moments.time,
        }
    elif form.get("name"):
        try:
            facts["preview"] = _preview(_typed())
        except InvalidRequest:
            facts["preview"] = None
    return facts


def _tiers(shown: RewardView | None) -> list[tuple[str, str]]:
    """Tell which tiers a reward may take, the lowest first; none where there are none.

    One that is gone stays in the list until another is chosen: nobody has it.
    """
    programme_id = shown.programme_id if shown else _programme().programme_id
    rules = tiers.of_programme(access.tools(), programme_id)
    known = [(str(one.tier_id), one.name) for one in (rules.tiers if rules else ())]
    needed = shown.plan.needs_tier_id if shown else None
    if needed is not None and str(needed) not in dict(known):
        known.append((str(needed), gettext("A tier that is gone: nobody has it")))
    return [("", gettext("Everybody")), *known] if known else []


def _preview(plan: Plan) -> Told | None:
    """Put what is typed into the words that members would read."""
    if plan.kind not in reward_words.KINDS:
        return None
    return reward_words.told(
        plan, currency=_currency(), now=access.tools().now(), left=plan.stock
    )


def _row(shown: RewardView, currency: str) -> Row:
    now, plan = access.tools().now(), shown.plan
    told = reward_words.told(plan, currency=currency, now=now, left=shown.left)
    state, tone = gettext("Open"), "given"
    if shown.why_not == "closed":
        state, tone = gettext("Closed"), "plain"
    elif shown.why_not is not None:
        tone = "refused" if shown.why_not in {"sold_out", "budget_used"} else "waiting"
        state = reward_words.why_not(
            shown.why_not, most=None, opens_at=plan.opens_at, now=now
        )
    elif shown.runs_low:
        state, tone = gettext("Runs low"), "waiting"
    return Row(shown, told, state, tone, _figures(shown, currency), _share(shown))


def _figures(shown: RewardView, currency: str) -> tuple[str, ...]:
    """Tell how many were given, how many are left, and what they cost."""
    plan = shown.plan
    told = [ngettext("%(num)s given", "%(num)s given", shown.sold)]
    if shown.left is not None:
        told.append(ngettext("%(num)s left", "%(num)s left", shown.left))
    spent = reward_words.amount(shown.spent, currency)
    if plan.budget is not None:
        budget = reward_words.amount(plan.budget, currency)
        told.append(gettext("%(spent)s of %(budget)s", spent=spent, budget=budget))
    elif plan.cost:
        told.append(gettext("cost %(spent)s so far", spent=spent))
    return tuple(map(str, told))


def _share(shown: RewardView) -> int:
    plan = shown.plan
    of_stock = 100 * shown.sold // plan.stock if plan.stock else 0
    of_budget = 100 * shown.spent // plan.budget if plan.budget else 0
    return max(of_stock, of_budget)


def _typed() -> Plan:
    """Read the form; what is no number is told apart from nothing."""
    form, currency, zone = request.form, _currency(), _zone()
    kind, unit = form.get("kind", ""), form.get("unit", "")

    def number(name: str) -> int | None:
        text = form.get(name, "").strip()
        if not text:
            return None
        return int(text) if text.isdecimal() and len(text) <= _DIGITS else _NO_NUMBER

    def sum_of(name: str) -> int | None:
        text = form.get(name, "").strip()
        if not text:
            return None
        read = money.parse(text, currency)
        return _NO_NUMBER if read is None else read

    return Plan(
        kind=kind,
        name=form.get("name", ""),
        about=form.get("about", ""),
        unit=unit,
        price=sum_of("price") if unit == "cent" else number("price"),
        worth=sum_of("worth") if kind == "money" else number("worth"),
        cost=sum_of("cost") or 0,
        stock=number("stock"),
        budget=sum_of("budget"),
        per_member=number("per_member"),
        opens_at=_day("opens_at", zone, is_end=False),
        closes_at=_day("closes_at", zone, is_end=True),
        voucher_days=number("voucher_days"),
        content=form.get("content", ""),
        starts_at=_moment("starts_at", zone),
        ends_at=_moment("ends_at", zone),
        place=form.get("place", ""),
        is_open=form.get("is_open") == "1",
        needs_tier_id=id_or_none(form.get("needs_tier_id")),
    )


def _day(name: str, zone: tzinfo, *, is_end: bool) -> datetime | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        if is_end:
            return expiry.last_moment(day, zone)  # type: ignore[arg-type]
        return datetime.combine(day, time(), zone)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest({name: "not_a_day"}) from error


def _moment(name: str, zone: tzinfo) -> datetime | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest({name: "not_a_day"}) from error
    return read.replace(tzinfo=zone) if read.tzinfo is None else read


def _values(plan: Plan) -> dict[str, str]:
    """Write a plan as the form has it."""
    currency, zone = _currency(), _zone()

    def text(value: object) -> str:
        return "" if value is None else str(value)

    def sum_of(value: int | None) -> str:
        return "" if value is None else money.spelled(value, currency)

    def day(at: datetime | None) -> str:
        return at.astimezone(zone).date().isoformat() if at else ""

    def moment(at: datetime | None) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at else ""

    is_cent, is_money = plan.unit == "cent", plan.kind == "money"
    return {
        "kind": plan.kind,
        "name": plan.name,
        "about": plan.about,
        "unit": plan.unit,
        "price": sum_of(plan.price) if is_cent else text(plan.price),
        "worth": sum_of(plan.worth) if is_money else text(plan.worth),
        "cost": sum_of(plan.cost) if plan.cost else "",
        "stock": text(plan.stock),
        "budget": sum_of(plan.budget),
        "per_member": text(plan.per_member),
        "opens_at": day(plan.opens_at),
        "closes_at": day(plan.closes_at),
        "voucher_days": text(plan.voucher_days),
        "content": text(plan.content),
        "starts_at": moment(plan.starts_at),
        "ends_at": moment(plan.ends_at),
        "place": text(plan.place),
        "is_open": "1" if plan.is_open else "0",
        "needs_tier_id": text(plan.needs_tier_id),
    }
