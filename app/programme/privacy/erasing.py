"""A person is forgotten, and the books stay true.

What is personal goes or becomes empty, as ``kept`` says line by line; phones are signed
out; mail on its way is not sent; cards are closed. Entries, receipts and vouchers stay
untouched: they add up, they are signed, and they name nobody. The audit of the ledger
finds nothing afterwards that it did not find before.

It happens once: ``pk_erasure`` is written first. It cannot be undone.

Where the promise ends. A backup of before still has the person, until it is thrown
away. Books that are restored from one forget again (``forget_again``) whom they know to
be erased, and whom a list that was kept elsewhere names (``scripts/erased.py``). What a
mail server has, it has. Limits in the nonce store count addresses, for a day at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.programme import audit, cards, vouchers
from app.programme.errors import ErasedBefore, NotFound
from app.programme.privacy.kept import KEPT
from app.programme.sessions import ConsoleCaller
from app.programme.shop.permission import must_lead, refuse
from app.programme.words import REASON_LENGTH, clean_name
from app.store.database import Tx
from app.store.tables import Card, Erasure, Member, Programme, Table
from app.tools import Tools

#: How many of a card's last digits are typed to confirm.
DIGITS = 4


@dataclass(frozen=True, slots=True)
class LostCard:
    """What goes with one card."""

    number: str
    programme: str
    stamps: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What a person loses by being forgotten."""

    name: str | None
    #: Oldest first.
    cards: tuple[LostCard, ...]
    #: Rewards of vouchers that could still be used.
    vouchers: tuple[str, ...]

    @property
    def digits(self) -> str:
        """What has to be typed: the last digits of the newest card."""
        return self.cards[-1].number[-DIGITS:] if self.cards else ""


def loss(tools: Tools, member_id: UUID) -> Loss:
    """Tell what a person would lose.

    Raises:
        NotFound: no such member, or nobody any more.
        StoreDown: the books gave no answer.
    """
    with tools.database.read() as tx:
        return _loss(tx, tools, member_id)


def erase(
    tools: Tools,
    member_id: UUID,
    *,
    digits: str,
    by: ConsoleCaller | None = None,
    reason: str = "",
) -> None:
    """Forget a person, for good.

    Args:
        tools: books and clock.
        member_id: whom.
        digits: what was typed to confirm; ``Loss.digits`` if they mean it.
        by: who does it on the person's behalf; None: the person.
        reason: why, from whoever does it on behalf; it stays in the audit log.

    Raises:
        Forbidden: ``by`` may not.
        NotFound: no such member.
        InvalidRequest: ``digits`` are ``not_the_digits``; ``reason`` does not serve.
        ErasedBefore: it is done already.
        StoreDown: the books gave no answer; nobody was forgotten.
    """
    wrong: dict[str, str] = {}
    if by is not None:
        must_lead(by)
        reason = clean_name(reason, wrong, "reason", REASON_LENGTH)
    try:
        with tools.database.begin() as tx:
            write_first(tx, tools, member_id, by.staff_id if by else None)
            if "".join(digits.split()) != _loss(tx, tools, member_id).digits:
                wrong["digits"] = "not_the_digits"
            refuse(wrong)
            closed = forget(tx, tools, member_id)
            _record(tx, tools, member_id, closed, by=by, reason=reason)
    except IntegrityError as error:
        with tools.database.read() as tx:
            if tx.get(Member, member_id) is None:
                raise NotFound from error
        raise ErasedBefore from error


def forget_again(tx: Tx, tools: Tools, more: Iterable[UUID] = ()) -> int:
    """Forget, in books of an older time, whom later ones had forgotten.

    Args:
        tx: the caller's, over the restored books.
        tools: the clock.
        more: members who were erased after the backup; strangers are passed over.

    Returns:
        How many of ``more`` were forgotten now.
    """
    known = set(tx.scalars(select(Erasure.member_id)))
    wanted = sorted(set(more) - known, key=str)
    done = 0
    for member_id in wanted:
        if tx.get(Member, member_id) is None:
            continue
        write_first(tx, tools, member_id, None)
        closed = forget(tx, tools, member_id)
        reason = "books restored from a backup of before"
        _record(tx, tools, member_id, closed, by=None, reason=reason)
        done += 1
    return done


def erased(tools: Tools) -> list[UUID]:
    """List who was forgotten, in the order in which they were."""
    with tools.database.read() as tx:
        asked = select(Erasure.member_id).order_by(Erasure.at, Erasure.member_id)
        return list(tx.scalars(asked))


def must_be_known(tx: Tx, member_id: UUID) -> Member:
    """Hold a member's row, to write something about them.

    Whoever writes about a member calls it first: who is erased at the same time is
    either still known until that is done, or not any more, and never half.

    Raises:
        NotFound: no such member, or nobody any more.
    """
    found = tx.get(
        Member, member_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if found is None or tx.get(Erasure, member_id) is not None:
        raise NotFound
    return found


def write_first(tx: Tx, tools: Tools, member_id: UUID, staff_id: UUID | None) -> None:
    """Take the one turn that there is: a second one meets ``pk_erasure``.

    Raises:
        IntegrityError: it is taken, or there is no such member.
    """
    tx.execute(
        insert(Erasure).values(member_id=member_id, at=tools.now(), staff_id=staff_id)
    )


def forget(tx: Tx, tools: Tools, member_id: UUID) -> list[UUID]:
    """Empty and delete what is personal; take the turn with ``write_first`` before.

    Returns:
        The cards that were closed by it, for the audit log.
    """
    # First the member's row, as everybody who writes about a member does.
    tx.get(
        Member, member_id, with_for_update={"key_share": True}, populate_existing=True
    )
    closed = [
        card_id
        for card_id in tx.scalars(
            select(Card.card_id).where(Card.member_id == member_id)
        ).all()
        if cards.close(tx, tools, card_id)
    ]
    order = {table.name: at for at, table in enumerate(Table.metadata.sorted_tables)}
    # Rows that refer to others go before those.
    for line in sorted(KEPT, key=lambda each: -order[each.schema.name]):
        if line.goes:
            tx.execute(delete(line.schema).where(line.is_of(member_id)))
        elif line.empties:
            nothing = dict.fromkeys(line.empties)
            mine = line.is_of(member_id)
            tx.execute(update(line.schema).where(mine).values(nothing))
    tx.expire_all()
    return closed


def _record(
    tx: Tx,
    tools: Tools,
    member_id: UUID,
    closed: list[UUID],
    *,
    by: ConsoleCaller | None,
    reason: str,
) -> None:
    who = by.staff_id if by else None
    for card_id in closed:
        audit.record(tx, tools, cards.CLOSED, card_id, by=who)
    audit.record(
        tx,
        tools,
        "member.erased",
        member_id,
        by=who,
        asked="on_behalf" if by else "by_the_member" if not reason else "by_a_restore",
        reason=reason or None,
    )


def _loss(tx: Tx, tools: Tools, member_id: UUID) -> Loss:
    found = tx.get(Member, member_id)
    if found is None:
        raise NotFound
    rows = tx.execute(
        select(Card.card_id, Card.number, Programme.name)
        .join(Programme, Programme.programme_id == Card.programme_id)
        .where(Card.member_id == member_id)
        .order_by(Card.opened_at, Card.number)
    ).all()
    held = [
        voucher.reward
        for row in rows
        for voucher in vouchers.of_card(tx, row.card_id, tools.now())
        if voucher.state == "issued"
    ]
    lost = [
        LostCard(row.number, row.name, cards.balance_of(tx, row.card_id))
        for row in rows
    ]
    return Loss(found.name, tuple(lost), tuple(held))
