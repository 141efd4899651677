"""What was bought, in words: how many of what, and what was paid."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext

from app.programme.purchases import FiledLine, FiledPurchase
from app.web.shared import amounts, lists
from app.web.shared.names import isolated

_TIMES = "\N{MULTIPLICATION SIGN}"


def told(purchase: FiledPurchase) -> str:
    """Tell what was bought, what was paid, and what of it came back."""
    words = " · ".join(filter(None, (things(purchase.lines), sum_of(purchase))))
    back = [line for line in purchase.lines if line.is_back]
    if not back:
        return words
    if purchase.is_back:
        return f"{words} · {gettext('Came back')}"
    came = gettext("came back: %(what)s", what=things(back, with_other=True))
    return f"{words} · {came}"


def sum_of(purchase: FiledPurchase) -> str:
    """Tell what was paid in all."""
    return amounts.told(purchase.amount, purchase.currency)


def line(each: FiledLine) -> str:
    """Tell one line: how many of what."""
    name = isolated(each.name) if each.name is not None else gettext("Other")
    return f"{each.quantity} {_TIMES} {name}" if each.quantity > 1 else str(name)


def things(lines: Iterable[FiledLine], *, with_other: bool = False) -> str:
    """Tell items with commas between them; what has no item only where asked."""
    words = [line(each) for each in lines if with_other or each.name is not None]
    return lists.of_things(words)
