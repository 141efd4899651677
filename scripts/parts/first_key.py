"""The key ring of an installation, and the one place where a first key is made.

Only ``scripts/serve`` makes it, and only in an empty data directory. Anywhere else a
ring that is missing or broken stops the start: a new key in its place would turn
every code and every session of the shop into nothing, and hide a theft.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from app.settings import SettingsError, token_settings
from app.tools import open_holder
from scripts.parts.installation import InstallationError, sync, write
from signing import keyfiles
from signing.errors import KeyRingError, SignerDown
from signing.keyring import KeyRing

# What may be there before the first key is: traces of a first start that was cut
# short, and of the file system. With anything else, a missing key is a lost key.
_EMPTY = frozenset(
    {
        "certificate",
        "keys.new",
        "keys.passphrase",
        "keys.passphrase.new",
        "lost+found",
        "serve.lock",
        "serve.log",
    }
)
_KEYS, _PASSPHRASE = "PUNCHPROOF_KEYS", "PUNCHPROOF_KEYS_PASSPHRASE_FILE"


def places(environ: Mapping[str, str], data: Path) -> tuple[Path, Path]:
    """Return the ring's directory and the passphrase's file."""
    keys = Path(environ.get(_KEYS) or data / "keys")
    passphrase = Path(environ.get(_PASSPHRASE) or data / "keys.passphrase")
    return keys.absolute(), passphrase.absolute()


def ring_at_start(environ: Mapping[str, str], data: Path) -> KeyRing:
    """Open the key ring, made here if the data directory is empty.

    Args:
        environ: may name the ring elsewhere; such a ring is never made here.
        data: the data directory, already ours.

    Raises:
        InstallationError: the ring is missing, cannot be read, or signs nothing.
    """
    keys, passphrase = places(environ, data)
    is_empty = {entry.name for entry in data.iterdir()} <= _EMPTY
    try:
        if is_empty and not (environ.get(_KEYS) or environ.get(_PASSPHRASE)):
            _make(keys, passphrase)
        holder = open_holder(token_settings(environ))
        ring = keyfiles.load(keys, keyfiles.read_passphrase(passphrase), holder=holder)
        _ = ring.active
        if holder is not None:
            holder.close()
    except (SettingsError, SignerDown) as error:
        raise InstallationError(str(error)) from error
    except KeyRingError as error:
        raise InstallationError(
            f"{error}.\nA key is made only in an empty data directory, never in place "
            f"of a lost one.\nBring back {keys} and {passphrase} from where copies of "
            "them are kept."
        ) from error
    return ring


def _make(keys: Path, passphrase: Path) -> None:
    """Make the first key, whole or not at all."""
    fresh = keys.with_name("keys.new")
    shutil.rmtree(fresh, ignore_errors=True)
    write(passphrase, keyfiles.new_passphrase().encode())
    opened = keyfiles.read_passphrase(passphrase)
    keyfiles.create(fresh, opened, now=datetime.now(UTC))
    fresh.rename(keys)
    sync(keys.parent)
