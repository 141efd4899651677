"""A change is announced in time, told, called back, and takes effect when it said."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.programme import cards, members, proofs, shop, terms
from app.programme.errors import Forbidden, InvalidRequest, NotFound
from app.programme.founding import Founded
from app.programme.sessions import ConsoleCaller
from app.programme.terms import accepted
from app.store.tables import Outgoing, ProgrammeVersion, TermsAccepted
from app.tools import Tools
from tests.conftest import Clock, both_books


@pytest.fixture
def owner(founded: Founded) -> ConsoleCaller:
    return ConsoleCaller(founded.staff_id, "Owner", "owner")


@pytest.fixture
def save(tools: Tools, founded: Founded, owner: ConsoleCaller) -> Callable[..., object]:
    """Save the programme with some of it changed."""

    def change(**changed: object) -> object:
        now = members.programme(tools, founded.programme_id)
        facts = {
            "programme_id": founded.programme_id,
            "name": now.name,
            "reward": now.reward,
            "stamps_required": now.stamps_required,
            "terms": now.terms,
            "is_open": now.is_open,
            "voucher_days": now.voucher_days,
            "by": owner,
        }
        return shop.save_programme(tools, **{**facts, **changed})  # type: ignore[arg-type]

    return change


def today(tools: Tools) -> date:
    return tools.now().astimezone(ZoneInfo("Europe/Copenhagen")).date()


def required(tools: Tools, founded: Founded) -> int:
    return members.programme(tools, founded.programme_id).stamps_required


def written(tools: Tools, table: type) -> int:
    with tools.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(table)) or 0


def test_what_loses_waits_for_its_day(
    tools: Tools, founded: Founded, clock: Clock, save: Callable[..., object]
) -> None:
    members.join(tools)

    save(stamps_required=12)

    assert required(tools, founded) == 10
    found = terms.coming(tools, founded.programme_id)
    assert found is not None
    assert found[1].effective_at.astimezone(ZoneInfo("Europe/Copenhagen")).date() == (
        today(tools) + timedelta(days=14)
    )
    clock.forward(timedelta(days=15))
    # by the clock, before any worker has passed by
    assert required(tools, founded) == 12
    assert terms.take_effect(tools) == 1
    assert terms.take_effect(tools) == 0
    assert required(tools, founded) == 12


def test_what_gains_holds_at_once(
    tools: Tools, founded: Founded, save: Callable[..., object]
) -> None:
    members.join(tools)

    save(stamps_required=8)

    assert required(tools, founded) == 8
    assert terms.coming(tools, founded.programme_id) is None


def test_without_a_card_nobody_was_promised_anything(
    tools: Tools, founded: Founded, save: Callable[..., object]
) -> None:
    save(stamps_required=12, reward="Cake")

    now = members.programme(tools, founded.programme_id)
    assert (now.stamps_required, now.reward, now.terms_version) == (12, "Cake", 1)


@pytest.mark.parametrize(
    ("days", "word"), [(13, "too_soon"), (-1, "too_soon"), (800, "out_of_range")]
)
def test_the_day_has_to_leave_time(
    tools: Tools, save: Callable[..., object], days: int, word: str
) -> None:
    members.join(tools)

    with pytest.raises(InvalidRequest) as error:
        save(stamps_required=12, effective_on=today(tools) + timedelta(days=days))

    assert error.value.fields == {"effective_on": word}


def test_one_change_at_a_time(tools: Tools, save: Callable[..., object]) -> None:
    members.join(tools)
    save(stamps_required=12)

    with pytest.raises(InvalidRequest) as error:
        save(stamps_required=13)

    assert error.value.fields == {"effective_on": "announced_before"}


def test_a_change_is_called_back_until_its_day(
    tools: Tools,
    founded: Founded,
    clock: Clock,
    owner: ConsoleCaller,
    save: Callable[..., object],
) -> None:
    members.join(tools, email="anna@example.org")
    save(stamps_required=12)

    barista = ConsoleCaller(founded.staff_id, "Mia", "barista")
    with pytest.raises(Forbidden):
        shop.call_back(tools, founded.programme_id, 2, by=barista)
    shop.call_back(tools, founded.programme_id, 2, by=owner)

    assert terms.coming(tools, founded.programme_id) is None
    clock.forward(timedelta(days=30))
    assert terms.take_effect(tools) == 0
    assert required(tools, founded) == 10
    with tools.database.read() as tx:
        kinds = tx.scalars(select(Outgoing.kind).order_by(Outgoing.created_at)).all()
    assert kinds == ["welcome", "terms", "terms"]
    save(stamps_required=12)
    clock.forward(timedelta(days=30))
    with pytest.raises(NotFound):
        shop.call_back(tools, founded.programme_id, 2, by=owner)


def test_phones_fetch_what_was_announced_and_the_audit_knows(
    tools: Tools, founded: Founded, clock: Clock, save: Callable[..., object]
) -> None:
    joined = members.join(tools)
    before = cards.card(tools, joined.card_id).version
    save(stamps_required=12)
    announced = cards.card(tools, joined.card_id).version
    clock.forward(timedelta(days=15))
    terms.take_effect(tools)

    assert (announced, cards.card(tools, joined.card_id).version) == (
        before + 1,
        before + 2,
    )
    cards.accept_terms(tools, joined.card_id, 2)
    assert terms.accepted_by(tools, founded.programme_id)[1] == 1
    assert proofs.prove(tools).findings == ()


@both_books
def test_two_who_announce_at_once_announce_one(
    tools: Tools, founded: Founded, save: Callable[..., object]
) -> None:
    members.join(tools)

    def one(stamps: int) -> str:
        try:
            save(stamps_required=stamps)
        except InvalidRequest as error:
            return error.fields["effective_on"]
        return "announced"

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(one, (11, 12, 13, 14)))

    assert said == ["announced", *["announced_before"] * 3]
    # the version in force, and the one to come
    assert written(tools, ProgrammeVersion) == 2


@both_books
def test_a_version_is_agreed_to_once(tools: Tools, founded: Founded) -> None:
    card_id = members.join(tools).card_id

    def agree(_number: int) -> str:
        try:
            with tools.database.begin() as tx:
                accepted.note(tx, card_id, 7, tools.now())
        except IntegrityError:
            return "met the other"
        return "noted"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(agree, range(8)))

    # one at joining, and the seventh
    assert written(tools, TermsAccepted) == 2
