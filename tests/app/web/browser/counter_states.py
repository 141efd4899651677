"""Everything that a barista may have before them."""

from __future__ import annotations

from playwright.sync_api import Page

from app.programme import cards, members, rewards, staff, stamping
from app.programme import shop as shops
from app.programme.sessions import ConsoleCaller
from tests.app.web.browser import painted
from tests.app.web.browser.stage import Stage, States, cut, linger, scan

STAMPS = "**/api/v1/stamps"


def _enrol(stage: Stage) -> Page:
    return stage.window("/counter/")


def _enrol_films(stage: Stage) -> Page:
    page = stage.filming("/livez")
    page.goto("/counter/")
    stage.button(page, "Scan the code").click()
    page.locator("[data-view][data-state=scanning]").wait_for()
    return page


def _enrol_refused(stage: Stage) -> Page:
    page = stage.window("/counter/")
    page.locator("#code").fill("A" * 128)
    stage.button(page, "Make this device a till").click()
    page.locator("#code-error:not(:empty)").wait_for()
    return page


def _enrol_link(stage: Stage) -> Page:
    code = staff.enrolment_code(stage.tools, stage.shop.location_id).code
    page = stage.window(f"/counter/enrol#enrol={code}")
    page.locator("[data-got]:not([hidden])").wait_for()
    return page


def _people(stage: Stage) -> Page:
    _hire(stage)
    return stage.till(is_signed_in=False)


def _hire(stage: Stage) -> None:
    if len(shops.staff_members(stage.tools)) > 1:
        return
    for name in ("Jonas", "Mia-Charlotte Åkesson-Łukaszewska", "Emil"):
        shops.add_staff(
            stage.tools, name=name, role="barista", pin="483921", by=stage.owner
        )


def _pin(stage: Stage) -> Page:
    page = stage.till(is_signed_in=False)
    page.get_by_role("button", name="Sofie").click()
    page.locator(".pin__pad").wait_for()
    page.keyboard.type("483")
    return page


def _wrong_pin(stage: Stage) -> Page:
    page = stage.till(is_signed_in=False)
    page.get_by_role("button", name="Sofie").click()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    page.locator("#pin-error:not(:empty)").wait_for()
    return page


def _till(stage: Stage) -> Page:
    return stage.till()


def _four(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[name=stamps][value='4'] + span").click()
    return page


def _unlit(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[data-lens]").click()
    page.locator("[data-light]").click()
    return page


def _result(page: Page, code: str, mood: str = "given") -> Page:
    linger(page)
    scan(page, code)
    page.locator(f"#result.result--{mood}[open]").wait_for()
    return page


def _code_of(stage: Stage, joined: members.Joined) -> str:
    return stamping.card_code(stage.tools, joined.card_id).code


def _given(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[name=stamps][value='2'] + span").click()
    return _result(page, _code_of(stage, stage.card(7)))


def _given_to_a_long_name(stage: Stage) -> Page:
    joined = stage.card(3, "Anna Margrethe Åkesson-Łukaszewska")
    return _result(stage.till(), _code_of(stage, joined))


def _given_to_nobody(stage: Stage) -> Page:
    return _result(stage.till(), _code_of(stage, stage.card(3, None)))


def _given_full(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[name=stamps][value='3'] + span").click()
    return _result(page, _code_of(stage, stage.card(8)))


def _redeemed(stage: Stage) -> Page:
    return _result(stage.till(), _voucher_of(stage))


def _voucher_of(stage: Stage) -> str:
    joined = stage.card(10)
    voucher = cards.card(stage.tools, joined.card_id).vouchers[0].voucher_id
    return rewards.voucher_code(stage.tools, voucher, joined.member_id).code


def _refused_used(stage: Stage) -> Page:
    code = _code_of(stage, stage.card(3))
    stamping.stamp(
        stage.tools, code, stamps=1, request_id="a" * 32, staff=stage.barista()
    )
    return _result(stage.till(), code, "refused")


def _refused_old(stage: Stage) -> Page:
    code = stamping.card_code(stage.earlier(minutes=3), stage.join().card_id).code
    return _result(stage.till(), code, "refused")


def _refused_kind(stage: Stage) -> Page:
    code = stamping.stamp_code(stage.tools, stage.barista(), 1).code
    return _result(stage.till(), code, "refused")


def _foreign(stage: Stage) -> Page:
    page = stage.till()
    linger(page)
    painted.hold(page, "https://somewhere.example/menu")
    page.locator("#toast").wait_for()
    return page


def _waiting(stage: Stage) -> Page:
    page = stage.till()
    page.route(STAMPS, cut)
    scan(page, _code_of(stage, stage.join()))
    page.get_by_role("button", name=stage.said("Serve the next")).wait_for()
    return page


def _queue(stage: Stage) -> Page:
    page = _waiting(stage)
    stage.button(page, "Serve the next").click()
    page.locator("[data-queue-open]").wait_for()
    return page


def _queue_open(stage: Stage) -> Page:
    page = _queue(stage)
    page.locator("[data-queue-open]").click()
    return page


def _training(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[data-menu-open]").click()
    page.locator("[data-train]").click()
    page.locator("[data-training]").wait_for()
    return page


def _practice(stage: Stage) -> Page:
    page = _training(stage)
    return _result(page, _code_of(stage, stage.join()), "practice")


def _find(stage: Stage) -> Page:
    by = ConsoleCaller(stage.shop.staff_id, "Sofie", "owner")
    shops.allow_by_hand(stage.tools, is_allowed=True, by=by)
    page = stage.till()
    page.locator("[data-menu-open]").click()
    page.locator("[data-find]").click()
    return page


def _found(stage: Stage) -> Page:
    for name in ("Anna Åkesson", "Annabel Margrethe Łukaszewska-Sørensen"):
        stage.join(name)
    page = _find(stage)
    page.locator("#find-words").fill("anna")
    page.keyboard.press("Enter")
    page.locator(".find__row").first.wait_for()
    return page


def _found_nobody(stage: Stage) -> Page:
    page = _find(stage)
    page.locator("#find-words").fill("zebra")
    page.keyboard.press("Enter")
    page.locator("#find-error:not(:empty)").wait_for()
    return page


def _nothing_lately(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[data-latest-open]").click()
    return page


def _lately(stage: Stage) -> Page:
    page = stage.till()
    people = ("Anna", "Annabel Margrethe Łukaszewska-Sørensen", None)
    codes = [_code_of(stage, stage.join(name)) for name in people]
    for code in (*codes, _voucher_of(stage)):
        scan(page, code)
        page.locator("#result.result--given[open]").wait_for()
        page.locator("#result [data-next]").click()
        page.locator("#result").wait_for(state="hidden")
    page.locator("[data-latest-open]").click()
    page.locator("#latest .btn--small").last.click()
    page.locator("#result.result--undone").wait_for()
    page.locator("#result [data-next]").click()
    page.locator("[data-latest-open]").click()
    return page


def _undone(stage: Stage) -> Page:
    page = stage.till()
    linger(page)
    scan(page, _code_of(stage, stage.card(7)))
    page.locator("#result [data-undo]").click()
    page.locator("#result.result--undone").wait_for()
    return page


def _menu(stage: Stage) -> Page:
    _hire(stage)
    page = stage.till()
    page.locator("[data-menu-open]").click()
    return page


def _locked(stage: Stage) -> Page:
    page = _menu(stage)
    page.locator("[data-lock]").click()
    page.locator(
        "#who .pin__error:not(:empty), #who .pin__note:not(:empty)"
    ).first.wait_for()
    return page


def _show(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[data-show-open]").click()
    page.locator("#show [data-picture] svg").wait_for()
    return page


def _show_ended(stage: Stage) -> Page:
    page = stage.till()
    page.route("**/api/v1/stamp-codes*", lambda route: route.fulfill(status=500))
    page.locator("[data-show-open]").click()
    page.locator("#show [data-over]").wait_for()
    return page


def _collected(stage: Stage) -> Page:
    page = stage.till()
    with page.expect_response("**/api/v1/stamp-codes*") as answered:
        page.locator("[data-show-open]").click()
    code = answered.value.json()["code"]
    stamping.collect(stage.tools, code, card_id=stage.join().card_id)
    page.locator("#result.result--given[open]").wait_for()
    return page


def _type(stage: Stage) -> Page:
    page = stage.till()
    page.locator("[data-type-open]").click()
    return page


def _mistyped(stage: Stage) -> Page:
    page = _type(stage)
    page.locator("#typed-code").fill("4KD")
    page.keyboard.press("Enter")
    page.locator("#typed-error:not(:empty)").wait_for()
    return page


COUNTER: States = {
    "enrol": _enrol,
    "enrol-films": _enrol_films,
    "enrol-refused": _enrol_refused,
    "enrol-link": _enrol_link,
    "people": _people,
    "pin": _pin,
    "pin-wrong": _wrong_pin,
    "till": _till,
    "till-four": _four,
    "till-lens": _unlit,
    "till-denied": lambda stage: stage.till(fails="NotAllowedError"),
    "till-busy": lambda stage: stage.till(fails="NotReadableError"),
    "till-none": lambda stage: stage.till(fails="NotFoundError"),
    "given": _given,
    "given-long": _given_to_a_long_name,
    "given-nameless": _given_to_nobody,
    "given-full": _given_full,
    "redeemed": _redeemed,
    "refused-used": _refused_used,
    "refused-old": _refused_old,
    "refused-kind": _refused_kind,
    "foreign": _foreign,
    "waiting": _waiting,
    "queue": _queue,
    "queue-open": _queue_open,
    "training": _training,
    "practice": _practice,
    "find": _find,
    "found": _found,
    "found-nobody": _found_nobody,
    "lately-nothing": _nothing_lately,
    "lately": _lately,
    "undone": _undone,
    "menu": _menu,
    "locked": _locked,
    "show": _show,
    "show-ended": _show_ended,
    "collected": _collected,
    "type": _type,
    "mistyped": _mistyped,
}
