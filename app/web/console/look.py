"""The shop's look: colour, logo and the shape of its stamps, seen while choosing."""

from __future__ import annotations

from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, gettext, lazy_gettext

from app.programme import shop
from app.programme.errors import InvalidRequest
from app.programme.shop import ShopView
from app.web.console.room import bp, form_values, sentences
from app.web.shared import access
from app.web.shared.specimen import Specimen, outlines, specimen
from app.web.shared.stamp_shapes import outline

#: What each shape is called; a test holds them to the programme's.
SHAPE_NAMES: Final = {
    "round": lazy_gettext("Round"),
    "seal": lazy_gettext("Seal"),
    "flower": lazy_gettext("Flower"),
    "octagon": lazy_gettext("Octagon"),
    "square": lazy_gettext("Square"),
}


def shown_card(shape: str, *, stamps: int = 7, required: int = 10) -> Specimen:
    """Lay out a card that the owner looks at."""
    tools = access.tools()
    places = shop.locations(tools)
    return specimen(
        shape,
        month=format_date(tools.now(), "MMM"),
        place=places[0].name if places else "",
        label=gettext("Stamp"),
        stamps=stamps,
        required=required,
    )


def look_facts(shape: str) -> dict[str, Any]:
    """Tell what a page with the choices of the look needs."""
    shown = next(iter(shop.programmes(access.tools())), None)
    drawn = outlines(shop.STAMP_SHAPES)
    return {
        "shapes": [(key, SHAPE_NAMES[key], drawn[key]) for key in shop.STAMP_SHAPES],
        "card": shown_card(shape),
        "outline": outline(shape),
        "programme_name": shown.name if shown else gettext("10 coffees, 1 free"),
        "invitation": gettext(
            "3 more stamps, then: %(reward)s",
            reward=shown.reward if shown else gettext("Free coffee"),
        ),
    }


@bp.route("/console/shop", methods=["GET", "POST"])
def shop_page() -> ResponseReturnValue:
    """Show the shop's name, look and time zone, and change them."""
    tools = access.tools()
    if request.method != "POST":
        now = shop.shop(tools)
        values = {
            "name": now.name,
            "colour": now.colour,
            "timezone": now.timezone,
            "stamp_shape": now.stamp_shape,
        }
        facts = look_facts(now.stamp_shape)
        return _page(values, {}, well=now.colour, **facts)
    try:
        save_logo()
        shop.update_shop(
            tools,
            name=request.form.get("name", ""),
            colour=request.form.get("colour", ""),
            timezone=request.form.get("timezone", ""),
            stamp_shape=request.form.get("stamp_shape"),
            by=access.console(),
        )
    except InvalidRequest as error:
        facts = chosen(shop.shop(tools), error)
        return _page(form_values(), sentences(error), **facts), 422
    flash(gettext("Saved."))
    return redirect(url_for("console.shop_page"))


def save_logo() -> None:
    """Take the logo that came with the form, or take the shop's away.

    Before anything else of the form: a browser forgets a chosen file when a page comes
    back with a refusal, so a good one is kept whatever the other fields say.

    Raises:
        InvalidRequest: ``logo`` is no picture that we take.
    """
    tools, by = access.tools(), access.console()
    sent = request.files.get("logo")
    # One byte more than may be: enough to tell that it is too large.
    data = sent.stream.read(shop.LOGO_BYTES + 1) if sent else b""
    if data:
        shop.set_logo(tools, data, by=by)
        flash(gettext("The new logo is on every page."))
    elif request.form.get("logo_none") == "1":
        shop.remove_logo(tools, by=by)
        flash(gettext("The logo is gone."))


def zones() -> list[tuple[str, str]]:
    """List time zones to choose from."""
    return [(name, name.replace("_", " ")) for name in sorted(shop.timezones())]


def chosen(now: ShopView, error: InvalidRequest) -> dict[str, Any]:
    """Tell what a refused page shows: what was chosen, where that makes sense."""
    colour, shape = (request.form.get(name, "") for name in ("colour", "stamp_shape"))
    if shape not in shop.STAMP_SHAPES:
        shape = now.stamp_shape
    well = now.colour if "colour" in error.fields else colour.strip().lower()
    return {"well": well, **look_facts(shape)}


def _page(values: dict[str, str], wrong: dict[str, str], **facts: Any) -> str:
    return render_template(
        "console/shop.html", form=values, wrong=wrong, zones=zones(), **facts
    )
