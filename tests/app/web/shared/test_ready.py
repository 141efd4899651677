"""``/readyz`` names each thing that a stamp needs with a word, and nothing secret."""

from __future__ import annotations

import re

import pytest
import redis
from sqlalchemy import text

from app import create_app
from tests.app.programme.key_rooms import own_ring

WELL = {
    "books": "ok",
    "key": "ok",
    "nonce_store": "ok",
    "nonces_kept": "ok",
    "ring": "ok",
    "schema": "ok",
}


@pytest.fixture
def settings(settings, tmp_path):
    """A ring of the test's own, which it breaks."""
    return own_ring(settings, tmp_path)


@pytest.fixture
def ready(tools, make_tools):
    """Ask ``/readyz`` of a process with other settings; its status and its words."""

    def ask(over=None, **changes):
        mine = over or (make_tools(**changes) if changes else tools)
        answer = create_app(mine).test_client().get("/readyz")
        told = answer.get_json()
        # Anybody may ask: no path, no address, no name of a host.
        assert not re.search(r"/pytest-|://|\.sock|\.sqlite3|keys\b/", answer.text)
        assert (answer.status_code == 200) == (told["problems"] == [])
        return answer.status_code, told["checks"]

    return ask


def test_all_is_well(ready):
    assert ready() == (200, WELL)


def test_books_that_are_away_or_behind(ready, tools):
    away = ready(database_url="sqlite:////nowhere/books.sqlite3")
    assert away == (503, WELL | {"books": "down", "schema": "unknown"})

    with tools.database.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert ready() == (503, WELL | {"schema": "behind"})


def test_a_nonce_store_that_is_away_or_could_forget(ready, tmp_path, start_redis):
    away = ready(redis_url=f"unix://{tmp_path}/nobody.sock")
    assert away == (503, WELL | {"nonce_store": "down", "nonces_kept": "unknown"})

    own = start_redis()
    for name, value in (("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")):
        with redis.Redis.from_url(own.url) as client:
            kept = client.config_get(name)[name]
            client.config_set(name, value)
            at_risk = ready(redis_url=own.url)
            client.config_set(name, kept)
        assert at_risk == (503, WELL | {"nonces_kept": "at_risk"})


def test_a_ring_that_cannot_be_read_goes_on_and_is_named(ready, tools):
    (tools.settings.keys / "ring.json").write_text("torn")
    tools.keys.refresh()

    assert ready() == (503, WELL | {"ring": "refused"})
