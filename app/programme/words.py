"""Names and sentences that people type: one way to check them."""

from __future__ import annotations

import re
import unicodedata

NAME_LENGTH = 60
REASON_LENGTH = 200
EMAIL_LENGTH = 254

# Whether a mailbox exists only a mail can tell; this catches slips of the finger, and
# whatever could be more than one address in a mail's header.
_EMAIL = re.compile(
    r"[^@\s,;:<>()\[\]\\\"]{1,64}@[^@\s,;:<>()\[\]\\\"]+\.[^@\s,;:<>()\[\]\\\".]{2,63}"
)


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


def clean_lines(text: str, wrong: dict[str, str], field: str, length: int) -> str:
    """Trim a text of several lines, of which empty ones are left out, and check it.

    Args:
        text: as typed.
        wrong: gets ``field`` with ``too_long`` or ``bad_characters``.
        field: its name.
        length: characters allowed.
    """
    lines = "\n".join(filter(None, map(str.strip, text.splitlines())))
    if len(lines) > length:
        wrong[field] = "too_long"
    elif has_controls(lines, but="\n"):
        wrong[field] = "bad_characters"
    return lines


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


def clean_email(text: str, wrong: dict[str, str]) -> str:
    """Trim an e-mail address and check it.

    Args:
        text: as typed; not trusted.
        wrong: gets ``email`` with ``not_an_email`` when it is none.
    """
    email = text.strip()
    if (
        len(email) > EMAIL_LENGTH
        or any(unicodedata.category(letter)[0] == "C" for letter in email)
        or not _EMAIL.fullmatch(email)
        # What mail programs decode is no name of a mailbox.
        or "=?" in email
        or any(
            ".." in part or part[0] == "." or part[-1] == "."
            for part in email.split("@")
        )
    ):
        wrong["email"] = "not_an_email"
    return email
