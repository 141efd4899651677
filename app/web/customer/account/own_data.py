"""What is kept of a customer: taken along as a file, and erased."""

from __future__ import annotations

import json

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.programme import privacy
from app.programme.errors import InvalidRequest
from app.programme.history import HistoryLine
from app.web.customer import lines
from app.web.customer.room import bp, respond
from app.web.shared import access
from app.web.shared.errors import field_sentence


@bp.get("/account/data")
def own_data() -> str:
    """Say what can be taken along, and what can be erased."""
    access.member()
    return render_template("customer/account/data.html")


@bp.get("/account/data.json")
def take_along() -> Response:
    """Hand out all that is kept of a customer, as a file."""
    caller, tools = access.member(), access.tools()
    told = privacy.of_member(tools, caller.member_id, say=_words)
    text = json.dumps(told, indent=2, ensure_ascii=False)
    answer = make_response(text + "\n")
    answer.mimetype = "application/json"
    name = f"punchproof-{tools.now():%Y-%m-%d}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.get("/account/erase")
def erase_page() -> str:
    """Say what is lost, before it is."""
    return _erase_page()


@bp.post("/account/erase")
def erase() -> AnyResponse:
    """Forget a customer, who typed the digits to say that they mean it."""
    caller, tools = access.member(), access.tools()
    digits = request.form.get("digits", "")
    try:
        privacy.erase(tools, caller.member_id, digits=digits)
    except InvalidRequest as refusal:
        return respond(_erase_page(field_sentence(refusal.fields["digits"])), 422)
    answer = make_response(redirect(url_for("customer.erased"), 303))
    access.end(answer, "member")
    return answer


@bp.get("/erased")
def erased() -> Response:
    """Say that it is done, and let the phone forget what it kept of the card."""
    answer = respond(render_template("customer/erased.html"), 200)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _erase_page(problem: str = "") -> str:
    caller = access.member()
    return render_template(
        "customer/account/erase.html",
        loss=privacy.loss(access.tools(), caller.member_id),
        problem=problem,
    )


def _words(happened: HistoryLine) -> str:
    """Put an entry into the words of the card's page."""
    told = lines.line_of(happened, access.tools().now())
    return f"{told.mark} {told.words}".strip() if told.mark else told.words


def summary() -> str:
    """Say below the account's row what is behind it."""
    return str(gettext("Take it along, or have it erased"))
