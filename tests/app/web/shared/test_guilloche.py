from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from app.web.shared import guilloche
from app.web.shared.guilloche import Ring, card_back, postmark, postmark_parts

SVG = 'xmlns="http://www.w3.org/2000/svg"'


def parsed(svg: str) -> ET.Element:
    """Read a drawing as XML does, which is stricter than HTML."""
    # Our own drawing, not a stranger's.
    return ET.fromstring(svg.replace("<svg", f"<svg {SVG}", 1))  # noqa: S314


def path_data(svg: str) -> list[str]:
    return re.findall(r' d="([^"]+)"', svg)


def numbers(data: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", data)]


def test_a_card_looks_the_same_each_time():
    assert card_back("44172093") == card_back("44172093")


def test_no_two_cards_look_alike():
    drawings = {tuple(path_data(card_back(f"{n:08}"))) for n in range(500)}

    assert len(drawings) == 500


def test_no_two_stamps_look_alike():
    drawings = {
        postmark(f"{n:018x}", date="12 Nov", place="Nyhavn", label="")
        for n in range(99)
    }

    assert len(drawings) == 99


def test_a_drawing_does_not_hang_on_this_version_of_python():
    # The first numbers of one card's curves; a change here changes every card in use.
    starts = [numbers(data)[:4] for data in path_data(card_back("44172093"))]

    assert starts == [[482, 0, -2, 3], [389, 0, 2, 13], [151, 0, 2, 2]]


@pytest.mark.parametrize("number", ["44172093", "", "Å", "0" * 300])
def test_a_card_is_light_and_well_formed(number):
    drawing = card_back(number)

    parsed(drawing)
    assert len(drawing) < 20_000


def test_a_stamp_is_light_and_well_formed():
    drawing = postmark("ab" * 9, date="12 Nov", place="Nyhavn", label="Stamp 1")

    parsed(drawing)
    assert len(drawing) < 2_500


def test_a_card_full_of_stamps_is_below_sixty_kilobytes():
    marks = [
        postmark(f"{n:018x}", date="12 Nov", place="Kongens Nytorv", label="Stamp")
        for n in range(20)
    ]

    assert len(card_back("44172093") + "".join(marks) + postmark_parts("")) < 60_000


def test_a_place_is_text_and_never_markup():
    place = '<script>alert("1")</script>'

    drawing = postmark("00", date="12 Nov", place=place, label=place)

    assert "<script" not in drawing.lower()
    parsed(drawing)


def test_a_long_place_is_cut_and_squeezed():
    drawing = postmark("00", date="1 Jan", place="Store Kongensgade Bageri", label="")

    assert "STORE KONGENSGAD…" in drawing
    assert 'lengthAdjust="spacingAndGlyphs"' in drawing


def test_a_short_place_keeps_its_shape():
    drawing = postmark("00", date="1 Jan", place="Torvet", label="")

    assert "textLength" not in drawing


@pytest.mark.parametrize("drawing", [card_back("1"), postmark_parts("<path/>")])
def test_a_drawing_keeps_to_the_content_security_policy(drawing):
    assert "style=" not in drawing
    assert "http" not in drawing


def test_a_curve_ends_where_it_began():
    ring = Ring(radius=300, wave=60, lobes=9, ripple=8, ripples=3, phase=1.0, copies=1)

    data = guilloche._closed(ring, 0)
    start, *pieces = re.findall(r"[Mc]([^Mcz]+)", data)
    x, y = numbers(start)
    for piece in pieces:
        steps = numbers(piece)
        assert len(steps) == 6
        x, y = x + steps[4], y + steps[5]

    assert (x, y) == tuple(numbers(start))


def test_a_curve_stays_within_its_wave():
    ring = Ring(radius=300, wave=60, lobes=9, ripple=0, ripples=1, phase=0.0, copies=1)
    data = guilloche._closed(ring, 0)
    start, *pieces = re.findall(r"[Mc]([^Mcz]+)", data)
    x, y = numbers(start)

    for piece in pieces:
        steps = numbers(piece)
        x, y = x + steps[4], y + steps[5]
        assert 238 <= (x * x + y * y) ** 0.5 <= 362


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        ([0.5, -0.5], 1, ".5-.5"),
        ([0.0, -0.04, 10.0], 1, "0 0 10"),
        ([10, -3, 0], 0, "10-3 0"),
        ([20.0, 100.0], 1, "20 100"),
    ],
)
def test_numbers_are_written_short(value, decimals, text):
    assert guilloche._numbers(value, decimals) == text
