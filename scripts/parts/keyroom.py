"""How the key commands get at keys, books and workers, and which status they end with.

Exit status: 0 done or shown, 1 it failed, 2 a guard refused and nothing was changed
(or wrong arguments), 3 it is so already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.programme.ceremonies import AlreadySo, CeremonyRefused, KeyRoom
from app.settings import Settings, SettingsError
from app.store.database import Database
from app.store.errors import StoreDown
from app.store.limits import Limits
from app.store.nonces import Nonces
from app.store.workers import Workers
from app.tools import Tools, open_holder
from scripts.parts import installation
from signing.errors import KeyGuard, KeyRingError, RingUnreadable
from signing.keyfiles import WatchedRing, read_passphrase
from signing.keyring import KeyRing

DONE, FAILED, REFUSED, ALREADY = 0, 1, 2, 3


class _NoRing(WatchedRing):
    """Stands where a server watches its ring: a ceremony reads the ring by itself.

    So there are tools even where no ring can be opened, for that to be mended.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def ring(self) -> KeyRing:
        raise RingUnreadable(f"the ring in {self.directory} is not watched here")

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Outside:
    """An installation as it is before its ring is opened, or where none can be."""

    tools: Tools
    #: Whether web workers can be running.
    is_served: bool

    def enter(self) -> KeyRoom:
        """Open the passphrase, so that a ceremony can read the ring.

        Raises:
            RingUnreadable: there is no passphrase that we can read.
        """
        settings = self.tools.settings
        passphrase = read_passphrase(settings.keys_passphrase_file)
        return KeyRoom(settings.keys, passphrase, self.tools, is_served=self.is_served)


@contextmanager
def outside(environ: Mapping[str, str], chosen: str | None) -> Iterator[Outside]:
    """Stand before the keys of an installation, served or not, with or without a ring.

    Args:
        environ: as for the server; what it leaves open, a server that runs on the
            data directory fills in.
        chosen: the data directory, if one was named.

    Raises:
        SettingsError: a setting makes no sense.
    """
    mine = dict(environ)
    data = installation.data_directory(mine, chosen)
    is_elsewhere = bool({"REDIS_URL", "REDIS_URL_FILE"} & set(mine))
    is_served = installation.join(data, mine) or is_elsewhere
    # A store of the installation's own runs only while it is served.
    if not is_served:
        mine["REDIS_URL"] = f"unix://{data / 'redis' / 'stopped'}"
    settings = Settings.from_env(mine)
    tools = Tools(
        settings=settings,
        keys=_NoRing(settings.keys),
        database=Database(settings.database_url),
        nonces=Nonces.open(settings.redis_url),
        limits=Limits.open(settings.redis_url),
        workers=Workers.open(settings.redis_url),
        holder=open_holder(settings.token),
    )
    try:
        yield Outside(tools, is_served)
    finally:
        tools.close()


@contextmanager
def entered(environ: Mapping[str, str], chosen: str | None) -> Iterator[KeyRoom]:
    """Open the keys of an installation, served or not.

    Args:
        environ: as for ``outside``.
        chosen: as for ``outside``.

    Raises:
        SettingsError: a setting makes no sense.
        RingUnreadable: there is no passphrase that we can read.
    """
    with outside(environ, chosen) as found:
        yield found.enter()


def ended(command: str, work: Callable[[], int]) -> int:
    """Do the work of a command and return its status; faults become a sentence."""
    try:
        return work()
    except AlreadySo as error:
        return _told(command, ALREADY, str(error))
    except (CeremonyRefused, KeyGuard) as error:
        return _told(command, REFUSED, str(error))
    except StoreDown as error:
        cause = str(error.__cause__ or error).partition("\n")[0]
        return _told(command, FAILED, f"a store gives no answer: {cause}")
    except (KeyRingError, SettingsError) as error:
        return _told(command, FAILED, str(error))


def _told(command: str, status: int, sentence: str) -> int:
    print(f"{command}: {sentence}", file=sys.stderr)
    return status
