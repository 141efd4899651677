"""The makers' PKCS#11 libraries in this process: loaded once, called by one thread.

Every call into a library is made under ``lock``.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pkcs11

from signing.errors import SignerDown

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Loaded  # noqa: N812 (it is a class)

lock = threading.RLock()


class Library:
    """One library. Made by ``library`` only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: Counts its initialisations; sessions do not outlive theirs.
        self.start = 0
        self._loaded: Loaded | None = None
        self._is_inherited = False

    def running(self) -> Loaded:
        """Return it initialised by this very process.

        Raises:
            SignerDown: there is no such file.
            pkcs11.PKCS11Error: it does not load or start.
        """
        if self._is_inherited:
            self.stop()
        if self._loaded is None:
            if not self.path.is_file():
                raise SignerDown(f"the PKCS#11 module {self.path} is missing")
            self._loaded = pkcs11.lib(str(self.path))
        elif not self._loaded.initialized:
            self._loaded.initialize()
        return self._loaded

    def stop(self) -> None:
        """End every session of this process; ``running`` begins anew."""
        self.start += 1
        self._is_inherited = False
        if self._loaded is not None:
            # After a fork some libraries know that they are not initialised here and
            # say so; others have to be ended before they can begin again.
            with suppress(pkcs11.PKCS11Error):
                self._loaded.finalize()

    def inherit(self) -> None:
        """Take note that this is another process now."""
        self.start += 1
        self._is_inherited = True


_libraries: dict[Path, Library] = {}


def library(path: Path) -> Library:
    """Return this process's one library of this path; nothing is loaded yet."""
    with lock:
        return _libraries.setdefault(path, Library(path))


def _after_fork() -> None:
    for inherited in _libraries.values():
        inherited.inherit()
    lock.release()


# No other thread is inside a library while the process is copied.
os.register_at_fork(
    before=lock.acquire, after_in_parent=lock.release, after_in_child=_after_fork
)
