"""The stamp card's rules and the way to join it."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, gettext, ngettext

from app.programme import shop
from app.programme.cards import ProgrammeView
from app.programme.errors import InvalidRequest, NotFound
from app.web.console.room import again, bp
from app.web.shared import access, promises
from signing import qr


@bp.route("/console/programme", methods=["GET", "POST"])
def programme() -> ResponseReturnValue:
    """Show the rules and change them; without any, make the first card."""
    shown = first_programme()
    if request.method != "POST":
        values = _values(shown) if shown else {"stamps_required": "10", "is_open": "1"}
        return render_template(
            "console/programme.html", form=values, wrong={}, **_facts(shown)
        )
    try:
        saved = shop.save_programme(
            access.tools(),
            programme_id=shown.programme_id if shown else None,
            name=request.form.get("name", ""),
            reward=request.form.get("reward", ""),
            stamps_required=whole(request.form.get("stamps_required", "")),
            terms=request.form.get("terms", ""),
            is_open=request.form.get("is_open") == "1",
            voucher_days=_days(request.form.get("voucher_days", "")),
            by=access.console(),
        )
    except InvalidRequest as error:
        return again("console/programme.html", error, **_facts(shown))
    flash(_what_was_saved(shown, saved))
    return redirect(url_for("console.programme"))


@bp.get("/console/programme/join.svg")
def join_picture() -> ResponseReturnValue:
    """Draw the link of the join page as a QR code."""
    picture = qr.svg(join_url(), title=gettext("QR code of the join page"))
    return Response(picture, mimetype="image/svg+xml")


@bp.get("/console/programme/poster")
def poster() -> ResponseReturnValue:
    """Show a page to print: the card's name and the way to join."""
    shown = first_programme()
    if shown is None:
        raise NotFound
    return render_template("console/poster.html", programme=shown, join_url=join_url())


def first_programme() -> ProgrammeView | None:
    """Find the programme that the page is about: the first open one."""
    return next(iter(shop.programmes(access.tools())), None)


def _facts(shown: ProgrammeView | None) -> dict[str, object]:
    """Tell what the page says besides the form."""
    if shown is None:
        return {"programme": None, "terms_hint": gettext("What customers agree to.")}
    cards = shop.cards_in(access.tools(), UUID(str(shown.programme_id)))
    return {
        "programme": shown,
        "cards": format_decimal(cards),
        "cards_word": ngettext("card", "cards", cards),
        "join_url": join_url(),
        "promise": promises.of_vouchers(shown.voucher_days),
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


def _days(text: str) -> int | None:
    """Read for how many days vouchers are good; nothing typed means without an end."""
    if not text.strip():
        return None
    # What is no number is as wrong as a number that is too small.
    return whole(text) or 0


def _what_was_saved(before: ProgrammeView | None, after: ProgrammeView) -> str:
    if before is not None and before.terms_version != after.terms_version:
        version = after.terms_version
        return str(
            gettext("Saved. The terms are now version %(version)s.", version=version)
        )
    return str(gettext("Saved."))


def join_url() -> str:
    """Return the address where people get a card."""
    return f"{access.tools().settings.origin}/join"


def whole(text: str) -> int | None:
    """Read a whole number as typed; None for anything else."""
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) <= 4 else None  # noqa: PLR2004
