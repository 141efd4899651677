"""What owners and managers may change, what is refused, and what is written down."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.programme import cards, members, sessions, shop, staff
from app.programme.cards import CardState
from app.programme.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller, StaffCaller, TerminalCaller
from app.store.tables import AuditEntry
from app.tools import Tools
from tests.conftest import Clock, both_books


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def add_person(tools: Tools, owner: ConsoleCaller) -> Callable[..., ConsoleCaller]:
    """Add a person and speak as them."""

    def add(role: str, **details: str) -> ConsoleCaller:
        given = {"name": "Jonas", "pin": "2580", **details}
        staff_id = shop.add_staff(tools, role=role, by=owner, **given)
        return ConsoleCaller(staff_id, given["name"], role)

    return add


@pytest.fixture
def manager(add_person: Callable[..., ConsoleCaller]) -> ConsoleCaller:
    return add_person("manager")


def _audited(tools: Tools, action: str) -> AuditEntry:
    with tools.database.read() as tx:
        return tx.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()


def _fields(error: pytest.ExceptionInfo[InvalidRequest]) -> dict[str, str]:
    return error.value.fields


def _save(tools: Tools, founded: Founded, by: ConsoleCaller, **changes: object) -> None:
    values: dict[str, object] = {
        "programme_id": founded.programme_id,
        "name": "10 coffees, 1 free",
        "reward": "Free coffee",
        "stamps_required": 10,
        "terms": "Be kind.",
        "is_open": True,
        "voucher_days": None,
        **changes,
    }
    shop.save_programme(tools, by=by, **values)  # type: ignore[arg-type]


# The shop


def test_the_shop_is_changed_and_who_did_it_is_written_down(
    tools: Tools, owner: ConsoleCaller
) -> None:
    shop.update_shop(
        tools, name="  Kaffe   & Te ", colour="#AABBCC", timezone="Asia/Tokyo", by=owner
    )

    assert shop.shop(tools) == shop.ShopView("Kaffe & Te", "#aabbcc", "Asia/Tokyo")
    assert _audited(tools, "shop.changed").staff_id == owner.staff_id


def test_each_wrong_field_of_the_shop_is_named(
    tools: Tools, owner: ConsoleCaller
) -> None:
    with pytest.raises(InvalidRequest) as error:
        shop.update_shop(tools, name=" ", colour="green", timezone="Mars", by=owner)

    assert _fields(error) == {
        "name": "missing",
        "colour": "not_a_colour",
        "timezone": "not_a_timezone",
    }


@pytest.mark.parametrize(
    ("colour", "ink"),
    [
        # The same table as in tests/app/web/console/contrast.test.mjs.
        ("#0f5c4a", "#ffffff"),
        ("#000000", "#ffffff"),
        ("#ffffff", "#1d1a16"),
        ("#ffd400", "#1d1a16"),
        ("#808080", "#000000"),
    ],
)
def test_words_on_the_colour_can_be_read(colour: str, ink: str) -> None:
    assert shop.ink_on(colour) == ink


# Programme


def test_changed_terms_are_a_new_version_and_the_old_text_is_kept(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    before = members.default_programme(tools)

    _save(tools, founded, owner, terms="Be very kind.")

    after = members.default_programme(tools)
    assert (after.terms, after.terms_version) == ("Be very kind.", 2)
    assert _audited(tools, "programme.changed").detail["replaced"] == {
        "terms": before.terms,
        "terms_version": 1,
    }


def test_who_promises_the_same_stays_at_the_same_version(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    terms = members.default_programme(tools).terms

    _save(tools, founded, owner, name="12 coffees", terms=terms)

    after = members.default_programme(tools)
    assert (after.name, after.terms_version) == ("12 coffees", 1)


def test_phones_hear_of_a_changed_programme(
    tools: Tools,
    founded: Founded,
    owner: ConsoleCaller,
    make_card: Callable[..., CardState],
) -> None:
    card, terms = make_card(), members.default_programme(tools).terms

    _save(tools, founded, owner, name="12 coffees", terms=terms)

    assert cards.card(tools, card.card_id).version == card.version + 1


def test_a_shop_without_a_programme_makes_its_first(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    _save(tools, founded, owner, programme_id=None, name="Second card")

    names = [each.name for each in shop.programmes(tools)]
    assert names == ["10 coffees, 1 free", "Second card"]
    assert shop.programmes(tools)[1].terms_version == 1


@pytest.mark.parametrize("stamps", [None, 1, 31, -3])
def test_a_card_needs_2_to_30_stamps(
    tools: Tools, founded: Founded, owner: ConsoleCaller, stamps: int | None
) -> None:
    with pytest.raises(InvalidRequest) as error:
        _save(tools, founded, owner, stamps_required=stamps)

    assert _fields(error) == {"stamps_required": "out_of_range"}


def test_terms_are_lines_of_text(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    _save(tools, founded, owner, terms="  One.\r\n\tTwo.  \r\n")
    with pytest.raises(InvalidRequest) as error:
        _save(tools, founded, owner, terms="One.\x00")

    assert members.default_programme(tools).terms == "One.\n\tTwo."
    assert _fields(error) == {"terms": "bad_characters"}


def test_an_unknown_programme_is_not_found(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    with pytest.raises(NotFound):
        _save(tools, founded, owner, programme_id=uuid4())


# Locations


def test_locations_are_added_renamed_and_counted(
    tools: Tools,
    founded: Founded,
    owner: ConsoleCaller,
    make_terminal: Callable[..., TerminalCaller],
) -> None:
    torvet = shop.add_location(tools, name="Torvet", by=owner)
    make_terminal(torvet)
    shop.rename_location(tools, torvet, name="Axeltorv", by=owner)

    assert shop.locations(tools) == [
        shop.LocationView(torvet, "Axeltorv", 1),
        shop.LocationView(founded.location_id, "Nyhavn", 0),
    ]
    assert _audited(tools, "location.renamed").detail == {
        "was": "Torvet",
        "name": "Axeltorv",
    }


def test_two_locations_have_two_names(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    torvet = shop.add_location(tools, name="Torvet", by=owner)

    with pytest.raises(InvalidRequest) as added:
        shop.add_location(tools, name=" Torvet ", by=owner)
    with pytest.raises(InvalidRequest) as renamed:
        shop.rename_location(tools, torvet, name="Nyhavn", by=owner)

    assert _fields(added) == _fields(renamed) == {"name": "taken"}


@both_books
def test_one_of_two_who_add_the_same_location_at_once_is_refused(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    def add(_number: int) -> str:
        try:
            shop.add_location(tools, name="Torvet", by=owner)
        except InvalidRequest as error:
            return error.fields["name"]
        return "added"

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(add, range(8)))

    assert answers == ["added", *["taken"] * 7]


# Terminals


def test_an_enrolment_code_says_when_its_terminal_is_there(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    issued = shop.enrolment(
        tools, location_id=founded.location_id, name="Front", by=owner
    )
    waiting = shop.enrolment_state(tools, issued.nonce)
    staff.enrol(tools, issued.code)

    assert waiting == shop.EnrolmentState("waiting", None, None)
    assert shop.enrolment_state(tools, issued.nonce) == shop.EnrolmentState(
        "added", "Front", "Nyhavn"
    )
    assert [each.name for each in shop.terminals(tools)] == ["Front"]


@pytest.mark.parametrize("location_id", [None, UUID(int=7)])
def test_an_enrolment_needs_a_name_and_a_location(
    tools: Tools, owner: ConsoleCaller, location_id: UUID | None
) -> None:
    with pytest.raises(InvalidRequest) as error:
        shop.enrolment(tools, location_id=location_id, name="", by=owner)

    assert _fields(error) == {"name": "missing", "location_id": "missing"}


def test_a_revoked_terminal_is_nobody_at_once(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    issued = shop.enrolment(
        tools, location_id=founded.location_id, name="Front", by=owner
    )
    enrolled = staff.enrol(tools, issued.code)
    sessions.who(tools, enrolled.token)

    shop.revoke_terminal(tools, enrolled.terminal_id, by=owner)
    shop.revoke_terminal(tools, enrolled.terminal_id, by=owner)

    with pytest.raises(Unauthenticated):
        sessions.who(tools, enrolled.token)
    assert shop.terminals(tools)[0].revoked_at is not None
    assert _audited(tools, "terminal.revoked").detail == {"name": "Front"}


# Staff


def test_a_new_person_signs_in_with_pin_and_password(
    tools: Tools,
    add_person: Callable[..., ConsoleCaller],
    make_terminal: Callable[..., TerminalCaller],
) -> None:
    person = add_person(
        "manager", email=" Jonas@Example.com ", password="long enough 1"
    )

    at_till = staff.sign_in(tools, make_terminal(), person.staff_id, "2580")
    in_console = staff.console_sign_in(tools, "jonas@example.com", "long enough 1")

    assert at_till.name == in_console.name == "Jonas"
    assert _audited(tools, "staff.added").detail == {
        "name": "Jonas",
        "role": "manager",
        "has_console": True,
    }


def test_each_wrong_field_of_a_person_is_named(
    tools: Tools, owner: ConsoleCaller
) -> None:
    with pytest.raises(InvalidRequest) as error:
        shop.add_staff(
            tools,
            name="",
            role="manager",
            pin="1234",
            email="jonas",
            password="short",
            by=owner,
        )

    assert _fields(error) == {
        "name": "missing",
        "pin": "too_simple",
        "email": "not_an_email",
        "password": "too_short",
    }


@pytest.mark.parametrize(
    "pin", ["123", "123456789", "12a4", "", "\uff11\uff12\uff15\uff18"]
)
def test_a_pin_is_4_to_8_digits(tools: Tools, owner: ConsoleCaller, pin: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        shop.set_pin(tools, owner.staff_id, pin=pin, by=owner)

    assert _fields(error) == {"pin": "not_digits"}


def test_a_barista_has_no_sign_in_for_the_console(
    tools: Tools, owner: ConsoleCaller, add_person: Callable[..., ConsoleCaller]
) -> None:
    mia = add_person("barista")

    with pytest.raises(InvalidRequest) as error:
        shop.set_console_access(
            tools,
            mia.staff_id,
            email="mia@example.com",
            password="long enough 1",
            by=owner,
        )

    assert _fields(error) == {"email": "not_for_role"}


def test_an_email_belongs_to_one_person(
    add_person: Callable[..., ConsoleCaller],
) -> None:
    add_person("manager", email="jo@example.com", password="long enough 1")

    with pytest.raises(InvalidRequest) as error:
        add_person("owner", email="JO@example.com", password="long enough 2")

    assert _fields(error) == {"email": "taken"}


def test_a_person_of_an_unknown_location_or_role_is_refused(
    tools: Tools, owner: ConsoleCaller
) -> None:
    with pytest.raises(InvalidRequest) as place:
        shop.add_staff(
            tools, name="Mia", role="barista", pin="2580", location_id=uuid4(), by=owner
        )
    with pytest.raises(InvalidRequest) as role:
        shop.add_staff(tools, name="Mia", role="king", pin="2580", by=owner)

    assert _fields(place) == {"location_id": "missing"}
    assert _fields(role) == {"role": "not_a_role"}


def test_a_new_pin_signs_the_person_out_of_every_till(
    tools: Tools, owner: ConsoleCaller, barista: StaffCaller, founded: Founded
) -> None:
    terminal = TerminalCaller(
        barista.terminal_id, "Till", barista.location_id, barista.location_name
    )
    token = staff.sign_in(tools, terminal, founded.staff_id, founded.pin).token

    shop.set_pin(tools, founded.staff_id, pin="2580", by=owner)

    with pytest.raises(Unauthenticated):
        sessions.who(tools, token)
    assert staff.sign_in(tools, terminal, founded.staff_id, "2580").name == "Owner"


def test_a_new_password_ends_the_sessions_of_the_old_one(
    tools: Tools, owner: ConsoleCaller, add_person: Callable[..., ConsoleCaller]
) -> None:
    jonas = add_person("manager", email="jo@example.com", password="long enough 1")
    token = staff.console_sign_in(tools, "jo@example.com", "long enough 1").token

    shop.set_console_access(
        tools,
        jonas.staff_id,
        email="jo@example.com",
        password="long enough 2",
        by=owner,
    )

    with pytest.raises(Unauthenticated):
        sessions.who(tools, token)
    assert staff.console_sign_in(tools, "jo@example.com", "long enough 2")


def test_ones_own_new_password_ends_every_session_but_the_one_that_asks(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    # given an owner's two sessions, one of them in a thief's hands
    def enter() -> str:
        return staff.console_sign_in(tools, founded.email, founded.password).token

    mine, theirs = enter(), enter()

    # when the owner takes another password
    facts = {"email": "owner@example.com", "password": "long enough 2"}
    shop.set_console_access(tools, founded.staff_id, **facts, by=owner, kept=mine)

    # then the thief is out
    assert sessions.who(tools, mine) == owner
    with pytest.raises(Unauthenticated):
        sessions.who(tools, theirs)


def test_a_person_switched_off_is_nobody_until_switched_on(
    tools: Tools, owner: ConsoleCaller, add_person: Callable[..., ConsoleCaller]
) -> None:
    jonas = add_person("manager", email="jo@example.com", password="long enough 1")
    token = staff.console_sign_in(tools, "jo@example.com", "long enough 1").token

    shop.set_active(tools, jonas.staff_id, is_active=False, by=owner)

    with pytest.raises(Unauthenticated):
        sessions.who(tools, token)
    with pytest.raises(Unauthenticated):
        staff.console_sign_in(tools, "jo@example.com", "long enough 1")
    shop.set_active(tools, jonas.staff_id, is_active=True, by=owner)
    assert staff.console_sign_in(tools, "jo@example.com", "long enough 1")


# Who may


def test_a_manager_keeps_the_shop_but_touches_no_owner(
    tools: Tools, founded: Founded, owner: ConsoleCaller, manager: ConsoleCaller
) -> None:
    shop.add_location(tools, name="Torvet", by=manager)
    shop.add_staff(tools, name="Mia", role="barista", pin="2580", by=manager)
    _save(tools, founded, manager)

    for attempt in (
        lambda: shop.set_pin(tools, owner.staff_id, pin="2580", by=manager),
        lambda: shop.rename_staff(tools, owner.staff_id, name="Me", by=manager),
        lambda: shop.set_active(tools, owner.staff_id, is_active=False, by=manager),
        lambda: shop.set_console_access(
            tools,
            owner.staff_id,
            email="me@example.com",
            password="long enough 1",
            by=manager,
        ),
        lambda: shop.add_staff(
            tools, name="Me too", role="owner", pin="2580", by=manager
        ),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_a_barista_changes_nothing(
    tools: Tools, founded: Founded, owner: ConsoleCaller
) -> None:
    mia = ConsoleCaller(uuid4(), "Mia", "barista")
    here = founded.location_id

    for attempt in (
        lambda: shop.update_shop(
            tools, name="Mine", colour="#000000", timezone="UTC", by=mia
        ),
        lambda: _save(tools, founded, mia),
        lambda: shop.add_location(tools, name="Mine", by=mia),
        lambda: shop.rename_location(tools, here, name="Mine", by=mia),
        lambda: shop.enrolment(tools, location_id=here, name="Mine", by=mia),
        lambda: shop.revoke_terminal(tools, uuid4(), by=mia),
        lambda: shop.add_staff(tools, name="Me", role="barista", pin="2580", by=mia),
        lambda: shop.set_pin(tools, mia.staff_id, pin="2580", by=mia),
        lambda: shop.rename_staff(tools, mia.staff_id, name="Me", by=mia),
        lambda: shop.set_active(tools, owner.staff_id, is_active=False, by=mia),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_nobody_switches_themselves_off(tools: Tools, owner: ConsoleCaller) -> None:
    with pytest.raises(Forbidden):
        shop.set_active(tools, owner.staff_id, is_active=False, by=owner)


@both_books
def test_two_owners_who_switch_each_other_off_leave_one(
    tools: Tools, owner: ConsoleCaller, add_person: Callable[..., ConsoleCaller]
) -> None:
    other = add_person("owner")

    def switch_off(pair: tuple[ConsoleCaller, ConsoleCaller]) -> None:
        by, whom = pair
        try:
            shop.set_active(tools, whom.staff_id, is_active=False, by=by)
        except Forbidden:
            return

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(switch_off, [(owner, other), (other, owner)]))

    active = [each for each in shop.staff_members(tools) if each.is_active]
    assert [each.role for each in active] == ["owner"]


def test_a_session_older_than_its_life_has_ended(
    tools: Tools, founded: Founded, clock: Clock
) -> None:
    token = staff.console_sign_in(tools, founded.email, founded.password).token

    clock.forward(timedelta(hours=13))

    with pytest.raises(Unauthenticated):
        sessions.who(tools, token)
