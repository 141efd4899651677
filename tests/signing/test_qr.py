"""The pictures, read back by an independent decoder."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from signing import codes, qr

# Hosts at both ends of each version: see the table in signing.qr.
HOSTS = {
    6: ["a", "a" * 9, "127.0.0.1"],
    7: ["a" * 10, "stamps.example", "a" * 33],
    8: ["a" * 34, "a" * 76],
}
CASES = [(version, host) for version, hosts in HOSTS.items() for host in hosts]
SVG = "{http://www.w3.org/2000/svg}"


def decoded(image):
    """What a scanner without tricks reads: upright, not inverted."""
    found = zxingcpp.read_barcodes(
        image, formats=zxingcpp.BarcodeFormat.QRCode, try_invert=False
    )
    assert len(found) == 1
    assert found[0].ec_level == "M"
    return found[0].text


def drawn(svg_text, scale=6, page=255):
    """Paint our SVG on a page: the rectangle, then each run of the path."""
    root = ET.fromstring(svg_text)  # noqa: S314 (ours)
    side = int(root.attrib["viewBox"].split()[2])
    canvas = np.full((side, side), page, dtype=np.uint8)
    rect = root.find(f"{SVG}rect").attrib
    assert (rect["width"], rect["height"], rect["fill"]) == (
        str(side),
        str(side),
        "#fff",
    )
    canvas[:] = 255
    path = root.find(f"{SVG}path").attrib
    assert path["fill"] == "#000"
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path["d"])
    assert "".join("M{} {}h{}v1h-{}z".format(*run) for run in runs) == path["d"]
    for x, y, length, back in (map(int, run) for run in runs):
        assert length == back
        canvas[y, x : x + length] = 0
    canvas = np.kron(canvas, np.ones((scale, scale), dtype=np.uint8))
    # A dark page around it: only the quiet zone of the picture itself counts.
    return np.pad(canvas, 40, constant_values=0)


@pytest.fixture
def url_of(make_code):
    def make(host, scheme="https"):
        origin = f"{scheme}://{host}"
        return make_code(origin=origin).url(origin)

    return make


@pytest.mark.parametrize(("version", "host"), CASES)
def test_the_version_is_the_smallest_that_holds_the_host(url_of, version, host):
    assert qr.size(url_of(host)) == version
    assert len(qr.modules(url_of(host))) == 17 + 4 * version


def test_the_limits_are_where_the_table_says(url_of):
    https = [qr.size(url_of("a" * length)) for length in range(1, 80)]
    http = [qr.size(url_of("a" * length, "http")) for length in range(1, 80)]

    assert https == [6] * 9 + [7] * 24 + [8] * 43 + [9] * 3
    assert http == [6] * 11 + [7] * 23 + [8] * 44 + [9]


@pytest.mark.parametrize(("version", "host"), CASES)
def test_a_scanner_reads_the_svg_on_a_dark_page(url_of, version, host):
    url = url_of(host)

    assert decoded(drawn(qr.svg(url))) == url


@pytest.mark.parametrize(("version", "host"), CASES)
def test_a_scanner_reads_the_png(url_of, version, host):
    url = url_of(host)

    image = Image.open(io.BytesIO(qr.png(url)))

    assert image.mode == "1"
    assert image.size == (8 * (17 + 4 * version + 8),) * 2
    assert decoded(image.convert("L")) == url


@pytest.mark.parametrize("module_px", [1, 2, 3, 5, 8, 13])
def test_png_and_svg_show_the_same_at_every_size(url_of, module_px):
    url = url_of("stamps.example")

    png = Image.open(io.BytesIO(qr.png(url, module_px=module_px)))
    png.load()

    svg = drawn(qr.svg(url), scale=module_px)[40:-40, 40:-40]
    assert np.array_equal(np.asarray(png.convert("L")), svg)


@pytest.mark.parametrize(("version", "host"), CASES)
def test_a_scanner_reads_the_terminal(url_of, version, host):
    # given a terminal of 8 by 16 pixels a character that knows the two colours
    url = url_of(host)
    halves = {" ": (255, 255), "▀": (0, 255), "▄": (255, 0), "█": (0, 0)}
    rows = []

    for line in qr.terminal(url).splitlines():
        inner = re.fullmatch(r"\x1b\[38;5;16;48;5;231m([ ▀▄█]+)\x1b\[0m", line)[1]
        rows.append([halves[character][0] for character in inner])
        rows.append([halves[character][1] for character in inner])

    canvas = np.kron(np.array(rows, dtype=np.uint8), np.ones((8, 8), dtype=np.uint8))
    assert decoded(np.pad(canvas, 40, constant_values=0)) == url


def test_what_the_scanner_reads_is_the_code(make_code, ring):
    origin = "https://stamps.example"
    code = make_code()

    text = decoded(drawn(qr.svg(code.url(origin))))

    assert codes.verify(text, ring, origin=origin) == code


def test_many_codes_in_a_row_are_all_read(url_of):
    # The mask is fixed, so let chance look for data that it does not suit.
    for _ in range(60):
        url = url_of("stamps.example")
        assert decoded(drawn(qr.svg(url), scale=3)) == url


def test_scheme_in_bytes_and_the_rest_in_alphanumeric(url_of):
    segments = qr._segments(url_of("stamps.example"))

    assert [(data[:8], mode) for data, mode in segments] == [
        (b"https://", qr.util.MODE_8BIT_BYTE),
        (b"STAMPS.E", qr.util.MODE_ALPHA_NUM),
    ]


@pytest.mark.parametrize(
    ("url", "read"),
    [
        # A path keeps its case; a host may be written in any.
        ("https://stamps.example/join", "https://stamps.example/join"),
        ("https://stamps.example/JOIN", "https://STAMPS.EXAMPLE/JOIN"),
        ("https://stamps.example/J?a=b#c", "https://stamps.example/J?a=b#c"),
        ("https://[::1]:8443/S/A", "https://[::1]:8443/S/A"),
        ("HELLO WORLD", "HELLO WORLD"),
        ("otpauth://totp/x?secret=ABC", "otpauth://totp/x?secret=ABC"),
    ],
)
def test_other_texts_keep_their_case(url, read):
    assert decoded(drawn(qr.svg(url))) == read


def test_the_svg_names_itself_when_it_has_a_title():
    root = ET.fromstring(qr.svg("HELLO", title='Card of <Anna> & "Co"'))  # noqa: S314

    assert root.attrib["role"] == "img"
    assert root.find(f"{SVG}title").text == 'Card of <Anna> & "Co"'
    assert "aria-hidden" not in root.attrib


def test_the_svg_hides_from_screen_readers_without_a_title():
    root = ET.fromstring(qr.svg("HELLO"))  # noqa: S314

    assert root.attrib["aria-hidden"] == "true"
    assert root.find(f"{SVG}title") is None


def test_the_svg_is_one_crisp_path_with_four_modules_around_it():
    root = ET.fromstring(qr.svg("HELLO"))  # noqa: S314

    assert [child.tag for child in root] == [f"{SVG}rect", f"{SVG}path"]
    assert root.attrib["shape-rendering"] == "crispEdges"
    assert root.attrib["viewBox"] == "0 0 29 29"
    assert root.find(f"{SVG}path").attrib["d"].startswith("M4 4h7v1h-7z")
    assert "style" not in ET.tostring(root, encoding="unicode")
    assert 'viewBox="0 0 21 21"' in qr.svg("HELLO", border=0)


@pytest.mark.parametrize("text", ["", "é", "x" * 3000, "A" * 9000])
def test_what_no_code_can_hold_is_a_mistake(text):
    for draw in (qr.svg, qr.png, qr.terminal, qr.size):
        with pytest.raises(ValueError, match="QR code"):
            draw(text)


def test_a_module_has_at_least_a_pixel():
    with pytest.raises(ValueError, match="pixel"):
        qr.png("HELLO", module_px=0)
