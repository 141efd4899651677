"""The look's pages: a logo is sent, served safely, and stands everywhere."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from app.programme import shop
from app.tools import Tools
from app.web.console.look import SHAPE_NAMES
from app.web.shared.stamp_shapes import DRAWN, outline
from tests.app.programme.test_pictures import png
from tests.app.web.console.conftest import Browser, seen

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
WAYS = ("/console/shop", "/console/setup/look")


def send_logo(browser: Browser, data: bytes, path: str = WAYS[0], **fields: str):
    """Send the form of the look with a logo in it, and otherwise as it is."""
    token = TOKEN.search(browser.get(path).text)
    assert token
    return browser.client.post(
        path,
        data={
            "csrf_token": token[1],
            "name": "Kaffe & Brød",
            "colour": "#0f5c4a",
            "timezone": "Europe/Copenhagen",
            "stamp_shape": "round",
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


@pytest.mark.parametrize("path", WAYS)
def test_a_logo_is_saved_with_colour_and_shape(owner: Browser, tools: Tools, path: str):
    answer = send_logo(owner, png(), path, colour="#F4D03F", stamp_shape="seal")

    assert answer.status_code == 302
    now = shop.shop(tools)
    assert now.logo is not None
    assert (now.colour, now.stamp_shape) == ("#f4d03f", "seal")


@pytest.mark.parametrize("path", WAYS)
def test_what_is_no_picture_is_refused_and_nothing_typed_is_lost(
    owner: Browser, tools: Tools, path: str
):
    before = shop.shop(tools)
    answer = send_logo(owner, b"<svg onload='x'/>", path, colour="#f4d03f")

    assert answer.status_code == 422
    assert "That is not a picture we can use." in seen(answer)
    assert 'value="#f4d03f"' in answer.text
    assert shop.shop(tools) == before


def test_a_good_logo_is_kept_when_another_field_is_refused(
    owner: Browser, tools: Tools
):
    answer = send_logo(owner, png(), colour="bluish")

    assert answer.status_code == 422
    assert "That is not a colour like" in seen(answer)
    assert "The new logo is on every page." in seen(answer)
    assert f"/logo/{shop.shop(tools).logo}.png" in answer.text


def test_a_form_without_a_picture_leaves_the_logo(owner: Browser, tools: Tools):
    send_logo(owner, png())
    send_logo(owner, b"", colour="#123456")

    now = shop.shop(tools)
    assert (now.logo is not None, now.colour) == (True, "#123456")


def test_a_logo_is_taken_away_again(owner: Browser, tools: Tools):
    send_logo(owner, png())
    send_logo(owner, b"", logo_none="1")

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
