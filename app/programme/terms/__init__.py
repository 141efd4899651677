"""Terms in versions: what a programme promises, and what a card was promised.

A version is the text of the terms with the figures that were promised by it: how many
stamps, for what, and for how long a voucher is good. A change is announced some days
before it takes effect (``Programme.notice_days``), so that members read of it in time,
and can be called back until then. It may take effect at once where nobody loses: no
card was opened yet, or every figure gains and the text stays (``figures.gains``).

**What a card was promised stays promised.** The stamps on a card go by the version that
its round was promised under, until the round is full. A new round goes by the version
in force; so does a running one that gains by it (``figures.running``).

Which version is in force is told by the clock whenever somebody asks (``reading``),
and is late nowhere. The worker moves it into the programme's own row within a minute
(``changing.take_effect``) and counts the change on every card of the programme, so that
phones fetch it.
"""

from __future__ import annotations

from app.programme.terms.accepted import accepted_by
from app.programme.terms.changing import (
    Plan,
    Wanted,
    call_back,
    plan,
    save_notice,
    take_effect,
)
from app.programme.terms.figures import Figures, Promise, gains, running
from app.programme.terms.reading import Version, coming, versions

__all__ = [
    "Figures",
    "Plan",
    "Promise",
    "Version",
    "Wanted",
    "accepted_by",
    "call_back",
    "coming",
    "gains",
    "plan",
    "running",
    "save_notice",
    "take_effect",
    "versions",
]
