"""The devices of a member: recognised, and signed out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.programme import members, sessions
from app.programme.account import devices, sign_in
from app.programme.errors import NotFound, Unauthenticated
from tests.app.programme.account.conftest import ANNA

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("browser", "name"),
    [
        (IPHONE, "Safari, iPhone"),
        (
            "Mozilla/5.0 (Linux; Android 14) Chrome/130 Safari/5",
            "Chrome, Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/130 Edg/130",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Firefox/133.0", "Firefox, Linux"),
        ("curl/8", None),
        ("", None),
        (None, None),
    ],
)
def test_a_device_is_named_by_what_it_says(browser, name):
    assert devices.name_of(browser) == name


@pytest.fixture
def two(tools, anna, mails):
    """Anna's first phone and her new one."""
    asked = sign_in.ask(tools, ANNA)
    code = mails("sign_in")[0].facts["code"]
    return anna.token, sign_in.by_code(tools, asked, code, browser=IPHONE)


def test_they_are_listed_with_this_one_first(tools, anna, two, clock):
    clock.forward(timedelta(hours=2))
    sessions.who(tools, two[0])

    found = devices.devices(tools, anna.member_id, two[1])

    assert [(one.name, one.is_this) for one in found] == [
        ("Safari, iPhone", True),
        (None, False),
    ]
    assert found[1].last_at > found[1].first_at
    assert found[0].last_at == found[0].first_at


def test_one_is_signed_out(tools, anna, two):
    old = devices.devices(tools, anna.member_id, two[1])[1]

    devices.sign_out(tools, anna.member_id, old.device_id)

    with pytest.raises(Unauthenticated):
        sessions.who(tools, two[0])
    assert len(devices.devices(tools, anna.member_id, two[1])) == 1


def test_all_others_are_signed_out(tools, anna, two):
    assert devices.sign_out_others(tools, anna.member_id, two[1]) == 1

    sessions.who(tools, two[1])
    with pytest.raises(Unauthenticated):
        sessions.who(tools, two[0])


def test_nobody_signs_out_a_strangers_device(tools, anna, two):
    stranger = members.join(tools)
    theirs = devices.devices(tools, anna.member_id, None)[0]

    for device_id in (theirs.device_id, "x", "0" * 32):
        with pytest.raises(NotFound):
            devices.sign_out(tools, stranger.member_id, device_id)
    assert devices.sign_out_others(tools, stranger.member_id, stranger.token) == 0
    sessions.who(tools, two[0])
