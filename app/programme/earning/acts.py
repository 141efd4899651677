"""What a member does for the shop, and is thanked for once.

Three of the acts are seen by the program itself (``newsletter``: a consent;
``profile``: a name and an address; ``survey``: answers); whoever sees one calls
``done``. Of a review and of following the shop elsewhere nobody tells us: the member
says so with a tap, and is believed once. A shop that does not want to believe makes no
rule for it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.programme import expiry, standing
from app.programme.earning import booking, gifts
from app.programme.earning.gifts import Given
from app.programme.earning.rules import Act, Occasion, Rule, RuleKind
from app.programme.errors import NotEligible, NotFound
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Member
from app.tools import Tools

#: Acts that a member tells of, since nothing shows them to us.
TOLD: Final = frozenset({Act.REVIEW, Act.SOCIAL})


def tell(tools: Tools, card_id: UUID, act: Act) -> Given:
    """Take a member's word for an act.

    Args:
        tools: books, keys and clock.
        card_id: theirs; the caller has checked.
        act: of ``TOLD``.

    Raises:
        NotFound: the shop thanks for no such act.
        NotEligible: ``no_visit``: they have not been here yet; ``own_card``: they work
            here.
        CardClosed: nothing counts on the card.
        TryAgain: nothing can be signed now.
        StoreDown: nothing was written.
    """
    if act not in TOLD:
        raise NotFound
    with tools.database.begin() as tx:
        standing.must_take_stamps(tx, card_id)
        given = done(tx, tools, card_id, act)
        if not given.awards and not given.is_repeat:
            raise NotFound
        return given


def done(tx: Tx, tools: Tools, card_id: UUID, act: Act) -> Given:
    """Thank for an act that was seen, once a member and programme.

    Raises:
        NotEligible: ``no_visit``, ``own_card``.
        TryAgain: nothing can be signed now.
    """
    card = tx.get(Card, card_id)
    if card is None:
        raise NotFound
    member = tx.get(Member, card.member_id)
    if member is None or member.staff_id is not None:
        raise NotEligible("own_card", card_id=card_id, staff_id=None)
    if not gifts.has_visited(tx, card_id):
        raise NotEligible("no_visit", card_id=card_id, staff_id=None)
    occasion = Occasion(RuleKind.ACT, tools.now(), expiry.zone_of(tx), act=act)
    return gifts.give(
        tx,
        tools,
        card_id,
        occasion,
        rule=gifts.RULE_ACT,
        once=_name(card, act),
    )


def open_to(tools: Tools, card_id: UUID) -> list[tuple[Rule, bool]]:
    """Read the acts that a card's programme thanks for, and which were done.

    Raises:
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        card = tx.get(Card, card_id)
        if card is None:
            return []
        rules = [
            rule
            for rule in booking.rules_of(tx, card_id, tools.now())
            if rule.kind is RuleKind.ACT and rule.figures.act is not None
        ]
        names = {_name(card, rule.figures.act): rule for rule in rules}
        done_names = set(
            tx.scalars(select(LedgerEntry.once).where(LedgerEntry.once.in_(names)))
        )
        return [(rule, name in done_names) for name, rule in names.items()]


def _name(card: Card, act: Act | None) -> str:
    word = act.value if act else ""
    return f"act:{word}:{card.member_id.hex}:{card.programme_id.hex}"
