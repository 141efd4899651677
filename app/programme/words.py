"""Names and sentences that people type: one way to check them."""

from __future__ import annotations

import unicodedata

NAME_LENGTH = 60
REASON_LENGTH = 200


def clean_name(
    text: str, wrong: dict[str, str], field: str = "name", length: int = NAME_LENGTH
) -> str:
    """Trim a name and check it.

    Args:
        text: as typed.
        wrong: gets ``field`` with a stable word when the name does not serve:
            ``missing``, ``too_long`` or ``bad_characters``.
        field: the name's name.
        length: characters allowed.

    Returns:
        The name, NFC, with single spaces.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        wrong[field] = "missing"
    elif len(name) > length:
        wrong[field] = "too_long"
    elif any(unicodedata.category(letter)[0] == "C" for letter in name):
        # Control and direction marks could make one name look like another.
        wrong[field] = "bad_characters"
    return name


def has_controls(text: str, *, but: str = "") -> bool:
    """Tell whether there are characters in a text that no table and no mail takes.

    Args:
        text: not trusted.
        but: control characters that are welcome, such as line ends.
    """
    return any(
        unicodedata.category(letter) in {"Cc", "Cs"} and letter not in but
        for letter in text
    )
