#!/usr/bin/env python3
"""Check the books again: every entry and its code, every sum, the audit log's chain.

Changes nothing; the server may run meanwhile. Keep an anchor where those who write the
books cannot: it shows what the books alone do not, entries or rows cut off at the end.

    python scripts/audit.py --anchor /mnt/elsewhere/punchproof.anchor

The anchor grows by a line for the audit log (time, rows, head) and one for the ledger
(time, the word ledger, entries, last number, head) with each check that finds nothing
in the one or the other; every line is compared each time.

Without a running server, give the PUNCHPROOF_ORIGIN with which the codes were made.

Exit status: 0 nothing found, 1 could not check, 2 findings, or wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from sqlalchemy.exc import SQLAlchemyError

from app.programme import audit, proofs
from app.programme.audit import Chain, Finding
from app.programme.proofs import Head, Proved
from app.settings import Settings, SettingsError
from app.store.errors import StoreDown
from app.tools import Tools, open_tools
from scripts.parts import installation
from signing.errors import SigningError

_HASH_BYTES = 32
#: Books of every kind number up to here.
_LAST_NUMBER = 2**63 - 1
_FORGED = frozenset({"batch_forged", "proof_forged", "receipt_forged"})
#: Marks an anchor's line of the ledger.
_LEDGER = "ledger"


class NotChecked(Exception):
    """The books cannot be checked; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """What an anchor says that the books once were."""

    #: Heads of the audit log's chain.
    chain: frozenset[bytes] = frozenset()
    ledger: frozenset[Head] = frozenset()

    @property
    def note(self) -> str | None:
        """What an anchor from before there were heads of the ledger cannot show."""
        if not self.chain or self.ledger:
            return None
        return (
            "The anchor has no line of the ledger: which entries were removed before "
            "now is not shown by it."
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked and what came of it; None: was not asked for."""

    ledger: Proved | None
    chain: Chain | None
    seconds: float
    notes: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        parts = (self.ledger, self.chain)
        return tuple(one for part in parts if part for one in part.findings)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, check, report."""
    parser = _arguments()
    options = parser.parse_args(argv)
    if options.ledger_only and options.expect:
        parser.error("a hash is of the audit log, which --ledger-only leaves out")
    environ = dict(os.environ)
    data = installation.data_directory(environ, options.data)
    installation.join(data, environ)
    if not {"REDIS_URL", "REDIS_URL_FILE"} & set(environ):
        # The nonce store is not asked, and may be stopped.
        environ["REDIS_URL"] = f"unix://{data / 'redis' / 'none.socket'}"
    anchor = Path(options.anchor) if options.anchor else None
    try:
        anchored = read_anchor(anchor, options.expect)
        tools = open_tools(Settings.from_env(environ))
        try:
            report = _check(tools, options, anchored)
        finally:
            tools.close()
        if anchor:
            _append(anchor, report)
    except StoreDown as error:
        return _fail(f"the books give no answer: {error.__cause__ or error}")
    except (ValueError, TypeError, SQLAlchemyError) as error:
        return _fail(f"a row cannot be read: {error}")
    except (NotChecked, SettingsError, SigningError, OSError) as error:
        return _fail(str(error))
    print(_as_json(report) if options.json else _as_sentences(report))
    return 2 if report.findings else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", metavar="DIR", help="data directory; default .data")
    parser.add_argument("--json", action="store_true", help="tell it as JSON")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--chain-only", action="store_true", help="the audit log alone")
    part.add_argument("--ledger-only", action="store_true", help="the ledger alone")
    head = parser.add_mutually_exclusive_group()
    head.add_argument(
        "--anchor",
        metavar="FILE",
        help="compare with what FILE holds, then add to it what the books are now",
    )
    head.add_argument(
        "--expect", metavar="HASH", type=_hash, help="must be in the chain, 64 hex"
    )
    return parser


def _check(tools: Tools, options: argparse.Namespace, anchored: Anchored) -> Report:
    if problems := tools.database.problems():
        raise NotChecked(f"{'; '.join(problems)}; scripts/serve brings it up")
    start = time.monotonic()

    def progress(entries: int) -> None:
        rate = entries / max(time.monotonic() - start, 1e-9)
        print(f"\r{entries} entries, {rate:.0f} a second", end="", file=sys.stderr)

    def silent(_entries: int) -> None:
        pass

    is_told = sys.stderr.isatty() and not options.json
    ledger = None
    notes: tuple[Finding, ...] = ()
    if not options.chain_only:
        ledger = proofs.prove(
            tools,
            progress=progress if is_told else silent,
            heads=anchored.ledger if options.anchor else None,
        )
        if is_told:
            print("\r\033[K", end="", file=sys.stderr)
        notes = ledger.notes
        if options.anchor and anchored.note:
            notes += (Finding("anchor", options.anchor, anchored.note),)
    seconds = time.monotonic() - start
    chain = None if options.ledger_only else audit.chain(tools, ask=anchored.chain)
    return Report(ledger, chain, seconds, notes)


def _hash(text: str) -> bytes:
    data = bytes.fromhex(text)
    if len(data) != _HASH_BYTES:
        raise ValueError(text)
    return data


def read_anchor(anchor: Path | None, expected: bytes | None) -> Anchored:
    """Read what the books once were.

    Args:
        anchor: the file, which need not be there; not trusted.
        expected: a head that must be in the chain, as it was typed.

    Raises:
        NotChecked: the file is no anchor.
    """
    if anchor is None or not anchor.exists():
        return Anchored(frozenset({expected} if expected else ()))
    try:
        lines = anchor.read_text(encoding="ascii").splitlines()
        told = [line.split() for line in lines if line.strip()]
        return Anchored(
            frozenset(_hash(words[-1]) for words in told if _LEDGER not in words),
            frozenset(_head(*words) for words in told if _LEDGER in words),
        )
    except (ValueError, TypeError) as error:
        raise NotChecked(f"{anchor} is no anchor") from error


def _head(_at: str, _word: str, count: str, last: str, digest: str) -> Head:
    head = Head(int(last), int(count), _hash(digest))
    if not (0 <= head.last <= _LAST_NUMBER and 0 <= head.count <= _LAST_NUMBER):
        raise ValueError(last)
    return head


def _append(anchor: Path, report: Report) -> None:
    """Add what the books are now, of each part in which nothing was found."""
    told = []
    if report.chain and not report.chain.findings:
        told.append(f"{report.chain.count} {report.chain.head.hex()}")
    if report.ledger and report.ledger.head and not report.ledger.findings:
        head = report.ledger.head
        told.append(f"{_LEDGER} {head.count} {head.last} {head.digest.hex()}")
    if not told:
        return
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    with anchor.open("a", encoding="ascii") as file:
        file.writelines(f"{now} {words}\n" for words in told)
        file.flush()
        os.fsync(file.fileno())


def _as_json(report: Report) -> str:
    told: dict[str, object] = {"findings": [asdict(one) for one in report.findings]}
    if report.ledger:
        told["entries"] = report.ledger.entries
        told["signatures"] = report.ledger.signatures
        told["notes"] = [asdict(one) for one in report.notes]
        told["seconds"] = round(report.seconds, 3)
        if head := report.ledger.head:
            told["ledger_head"] = {
                "entries": head.count,
                "last": head.last,
                "head": head.digest.hex(),
            }
    if report.chain:
        told["audit_rows"] = report.chain.count
        told["head"] = report.chain.head.hex()
    return json.dumps(told)


def _as_sentences(report: Report) -> str:
    lines = [f"{one.code} {one.subject}: {one.sentence}" for one in report.findings]
    if report.ledger:
        lines += [
            f"note: {one.code} {one.subject}: {one.sentence}" for one in report.notes
        ]
        forged = sum(one.code in _FORGED for one in report.ledger.findings)
        if forged and forged == report.ledger.signatures:
            lines.append(
                "No signature is good at all: is this the PUNCHPROOF_ORIGIN with which "
                "the codes were made, and are these its keys?"
            )
        rate = report.ledger.entries / max(report.seconds, 1e-9)
        lines.append(
            f"{report.ledger.entries} entries, {report.ledger.signatures} signatures "
            f"checked, {len(report.ledger.findings)} findings, {rate:.0f} a second"
        )
        if head := report.ledger.head:
            lines.append(
                f"{head.count} entries up to number {head.last} are settled, "
                f"head {head.digest.hex()}"
            )
    if report.chain:
        lines.append(
            f"{report.chain.count} audit rows in a chain, "
            f"{len(report.chain.findings)} findings, head {report.chain.head.hex()}"
        )
    return "\n".join(lines)


def _fail(sentence: str) -> int:
    print(f"audit: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
