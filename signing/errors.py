"""What can be wrong with a key ring, a code or a link.

Messages of ``KeyRingError`` are written for the operator and name the file and the
remedy. Messages of ``CodeError`` and ``LinkError`` are for the log: what a person
with a refused code reads is the web room's business, and a forger reads it too. No
message holds key material, a passphrase, or the code itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from signing.codes import Code
    from signing.keyring import KeyState


class SigningError(Exception):
    """Base of everything this room raises, but for ``ValueError`` on misuse."""


class KeyRingError(SigningError):
    """The keys cannot be used as asked."""


class RingUnreadable(KeyRingError):
    """The ring on disk is missing, torn, too open, or sealed otherwise."""


class NoActiveKey(KeyRingError):
    """The ring has no key that may sign."""


class SignerDown(KeyRingError):
    """The holder of the private key gives no answer now; a later try may work."""


class KeyUnknown(KeyRingError):
    """The ring never had a key of this id."""


class KeyGuard(KeyRingError):
    """A rule of the ring forbids this step; nothing was changed."""


class CodeError(SigningError):
    """The text is not a code that we stand behind."""


class CodeMalformed(CodeError):
    """The text does not have the shape of a code."""


class CodeForged(CodeError):
    """No key of this ring made the code for this origin."""


class CodeKeyRevoked(CodeError):
    """The signature is good, but its key counts no longer.

    A thief of the key makes codes that end here too: whoever lets one pass must
    have other proof, such as an issue row older than the theft.
    """

    def __init__(self, code: Code, state: KeyState) -> None:
        super().__init__(f"made by key {code.key_id}, which is {state}")
        #: What was signed.
        self.code = code
        #: ``revoked``, or ``retired`` if the code outlived its key.
        self.state = state


class LinkError(SigningError):
    """The token of a link is not good."""


class LinkForged(LinkError):
    """No secret of this ring sealed the token for this purpose."""


class LinkExpired(LinkError):
    """The token is ours but too old."""

    def __init__(self, sealed_at: datetime | None) -> None:
        super().__init__("the link is too old")
        #: When it was sealed, UTC; None if the token does not tell.
        self.sealed_at = sealed_at
