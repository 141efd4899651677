"""What the doctor asks the stores: books, nonces, clocks, mail, backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from app.programme import backups, totals
from app.store import copying
from app.store.errors import StoreDown
from app.store.workers import MAIL_KEEP
from scripts.parts.doctor_patient import Finding, Patient

#: Codes live for a minute: clocks that differ by more make them die early.
CLOCKS_MAY_DIFFER: Final = timedelta(seconds=2)
#: A worker takes a mail within seconds.
_STUCK_AFTER: Final = timedelta(minutes=10)
_START: Final = "scripts/serve"


def books(patient: Patient) -> Iterator[Finding]:
    """Ask whether the books answer, have the newest schema, and are sound."""
    database = patient.tools.database
    if database.is_sqlite and copying.is_empty(database):
        yield Finding(
            f"there are no books: {database.url.database} is missing",
            f"{_START} makes new ones; were they lost? scripts/restore.py",
        )
        return
    for problem in database.problems():
        yield Finding(
            problem,
            "is the database up, and DATABASE_URL right? Another revision is "
            f"brought up by {_START}",
        )
    if database.is_sqlite and not copying.is_whole_sqlite(
        Path(str(database.url.database))
    ):
        yield Finding(
            "SQLite finds the books damaged",
            "stop the server, keep the file, and restore: scripts/README.md, Restore",
        )


def nonce_store(patient: Patient) -> Iterator[Finding]:
    """Ask whether Redis answers, keeps what it is told, and drops nothing."""
    if not patient.is_served:
        yield Finding(
            "no server runs on this data directory, and REDIS_URL names no nonce store",
            f"{_START}; or give this command the variables that the server has",
        )
        return
    for problem in patient.tools.nonces.problems():
        yield Finding(
            problem, "mend redis.conf, then look again; `/readyz` says the same"
        )
    for warning in patient.tools.nonces.warnings():
        yield Finding(warning, "bring it back: the others go on, with one less to fall")


def workers(patient: Patient) -> Iterator[Finding]:
    """Ask who serves, and with which ring."""
    if not patient.is_served:
        return
    try:
        live = patient.tools.workers.live()
    except StoreDown:
        return
    if not live:
        yield Finding("no web worker has reported for 10 seconds", _START)
    for worker in live:
        if worker.problem is not None:
            yield Finding(
                f"web worker {worker.worker_id} cannot read the key ring: "
                f"{worker.problem}",
                "scripts/keys.py check",
            )
    if len({worker.ring for worker in live if worker.problem is None}) > 1:
        yield Finding(
            "web workers work with different key rings",
            "scripts/README.md, Several machines: bring the newest to all of them",
        )


def clock(patient: Patient) -> Iterator[Finding]:
    """Compare this machine's clock with that of Redis."""
    if not patient.is_served:
        return
    try:
        before = patient.now
        theirs = patient.tools.workers.clock()
        after = patient.now
    except StoreDown:
        return
    skew = max(before - theirs, theirs - after)
    if skew > CLOCKS_MAY_DIFFER:
        yield Finding(
            f"the clocks of this machine and of Redis differ by "
            f"{skew.total_seconds():.0f} s",
            "let both be set by NTP (timedatectl, chronyc)",
        )


def mail(patient: Patient) -> Iterator[Finding]:
    """Ask whether a mail worker goes on, and whether mails get out."""
    try:
        full = totals.mail(patient.tools)
    except StoreDown:
        return
    went_on = None
    if patient.is_served:
        try:
            went_on = patient.tools.workers.mail_went_on_at()
        except StoreDown:
            return
        if went_on is None:
            minutes = MAIL_KEEP // timedelta(minutes=1)
            yield Finding(
                f"no mail worker has reported for {minutes} minutes",
                "scripts/serve keeps one; else: python -m app.worker",
            )
    late = patient.now - full.overdue_since if full.overdue_since else timedelta()
    if late > _STUCK_AFTER:
        yield Finding(
            f"{full.waiting} mails wait, one of them for "
            f"{late // timedelta(minutes=1)} minutes longer than it should",
            "is the mail worker running? Its log says why it cannot send",
        )
    if full.given_up:
        yield Finding(
            f"{full.given_up} mails were given up so far",
            "worker.log says why, each with a word",
            is_wrong=False,
        )


def backup(patient: Patient) -> Iterator[Finding]:
    """Ask the audit log how old the last backup is."""
    how = "scripts/backup.py --to DIR --keep N --apply, each night"
    try:
        last = backups.last_at(patient.tools)
    except StoreDown:
        return
    if last is None:
        yield Finding("there never was a backup", how)
    elif patient.now - last > patient.backup_within:
        hours = (patient.now - last) // timedelta(hours=1)
        yield Finding(f"the last backup is {hours} hours old", how)
