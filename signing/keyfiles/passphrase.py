"""The passphrase of a ring: one word, or two while it is being changed.

The first word seals, all of them open. So a new word goes into the file above the old
one, everything is sealed anew (``signing.keyfiles.reseal``), and the old one goes: at
no moment is there a ring that its passphrase does not open.
"""

from __future__ import annotations

import re
import secrets as system_random
from dataclasses import dataclass, field
from pathlib import Path

from signing.errors import KeyGuard, RingUnreadable
from signing.keyfiles.files import read

_WORD = re.compile(r"[0-9a-fA-F]{64}")
_WORD_LEAST = 32
_WORDS_MOST = 2


@dataclass(frozen=True)
class Passphrase:
    """One or two words: THE FIRST SEALS, ALL OPEN."""

    words: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what can neither seal nor open."""
        if not 1 <= len(self.words) <= _WORDS_MOST:
            raise ValueError(f"a passphrase has one word, or {_WORDS_MOST}")

    @property
    def sealing(self) -> bytes:
        """The word that seals."""
        return self.words[0]

    @property
    def newest(self) -> Passphrase:
        """The word that seals, alone: it opens only what is sealed with it."""
        return Passphrase(self.words[:1])


def new_passphrase() -> str:
    """Return 64 hex digits: 256 random bits, to be kept in a file of mode 0600."""
    return system_random.token_hex(32)


def read_passphrase(path: Path) -> Passphrase:
    """Read the words as ``new_passphrase`` made them, one a line, the newest first.

    Args:
        path: a file that only its owner can read. The one exception is mode 0440 of
            owner and group root: so systemd shows a credential (``LoadCredential=``)
            that an access list opens to the service's user alone.

    Raises:
        RingUnreadable: no such file, too open, or not one or two lines of 64 hex
            digits.
    """
    data = read(path, may_be_credential=True)
    text = data.decode("ascii", errors="replace").strip()
    words = [line.strip() for line in text.splitlines()]
    if not 1 <= len(words) <= _WORDS_MOST or not all(map(_WORD.fullmatch, words)):
        raise RingUnreadable(f"{path} does not hold a passphrase of 64 hex digits")
    return Passphrase(tuple(word.encode("ascii") for word in words))


def check_passphrase(passphrase: Passphrase) -> None:
    """Refuse to seal with a passphrase that may have been made up."""
    if len(passphrase.sealing) < _WORD_LEAST:
        raise KeyGuard(
            "the passphrase is too short to seal keys: make one with new_passphrase()"
        )
