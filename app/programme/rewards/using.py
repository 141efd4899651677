"""Using a voucher: showing it, redeeming it once, taking a redemption back.

However many codes were shown for a voucher, it is redeemed once, and not after its end:
by a conditional update of its own row, which holds the end too, so that one statement
decides. The moment that it is asked about is the one that the entry keeps. The entry in
the ledger moves no units; it keeps the code as proof, and is what a reversal names.

One that is worth money is used in parts, each by its own request: the same statement
takes no more than is left, and how much it was stands in the entry's answer, which is
signed. A place at an event opens the door once, from the morning of its first day on.

A voucher that is given back has the end that it had: a redemption and its undoing
lengthen nothing. After that end it comes back expired, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, bindparam, case, literal, select, update

from app.programme import (
    cards,
    expiry,
    ledger,
    reversals,
    short_codes,
    standing,
    vouchers,
)
from app.programme.codes import IssuedCode, Spending, Spent
from app.programme.errors import (
    AmountNeeded,
    NotFound,
    RewardUnavailable,
    VoucherEarly,
    VoucherSpent,
)
from app.programme.rewards.plans import READ_ONLY
from app.programme.rewards.plans import Kind as RewardKind
from app.programme.sessions import StaffCaller
from app.store.database import Tx
from app.store.tables import Card, LedgerEntry, Moment, Reward, Voucher
from app.tools import Tools
from signing.codes import Kind

#: What decides how a voucher is used.
_ABOUT = (
    select(
        Voucher.state,
        Voucher.kind,
        Voucher.expires_at,
        Voucher.rest,
        Voucher.currency,
        Voucher.reward,
        Reward.starts_at,
        Reward.called_off_at,
    )
    .outerjoin(Reward, Reward.reward_id == Voucher.reward_id)
    .where(Voucher.voucher_id == bindparam("voucher_id"))
)


def voucher_code(tools: Tools, voucher_id: UUID, member_id: UUID) -> IssuedCode:
    """Issue the code that a customer's phone shows to use a voucher.

    Raises:
        NotFound: no such voucher of this member, or one that no till takes.
        VoucherSpent: it was used or taken back.
        VoucherExpired: its end has passed.
        StoreDown: nothing was issued.
    """
    with tools.database.read() as tx:
        row = tx.execute(
            select(Voucher.state, Voucher.expires_at, Voucher.card_id, Voucher.kind)
            .join(Card, Card.card_id == Voucher.card_id)
            .where(Voucher.voucher_id == voucher_id, Card.member_id == member_id)
        ).first()
        if row is None or row.kind in READ_ONLY:
            raise NotFound
        standing.must_be_in_use(tx, row.card_id)
    vouchers.must_be_usable(row.state, row.expires_at, tools.now())
    record = {"voucher": voucher_id.hex}
    return short_codes.issue(tools, Kind.VOUCHER, record)


def redeem(
    tools: Tools,
    text: str,
    *,
    request_id: str,
    staff: StaffCaller,
    amount: int | None = None,
) -> Spent:
    """Redeem the voucher whose code was scanned.

    Args:
        tools: keys, stores and clock.
        text: what was scanned, or a short code that was typed; not trusted.
        request_id: made by the terminal, the same on each retry.
        staff: who hands the reward over.
        amount: of one that is worth money, how much of it is used, in minor units.

    Returns:
        ``{redemption_id, voucher, card}``; of money, the ``amount``.

    Raises:
        Refused: what ``codes.spend`` refuses; VoucherSpent, VoucherExpired,
            VoucherEarly, AmountNeeded, TryAgain.
        StoreDown: nothing was written.
    """

    def book(tx: Tx, spending: Spending) -> Mapping[str, Any]:
        return book_redemption(tx, tools, spending, staff=staff, amount=amount)

    return short_codes.spend_at_till(
        tools,
        text,
        kind=Kind.VOUCHER,
        request_id=request_id,
        staff=staff,
        named="redemption_id",
        book=book,
    )


def reverse_redemption(
    tools: Tools, redemption_id: UUID, *, staff: StaffCaller, reason: str
) -> Spent:
    """Give a voucher back that was redeemed by mistake, with the end that it had.

    Returns:
        ``{reversal_id, card, voucher}``; the first answer again when it was reversed
        before.

    Raises:
        InvalidRequest, NotFound, Forbidden, TryAgain, StoreDown: as
            ``reversals.reverse``.
    """
    return reversals.reverse(
        tools,
        redemption_id,
        kinds={"REDEEM"},
        staff=staff,
        reason=reason,
        cause=give_back,
    )


def book_redemption(
    tx: Tx,
    tools: Tools,
    spending: Spending,
    *,
    staff: StaffCaller,
    amount: int | None = None,
) -> Mapping[str, Any]:
    """Write that a voucher was handed over: step 5 of the rule, in ``codes``.

    Raises:
        NotFound: no such voucher.
        VoucherSpent: it was used or taken back.
        VoucherExpired: its end has passed.
        VoucherEarly: the day of its event has not come.
        RewardUnavailable: ``called_off``: its event does not take place.
        AmountNeeded: it is worth money, and no amount was said or more than is left.
        CardClosed: its card is closed or paused.
        TryAgain: nothing can be signed now.
    """
    voucher_id = UUID(spending.record["voucher"])
    card_id = tx.scalar(select(Voucher.card_id).where(Voucher.voucher_id == voucher_id))
    if card_id is None:
        raise NotFound
    standing.must_be_in_use(tx, card_id)
    entry = LedgerEntry(
        entry_id=uuid4(),
        card_id=card_id,
        kind="REDEEM",
        units=0,
        rule=cards.RULE_VOUCHER_USED,
        at=spending.at,
        nonce=spending.code.nonce,
        proof=spending.code.data,
        request_id=spending.request_id,
        voucher_id=voucher_id,
        terminal_id=staff.terminal_id,
        staff_id=staff.staff_id,
        location_id=staff.location_id,
    )

    def answer() -> Mapping[str, Any]:
        used = _use(tx, voucher_id, spending.at, amount)
        cards.touch(tx, card_id)
        state = cards.state_of(tx, card_id, spending.at)
        card = cards.answer_of(state, voucher_id)
        return {
            "redemption_id": str(entry.entry_id),
            "voucher": cards.voucher_in(card, voucher_id),
            "card": card,
            **used,
        }

    return ledger.write_first(tx, tools, entry, answer=answer)


def give_back(tx: Tx, entry: LedgerEntry, _undoing: LedgerEntry) -> None:
    """Do what the reversal of a redemption causes: the voucher can be used again.

    Raises:
        VoucherSpent: it was not redeemed any more.
    """
    if entry.voucher_id is not None:
        amount = (entry.answer or {}).get("amount")
        its = Voucher.voucher_id == entry.voucher_id
        if isinstance(amount, int):
            was = (its, Voucher.rest + amount <= Voucher.worth)
            becomes: dict[str, object] = {"rest": Voucher.rest + amount}
        else:
            was, becomes = (its, Voucher.state == "redeemed"), {}
        if not _change(tx, *was, state="issued", redeemed_at=None, **becomes):
            raise VoucherSpent
    cards.touch(tx, entry.card_id)


def _use(
    tx: Tx, voucher_id: UUID, at: datetime, amount: int | None
) -> Mapping[str, Any]:
    """Mark a voucher as used, if it can be: one statement decides.

    Returns:
        What the answer tells of it besides: of money, the ``amount``.
    """
    was = (
        Voucher.voucher_id == voucher_id,
        Voucher.state == "issued",
        expiry.not_over(Voucher.expires_at, at),
    )
    row = tx.execute(_ABOUT, {"voucher_id": voucher_id}).one()
    if row.kind == RewardKind.MONEY:
        if _use_part(tx, was, at, amount):
            return {"amount": amount}
    elif _is_open_door(tx, row, at) and _change(
        tx, *was, state="redeemed", redeemed_at=at
    ):
        return {}
    row = tx.execute(_ABOUT, {"voucher_id": voucher_id}).one()
    if row.called_off_at is not None and row.state != "redeemed":
        raise RewardUnavailable("called_off")
    vouchers.must_be_usable(row.state, row.expires_at, at)
    if row.kind == RewardKind.MONEY and not (amount and 0 < amount <= row.rest):
        raise AmountNeeded(row.rest, row.currency, row.reward)
    if not _is_its_day(tx, row, at):
        raise VoucherEarly(row.starts_at)
    # It was used when we asked, and has been given back since.
    raise VoucherSpent


def _is_open_door(tx: Tx, row: Any, at: datetime) -> bool:
    return row.called_off_at is None and _is_its_day(tx, row, at)


def _use_part(
    tx: Tx, was: tuple[ColumnElement[bool], ...], at: datetime, amount: int | None
) -> bool:
    """Take a part of what a voucher is worth, or all; never more than is left."""
    if amount is None or amount <= 0:
        return False
    is_all = Voucher.rest == amount
    return _change(
        tx,
        *was,
        Voucher.rest >= amount,
        rest=Voucher.rest - amount,
        state=case((is_all, "redeemed"), else_="issued"),
        redeemed_at=case((is_all, literal(at, Moment())), else_=None),
    )


def _is_its_day(tx: Tx, row: Any, at: datetime) -> bool:
    """Tell whether the door is open: from the morning of an event's first day on."""
    if row.kind != RewardKind.EVENT or row.starts_at is None:
        return True
    zone = expiry.zone_of(tx)
    return bool(at.astimezone(zone).date() >= row.starts_at.astimezone(zone).date())


def _change(tx: Tx, *was: ColumnElement[bool], **becomes: object) -> bool:
    """Change a voucher if it is as expected: of two at once, one does."""
    changed = tx.execute(
        update(Voucher)
        .where(*was)
        .values(**becomes)
        .returning(Voucher.voucher_id)
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None
