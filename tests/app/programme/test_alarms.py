"""Alarms: when each stands, since when, and that a person hears of it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import Queue

import pytest
from structlog.testing import capture_logs

from app.programme import alarms, signals
from app.programme.alarms import Alarm, Voice
from app.store.workers import Held, Report
from app.tools import Tools, held_in
from signing import keyfiles
from tests.app.programme.key_rooms import own_ring
from tests.conftest import Clock, both_books

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def settings(settings, tmp_path):
    """A ring of the test's own, which it changes."""
    return own_ring(settings, tmp_path)


@pytest.fixture
def says(tools: Tools, clock: Clock) -> Callable[..., None]:
    """Let a web worker report."""
    start = clock() - DAY

    def report(
        name: str,
        ring: str = "aa",
        problem: str | None = None,
        *,
        newest: int = 0,
        had_it: timedelta = SECOND * 60,
        **more: object,
    ) -> None:
        last = start + SECOND * newest
        held = (Held("key", 1, "active", last, last),)
        told = Report(ring, problem, held=held, **more)
        tools.workers._tell(name, told, clock() - had_it)

    return report


@pytest.fixture
def cry(tools: Tools) -> Callable[..., None]:
    """Show a code that nobody issued."""
    numbers = iter(range(100))

    def show(key_id: int = 1) -> None:
        evidence = {"nonce": f"{next(numbers):018x}", "key_id": key_id}
        signals.note(tools, "unissued_code", evidence)

    return show


def standing(tools: Tools) -> dict[str, Alarm]:
    return {alarm.code: alarm for alarm in alarms.look(tools).alarms}


def lines(logs: list) -> list[tuple[str, str, str]]:
    return [
        (line["event"], line["log_level"], line["code"])
        for line in logs
        if line["event"].startswith("alarm")
    ]


def test_all_is_well(tools: Tools, says):
    says("a:1:aa")
    says("b:2:bb")

    watch = alarms.look(tools)

    assert watch.alarms == ()
    assert watch.behind == ()
    assert len(watch.workers) == 2


def test_every_alarm_has_a_severity_and_is_told_the_gravest_first(tools, says, cry):
    says("a:1:aa", "new", "torn", newest=9)
    says("b:2:bb", "old")
    cry()

    told = [alarm.code for alarm in alarms.look(tools).alarms]

    assert told == ["unissued_code", "ring_refused", "worker_behind"]
    assert set(alarms.SEVERITY.values()) == {"critical", "warning"}


# The keys


def test_a_key_may_sign_for_ninety_days(tools: Tools, clock: Clock):
    began = tools.keys.ring.active.activated_at
    clock.forward(90 * DAY - 60 * SECOND)
    assert standing(tools) == {}

    clock.forward(2 * DAY)

    alarm = standing(tools)["key_age"]
    assert alarm.severity == "warning"
    assert alarm.since == began + 90 * DAY
    assert "Key 1 has signed for 91 days, longer than 90" in alarm.sentence
    assert "scripts/rotate_keys.py --apply" in alarm.sentence


def test_the_longest_life_is_a_setting(make_tools, clock: Clock):
    tools = make_tools(key_age_alarm=2 * DAY)
    clock.forward(3 * DAY)

    assert standing(tools).keys() == {"key_age"}


def test_without_an_active_key_nothing_signs(tools: Tools, clock: Clock):
    ring = tools.keys.ring.revoked(1, clock())
    passphrase = keyfiles.read_passphrase(tools.settings.keys_passphrase_file)
    keyfiles.save(tools.settings.keys, ring, passphrase)
    tools.keys.refresh()

    alarm = standing(tools)["no_active_key"]

    assert alarm.severity == "critical"
    assert alarm.since == ring.key(1).revoked_at


def test_what_is_in_a_ring_is_told_with_its_dates(tools: Tools):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    ring = tools.keys.ring
    for key_id, at in ((2, now), (3, now + DAY)):
        ring = ring.with_new_key(at).activated(key_id, at + SECOND)
    ring = ring.with_new_key(now).retired(1, now + 3 * DAY).with_new_secret(now)

    told = {(each.kind, each.number): each for each in held_in(ring)}

    assert [(key.state, key.since) for key in told.values()] == [
        ("retired", now + 3 * DAY),
        ("verify-only", now + DAY + SECOND),
        ("active", now + DAY + SECOND),
        ("pending", now),
        ("sealing", ring.link_secrets[0].activated_at),
        ("pending", now),
    ]


# The workers


def test_a_refused_ring_is_one_alarm_for_all_who_refuse_it(tools, says, clock):
    began = clock() - 30 * SECOND
    says("a:1:aa", problem="ring.json is torn", rejected=1, since=began)
    says("b:2:bb", problem="ring.json is torn", since=began + SECOND)
    says("c:3:cc")

    alarm = standing(tools)["ring_refused"]

    assert alarm.severity == "critical"
    assert alarm.since == began
    assert alarm.sentence.startswith("2 of 3 web workers cannot read the key ring")
    assert "ring.json is torn" in alarm.sentence


def test_a_worker_is_behind_after_ten_seconds(tools: Tools, says):
    says("a:1:aa", "new", newest=1, had_it=8 * SECOND)
    says("b:2:bb", "old", had_it=DAY)
    assert alarms.look(tools).behind == ()

    says("a:1:aa", "new", newest=1, had_it=11 * SECOND)

    watch = alarms.look(tools)
    assert [worker.worker_id for worker in watch.behind] == ["b:2:bb"]
    (alarm,) = watch.alarms
    assert (alarm.code, alarm.severity) == ("worker_behind", "warning")
    assert "1 of 2 web workers have another key ring than the newest: b:2:bb" in (
        alarm.sentence
    )


def test_one_stale_copy_does_not_make_the_others_stale(tools: Tools, says):
    says("a:1:aa", "new", newest=1, had_it=DAY)
    # a machine that started a moment ago over an old copy
    says("b:2:bb", "old", had_it=12 * SECOND)
    says("c:3:cc", "old", had_it=12 * SECOND)

    assert [worker.ring for worker in alarms.look(tools).behind] == ["old", "old"]


def test_every_process_gives_the_same_answer(tools: Tools, make_tools, says):
    other = make_tools()
    says("a:1:aa", "new", "torn", newest=1)
    says("b:2:bb", "old")
    passphrase = keyfiles.read_passphrase(tools.settings.keys_passphrase_file)
    keyfiles.save(
        tools.settings.keys, tools.keys.ring.with_new_key(tools.now()), passphrase
    )
    tools.keys.refresh()

    one, two = alarms.look(tools), alarms.look(other)

    assert tools.keys.ring != other.keys.ring
    assert one.held == two.held
    assert [alarm.sentence for alarm in one.alarms] == [
        alarm.sentence for alarm in two.alarms
    ]


# Codes that nobody issued


@both_books
def test_unissued_codes_are_counted_by_key_for_a_day(tools, clock, cry):
    cry(1)
    clock.forward(timedelta(hours=2))
    cry(1)
    cry(2)
    first, other = [
        alarm for alarm in alarms.look(tools).alarms if alarm.code == "unissued_code"
    ]

    assert (first.facts["key_id"], first.facts["count"]) == (1, 2)
    assert (other.facts["key_id"], other.facts["count"]) == (2, 1)
    assert first.facts["last_at"] - first.since >= timedelta(hours=2)
    assert "scripts/keys.py revoke 1 --since" in first.sentence

    clock.forward(timedelta(hours=22, minutes=1))
    (first, other) = alarms.look(tools).alarms
    assert first.facts["count"] == 1
    clock.forward(timedelta(hours=2))
    assert alarms.look(tools).alarms == ()
    assert signals.total(tools, "unissued_code") == 3


def test_a_key_that_was_revoked_is_no_alarm_any_more(tools, clock, cry):
    cry(1)
    assert "unissued_code" in standing(tools)
    ring = tools.keys.ring.with_new_key(clock()).activated(2, clock())
    passphrase = keyfiles.read_passphrase(tools.settings.keys_passphrase_file)
    keyfiles.save(tools.settings.keys, ring.revoked(1, clock()), passphrase)
    tools.keys.refresh()

    assert standing(tools) == {}


def test_one_unissued_code_raises_no_more_than_three_signals(tools: Tools):
    for _ in range(5):
        signals.note(tools, "unissued_code", {"nonce": "ab", "key_id": 1})

    assert signals.total(tools, "unissued_code") == 3


def test_an_unissued_code_is_one_line_a_minute(tools: Tools, cry):
    with capture_logs() as logs:
        for _ in range(5):
            cry()
        signals.note(tools, "spent_code", {"nonce": "ab"})

    assert lines(logs) == [("alarm", "error", "unissued_code")]
    assert "key 1" in logs[0]["sentence"]


def test_the_line_is_written_though_the_books_are_away(make_tools, tmp_path):
    away = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")

    with capture_logs() as logs:
        signals.note(away, "unissued_code", {"nonce": "ab", "key_id": 1})

    assert lines(logs) == [("alarm", "error", "unissued_code")]


# Stores that are away


def test_books_that_are_away_leave_a_gap(make_tools, tmp_path, says, tools):
    says("a:1:aa", problem="torn")
    away = make_tools(database_url=f"sqlite:///{tmp_path / 'no' / 'books'}")

    watch = alarms.look(away)

    assert watch.unissued is None
    assert [alarm.code for alarm in watch.alarms] == ["ring_refused"]


def test_a_nonce_store_that_is_away_leaves_a_gap(make_tools, cry, tools):
    cry()
    away = make_tools(redis_url="unix:///nowhere/redis.sock")

    watch = alarms.look(away)

    assert watch.workers is None
    assert watch.held == held_in(away.keys.ring)
    assert [alarm.code for alarm in watch.alarms] == ["unissued_code"]


# The voice


def test_an_alarm_is_said_when_it_begins_and_when_it_ends(tools: Tools, says):
    voice = Voice(tools)
    says("a:1:aa")

    with capture_logs() as logs:
        voice.look("a:1:aa")
        says("a:1:aa", problem="torn")
        for _ in range(3):
            voice.look("a:1:aa")
        says("a:1:aa")
        for _ in range(3):
            voice.look("a:1:aa")

    assert lines(logs) == [
        ("alarm", "error", "ring_refused"),
        ("alarm over", "warning", "ring_refused"),
    ]
    assert "torn" in logs[0]["sentence"]


def test_one_worker_speaks_for_all(tools: Tools, says):
    voices = {name: Voice(tools) for name in ("a:1:aa", "b:2:bb")}
    for name in voices:
        says(name, problem="torn")

    with capture_logs() as logs:
        for name, voice in voices.items():
            voice.look(name)

    assert lines(logs) == [("alarm", "error", "ring_refused")]


def test_a_worker_that_starts_beside_others_repeats_nothing(tools: Tools, says):
    says("b:2:bb", problem="torn")
    with capture_logs() as logs:
        Voice(tools).look("b:2:bb")
        # its id comes first, so that it speaks from now on
        says("a:1:aa", problem="torn")
        Voice(tools).look("a:1:aa")

    assert lines(logs) == [("alarm", "error", "ring_refused")]


def test_a_nonce_store_that_goes_away_ends_no_alarm_of_others(make_tools, start_redis):
    server = start_redis()
    tools = make_tools(redis_url=server.url)
    now = tools.now()
    for name, days in (("a:1:aa", 1), ("b:2:bb", 0)):
        held = (Held("key", 1, "active", now, now + DAY * days),)
        report = Report(str(days), held=held)
        tools.workers._tell(name, report, now - 60 * SECOND)
    voice = Voice(tools)
    with capture_logs() as logs:
        voice.look("a:1:aa")
        server.stop()
        voice.look("a:1:aa")

    assert lines(logs) == [("alarm", "error", "worker_behind")]


def test_a_torn_ring_is_said_by_a_process_that_serves(tools: Tools, settings):
    ring, voice, heard = settings.keys / "ring.json", Voice(tools), Queue()
    whole = ring.read_text()

    def then(worker_id: str) -> None:
        voice.look(worker_id)
        heard.put(worker_id)

    def read_anew(text: str) -> None:
        ring.write_text(text)
        tools.keys.refresh()
        # The first beat may have looked a moment before.
        for _ in range(2):
            heard.get(timeout=10)

    with capture_logs() as logs:
        tools.workers._every = timedelta(milliseconds=50)
        tools.report(then)
        heard.get(timeout=10)
        read_anew(whole[:100])
        read_anew(whole)
        tools.workers.close()

    assert lines(logs) == [
        ("alarm", "error", "ring_refused"),
        ("alarm over", "warning", "ring_refused"),
    ]
