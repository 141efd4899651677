"""Choosing: what is on a card becomes a voucher of the reward that its member wants.

One transaction, written first and asked after. The entry comes first, with its request,
so that of two of one request one counts and both hear the same. Then the card is held;
what is on it, what its member had of this reward, its stock and its budget are asked in
that order, and a refusal takes all of it back. The last of a reward goes to one
(``stock``), and nobody has a third where two are allowed (``uq_voucher_nth``).

The voucher keeps what was promised: words, kind, worth, end, and what is for its holder
alone. What the shop changes later changes nothing of it; of an event, the day that it
is moved to counts.

A place at an event may be given back until it begins, by its member. Everything else is
taken back by the shop, with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.programme import (
    cards,
    expiry,
    ledger,
    money,
    standing,
    stock,
    tiers,
    units,
)
from app.programme.codes import Spent
from app.programme.errors import (
    InvalidRequest,
    NotEnough,
    NotFound,
    RewardUnavailable,
    VoucherSpent,
)
from app.programme.rewards.plans import Kind
from app.programme.units import Unit
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Reward, Voucher
from app.tools import Tools

#: Characters of a request, as devices make them.
_REQUEST_LENGTH: Final = range(8, 65)


def choose(
    tools: Tools,
    card_id: UUID,
    reward_id: UUID,
    *,
    member_id: UUID,
    request_id: str,
    edition: int,
) -> Spent:
    """Exchange what is on a card for a reward.

    Args:
        tools: books, keys and clock.
        card_id: the member's card.
        reward_id: of the card's programme.
        member_id: who asks.
        request_id: made by the device, the same on each retry.
        edition: of the promise that the member saw.

    Returns:
        ``{exchange_id, voucher, card}``; the first answer again to the same request.

    Raises:
        NotFound: no such card of this member, or no such reward of its programme.
        InvalidRequest: ``request_id`` is none, or was used for something else.
        CardClosed: the card is closed or paused.
        NotEnough: there is less on the card than it costs.
        RewardUnavailable: why; ``tier``: it is for members of a higher tier.
        TryAgain: nothing can be signed now; nothing was written.
        StoreDown: nothing was written.
    """
    if len(request_id) not in _REQUEST_LENGTH or not request_id.isascii():
        raise InvalidRequest({"request_id": "wrong_type"})
    asked = f"{card_id.hex}:{request_id}"
    try:
        with tools.database.begin() as tx:
            promised = _promise(tx, card_id, reward_id, member_id)
            voucher = _voucher(tx, promised, card_id, tools.now())
            answer = _book(tx, tools, promised, voucher, asked, edition)
            return Spent(answer, is_repeat=False)
    except IntegrityError:
        return _first_answer(tools, asked, reward_id)


def cancel(tools: Tools, voucher_id: UUID, *, member_id: UUID) -> Spent:
    """Give a place at an event back, with what it cost.

    Returns:
        ``{reversal_id, voucher, card}``; the first answer again.

    Raises:
        NotFound: no such place of this member.
        VoucherSpent: it was used at the door.
        RewardUnavailable: ``too_late``: the event has begun.
        TryAgain, StoreDown: nothing was written.
    """
    with tools.database.read() as tx:
        paid = tx.scalar(
            select(LedgerEntry)
            .join(Card, Card.card_id == LedgerEntry.card_id)
            .join(Voucher, Voucher.voucher_id == LedgerEntry.voucher_id)
            .where(
                LedgerEntry.voucher_id == voucher_id,
                LedgerEntry.rule == cards.RULE_CHOSEN,
                Card.member_id == member_id,
                Voucher.kind == Kind.EVENT,
            )
        )
    if paid is None:
        raise NotFound
    try:
        with tools.database.begin() as tx:
            stock.hold(tx, voucher_id)
            return Spent(give_back(tx, tools, paid), is_repeat=False)
    except IntegrityError:
        with tools.database.read() as tx:
            first = tx.scalars(
                select(LedgerEntry).where(LedgerEntry.reverses_id == paid.entry_id)
            ).one()
            return Spent(first.answer or {}, is_repeat=True)


def void(tx: Tx, voucher_id: UUID) -> None:
    """Take a voucher back that nobody has used, with what it took of its reward.

    Raises:
        VoucherSpent: it was used, in part or whole, read, or taken back.
    """
    voucher = tx.scalar(
        update(Voucher)
        .where(Voucher.voucher_id == voucher_id, stock.untouched())
        .values(state="voided")
        .returning(Voucher)
        .execution_options(synchronize_session="fetch", populate_existing=True)
    )
    if voucher is None:
        raise VoucherSpent
    stock.put_back(tx, voucher)
    tx.flush()


def _promise(tx: Tx, card_id: UUID, reward_id: UUID, member_id: UUID) -> Reward:
    """Read a reward that is offered to a card."""
    found = tx.scalar(
        select(Reward)
        .join(Card, Card.programme_id == Reward.programme_id)
        .where(
            Reward.reward_id == reward_id,
            Card.card_id == card_id,
            Card.member_id == member_id,
        )
    )
    if found is None:
        raise NotFound
    return found


def _voucher(tx: Tx, reward: Reward, card_id: UUID, at: datetime) -> Voucher:
    """Write down what is promised; it is nobody's until the transaction ends."""
    zone = expiry.zone_of(tx)
    ends = reward.ends_at
    if ends is None and reward.voucher_days is not None:
        ends = expiry.end_of(at, reward.voucher_days, zone)
    is_money = reward.kind == Kind.MONEY
    voucher = Voucher(
        voucher_id=uuid4(),
        card_id=card_id,
        reward=reward.name,
        issued_at=at,
        expires_at=ends,
        reward_id=reward.reward_id,
        kind=reward.kind,
        worth=reward.worth,
        rest=reward.worth if is_money else None,
        currency=money.currency_of(tx) if is_money else None,
        cost=reward.cost,
        content=reward.content,
    )
    tx.add(voucher)
    tx.flush()
    return voucher


def _book(
    tx: Tx,
    tools: Tools,
    reward: Reward,
    voucher: Voucher,
    asked: str,
    edition: int,
) -> Mapping[str, Any]:
    card_id, at = voucher.card_id, voucher.issued_at
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind="REDEEM",
        unit=units.kept(Unit(reward.unit)),
        units=-reward.price,
        rule=cards.RULE_CHOSEN,
        at=at,
        request_id=asked,
        voucher_id=voucher.voucher_id,
    )

    def answer() -> Mapping[str, Any]:
        cards.touch(tx, card_id)
        cards.write_ends(tx, tools, card_id, at)
        _must_have(tx, entry)
        _must_reach(tx, card_id, reward, at)
        voucher.nth = stock.free_place(tx, card_id, reward.reward_id, reward.per_member)
        tx.flush()
        stock.take(tx, reward.reward_id, edition=edition, at=at)
        if reward.kind == Kind.PARTNER:
            stock.hand_out_code(tx, reward.reward_id, voucher.voucher_id)
        state = cards.state_of(tx, card_id, at)
        card = cards.answer_of(state, voucher.voucher_id)
        return {
            "exchange_id": str(entry.entry_id),
            "voucher": cards.voucher_in(card, voucher.voucher_id),
            "card": card,
        }

    return ledger.write_first(tx, tools, entry, answer=answer)


def _must_have(tx: Tx, entry: LedgerEntry) -> None:
    """Refuse what a card can't pay; its entry has been written."""
    standing.must_be_in_use(tx, entry.card_id)
    unit = units.of(entry.unit)
    left = cards.balances(tx, entry.card_id, entry.at).get(unit, 0)
    if left < 0 and entry.units < 0:
        raise NotEnough(-left, unit)


def _must_reach(tx: Tx, card_id: UUID, reward: Reward, at: datetime) -> None:
    """Refuse who has not the tier that a reward takes; the card is held."""
    needed = reward.needs_tier_id
    if needed is not None and not tiers.reaches(tx, card_id, needed, at):
        raise RewardUnavailable("tier", tier=tiers.name_of(tx, needed))


def _first_answer(tools: Tools, asked: str, reward_id: UUID) -> Spent:
    with tools.database.read() as tx:
        row = tx.execute(
            select(LedgerEntry.answer, Voucher.reward_id)
            .join(Voucher, Voucher.voucher_id == LedgerEntry.voucher_id)
            .where(LedgerEntry.request_id == asked)
        ).first()
    if row is None or row.reward_id != reward_id or row.answer is None:
        raise InvalidRequest({"request_id": "used_before"})
    return Spent(row.answer, is_repeat=True)


def give_back(
    tx: Tx, tools: Tools, paid: LedgerEntry, *, reason: str | None = None
) -> Mapping[str, Any]:
    """Reverse what paid for a place, whose voucher the caller holds.

    Args:
        tx: the caller's.
        tools: keys and clock.
        paid: the entry.
        reason: why the shop does; None: its member does, before the event begins.

    Returns:
        ``{reversal_id, voucher, card}``.

    Raises:
        VoucherSpent: it was used at the door, or given back.
        RewardUnavailable: ``too_late``.
        TryAgain: nothing can be signed now.
    """
    now = tools.now()
    reversal = LedgerEntry(
        entry_id=uuid4(),
        card_id=paid.card_id,
        kind="REVERSE",
        unit=paid.unit,
        units=-paid.units,
        rule=cards.RULE_CANCELLED,
        at=now,
        reason=reason,
        voucher_id=paid.voucher_id,
        reverses_id=paid.entry_id,
    )

    def answer() -> Mapping[str, Any]:
        cards.touch(tx, paid.card_id)
        if reason is None:
            _must_not_have_begun(tx, paid, now)
        if paid.voucher_id is not None:
            void(tx, paid.voucher_id)
        state = cards.state_of(tx, paid.card_id, now)
        card = cards.answer_of(state, paid.voucher_id)
        return {
            "reversal_id": str(reversal.entry_id),
            "voucher": cards.voucher_in(card, paid.voucher_id),
            "card": card,
        }

    return ledger.write_first(tx, tools, reversal, answer=answer)


def _must_not_have_begun(tx: Tx, paid: LedgerEntry, at: datetime) -> None:
    starts_at = tx.scalar(
        select(Reward.starts_at)
        .join(Voucher, Voucher.reward_id == Reward.reward_id)
        .where(Voucher.voucher_id == paid.voucher_id)
    )
    if starts_at is not None and starts_at <= at:
        raise RewardUnavailable("too_late")
