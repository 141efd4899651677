"""Undoing and putting together at once: what goes, goes to the card that goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from uuid import UUID

from app.programme import cards, members, merging, proofs, stamping
from app.programme.cards import CardState
from app.programme.errors import StoreDown, TryAgain
from app.programme.founding import Founded
from app.programme.history import of_card
from app.programme.sessions import StaffCaller
from app.tools import Tools
from tests.conftest import both_books

ROUNDS = 6
#: Of each round: what is undone on the first card, while the second is put to a third.
UNDONE = 3


@both_books
def test_what_is_undone_while_the_card_that_goes_on_goes_is_taken_once(
    make_tools: Callable[..., Tools],
    tools: Tools,
    founded: Founded,
    give: Callable[..., CardState],
    barista: StaffCaller,
    counts: Callable[..., None],
) -> None:
    assert founded.staff_id
    rivals = [make_tools() for _ in range(2 * UNDONE + 1)]
    asked_again, left = 0, []
    for _ in range(ROUNDS):
        first, second, third = (members.join(tools) for _ in range(3))
        for _ in range(UNDONE + 1):
            give(cards.card(tools, first.card_id), 2)
        given = [line.entry_id for line in of_card(tools, first.card_id)]
        _put(tools, first, second)
        start = Barrier(len(rivals))

        # Each stamp is undone by two at once.
        works = [
            partial(_undo, entry_id=given[n // 2], staff=barista)
            for n in range(2 * UNDONE)
        ]
        works.append(partial(_put, old=second, new=third))
        with ThreadPoolExecutor(len(rivals)) as pool:
            asked_again += sum(
                pool.map(partial(_until_heard, start), works, rivals, timeout=60)
            )
        left += [
            cards.card(tools, each.card_id).stamps for each in (first, second, third)
        ]

    counts(
        rounds=ROUNDS,
        undone=ROUNDS * UNDONE,
        tried=ROUNDS * 2 * UNDONE,
        asked_again=asked_again,
        left_on_closed_cards=sum(map(abs, left[0::3] + left[1::3])),
    )
    assert left == [0, 0, 2] * ROUNDS
    assert proofs.prove(tools).findings == ()


def _until_heard(start: Barrier, work: Callable[[Tools], None], tools: Tools) -> int:
    """Begin with the others, and ask again as a device does; gives how often."""
    start.wait(30)
    for again in range(50):
        try:
            work(tools)
        except (TryAgain, StoreDown):
            continue
        return again
    raise AssertionError("nobody answered")


def _undo(tools: Tools, *, entry_id: UUID, staff: StaffCaller) -> None:
    stamping.reverse_stamp(tools, entry_id, staff=staff, reason="The wrong card")


def _put(tools: Tools, old: members.Joined, new: members.Joined) -> None:
    text = merging.link(tools, new.member_id).rpartition("/")[2]
    merging.give(tools, text, giver_id=old.member_id)
