"""Who may take a card, as its owner says."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from app.programme import eligible, members
from app.programme.eligible import Rules
from app.programme.errors import InvalidRequest
from app.web.console.programme import preview, url_of, whole
from app.web.console.room import again, bp, id_or_none
from app.web.shared import access, promises

_COUNTED = (
    ("purchases", lazy_gettext("Purchases (each time stamps were given)")),
    ("visits", lazy_gettext("Visits (days with any stamp)")),
)


@bp.route(
    "/console/programmes/<uuid:programme_id>/eligibility", methods=["GET", "POST"]
)
def eligibility(programme_id: UUID) -> ResponseReturnValue:
    """Show for whom a card is, and change it."""
    tools = access.tools()
    if request.method != "POST":
        form = _values(eligible.rules_of(tools, programme_id))
        return render_template(
            "console/eligibility.html", form=form, wrong={}, **_facts(programme_id)
        )
    try:
        eligible.save_rules(tools, programme_id, _typed(), by=access.console())
    except InvalidRequest as error:
        return again("console/eligibility.html", error, **_facts(programme_id))
    flash(gettext("Saved. Who has a card keeps it."))
    return redirect(url_for("console.eligibility", programme_id=programme_id))


def _typed() -> Rules:
    """Read the form; what is no number is as wrong as one that is too small."""

    def number(name: str) -> int | None:
        text = request.form.get(name, "").strip()
        if not text:
            return None
        return whole(text) or 0

    group_id = id_or_none(request.form.get("group_id"))
    if request.form.get("whom") == "group" and group_id is None:
        raise InvalidRequest({"group_id": "missing"})
    return Rules(
        group_id=group_id if request.form.get("whom") == "group" else None,
        least_count=number("least_count"),
        counted=request.form.get("counted", "purchases"),
        least_age=number("least_age"),
    )


def _values(rules: Rules) -> dict[str, str]:
    return {
        "whom": "group" if rules.group_id else "everyone",
        "group_id": str(rules.group_id or ""),
        "least_count": str(rules.least_count or ""),
        "counted": rules.counted,
        "least_age": str(rules.least_age or ""),
    }


def _facts(programme_id: UUID) -> dict[str, object]:
    tools = access.tools()
    shown = members.programme(tools, programme_id)
    return {
        "programme": shown,
        "groups": eligible.groups(tools),
        "counted": _COUNTED,
        "told": promises.of_rules(eligible.rules_of(tools, programme_id)),
        "back_url": url_of(shown),
        **preview(shown),
    }
