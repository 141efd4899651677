"""What the doctor looks at on this machine: settings, files, keys, room on the disk."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.settings import VARIABLES
from scripts.parts.doctor_patient import Finding, Patient
from signing import keyfiles
from signing.errors import KeyRingError, RingUnreadable
from signing.keyring import KeyState

#: Of the commands, not of the server.
_OTHERS: Final = frozenset({"PUNCHPROOF_VENV", "PUNCHPROOF_PICTURES"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
#: Room on a disk: less is wrong.
_LEAST_BYTES: Final = 500_000_000
_LEAST_SHARE: Final = 0.05
_OTHERS_MAY: Final = 0o077


def settings(patient: Patient) -> Iterator[Finding]:
    """Look for settings that nobody reads, or that contradict each other."""
    yield from unknown(patient.environ)
    mine = patient.settings
    for one in VARIABLES:
        if one.is_secret and {one.name, f"{one.name}_FILE"} <= set(patient.environ):
            yield Finding(
                f"{one.name} and {one.name}_FILE are both set; the file counts",
                f"take {one.name} out",
            )
    is_loopback = urlsplit(mine.origin).hostname in _LOOPBACK
    if mine.is_secure and mine.host in _LOOPBACK and not mine.proxy_hops:
        yield Finding(
            "the origin is https, the server listens to this machine alone, and no "
            "proxy is trusted: to the limits, every customer has one address",
            "set PUNCHPROOF_PROXY_HOPS to the number of proxies before the server",
        )
    if is_loopback and mine.host not in _LOOPBACK:
        yield Finding(
            f"the server listens to others ({mine.host}), and codes are of "
            f"{mine.origin}, which is this machine alone",
            "set PUNCHPROOF_ORIGIN to the address that customers' browsers see",
        )


def unknown(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look for variables with our name that there are not."""
    known = {one.name for one in VARIABLES}
    known |= {f"{one.name}_FILE" for one in VARIABLES if one.is_secret} | _OTHERS
    for name in sorted(environ):
        if name.startswith("PUNCHPROOF_") and name not in known:
            yield Finding(
                f"{name} is set, and there is no such setting",
                "look for its right name in the README, or take it out",
            )


def files(patient: Patient) -> Iterator[Finding]:
    """Look who else can read what is ours alone."""
    mine = patient.settings
    for path in _private(patient):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield Finding(
                f"{path} cannot be looked at: {error.strerror}", _as_owner(mine.data)
            )
            continue
        if mode & _OTHERS_MAY and not _is_credential(path, mode):
            right = "700" if path.is_dir() else "600"
            yield Finding(
                f"{path} has mode {mode:o}: others can read it", f"chmod {right} {path}"
            )
    if not os.access(mine.data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(f"{mine.data} cannot be written by us", _as_owner(mine.data))
    words = mine.keys_passphrase_file.resolve()
    if mine.keys.resolve() in words.parents:
        yield Finding(
            "the passphrase lies in the directory of the keys that it opens",
            "move it elsewhere and set PUNCHPROOF_KEYS_PASSPHRASE_FILE",
        )


def _private(patient: Patient) -> list[Path]:
    mine = patient.settings
    found = [mine.data, mine.keys, mine.keys_passphrase_file]
    found += sorted(mine.keys.glob("*")) if mine.keys.is_dir() else []
    found += [
        Path(patient.environ[f"{one.name}_FILE"])
        for one in VARIABLES
        if one.is_secret and f"{one.name}_FILE" in patient.environ
    ]
    if mine.metrics_token_file:
        found.append(mine.metrics_token_file)
    if mine.token:
        found.append(mine.token.pin_file)
    if patient.tools.database.is_sqlite:
        books = Path(str(patient.tools.database.url.database))
        # Nobody gets at a file behind a closed door, whatever its mode.
        if books.parent.is_dir() and books.parent.stat().st_mode & _OTHERS_MAY:
            found.append(books)
    return found


def _is_credential(path: Path, mode: int) -> bool:
    """As systemd shows one: of root's group, opened by an access list."""
    return mode == 0o440 and path.stat().st_gid == 0  # noqa: PLR2004


def _as_owner(path: Path) -> str:
    return f"run this as the user that the server runs as, who must own {path}"


def ring(patient: Patient) -> Iterator[Finding]:
    """Look whether the ring opens, and how long its key has signed."""
    mine = patient.settings
    try:
        words = keyfiles.read_passphrase(mine.keys_passphrase_file)
    except RingUnreadable as error:
        yield Finding(
            str(error), "scripts/README.md, Lost passphrase; do not stop the server"
        )
        return
    try:
        found = keyfiles.load(mine.keys, words, holder=patient.tools.holder)
    except KeyRingError as error:
        yield Finding(str(error), "scripts/README.md, Lost passphrase: bring it back")
        return
    active = [key for key in found.keys if key.state is KeyState.ACTIVE]
    if not active:
        yield Finding(
            "no key is active: no code can be made", "scripts/rotate_keys.py --apply"
        )
        return
    since = active[0].activated_at or active[0].created_at
    age = patient.now - since
    if age > mine.key_age_alarm:
        yield Finding(
            f"key {active[0].key_id} has signed for {age.days} days, and "
            f"{mine.key_age_alarm.days} are the most",
            "scripts/rotate_keys.py --apply",
        )


def disk(patient: Patient) -> Iterator[Finding]:
    """Look how much room there is where we write."""
    places = [patient.settings.data, patient.settings.keys]
    if patient.tools.database.is_sqlite:
        places.append(Path(str(patient.tools.database.url.database)).parent)
    seen: set[int] = set()
    for place in places:
        if not place.is_dir() or place.stat().st_dev in seen:
            continue
        seen.add(place.stat().st_dev)
        yield from room(place, shutil.disk_usage(place))


def room(place: Path, usage: shutil._ntuple_diskusage) -> Iterator[Finding]:
    """Judge the room on a disk."""
    if usage.free < _LEAST_BYTES or usage.free < usage.total * _LEAST_SHARE:
        yield Finding(
            f"the disk of {place} has {usage.free // 1_000_000} MB left: a full one "
            "gives no stamp",
            "make room, or move the data directory to a larger disk",
        )
