"""What a programme promises, in sentences that customers read and owners see."""

from __future__ import annotations

from flask_babel import ngettext


def of_vouchers(days: int | None) -> str:
    """Say for how long a new voucher is good; "" where it has no end.

    Args:
        days: as ``app.programme.expiry`` has them.
    """
    if days is None:
        return ""
    words = ngettext(
        "A voucher is good until the end of the day after you earn it.",
        "A voucher is good for %(num)s days after the day on which you earn it.",
        days,
    )
    return str(words)
