"""Tokens: what is kept of them, whom they name, and when they stop."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.programme import members, sessions, shop, staff
from app.programme.errors import Unauthenticated
from app.programme.sessions import (
    ConsoleCaller,
    MemberCaller,
    StaffCaller,
    TerminalCaller,
)
from app.store.tables import AccessToken, Terminal
from app.tools import Tools


def grant(tools: Tools, kind: str, **whose) -> str:
    with tools.database.begin() as tx:
        return sessions.grant(tx, tools, kind, **whose)


@pytest.fixture
def tokens(tools, founded, make_terminal):
    """One token of each kind, and whom it names."""
    terminal = make_terminal()
    joined = members.join(tools)
    at_till = {"terminal_id": terminal.terminal_id, "staff_id": founded.staff_id}
    return {
        "member": (joined.token, MemberCaller(joined.member_id)),
        "terminal": (
            grant(tools, "terminal", terminal_id=terminal.terminal_id),
            terminal,
        ),
        "staff": (
            grant(tools, "staff", **at_till),
            StaffCaller(
                founded.staff_id,
                "Owner",
                "owner",
                terminal.terminal_id,
                founded.location_id,
                "Nyhavn",
            ),
        ),
        "console": (
            grant(tools, "console", staff_id=founded.staff_id),
            ConsoleCaller(founded.staff_id, "Owner", "owner"),
        ),
    }


def test_each_kind_names_somebody(tools, tokens):
    for token, caller in tokens.values():
        assert sessions.who(tools, token) == caller


def test_only_a_hash_is_kept(tools, tokens):
    with tools.database.read() as tx:
        rows = list(tx.scalars(select(AccessToken)))

    hashes = {row.token_hash for row in rows}
    for token, _ in tokens.values():
        assert hashlib.sha256(token.encode()).digest() in hashes
        assert all(token not in str(vars(row)) for row in rows)


def test_tokens_have_256_bits_and_no_order(tools, founded):
    made = {grant(tools, "console", staff_id=founded.staff_id) for _ in range(50)}

    assert len(made) == 50
    assert {len(token) for token in made} == {43}
    assert len({token[:3] for token in made}) > 40


@pytest.mark.parametrize(
    "token", ["", "x", "A" * 42, "A" * 43, "A" * 44, "A" * 42 + "é", "A" * 42 + "\0"]
)
def test_nonsense_names_nobody(tools, tokens, token):
    with pytest.raises(Unauthenticated):
        sessions.who(tools, token)


@pytest.mark.parametrize("kind", sessions.LIFETIME)
def test_each_kind_has_its_life(tools, tokens, clock, kind):
    token, caller = tokens[kind]
    clock.forward(sessions.LIFETIME[kind] - timedelta(minutes=1))
    assert sessions.who(tools, token) == caller

    clock.forward(timedelta(minutes=2))

    with pytest.raises(Unauthenticated):
        sessions.who(tools, token)


@pytest.mark.parametrize("kind", sessions.LIFETIME)
def test_an_ended_token_is_over_and_no_other(tools, tokens, kind):
    sessions.end(tools, tokens[kind][0])

    with pytest.raises(Unauthenticated):
        sessions.who(tools, tokens[kind][0])
    for other in tokens.keys() - {kind}:
        assert sessions.who(tools, tokens[other][0]) == tokens[other][1]


def test_ending_a_token_again_or_none_is_no_fault(tools, tokens):
    token = tokens["staff"][0]
    sessions.end(tools, token)
    with tools.database.read() as tx:
        first = list(tx.scalars(select(AccessToken.ended_at)))

    sessions.end(tools, token)
    sessions.end(tools, "nobody's")

    with tools.database.read() as tx:
        assert list(tx.scalars(select(AccessToken.ended_at))) == first


def test_a_revoked_terminal_takes_its_staff_with_it(tools, founded, tokens):
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    terminal: TerminalCaller = tokens["terminal"][1]

    shop.revoke_terminal(tools, terminal.terminal_id, by=by)

    for kind in ("terminal", "staff"):
        with pytest.raises(Unauthenticated):
            sessions.who(tools, tokens[kind][0])
    for kind in ("member", "console"):
        assert sessions.who(tools, tokens[kind][0]) == tokens[kind][1]


def test_who_is_switched_off_is_out_everywhere(tools, founded, make_terminal):
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")
    bo = shop.add_staff(
        tools,
        name="Bo",
        role="manager",
        pin="4071",
        email="bo@example.org",
        password="a long password",
        by=by,
    )
    terminal = make_terminal()
    at_till = staff.sign_in(tools, terminal, bo, "4071").token
    at_console = staff.console_sign_in(tools, "bo@example.org", "a long password").token

    shop.set_active(tools, bo, is_active=False, by=by)

    for token in (at_till, at_console):
        with pytest.raises(Unauthenticated):
            sessions.who(tools, token)

    # switched on again, old tokens stay dead
    shop.set_active(tools, bo, is_active=True, by=by)
    for token in (at_till, at_console):
        with pytest.raises(Unauthenticated):
            sessions.who(tools, token)


def test_a_terminal_is_seen_to_the_minute(tools, tokens, clock):
    token = tokens["terminal"][0]

    def seen_at():
        with tools.database.read() as tx:
            return tx.scalar(select(Terminal.seen_at))

    sessions.who(tools, token)
    first = seen_at()
    clock.forward(timedelta(seconds=30))
    sessions.who(tools, token)
    assert seen_at() == first

    clock.forward(timedelta(seconds=31))
    sessions.who(tools, token)
    assert seen_at() > first


def test_a_new_name_is_told_at_once(tools, founded, tokens):
    by = ConsoleCaller(founded.staff_id, "Owner", "owner")

    shop.rename_location(tools, founded.location_id, name="Harbour", by=by)

    assert sessions.who(tools, tokens["staff"][0]).location_name == "Harbour"
