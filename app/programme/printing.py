"""Putting a batch on paper: its codes are signed anew each time, and kept nowhere.

Whoever has the file of a batch has all its stamps, and a printer's queue, a download
folder and a mail keep files. Hence what holds here:

* owners and managers alone, each time with a line in the audit log
* the codes are in no store: signing them again gives the same bytes (RFC 8032 has no
  chance in it). So only as long as the key that signs them is the one in charge: a key
  that only verifies signs nothing
* for ``PRINT_WITHIN`` after the batch was made and ``MOST_PRINTINGS`` times: enough for
  a jammed printer, and of no use to who finds an open console weeks later
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.programme import audit, printed
from app.programme.batches import print_problem
from app.programme.errors import InvalidRequest, NotFound, TryAgain
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.store.tables import PrintedBatch, PrintedCode
from app.tools import Tools
from signing import codes as signed
from signing.codes import Kind
from signing.errors import NoActiveKey, SignerDown
from signing.keyring import KeyRing


@dataclass(frozen=True, slots=True)
class PrintedStamp:
    """One stamp as it stands on paper. Whoever reads the link can collect it."""

    number: int
    url: str


def put_on_paper(
    tools: Tools,
    batch_id: UUID,
    *,
    layout: str,
    by: ConsoleCaller,
    draw: Callable[[list[PrintedStamp]], bytes],
) -> bytes:
    """Sign the codes of a batch and draw them; counts, and is written down.

    Args:
        tools: books, keys and clock.
        batch_id: which.
        layout: for the audit log.
        by: who asks.
        draw: makes the file. What it raises uses up no printing.

    Returns:
        What ``draw`` made.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such batch.
        InvalidRequest: it may not be printed (any more); ``batch`` says why, in a word
            of ``BatchView.print_problem``.
        TryAgain: nothing can be signed now.
        StoreDown: the books gave no answer.
    """
    must_lead(by)
    ring = tools.keys.ring
    with tools.database.read() as tx:
        row = tx.scalar(select(PrintedBatch).where(PrintedBatch.batch_id == batch_id))
        if row is None:
            raise NotFound
        problem = print_problem(tools, row)
        numbers = tx.scalars(
            select(PrintedCode.number)
            .where(PrintedCode.batch_id == batch_id)
            .order_by(PrintedCode.number)
        ).all()
    refuse({"batch": problem} if problem else {})
    # Signing and drawing take seconds: not while a transaction is open.
    made = draw([_stamp(tools, ring, row, number) for number in numbers])
    with tools.database.begin() as tx:
        held = tx.get(PrintedBatch, row.batch_no, with_for_update=True)
        problem = print_problem(tools, held) if held else "revoked"
        if held is None or problem:
            raise InvalidRequest({"batch": problem or "revoked"})
        held.printings += 1
        audit.record(
            tx,
            tools,
            "batch.printed",
            batch_id,
            by=by.staff_id,
            number=held.batch_no,
            layout=layout,
            time=held.printings,
        )
    return made


def _stamp(
    tools: Tools, ring: KeyRing, batch: PrintedBatch, number: int
) -> PrintedStamp:
    try:
        code = signed.sign(
            Kind.PRINTED_STAMP,
            ring,
            origin=tools.settings.origin,
            not_after=batch.expires_at,
            nonce=printed.nonce_of(batch.seed, number),
        )
    except (NoActiveKey, SignerDown) as error:
        raise TryAgain from error
    return PrintedStamp(number, code.url(tools.settings.origin))
