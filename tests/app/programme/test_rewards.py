"""Rewards: chosen once, of a stock and a budget that hold, used once or in parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.programme import cards, proofs, rewards, shop, stamping
from app.programme.cards import CardState
from app.programme.errors import (
    AmountNeeded,
    InvalidRequest,
    NotEnough,
    NotFound,
    Refused,
    RewardUnavailable,
    VoucherEarly,
    VoucherSpent,
)
from app.programme.founding import Founded
from app.programme.rewards import Plan, calling_off, partners
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import (
    LedgerEntry,
    Member,
    Outgoing,
    PartnerCode,
    Reward,
    Voucher,
)
from app.tools import Tools
from tests.conftest import Clock, both_books

ITEM = Plan(kind="item", name="Free coffee", price=4)
MONEY = Plan(kind="money", name="Five off", price=4, worth=500)
PARTNER = Plan(kind="partner", name="Cinema", price=1)


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Sofie", "owner")


@pytest.fixture
def offer(tools: Tools, founded: Founded, owner) -> Callable[..., UUID]:
    """Put a reward in the list; members choose from now on."""

    def put(plan: Plan) -> UUID:
        programme_id = founded.programme_id
        made = rewards.save(
            tools, plan, programme_id=programme_id, reward_id=None, by=owner
        )
        rewards.set_exchanges(tools, programme_id, "by_choice", by=owner)
        return made

    return put


@pytest.fixture
def holder(make_card, give) -> Callable[..., CardState]:
    """Make a card with stamps."""
    return lambda stamps=12: give(make_card(), stamps)


def choose(
    tools: Tools, card: CardState, reward_id: UUID, request_id: str | None = None
) -> dict[str, Any]:
    edition = rewards.reward(tools, reward_id).edition
    spent = rewards.choose(
        tools,
        card.card_id,
        reward_id,
        member_id=card.member_id,
        request_id=request_id or uuid4().hex,
        edition=edition,
    )
    return dict(spent.answer)


def use(
    tools: Tools,
    card: CardState,
    voucher_id: object,
    staff: StaffCaller,
    amount: int | None = None,
) -> dict[str, Any]:
    code = rewards.voucher_code(tools, UUID(str(voucher_id)), card.member_id).code
    spent = rewards.redeem(
        tools, code, request_id=uuid4().hex, staff=staff, amount=amount
    )
    return dict(spent.answer)


def race(*acts: Callable[[], object]) -> Counter[str]:
    """Do all at once; count what came of it, by the name of what was refused."""
    together = Barrier(len(acts))

    def act(one: Callable[[], object]) -> str:
        together.wait()
        try:
            one()
        except Refused as refused:
            return getattr(refused, "why", None) or refused.code
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(act, acts))


def is_proved(tools: Tools) -> bool:
    return [found.code for found in proofs.prove(tools).findings] == []


@both_books
def test_stamps_stay_until_their_member_chooses_and_become_a_voucher(
    tools: Tools, offer, holder, barista
):
    coffee = offer(ITEM)
    card = holder(12)

    assert (card.stamps, card.vouchers) == (12, ())
    told = choose(tools, card, coffee)

    assert told["voucher"]["reward"] == "Free coffee"
    assert told["card"]["stamps"] == 8
    use(tools, card, told["voucher"]["voucher_id"], barista)
    assert is_proved(tools)


@both_books
def test_of_one_request_sent_many_times_one_counts_and_all_hear_the_same(
    tools: Tools, offer, holder
):
    coffee, card = offer(ITEM), holder(12)
    answers = []

    race(*[lambda: answers.append(choose(tools, card, coffee, "the-same-request"))] * 6)

    assert len(answers) == 6
    assert len({told["exchange_id"] for told in answers}) == 1
    assert cards.card(tools, card.card_id).stamps == 8


@both_books
def test_what_is_on_a_card_is_spent_once(tools: Tools, offer, holder):
    coffee, card = offer(ITEM), holder(9)

    came = race(*[lambda: choose(tools, card, coffee)] * 5)

    assert came == {"done": 2, "not_enough": 3}
    assert cards.card(tools, card.card_id).stamps == 1
    assert is_proved(tools)


@both_books
def test_the_last_of_a_reward_goes_to_one(tools: Tools, offer, holder):
    cup = offer(Plan(kind="merchandise", name="Cup", price=2, stock=3))
    members = [holder(2) for _ in range(6)]

    came = race(*[lambda card=card: choose(tools, card, cup) for card in members])

    assert came == {"done": 3, "sold_out": 3}
    assert rewards.reward(tools, cup).left == 0
    assert sum(cards.card(tools, each.card_id).stamps for each in members) == 6


@both_books
def test_a_budget_is_never_exceeded(tools: Tools, offer, holder):
    cake = offer(Plan(kind="item", name="Cake", price=2, cost=300, budget=700))
    members = [holder(2) for _ in range(5)]

    came = race(*[lambda card=card: choose(tools, card, cake) for card in members])

    assert came == {"done": 2, "budget_used": 3}
    assert rewards.reward(tools, cake).spent == 600


@both_books
def test_one_each_is_one_each(tools: Tools, offer, holder):
    once = offer(Plan(kind="item", name="Welcome", price=0, per_member=1))
    card = holder(3)

    came = race(*[lambda: choose(tools, card, once)] * 4)

    assert came == {"done": 1, "had": 3}
    assert is_proved(tools)


@both_books
def test_each_code_of_a_partner_is_handed_out_once(tools: Tools, offer, holder, owner):
    cinema = offer(PARTNER)
    partners.add(tools, cinema, "code\nA-1\nA-2\nA-3\n", by=owner)
    members = [holder(1) for _ in range(5)]

    came = race(*[lambda card=card: choose(tools, card, cinema) for card in members])

    assert came == {"done": 3, "sold_out": 2}
    with tools.database.read() as tx:
        held = tx.scalars(select(PartnerCode.voucher_id)).all()
    assert len(set(held)) == 3
    assert None not in held


@both_books
def test_places_of_an_event_are_never_overbooked_and_come_back(
    tools: Tools, offer, holder, clock: Clock, barista
):
    evening = offer(an_event(clock, stock=2))
    members = [holder(1) for _ in range(4)]
    race(*[lambda card=card: choose(tools, card, evening) for card in members])
    with tools.database.read() as tx:
        mine = tx.scalars(select(Voucher).order_by(Voucher.voucher_id)).all()
    assert len(mine) == 2
    owner_of = {each.card_id: each for each in members}
    first = owner_of[mine[0].card_id]

    given_back = rewards.cancel(tools, mine[0].voucher_id, member_id=first.member_id)
    again = rewards.cancel(tools, mine[0].voucher_id, member_id=first.member_id)

    assert (given_back.is_repeat, again.is_repeat) == (False, True)
    assert rewards.reward(tools, evening).left == 1
    assert cards.card(tools, first.card_id).stamps == 1
    assert is_proved(tools)


@both_books
def test_a_manager_takes_a_choice_back_once_with_all_that_it_took(
    tools: Tools, offer, holder, owner, barista
):
    mug = offer(Plan(kind="merchandise", name="Mug", price=5, stock=3, cost=400))
    card = holder(12)
    before = cards.card(tools, card.card_id)
    chosen = choose(tools, card, mug)
    exchange = UUID(chosen["exchange_id"])

    def undo() -> None:
        shop.undo_entry(tools, exchange, reason="Broken", by=owner)

    # nobody does at a till
    with pytest.raises(NotFound):
        rewards.reverse_redemption(tools, exchange, staff=barista, reason="Mine")
    assert race(undo, undo, undo) == {"done": 3}

    # then the stamps, the mug and the budget are there again, once
    after = cards.card(tools, card.card_id)
    assert (after.balances, after.vouchers[0].state) == (before.balances, "voided")
    assert (rewards.reward(tools, mug).left, rewards.reward(tools, mug).spent) == (3, 0)
    with tools.database.read() as tx:
        undone = select(LedgerEntry).where(LedgerEntry.reverses_id == exchange)
        assert len(tx.scalars(undone).all()) == 1
    assert is_proved(tools)

    # one that was handed over stays chosen until that is undone
    used = choose(tools, card, mug)
    use(tools, card, used["voucher"]["voucher_id"], barista)
    with pytest.raises(VoucherSpent):
        shop.undo_entry(tools, UUID(used["exchange_id"]), reason="Late", by=owner)
    assert rewards.reward(tools, mug).left == 2
    assert is_proved(tools)


@both_books
def test_of_an_undoing_and_a_use_at_once_one_counts(
    tools: Tools, offer, holder, owner, barista
):
    coffee = offer(ITEM)
    card = holder(12)
    chosen = choose(tools, card, coffee)
    voucher_id = chosen["voucher"]["voucher_id"]

    seen = race(
        lambda: shop.undo_entry(
            tools, UUID(chosen["exchange_id"]), reason="Mistake", by=owner
        ),
        lambda: use(tools, card, voucher_id, barista),
    )

    assert seen == {"done": 1, "voucher_spent": 1}
    assert is_proved(tools)


@both_books
def test_an_event_is_called_off_once_and_nobody_loses_by_it(
    tools: Tools, offer, holder, owner, clock: Clock, barista
):
    evening = offer(an_event(clock, price=1, stock=5))
    guests = [holder(3) for _ in range(3)]
    with tools.database.begin() as tx:
        for number, guest in enumerate(guests):
            tx.get_one(Member, guest.member_id).email = f"{number}@example.org"
    codes = []
    for guest in guests:
        place = choose(tools, guest, evening)["voucher"]["voucher_id"]
        codes.append(rewards.voucher_code(tools, UUID(place), guest.member_id).code)

    def call_off() -> None:
        rewards.call_off(tools, evening, "The oven broke", by=owner)

    assert race(call_off, call_off, call_off) == {"done": 3}
    assert calling_off.sweep(tools) == 0

    # then all have what they paid, and one mail each
    assert [cards.card(tools, each.card_id).stamps for each in guests] == [3, 3, 3]
    with tools.database.read() as tx:
        mails = tx.scalars(select(Outgoing).where(Outgoing.kind == calling_off.KIND))
        told = [(mail.address, mail.facts["reason"]) for mail in mails]
    assert sorted(told) == [(f"{n}@example.org", "The oven broke") for n in range(3)]
    assert rewards.reward(tools, evening).sold == 0

    # no code opens the door, and nobody takes a place, though it is opened again
    with pytest.raises(RewardUnavailable) as refused:
        rewards.redeem(tools, codes[0], request_id=uuid4().hex, staff=barista)
    assert refused.value.why == "called_off"
    with pytest.raises(RewardUnavailable) as refused:
        choose(tools, guests[0], evening)
    assert refused.value.why == "called_off"
    assert is_proved(tools)


def test_what_has_begun_is_not_called_off(
    tools: Tools, offer, holder, owner, clock: Clock
):
    evening = offer(an_event(clock, price=1))
    choose(tools, holder(3), evening)
    with pytest.raises(InvalidRequest):
        rewards.call_off(tools, evening, " ", by=owner)
    with pytest.raises(NotFound):
        rewards.call_off(tools, offer(ITEM), "No coffee", by=owner)
    clock.forward(timedelta(days=3, minutes=1))
    with pytest.raises(RewardUnavailable):
        rewards.call_off(tools, evening, "Too late", by=owner)


def an_event(clock: Clock, **changes: object) -> Plan:
    starts = clock() + timedelta(days=3)
    facts: dict[str, Any] = {
        "kind": "event",
        "name": "Tasting",
        "price": 1,
        "stock": 5,
        "starts_at": starts,
        "ends_at": starts + timedelta(hours=3),
    }
    return Plan(**facts | changes)


@both_books
def test_an_entry_code_opens_the_door_once_and_not_before_its_day(
    tools: Tools, offer, holder, clock: Clock, make_staff
):
    evening = offer(an_event(clock))
    card = holder(1)
    place = choose(tools, card, evening)["voucher"]["voucher_id"]
    door = make_staff()
    with pytest.raises(VoucherEarly):
        use(tools, card, place, door)
    clock.forward(timedelta(days=3))
    door = make_staff()
    shown = [
        rewards.voucher_code(tools, UUID(place), card.member_id).code for _ in range(4)
    ]

    came = race(
        *[
            lambda code=code: rewards.redeem(
                tools, code, request_id=uuid4().hex, staff=door
            )
            for code in shown
        ]
    )

    assert came == {"done": 1, "voucher_spent": 3}
    assert [guest.came_at is not None for guest in rewards.guests(tools, evening)] == [
        True
    ]
    assert is_proved(tools)


@both_books
def test_money_is_never_used_beyond_its_worth(
    tools: Tools, offer, holder, barista: StaffCaller
):
    five, card = offer(MONEY), holder(4)
    voucher_id = choose(tools, card, five)["voucher"]["voucher_id"]
    with pytest.raises(AmountNeeded) as asked:
        use(tools, card, voucher_id, barista)
    assert (asked.value.rest, asked.value.currency) == (500, "EUR")

    came = race(*[lambda: use(tools, card, voucher_id, barista, 200)] * 4)

    assert came == {"done": 2, "amount_needed": 2}
    rest = use(tools, card, voucher_id, barista, 100)
    assert (rest["amount"], rest["voucher"]["rest"]) == (100, 0)
    assert rest["voucher"]["state"] == "redeemed"
    assert is_proved(tools)


@both_books
def test_a_part_that_was_used_comes_back_exactly(
    tools: Tools, offer, holder, barista: StaffCaller
):
    five, card = offer(MONEY), holder(4)
    voucher_id = choose(tools, card, five)["voucher"]["voucher_id"]
    use(tools, card, voucher_id, barista, 120)
    last = use(tools, card, voucher_id, barista, 380)

    undone = rewards.reverse_redemption(
        tools, UUID(last["redemption_id"]), staff=barista, reason="A slip"
    )

    voucher = undone.answer["voucher"]
    assert (voucher["state"], voucher["rest"]) == ("issued", 380)
    assert is_proved(tools)


@both_books
def test_stamps_taken_back_give_back_stock_budget_and_the_unread_code(
    tools: Tools, offer, make_card, barista: StaffCaller, owner
):
    cinema = offer(Plan(kind="partner", name="Cinema", price=3, cost=200, budget=200))
    partners.add(tools, cinema, "ONLY-ONE", by=owner)
    card, given = stamped(tools, make_card(), barista)
    choose(tools, card, cinema)
    assert rewards.reward(tools, cinema).left == 0

    shop.undo_entry(tools, given, reason="No sale", by=owner)

    after = rewards.reward(tools, cinema)
    assert (after.left, after.sold, after.spent) == (1, 0, 0)
    assert cards.card(tools, card.card_id).vouchers[0].state == "voided"
    assert is_proved(tools)


def stamped(
    tools: Tools, card: CardState, staff: StaffCaller
) -> tuple[CardState, UUID]:

    code = stamping.card_code(tools, card.card_id).code
    spent = stamping.stamp(tools, code, stamps=3, request_id=uuid4().hex, staff=staff)
    return cards.card(tools, card.card_id), UUID(spent.answer["stamp_id"])


def test_a_code_that_was_read_does_not_go_back(
    tools: Tools, offer, make_card, barista: StaffCaller, owner
):
    cinema = offer(Plan(kind="partner", name="Cinema", price=3))
    partners.add(tools, cinema, "ONLY-ONE", by=owner)
    card, given = stamped(tools, make_card(), barista)
    held = choose(tools, card, cinema)["voucher"]["voucher_id"]

    read = rewards.open_voucher(tools, UUID(held), member_id=card.member_id)

    assert read.code == "ONLY-ONE"
    with pytest.raises(VoucherSpent):
        shop.undo_entry(tools, given, reason="No sale", by=owner)


def test_nobody_reads_or_chooses_for_another(tools: Tools, offer, holder):
    paper = offer(Plan(kind="content", name="Recipe", price=1, content="Butter."))
    mine, other = holder(1), holder(1)
    held = UUID(choose(tools, mine, paper)["voucher"]["voucher_id"])

    with pytest.raises(NotFound):
        rewards.open_voucher(tools, held, member_id=other.member_id)
    with pytest.raises(NotFound):
        rewards.choose(
            tools,
            mine.card_id,
            paper,
            member_id=other.member_id,
            request_id=uuid4().hex,
            edition=1,
        )
    # No till takes what is to be read.
    with pytest.raises(NotFound):
        rewards.voucher_code(tools, held, mine.member_id)


def test_nobody_pays_a_price_that_they_did_not_see(
    tools: Tools, offer, holder, owner, founded: Founded
):
    coffee, card = offer(ITEM), holder(6)
    dearer = Plan(kind="item", name="Free coffee", price=5)
    rewards.save(
        tools, dearer, programme_id=founded.programme_id, reward_id=coffee, by=owner
    )

    with pytest.raises(RewardUnavailable, match="changed"):
        rewards.choose(
            tools,
            card.card_id,
            coffee,
            member_id=card.member_id,
            request_id=uuid4().hex,
            edition=1,
        )
    assert choose(tools, card, coffee)["card"]["stamps"] == 1


def test_a_voucher_keeps_what_was_promised(
    tools: Tools, offer, holder, owner, founded: Founded
):
    coffee, card = offer(ITEM), holder(8)
    held = choose(tools, card, coffee)["voucher"]["voucher_id"]
    less = Plan(kind="item", name="Half a coffee", price=4)
    rewards.save(
        tools, less, programme_id=founded.programme_id, reward_id=coffee, by=owner
    )

    now = cards.card(tools, card.card_id)

    assert [each.reward for each in now.vouchers] == ["Free coffee"]
    assert str(now.vouchers[0].voucher_id) == held


def test_what_is_missing_is_told(tools: Tools, offer, holder):
    coffee, card = offer(ITEM), holder(1)

    with pytest.raises(NotEnough) as refused:
        choose(tools, card, coffee)

    assert (refused.value.missing, refused.value.unit) == (3, "stamp")
    assert [each.missing for each in rewards.offers(tools, card)] == [3]


def test_a_request_is_good_for_one_reward(tools: Tools, offer, holder):
    coffee, cup = offer(ITEM), offer(Plan(kind="merchandise", name="Cup", price=1))
    card = holder(9)
    choose(tools, card, coffee, "the-same-request")

    with pytest.raises(InvalidRequest):
        choose(tools, card, cup, "the-same-request")


def test_the_audit_finds_a_voucher_that_nobody_paid_for(tools: Tools, offer, holder):
    coffee, card = offer(ITEM), holder(4)
    with tools.database.begin() as tx:
        tx.add(
            Voucher(
                card_id=card.card_id,
                reward="Free coffee",
                issued_at=tools.now(),
                reward_id=coffee,
                kind="item",
            )
        )

    found = [each.code for each in proofs.prove(tools).findings]

    assert "voucher_unpaid" in found


def test_the_audit_finds_money_that_came_from_nowhere(
    tools: Tools, offer, holder, barista: StaffCaller
):
    five, card = offer(MONEY), holder(4)
    held = choose(tools, card, five)["voucher"]["voucher_id"]
    use(tools, card, held, barista, 400)
    with tools.database.begin() as tx:
        voucher = tx.get_one(Voucher, UUID(held))
        voucher.rest = 500

    found = [each.code for each in proofs.prove(tools).findings]

    assert "voucher_rest" in found


def test_a_full_card_in_a_programme_without_choice_is_a_voucher_as_ever(
    tools: Tools, make_card, give
):
    card = give(make_card(), 10)

    assert (card.stamps, len(card.vouchers)) == (0, 1)


def test_a_programme_that_lets_choose_keeps_its_own_reward_as_the_first(
    tools: Tools, founded: Founded, owner
):
    rewards.set_exchanges(tools, founded.programme_id, "by_choice", by=owner)

    first = rewards.rewards(tools, founded.programme_id)

    assert [(each.plan.name, each.plan.price) for each in first] == [
        ("Free coffee", 10)
    ]


def test_the_books_hold_stock_and_budget_by_themselves(tools: Tools, offer):
    cup = offer(Plan(kind="merchandise", name="Cup", price=2, stock=1))
    with (
        pytest.raises(IntegrityError, match="ck_reward_stock"),
        tools.database.begin() as tx,
    ):
        tx.get_one(Reward, cup).sold = 2


def test_a_refused_choice_writes_nothing(tools: Tools, offer, holder):
    coffee, card = offer(ITEM), holder(1)
    with tools.database.read() as tx:
        before = tx.scalar(select(func.count()).select_from(LedgerEntry))

    with pytest.raises(NotEnough):
        choose(tools, card, coffee)

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(LedgerEntry)) == before
        assert tx.scalar(select(func.count()).select_from(Voucher)) == 0
