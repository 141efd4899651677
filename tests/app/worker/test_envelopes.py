"""The message itself: headers, both parts, look; nothing gets in by names."""

from __future__ import annotations

import dataclasses
import re
import struct
import zlib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTPUTF8
from uuid import UUID

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as some

from app.programme.pictures import read_png
from app.programme.shop import ShopView, ink_of, ink_on
from app.programme.words import clean_email
from app.store.outbox import Waiting
from app.translations import LANGUAGES
from app.worker import envelopes, letters
from app.worker.envelopes import BadAddress, Look
from tests.app.worker.conftest import SENDER, read

ORIGIN = "https://stamps.example"
SHOP = ShopView("Kaffe & Br\u00f8d", "#0f5c4a", "Europe/Copenhagen")
#: 23:30 there, the day before where the shop is not.
OPENED = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
FACTS = {
    "name": "Anna",
    "number": "44172093",
    "opened_at": OPENED.isoformat(),
    "programme": "Coffee card",
    "reward": "Free coffee",
    "stamps_required": 10,
    "terms": "One stamp for each coffee.\nNot <b>for</b> resale.",
}
MAIL = Waiting(UUID(int=7), "welcome", None, "anna@example.org", "en", FACTS, OPENED, 1)
every_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)


def chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + check


def logo() -> bytes:
    """A red square, as the console would keep it."""
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xcc\x22\x11" * 64) * 64
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in parts)
    return read_png(png).png


def message(
    mail: Waiting = MAIL,
    shop: ShopView = SHOP,
    picture: bytes | None = None,
    **facts: object,
) -> EmailMessage:
    """Make a message and read it as its receiver does."""
    mail = dataclasses.replace(mail, facts=FACTS | facts)
    letter = letters.letter(mail, shop, ORIGIN)
    made = envelopes.envelope(mail, letter, Look(shop, picture), sender=SENDER)
    return read(made.message.as_bytes())


def text_of(made: EmailMessage, kind: str) -> str:
    part = made.get_body((kind,))
    assert part is not None
    told: str = part.get_content()
    return told


def test_the_headers_say_what_mail_programs_need():
    made = message()

    assert made["From"] == "Kaffe & Br\u00f8d <stamps@shop.example>"
    assert made["To"] == "anna@example.org"
    assert made["Subject"] == "Your stamp card at Kaffe & Br\u00f8d"
    assert made["Date"].datetime == OPENED.replace(microsecond=0)
    assert made["Message-ID"] == f"<{UUID(int=7).hex}@shop.example>"
    assert made["Auto-Submitted"] == "auto-generated"
    assert made["Content-Language"] == "en"
    assert len(made.keys()) == len({name.lower() for name in made})


def test_a_second_sending_has_the_same_id_and_date():
    again = dataclasses.replace(MAIL, attempt=2)

    for header in ("Message-ID", "Date"):
        assert message()[header] == message(again)[header]


@every_language
def test_both_parts_explain_the_card_in_the_members_language(language):
    made = message(dataclasses.replace(MAIL, locale=language.tag))

    plain, html = text_of(made, "plain"), text_of(made, "html")
    say = letters.Voice(language, SHOP, ORIGIN)
    for said in (plain, html):
        assert "4417 2093" in said
        assert f"{ORIGIN}/card" in said
        assert "Free coffee" in said
        assert say.gettext("Open my card") in said
        assert "One stamp for each coffee." in said
    assert f'<html lang="{language.tag}" dir="{language.direction}">' in html
    assert made["Content-Language"] == language.tag
    # and no word of English but in English
    assert ("Welcome" in plain) == (language.tag == "en")


def test_dates_are_the_shops_day():
    plain = text_of(message(), "plain")

    assert "24 Nov 2026" in plain


@pytest.mark.parametrize("locale", [None, "fr-FR", "tlh"])
def test_a_language_that_we_do_not_speak_is_english(locale):
    assert message(dataclasses.replace(MAIL, locale=locale))["Content-Language"] == "en"


def test_the_link_holds_no_key_to_the_card():
    made = message()

    links = re.findall(r"https?://[^\s\"<]+", text_of(made, "html"))
    assert set(links) == {f"{ORIGIN}/card"}


def test_without_a_name_it_greets_all_the_same():
    assert text_of(message(name=None), "plain").splitlines()[0] == "Welcome"


def test_the_logo_comes_inside_the_message():
    picture = logo()
    made = message(picture=picture)

    html = text_of(made, "html")
    (source,) = re.findall(r'src="([^"]+)"', html)
    (image,) = [each for each in made.walk() if each.get_content_type() == "image/png"]
    assert source == f"cid:{image['Content-ID'].strip('<>')}"
    assert image.get_content_disposition() == "inline"
    assert image.get_content() == picture
    # and it hangs beside the HTML, not as a thing to open
    assert list(made.iter_attachments()) == []


def test_nothing_is_fetched_and_nothing_runs():
    html = text_of(message(picture=logo()), "html")

    assert not re.search(r"<(script|link|iframe|form)|url\(|\son\w+=", html)
    assert re.findall(r'src="(?!cid:)', html) == []


def test_words_of_people_stay_words():
    html = text_of(message(name="<b>Anna</b>", reward='"><i>'), "html")

    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;Anna&lt;/b&gt;" in html


ATTACKS = [
    "Anna\r\nBcc: all@example.org",
    "Anna\nSubject: other",
    "a\x00b",
    "Anna\u2028Bcc: x@example.org",
    '"><script>',
    "Anna <a@example.org>, b@example.org",
    # the email package decodes such, and writes what comes out
    "=?utf-8?q?=0ABcc=3A_x?=",
    "=\x00?utf-8?b?CkJjYzogeA==?=",
    "==??utf-8?q?=0D=0ABcc=3A_x?=",
    "x" * 60,
    "\u05d0\u05e0\u05d4 " * 12,
    "\u8336" * 60,
    "\U0001f600" * 60,
    "%(shop)s %s %d {0}",
]


@pytest.mark.parametrize("name", ATTACKS, ids=ascii)
@every_language
def test_no_name_adds_a_header_or_an_address(language, name):
    mail = dataclasses.replace(MAIL, locale=language.tag)
    shop = dataclasses.replace(SHOP, name=name)

    made = message(mail, shop, name=name, programme=name, reward=name)

    plain = message(mail)
    assert made.keys() == plain.keys()
    assert [each.addr_spec for each in made["From"].addresses] == [SENDER]
    assert [each.addr_spec for each in made["To"].addresses] == ["anna@example.org"]
    assert len(made["Subject"].splitlines()) == 1


@given(name=some.text(max_size=60))
def test_no_name_at_all_adds_a_header(name):
    made = message(shop=dataclasses.replace(SHOP, name=name), name=name, reward=name)

    assert made.keys() == message().keys()
    assert [each.addr_spec for each in made["From"].addresses] == [SENDER]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (None, []),
        (1, ["A voucher is good until the end of the day after you earn it."]),
        (30, ["A voucher is good for 30 days after the day on which you earn it."]),
    ],
)
def test_it_says_for_how_long_a_voucher_is_good(days, told):
    mail = dataclasses.replace(MAIL, facts=FACTS | {"voucher_days": days})

    paragraphs = letters.letter(mail, SHOP, ORIGIN).paragraphs

    assert list(paragraphs[2:]) == told


@pytest.mark.parametrize(
    "address",
    [
        "anna",
        "@example.org",
        "anna@",
        "an na@example.org",
        "anna@exa\u2028mple.org",
        # decoded, it was a header of its own
        "=?utf-8?q?=0ABcc=3A_x?=anna@example.org",
    ],
)
def test_what_is_no_address_gets_no_mail(address):
    with pytest.raises((BadAddress, ValueError)):
        message(dataclasses.replace(MAIL, address=address))


#: Letters that addresses are made of, and those that attacks are made of.
_LETTERS = some.text(
    "ab.-_+'@<>()[],;:\\\" \r\n\t\x00\u00e9\u05d0\u8336\u200e=?", max_size=12
)


@given(
    local=_LETTERS, host=_LETTERS, end=some.sampled_from(["org", "\u8336\u8336", "a"])
)
def test_whatever_joining_takes_for_an_address_is_one(local, host, end):
    wrong: dict[str, str] = {}
    address = clean_email(f"{local}@{host}.{end}", wrong)
    mail = dataclasses.replace(MAIL, address=address)
    letter = letters.letter(mail, SHOP, ORIGIN)
    try:
        made = envelopes.envelope(mail, letter, Look(SHOP, None), sender=SENDER)
    except (BadAddress, ValueError):
        # Refused at joining, or a host that the DNS cannot have.
        return
    if not wrong:
        assert made.recipient.count("@") == 1
        assert made.recipient.rpartition("@")[2].isascii()
        assert made.message["To"].addresses[0].addr_spec == made.recipient
        head = made.message.as_bytes(policy=SMTPUTF8).partition(b"\r\n\r\n")[0]
        assert [line for line in head.splitlines() if line.startswith(b"Bcc")] == []
        assert head.count(b"\r\nTo: ") == 1


def test_a_kind_that_we_do_not_know_is_named():
    with pytest.raises(letters.UnknownKind):
        message(dataclasses.replace(MAIL, kind="other"))


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        line = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        ]
        return 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2]

    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


@given(colour=some.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}"))
def test_whatever_colour_the_shop_has_its_words_can_be_read(colour):
    assert contrast(ink_on(colour), colour) >= 4.5
    for paper in ("#fffdf9", "#1e1b17"):
        assert contrast(ink_of(colour, paper), paper) >= 4.5


def test_a_colour_that_can_be_read_is_left_alone():
    assert ink_of("#0f5c4a", "#fffdf9") == "#0f5c4a"


@every_language
def test_it_is_written_in_the_direction_of_its_language(language):
    html = text_of(message(dataclasses.replace(MAIL, locale=language.tag)), "html")

    is_rtl = Locale.parse(language.locale).text_direction == "rtl"
    assert ('align="right"' in html) == is_rtl
    assert ('align="left"' in html) != is_rtl


def test_what_a_mail_program_decodes_is_no_address():
    wrong: dict[str, str] = {}
    clean_email("=?utf-8?q?=0ABcc=3A_x?=anna@example.org", wrong)

    assert wrong == {"email": "not_an_email"}
