"""Answers are compressed, and come out as they went in."""

from __future__ import annotations

import gzip

import pytest

from app.programme.founding import Founded
from app.tools import Tools
from app.web.shared.compression import gzipped
from tests.app.web.conftest import app_over

ASKS = {"Accept-Encoding": "gzip"}
SHEET = "/static/shared/punchproof.css"


@pytest.fixture
def client(tools: Tools, founded: Founded):
    return app_over(tools).test_client()


@pytest.mark.parametrize(
    "path",
    [SHEET, "/static/customer/card.js", "/join", "/static/shared/icons/icon.svg"],
)
def test_texts_come_compressed_to_who_can_read_them(client, path: str):
    plain, packed = (
        client.get(path, buffered=True),
        client.get(path, headers=ASKS, buffered=True),
    )

    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["Vary"]
    if len(plain.data) < 700:
        return
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    if path.startswith("/static"):
        assert gzip.decompress(packed.data) == plain.data


def test_pictures_and_short_answers_go_as_they_are(client):
    for path in ("/static/shared/icons/icon-192.png", "/livez", "/shop.css"):
        assert (
            "Content-Encoding"
            not in client.get(path, headers=ASKS, buffered=True).headers
        )


def test_a_file_that_is_known_is_not_sent_again(client):
    first = client.get(SHEET, headers=ASKS, buffered=True)
    known = {**ASKS, "If-None-Match": first.headers["ETag"]}

    again = client.get(SHEET, headers=known, buffered=True)

    assert again.status_code == 304
    assert again.data == b""


def test_versions_of_the_api_stay_comparable_to_the_letter(client):
    tag = client.get("/shop.css", headers=ASKS, buffered=True).headers["ETag"]

    assert not tag.startswith("W/")


def test_the_length_of_a_page_tells_nothing_of_what_is_on_it(client):
    lengths = {
        len(client.get("/offline", headers=ASKS, buffered=True).data) for _ in range(24)
    }

    assert len(lengths) > 8


def test_a_name_in_the_header_is_only_a_name():
    packed = gzipped(b"words " * 300, level=5, name=b"ppp")

    assert gzip.decompress(packed) == b"words " * 300
    assert b"ppp\0" in packed
