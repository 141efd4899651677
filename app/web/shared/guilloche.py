"""Security print: the rosette on a card and the postmark on a stamp, drawn as SVG.

The same card number always gives the same rosette, the same seed the same postmark,
on every machine and in every version of Python: the choices come from BLAKE2b, not
from `random`. The drawing proves nothing by itself, the signature does; it makes a
copied or invented card look wrong to people who see the real one each day.

A rosette is a few closed curves r(angle) = radius + wave * cos(lobes * angle + ...),
each laid down many times, every time turned a little further and some a little smaller.
The curve is written once and turned by `<use>`, so a card's back is some 11 kB of text
(3 kB compressed).
Nothing here has a colour: lines take `currentColor` from the page.

Presentation attributes only: the pages' content security policy refuses `style="…"`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

from app.web.shared.stamp_shapes import outline

CUP = (
    '<path d="M4 9h12v5.5A4.5 4.5 0 0 1 11.5 19h-3A4.5 4.5 0 0 1 4 14.5z"/>'
    '<path d="M16 10.5h1.5a2.5 2.5 0 0 1 0 5H16"/>'
)
"""The picture in the middle of a stamp."""

_SEGMENTS_A_LOBE = 4
"""Cubic pieces for one wave of a curve: below four, the crests turn visibly flat."""

_ARC_UNITS = 96.0
"""Length that a line of postmark text may take, in the postmark's 100-unit square."""

_GLYPH_UNITS = 8.4
"""Mean advance of a capital at the postmark's type size, with its letter space."""

_LONGEST = 17
"""Characters that can still be read when squeezed on the arc."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One curve and how often it is laid down.

    `radius`, `wave` and `ripple` are in SVG units. `lobes` waves go once round;
    `ripple` is the height of a second, faster wave (`lobes * ripples`) on top. Each
    copy is turned by a part of a lobe, `turns` lobes in all, and shrunk towards `last`
    (1.0: all of one size).
    """

    radius: float
    wave: float
    lobes: int
    ripple: float
    ripples: int
    phase: float
    copies: int
    turns: float = 1.0
    last: float = 1.0

    def at(self, angle: float) -> tuple[float, float]:
        """Return the radius at an angle (radians) and its derivative."""
        main = self.lobes * angle
        over = self.lobes * self.ripples * angle + self.phase
        radius = self.radius + self.wave * math.cos(main) + self.ripple * math.cos(over)
        slope = -self.wave * self.lobes * math.sin(main)
        slope -= self.ripple * self.lobes * self.ripples * math.sin(over)
        return radius, slope


class _Choices:
    """An endless, repeatable row of numbers from a text."""

    def __init__(self, purpose: bytes, seed: str) -> None:
        self._bytes = self._stream(purpose, seed.encode())

    @staticmethod
    def _stream(purpose: bytes, seed: bytes) -> Iterator[int]:
        for block in range(1 << 16):
            salt = block.to_bytes(2, "big")
            yield from hashlib.blake2b(salt + seed, person=purpose).digest()

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` up to `high`."""
        two = next(self._bytes) << 8 | next(self._bytes)
        return low + (high - low) * two / 65536

    def one_of(self, first: int, last: int) -> int:
        """Return a whole number from `first` to `last`, both possible."""
        return first + int(self.between(0, last - first + 1))


def card_back(number: str) -> str:
    """Draw the back of a card: its rosette.

    Args:
        number: the card's number as printed, "44172093"; any text will do.

    Returns:
        An `<svg class="guilloche">` of 1000 by 1000 units, hidden from screen readers,
        strokes in `currentColor`. Its ids carry the number, so that several cards
        may stand on one page.
    """
    choose = _Choices(b"punchproof-card", number)
    key = "g" + hashlib.blake2b(number.encode(), digest_size=5).hexdigest()
    rings = (
        _ring(choose, radius=442, wave=40, lobes=choose.one_of(19, 31), copies=8),
        replace(
            _ring(choose, radius=348, wave=44, lobes=choose.one_of(7, 12), copies=26),
            turns=choose.between(0.7, 1.5) * (choose.one_of(0, 1) * 2 - 1),
            last=choose.between(0.5, 0.56),
        ),
        _ring(choose, radius=118, wave=46, lobes=choose.one_of(8, 14), copies=10),
    )
    body = "".join(
        _laid_down(ring, f"{key}{place}") for place, ring in enumerate(rings)
    )
    rim = "".join(f'<circle r="{radius}"/>' for radius in (486, 492, 178, 182))
    return (
        '<svg class="guilloche" viewBox="-500 -500 1000 1000" aria-hidden="true" '
        'focusable="false" fill="none" stroke="currentColor">'
        f"{body}{rim}</svg>"
    )


def postmark(seed: str, *, date: str, place: str, label: str) -> str:
    """Draw one stamp: date above, place below, a rosette of its own between.

    Args:
        seed: the stamp's nonce as hex; any text will do.
        date: short, in the reader's language, "12 Nov".
        place: the location's name, as the shop wrote it (not trusted).
        label: what a screen reader says.

    Returns:
        An `<svg class="postmark">` of 100 by 100 units. It leans on the arcs and the
        picture of `postmark_parts`, which must stand once on the same page.
    """
    choose = _Choices(b"punchproof-mark", seed)
    tilt = round(choose.between(-16, 16))
    ring = Ring(
        radius=17.2,
        wave=choose.between(3.2, 4.6),
        lobes=choose.one_of(9, 16),
        ripple=0,
        ripples=1,
        phase=0,
        copies=4,
    )
    key = "p" + hashlib.blake2b(seed.encode(), digest_size=5).hexdigest()
    return (
        f'<svg class="postmark" viewBox="0 0 100 100" role="img" '
        f'aria-label="{escape(label)}" focusable="false">'
        f'<g transform="rotate({tilt} 50 50)">'
        '<use href="#postmark-frame"/>'
        '<g class="postmark__rosette" transform="translate(50 50)" fill="none" '
        f'stroke="currentColor">{_laid_down(ring, key, decimals=1)}</g>'
        '<use href="#postmark-picture"/>'
        f"{_on_arc('postmark-above', date)}{_on_arc('postmark-below', place)}"
        "</g></svg>"
    )


def postmark_parts(picture: str, shape: str = "round") -> str:
    """Return what all postmarks of a page share, to be set once before them.

    Args:
        picture: SVG content of the small picture in the middle, in a 24-unit square;
            ours, not a user's.
        shape: the stamps' outline, one of ``stamp_shapes.DRAWN``. Empty places lean on
            it too: ``#postmark-edge`` in a 100-unit square.
    """
    edge = outline(shape)
    return (
        '<svg class="postmark-parts" width="0" height="0" aria-hidden="true" '
        'focusable="false"><defs>'
        '<path id="postmark-above" d="M16.2 50a33.8 33.8 0 0 1 67.6 0"/>'
        '<path id="postmark-below" d="M6.8 50a43.2 43.2 0 0 0 86.4 0"/>'
        f'<path id="postmark-outline" d="{edge}"/>'
        '<use id="postmark-edge" href="#postmark-outline" '
        'transform="translate(50 50) scale(.97)"/>'
        '<g id="postmark-frame"><use class="postmark__paper" href="#postmark-outline" '
        'transform="translate(50 50)"/><g fill="none" stroke="currentColor">'
        '<use href="#postmark-outline" transform="translate(50 50) scale(.94)" '
        'stroke-width="1.6"/><circle cx="50" cy="50" r="30" '
        'stroke-width="0.9"/></g><g fill="currentColor"><circle cx="11.5" cy="50" '
        'r="1.7"/><circle cx="88.5" cy="50" r="1.7"/></g></g>'
        '<g id="postmark-picture"><circle class="postmark__paper" cx="50" cy="50" '
        'r="13.2"/><g transform="translate(38.6 38.6) scale(0.95)" fill="none" '
        'stroke="currentColor" stroke-width="1.9" stroke-linecap="round" '
        f'stroke-linejoin="round">{picture}</g></g>'
        "</defs></svg>"
    )


def _ring(
    choose: _Choices, *, radius: float, wave: float, lobes: int, copies: int
) -> Ring:
    """Vary a ring within what still looks like one family."""
    return Ring(
        radius=radius,
        wave=wave * choose.between(0.82, 1),
        lobes=lobes,
        ripple=wave * choose.between(0.06, 0.2),
        ripples=choose.one_of(2, 3),
        phase=choose.between(0, math.tau),
        copies=copies,
    )


def _laid_down(ring: Ring, key: str, *, decimals: int = 0) -> str:
    """Write the curve once, then turn it until the lobes meet their neighbours."""
    step = 360 / ring.lobes * ring.turns / ring.copies
    turned = ""
    for copy in range(1, ring.copies):
        size = 1 - (1 - ring.last) * copy / ring.copies
        scale = f" scale({size:.3g})" if size < 1 else ""
        turned += f'<use href="#{key}" transform="rotate({step * copy:.3g}){scale}"/>'
    return f'<path id="{key}" d="{_closed(ring, decimals)}"/>{turned}'


def _closed(ring: Ring, decimals: int) -> str:
    """Return path data of the whole curve: cubic pieces that keep its true slopes."""
    pieces = ring.lobes * _SEGMENTS_A_LOBE * (ring.ripples if ring.ripple else 1)
    width = math.tau / pieces
    knots = [_knot(ring, width * place) for place in range(pieces)]
    x, y, _, _ = knots[0]
    at = [_rounded(x, decimals), _rounded(y, decimals)]
    data = [f"M{_numbers(at, decimals)}"]
    for place in range(pieces):
        x, y, along_x, along_y = knots[place]
        to_x, to_y, next_x, next_y = knots[(place + 1) % pieces]
        third = width / 3
        points = (
            x + along_x * third,
            y + along_y * third,
            to_x - next_x * third,
            to_y - next_y * third,
            to_x,
            to_y,
        )
        # Relative to the rounded pen, so that roundings do not add up.
        steps = [
            _rounded(value - at[axis % 2], decimals)
            for axis, value in enumerate(points)
        ]
        data.append(f"c{_numbers(steps, decimals)}")
        at = [at[0] + steps[4], at[1] + steps[5]]
    return "".join(data) + "z"


def _knot(ring: Ring, angle: float) -> tuple[float, float, float, float]:
    """Return a point of the curve and its derivative by the angle."""
    radius, slope = ring.at(angle)
    cos, sin = math.cos(angle), math.sin(angle)
    return (
        radius * cos,
        radius * sin,
        slope * cos - radius * sin,
        slope * sin + radius * cos,
    )


def _rounded(value: float, decimals: int) -> float:
    return round(value, decimals)


def _numbers(values: Sequence[float], decimals: int) -> str:
    """Write numbers as SVG takes them in the fewest characters."""
    text = ""
    for value in values:
        number = f"{value:.{decimals}f}"
        if "." in number:
            number = number.rstrip("0").rstrip(".")
            number = number.replace("0.", ".", 1) if abs(value) < 1 else number
        number = "0" if number in {"", "-", "-0", "."} else number
        text += number if not text or number.startswith("-") else f" {number}"
    return text


def _on_arc(arc: str, text: str) -> str:
    """Set a line on a shared arc, squeezed when it is too long for it."""
    line = text.upper()
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1].rstrip() + "…"
    squeeze = ""
    if len(line) * _GLYPH_UNITS > _ARC_UNITS:
        squeeze = f' textLength="{_ARC_UNITS:g}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'<text class="postmark__text" fill="currentColor" text-anchor="middle">'
        f'<textPath href="#{arc}" startOffset="50%"{squeeze}>{escape(line)}'
        "</textPath></text>"
    )
