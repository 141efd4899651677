"""The look's pages: a logo is sent, served safely, and stands everywhere."""

from __future__ import annotations

import re
from io import BytesIO

from app.programme import shop
from app.tools import Tools
from app.web.console.look import SHAPE_NAMES
from app.web.shared.stamp_shapes import DRAWN, outline
from tests.app.programme.test_pictures import png
from tests.app.web.console.conftest import Browser, seen

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def send_logo(browser: Browser, data: bytes, **fields: str):
    token = TOKEN.search(browser.get("/console/shop").text)
    assert token
    return browser.client.post(
        "/console/shop/logo",
        data={
            "csrf_token": token[1],
            "logo": (BytesIO(data), "../../logo.svg"),
            **fields,
        },
    )


def test_a_logo_stands_on_every_surface(owner: Browser, tools: Tools):
    assert send_logo(owner, png((128, 128))).status_code == 302

    name = shop.shop(tools).logo
    assert name is not None
    for page in ("/join", "/console/", "/counter/", "/offline"):
        assert f"/logo/{name}.png" in owner.get(page).text, page
    icons = owner.get("/manifest.webmanifest").get_json(force=True)["icons"]
    assert icons[0]["src"] == f"/logo/{name}.png"
    assert icons[0]["sizes"] == "128x128"
    # A phone without a network has kept it.
    assert f"/logo/{name}.png" in owner.get("/sw.js").text


def test_a_logo_can_do_nothing_but_be_seen(owner: Browser, tools: Tools):
    send_logo(owner, png())

    answer = owner.get(f"/logo/{shop.shop(tools).logo}.png")

    assert answer.mimetype == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "immutable" in answer.headers["Cache-Control"]
    assert owner.get("/logo/none-64.png").status_code == 404


def test_what_is_no_picture_is_refused_in_words(owner: Browser, tools: Tools):
    send_logo(owner, b"<svg onload='x'/>")

    assert "That is not a picture we can use." in seen(owner.get("/console/shop"))
    assert shop.shop(tools).logo is None


def test_a_logo_is_taken_away_again(owner: Browser, tools: Tools):
    send_logo(owner, png())
    send_logo(owner, b"", remove="1")

    assert shop.shop(tools).logo is None


def test_the_stamps_of_every_page_follow_the_shape(owner: Browser, tools: Tools):
    now = shop.shop(tools)
    owner.send(
        "/console/shop",
        name=now.name,
        colour=now.colour,
        timezone=now.timezone,
        stamp_shape="octagon",
    )

    assert shop.shop(tools).stamp_shape == "octagon"
    for page in ("/join", "/console/shop", "/console/style"):
        assert f'id="postmark-outline" d="{outline("octagon")}"' in owner.get(page).text


def test_every_shape_has_a_drawing_and_a_name():
    assert set(shop.STAMP_SHAPES) == set(DRAWN) == set(SHAPE_NAMES)
    assert len({outline(shape) for shape in DRAWN}) == len(DRAWN)
