"""A token: found by its label, signed in to, asked, and signed in to again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import pkcs11
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pkcs11 import TokenFlag

from signing.errors import RingUnreadable, SignerDown
from signing.keyfiles.files import read
from signing.tokens import keys
from signing.tokens.keys import Connection, Place
from signing.tokens.libraries import library, lock

_Answer = TypeVar("_Answer")

#: Seconds in which a token that gave no answer is not asked again.
REST: Final = 1.0

_SIGNATURE_BYTES = 64
_PIN_REFUSED = (
    pkcs11.PinExpired,
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
    pkcs11.UserPinNotInitialized,
)


class Token:
    """A token that holds signing keys; see ``signing.signers.Holder``.

    Nothing is loaded or asked before the first call.

    Args:
        module: the maker's PKCS#11 library, a shared object.
        label: the token's, as it was initialised; no two tokens may have it.
        pin_file: of the user's PIN, mode 0600 (or a systemd credential).
    """

    def __init__(self, module: Path, label: str, pin_file: Path) -> None:
        self.label = label
        self._library = library(module)
        self._pin_file = pin_file
        self._connection: Connection | None = None
        # What the PIN's file looked like when its PIN was refused.
        self._refused: tuple[int, ...] | None = None
        self._complaint = ""
        self._rests_until = float("-inf")

    def __repr__(self) -> str:
        return f"Token({str(self._library.path)!r}, {self.label!r})"

    def make(self, key_id: int) -> tuple[TokenSigner, str]:
        """Make a key pair inside; return what signs with it, and its address.

        Args:
            key_id: what the key will be in the ring; its label tells it.

        Raises:
            SignerDown: no library, no token, no PIN that it takes, no answer; or it
                cannot make Ed25519 keys that stay inside.
        """
        place = self._ask(lambda connection: keys.make(connection, key_id))
        with _down_without():
            return self.open(place.address), place.address

    def open(self, address: str) -> TokenSigner:
        """Find a key, and let it prove that it signs for its public part.

        Args:
            address: as ``make`` returned it.

        Raises:
            RingUnreadable: no such key here, or it is not a whole Ed25519 key.
            SignerDown: no library, no token, no PIN that it takes, or no answer.
        """
        place = self._place(address)
        public = self._ask(lambda connection: keys.proved(connection, place))
        return TokenSigner(self, place, public)

    def destroy(self, address: str) -> None:
        """Destroy the key at this address; nothing if there is none.

        Raises:
            SignerDown: no library, no token, no PIN that it takes, or no answer; or the
                address is of another token.
        """
        with _down_without():
            place = self._place(address)
        # A session that was signed out would no longer see the private half.
        self._ask(lambda connection: keys.destroy(connection, place), anew=True)

    def sign(self, place: Place, data: bytes) -> bytes:
        """Sign with a key that was opened: for ``TokenSigner``."""
        with _down_without():
            signature = self._ask(lambda connection: keys.sign(connection, place, data))
        if len(signature) != _SIGNATURE_BYTES:
            raise SignerDown(f"the token {self.label!r} makes no Ed25519 signatures")
        return signature

    def close(self) -> None:
        """Sign out. The next call signs in again."""
        with lock:
            self._disconnect()

    def _place(self, address: str) -> Place:
        place = Place.at(address)
        if place.token != self.label:
            raise RingUnreadable(
                f"the key is in the token {place.token!r}, "
                f"but the settings name {self.label!r}"
            )
        return place

    def _ask(
        self, work: Callable[[Connection], _Answer], *, anew: bool = False
    ) -> _Answer:
        """Do a piece of work; if it fails in an old session, again in a new one."""
        with lock:
            if not anew and self._connection and self._is_of_now(self._connection):
                # A session that died gives any error, or sees no keys.
                with suppress(pkcs11.PKCS11Error, RingUnreadable):
                    return work(self._connection)
            connection = self._connect()
            try:
                return work(connection)
            except pkcs11.PKCS11Error as error:
                self._disconnect()
                raise SignerDown(self._no_answer(error)) from error

    def _connect(self) -> Connection:
        """Sign in to the token, wherever it is now."""
        self._disconnect()
        if time.monotonic() < self._rests_until:
            raise SignerDown(self._complaint)
        try:
            try:
                session = self._sign_in()
            except pkcs11.PKCS11Error:
                # Many libraries find a token that came back only after this.
                self._library.stop()
                session = self._sign_in()
        except pkcs11.PKCS11Error as error:
            self._complaint = self._no_answer(error)
            self._rests_until = time.monotonic() + REST
            raise SignerDown(self._complaint) from error
        self._connection = Connection(session, self._library.start)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection and self._is_of_now(connection):
            with suppress(pkcs11.PKCS11Error):
                connection.session.close()

    def _is_of_now(self, connection: Connection) -> bool:
        """Whether the library counts this session among its own: numbers repeat."""
        return connection.start == self._library.start

    def _sign_in(self) -> pkcs11.Session:
        token = self._find()
        check_tries(self.label, token.flags)
        mark = _mark(self._pin_file)
        if mark is not None and mark == self._refused:
            raise SignerDown(self._wrong_pin())
        try:
            # The PIN gets no name: a trace that shows variables must not show it.
            with _down_without():
                return token.open(user_pin=_read_pin(self._pin_file))
        except pkcs11.UserAlreadyLoggedIn:
            return token.open()  # by another Token: being signed in is the process's
        except _PIN_REFUSED as error:
            self._refused = mark
            raise SignerDown(self._wrong_pin()) from error

    def _find(self) -> pkcs11.Token:
        found = []
        for slot in self._library.running().get_slots(token_present=True):
            # Another slot's trouble is not ours.
            with suppress(pkcs11.PKCS11Error):
                found.append(slot.get_token())
        ours = [token for token in found if token.label == self.label]
        if len(ours) != 1:
            raise pkcs11.NoSuchToken(f"{len(ours)} tokens have this label")
        return ours[0]

    def _no_answer(self, error: pkcs11.PKCS11Error) -> str:
        reason = str(error) or type(error).__name__
        return f"the token {self.label!r} gives no answer: {reason}"

    def _wrong_pin(self) -> str:
        return (
            f"the token {self.label!r} refused the PIN in {self._pin_file}; "
            "it is not tried again until that file changes"
        )


class TokenSigner:
    """One key of a token; see ``signing.signers.Signer``."""

    def __init__(self, token: Token, place: Place, public: Ed25519PublicKey) -> None:
        self._token = token
        self._place = place
        self._public = public

    def __repr__(self) -> str:
        return f"TokenSigner({self._place.address!r})"

    def sign(self, data: bytes, /) -> bytes:
        """Sign inside the token; 64 bytes as in RFC 8032.

        Raises:
            SignerDown: the token gives no answer, or has this key no more.
        """
        return self._token.sign(self._place, data)

    def public_key(self) -> Ed25519PublicKey:
        """Return the public part."""
        return self._public


def check_tries(label: str, flags: TokenFlag) -> None:
    """Leave a token's last try to a person.

    Raises:
        SignerDown: one more wrong PIN locks the token, or it is locked.
    """
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise SignerDown(f"the token {label!r} has locked its PIN")
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise SignerDown(
            f"the token {label!r} locks at the next wrong PIN: "
            "sign in to it once by hand"
        )


@contextmanager
def _down_without() -> Iterator[None]:
    """Where only ``SignerDown`` is awaited: what cannot be read is no answer too."""
    try:
        yield
    except RingUnreadable as error:
        raise SignerDown(str(error)) from error


def _read_pin(path: Path) -> str:
    try:
        pin = read(path, may_be_credential=True).decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise RingUnreadable(f"{path} does not hold a PIN") from error
    if not pin:
        raise RingUnreadable(f"{path} does not hold a PIN")
    return pin


def _mark(path: Path) -> tuple[int, ...] | None:
    """Tell two contents of a file apart without reading it."""
    try:
        status = path.stat()
    except OSError:
        return None  # reading it will say so
    return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
