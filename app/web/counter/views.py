"""The till's pages, and the three posts that set or clear its cookies.

All work goes to ``/api/v1``; a page here only finds out who is there and shows what
fits: a device that is no till yet, a till with nobody at it, or the scanner.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from flask import (
    Blueprint,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.programme import eligible, own_cards, shop
from app.programme import staff as people
from app.programme.errors import InvalidRequest, Refused
from app.programme.plans import offering
from app.programme.sessions import StaffCaller, TerminalCaller
from app.web.counter import texts
from app.web.shared import access, errors, languages, reasons
from app.web.shared.headers import scans
from app.web.shared.names import isolated

bp = Blueprint(
    "counter",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/counter",
)


@bp.get("/counter/")
def till() -> ResponseReturnValue:
    """Show what fits who is there."""
    terminal = access.terminal_or_none()
    if terminal is None:
        return enrol_page()
    staff = access.staff_or_none()
    if staff is None or staff.terminal_id != terminal.terminal_id:
        return _sign_in_page(terminal)
    return _scan_page(terminal, staff)


@bp.get("/counter/enrol")
@scans
def enrol_page() -> ResponseReturnValue:
    """Make this device a till; an old till may be enrolled anew."""
    return render_template("counter/enrol.html", texts=texts.enrol_texts())


@bp.post("/counter/enrol")
def enrol() -> ResponseReturnValue:
    """Spend an enrolment code: this browser is a till from now on."""
    form = _form()
    enrolled = people.enrol(
        access.tools(),
        _text(form, "code"),
        name=_text(form, "name", optional=True),
        numbered=gettext("Till %(number)s", number="{number}"),
    )
    response = jsonify(
        terminal_id=str(enrolled.terminal_id),
        name=enrolled.name,
        location_name=enrolled.location_name,
    )
    # Whoever was signed in here was so at another till.
    access.end(response, "staff")
    access.replace(response, "terminal", enrolled.token)
    return response, HTTPStatus.CREATED


@bp.post("/counter/sign-in")
def sign_in() -> ResponseReturnValue:
    """Sign a person in at this till."""
    form = _form()
    signed_in = people.sign_in(
        access.tools(),
        access.terminal(),
        _id(form, "staff_id"),
        _text(form, "pin"),
    )
    response = jsonify(
        staff_id=str(signed_in.staff_id),
        name=signed_in.name,
        role=signed_in.role,
        language=languages.of_staff(signed_in.staff_id).tag,
    )
    access.replace(response, "staff", signed_in.token)
    return response


@bp.post("/counter/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the person's session; the device stays a till."""
    response = make_response("", HTTPStatus.NO_CONTENT)
    access.end(response, "staff")
    return response


@bp.route("/counter/my-card", methods=["GET", "POST"])
def my_card() -> ResponseReturnValue:
    """Ask who is at the till for their own card: colleagues stamp it from then on."""
    staff = access.staff_or_none()
    if staff is None:
        return redirect(url_for("counter.till"))
    problem = ""
    if request.method == "POST":
        try:
            own_cards.say_so(access.tools(), request.form.get("code", ""), staff=staff)
        except InvalidRequest:
            problem = gettext("It is a colleague's own card.")
        except Refused as refusal:
            problem = errors.sentence(refusal)
    page = render_template(
        "counter/my_card.html",
        terminal=access.terminal(),
        staff=staff,
        problem=problem,
        mine=own_cards.of_person(access.tools(), staff.staff_id),
    )
    return page, HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK


@bp.route("/counter/customer", methods=["GET", "POST"])
def customer() -> ResponseReturnValue:
    """Put a customer into a group, or note that a document showed their age."""
    staff = access.staff_or_none()
    if staff is None:
        return redirect(url_for("counter.till"))
    problem = done = ""
    if request.method == "POST":
        try:
            done = _note_of_customer(staff)
        except InvalidRequest:
            problem = gettext("Choose what to note.")
        except Refused as refusal:
            problem = errors.sentence(refusal)
    tools = access.tools()
    page = render_template(
        "counter/customer.html",
        terminal=access.terminal(),
        staff=staff,
        problem=problem,
        done=done,
        chosen=request.form.get("what", ""),
        groups=[each for each in eligible.groups(tools) if each.staff_may_add],
        ages=eligible.ages_asked(tools),
    )
    return page, HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK


def _note_of_customer(staff: StaffCaller) -> str:
    """Do what the form says; tell what was noted."""
    kind, _, value = request.form.get("what", "").partition(":")
    tools, code = access.tools(), request.form.get("code", "")
    if kind == "group" and (group_id := _id_or_none(value)):
        name = eligible.put_in_at_till(tools, code, group_id, staff=staff)
        told = gettext(
            "%(name)s: in the group.", name=isolated(name or gettext("No name"))
        )
    elif kind == "age" and value.isdecimal():
        name = eligible.note_age(tools, code, int(value[:4]), staff=staff)
        told = gettext("Noted, with your name. The document itself is not kept.")
    else:
        raise InvalidRequest({"what": "missing"})
    return str(told)


def _id_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _sign_in_page(terminal: TerminalCaller) -> str:
    return render_template(
        "counter/sign_in.html",
        texts=texts.sign_in_texts(),
        terminal=terminal,
        people=_names(terminal),
    )


@scans
def _scan_page(terminal: TerminalCaller, staff: StaffCaller) -> ResponseReturnValue:
    return render_template(
        "counter/scan.html",
        texts=texts.till_texts(),
        terminal=terminal,
        staff=staff,
        people=_names(terminal),
        most_stamps=texts.MOST_STAMPS,
        by_hand=shop.allows_by_hand(access.tools()),
        menu_of_items=_menu(),
        sells_plans=offering.are_offered(access.tools()),
        refund_reasons=reasons.of_refunds(),
    )


def _menu() -> Mapping[str, object] | None:
    """Tell what the till shows to tap; None where nothing asks what was sold."""
    tools = access.tools()
    sold = [
        {
            "item_id": str(item.item_id),
            "name": item.name,
            "price": item.price,
            "category": item.category,
            "is_favourite": item.is_favourite,
        }
        for item in shop.on_sale(tools)
    ]
    if not sold and not shop.asks_for_sums(tools):
        return None
    return {"items": sold, "currency": shop.currency(tools)}


def _names(terminal: TerminalCaller) -> list[dict[str, str]]:
    return [
        {"staff_id": str(person.staff_id), "name": person.name}
        for person in people.staff_at(access.tools(), terminal)
    ]


def _form() -> Mapping[str, object]:
    form = request.get_json(silent=True)
    if not isinstance(form, dict):
        raise InvalidRequest({"body": "not_json"})
    return form


def _text(form: Mapping[str, object], field: str, *, optional: bool = False) -> str:
    """Read a text; "" when it is missing and need not be there."""
    text = form.get(field)
    if optional and text is None:
        return ""
    if not isinstance(text, str) or not (text or optional):
        raise InvalidRequest({field: "missing"})
    return text


def _id(form: Mapping[str, object], field: str) -> UUID:
    try:
        return UUID(_text(form, field))
    except ValueError as error:
        raise InvalidRequest({field: "not_an_id"}) from error
