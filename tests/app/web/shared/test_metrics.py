"""What a Prometheus server reads: who may, what is in it, and that all tell alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from app.programme import alarms, backups, signals, stamping
from app.store import outbox
from app.store.tables import LEDGER_KINDS, LedgerEntry
from app.store.workers import Held, Report
from app.tools import Tools
from scripts.parts import redis_groups

TOKEN = "a token that nobody guesses"


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "metrics.token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def watched(house, make_tools, token_file):
    """The shop, with a page of metrics."""
    return house.over(make_tools(metrics_token_file=token_file))


def get(house, token: str | None = TOKEN, **headers: str):
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return house.app.test_client().get("/metrics", headers=headers)


def values(response) -> dict[tuple[str, ...], float]:
    """Every value, by its name and the values of its labels."""
    assert response.status_code == 200, response.text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


# Who may


def test_without_a_token_file_there_is_no_such_page(house):
    for token in (None, "", TOKEN):
        assert get(house, token).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer ü"},
        {"Cookie": f"pp_console={TOKEN}"},
    ],
    ids=str,
)
def test_without_the_token_nothing_is_told(watched, headers):
    answer = get(watched, None, **headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.text == "unauthenticated\n"
    assert "Set-Cookie" not in answer.headers


def test_no_other_token_of_the_shop_opens_it(watched):
    for token in watched.tokens.values():
        assert get(watched, token).status_code == 401


def test_it_is_never_cached_and_sets_no_cookie(watched):
    answer = get(watched)

    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_it_speaks_openmetrics_to_who_asks_for_it(watched):
    answer = get(watched, Accept="application/openmetrics-text; version=1.0.0")

    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_changed_token_is_taken_up_and_a_lost_one_opens_nothing(watched, token_file):
    token_file.write_text("another that nobody guesses")
    assert get(watched).status_code == 401
    assert get(watched, "another that nobody guesses").status_code == 200

    for content in ("", "short"):
        token_file.write_text(content)
        assert get(watched, content).status_code == 401
    token_file.unlink()
    assert get(watched).status_code == 401


# What is in it


def test_a_shop_where_all_is_well(watched):
    watched.give(3)
    stamping.reverse_stamp(
        watched.tools, watched.give(1), staff=watched.barista, reason="slip"
    )

    told = values(get(watched))

    assert told["punchproof_books_up",] == told["punchproof_nonce_store_up",] == 1
    assert told["punchproof_workers",] == told["punchproof_workers_behind",] == 0
    assert told["punchproof_unissued_codes_total",] == 0
    kinds = {
        name[1]: count
        for name, count in told.items()
        if name[0] == "punchproof_ledger_entries_total"
    }
    assert kinds.keys() == set(LEDGER_KINDS)
    assert (kinds["EARN"], kinds["REVERSE"], kinds["REDEEM"]) == (2, 1, 0)
    assert {
        name: value for name, value in told.items() if name[0] == "punchproof_alarm"
    } == {
        ("punchproof_alarm", code, severity): 0
        for code, severity in alarms.SEVERITY.items()
    }


def test_ages_are_in_seconds(watched, clock):
    clock.forward(timedelta(days=100))

    told = values(get(watched))

    day = 24 * 3600
    for name in (
        ("punchproof_key_age_seconds", "1", "active"),
        ("punchproof_secret_age_seconds", "1", "sealing"),
        ("punchproof_signing_key_age_seconds",),
    ):
        assert 100 * day <= told[name] < 100.1 * day
    assert told["punchproof_alarm", "key_age", "warning"] == 1


def test_workers_and_what_is_wrong_with_them(watched):
    tell, now = watched.tools.workers._tell, watched.tools.now()
    held = (Held("key", 7, "active", now, now), Held("secret", 2, "pending", now, now))
    long_ago = now - timedelta(minutes=1)
    tell("a:1:aa", Report("new", "torn", rejected=3, held=held), long_ago)
    tell("b:2:bb", Report("old"), long_ago)

    told = values(get(watched))

    assert told["punchproof_workers",] == 2
    assert told["punchproof_workers_behind",] == 1
    assert told["punchproof_ring_problem", "a:1:aa"] == 1
    assert told["punchproof_ring_problem", "b:2:bb"] == 0
    assert told["punchproof_ring_rejected_total", "a:1:aa"] == 3
    assert told["punchproof_ring_rejected_total", "b:2:bb"] == 0
    assert ("punchproof_key_age_seconds", "7", "active") in told
    assert ("punchproof_secret_age_seconds", "2", "pending") in told
    for code in ("ring_refused", "worker_behind"):
        assert told["punchproof_alarm", code, alarms.SEVERITY[code]] == 1


def test_an_unissued_code_is_counted_for_ever_and_an_alarm_for_a_day(watched, clock):
    signals.note(watched.tools, "unissued_code", {"nonce": "ab", "key_id": 1})
    told = values(get(watched))
    assert told["punchproof_unissued_codes_total",] == 1
    assert told["punchproof_alarm", "unissued_code", "critical"] == 1

    clock.forward(timedelta(days=2))

    told = values(get(watched))
    assert told["punchproof_unissued_codes_total",] == 1
    assert told["punchproof_alarm", "unissued_code", "critical"] == 0


def test_servers_that_are_away_are_counted_while_the_others_go_on(
    house, make_tools, token_file, start_guarded
):
    group = start_guarded()
    shop = house.over(make_tools(metrics_token_file=token_file, redis_url=group.url))
    away = ("punchproof_nonce_store_servers_away",)
    assert values(get(shop))[away] == 0

    group.kill(group.replicas()[0])

    redis_groups.until(
        lambda: values(get(shop))[away] == 1, "the Sentinels have noticed"
    )
    assert values(get(shop))["punchproof_nonce_store_up",] == 1


def test_stores_that_are_away_leave_their_values_out(house, make_tools, token_file):
    away = make_tools(
        metrics_token_file=token_file,
        database_url="sqlite:////nowhere/books",
        redis_url="unix:///nowhere/redis.sock",
    )

    told = values(get(house.over(away)))

    assert told["punchproof_books_up",] == told["punchproof_nonce_store_up",] == 0
    assert ("punchproof_workers",) not in told
    assert ("punchproof_unissued_codes_total",) not in told
    assert ("punchproof_signing_key_age_seconds",) in told


def test_every_process_answers_alike(watched, make_tools, token_file, clock):
    other = watched.over(make_tools(metrics_token_file=token_file))
    one, two = watched.tools, other.tools
    for tools in (one, two):
        tools.report()
        tools.workers._process.thread.join(0.3)
    now = clock()
    for tools in (one, two):
        object.__setattr__(tools, "now", lambda: now)

    assert len(one.workers.live()) == 2
    assert get(watched).text == get(other).text


def test_nobodys_name_and_no_secret_is_in_it(watched):
    watched.give(2)
    signals.note(watched.tools, "unissued_code", {"nonce": "abcdef", "key_id": 1})

    text = get(watched).text

    for hidden in ("Anna", "Nyhavn", "Kaffe", TOKEN, "abcdef", watched.card().number):
        assert hidden not in text
    for secret in watched.tools.keys.ring.link_secrets:
        assert secret.check not in text


@pytest.mark.slow
def test_a_scrape_costs_little_more_when_the_ledger_is_long(
    watched, counts: Callable[..., None]
):
    def seconds() -> float:
        began = time.perf_counter()
        get(watched)
        return time.perf_counter() - began

    short = min(seconds() for _ in range(3))
    _lengthen(watched.tools, watched.joined.card_id, 100_000)
    long = min(seconds() for _ in range(3))

    counts(entries=100_000, short_ms=round(short * 1000), long_ms=round(long * 1000))
    assert long < 0.5


def _lengthen(tools: Tools, card_id: object, count: int) -> None:
    with tools.database.begin() as tx:
        tx.execute(
            insert(LedgerEntry),
            [
                {
                    "entry_id": uuid4(),
                    "card_id": card_id,
                    "kind": "EARN",
                    "units": 1,
                    "rule": "card_code",
                    "at": tools.now(),
                    "nonce": number.to_bytes(9),
                    "proof": number.to_bytes(80),
                    "answer": {"stamp_id": str(uuid4()), "card": {"stamps": 3}},
                }
                for number in range(count)
            ],
        )


def test_mail_that_waits_and_the_age_of_the_backup_are_told(watched, clock):
    tools = watched.tools
    before = values(get(watched))
    assert before[("punchproof_mail_waiting",)] == 0
    assert before[("punchproof_mail_oldest_age_seconds",)] == 0
    assert before[("punchproof_mail_given_up_total",)] == 0
    # Nobody has to guess whether a zero means new or never.
    assert ("punchproof_backup_age_seconds",) not in before

    backups.note(tools, "one.tar")
    with tools.database.begin() as tx:
        for _ in range(2):
            outbox.put(tx, "welcome", "anna@example.org", {}, now=tools.now())
    clock.forward(timedelta(minutes=10))
    with tools.database.begin() as tx:
        mail = outbox.take(tx, tools.now())
        assert mail
        outbox.given_up(tx, mail, tools.now(), "recipient_550")
    after = get(watched)
    assert "anna" not in after.text
    now = values(after)
    assert now[("punchproof_mail_waiting",)] == 1
    assert now[("punchproof_mail_given_up_total",)] == 1
    for name in ("punchproof_mail_oldest_age", "punchproof_backup_age"):
        assert 600 <= now[(f"{name}_seconds",)] < 660
