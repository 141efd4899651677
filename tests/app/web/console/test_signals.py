"""Signals, cards, limits and hours in the console: who may, and what is told."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.programme import (
    cards,
    limits,
    members,
    own_cards,
    shop,
    signals,
    staff,
    stamping,
)
from app.programme.errors import LimitReached, Unauthenticated
from app.programme.founding import Founded
from app.programme.hours import Hours
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.programme.signals import Raised, desk
from app.store.tables import AuditEntry, Programme, Terminal
from app.tools import Tools
from tests.app.web.conftest import app_over
from tests.app.web.console.conftest import Browser, seen


@pytest.fixture
def stamped(tools: Tools, make_card, barista: StaffCaller) -> tuple[UUID, UUID]:
    """A card and the entry of the two stamps that it got."""
    card = make_card()
    code = stamping.card_code(tools, card.card_id).code
    spent = stamping.stamp(tools, code, stamps=2, request_id=uuid4().hex, staff=barista)
    return card.card_id, UUID(spent.answer["stamp_id"])


@pytest.fixture
def signal(tools: Tools, stamped, barista: StaffCaller) -> UUID:
    """A signal about that card, its stamps, and who gave them."""
    card_id, entry_id = stamped
    with tools.database.begin() as tx:
        signals.put(
            tx,
            Raised(
                "favourite",
                tools.now(),
                {"stamps": 38, "usual": 4, "entries": [str(entry_id)]},
                card_id=card_id,
                staff_id=barista.staff_id,
                terminal_id=barista.terminal_id,
                entry_id=entry_id,
            ),
        )
    return desk.signals(tools)[0].signal_id


def actions(tools: Tools) -> list[str]:
    with tools.database.read() as tx:
        return list(tx.scalars(select(AuditEntry.action).order_by(AuditEntry.audit_no)))


def test_new_signals_are_counted_on_every_page(owner: Browser, signal: UUID):
    for page in ("/console/", "/console/staff"):
        assert "Signals 1 new signal" in seen(owner.get(page))


def test_a_signal_is_told_with_person_card_place_and_words(
    owner: Browser, signal: UUID, tools: Tools, stamped
):
    listed = seen(owner.get("/console/signals"))
    told = seen(owner.get(f"/console/signals/{signal}"))

    number = cards.card(tools, stamped[0]).number
    for page in (listed, told):
        assert "One card gets far more than others" in page
        assert "38 stamps from this person within two weeks" in page
        assert f"N° {number[:4]} {number[4:]}" in page
        assert "Nyhavn" in page


@pytest.mark.parametrize(
    "query",
    [
        "state=new",
        "state=any",
        "state=confirmed",
        "state=nonsense",
        "kind=favourite",
        "kind=nonsense",
        "before=nonsense",
        "before=2026-01-01T00:00:00",
        "before=2020-01-01T00:00:00%2B00:00",
        # at the ends of the calendar
        "before=0001-01-01T00:00:00%2B14:00",
        "before=9999-12-31T23:59:59-14:00",
    ],
)
def test_any_filter_is_a_page(owner: Browser, signal: UUID, query: str):
    page = owner.get(f"/console/signals?{query}")

    assert page.status_code == 200
    is_there = "38 stamps" in seen(page)
    assert is_there == (
        query not in {"state=confirmed", "before=2020-01-01T00:00:00%2B00:00"}
    )


def test_a_verdict_is_kept_with_its_note(owner: Browser, signal: UUID, tools: Tools):
    page = f"/console/signals/{signal}"
    answer = owner.send(page, state="confirmed", note="Her brother")

    assert answer.status_code == 302
    told = seen(owner.get(page))
    assert "Her brother" in told
    assert "Confirmed: Owner" in told
    assert desk.count_new(tools) == 0
    assert actions(tools)[-1] == "signal.judged"


def test_a_note_that_is_too_long_is_shown_again(owner: Browser, signal: UUID):
    answer = owner.send(f"/console/signals/{signal}", state="new", note="x" * 501)

    assert answer.status_code == 422
    assert "That is too long." in seen(answer)


@pytest.mark.parametrize(
    ("way", "action"),
    [
        ("pause", "card.paused"),
        ("revoke", "terminal.revoked"),
        ("sign-out", "staff.signed_out"),
        ("undo", "entry.undone"),
    ],
)
def test_each_consequence_is_done_and_written_down(
    owner: Browser, signal: UUID, tools: Tools, way: str, action: str
):
    page = f"/console/signals/{signal}"
    # Signing oneself out everywhere ends this very session.
    answer = owner.send(page, f"{page}/{way}")

    assert answer.status_code == 302
    assert action in actions(tools)
    if way == "sign-out":
        assert owner.get(page).status_code == 302
        return
    # What was done is not offered again.
    assert f'id="way-{way}"' not in owner.get(page).text


def test_consequences_do_what_they_say(
    owner: Browser, signal: UUID, tools: Tools, stamped, barista: StaffCaller
):
    page = f"/console/signals/{signal}"
    owner.send(page, f"{page}/undo")
    owner.send(page, f"{page}/pause")
    owner.send(page, f"{page}/revoke")

    state = cards.card(tools, stamped[0])
    assert state.stamps == 0
    assert state.paused_at is not None
    with tools.database.read() as tx:
        assert tx.get_one(Terminal, barista.terminal_id).revoked_at is not None


def test_nothing_is_done_without_a_form_token(
    owner: Browser, signal: UUID, tools: Tools, stamped
):
    card_id, entry_id = stamped
    before = actions(tools)
    for path in (
        f"/console/signals/{signal}/pause",
        f"/console/signals/{signal}",
        f"/console/cards/{card_id}/pause",
        f"/console/entries/{entry_id}/undo",
        "/console/limits",
    ):
        answer = owner.client.post(path, data={"reason": "x", "state": "new"})
        assert answer.status_code == 403, path

    assert actions(tools) == before
    assert cards.card(tools, card_id).stamps == 2


def test_what_is_not_there_is_not_found(owner: Browser, signal: UUID):
    page = f"/console/signals/{signal}"
    assert owner.send(page, f"{page}/nonsense").status_code == 404
    assert owner.get(f"/console/signals/{uuid4()}").status_code == 404
    assert owner.get(f"/console/cards/{uuid4()}").status_code == 404
    assert owner.get(f"/console/locations/{uuid4()}/hours").status_code == 404


@pytest.fixture
def bo(tools: Tools, founded: Founded) -> UUID:
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    return shop.add_staff(tools, name="Bo", role="barista", pin="4071", by=by)


def guessed(tools: Tools, limit: str, most: int, minutes: int, **about: UUID) -> str:
    """Keep that a limit of guesses refused; its page."""
    known = {"is_known": "staff_id" in about}
    evidence = {"limit": limit, "most": most, "minutes": minutes, **known}
    signals.raise_now(tools, Raised("guesses", tools.now(), evidence, **about))
    return f"/console/signals/{desk.signals(tools, kind='guesses')[0].signal_id}"


def test_a_pin_that_was_guessed_at_a_till_is_told_with_what_to_do(
    owner: Browser, tools: Tools, make_terminal, bo: UUID
):
    till = make_terminal()
    for _ in range(6):
        with pytest.raises((LimitReached, Unauthenticated)):
            staff.sign_in(tools, till, bo, "0000")

    listed = seen(owner.get("/console/signals"))
    page = f"/console/signals/{desk.signals(tools)[0].signal_id}"
    told = owner.get(page)
    for words in (listed, seen(told)):
        assert "Somebody guessed at a PIN or a password" in words
        assert "More than 5 tries at this person's PIN within 15 minutes." in words
        assert "Bo" in words
        assert "Nyhavn" in words
        assert "Till 1" in words
    assert 'id="way-sign-out"' in told.text
    assert 'id="way-revoke"' in told.text
    # A new PIN is given on the person's own page.
    assert "Give a new PIN" in seen(told)
    assert told.text.count(f'href="/console/staff/{bo}"') == 2

    owner.send(page, f"{page}/revoke")
    owner.send(page, f"{page}/sign-out")
    assert actions(tools)[-2:] == ["terminal.revoked", "staff.signed_out"]


def test_a_password_that_was_guessed_at_the_door_is_told_with_what_to_do(
    owner: Browser, tools: Tools, manager: Browser
):
    stranger = Browser(owner.client.application.test_client())
    told = [stranger.sign_in("jonas@example.com", "wrong") for _ in range(6)]
    assert [answer.status_code for answer in told] == [401] * 5 + [429]

    page = owner.get(f"/console/signals/{desk.signals(tools)[0].signal_id}")
    words = seen(page)
    assert "More than 5 tries at this person's password within 15 minutes." in words
    assert "Jonas" in words
    assert "Give a new password" in words
    assert 'id="way-sign-out"' in page.text
    assert 'id="way-revoke"' not in page.text
    assert "jonas@example.com" not in page.text


def test_whom_the_door_refuses_hears_the_same_whoever_is_asked_for(
    stranger: Browser, tools: Tools, founded: Founded
):
    heard = []
    for email in (founded.email, "nobody@example.org"):
        answers = [stranger.sign_in(email, "wrong") for _ in range(7)]
        heard.append(
            [
                (answer.status_code, seen(answer), [*answer.headers.keys()])
                for answer in answers
            ]
        )

    assert heard[0] == heard[1]
    whose = {each.staff_id for each in desk.signals(tools)}
    assert whose == {founded.staff_id, None}


@pytest.mark.parametrize(
    ("limit", "most", "minutes", "words"),
    [
        ("pin_terminal", 20, 15, "20 tries at PINs of this till within 15 minutes"),
        ("pin", 5, 15, "5 tries at PINs of this till within 15 minutes"),
        (
            "password_address",
            30,
            60,
            "30 tries within 60 minutes at the password of an address that nobody "
            "signs in with",
        ),
        (
            "password_network",
            30,
            15,
            "30 tries at passwords from one network within 15 minutes",
        ),
    ],
)
def test_guesses_at_nobody_who_is_known_are_told_without_a_person(
    owner: Browser,
    tools: Tools,
    make_terminal,
    limit: str,
    most: int,
    minutes: int,
    words: str,
):
    is_at_a_till = limit.startswith("pin")
    about = {"terminal_id": make_terminal().terminal_id} if is_at_a_till else {}

    page = owner.get(guessed(tools, limit, most, minutes, **about))

    assert f"More than {words}. What was too much was refused." in seen(page)
    assert "/console/staff/" not in page.text
    assert ('id="way-revoke"' in page.text) == is_at_a_till
    assert 'id="way-sign-out"' not in page.text


def test_a_manager_gives_no_owner_a_new_pin(
    manager: Browser, tools: Tools, founded: Founded, make_terminal
):
    till = make_terminal()
    page = guessed(
        tools,
        "pin",
        5,
        15,
        staff_id=founded.staff_id,
        terminal_id=till.terminal_id,
    )

    told = manager.get(page)

    assert "Give a new PIN" not in seen(told)
    assert 'id="way-revoke"' in told.text


def test_a_manager_signs_no_owner_out(
    manager: Browser, signal: UUID, tools: Tools, founded: Founded
):
    page = f"/console/signals/{signal}"

    assert 'id="way-sign-out"' not in manager.get(page).text
    manager.send(page, f"{page}/sign-out")
    assert "Only an owner may change an owner." in seen(manager.get(page))
    assert "staff.signed_out" not in actions(tools)


def test_an_entry_is_undone_with_a_reason_on_its_cards_page(
    owner: Browser, tools: Tools, stamped
):
    card_id, entry_id = stamped
    page, undo = f"/console/cards/{card_id}", f"/console/entries/{entry_id}/undo"
    assert "2 stamps" in seen(owner.get(page))

    wrong = owner.send(page, undo, reason=" ")
    assert wrong.status_code == 422
    assert "Please fill this in." in seen(wrong)
    assert owner.send(page, undo, reason="No sale").status_code == 302

    told = seen(owner.get(page))
    assert "2 stamps undone" in told
    assert "No sale" in told
    assert cards.card(tools, card_id).stamps == 0


def test_a_voucher_that_was_used_is_undone_first(
    owner: Browser, tools: Tools, give, make_card, barista: StaffCaller
):
    from app.programme import rewards  # noqa: PLC0415

    card = give(make_card(), 5)
    code = stamping.card_code(tools, card.card_id).code
    last = stamping.stamp(
        tools, code, stamps=5, request_id=uuid4().hex, staff=barista
    ).answer
    voucher = last["card"]["vouchers"][0]["voucher_id"]
    shown = rewards.voucher_code(tools, UUID(voucher), card.member_id).code
    rewards.redeem(tools, shown, request_id=uuid4().hex, staff=barista)

    page = f"/console/cards/{card.card_id}"
    answer = owner.send(page, f"/console/entries/{last['stamp_id']}/undo", reason="No")

    assert answer.status_code == 409
    assert "Its reward was handed out. Undo that first." in seen(answer)


def test_a_card_is_paused_and_goes_on(owner: Browser, tools: Tools, stamped):
    page = f"/console/cards/{stamped[0]}"
    owner.send(page, f"{page}/pause", to="on")
    assert "Nothing counts on it, and its phone says so." in seen(owner.get(page))

    owner.send(page, f"{page}/pause", to="off")

    assert cards.card(tools, stamped[0]).paused_at is None


def test_a_paused_cards_phone_says_so(tools: Tools, stamped, founded: Founded):
    by = ConsoleCaller(founded.staff_id, "Sofie", "owner")
    state = cards.card(tools, stamped[0])
    shop.pause_card(tools, stamped[0], is_paused=True, by=by)
    client = app_over(tools).test_client()
    with tools.database.begin() as tx:
        from app.programme import sessions  # noqa: PLC0415

        token = sessions.grant(tx, tools, "member", member_id=state.member_id)
    client.set_cookie("pp_member", token)

    page = client.get(f"/card/{stamped[0]}").text

    assert "The shop has paused this card. A manager can tell why." in page
    assert "Show my code" not in page


def test_limits_are_shown_changed_and_refused(
    owner: Browser, tools: Tools, founded: Founded
):
    page = "/console/limits"
    wrong = owner.send(
        page, most_per_scan="9", most_per_card="0", most_per_location="x"
    )
    assert wrong.status_code == 422
    assert seen(wrong).count("A whole number from 1 to") == 3

    owner.send(page, most_per_scan="3", most_per_card="12", most_per_location="")

    with tools.database.read() as tx:
        row = tx.get_one(Programme, founded.programme_id)
    assert limits.of(row) == limits.Limits(3, 12, None, None, None)
    assert 'value="12"' in owner.get(page).text


def test_opening_hours_are_shown_changed_and_refused(
    owner: Browser, tools: Tools, founded: Founded
):
    page = f"/console/locations/{founded.location_id}/hours"
    wrong = owner.send(page, opens_0="7", closes_0="18:00")
    assert wrong.status_code == 422
    assert "Give both times, such as 7:30 and 18:00." in seen(wrong)

    owner.send(page, opens_0="7:30", closes_0="18:00")

    assert 'value="07:30"' in owner.get(page).text
    known = shop.hours_of(tools)[founded.location_id]
    assert known is not None
    assert known.days[:2] == ((450, 1080), None)
    owner.send(page)
    assert shop.hours_of(tools)[founded.location_id] is None


def test_an_own_card_is_noted_and_taken_back(
    owner: Browser, tools: Tools, founded: Founded
):
    card = cards.card(tools, members.join(tools, name="Sofie").card_id)
    page = f"/console/staff/{founded.staff_id}"
    wrong = owner.send(page, f"{page}/own-card", number="1234")
    assert wrong.status_code == 422
    assert "There is no card with this number." in seen(wrong)

    owner.send(page, f"{page}/own-card", number=f"{card.number[:4]} {card.number[4:]}")
    assert card.number[:4] in seen(owner.get(page))
    told = seen(owner.get(f"/console/cards/{card.card_id}"))
    assert "The own card of somebody who works here." in told

    owner.send(page, f"{page}/own-card/{card.card_id}/remove")
    assert own_cards.of_person(tools, founded.staff_id) == []


def test_a_search_that_would_list_everybody_is_refused(owner: Browser, stamped):
    told = seen(owner.get("/console/cards?q=a"))

    assert "Type the whole number, or three letters of the name." in told
    assert "Anna" in seen(owner.get("/console/cards?q=anna"))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_whoever_only_looks_changes_no_limits_and_no_hours(
    owner: Browser, tools: Tools, founded: Founded, method: str
):
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    week = Hours(((450, 1080),) * 7)
    shop.save_hours(tools, founded.location_id, week, by=by)
    before = actions(tools)

    for path in ("/console/limits", f"/console/locations/{founded.location_id}/hours"):
        owner.client.open(path, method=method)

    assert actions(tools) == before
    assert shop.hours_of(tools)[founded.location_id] == week
