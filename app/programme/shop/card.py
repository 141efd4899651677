"""The shop's own face."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from app.programme import audit, money
from app.programme.errors import NotFound
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.words import clean_name
from app.store.tables import Shop
from app.tools import Tools

DEFAULT_COLOUR = "#0f5c4a"
STAMP_SHAPES = ("round", "seal", "flower", "octagon", "square")

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_WHITE, _INK, _BLACK = "#ffffff", "#1d1a16", "#000000"
#: Contrast of text, WCAG 2.2, 1.4.3.
_READABLE = 4.5


@dataclass(frozen=True, slots=True)
class ShopView:
    """The shop itself."""

    name: str
    #: ``#rrggbb``, lower case.
    colour: str
    #: IANA name.
    timezone: str
    #: One of ``STAMP_SHAPES``.
    stamp_shape: str = "round"
    #: The name of its logo, for ``logo``; None for the plain mark.
    logo: str | None = None
    #: ISO 4217.
    currency: str = money.DEFAULT_CURRENCY

    @property
    def ink(self) -> str:
        """The colour of words on ``colour``."""
        return ink_on(self.colour)


#: What pages show before the shop was founded, or while the books are away.
UNKNOWN_SHOP = ShopView("Punchproof", DEFAULT_COLOUR, "UTC")


def shop(tools: Tools) -> ShopView:
    """Read the shop.

    Raises:
        NotFound: it was never founded.
    """
    with tools.database.read() as tx:
        row = tx.get(Shop, 1)
    if row is None:
        raise NotFound
    return shop_view(row)


def shop_view(row: Shop) -> ShopView:
    """Turn the row into what others may hold."""
    return ShopView(
        row.name,
        row.colour,
        row.timezone,
        row.stamp_shape,
        row.logo,
        row.currency or money.DEFAULT_CURRENCY,
    )


def update_shop(
    tools: Tools,
    *,
    name: str,
    colour: str,
    timezone: str,
    by: ConsoleCaller,
    stamp_shape: str | None = None,
) -> ShopView:
    """Change the shop's name, colour, time zone and stamps.

    Args:
        tools: the books.
        name: 1 to 60 characters.
        colour: ``#rrggbb`` in either case.
        timezone: an IANA name.
        by: who asks.
        stamp_shape: one of ``STAMP_SHAPES``; as it was when None.

    Raises:
        Forbidden: ``by`` may not.
        InvalidRequest: one of them makes no sense.
        NotFound: the shop was never founded.
    """
    must_lead(by)
    wrong: dict[str, str] = {}
    name = clean_name(name, wrong)
    colour = colour.strip().lower()
    if not _COLOUR.fullmatch(colour):
        wrong["colour"] = "not_a_colour"
    if timezone not in timezones():
        wrong["timezone"] = "not_a_timezone"
    if stamp_shape is not None and stamp_shape not in STAMP_SHAPES:
        wrong["stamp_shape"] = "not_a_shape"
    refuse(wrong)
    with tools.database.begin() as tx:
        row = tx.get(Shop, 1)
        if row is None:
            raise NotFound
        row.name, row.colour, row.timezone = name, colour, timezone
        row.stamp_shape = stamp_shape or row.stamp_shape
        audit.record(
            tx,
            tools,
            "shop.changed",
            "shop",
            by=by.staff_id,
            name=name,
            colour=colour,
            timezone=timezone,
            stamp_shape=row.stamp_shape,
        )
        return shop_view(row)


@cache
def timezones() -> frozenset[str]:
    """Tell the IANA names that a shop may be in: places, and UTC."""
    return frozenset(
        name
        for name in available_timezones()
        if name == "UTC"
        or (
            "/" in name
            and not name.startswith(("Etc/", "posix/", "right/", "SystemV/"))
        )
    )


def ink_on(colour: str) -> str:
    """Choose the colour of words on ``colour``, so that they can be read.

    Args:
        colour: ``#rrggbb``.

    Returns:
        White or our ink, whichever contrasts more; black where neither reaches
        4.5 to 1, which black then does.

    Source:
        WCAG 2.2, "contrast ratio" and 1.4.3.
    """
    best = max((_WHITE, _INK), key=lambda ink: _contrast(ink, colour))
    return best if _contrast(best, colour) >= _READABLE else _BLACK


def ink_of(colour: str, paper: str) -> str:
    """Make a colour into one of words on ``paper``, as near to itself as can be read.

    Args:
        colour: ``#rrggbb``.
        paper: ``#rrggbb``.

    Returns:
        The colour, mixed with black or white until it contrasts 4.5 to 1.

    Source:
        WCAG 2.2, 1.4.3.
    """
    end = max((_WHITE, _BLACK), key=lambda ink: _contrast(ink, paper))
    steps = (mixed(colour, end, step / 20) for step in range(20))
    return next((each for each in steps if _contrast(each, paper) >= _READABLE), end)


def mixed(one: str, other: str, share: float) -> str:
    """Mix two colours, ``#rrggbb``; ``share`` is of the other, 0 to 1."""
    pairs = (
        (int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)
    )
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _contrast(one: str, other: str) -> float:
    """Tell the contrast of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    # WCAG 2.2, "relative luminance".
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    is_dark = channel <= 0.04045  # noqa: PLR2004 -- as the source has it
    return channel / 12.92 if is_dark else ((channel + 0.055) / 1.055) ** 2.4
