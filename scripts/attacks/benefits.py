"""Tiers and memberships: paid once and marked twice, had and lost and claimed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from app.programme import rewards
from app.programme.errors import InvalidRequest
from app.programme.plans import offering, paying
from app.programme.plans.offering import PlanDraft
from app.programme.tiers import setting
from app.programme.tiers.setting import BY_UNITS, TierDraft
from app.store.tables import Card, Membership
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import API, Browser, CannotSetUp, Phone, must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer

_AT_ONCE: Final = 16
_PAGE: Final = "/counter/membership"
_PRICE: Final = 4_500


def _plan(shop: Shop) -> UUID:
    """Put a plan on offer that gives words alone, as its owner would."""
    draft = PlanDraft(uuid4().hex, _PRICE, 12, 0, None, "A seat", is_offered=True)
    return offering.save_plan(
        shop.inside, _programme_id(shop), None, draft, by=shop.leader
    )


def _programme_id(shop: Shop) -> UUID:
    card_id = UUID(shop.join().card_id)
    with shop.inside.database.read() as tx:
        return tx.scalars(
            select(Card.programme_id).where(Card.card_id == card_id)
        ).one()


def _looked(shop: Shop, phone: Phone) -> Browser:
    """Give a till's browser that has just looked at a phone's code."""
    till = shop.till
    held = {shop.cookie("terminal"): till.terminal, shop.cookie("staff"): till.staff}
    browser = Browser(shop.wire, held)
    seen = browser.send(_PAGE, {"code": phone.code()})
    # Whose code it was is kept, and the page is shown anew.
    if seen.status != HTTPStatus.SEE_OTHER:
        raise CannotSetUp(f"looking at a code was refused: {seen.code}")
    return browser


def _pay(browser: Browser, plan_id: UUID, price: int = _PRICE) -> Answer:
    facts = {"plan_id": plan_id, "price": price, "paid_how": "cash"}
    return browser.send(_PAGE, facts)


def _must_have(shop: Shop, volley: Volley, phone: Phone, most: int) -> None:
    """Take every period beyond what was paid for an acceptance."""
    asked = select(func.count()).where(Membership.card_id == UUID(phone.card_id))
    with shop.inside.database.read() as tx:
        held = int(tx.scalar(asked) or 0)
    if held > most:
        volley.accept(f"{held} periods were marked, of {most} paid", held - most)


@attack(Need.OWN, Need.INSIDE)
def one_membership_paid_twice(shop: Shop, volley: Volley) -> None:
    """Pays once, and has it marked at many tills in one moment and again after."""
    plan_id, phone = _plan(shop), shop.join(name="Mallory")
    browsers = [_looked(shop, phone) for _ in range(_AT_ONCE)]
    tries = [partial(_pay, browser, plan_id) for browser in browsers]
    volley.at_once(tries, by={"422", "503"})
    again = partial(_pay, _looked(shop, phone), plan_id)
    volley.throw([again] * max(3, volley.size // 10), by={"422"})
    _must_have(shop, volley, phone, 1)


@attack(Need.OWN, Need.INSIDE)
def a_membership_for_another_sum_or_card(shop: Shop, volley: Volley) -> None:
    """Is a barista who bends the page: another price, a card that nobody showed."""
    plan_id, phone = _plan(shop), shop.join(name="Mallory")
    browser = _looked(shop, phone)
    prices = (0, 1, _PRICE - 1, -_PRICE, 10**30)
    volley.throw(
        (partial(_pay, browser, plan_id, price) for price in volley.share(prices)),
        by={"422"},
        lanes=1,
    )
    browser.send(_PAGE, {"forget": "1"})
    # Nobody's code was looked at: the page leads back to itself and marks nothing.
    for _ in range(3):
        _pay(browser, plan_id)
        volley.note(None, "nobody was looked at")
    _must_have(shop, volley, phone, 0)


@attack(Need.OWN, Need.INSIDE)
def a_tiers_benefit_after_it_was_lost(shop: Shop, volley: Volley) -> None:
    """Had a tier by stamps that were taken back, and chooses what it takes."""
    tools, programme_id = shop.inside, _programme_id(shop)
    setting.save_ladder(
        tools, programme_id, unit="stamp", window_months=12, grace_days=0,
        by=shop.leader,
    )  # fmt: skip
    draft = TierDraft(uuid4().hex[:12], "#a37a00", 3, False, None, 0, "A seat", 0)
    tier_id = setting.save_tier(tools, programme_id, None, draft, by=shop.leader)
    plan = rewards.Plan("vip", "The table", 0, per_member=900, needs_tier_id=tier_id)
    reward_id = rewards.save(
        tools, plan, programme_id=programme_id, reward_id=None, by=shop.leader
    )
    phone = shop.join(name="Mallory")
    given = must(shop.till.scan(phone.code(), stamps=3), "giving stamps")
    must(_choose(phone, reward_id), "choosing with the tier")
    must(shop.till.undo("stamps", given["stamp_id"]), "taking stamps back")
    shop.honest["stamps"] += 3
    shop.honest["undone"] += 1
    once: Callable[[], Answer] = partial(_choose, phone, reward_id)
    volley.throw([once] * max(3, volley.size // 10), by={"reward_unavailable"})
    late = partial(_stamp_and_choose, shop, phone, given["stamp_id"], reward_id)
    volley.throw([late] * 3, by={"reward_unavailable"})
    if len(phone.vouchers()) > 1:
        volley.accept("a lost tier gave", len(phone.vouchers()) - 1)
    setting.remove_tier(tools, tier_id, BY_UNITS, by=shop.leader)


def _choose(phone: Phone, reward_id: UUID) -> Answer:
    body = {"reward_id": str(reward_id), "edition": 1, "request_id": uuid4().hex}
    path = f"{API}/cards/{phone.card_id}/exchanges"
    return phone.wire.ask("POST", path, body, token=phone.token)


def _stamp_and_choose(
    shop: Shop, phone: Phone, stamp_id: str, reward_id: UUID
) -> Answer:
    """Ask for the undoing's answer again, and choose at once."""
    shop.till.undo("stamps", stamp_id)
    return _choose(phone, reward_id)


@attack(Need.OWN, Need.INSIDE)
def a_fee_paid_back_and_kept(shop: Shop, volley: Volley) -> None:
    """Has the fee paid back at two desks at once; a period ends once."""
    plan_id, phone = _plan(shop), shop.join(name="Mallory")
    tools, card_id = shop.inside, UUID(phone.card_id)
    paid = paying.mark_paid(
        tools, card_id, plan_id, paid_how="cash", request_id=uuid4().hex,
        by=shop.leader,
    )  # fmt: skip
    membership_id = UUID(paid["membership_id"])

    def back() -> str | None:
        try:
            paying.refund(tools, membership_id, "changed their mind", by=shop.leader)
        except InvalidRequest as error:
            return error.fields.get("reason")
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = list(pool.map(lambda _: back(), range(_AT_ONCE)))
    volley.note(None, "heard")
    told.remove(None)
    for why in told:
        volley.note(None if why else "a fee was paid back again", why or "")
