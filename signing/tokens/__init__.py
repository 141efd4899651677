"""Signing keys that never leave a token: PKCS#11.

A ``Token`` is a smart card, a hardware module or a program such as SoftHSM, reached
through its maker's library. It makes Ed25519 pairs inside, not to be read out by
anyone, signs with them, and destroys them. Of each key the ring keeps an address
without any secret (RFC 7512)::

    pkcs11:token=punchproof;object=punchproof-00002;id=%8F%01...;type=private

The label is for people. The id is random, so nothing that lies about in the token,
from a step cut short or of another installation, is ever taken for this key.

Threads: one call at a time in a process, whatever the number of tokens. The binding
initialises a library as for one thread and lets others run during a call, so without
this lock a busy server corrupts the library's memory.

Fork: the lock is held across it, so a child finds the library in a whole state; it
initialises it anew before its first call, as PKCS#11 asks.

A token that went away: its sessions are dead and it must be signed in to again. Every
call tries that once by itself, initialising the library anew if need be, and then says
``SignerDown``. For a second after that nobody waits for a token that does not answer.

The PIN is read from its file for each sign-in and kept nowhere. One that the token
refused is not tried again until the file has changed, because tokens lock themselves
after a few of these.

Importing this loads the binding, so that is left to those who have a token. ``token``:
the session that is signed in. ``keys``: what is done in one. ``libraries``: the makers'
libraries in this process.
"""

from __future__ import annotations

from signing.tokens.token import Token, TokenSigner

__all__ = ["Token", "TokenSigner"]
