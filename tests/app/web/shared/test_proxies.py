"""Whom a request comes from: nobody chooses an address that limits go by."""

from __future__ import annotations

from itertools import count

import pytest

from tests.app.web.conftest import House, csrf_token

GUESSES = 5


@pytest.fixture
def guess(house: House, make_tools):
    """Guess the owner's password from one line, saying that it is from elsewhere."""
    numbers = count(1)

    def ask(hops: int, said: str) -> int:
        client = house.over(make_tools(proxy_hops=hops)).app.test_client()
        form = {
            "email": house.founded.email,
            "password": "not the password",
            "csrf_token": csrf_token(client),
        }
        answer = client.post(
            "/console/sign-in",
            data=form,
            headers={"X-Forwarded-For": said.format(n=next(numbers))},
            environ_base={"REMOTE_ADDR": "203.0.113.9"},
        )
        return answer.status_code

    return ask


@pytest.mark.parametrize(
    ("hops", "said"),
    [
        (0, "192.0.2.{n}"),
        (0, "192.0.2.{n}, 198.51.100.1"),
        # what stands before the proxy's own word was said by whoever asks
        (1, "192.0.2.{n}, 198.51.100.1"),
        (1, "127.0.0.1, 192.0.2.{n}, 198.51.100.1"),
        (2, "192.0.2.{n}, 198.51.100.1, 10.0.0.1"),
    ],
)
def test_an_address_that_somebody_says_opens_no_new_window(guess, hops, said):
    told = [guess(hops, said) for _ in range(GUESSES + 2)]

    assert told == [401] * GUESSES + [429] * 2


def test_a_proxys_word_is_whom_limits_go_by(guess):
    told = [guess(1, "198.51.100.{n}") for _ in range(GUESSES + 2)]

    assert told == [401] * (GUESSES + 2)
