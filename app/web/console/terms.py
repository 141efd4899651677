"""A card's terms: every version, the one to come, and how early changes are told."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_decimal, gettext

from app.programme import members, shop, terms
from app.programme.errors import InvalidRequest
from app.web.console.programme import preview, url_of, whole
from app.web.console.room import again, bp
from app.web.shared import access, promises


@bp.route("/console/programmes/<uuid:programme_id>/terms", methods=["GET", "POST"])
def programme_terms(programme_id: UUID) -> ResponseReturnValue:
    """Show every version, and set how early changes are told."""
    tools = access.tools()
    shown = members.programme(tools, programme_id)
    if request.method != "POST":
        form = {"notice_days": str(shown.notice_days)}
        return render_template(
            "console/terms.html", form=form, wrong={}, **_facts(programme_id)
        )
    try:
        days = whole(request.form.get("notice_days", ""))
        shop.save_notice(tools, programme_id, days, by=access.console())
    except InvalidRequest as error:
        return again("console/terms.html", error, **_facts(programme_id))
    flash(gettext("Saved."))
    return redirect(url_for("console.programme_terms", programme_id=programme_id))


@bp.post("/console/programmes/<uuid:programme_id>/terms/<int:number>/call-back")
def call_back_terms(programme_id: UUID, number: int) -> ResponseReturnValue:
    """Call an announced change back."""
    shop.call_back(access.tools(), programme_id, number, by=access.console())
    flash(gettext("Called back. All stays as it is."))
    return redirect(url_for("console.programme_terms", programme_id=programme_id))


def _facts(programme_id: UUID) -> dict[str, object]:
    tools = access.tools()
    now = tools.now()
    shown = members.programme(tools, programme_id)
    known = terms.versions(tools, programme_id)
    agreed = terms.accepted_by(tools, programme_id)
    coming = terms.coming(tools, programme_id)
    rows = [
        {
            "number": each.number,
            "since": format_date(each.effective_at, "long"),
            "promise": promises.of_figures(each.figures, now),
            "vouchers": promises.of_vouchers(each.figures.voucher_days),
            "terms": each.terms,
            "says": each.says,
            "agreed": format_decimal(agreed.get(each.number, 0)),
            "agreed_count": agreed.get(each.number, 0),
            "is_present": each.number == shown.terms_version,
        }
        for each in reversed(known)
        if each.effective_at <= now
    ]
    return {
        "programme": shown,
        "rows": rows,
        "coming": promises.of_change(*coming, now) if coming else None,
        "back_url": url_of(shown),
        **preview(shown),
    }
