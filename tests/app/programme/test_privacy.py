"""What is kept of a person: told whole, and forgotten once, and the books stay true."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.programme import (
    cards,
    consents,
    members,
    privacy,
    proofs,
    sessions,
    stamping,
)
from app.programme.cards import CardState
from app.programme.consents import Choice, Wording
from app.programme.errors import (
    CardClosed,
    ErasedBefore,
    Forbidden,
    InvalidRequest,
    NotFound,
    Refused,
    Unauthenticated,
)
from app.programme.founding import Founded
from app.programme.privacy.kept import KEPT, Kept
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import (
    AccessToken,
    Consent,
    Erasure,
    LedgerEntry,
    Member,
    Outgoing,
    Table,
)
from app.tools import Tools
from tests.conftest import both_books

WORDS = Wording("The shop may write to me: news.", "en", 1)


def yes(kind: str = "news") -> Choice:
    return Choice(kind, is_given=True, wording=WORDS)


def no(kind: str = "news") -> Choice:
    return Choice(kind, is_given=False, wording=WORDS)


@pytest.fixture
def anna(tools: Tools, founded: Founded) -> members.Joined:
    assert founded.staff_id
    return members.join(
        tools, name="Anna Å", email="anna@example.org", locale="da", join_id="j" * 32
    )


def digits(tools: Tools, member_id: UUID) -> str:
    return privacy.loss(tools, member_id).digits


def leads_to_member() -> set[str]:
    """Every table from which references lead to a member, however far."""
    found = {"member"}
    while True:
        more = {
            table.name
            for table in Table.metadata.sorted_tables
            for key in table.foreign_keys
            if key.column.table.name in found
        }
        if more <= found:
            return found
        found |= more


def test_every_table_that_leads_to_a_member_has_its_line() -> None:
    named = [line.schema.name for line in KEPT]

    assert sorted(named) == sorted(set(named))
    assert leads_to_member() == set(named)


def is_decided(line: Kept) -> bool:
    """Whether a line says of everything what becomes of it, and why."""
    columns = {column.key for column in line.schema.columns}
    named = {line.whose, *line.also, *line.hides, *line.empties, *line.stays}
    if not named <= columns or not line.what:
        return False
    if line.empties and {*line.empties, *line.stays} != columns:
        return False
    is_explained = bool(line.section) and (line.goes or bool(line.empties))
    return is_explained or bool(line.because)


@pytest.mark.parametrize("line", KEPT, ids=lambda line: line.schema.name)
def test_of_each_column_it_is_decided_what_becomes_of_it(line: Kept) -> None:
    assert is_decided(line)
    for name in line.empties:
        assert line.schema.c[name].nullable, name


def test_the_document_has_every_section_and_says_what_is_left_out(
    tools: Tools, anna: members.Joined, give: Callable[..., CardState]
) -> None:
    give(cards.card(tools, anna.card_id), 11)
    consents.choose(tools, anna.member_id, [yes()], channel="account")

    told = privacy.of_member(tools, anna.member_id, say=lambda row: row.rule)

    assert json.loads(json.dumps(told)) == told
    assert told["format"] == "punchproof.person/1"
    assert told["member"]["email"] == "anna@example.org"
    assert {len(told[name]) for name in ("cards", "vouchers", "consents")} == {1}
    assert told["consents"][0]["wording"] == WORDS.sentence
    assert sum(entry["units"] for entry in told["entries"]) == 1
    assert {entry["words"] for entry in told["entries"]} == {"stamp", "full_card"}
    assert told["sessions"][0]["created_at"]
    assert told["mails"][0]["kind"] == "welcome"
    assert told["left_out"]["signal"]
    assert "join_id" not in told["member"]
    assert "token_hash" not in json.dumps(told["sessions"])


def test_the_document_has_nothing_of_others(
    tools: Tools, anna: members.Joined, give: Callable[..., CardState]
) -> None:
    other = members.join(tools, name="Bent", email="bent@example.org")
    give(cards.card(tools, other.card_id), 2)

    told = privacy.of_member(tools, anna.member_id, say=lambda row: row.rule)

    assert "Bent" not in json.dumps(told)
    assert str(other.card_id) not in json.dumps(told)
    assert told["entries"] == []


@both_books
def test_a_person_is_forgotten_and_the_books_stay_true(
    tools: Tools, anna: members.Joined, give: Callable[..., CardState]
) -> None:
    give(cards.card(tools, anna.card_id), 12)
    consents.choose(tools, anna.member_id, [yes(), yes("offers")], channel="join")
    with tools.database.read() as tx:
        before = tx.execute(
            select(LedgerEntry.entry_id, LedgerEntry.receipt, LedgerEntry.units)
        ).all()

    lost = privacy.loss(tools, anna.member_id)
    privacy.erase(tools, anna.member_id, digits=f" {lost.digits} ")

    assert [(each.stamps, len(lost.vouchers)) for each in lost.cards] == [(2, 1)]
    with tools.database.read() as tx:
        member = tx.get_one(Member, anna.member_id)
        rows = [
            tx.scalar(select(func.count()).select_from(table))
            for table in (Consent, Outgoing)
        ]
        theirs = select(func.count()).where(AccessToken.member_id == anna.member_id)
        tokens = tx.scalar(theirs)
        after = tx.execute(
            select(LedgerEntry.entry_id, LedgerEntry.receipt, LedgerEntry.units)
        ).all()
    assert (member.name, member.email, member.locale, member.join_id) == (None,) * 4
    assert [*rows, tokens] == [0, 0, 0]
    assert after == before
    assert cards.card(tools, anna.card_id).is_closed
    assert proofs.prove(tools).findings == ()
    with pytest.raises(Unauthenticated):
        sessions.who(tools, anna.token)
    with pytest.raises(CardClosed):
        give(cards.card(tools, anna.card_id), 1)
    with pytest.raises(NotFound):
        privacy.of_member(tools, anna.member_id, say=lambda row: row.rule)
    with pytest.raises(NotFound):
        consents.choose(tools, anna.member_id, [yes()], channel="mail")


def test_whoever_types_other_digits_is_not_forgotten(
    tools: Tools, anna: members.Joined
) -> None:
    wrong = str((int(digits(tools, anna.member_id)) + 1) % 10_000).zfill(4)

    with pytest.raises(InvalidRequest) as refusal:
        privacy.erase(tools, anna.member_id, digits=wrong)

    assert refusal.value.fields == {"digits": "not_the_digits"}
    assert members.member(tools, anna.member_id).name == "Anna Å"


def test_on_behalf_a_manager_gives_a_reason_that_is_kept(
    tools: Tools, anna: members.Joined, founded: Founded
) -> None:
    owner = ConsoleCaller(founded.staff_id, "Ida", "owner")
    typed = digits(tools, anna.member_id)

    with pytest.raises(InvalidRequest) as refusal:
        privacy.erase(tools, anna.member_id, digits=typed, by=owner)
    assert refusal.value.fields == {"reason": "missing"}
    barista = ConsoleCaller(founded.staff_id, "Mia", "barista")
    with pytest.raises(Forbidden):
        privacy.erase(tools, anna.member_id, digits=typed, by=barista, reason="asked")

    privacy.erase(tools, anna.member_id, digits=typed, by=owner, reason="by letter")

    with tools.database.read() as tx:
        assert tx.get_one(Erasure, anna.member_id).staff_id == founded.staff_id
    assert proofs.prove(tools).findings == ()


def test_nobody_can_forget_a_stranger(tools: Tools, founded: Founded) -> None:
    assert founded.staff_id
    with pytest.raises(NotFound):
        privacy.erase(tools, uuid4(), digits="1234")


@both_books
def test_of_many_at_once_one_forgets(
    make_tools: Callable[..., Tools], tools: Tools, anna: members.Joined
) -> None:
    typed = digits(tools, anna.member_id)
    rivals = [make_tools() for _ in range(4)]

    def erase(rival: Tools) -> Refused | None:
        try:
            privacy.erase(rival, anna.member_id, digits=typed)
        except Refused as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(erase, rivals))

    assert answers.count(None) == 1
    assert [type(each) for each in answers if each] == [ErasedBefore] * 3
    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Erasure)) == 1
    assert proofs.prove(tools).findings == ()


@both_books
def test_who_is_forgotten_meanwhile_keeps_nothing(
    make_tools: Callable[..., Tools], tools: Tools, anna: members.Joined
) -> None:
    typed = digits(tools, anna.member_id)
    one, two = make_tools(), make_tools()

    def consent(_: int) -> None:
        for kind in consents.KINDS:
            with suppress(NotFound):
                consents.choose(one, anna.member_id, [yes(kind)], channel="account")

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(consent, 0)
        pool.submit(privacy.erase, two, anna.member_id, digits=typed).result()
        writing.result()

    with tools.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Consent)) == 0


def test_books_of_before_forget_again(
    tools: Tools, anna: members.Joined, founded: Founded
) -> None:
    assert founded.staff_id
    with tools.database.begin() as tx:
        assert privacy.forget_again(tx, tools, [anna.member_id, uuid4()]) == 1
        assert privacy.forget_again(tx, tools, [anna.member_id]) == 0

    with pytest.raises(ErasedBefore):
        privacy.erase(tools, anna.member_id, digits="0000")
    assert proofs.prove(tools).findings == ()


def test_a_stamp_code_of_a_forgotten_person_gives_nothing(
    tools: Tools, anna: members.Joined, barista: StaffCaller
) -> None:
    code = stamping.card_code(tools, anna.card_id).code
    privacy.erase(tools, anna.member_id, digits=digits(tools, anna.member_id))

    with pytest.raises(CardClosed):
        stamping.stamp(tools, code, stamps=1, request_id="r" * 32, staff=barista)
