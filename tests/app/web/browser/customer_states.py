"""Everything that a customer may have before them."""

from __future__ import annotations

from playwright.sync_api import Page

from app.programme import cards, rewards, staff, stamping
from tests.app.web.browser import painted
from tests.app.web.browser.stage import Stage, States, cut, linger

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"


def _join(stage: Stage) -> Page:
    return stage.window("/join")


def _join_refused(stage: Stage) -> Page:
    page = stage.window("/join")
    page.locator("[name=name]").evaluate(
        "(field) => { field.maxLength = 500; field.value = 'A'.repeat(99); }"
    )
    stage.button(page, "Get my card").click()
    page.locator("[aria-invalid]").wait_for()
    return page


def _join_closed(stage: Stage) -> Page:
    stage.programme(is_open=False)
    page = stage.window("/join")
    stage.programme(is_open=True)
    return page


def _stamp_for_a_stranger(stage: Stage) -> Page:
    code = stamping.stamp_code(stage.tools, stage.barista(), 2)
    return stage.window(f"/S/{code.code}")


def _stamp_for_a_member(stage: Stage) -> Page:
    code = stamping.stamp_code(stage.tools, stage.barista(), 1)
    return stage.phone(stage.join(), f"/S/{code.code}")


def _stamp_for_one_of_two(stage: Stage) -> Page:
    code = stamping.stamp_code(stage.tools, stage.barista(), 5)
    joined = stage.card(3)
    stage.second_card(joined)
    return stage.phone(joined, f"/S/{code.code}")


def _used(stage: Stage) -> Page:
    code = stamping.stamp_code(stage.tools, stage.barista(), 1).code
    stamping.collect(stage.tools, code, card_id=stage.join().card_id)
    return stage.window(f"/S/{code}")


def _too_old(stage: Stage) -> Page:
    code = stamping.stamp_code(stage.earlier(minutes=4), stage.barista(), 1)
    return stage.window(f"/S/{code.code}")


def _called_back(stage: Stage) -> Page:
    return stage.window(stage.printed(is_revoked=True))


def _printed(stage: Stage) -> Page:
    return stage.phone(stage.join(), stage.printed())


def _somebodys_card(stage: Stage) -> Page:
    code = stamping.card_code(stage.tools, stage.join().card_id)
    return stage.window(f"/S/{code.code}")


def _somebodys_voucher(stage: Stage) -> Page:
    joined = stage.card(10)
    voucher = cards.card(stage.tools, joined.card_id).vouchers[0].voucher_id
    code = rewards.voucher_code(stage.tools, voucher, joined.member_id)
    return stage.window(f"/S/{code.code}")


def _enrolment(stage: Stage) -> Page:
    code = staff.enrolment_code(stage.tools, stage.shop.location_id)
    return stage.window(f"/S/{code.code}")


def _nonsense(stage: Stage) -> Page:
    return stage.window("/S/" + "A" * 128)


def _empty(stage: Stage) -> Page:
    return stage.phone(stage.card())


def _three(stage: Stage) -> Page:
    return stage.phone(stage.card(3, "Anna Margrethe Åkesson-Łukaszewska"))


def _nine(stage: Stage) -> Page:
    return stage.phone(stage.card(9))


def _full(stage: Stage) -> Page:
    return stage.phone(stage.card(10))


def _vouchers(stage: Stage) -> Page:
    return stage.phone(stage.card(24))


def _paused(stage: Stage) -> Page:
    joined = stage.card(4)
    stage.programme(is_open=False)
    page = stage.phone(joined)
    stage.programme(is_open=True)
    return page


def _closed(stage: Stage) -> Page:
    joined = stage.card(4)
    stage.close_card(joined.card_id)
    return stage.phone(joined)


def _new_terms(stage: Stage) -> Page:
    joined = stage.card(4)
    stage.programme(terms="One stamp for each cup, tea too.")
    page = stage.phone(joined)
    page.locator(".fold--bare summary").click()
    return page


def _two_cards(stage: Stage) -> Page:
    joined = stage.card(3)
    stage.second_card(joined)
    return stage.phone(joined, f"/card/{joined.card_id}")


def _without_network(stage: Stage) -> Page:
    page = stage.phone(stage.card(3))
    page.context.set_offline(True)
    # The page's modules may still be on their way: it is told until it has heard.
    page.evaluate(
        """async () => {
          while (document.querySelector("#offline").hidden) {
            dispatchEvent(new Event("offline"));
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    page.context.set_offline(True)
    return page


def _home_screen(stage: Stage) -> Page:
    page = stage.phone(stage.card(3), user_agent=IPHONE)
    page.locator("#install").wait_for()
    return page


def _home_screen_by_menu(stage: Stage) -> Page:
    page = stage.phone(stage.card(3), user_agent=FIREFOX)
    page.locator("#install").wait_for()
    return page


def _home_screen_by_question(stage: Stage) -> Page:
    page = stage.phone(stage.card(3))
    page.evaluate("dispatchEvent(new Event('beforeinstallprompt'))")
    page.locator("#install").wait_for()
    return page


def _unfolded(stage: Stage) -> Page:
    page = stage.phone(stage.card(3))
    page.locator(".fold summary").click()
    page.locator(".tongues summary").click()
    return page


def _code(stage: Stage) -> Page:
    page = stage.phone(stage.card(7), "/card#code")
    page.locator("#code [data-part=picture] svg").wait_for()
    return page


def _code_in_trouble(stage: Stage) -> Page:
    page = stage.phone(stage.card(7))
    page.route("**/api/v1/cards/*/code*", cut)
    page.evaluate("location.hash = '#code'")
    page.locator("#code [data-part=trouble]").wait_for()
    return page


def _voucher_code(stage: Stage) -> Page:
    page = stage.phone(stage.card(12))
    page.locator("[data-opens=voucher]").first.click()
    page.locator("#code [data-part=picture] svg").wait_for()
    return page


def _falling(stage: Stage, stamps: int, before: int = 3) -> Page:
    joined = stage.card(before)
    page = stage.phone(joined, "/card#code")
    page.locator("#code [data-part=picture] svg").wait_for()
    linger(page)
    stage.give(joined.card_id, stamps)
    page.locator("#news .result__title").wait_for()
    return page


def _fell(stage: Stage) -> Page:
    return _falling(stage, 1)


def _three_fell(stage: Stage) -> Page:
    return _falling(stage, 3)


def _filled(stage: Stage) -> Page:
    return _falling(stage, 2, 8)


def _taken(stage: Stage) -> Page:
    joined = stage.join()
    last = stage.give(joined.card_id, 2)
    page = stage.phone(joined, "/card#code")
    page.locator("#code [data-part=picture] svg").wait_for()
    assert last
    linger(page)
    stamping.reverse_stamp(
        stage.tools, last, staff=stage.barista(), reason="Undone at the till"
    )
    page.locator("#news .result__title").wait_for()
    return page


def _camera(stage: Stage) -> Page:
    joined = stage.card(3)
    page = stage.filming("/livez", cookies={"pp_member": joined.token})
    page.goto("/scan")
    page.locator("#state").wait_for(state="hidden")
    return page


def _camera_for_two(stage: Stage) -> Page:
    joined = stage.card(3)
    stage.second_card(joined)
    page = stage.filming("/livez", cookies={"pp_member": joined.token})
    page.goto("/scan")
    page.locator("#state").wait_for(state="hidden")
    return page


def _camera_fails(stage: Stage, name: str) -> Page:
    cookies = {"pp_member": stage.join().token}
    page = stage.filming("/livez", fails=name, cookies=cookies)
    page.goto("/scan")
    page.locator("#state-text").wait_for()
    page.evaluate(
        """async (said) => {
          while (document.querySelector("#state-text").textContent === said)
            await new Promise(requestAnimationFrame);
        }""",
        stage.said("Starting the camera."),
    )
    return page


def _scanned_wrong(stage: Stage) -> Page:
    page = _camera(stage)
    painted.hold(page, stamping.card_code(stage.tools, stage.join().card_id).url)
    page.locator("#answer .result--refused").wait_for()
    return page


def _scanned_offline(stage: Stage) -> Page:
    page = _camera(stage)
    page.route("**/api/v1/cards/*/stamps", cut)
    painted.hold(page, stamping.stamp_code(stage.tools, stage.barista(), 1).url)
    page.locator("#answer .result--waiting").wait_for()
    return page


def _history(stage: Stage) -> Page:
    joined = stage.card(23)
    last = stage.give(joined.card_id, 1)
    assert last
    stamping.reverse_stamp(
        stage.tools, last, staff=stage.barista(), reason="Undone at the till"
    )
    return stage.phone(joined, f"/card/{joined.card_id}/history")


def _no_history(stage: Stage) -> Page:
    joined = stage.join()
    return stage.phone(joined, f"/card/{joined.card_id}/history")


def _offline(stage: Stage) -> Page:
    page = stage.phone(stage.card(13))
    page.evaluate(
        """(language) => {
          const kept = JSON.parse(localStorage.getItem("punchproof-card"));
          const older = { ...kept, at: Date.now() - 600000 };
          localStorage.setItem("punchproof-card", JSON.stringify(older));
          location.assign("/offline?language=" + language);
        }""",
        stage.language.tag,
    )
    page.locator("#last").wait_for()
    return page


def _offline_for_the_first_time(stage: Stage) -> Page:
    return stage.window(f"/offline?language={stage.language.tag}")


def _on_another_phone(stage: Stage) -> Page:
    return stage.window(f"/card/{stage.join().card_id}")


def _nowhere(stage: Stage) -> Page:
    return stage.window("/nowhere")


CUSTOMER: States = {
    "join": _join,
    "join-refused": _join_refused,
    "join-closed": _join_closed,
    "stamp-for-a-stranger": _stamp_for_a_stranger,
    "stamp-for-a-member": _stamp_for_a_member,
    "stamp-for-one-of-two": _stamp_for_one_of_two,
    "stamp-used": _used,
    "stamp-too-old": _too_old,
    "stamp-called-back": _called_back,
    "stamp-printed": _printed,
    "somebodys-card": _somebodys_card,
    "somebodys-voucher": _somebodys_voucher,
    "enrolment": _enrolment,
    "nonsense": _nonsense,
    "card-0": _empty,
    "card-3": _three,
    "card-9": _nine,
    "card-full": _full,
    "card-vouchers": _vouchers,
    "card-paused": _paused,
    "card-closed": _closed,
    "card-new-terms": _new_terms,
    "card-two": _two_cards,
    "card-without-network": _without_network,
    "card-home-screen": _home_screen,
    "card-home-screen-menu": _home_screen_by_menu,
    "card-home-screen-asks": _home_screen_by_question,
    "card-unfolded": _unfolded,
    "code": _code,
    "code-trouble": _code_in_trouble,
    "code-voucher": _voucher_code,
    "news-one": _fell,
    "news-three": _three_fell,
    "news-full": _filled,
    "news-taken": _taken,
    "scan": _camera,
    "scan-two-cards": _camera_for_two,
    "scan-denied": lambda stage: _camera_fails(stage, "NotAllowedError"),
    "scan-none": lambda stage: _camera_fails(stage, "NotFoundError"),
    "scan-refused": _scanned_wrong,
    "scan-waiting": _scanned_offline,
    "history": _history,
    "history-empty": _no_history,
    "offline": _offline,
    "offline-empty": _offline_for_the_first_time,
    "other-phone": _on_another_phone,
    "nowhere": _nowhere,
}
