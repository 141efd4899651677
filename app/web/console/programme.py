"""The stamp cards: all of them, each with its rules and the way to join it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_decimal, gettext, ngettext

from app.programme import eligible, members, shop, terms
from app.programme.cards import ProgrammeView
from app.programme.errors import InvalidRequest, NotFound
from app.programme.shop import Typed
from app.programme.terms import Plan
from app.web.console.look import shown_card
from app.web.console.room import again, bp, form_values, sentences
from app.web.shared import access, promises
from app.web.shared.specimen import Specimen
from signing import qr


@bp.route("/console/programme", methods=["GET", "POST"])
def programme() -> ResponseReturnValue:
    """List the cards; show the only one; without any, make the first."""
    found = shop.programmes(access.tools())
    if len(found) > 1 and request.method != "POST":
        return render_template("console/programmes.html", rows=_rows(found))
    return _page(found[0] if found else None)


@bp.route("/console/programmes/new", methods=["GET", "POST"])
def new_programme() -> ResponseReturnValue:
    """Make another card."""
    return _page(None)


@bp.route("/console/programmes/<uuid:programme_id>", methods=["GET", "POST"])
def one_programme(programme_id: UUID) -> ResponseReturnValue:
    """Show a card's rules and change them."""
    return _page(members.programme(access.tools(), programme_id))


@bp.get("/console/programme/join.svg")
@bp.get("/console/programmes/<uuid:programme_id>/join.svg")
def join_picture(programme_id: UUID | None = None) -> ResponseReturnValue:
    """Draw the link of the join page as a QR code."""
    link = join_url(programme_id)
    picture = qr.svg(link, title=gettext("QR code of the join page"))
    return Response(picture, mimetype="image/svg+xml")


@bp.get("/console/programme/poster")
@bp.get("/console/programmes/<uuid:programme_id>/poster")
def poster(programme_id: UUID | None = None) -> ResponseReturnValue:
    """Show a page to print: the card's name and the way to join."""
    if programme_id is None:
        shown = first_programme()
    else:
        shown = members.programme(access.tools(), programme_id)
    if shown is None:
        raise NotFound
    return render_template(
        "console/poster.html",
        programme=shown,
        join_url=join_url(programme_id),
        programme_id=programme_id,
        back_url=url_of(shown),
    )


def first_programme() -> ProgrammeView | None:
    """Find the programme that a page is about that names none: the first open one."""
    return next(iter(shop.programmes(access.tools())), None)


def url_of(shown: ProgrammeView) -> str:
    """Give the address of a card's page."""
    return url_for("console.one_programme", programme_id=shown.programme_id)


def join_url(programme_id: UUID | None = None) -> str:
    """Return the address where people get a card: this one, or the shop's first."""
    start = f"{access.tools().settings.origin}/join"
    return start if programme_id is None else f"{start}/{programme_id}"


def preview(shown: ProgrammeView) -> dict[str, Any]:
    """Draw a card as a phone shows it."""
    return {
        "card": card_of(shown.stamps_required),
        "programme_name": shown.name,
        "invitation": invitation(shown),
    }


def card_of(required: int) -> Specimen:
    """Draw a card of so many stamps."""
    tools = access.tools()
    return shown_card(shop.shop(tools).stamp_shape, required=required)


def invitation(shown: ProgrammeView) -> str:
    """Say what a full card takes and gives."""
    return promises.of_programme(shown, access.tools().now())


def whole(text: str) -> int | None:
    """Read a whole number as typed; None for anything else."""
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) <= 6 else None  # noqa: PLR2004


def day_or_none(text: str) -> date | None:
    """Read a day as a browser sends it; None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def typed_day(name: str) -> date | None:
    """Read a field with a day; None where nothing was typed.

    Raises:
        InvalidRequest: ``not_a_day``.
    """
    text = request.form.get(name, "")
    day = day_or_none(text)
    if text.strip() and day is None:
        raise InvalidRequest({name: "not_a_day"})
    return day


def _page(shown: ProgrammeView | None) -> ResponseReturnValue:
    """Show a card's page, save it, or ask when a change shall take effect."""
    tools = access.tools()
    if request.method != "POST":
        values = _values(shown) if shown else {"stamps_required": "10", "is_open": "1"}
        return render_template(
            "console/programme.html", form=values, wrong={}, **_facts(shown)
        )
    typed, planned = _typed(), None
    try:
        planned = shop.planned(tools, shown.programme_id, typed) if shown else None
        if shown and planned and _has_to_ask(shown, planned):
            return _announcing(shown, planned)
        saved = _save(shown, typed)
    except InvalidRequest as error:
        if shown and planned and error.fields.keys() & _asked():
            return _announcing(shown, planned, error)
        return again("console/programme.html", error, **_facts(shown))
    flash(_what_was_saved(shown, saved, planned))
    if shown is None and len(shop.programmes(tools)) == 1:
        return redirect(url_for("console.programme"))
    return redirect(url_of(saved))


def _has_to_ask(shown: ProgrammeView, planned: Plan) -> bool:
    """Tell whether the owner has to say first from when on a change holds."""
    if planned.is_at_once or request.form.get("do") == "announce":
        return False
    return terms.coming(access.tools(), shown.programme_id) is None


def _asked() -> set[str]:
    """Tell which fields the page has that asks, if that one was sent."""
    return {"effective_on", "says"} & request.form.keys()


def _save(shown: ProgrammeView | None, typed: Typed) -> ProgrammeView:
    return shop.save_programme(
        access.tools(),
        programme_id=shown.programme_id if shown else None,
        name=typed.name,
        reward=typed.reward,
        stamps_required=typed.stamps_required,
        terms=typed.terms,
        is_open=request.form.get("is_open") == "1",
        voucher_days=typed.voucher_days,
        by=access.console(),
        effective_on=typed_day("effective_on"),
        says=request.form.get("says", ""),
    )


def _announcing(
    shown: ProgrammeView, planned: Plan, error: InvalidRequest | None = None
) -> ResponseReturnValue:
    """Ask from when on a change holds, with what members will read."""
    now = access.tools().now()
    typed = form_values()
    day = day_or_none(typed.get("effective_on", "")) or planned.earliest
    read = promises.of_change(
        planned.present, promises.moved(planned.coming, max(day, planned.earliest)), now
    )
    page = render_template(
        "console/announce.html",
        programme=shown,
        form={**typed, "effective_on": typed.get("effective_on", day.isoformat())},
        wrong=sentences(error) if error else {},
        kept={name: typed.get(name, "") for name in _KEPT},
        read=read,
        says=typed.get("says", "").strip(),
        earliest=planned.earliest.isoformat(),
        earliest_told=format_date(planned.earliest, "long"),
        notice=shown.notice_days,
        card=card_of(planned.coming.figures.stamps_required),
        invitation=promises.of_figures(planned.coming.figures, now),
        back_url=url_of(shown),
    )
    return page, 422 if error else 200


#: What the page that asks sends again.
_KEPT = ("name", "reward", "stamps_required", "voucher_days", "terms", "is_open")


def _rows(found: list[ProgrammeView]) -> list[dict[str, Any]]:
    tools = access.tools()
    return [
        {
            "of": each,
            "url": url_of(each),
            "promise": invitation(each),
            "whom": " ".join(
                promises.of_rules(eligible.rules_of(tools, each.programme_id))
            ),
            "cards": ngettext(
                "%(num)s card",
                "%(num)s cards",
                shop.cards_in(tools, each.programme_id),
            ),
        }
        for each in found
    ]


def _facts(shown: ProgrammeView | None) -> dict[str, object]:
    """Tell what the page says besides the form."""
    tools = access.tools()
    several = bool(shop.programmes(tools))
    if shown is None:
        return {
            "programme": None,
            "is_another": several,
            "terms_hint": gettext("What customers agree to."),
        }
    cards = shop.cards_in(tools, shown.programme_id)
    coming = terms.coming(tools, shown.programme_id)
    return {
        "programme": shown,
        "cards": format_decimal(cards),
        "cards_word": ngettext("card", "cards", cards),
        "join_url": join_url(shown.programme_id),
        "promise": promises.of_vouchers(shown.voucher_days),
        "whom": promises.of_rules(eligible.rules_of(tools, shown.programme_id)),
        "coming": promises.of_change(*coming, tools.now()) if coming else None,
        **preview(shown),
        "terms_hint": gettext(
            "Version %(version)s. A changed text becomes version %(next)s.",
            version=shown.terms_version,
            next=shown.terms_version + 1,
        ),
    }


def _values(shown: ProgrammeView) -> dict[str, str]:
    return {
        "name": shown.name,
        "reward": shown.reward,
        "stamps_required": str(shown.stamps_required),
        "terms": shown.terms,
        "voucher_days": str(shown.voucher_days or ""),
        "is_open": "1" if shown.is_open else "0",
    }


def _typed() -> Typed:
    return Typed(
        request.form.get("name", ""),
        request.form.get("reward", ""),
        whole(request.form.get("stamps_required", "")),
        request.form.get("terms", ""),
        _days(request.form.get("voucher_days", "")),
    )


def _days(text: str) -> int | None:
    """Read for how many days vouchers are good; nothing typed means without an end."""
    if not text.strip():
        return None
    # What is no number is as wrong as a number that is too small.
    return whole(text) or 0


def _what_was_saved(
    before: ProgrammeView | None, after: ProgrammeView, planned: Plan | None
) -> str:
    if before is None or planned is None:
        return str(gettext("Saved."))
    if before.terms_version != after.terms_version:
        version = after.terms_version
        return str(
            gettext("Saved. The terms are now version %(version)s.", version=version)
        )
    return str(gettext("Announced. Members read it on their card, and by mail."))
