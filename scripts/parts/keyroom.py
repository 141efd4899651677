"""How the key commands get at keys, books and workers, and which status they end with.

Exit status: 0 done or shown, 1 it failed, 2 a guard refused and nothing was changed
(or wrong arguments), 3 it is so already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from app.programme.ceremonies import AlreadySo, CeremonyRefused, KeyRoom
from app.settings import Settings, SettingsError
from app.store.errors import StoreDown
from app.tools import open_tools
from scripts.parts import installation
from signing.errors import KeyGuard, KeyRingError
from signing.keyfiles import read_passphrase

DONE, FAILED, REFUSED, ALREADY = 0, 1, 2, 3


@contextmanager
def entered(environ: Mapping[str, str], chosen: str | None) -> Iterator[KeyRoom]:
    """Open the keys of an installation, served or not.

    Args:
        environ: as for the server; what it leaves open, a server that runs on the
            data directory fills in.
        chosen: the data directory, if one was named.

    Raises:
        SettingsError: a setting makes no sense.
        KeyRingError: the ring cannot be read.
    """
    mine = dict(environ)
    data = installation.data_directory(mine, chosen)
    is_elsewhere = bool({"REDIS_URL", "REDIS_URL_FILE"} & set(mine))
    is_served = installation.join(data, mine) or is_elsewhere
    # A store of the installation's own runs only while it is served.
    if not is_served:
        mine["REDIS_URL"] = f"unix://{data / 'redis' / 'stopped'}"
    settings = Settings.from_env(mine)
    passphrase = read_passphrase(settings.keys_passphrase_file)
    tools = open_tools(settings)
    try:
        yield KeyRoom(settings.keys, passphrase, tools, is_served=is_served)
    finally:
        tools.close()


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
