"""Short codes: seven characters that staff type where a camera cannot see.

A short code is no code of its own: it stands for the signed one, in the nonce store,
as long as that lives. What is typed is looked up and goes the way of what is scanned.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.programme import codes
from app.programme.codes import IssuedCode, Spending, Spent
from app.programme.errors import CodeUnknown
from app.programme.sessions import StaffCaller, TerminalCaller
from app.store.database import Tx
from app.tools import Tools
from signing.codes import Kind

#: Digits and letters that are not mistaken for each other when read aloud.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 7
_SHORT = re.compile(rf"[{_ALPHABET}]{{{_LENGTH}}}")


def issue(tools: Tools, kind: Kind, record: Mapping[str, str]) -> IssuedCode:
    """Issue a code with a short one, which is None if three in a row were taken.

    Raises:
        TryAgain, StoreDown: as ``codes.issue``.
    """
    issued = codes.issue(tools, kind, record)
    keep = codes.LIFETIME[kind]
    return replace(issued, short=_put(tools, issued.code, keep))


def spend_at_till(
    tools: Tools,
    text: str,
    *,
    kind: Kind,
    request_id: str,
    staff: StaffCaller | TerminalCaller,
    named: str,
    book: Callable[[Tx, Spending], Mapping[str, Any]],
) -> Spent:
    """Spend what a till scanned or somebody there typed.

    Args:
        tools: keys, stores and clock.
        text: a code, its link or a short code; not trusted.
        kind: what this door takes.
        request_id: made by the terminal, the same on each retry.
        staff: who spends it.
        named: what the answer names: ``stamp_id`` or ``redemption_id``.
        book: as ``codes.spend`` has it.

    Returns:
        The answer; the first one again when this request was heard before.

    Raises:
        CodeUnknown: a short code that stands for nothing now.
        Refused: what ``codes.spend`` refuses.
        StoreDown: nothing was written.
    """
    try:
        code_text = code_of(tools, text)
    except CodeUnknown:
        # A till that had no network asks late, when its short code has ended: it is
        # told what came of its request all the same.
        first = codes.answer_to(tools, staff.request(request_id), named=named)
        if first is None:
            raise
        return first
    return codes.spend(
        tools,
        code_text,
        kinds={kind},
        request_id=lambda _: staff.request(request_id),
        book=book,
    )


def code_of(tools: Tools, text: str) -> str:
    """Turn what was typed into the code it stands for; lower case and spaces are fine.

    A text that is no short code comes back as it is.

    Raises:
        CodeUnknown: a short code that stands for nothing now.
        StoreDown: the nonce store gave no answer.
    """
    short = re.sub(r"[\s·.-]", "", text).upper()
    if not _SHORT.fullmatch(short):
        return text
    found = tools.nonces.find_alias(short)
    if found is None:
        raise CodeUnknown
    return found


def _put(tools: Tools, text: str, keep: timedelta) -> str | None:
    """Find a free short code; None when three in a row are taken."""
    for _ in range(3):
        short = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if tools.nonces.put_alias(short, text, keep=keep):
            return short
    return None
