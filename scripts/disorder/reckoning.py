"""What the tills were told, held against the books.

* *lost*: a till was told that a stamp counts, and the books do not have it.
* *doubled*: the books have a stamp that no till was told of, a code twice, or a
  purchase that came back twice; so it is with choices and refunds. Every device
  asks until it has a final answer, so there is none that nobody heard of.
* *untrue*: an answer that does not fit the books otherwise: ``code_spent`` of a code
  that nobody spent, another card than was told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from app.programme import cards, proofs
from app.programme.earning.taking_back import RULE_REFUND
from app.store.tables import LedgerEntry
from app.tools import Tools
from scripts.disorder.load import Told
from signing import codes

#: Refusals that honest people meet in a disorder; the phone shows a fresh code then.
HONEST: Final = frozenset(
    {
        "code_expired",
        "code_unknown",
        "code_spent",
        # Of two who take one purchase back at once, and of points that are owed.
        "purchase_refunded",
        "not_enough",
    }
)
#: Ways that spend no code.
_WITHOUT_CODE: Final = frozenset({"refund", "choose"})
#: What the audit says of an entry whose moment does not fit its code: a clock was
#: wrong. It is a finding that we expect of a run in which clocks are moved.
CLOCK_WAS_WRONG: Final = "proof_time"
_NONCE: Final = slice(7, 16)
#: Entries without an EARN's kind that count once, each by its own request.
_COUNTED_ONCE: Final = (cards.RULE_VOUCHER_USED, cards.RULE_CHOSEN)
#: What a purchase that came back was told by: where no rule was in force when it was
#: sold, as with a clock that was behind, its stamp is reversed and nothing else is.
_REFUND: Final = (LedgerEntry.rule == RULE_REFUND) | (
    (LedgerEntry.rule == cards.RULE_UNDO)
    & LedgerEntry.purchase_id.is_not(None)
    & LedgerEntry.caused_by_id.is_(None)
)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What came of a run."""

    tried: int
    given: int
    booked: int
    lost: int
    doubled: int
    untrue: int
    #: Answers that were no success, by their word.
    refused: dict[str, int]
    #: Requests that were sent again.
    again: int
    #: What counted, by its way.
    ways: dict[str, int]
    #: What ``scripts/audit.py`` would find in these books, by its word.
    findings: dict[str, int]

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, doubled, untrue, or refused without need."""
        wrong = self.lost + self.doubled + self.untrue
        return (
            wrong == 0
            and set(self.findings) <= {CLOCK_WAS_WRONG}
            and self.booked == self.given
            and set(self.refused) <= HONEST
        )


def reckon(tools: Tools, told: Sequence[Told]) -> Reckoning:
    """Compare.

    Args:
        tools: the books, and the keys for the audit.
        told: each final answer.
    """
    with tools.database.read() as tx:
        rows = tx.execute(
            select(
                LedgerEntry.entry_id,
                LedgerEntry.card_id,
                LedgerEntry.nonce,
                LedgerEntry.purchase_id,
                _REFUND.label("is_refund"),
            ).where(
                # A code counts once, also where no rule gave anything for it.
                LedgerEntry.nonce.is_not(None)
                | (LedgerEntry.kind == "EARN")
                | LedgerEntry.rule.in_(_COUNTED_ONCE)
                | _REFUND
            )
        ).all()
    booked = {str(row.entry_id): row for row in rows}
    coded = [row for row in rows if row.nonce is not None]
    spent = {row.nonce: str(row.entry_id) for row in coded}
    refunds = [row for row in rows if row.is_refund]
    back = {str(row.purchase_id) for row in refunds}
    given = {one.entry_id: one for one in told if one.is_given}
    return Reckoning(
        tried=len(told),
        given=len(given),
        booked=len(booked),
        lost=len(given.keys() - booked.keys()),
        doubled=len(booked.keys() - given.keys())
        + (len(coded) - len(spent))
        + (len(refunds) - len(back)),
        untrue=sum(not _is_true(one, booked, spent, back) for one in told),
        refused=dict(Counter(one.refusal for one in told if not one.is_given)),
        again=sum(one.again for one in told),
        ways=dict(Counter(one.way for one in given.values())),
        findings=dict(Counter(each.code for each in proofs.prove(tools).findings)),
    )


def _is_true(
    one: Told,
    booked: Mapping[str, object],
    spent: Mapping[bytes | None, str],
    back: Collection[str],
) -> bool:
    row = booked.get(one.entry_id) if one.is_given else None
    # A lost one is counted as such.
    if row is not None and str(getattr(row, "card_id", "")) != one.card_id:
        return False
    if one.way in _WITHOUT_CODE:
        return one.refusal != "purchase_refunded" or one.code in back
    nonce = codes.read_text(one.code)[_NONCE]
    if one.is_given:
        return row is None or spent.get(nonce) == one.entry_id
    return one.refusal != "code_spent" or nonce in spent
