"""What a customer may have before them where a shop promises more than a stamp."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from playwright.sync_api import Page

from app.programme import cards, rewards
from app.programme.earning import desk, referrals
from app.programme.earning.rules import Act, Caps, Figures, Rule, RuleKind
from app.programme.members import Joined
from app.programme.plans import offering, paying
from app.programme.plans.offering import PlanDraft
from app.programme.rewards import Plan
from app.programme.tiers import setting
from app.programme.tiers.setting import TierDraft
from app.programme.units import Unit
from tests.app.web.browser.stage import Stage, States


def _promise(stage: Stage) -> None:
    """Lay out the whole programme: rules, rewards, tiers and a membership; once."""
    if desk.rules(stage.tools, stage.shop.programme_id):
        return
    for rule in (
        (RuleKind.VISIT, Unit.STAMP, Figures(units=1, each=True), {}),
        (RuleKind.AMOUNT, Unit.POINT, Figures(units=1, per=500), {"life_days": 365}),
        (
            RuleKind.TIMES,
            Unit.POINT,
            Figures(percent=200),
            {"name": "Double points, for those who come in the quiet hours"},
        ),
        (RuleKind.ACT, Unit.STAMP, Figures(units=1, act=Act.REVIEW), {}),
        (RuleKind.ACT, Unit.STAMP, Figures(units=1, act=Act.NEWSLETTER), {}),
        (RuleKind.BIRTHDAY, Unit.STAMP, Figures(units=2), {}),
        (
            RuleKind.REFERRAL,
            Unit.STAMP,
            Figures(units=2, friend_units=1),
            {"caps": Caps(year=10)},
        ),
    ):
        kind, unit, figures, more = rule
        draft = Rule(
            uuid4(), 0, uuid4(), stage.shop.programme_id, kind, unit, figures, **more
        )
        desk.save(stage.tools, draft, by=stage.owner)
    _rewards(stage)
    _tiers(stage)


def _rewards(stage: Stage) -> None:
    soon = stage.tools.now() + timedelta(days=9)
    rewards.set_exchanges(
        stage.tools, stage.shop.programme_id, "by_choice", by=stage.owner
    )
    for plan in (
        Plan("item", "A slice of cake", 3, about="Whichever is on the counter."),
        Plan("money", "Five off", 5, worth=500),
        Plan("percent", "A tenth off everything", 4, worth=10, stock=1),
        Plan("merchandise", "The blue cup, glazed by hand", 40, stock=12),
        Plan("content", "Our sourdough", 1, content="500 g flour, 350 g water, time."),
        Plan(
            "event",
            "An evening of tasting",
            2,
            stock=8,
            starts_at=soon,
            ends_at=soon + timedelta(hours=2),
            place="Nyhavn 12, upstairs",
        ),
    ):
        rewards.save(
            stage.tools,
            plan,
            programme_id=stage.shop.programme_id,
            reward_id=None,
            by=stage.owner,
        )


def _tiers(stage: Stage) -> None:
    tools, programme_id = stage.tools, stage.shop.programme_id
    setting.save_ladder(
        tools,
        programme_id,
        unit="stamp",
        window_months=12,
        grace_days=14,
        by=stage.owner,
    )
    above: UUID | None = None
    for name, units in (("Regular", 3), ("Friend of the house", 20)):
        draft = TierDraft(name, "#8a5000", units, False, above, 10, "A free refill", 0)
        above = setting.save_tier(tools, programme_id, None, draft, by=stage.owner)
    plus = PlanDraft("Plus", 45_00, 12, 200, 300_00, "The first row", is_offered=True)
    offering.save_plan(tools, programme_id, None, plus, by=stage.owner)


def _card(stage: Stage, stamps: int) -> Joined:
    _promise(stage)
    return stage.card(stamps)


def _at(stage: Stage, joined: Joined, rest: str = "") -> Page:
    return stage.phone(joined, f"/card/{joined.card_id}{rest}")


def _earning_without_rules(stage: Stage) -> Page:
    return _at(stage, stage.card(), "/earning")


def _earning(stage: Stage) -> Page:
    return _at(stage, _card(stage, 3), "/earning")


def _earning_too_early(stage: Stage) -> Page:
    page = _at(stage, _card(stage, 0), "/earning")
    with page.expect_navigation():
        stage.button(page, "I have done it").click()
    return page


def _invited(stage: Stage) -> Page:
    joined = _card(stage, 1)
    word = referrals.of_card(stage.tools, joined.card_id).word
    return stage.window(f"/join?invite={word}")


def _choices(stage: Stage) -> Page:
    return _at(stage, _card(stage, 4), "/rewards")


def _offer(stage: Stage, name: str, joined: Joined) -> Page:
    mine = cards.card(stage.tools, joined.card_id)
    found = next(
        one.reward.reward_id
        for one in rewards.offers(stage.tools, mine)
        if one.reward.plan.name == name
    )
    return _at(stage, joined, f"/rewards/{found}")


def _choice(stage: Stage) -> Page:
    return _offer(stage, "Five off", _card(stage, 7))


def _too_dear(stage: Stage) -> Page:
    return _offer(stage, "The blue cup, glazed by hand", _card(stage, 2))


def _chosen(stage: Stage, name: str) -> Page:
    page = _offer(stage, name, _card(stage, 7))
    with page.expect_navigation():
        page.locator("form[data-once] button[type=submit]").click()
    return page


def _tier(stage: Stage) -> Page:
    return _at(stage, _card(stage, 4))


def _member(stage: Stage) -> Page:
    joined = _card(stage, 4)
    plan = offering.of_programme(stage.tools, stage.shop.programme_id)[0]
    paying.mark_paid(
        stage.tools,
        joined.card_id,
        plan.plan_id,
        paid_how="cash",
        request_id=uuid4().hex,
        by=stage.owner,
    )
    return _at(stage, joined)


def _account(path: str) -> Callable[[Stage], Page]:
    return lambda stage: stage.phone(_card(stage, 2), f"/account{path}")


def _offers(stage: Stage) -> Page:
    joined = _card(stage, 1)
    stage.second_card(joined)
    return stage.phone(joined, "/offers")


PROMISES: States = {
    "earning-plain": _earning_without_rules,
    "earning": _earning,
    "earning-too-early": _earning_too_early,
    "invited": _invited,
    "rewards": _choices,
    "reward": _choice,
    "reward-too-dear": _too_dear,
    "voucher-money": lambda stage: _chosen(stage, "Five off"),
    "voucher-event": lambda stage: _chosen(stage, "An evening of tasting"),
    "voucher-content": lambda stage: _chosen(stage, "Our sourdough"),
    "tier": _tier,
    "member": _member,
    "account": _account(""),
    "account-details": _account("/details"),
    "account-e-mail": _account("/e-mail"),
    "account-mail": _account("/mail"),
    "account-devices": _account("/devices"),
    "account-passkeys": _account("/passkeys"),
    "account-data": _account("/data"),
    "account-erase": _account("/erase"),
    "account-merge": _account("/merge"),
    "sign-in": lambda stage: stage.window("/sign-in"),
    "sign-in-code": lambda stage: stage.window("/sign-in/code"),
    "offers": _offers,
}
