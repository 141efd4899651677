"""What a run is told as: a table for people, JSON for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final

from scripts.attacks.catalogue import Attack
from scripts.attacks.run import Result

_HEAD: Final = ("attack", "tried", "refused by", "accepted", "signal raised")
_WIDE: Final = 56


def line_of(result: Result) -> tuple[str, ...]:
    """Give the cells of one attack's line."""
    name = result.attack.name
    if result.left_out:
        return (name, "", f"not thrown: {result.left_out}", "", "")
    by = ", ".join(f"{why} {count:,}" for why, count in result.refused.most_common())
    return (name, f"{result.tried:,}", by, str(result.accepted), result.signal)


def table(results: Sequence[Result]) -> str:
    """Lay out a table, with what was found below it."""
    lines = [_HEAD, *(line_of(result) for result in results), _sum(results)]
    widths = [
        min(max(len(line[n]) for line in lines), _WIDE) for n in range(len(_HEAD))
    ]
    told = []
    for line in lines:
        told += _laid(line, widths)
    for result in results:
        told += [f"! {result.attack.name}: {one}" for one in result.findings]
        if result.signal == "no":
            told.append(f"! {result.attack.name}: no signal {result.attack.signal}")
    return "\n".join(told)


def as_json(results: Sequence[Result], *, seconds: float) -> dict[str, Any]:
    """Give the same as plain data."""
    return {
        "tried": sum(result.tried for result in results),
        "accepted": sum(result.accepted for result in results),
        "is_good": all(result.is_good for result in results),
        "seconds": round(seconds, 1),
        "attacks": [
            {
                "attack": result.attack.name,
                "subject": result.attack.subject,
                "tried": result.tried,
                "refused": dict(result.refused.most_common()),
                "accepted": result.accepted,
                "signal": result.signal,
                "seconds": round(result.seconds, 2),
                "findings": list(result.findings),
                "left_out": result.left_out,
            }
            for result in results
        ],
    }


def stories(attacks: Sequence[Attack]) -> str:
    """Tell of each attack what the attacker has and what stops them."""
    told = []
    subject = ""
    for one in attacks:
        if one.subject != subject:
            subject = one.subject
            told.append(f"\n{subject}")
        indent = "      "
        story = textwrap.fill(
            one.story, 88, initial_indent=indent, subsequent_indent=indent
        )
        told.append(f"  {one.name}\n{story}")
    return "\n".join(told).lstrip("\n")


def _sum(results: Sequence[Result]) -> tuple[str, ...]:
    thrown = [result for result in results if not result.left_out]
    tried = sum(result.tried for result in thrown)
    accepted = sum(result.accepted for result in thrown)
    return (f"{len(thrown)} attacks", f"{tried:,}", "", str(accepted), "")


def _laid(line: tuple[str, ...], widths: Sequence[int]) -> list[str]:
    """Lay out one line; what does not fit goes on below."""
    cells = [
        textwrap.wrap(cell, width) or [""]
        for cell, width in zip(line, widths, strict=True)
    ]
    rows = max(map(len, cells))
    return [
        "  ".join(
            (cell[row] if row < len(cell) else "").rjust(width)
            if number in {1, 3}
            else (cell[row] if row < len(cell) else "").ljust(width)
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for row in range(rows)
    ]
