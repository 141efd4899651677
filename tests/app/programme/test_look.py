"""The shop's look: the shape of its stamps, and its logo in the books."""

from __future__ import annotations

import pytest

from app.programme import shop
from app.programme.errors import Forbidden, InvalidRequest, NotFound
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.tools import Tools
from tests.app.programme.test_pictures import png


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


def test_stamps_are_round_until_somebody_chooses(tools: Tools, owner: ConsoleCaller):
    assert shop.shop(tools).stamp_shape == "round"

    now = shop.shop(tools)
    facts = {"name": now.name, "colour": now.colour, "timezone": now.timezone}
    shop.update_shop(tools, **facts, stamp_shape="flower", by=owner)
    # A caller that does not know of shapes changes none.
    shop.update_shop(tools, **facts, by=owner)

    assert shop.shop(tools).stamp_shape == "flower"
    with pytest.raises(InvalidRequest) as refusal:
        shop.update_shop(tools, **facts, stamp_shape="heart", by=owner)
    assert refusal.value.fields == {"stamp_shape": "not_a_shape"}


def test_a_logo_is_kept_in_the_books_under_its_own_name(
    tools: Tools, owner: ConsoleCaller
):
    first = shop.set_logo(tools, png(), by=owner).logo
    assert first is not None
    assert first.endswith("-64")
    assert shop.logo(tools, first).startswith(b"\x89PNG")

    second = shop.set_logo(tools, png((96, 96)), by=owner).logo
    assert second is not None
    assert second != first
    assert shop.shop(tools).logo == second
    with pytest.raises(NotFound):
        shop.logo(tools, first)

    assert shop.remove_logo(tools, by=owner).logo is None
    with pytest.raises(NotFound):
        shop.logo(tools, second)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "missing"),
        (b"no picture", "not_a_png"),
        (png((64, 50)), "not_square"),
        (bytes(shop.LOGO_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_logo_changes_nothing(
    tools: Tools, owner: ConsoleCaller, sent: bytes, reason: str
):
    before = shop.set_logo(tools, png(), by=owner)

    with pytest.raises(InvalidRequest) as refusal:
        shop.set_logo(tools, sent, by=owner)

    assert refusal.value.fields == {"logo": reason}
    assert shop.shop(tools) == before


def test_a_barista_chooses_no_logo(tools: Tools, founded: Founded):
    barista = ConsoleCaller(founded.staff_id, "Mia", "barista")

    with pytest.raises(Forbidden):
        shop.set_logo(tools, png(), by=barista)
    with pytest.raises(Forbidden):
        shop.remove_logo(tools, by=barista)
