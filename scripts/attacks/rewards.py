"""Rewards that members choose: paid twice, taken twice, used beyond what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select

from app.programme import rewards
from app.programme.rewards import Plan, partners
from app.programme.sessions import ConsoleCaller
from app.store.tables import Programme, StaffMember
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import API, Phone, must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer

_GONE: Final = frozenset({"reward_unavailable", "not_enough", "try_again"})
#: Enough to be at one thing all at once, and few enough for any shop's limits.
_MANY: Final = 24


@dataclass(frozen=True, slots=True)
class Offered:
    """A reward in the list, and the way to choose it."""

    reward_id: UUID

    def choose(self, phone: Phone, request_id: str | None = None) -> Answer:
        """Choose it, as it is now."""
        body = {
            "reward_id": str(self.reward_id),
            "edition": 1,
            "request_id": request_id or uuid4().hex,
        }
        path = f"{API}/cards/{phone.card_id}/exchanges"
        return phone.wire.ask("POST", path, body, token=phone.token)

    def held(self, phone: Phone) -> str:
        """Choose it honestly; the voucher's id."""
        told = must(self.choose(phone), "choosing a reward")
        return str(told["voucher"]["voucher_id"])


def offer(shop: Shop, **facts: Any) -> Offered:
    """Put a reward that costs nothing in the list, as its owner would."""
    tools = shop.inside
    with tools.database.read() as tx:
        programme_id = tx.scalars(select(Programme.programme_id)).first()
        staff_id = tx.scalars(
            select(StaffMember.staff_id).where(StaffMember.role == "owner")
        ).first()
    if programme_id is None or staff_id is None:
        raise LookupError("a shop without a programme or an owner")
    by = ConsoleCaller(staff_id, "Owner", "owner")
    free: dict[str, Any] = {"kind": "item", "name": "Cake", "price": 0, "per_member": 1}
    plan = Plan(**free | facts)
    made = rewards.save(tools, plan, programme_id=programme_id, reward_id=None, by=by)
    if plan.kind == "partner":
        partners.add(tools, made, "\n".join(uuid4().hex for _ in range(3)), by=by)
    return Offered(made)


@attack(Need.OWN, Need.INSIDE)
def one_reward_chosen_many_times_at_once(shop: Shop, volley: Volley) -> None:
    """Chooses what each may have once, many times in one moment; one counts."""
    cake, phone = offer(shop), shop.join(name="Mallory")
    volley.at_once([partial(cake.choose, phone)] * _MANY, by=_GONE)
    _must_hold(volley, [phone], 1)


@attack(Need.OWN, Need.INSIDE)
def the_last_of_a_reward_by_many_at_once(shop: Shop, volley: Volley) -> None:
    """Has friends who take the last one in one moment; the stock goes to one."""
    cup = offer(shop, kind="merchandise", stock=1)
    friends = [shop.join() for _ in range(_MANY)]
    tries = [partial(cup.choose, friend) for friend in friends]
    volley.at_once(tries, by=_GONE)
    _must_hold(volley, friends, 1)


@attack(Need.OWN, Need.INSIDE)
def partners_codes_beyond_the_pool(shop: Shop, volley: Volley) -> None:
    """Has friends who empty a pool of three codes; each is one voucher's."""
    cinema = offer(shop, kind="partner")
    friends = [shop.join() for _ in range(_MANY)]
    tries = [partial(cinema.choose, friend) for friend in friends]
    volley.at_once(tries, by=_GONE, wins=3)
    _must_hold(volley, friends, 3)


@attack(Need.OWN, Need.INSIDE)
def a_door_code_shown_twice(shop: Shop, volley: Volley) -> None:
    """Sends a friend the picture of a code that opened the door; it opens once."""
    now = shop.inside.now()
    evening = offer(
        shop,
        kind="event",
        stock=50,
        starts_at=now + timedelta(seconds=60),
        ends_at=now + timedelta(hours=2),
    )
    phone = shop.join(name="Anna")
    place = evening.held(phone)
    shown = [
        must(phone.show_voucher(place), "showing a place")["code"] for _ in range(9)
    ]
    tills = (shop.till, shop.second_till)
    tries = [partial(tills[n % 2].redeem, code) for n, code in enumerate(shown)]
    volley.at_once(tries, by={"voucher_spent", "try_again"})
    shop.honest["redemptions"] += 1


@attack(Need.OWN, Need.INSIDE)
def money_used_beyond_its_worth(shop: Shop, volley: Volley) -> None:
    """Has five euros' worth, and uses three at many tills at once; once it goes."""
    five, phone = offer(shop, kind="money", worth=500), shop.join(name="Anna")
    held = five.held(phone)
    shown = [must(phone.show_voucher(held), "showing money")["code"] for _ in range(9)]
    tills = (shop.till, shop.second_till)

    def use(number: int, code: str) -> Answer:
        body = {"code": code, "request_id": uuid4().hex, "amount": 300}
        token = tills[number % 2].staff
        return shop.wire.ask("POST", f"{API}/redemptions", body, token=token)

    tries: list[Callable[[], Answer]] = [
        partial(use, number, code) for number, code in enumerate(shown)
    ]
    volley.at_once(tries, by={"amount_needed", "try_again"})
    shop.honest["redemptions"] += 1


@attack(Need.OWN, Need.INSIDE)
def another_members_reward(shop: Shop, volley: Volley) -> None:
    """Knows another's card and voucher, and chooses, shows or reads; not theirs."""
    anna, mallory = shop.join(name="Anna"), shop.join(name="Mallory")
    cake = offer(shop, kind="vip", content="The back door is open.")
    held = cake.held(anna)
    path = f"{API}/cards/{anna.card_id}/exchanges"

    def on_her_card() -> Answer:
        body = {
            "reward_id": str(cake.reward_id),
            "edition": 1,
            "request_id": uuid4().hex,
        }
        return shop.wire.ask("POST", path, body, token=mallory.token)

    tries: list[Callable[[], Answer]] = [
        on_her_card,
        partial(mallory.show_voucher, held),
    ]
    volley.throw(
        (tries[number % 2] for number in volley.share(range(2))), by={"not_found"}
    )


def _must_hold(volley: Volley, phones: list[Phone], most: int) -> None:
    """Take every voucher beyond what there was for an acceptance."""
    held = sum(len(phone.vouchers()) for phone in phones)
    if held > most:
        volley.accept(f"{held} were had, of {most}", held - most)
