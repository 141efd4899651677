"""What people type and choose: names, addresses, searches, languages, pictures."""

from __future__ import annotations

import struct
import unicodedata
import zlib
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final
from uuid import UUID

from sqlalchemy.dialects import sqlite

from app import translations
from app.programme import finding, pictures, words
from app.programme.errors import InvalidRequest
from app.programme.networks import network_of
from app.programme.pictures import BadPicture
from app.programme.shop import ShopView
from app.store.outbox import Waiting
from app.worker import envelopes, letters
from app.worker.envelopes import BadAddress, Look
from scripts.fuzzing.catalogue import Found, target, text_of

_AT: Final = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def _addresses() -> list[bytes]:
    texts = ("anna@example.org", "a.b+c@sub.example.co", "zoë@kaffe.example")
    return [text.encode() for text in texts]


@target(seeds=_addresses, allowed=(BadAddress,))
def mail_addresses(data: bytes) -> None:
    """An address as a customer types it, up to the message that goes there."""
    wrong: dict[str, str] = {}
    address = words.clean_email(text_of(data), wrong)
    if not wrong:
        _must_be_one_mail(_message(address=address))


def _names() -> list[bytes]:
    return [b"Anna\0Kaffe & Br\xc3\xb8d\0en", "מאיה\0קפה\0he".encode(), b"a\0b\0da"]


@target(seeds=_names, allowed=(BadAddress,))
def names_in_mails(data: bytes) -> None:
    """Names of a customer and a shop, up to the headers of a mail."""
    pieces = ([*text_of(data).split("\x00"), "", "", ""])[:3]
    wrong: dict[str, str] = {}
    name, shop = (words.clean_name(piece, wrong) for piece in pieces[:2])
    if wrong:
        return
    if name != unicodedata.normalize("NFC", name):
        raise Found("a name with two spellings")
    _must_be_one_mail(_message(name=name, shop=shop, locale=pieces[2]))


def _message(
    *,
    address: str = "anna@example.org",
    name: str = "Anna",
    shop: str = "Kaffe & Brød",
    locale: str = "en",
) -> bytes:
    facts = {
        "name": name,
        "number": "44172093",
        "opened_at": _AT.isoformat(),
        "programme": shop,
        "reward": name,
        "stamps_required": 10,
        "terms": f"{name}\n{shop}",
    }
    mail = Waiting(UUID(int=7), "welcome", None, address, locale, facts, _AT, 1)
    view = ShopView(shop, "#0f5c4a", "Europe/Copenhagen")
    letter = letters.letter(mail, view, "https://stamps.example")
    sender = "stamps@shop.example"
    made = envelopes.envelope(mail, letter, Look(view, None), sender=sender)
    return made.message.as_bytes()


def _must_be_one_mail(content: bytes) -> None:
    read = message_from_bytes(content, policy=policy.default)
    if not isinstance(read, EmailMessage):
        raise Found("no message")
    headers = [name.lower() for name in read]
    if len(set(headers)) != len(headers) or any(part.defects for part in read.walk()):
        raise Found("a message that is not as it was made")
    if len(read["To"].addresses) != 1 or {"bcc", "cc"} & set(headers):
        raise Found("a mail to more than one")


@target(
    seeds=lambda: [b"Anna", b"4417 2093", "王小明".encode(), b"50%_\\"],
    allowed=(InvalidRequest,),
)
def searches(data: bytes) -> None:
    """What somebody at a till looks for: a number or a part of a name."""
    asked = finding.condition(text_of(data))
    compiled = asked.compile(dialect=sqlite.dialect())
    for value in compiled.params.values():
        str(value).encode()


@target(seeds=lambda: [b"da", b"zh-TW,zh", b"en_GB\0he", b"iw"])
def languages(data: bytes) -> None:
    """Tags of languages, as browsers and accounts name them."""
    text = text_of(data)
    found = translations.language(text) or translations.best(text.split("\0"))
    if found is not None and found not in translations.LANGUAGES:
        raise Found("a language that we do not speak")


@target(seeds=lambda: [b"203.0.113.7", b"2001:db8::7", b"::ffff:203.0.113.7%eth0"])
def networks(data: bytes) -> None:
    """An address that a proxy wrote, or what stands in its place."""
    network = network_of(text_of(data))
    if network is not None:
        network.encode("utf-8", "surrogateescape")


def _pictures() -> list[bytes]:
    made = []
    for colour, samples in ((0, 1), (2, 3), (6, 4)):
        rows = (b"\0" + b"\x7f" * (48 * samples)) * 48
        header = struct.pack(">IIBBBBB", 48, 48, 8, colour, 0, 0, 0)
        parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
        made.append(_PNG + b"".join(_chunk(*each) for each in parts))
    return made


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + check


@target(seeds=_pictures, allowed=(BadPicture,))
def logos(data: bytes) -> None:
    """A shop's logo as somebody sends it."""
    _must_be_written_anew(data)


def _loose() -> list[bytes]:
    """Chunks without their sums: kind, length in two bytes, content."""
    made = []
    for whole in _pictures():
        at, loose = len(_PNG), b""
        while at < len(whole):
            length = int.from_bytes(whole[at : at + 4], "big")
            content = whole[at + 8 : at + 8 + length]
            loose += whole[at + 4 : at + 8] + length.to_bytes(2, "big") + content
            at += 12 + length
        made.append(loose)
    return made


@target(seeds=_loose, allowed=(BadPicture,))
def logos_with_right_sums(data: bytes) -> None:
    """The same by somebody who knows how to make the sums right."""
    whole, at = _PNG, 0
    while at + 6 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 6], "big")
        whole += _chunk(data[at : at + 4], data[at + 6 : at + 6 + length])
        at += 6 + length
    _must_be_written_anew(whole)


def _must_be_written_anew(data: bytes) -> None:
    picture = pictures.read_png(data)
    again = pictures.read_png(picture.png)
    if again.png != picture.png or again.size != picture.size:
        raise Found("a picture that changes when it is read again")
