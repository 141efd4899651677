#!/usr/bin/env python3
"""Throw bent text at everything that reads text from outside, guided by coverage.

Codes, keys, settings, files, names, mails, pictures, and requests to every page and
call: each reader gets real valid input that is bent again and again, and what takes a
new way through the code is bent further. A reader may raise what it documents. All else
is a finding, told with an input that does it.

    python scripts/fuzz.py
    python scripts/fuzz.py --seconds 600 --only "logos" --keep DIR
    python scripts/fuzz.py --only "logos" --input DIR/logos-1

Exit status: 0 nothing was found, 1 it could not begin, 2 something was found; or wrong
arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    # What guides is no part of a shop.
    environment.enter(environment.DEVELOPMENT)

from scripts.fuzzing.catalogue import CATALOGUE, Target
from scripts.fuzzing.run import (
    Finding,
    NoGuide,
    Plan,
    Result,
    read_all,
    replay,
    watched,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Of each target, where nothing else is said.
_SECONDS = 60


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, read the targets, tell."""
    parser = _arguments()
    options = parser.parse_args(argv)
    try:
        with watched(is_guided=not options.unguided):
            # Only now: what is imported here is watched.
            from scripts.fuzzing import ground, targets  # noqa: PLC0415
    except NoGuide as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 1
    targets.must_be_there()
    if unknown := set(options.only) - {one.name for one in CATALOGUE}:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; see --list")
    chosen = [one for one in CATALOGUE if not options.only or one.name in options.only]
    if options.list:
        print(
            "\n".join(f"{one.name} ({one.subject})\n    {one.story}" for one in chosen)
        )
        return 0
    with ground.standing(), TemporaryDirectory(prefix="punchproof-found-") as made:
        if options.input:
            return _tell_of_one(chosen, options.input.read_bytes())
        plan = Plan(
            is_guided=not options.unguided,
            seconds=options.seconds if options.seconds or options.runs else _SECONDS,
            runs=options.runs,
        )
        results = []
        for result in read_all(chosen, plan, Path(made)):
            results.append(result)
            _say(result)
    if options.keep:
        _keep(results, options.keep)
    print(
        json.dumps([_facts(one) for one in results])
        if options.json
        else _table(results)
    )
    return 2 if any(one.findings for one in results) else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    say = parser.add_argument
    say("--list", action="store_true", help="tell of each target, and read none")
    say("--only", metavar="NAME", action="append", default=[], help="one target")
    say(
        "--seconds",
        metavar="N",
        type=int,
        help=f"for each target; default {_SECONDS}",
    )
    say("--runs", metavar="N", type=int, help="inputs of a quick target, instead")
    say(
        "--unguided",
        action="store_true",
        help="bend seeds by chance, where what guides cannot be had",
    )
    say("--keep", metavar="DIR", type=Path, help="write each finding's input there")
    say("--input", metavar="FILE", type=Path, help="read this one; needs --only")
    say("--json", action="store_true", help="tell it as JSON")
    return parser


def _tell_of_one(chosen: Iterable[Target], data: bytes) -> int:
    found = [finding for one in chosen if (finding := replay(one, data))]
    for finding in found:
        print(_sentence(finding))
    return 2 if found else 0


def _say(result: Result) -> None:
    """Tell at once how far it is; the table comes at the end."""
    verdict = f"{len(result.findings)} FOUND" if result.findings else "ok"
    print(
        f"  {result.target.name} … {result.executions:,}, {verdict}, "
        f"{result.seconds:.1f} s",
        file=sys.stderr,
        flush=True,
    )
    for finding in result.findings:
        print(f"    {_sentence(finding)}", file=sys.stderr, flush=True)


def _sentence(finding: Finding) -> str:
    shown = repr(finding.data[:300]) + (" …" if len(finding.data) > 300 else "")  # noqa: PLR2004
    return f"{finding.place}: {finding.what}\n      by {shown}"


def _keep(results: Iterable[Result], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for result in results:
        for number, finding in enumerate(result.findings, 1):
            name = f"{result.target.name.replace(' ', '-')}-{number}"
            (directory / name).write_bytes(finding.data)


def _facts(result: Result) -> dict[str, object]:
    return {
        "target": result.target.name,
        "executions": result.executions,
        "edges": result.edges,
        "seconds": round(result.seconds, 1),
        "findings": [
            {"what": one.what, "place": one.place, "input": one.data.hex()}
            for one in result.findings
        ],
    }


def _table(results: Sequence[Result]) -> str:
    lines = ["| target | executions | edges | findings |", "|---|---|---|---|"]
    for one in results:
        edges = "" if one.edges is None else f"{one.edges:,}"
        lines.append(
            f"| {one.target.name} | {one.executions:,} | {edges} "
            f"| {len(one.findings)} |"
        )
    executions = sum(one.executions for one in results)
    findings = sum(len(one.findings) for one in results)
    lines.append(f"| {len(results)} targets | {executions:,} | | **{findings}** |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
