"""Restoring: what has to be done before books of an older time may be served again.

Such books have forgotten. What was spent since they were copied looks unspent in them,
and what was called back looks good. So before anybody is served:

* **Every key that the ring has in use is revoked**, and every secret dropped; a new key
  signs from the first moment. No code of before is worth anything: the nonce store may
  be empty, as it was, or older still.
* **The ids of keys are passed over.** A ring out of a backup does not know the keys
  that were made after it, and no id is used twice. ``PASSED_OVER`` ids are left out; a
  ring that is still there and newer is taken instead, and none are.
* **Paper is called back**, every batch that is still out: which of its codes were
  collected since the copy nobody knows. Somebody may decide to keep it; then each code
  that was collected since can be collected once more, and the audit log says how much
  paper that is.
* **Whoever was signed in at a till or in the console is signed out**, for somebody who
  was sent away since would be back.
* **Whoever was erased since is erased again**, as far as a list of them was kept
  (``scripts/erased.py``): the copy still has them.
* **The nonce store begins another epoch**, so that codes of the lost time are no alarm.

What cannot be mended: stamps, joinings and changes since the copy are gone, a voucher
that was used since can be used again, and a till that was stopped or a person who left
since are back. The command says how many of each there are to look at.

All of it is one transaction, with its lines in the audit log, and the ring is written
within it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from app.programme import audit, batches, privacy
from app.programme.batches import Hit
from app.programme.ceremonies import log
from app.store.database import Tx
from app.store.tables import AccessToken, StaffMember, Terminal, Voucher
from app.tools import Tools
from signing.keyring import KeyRing

#: Ids of keys, and of secrets, that a ring out of a backup leaves out. Monthly
#: rotations need eight years for as many; there are 65535.
PASSED_OVER: Final = 100
_SIGNED_IN: Final = ("staff", "console")


@dataclass(frozen=True, slots=True)
class Source:
    """The backup that books came from."""

    #: The file's name.
    name: str
    #: When the copy of the books was taken.
    made_at: datetime
    #: SHA-256 of its manifest, hex.
    manifest: str


@dataclass(frozen=True, slots=True)
class PutRight:
    """What was done to restored books, and what is left for people to look at."""

    #: Batches of paper that were still out.
    paper: tuple[Hit, ...]
    #: Tokens of tills' staff and of the console that were ended.
    signed_out: int
    #: Vouchers that can be used, though some may have been.
    vouchers: int
    #: Tills that work, though some may have been stopped.
    tills: int
    #: People who may sign in, though some may have left.
    people: int
    #: Members who were forgotten again.
    erased: int


def ring_after(
    copy: KeyRing, here: KeyRing | None, now: datetime, since: datetime
) -> KeyRing:
    """Return the ring to go on with: no key and no secret of before is in use.

    Args:
        copy: the ring of the backup.
        here: a newer ring of the same line that is still there.
        now: the moment.
        since: when the copy of the books was taken.

    Raises:
        KeyGuard: no ids are left.
    """
    # The ring keeps whole seconds: what was issued in the copy's own stays good.
    since += timedelta(seconds=1)
    if here is not None:
        return here.renewed(now, since=since)
    secrets = [secret.secret_id for secret in copy.link_secrets]
    base = copy.passed_over(copy.next_key_id - 1 + PASSED_OVER)
    last = max([copy.last_secret_id, *secrets]) + PASSED_OVER
    return replace(base, last_secret_id=last).renewed(now, since=since)


def revoked_by(before: KeyRing, after: KeyRing) -> tuple[int, ...]:
    """Return the keys that one ring has in use and the other does not."""
    return tuple(
        key.key_id
        for key in before.keys
        if key.state.verifies and not after.key(key.key_id).state.verifies
    )


def put_right(
    tx: Tx,
    tools: Tools,
    source: Source,
    *,
    ring: KeyRing,
    revoked: tuple[int, ...],
    epoch: str | None,
    keeps_paper: bool,
    erased: Iterable[UUID] = (),
) -> PutRight:
    """Do what restored books need before they are served.

    Args:
        tx: the caller's, over the restored books.
        tools: the clock.
        source: the backup.
        ring: as it will be.
        revoked: the keys that were in use before.
        epoch: the nonce store's new one; None: it is empty and begins one by itself.
        keeps_paper: somebody has decided that paper stays good.
        erased: members whom later books had forgotten; they are forgotten again.
    """
    now = tools.now()
    moment = f"{source.made_at:%Y-%m-%d %H:%M} UTC"
    signed_out = tx.execute(
        update(AccessToken)
        .where(
            AccessToken.kind.in_(_SIGNED_IN),
            AccessToken.ended_at.is_(None),
            AccessToken.expires_at > now,
        )
        .values(ended_at=now)
        .returning(AccessToken.token_hash)
        .execution_options(synchronize_session=False)
    ).all()
    if keeps_paper:
        paper = batches.still_out(tx, now)
    else:
        reason = f"The books were restored from a backup of {moment}"
        paper = batches.call_all_back(tx, tools, reason=reason)
    forgotten = privacy.forget_again(tx, tools, erased)
    key_id = ring.keys[-1].key_id
    audit.record(
        tx,
        tools,
        "key.renewed",
        key_id,
        by=None,
        ring=ring.digest,
        reason=f"books restored from a backup of {moment}",
        keys=log.snapshot(ring),
        revoked=list(revoked),
    )
    audit.record(
        tx,
        tools,
        "books.restored",
        source.name,
        by=None,
        made_at=source.made_at.isoformat(),
        manifest=source.manifest,
        key=key_id,
        revoked=list(revoked),
        epoch=epoch,
        signed_out=len(signed_out),
        erased=forgotten,
        paper={
            "kept": keeps_paper,
            "batches": len(paper),
            "out": sum(each.out for each in paper),
        },
    )
    return PutRight(
        tuple(paper),
        len(signed_out),
        vouchers=_count(tx, Voucher.voucher_id, Voucher.state == "issued"),
        tills=_count(tx, Terminal.terminal_id, Terminal.revoked_at.is_(None)),
        people=_count(tx, StaffMember.staff_id, StaffMember.is_active),
        erased=forgotten,
    )


def _count(tx: Tx, column: object, *where: object) -> int:
    return tx.scalar(select(func.count(column)).where(*where)) or 0  # type: ignore[arg-type]
