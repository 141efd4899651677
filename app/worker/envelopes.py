"""A letter made a message: headers, plain text, and HTML in the shop's look.

The HTML follows the pages: their paper, ink and type, the shop's colour with words
that can be read on it, light and dark. Mail programs know little CSS, so it is laid
out by tables with the colours on each cell; who knows ``prefers-color-scheme`` gets
the dark ones. The logo comes along inside the message: nothing is fetched when it is
opened, so opening tells nobody anything.

No header can be made to hold two lines: what goes in is one line, holds no encoded word
of its own, and the email package refuses the rest.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.programme import shop as shops
from app.programme.shop import ShopView
from app.store.outbox import Waiting
from app.worker.letters import Letter

#: The pages' own, ``app/web/shared/static/tokens.css``.
_LIGHT: Final = {
    "paper": "#f6f2ea",
    "sheet": "#fffdf9",
    "ink": "#1d1a16",
    "soft": "#6b6459",
    "line": "#e4dccd",
}
_DARK: Final = {
    "paper": "#14120f",
    "sheet": "#1e1b17",
    "ink": "#f4efe6",
    "soft": "#a89f91",
    "line": "#322d26",
}
#: Controls, and what ends a line or a paragraph.
_BREAKS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_MOST_IN_A_ROW: Final = 6
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


#: As the DNS writes it; anything else, Python's own parser may fall over.
_HOST: Final = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


class BadAddress(Exception):
    """An address that no mail can go to; no try will change that."""


@dataclass(frozen=True, slots=True)
class Look:
    """The shop that writes, as it looks now."""

    shop: ShopView
    #: PNG; None for the plain mark.
    logo: bytes | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message, and the address it goes to as SMTP writes it."""

    message: EmailMessage
    recipient: str


def envelope(mail: Waiting, letter: Letter, look: Look, *, sender: str) -> Envelope:
    """Make the message of a letter.

    Args:
        mail: to whom; its id and date, the same whenever it is made.
        letter: the words.
        look: of the shop.
        sender: the address that it comes from.

    Raises:
        BadAddress: of ``mail``.
    """
    local, domain = _halves(mail.address)
    _, sender_domain = _halves(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_in_header(look.shop.name), addr_spec=sender)
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = _in_header(letter.subject)
    message["Date"] = mail.created_at
    message["Message-ID"] = f"<{mail.outgoing_id.hex}@{sender_domain}>"
    # No holiday note shall answer (RFC 3834, 5).
    message["Auto-Submitted"] = "auto-generated"
    if letter.stop_url:
        # One tap in the mail program ends it, with no page in between (RFC 8058).
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(plain(letter), cte="quoted-printable")
    logo_id = f"logo.{mail.outgoing_id.hex}@{sender_domain}"
    message.add_alternative(
        html(letter, look, logo_id), subtype="html", cte="quoted-printable"
    )
    if look.logo is not None:
        _attach(message, look.logo, logo_id)
    # Last: with the content, headers of the content move to its parts.
    message["Content-Language"] = letter.language.tag
    return Envelope(message, f"{local}@{domain}")


def plain(letter: Letter) -> str:
    """Lay a letter out as text."""
    card = letter.card
    parts = (
        letter.title,
        *letter.paragraphs,
        letter.code,
        "\n".join(filter(None, (f"{letter.button}:", letter.url, letter.hint)))
        if letter.url
        else "",
        f"{card.programme}\n{card.number_label}: {card.number}" if card else "",
        f"{letter.terms_title}\n{letter.terms}" if letter.terms else "",
        f"-- \n{letter.reason}",
        f"{letter.stop}: {letter.stop_url}" if letter.stop_url else "",
    )
    return "\n\n".join(filter(None, parts)) + "\n"


def html(letter: Letter, look: Look, logo_id: str) -> str:
    """Lay a letter out as HTML.

    Args:
        letter: the words; escaped here.
        look: of the shop.
        logo_id: the logo's Content-ID.
    """
    colour = look.shop.colour
    is_rtl = letter.language.direction == "rtl"
    return _TEMPLATES.get_template("mail.html").render(
        letter=letter,
        shop_name=one_line(look.shop.name),
        initial=_initial(look.shop.name),
        logo=f"cid:{logo_id}" if look.logo is not None else None,
        start="right" if is_rtl else "left",
        end="left" if is_rtl else "right",
        in_a_row=_in_a_row(letter.card.required) if letter.card else 0,
        colour=colour,
        on_colour=shops.ink_on(colour),
        # A white shop on white paper still has an edge.
        edge=shops.mixed(colour, shops.ink_on(colour), 0.2),
        light=_LIGHT | {"link": shops.ink_of(colour, _LIGHT["sheet"])},
        dark=_DARK | {"link": shops.ink_of(colour, _DARK["sheet"])},
    )


def one_line(text: str) -> str:
    """Leave nothing in a text that ends a line or a header."""
    seen = (" " if unicodedata.category(each) in _BREAKS else each for each in text)
    return " ".join("".join(seen).split())


def _in_header(text: str) -> str:
    """Leave nothing in a text that the email package takes for an encoded word.

    It would decode it, and what comes out may end a line: ``=?utf-8?q?=0ABcc=3A_x?=``
    as a shop's name once made a header of its own.
    """
    return one_line(text).replace("=?", "= ?")


def _in_a_row(places: int) -> int:
    """Say how many places stand in a row: as even as the narrowest phone allows."""
    rows = math.ceil(places / _MOST_IN_A_ROW)
    return math.ceil(places / rows)


def _initial(name: str) -> str:
    return next((each.upper() for each in name if each.isalnum()), "")


def _halves(address: str) -> tuple[str, str]:
    """Take an address apart; its host as the DNS writes it."""
    local, _, domain = address.rpartition("@")
    try:
        host = domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadAddress from error
    if not local or not _HOST.fullmatch(host) or any(map(str.isspace, address)):
        raise BadAddress
    if "=?" in local:
        # An encoded word to the email package, as in a name: it would be a header.
        raise BadAddress
    return local, host


def _attach(message: EmailMessage, png: bytes, logo_id: str) -> None:
    """Put the logo beside the HTML that shows it."""
    body = message.get_body(("html",))
    if isinstance(body, MIMEPart):
        body.add_related(
            png,
            "image",
            "png",
            cid=f"<{logo_id}>",
            filename="logo.png",
            disposition="inline",
        )
