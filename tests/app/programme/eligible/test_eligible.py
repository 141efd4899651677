"""Who may take a card, and how people come into groups: once, and by no guess."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.programme import cards, eligible, members, shop, stamping
from app.programme.cards import CardState
from app.programme.eligible import Rules
from app.programme.errors import Forbidden, InvalidRequest, LimitReached, NotEligible
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import Invitation, InvitationUse, Member
from app.tools import Tools
from tests.conftest import Clock, both_books


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def walks(tools: Tools, owner: ConsoleCaller) -> UUID:
    """A second card of the shop."""
    return shop.save_programme(
        tools,
        programme_id=None,
        name="Eight walks",
        reward="Dog biscuit",
        stamps_required=8,
        terms="",
        is_open=True,
        voucher_days=None,
        by=owner,
    ).programme_id


@pytest.fixture
def dogs(tools: Tools, owner: ConsoleCaller) -> UUID:
    return eligible.add_group(tools, name="Dog owners", staff_may_add=True, by=owner)


def code_of(tools: Tools, invitation_id: UUID) -> str:
    return eligible.invitation(tools, invitation_id).code


@pytest.fixture
def invite(tools: Tools, dogs: UUID, owner: ConsoleCaller) -> Callable[..., str]:
    """Make an invitation to the dog owners; its code."""

    def make(most_uses: int = 1, last_day: date | None = None) -> str:
        made = eligible.invite(
            tools, dogs, name="Park", most_uses=most_uses, last_day=last_day, by=owner
        )
        return code_of(tools, made)

    return make


def why(error: pytest.ExceptionInfo[NotEligible]) -> tuple[str | None, object, object]:
    return error.value.why, error.value.needed, error.value.have


def test_a_card_for_a_group_takes_an_invitation(
    tools: Tools,
    walks: UUID,
    dogs: UUID,
    owner: ConsoleCaller,
    invite: Callable[..., str],
) -> None:
    eligible.save_rules(tools, walks, Rules(group_id=dogs), by=owner)
    with pytest.raises(NotEligible) as error:
        members.join(tools, programme_id=walks)
    assert why(error)[0] == "needs_invitation"
    code = invite()

    joined = members.join(tools, programme_id=walks, invitation=code.lower())

    assert cards.card(tools, joined.card_id).programme.programme_id == walks
    with pytest.raises(NotEligible) as error:
        members.join(tools, programme_id=walks, invitation=code)
    assert why(error)[0] == "invitation_used_up"


@pytest.mark.parametrize("counted", ["purchases", "visits"])
def test_a_card_comes_after_some_purchases_or_visits(
    tools: Tools,
    walks: UUID,
    owner: ConsoleCaller,
    clock: Clock,
    counted: str,
    make_card: Callable[..., CardState],
    give: Callable[..., CardState],
) -> None:
    eligible.save_rules(tools, walks, Rules(least_count=2, counted=counted), by=owner)
    card = make_card()
    give(card, 1)
    with pytest.raises(NotEligible) as error:
        members.take_card(tools, card.member_id, walks)
    assert why(error) == (f"needs_{counted}", 2, 1)
    if counted == "visits":
        clock.forward(timedelta(days=1))
    give(card, 1)

    taken = members.take_card(tools, card.member_id, walks)

    assert taken.is_new
    assert not members.take_card(tools, card.member_id, walks).is_new


def test_age_is_told_by_the_birthday_or_seen_by_staff(
    tools: Tools,
    walks: UUID,
    owner: ConsoleCaller,
    barista: StaffCaller,
    make_card: Callable[..., CardState],
) -> None:
    eligible.save_rules(tools, walks, Rules(least_age=18), by=owner)
    with pytest.raises(NotEligible) as error:
        members.join(tools, programme_id=walks)
    assert why(error)[:2] == ("needs_age", 18)
    child = tools.now().date() - timedelta(days=365 * 10)
    with pytest.raises(NotEligible):
        members.join(tools, programme_id=walks, birthday=child)
    members.join(tools, programme_id=walks, birthday=date(1980, 2, 29))
    card = make_card()

    code = stamping.card_code(tools, card.card_id).code
    eligible.note_age(tools, code, 18, staff=barista)

    assert members.take_card(tools, card.member_id, walks).is_new
    assert eligible.known_of(tools, card.member_id).age_seen == 18


def test_staff_put_people_in_but_not_themselves(
    tools: Tools,
    dogs: UUID,
    owner: ConsoleCaller,
    barista: StaffCaller,
    make_card: Callable[..., CardState],
) -> None:
    card, mine = make_card(), make_card("Mia")
    with tools.database.begin() as tx:
        tx.get_one(Member, mine.member_id).staff_id = barista.staff_id
    code = stamping.card_code(tools, card.card_id).code
    eligible.put_in_at_till(tools, code, dogs, staff=barista)
    assert eligible.known_of(tools, card.member_id).groups == ("Dog owners",)

    own = stamping.card_code(tools, mine.card_id).code
    with pytest.raises(NotEligible) as error:
        eligible.put_in_at_till(tools, own, dogs, staff=barista)

    assert why(error)[0] == "own_card"
    eligible.save_group(tools, dogs, name="Dogs", staff_may_add=False, by=owner)
    with pytest.raises(InvalidRequest):
        eligible.put_in_at_till(tools, code, dogs, staff=barista)


def test_whoever_is_taken_out_collects_no_more(
    tools: Tools,
    walks: UUID,
    dogs: UUID,
    owner: ConsoleCaller,
    invite: Callable[..., str],
) -> None:
    eligible.save_rules(tools, walks, Rules(group_id=dogs), by=owner)
    joined = members.join(tools, programme_id=walks, invitation=invite())
    stamping.card_code(tools, joined.card_id)

    eligible.take_out(tools, dogs, joined.member_id, by=owner)

    with pytest.raises(NotEligible) as error:
        stamping.card_code(tools, joined.card_id)
    assert why(error)[0] == "left_group"


def test_what_nobody_could_meet_is_refused_at_its_field(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    empty = eligible.add_group(tools, name="Nobody", staff_may_add=False, by=owner)
    for rules, fields in (
        (Rules(least_age=0), {"least_age": "out_of_range"}),
        (Rules(least_age=200), {"least_age": "out_of_range"}),
        (Rules(least_count=1001), {"least_count": "out_of_range"}),
        (Rules(least_count=3), {"least_count": "no_other_card"}),
        (Rules(group_id=empty), {"group_id": "no_way_in"}),
        (Rules(group_id=uuid4()), {"group_id": "missing"}),
    ):
        with pytest.raises(InvalidRequest) as error:
            eligible.save_rules(tools, founded.programme_id, rules, by=owner)
        assert error.value.fields == fields
    barista = ConsoleCaller(founded.staff_id, "Mia", "barista")
    with pytest.raises(Forbidden):
        eligible.save_rules(tools, founded.programme_id, Rules(), by=barista)


def test_an_invitation_ends(
    tools: Tools,
    owner: ConsoleCaller,
    clock: Clock,
    invite: Callable[..., str],
    make_card: Callable[..., CardState],
) -> None:
    member_id = make_card().member_id
    code = invite(5, (tools.now() + timedelta(hours=2)).date())
    clock.forward(timedelta(days=3))
    for wrong, expected in (
        (code, "invitation_over"),
        ("ABCD-EFGH-JKMN", "invitation_unknown"),
        ("", "invitation_unknown"),
        ("\x00" * 200, "invitation_unknown"),
    ):
        with pytest.raises(NotEligible) as error:
            eligible.use_invitation(tools, wrong, member_id)
        assert why(error)[0] == expected


def test_who_guesses_codes_is_slowed_down(tools: Tools) -> None:
    for _ in range(60):
        eligible.may_try(tools, "192.0.2.7")

    with pytest.raises(LimitReached):
        eligible.may_try(tools, "192.0.2.7")


@both_books
def test_an_invitation_is_used_as_often_as_it_says(
    tools: Tools, invite: Callable[..., str], make_card: Callable[..., CardState]
) -> None:
    code, people = invite(3), [make_card().member_id for _ in range(8)]

    def use(member_id: UUID) -> str:
        try:
            eligible.use_invitation(tools, code, member_id)
        except NotEligible as error:
            return error.why or ""
        return "in"

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(use, people))

    assert said == ["in"] * 3 + ["invitation_used_up"] * 5


@both_books
def test_a_member_uses_an_invitation_once(
    tools: Tools, invite: Callable[..., str], make_card: Callable[..., CardState]
) -> None:
    code, member_id = invite(8), make_card().member_id

    def use(_number: int) -> str:
        try:
            eligible.use_invitation(tools, code, member_id)
        except Exception as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(8) as pool:
        said = set(pool.map(use, range(8)))

    assert said <= {"in", "TryAgain"}
    with tools.database.read() as tx:
        assert tx.scalars(select(Invitation.uses)).one() == 1
        assert len(tx.scalars(select(InvitationUse)).all()) == 1


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 110))
def test_nobody_turns_an_age_before_the_day(birthday: date, years: int) -> None:
    day = birthday.replace(year=birthday.year + years, day=min(birthday.day, 28))

    assert eligible.age_on(birthday, day) == years - (birthday.day > 28)
    assert eligible.age_on(birthday, day + timedelta(days=4)) >= years
