"""A run as a table for people."""

from __future__ import annotations

from scripts.disorder.run import Outcome


def table(outcome: Outcome) -> str:
    """Tell what was broken, and what came of it."""
    plan, came = outcome.plan, outcome.reckoning
    rows = [(story, count) for story, count in sorted(outcome.broken.items())]
    rows += [
        ("things broken, in all", sum(outcome.broken.values())),
        ("connections cut", outcome.connections_cut),
        ("replies lost on the way", outcome.replies_lost),
        ("requests sent again", came.again),
        ("tried", came.tried),
        *(
            (f"  refused: {code}", count)
            for code, count in sorted(came.refused.items())
        ),
        ("given, as tills and phones were told", came.given),
        *((f"  {way}", count) for way, count in sorted(came.ways.items())),
        ("booked", came.booked),
        ("lost", came.lost),
        ("doubled", came.doubled),
        ("answers that are not true", came.untrue),
        ("findings of the audit", sum(came.findings.values())),
        *((f"  {code}", count) for code, count in came.findings.items()),
    ]
    wide = max(len(name) for name, _ in rows)
    head = (
        f"{plan.books}, {plan.store}, {plan.workers} web processes, "
        f"{plan.processes * plan.tills} tills, seed {plan.seed}"
    )
    lines = [f"{name:<{wide}}  {count:>9,}" for name, count in rows]
    speed = came.given / outcome.seconds
    tail = f"{outcome.seconds:.0f} s, {speed:.0f} a second while all this went on"
    return "\n".join([head, "", *lines, "", tail])
