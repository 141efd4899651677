"""What is left of a reward: taken once, and given back exactly.

One conditional update decides: whether it is open, in its days, as it was when the
member saw it, in stock and within its budget. The constraints of its row hold the same
(``ck_reward_stock``, ``ck_reward_budget``), whatever is written here. A partner's code
goes with the voucher that it was taken for; one that nobody has read goes back to the
pool with it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from app.programme.errors import NotFound, RewardUnavailable
from app.store.database import Tx
from app.store.tables import PartnerCode, Reward, Voucher


def take(tx: Tx, reward_id: UUID, *, edition: int, at: datetime) -> None:
    """Take one of a reward, if it can be had: of two at the last one, one does.

    Args:
        tx: the caller's.
        reward_id: which.
        edition: of the promise that the member saw.
        at: the moment that counts for its days.

    Raises:
        NotFound: no such reward.
        RewardUnavailable: why.
    """
    taken = tx.execute(
        update(Reward)
        .where(
            Reward.reward_id == reward_id,
            Reward.is_open,
            Reward.called_off_at.is_(None),
            Reward.edition == edition,
            or_(Reward.opens_at.is_(None), Reward.opens_at <= at),
            or_(Reward.closes_at.is_(None), Reward.closes_at >= at),
            or_(Reward.starts_at.is_(None), Reward.starts_at >= at),
            or_(Reward.stock.is_(None), Reward.sold < Reward.stock),
            or_(Reward.budget.is_(None), Reward.spent + Reward.cost <= Reward.budget),
        )
        .values(sold=Reward.sold + 1, spent=Reward.spent + Reward.cost)
        .returning(Reward.reward_id)
        .execution_options(synchronize_session=False)
    )
    if taken.first() is not None:
        return
    row = tx.scalar(
        select(Reward)
        .where(Reward.reward_id == reward_id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound
    raise RewardUnavailable(why_not(row, at, edition) or "sold_out")


def why_not(row: Reward, at: datetime, edition: int | None = None) -> str | None:
    """Tell why nobody can have a reward now, a stable word; None: somebody can.

    Of partners' codes it does not tell whether any is left: ``codes_left`` does.
    """
    reasons = (
        ("called_off", row.called_off_at is not None),
        ("closed", not row.is_open),
        ("changed", edition is not None and row.edition != edition),
        ("not_yet", row.opens_at is not None and row.opens_at > at),
        ("over", row.closes_at is not None and row.closes_at < at),
        ("over", row.starts_at is not None and row.starts_at < at),
        ("sold_out", row.stock is not None and row.sold >= row.stock),
        (
            "budget_used",
            row.budget is not None and row.spent + row.cost > row.budget,
        ),
    )
    return next((why for why, is_so in reasons if is_so), None)


def free_place(tx: Tx, card_id: UUID, reward_id: UUID, most: int | None = None) -> int:
    """Find which of a card's vouchers of a reward another one is: the first free.

    Args:
        tx: the caller's, which holds the card.
        card_id: whose.
        reward_id: which reward.
        most: how many there may be; None: no limit.

    Raises:
        RewardUnavailable: ``had``: there are as many.
    """
    taken = set(
        tx.scalars(
            select(Voucher.nth).where(
                Voucher.card_id == card_id,
                Voucher.reward_id == reward_id,
                Voucher.nth.is_not(None),
            )
        )
    )
    if most is not None and len(taken) >= most:
        raise RewardUnavailable("had", most)
    return next(nth for nth in range(1, len(taken) + 2) if nth not in taken)


def hand_out_code(tx: Tx, reward_id: UUID, voucher_id: UUID) -> None:
    """Give a voucher the next code of a partner's pool.

    Call it after ``take``, which lets one at a time in.

    Raises:
        RewardUnavailable: ``sold_out``: the pool is empty.
    """
    free = (
        select(PartnerCode.code_no)
        .where(PartnerCode.reward_id == reward_id, *_is_free())
        .order_by(PartnerCode.code_no)
        .limit(1)
        .scalar_subquery()
    )
    given = tx.execute(
        update(PartnerCode)
        .where(PartnerCode.code_no == free, *_is_free())
        .values(voucher_id=voucher_id)
        .returning(PartnerCode.code_no)
        .execution_options(synchronize_session=False)
    )
    if given.first() is None:
        raise RewardUnavailable("sold_out")


def codes_left(tx: Tx, reward_id: UUID) -> int:
    """Count the codes of a partner's pool that nobody has."""
    left = tx.scalar(
        select(func.count())
        .select_from(PartnerCode)
        .where(PartnerCode.reward_id == reward_id, *_is_free())
    )
    return left or 0


def hold(tx: Tx, voucher_id: UUID) -> None:
    """Let nobody use a voucher until the caller is done; call it before all else.

    An entry that names a voucher shares it, and ``put_back`` wants it alone: of an
    undoing and a use that had both written theirs, each would wait for the other.
    """
    tx.execute(
        select(Voucher.voucher_id)
        .where(Voucher.voucher_id == voucher_id)
        .with_for_update()
    )


def untouched() -> ColumnElement[bool]:
    """Ask for vouchers that can go back: not used, not in part, and nobody read them.

    What only a holder may read (a partner's code, a text) can't be unread.
    """
    return and_(
        Voucher.state == "issued",
        Voucher.opened_at.is_(None),
        or_(Voucher.rest.is_(None), Voucher.rest == Voucher.worth),
    )


def put_back(tx: Tx, voucher: Voucher) -> None:
    """Give back what a voucher had taken of its reward; call it as it is voided.

    A voucher that no reward is behind took nothing.
    """
    if voucher.reward_id is None:
        return
    tx.execute(
        update(Reward)
        .where(Reward.reward_id == voucher.reward_id)
        .values(sold=Reward.sold - 1, spent=Reward.spent - (voucher.cost or 0))
        .execution_options(synchronize_session=False)
    )
    tx.execute(
        update(PartnerCode)
        .where(PartnerCode.voucher_id == voucher.voucher_id)
        .values(voucher_id=None)
        .execution_options(synchronize_session=False)
    )
    # The member may have one of it again.
    voucher.nth = None


def _is_free() -> tuple[ColumnElement[bool], ...]:
    return (PartnerCode.voucher_id.is_(None), PartnerCode.withdrawn_at.is_(None))
