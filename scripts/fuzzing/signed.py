"""What bears a signature or a seal of ours: codes, links, receipts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from scripts.fuzzing import ground
from scripts.fuzzing.catalogue import Found, target, text_of
from signing import codes, links, receipts
from signing.codes import Code, Kind
from signing.errors import CodeError, LinkError
from signing.receipts import ReceiptForged

_PURPOSE = "fuzz"
_WRITTEN = b"an entry"


@cache
def _signed() -> tuple[Code, ...]:
    end = datetime.now(UTC) + timedelta(days=1)
    return tuple(
        codes.sign(
            kind,
            ground.ring(),
            origin=ground.ORIGIN,
            not_after=end,
            nonce=codes.new_nonce(),
        )
        for kind in Kind
    )


def _spelled() -> list[bytes]:
    texts = [code.text for code in _signed()]
    texts += [code.url(ground.ORIGIN) for code in _signed()]
    texts += [texts[0].lower(), texts[-1].replace("/S/", "/s/")]
    return [text.encode() for text in texts]


@target(seeds=_spelled, allowed=(CodeError,))
def code_texts(data: bytes) -> None:
    """What a scanner or a link gives: 128 characters, or the link around them."""
    text = text_of(data)
    read = codes.read_text(text)
    if len(read) != codes.TEXT_LENGTH * 5 // 8:
        raise Found("a code of another length")
    code = codes.verify(text, ground.ring(), origin=ground.ORIGIN)
    if code.data not in {ours.data for ours in _signed()}:
        raise Found("a code that nobody signed")
    if not text.upper().endswith(code.text):
        raise Found("a code that is not in the text")


@target(
    seeds=lambda: [code.data for code in _signed()],
    allowed=(CodeError,),
)
def codes_in_the_books(data: bytes) -> None:
    """80 bytes from the books, in which somebody may have written."""
    code = codes.verify_data(data, ground.ring(), origin=ground.ORIGIN)
    if code.data not in {ours.data for ours in _signed()}:
        raise Found("a code that nobody signed")


def _sealed() -> list[bytes]:
    payloads: tuple[dict[str, str], ...] = (
        {"mail": "anna@example.org"},
        {},
        {"a": "b" * 200},
    )
    return [
        links.seal(payload, ground.ring(), purpose=_PURPOSE).encode()
        for payload in payloads
    ]


@target(seeds=_sealed, allowed=(LinkError,))
def links_of_mails(data: bytes) -> None:
    """A token of a link or a sealed record, as anybody may send it."""
    links.open_(
        text_of(data),
        ground.ring(),
        purpose=_PURPOSE,
        max_age=timedelta(days=1),
    )


def _receipts() -> list[bytes]:
    made = receipts.sign(_WRITTEN, ground.ring(), origin=ground.ORIGIN)
    return [made, made[:-1], b"\0" * receipts.RECEIPT_BYTES]


@target(seeds=_receipts, allowed=(ReceiptForged,))
def receipts_in_the_books(data: bytes) -> None:
    """66 bytes beside an entry, in which somebody may have written."""
    receipts.verify(data, _WRITTEN, ground.ring(), origin=ground.ORIGIN)
    if data != _receipts()[0]:
        raise Found("a receipt that nobody signed")
