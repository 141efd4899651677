"""We answer to our own name, and health is told whatever a machine calls us."""

from __future__ import annotations

import functools

import pytest

from app.web.shared.hosts import names_of

OURS = "https://stamps.example"


@pytest.fixture
def asked(house, make_tools):
    """Ask a shop of another origin, by a host of the test's own."""

    @functools.cache
    def over(origin: str, hops: int):
        return house.over(make_tools(origin=origin, proxy_hops=hops))

    def ask(path: str, host: str, *, origin: str = OURS, hops: int = 0, **headers: str):
        return (
            over(origin, hops)
            .app.test_client()
            .get(path, headers={"Host": host, **headers})
        )

    return ask


OTHERS = (
    "attacker.example",
    "stamps.example.attacker.example",
    "attacker.example/stamps.example",
    "stamps.example@attacker.example",
    "attacker.example#stamps.example",
    "stamps.example:80:90",
    "stamps.example:port",
    "stamps.example:",
    "notstamps.example",
    "localhost",
    "127.0.0.1",
    "10.0.0.7",
    "[::1",
    "",
    " ",
    "stamps.example\t",
    "stamps.example attacker.example",
    "st\xe4mps.example",
)


@pytest.mark.parametrize("path", ["/join", "/api/v1/openapi.json", "/nothing"])
def test_another_host_is_refused_whatever_is_asked(asked, path):
    for host in OTHERS:
        answer = asked(path, host)

        assert answer.status_code == 400, host
        assert "attacker" not in answer.text


def test_our_own_name_is_answered_however_it_is_written(asked):
    for host in ("stamps.example", "STAMPS.example", "stamps.example:443"):
        assert asked("/join", host).status_code == 200, host
    assert asked("/join", "stamps.example.").status_code == 200


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "punchproof-web", ""])
def test_health_is_told_by_any_name(asked, host):
    assert asked("/livez", host).status_code == 200
    assert asked("/readyz", host).status_code == 200
    # There is no such page here: refused by its own rule, not for the name.
    assert asked("/metrics", host).status_code == 404


def test_a_machine_of_ones_own_answers_to_each_name_that_it_has_for_itself(asked):
    assert names_of("http://localhost:8000") == ("127.0.0.1", "::1", "localhost")
    for host in ("localhost:8000", "127.0.0.1:9000", "[::1]:8000"):
        assert asked("/join", host, origin="http://localhost:8000").status_code == 200
    refused = asked("/join", "attacker.example", origin="http://localhost:8000")
    assert refused.status_code == 400


def test_a_proxys_word_for_the_host_counts_only_where_there_is_one(asked):
    forwarded = {"X-Forwarded-Host": "stamps.example"}
    other = {"X-Forwarded-Host": "attacker.example"}

    assert asked("/join", "inside:8000", hops=1, **forwarded).status_code == 200
    assert asked("/join", "stamps.example", hops=1, **other).status_code == 400
    assert asked("/join", "inside:8000", **forwarded).status_code == 400
    assert asked("/join", "stamps.example", **other).status_code == 200
