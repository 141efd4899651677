"""Gifts for joining, for a friend, for an act, had by making it all up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from app.programme import members, stamping
from app.programme.earning import acts, desk, joining, referrals
from app.programme.earning.rules import Act, Figures, Rule, RuleKind
from app.programme.errors import Refused
from app.programme.members import Joined
from app.programme.units import Unit
from app.store.tables import LedgerEntry, Programme
from app.tools import Tools
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import Browser
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer

_AT_ONCE: Final = 24
#: The attacker's line and browser; the machine's own would count as everybody's.
_LINE, _BROWSER = "203.0.113.7", "Farm/1"
_LONG_AGO: Final = timedelta(days=2)


@contextmanager
def _rule(shop: Shop, kind: RuleKind, **figures: Any) -> Iterator[Rule]:
    """Have a rule of its owner's while an attack lasts."""
    tools = shop.inside
    with tools.database.read() as tx:
        programme_id = tx.scalars(
            select(Programme.programme_id).order_by(Programme.created_at)
        ).first()
    if programme_id is None:
        raise LookupError("a shop without a programme")
    draft = Rule(
        uuid4(), 0, uuid4(), programme_id, kind, Unit.STAMP, Figures(**figures)
    )
    made = desk.save(tools, draft, by=shop.leader)
    try:
        yield made
    finally:
        desk.switch(tools, made.rule_id, is_on=False, by=shop.leader)


def _join(shop: Shop, tools: Tools, **more: Any) -> Joined:
    """Join from the attacker's one device."""
    return members.join(tools, name="M", device=_LINE, browser=_BROWSER, **more)


def _visit(shop: Shop, tools: Tools, card_id: UUID) -> None:
    """Buy a coffee, as anybody can: that much is paid for."""
    code = stamping.card_code(tools, card_id).code
    stamping.stamp(tools, code, stamps=1, request_id=uuid4().hex, staff=shop.barista)
    shop.honest["stamps"] += 1


def _given(shop: Shop, rule: str, card_ids: Sequence[UUID]) -> int:
    with shop.inside.database.read() as tx:
        asked = select(func.count()).where(
            LedgerEntry.rule == rule, LedgerEntry.card_id.in_(card_ids)
        )
        return tx.scalar(asked) or 0


def _judge(volley: Volley, given: int, most: int, tried: int) -> None:
    """Take every gift beyond the honest ones for an acceptance."""
    for _ in range(tried - most):
        volley.note(None, "no_gift")
    if given > most:
        volley.accept(f"{given} gifts, of {most}", given - most)


@attack(Need.OWN, Need.INSIDE)
def the_bonus_for_joining_farmed(shop: Shop, volley: Volley) -> None:
    """Joins again and again on one device; few of a device get it, and after a visit.

    Cards that were never scanned get nothing at all.
    """
    long_ago = shop.inside.now() - _LONG_AGO
    then = replace(shop.inside, now=lambda: long_ago)
    with _rule(shop, RuleKind.SIGNUP, units=2):
        farmed = [_join(shop, then).card_id for _ in range(_AT_ONCE)]
        _judge(volley, _given(shop, "signup", farmed), 0, len(farmed))
        visited = farmed[: joining.MOST_PER_DEVICE + 5]
        for card_id in visited:
            _visit(shop, shop.inside, card_id)
        # A family on one phone is welcome: so many are no find.
        shop.honest["stamps"] += 2 * joining.MOST_PER_DEVICE
        given = _given(shop, "signup", farmed)
        _judge(volley, given, joining.MOST_PER_DEVICE, len(visited))


@attack(Need.OWN, Need.INSIDE)
def a_friend_made_up_on_the_same_device(shop: Shop, volley: Volley) -> None:
    """Invites themselves, on the phone they joined from or looked at the link with."""
    long_ago = shop.inside.now() - _LONG_AGO
    then = replace(shop.inside, now=lambda: long_ago)
    seen_from = members.device_of(shop.inside, _LINE, _BROWSER)
    with _rule(shop, RuleKind.REFERRAL, units=3, friend_units=3):
        joined_here = _join(shop, then).card_id
        elsewhere = members.join(then, device="198.51.100.9", browser="Old").card_id
        made_up = []
        for giver in (joined_here, elsewhere):
            word = referrals.of_card(then, giver, seen_from).word
            made_up += [_join(shop, then, invite=word).card_id for _ in range(5)]
        for card_id in made_up:
            _visit(shop, then, card_id)
            _visit(shop, shop.inside, card_id)
        referrals.sweep(shop.inside)
    cards = [joined_here, elsewhere, *made_up]
    _judge(volley, _given(shop, "referral", cards), 0, len(made_up))


@attack(Need.OWN, Need.INSIDE)
def one_act_told_twice(shop: Shop, volley: Volley) -> None:
    """Tells of one review again and again, and many times in one moment; one counts."""
    phone = shop.join(name="Mallory")
    card_id = UUID(phone.card_id)
    browser = Browser(shop.wire, {shop.cookie("member"): phone.token})
    browser.page_token()
    tell = partial(browser.send, f"/card/{card_id}/earning", {"act": "review"})
    with _rule(shop, RuleKind.ACT, units=2, act=Act.REVIEW):
        volley.throw([tell] * 3, by={"not_eligible"}, verdict=_heard)
        _visit(shop, shop.inside, card_id)
        volley.throw([tell] * _AT_ONCE, by={"no_gift"}, verdict=_heard)
        _judge_once(shop, volley, card_id)


def _heard(answer: Answer) -> str | None:
    """Take the page's answer for heard: the books say what came of it."""
    return "not_eligible" if answer.status == 403 else "no_gift"  # noqa: PLR2004


def _judge_once(shop: Shop, volley: Volley, card_id: UUID) -> None:
    try:
        again = acts.tell(shop.inside, card_id, Act.REVIEW)
    except Refused:
        again = None
    given = _given(shop, "act", [card_id])
    _judge(volley, given, 1, 2)
    if again is not None and again.units:
        volley.accept("told once more, and thanked once more", 1)
    shop.honest["stamps"] += 2
