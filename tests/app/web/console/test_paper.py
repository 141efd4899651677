"""Every code on paper is read back by a decoder that shares no line with ours.

Sheets are rendered by PDFium as printers of 203 and 300 dpi would put them on paper.
"""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from app.web.console.paper.drawing import Drawn, Look, Sheet, draw
from app.web.console.paper.fonts import FontMissing
from app.web.console.paper.layouts import DOT, LAYOUTS, QUIET, CodeTooLarge
from signing import codes, qr
from signing.codes import Kind
from signing.keyring import KeyRing

RING = KeyRing.new(dt.datetime.now(dt.UTC))
SHORT = "https://a.dk"
USUAL = "https://stamps.kaffe-og-broed.example"
#: As long as a name in the DNS may be, with a port.
LONGEST = "https://" + ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61]) + ":65535"
ORIGINS = {"short": SHORT, "usual": USUAL, "longest": LONGEST}

every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
every_origin = pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)


def stamps(count, origin=USUAL):
    made = []
    for number in range(1, count + 1):
        code = codes.sign(
            Kind.PRINTED_STAMP,
            RING,
            origin=origin,
            not_after=dt.datetime(2027, 2, 24, 22, 59, 59, tzinfo=dt.UTC),
            nonce=codes.new_nonce(),
        )
        made.append(Drawn(f"12-{number:04}", code.url(origin)))
    return made


def sheet(**changes):
    facts = {
        "look": Look("Kaffe & Brød", "#0f5c4a", "#ffffff"),
        "worth": "2 stamps",
        "reward": "10 stamps: a coffee",
        "how": "Scan this with your phone\N{RIGHT SINGLE QUOTATION MARK}s camera.",
        "until": "Good until 24 February 2027",
        "is_rtl": False,
        "title": "Spring market",
        "language": "en",
    }
    return Sheet(**(facts | changes))


def pages(pdf, dpi):
    document = pypdfium2.PdfDocument(pdf)
    try:
        for page in document:
            bitmap = page.render(scale=dpi / 72, grayscale=True)
            yield bitmap.to_numpy().reshape(bitmap.height, bitmap.width).copy()
            page.close()
    finally:
        document.close()


def read(picture):
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return [each.text for each in found]


def words(pdf):
    document = pypdfium2.PdfDocument(pdf)
    text = " ".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    return " ".join(text.split())


@every_layout
@every_origin
@pytest.mark.parametrize("dpi", [203, 300])
def test_every_code_on_paper_is_read_back(layout, origin, dpi, counts):
    # given a full page and one stamp more
    printed = stamps(layout.on_page + 1, origin)

    # when a printer puts it on paper
    pictures = list(pages(draw(sheet(), layout, printed), dpi))

    # then every code on it is read, and no other
    assert len(pictures) == 2
    found = [text for picture in pictures for text in read(picture)]
    counts(printed=len(printed), read=len(found))
    assert sorted(found) == sorted(stamp.url for stamp in printed)


@every_layout
@pytest.mark.parametrize("dpi", [203, 300])
def test_a_printer_without_greys_prints_what_is_read(layout, dpi):
    printed = stamps(layout.on_page)
    [picture] = pages(draw(sheet(), layout, printed), dpi)

    black_and_white = np.where(picture < 128, 0, 255).astype(np.uint8)

    found = read(black_and_white)
    assert sorted(found) == sorted(stamp.url for stamp in printed)


@every_layout
@every_origin
def test_modules_are_large_enough_and_whole_dots(layout, origin):
    [stamp] = stamps(1, origin)
    modules = len(qr.modules(stamp.url))

    dots = layout.dots(modules)

    assert isinstance(dots, int)
    assert dots * DOT >= 0.33
    side = dots * DOT * (modules + 2 * QUIET)
    assert side <= min(layout.cell_width, layout.cell_height)


def test_at_203_dpi_every_module_of_a_slip_is_black_or_white():
    [stamp] = stamps(1)
    layout = LAYOUTS["slip-58"]
    [picture] = pages(draw(sheet(), layout, [stamp]), 203)
    rows = qr.modules(stamp.url)
    dots = layout.dots(len(rows))

    # where the picture of the code begins, by the corner of its first finder
    [found] = zxingcpp.read_barcodes(picture)
    corner = found.position.top_left
    middles = [
        [
            picture[
                round(corner.y) + y * dots + dots // 2,
                round(corner.x) + x * dots + dots // 2,
            ]
            for x in range(len(rows))
        ]
        for y in range(len(rows))
    ]

    assert [[grey < 128 for grey in row] for row in middles] == rows
    assert {int(grey) for row in middles for grey in row} <= {0, 255}


@every_layout
def test_paper_says_what_people_need(layout):
    said = words(draw(sheet(), layout, stamps(1)))

    for words_of_it in ("Kaffe & Brød", "2 stamps", "12-0001", "Good until"):
        assert words_of_it in said
    assert "2027" in said


@every_layout
def test_long_names_stay_in_their_place(layout):
    long = sheet(
        look=Look("W" * 60, "#ffffff", "#000000"),
        reward="W" * 60,
        until="Good until Wednesday, " + "W" * 40,
        worth="5 " + "stamps " * 10,
    )
    printed = stamps(layout.on_page)

    [picture] = pages(draw(long, layout, printed), 203)

    assert sorted(read(picture)) == sorted(stamp.url for stamp in printed)


def test_cut_marks_are_in_the_margin_alone():
    layout = LAYOUTS["a4"]
    # white on white: nothing but codes and words is in the cells
    plain = sheet(look=Look("x", "#ffffff", "#000000"))
    [picture] = pages(draw(plain, layout, stamps(1)), 300)
    mm = 300 / 25.4

    def ink(left, top, right, bottom):
        part = picture[round(top * mm) : round(bottom * mm)]
        return bool((part[:, round(left * mm) : round(right * mm)] < 240).any())

    for column in range(layout.columns + 1):
        x = layout.left + column * layout.pitch_x
        assert ink(x - 0.5, layout.top - 6, x + 0.5, layout.top - 2)
    for row in range(layout.rows + 1):
        y = layout.top + row * layout.pitch_y
        assert ink(layout.left - 6, y - 0.5, layout.left - 2, y + 0.5)
    # an empty cell is empty up to its edges
    x, y = list(layout.corners())[-1]
    right, bottom = x + layout.cell_width, y + layout.cell_height
    assert not ink(x, y, right, bottom)


def test_a_host_that_no_paper_takes_is_told():
    layout = LAYOUTS["labels-a4"]

    with pytest.raises(CodeTooLarge):
        layout.dots(177)


# Other scripts


def square_font(path: Path, letters: str) -> None:
    """Make a font with a box for each of some letters."""
    names = [f"letter{ord(letter)}" for letter in letters]
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (500, 700), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    box = pen.glyph()
    made = FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder([".notdef", *names])
    made.setupCharacterMap({ord(x): n for x, n in zip(letters, names, strict=True)})
    made.setupGlyf(dict.fromkeys([".notdef", *names], box))
    made.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (600, 100)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    made.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    made.setupPost()
    made.save(path)


HEBREW = "קפה ולחם"
CHINESE = "咖啡與麵包"


@pytest.fixture
def folder(tmp_path):
    """Fonts that share the letters: none has all."""
    latin = "".join(map(chr, range(33, 127))) + "…\N{RIGHT SINGLE QUOTATION MARK}ø"
    square_font(tmp_path / "DejaVuSans.ttf", latin + "קפהולחם")
    square_font(tmp_path / "wqy-microhei.ttc", CHINESE)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "is_rtl"), [(HEBREW, True), (CHINESE, False), (HEBREW + CHINESE, True)]
)
@every_layout
def test_other_scripts_are_set_in_fonts_that_have_them(layout, folder, name, is_rtl):
    look = Look(name, "#0f5c4a", "#ffffff")
    printed = stamps(layout.on_page)

    pdf = draw(sheet(look=look, is_rtl=is_rtl), layout, printed, folders=[folder])

    assert b"/FontFile2" in pdf
    [picture] = pages(pdf, 203)
    assert sorted(read(picture)) == sorted(stamp.url for stamp in printed)


def test_letters_that_no_font_has_are_named(tmp_path):
    look = Look(CHINESE, "#0f5c4a", "#ffffff")

    with pytest.raises(FontMissing) as missing:
        draw(sheet(look=look), LAYOUTS["a4"], stamps(1), folders=[tmp_path])

    assert set(CHINESE) <= set(missing.value.letters)


@pytest.mark.parametrize("name", ["Kaffe & Brød", "Kohvik Šokolaad, õ ž", "Fikarast å"])
def test_latin_words_need_no_font(name, tmp_path):
    look = Look(name, "#0f5c4a", "#ffffff")

    pdf = draw(sheet(look=look), LAYOUTS["a4"], stamps(1), folders=[tmp_path])

    assert b"/FontFile2" not in pdf
    assert name in words(pdf)


def test_right_to_left_the_code_is_on_the_right(folder):
    layout = LAYOUTS["a4"]
    look = Look(HEBREW, "#0f5c4a", "#ffffff")
    [picture] = pages(
        draw(sheet(look=look, is_rtl=True), layout, stamps(1), folders=[folder]), 203
    )

    [found] = zxingcpp.read_barcodes(Image.fromarray(picture))

    middle = (layout.left + layout.cell_width / 2) / DOT
    assert found.position.top_left.x > middle - 2 / DOT


@pytest.mark.parametrize(
    "key", [key for key, one in LAYOUTS.items() if not one.is_slip]
)
@pytest.mark.parametrize("is_rtl", [False, True])
def test_the_shops_logo_stands_where_the_band_begins(key, is_rtl):
    # given a logo that is red all over
    logo = io.BytesIO()
    Image.new("RGB", (64, 64), "#d01020").save(logo, "PNG")
    look = Look("Kaffe & Brød", "#0f5c4a", "#ffffff", logo.getvalue())
    layout, printed = LAYOUTS[key], stamps(2)

    pdf = draw(sheet(look=look, is_rtl=is_rtl), layout, printed)

    # then each stamp has one, at its start
    document = pypdfium2.PdfDocument(pdf)
    bitmap = document[0].render(scale=300 / 72, rev_byteorder=True)
    red, green, blue = np.moveaxis(bitmap.to_numpy()[..., :3].astype(int), -1, 0)
    document.close()
    columns = np.flatnonzero(((red > 180) & (green < 60) & (blue < 70)).any(axis=0))
    in_cell = (columns * 25.4 / 300 - layout.left) % layout.pitch_x
    assert len(columns) * 25.4 / 300 == pytest.approx(2 * 4.0, abs=0.6)
    is_first_half = in_cell < layout.cell_width / 2
    assert not is_first_half.any() if is_rtl else is_first_half.all()

    # and every code is read as before
    [picture] = pages(pdf, 203)
    assert sorted(read(picture)) == sorted(stamp.url for stamp in printed)
