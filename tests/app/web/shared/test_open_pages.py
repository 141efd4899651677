"""What open pages hold while the ring changes under them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.settings import Settings
from app.tools import Tools
from signing import keyfiles
from signing.keyring import KeyRing
from tests.app.web.conftest import House, csrf_token
from tests.conftest import Clock

KINDS = ("member", "terminal", "staff", "console")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Those of every test, with a copy of the ring that may be changed."""
    keys = tmp_path / "keys"
    shutil.copytree(settings.keys, keys)
    return dataclasses.replace(settings, keys=keys)


def change(tools: Tools, *steps: Callable[[KeyRing], KeyRing]) -> None:
    """Take the ring some steps further, on the disk and in this process."""
    passphrase = keyfiles.read_passphrase(tools.settings.keys_passphrase_file)
    ring = tools.keys.ring
    for step in steps:
        ring = step(ring)
    keyfiles.save(tools.settings.keys, ring, passphrase)
    assert tools.keys.refresh()


def till(house: House) -> FlaskClient:
    client = house.app.test_client()
    for kind in KINDS:
        client.set_cookie(f"pp_{kind}", house.tokens[kind])
    return client


def posts(house: House, client: FlaskClient, token: str) -> int:
    """Give a stamp as the till's page does; the status of the answer."""
    body = {"code": house.card_code(), "stamps": 1, "request_id": uuid4().hex}
    headers = {"X-CSRFToken": token}
    return client.post("/api/v1/stamps", json=body, headers=headers).status_code


def with_secret(house: House) -> list[Callable[[KeyRing], KeyRing]]:
    now = house.tools.now
    return [
        lambda ring: ring.with_new_secret(now()),
        lambda ring: ring.secret_activated(ring.link_secrets[-1].secret_id, now()),
    ]


def test_a_rotation_of_secrets_spoils_no_page(house: House):
    # given a till whose page is open, and a process that answers nothing meanwhile
    client = till(house)
    token = csrf_token(client)
    assert posts(house, client, token) == 201

    # when the secret changes
    pending, active = with_secret(house)
    change(house.tools, pending)
    assert posts(house, client, token) == 201
    change(house.tools, active)

    # then the page goes on, and nobody signs in again
    assert posts(house, client, token) == 201
    assert client.get("/counter/").status_code == 200

    # and what a page is given now is under the new secret alone
    fresh = till(house)
    token = csrf_token(fresh)
    change(house.tools, lambda ring: ring.without_secret(1))
    assert posts(house, fresh, token) == 201


def test_the_first_request_after_a_change_reads_the_new_cookie(house: House):
    # given a page that another process sealed with the new secret
    change(house.tools, *with_secret(house))
    client = till(house)
    token = csrf_token(client)
    # and this one, whose settings are of before
    house.app.config.update(SECRET_KEY=bytes(32), WTF_CSRF_SECRET_KEY=[bytes(32)])

    assert posts(house, client, token) == 201


def test_a_page_whose_secret_is_gone_gets_a_new_token(house: House):
    # given a till whose page is open
    client = till(house)
    token = csrf_token(client)

    # when the secrets were stolen and all replaced
    change(house.tools, *with_secret(house), lambda ring: ring.without_secret(1))

    # then its token is worthless, a new one is had without signing in, and works
    assert posts(house, client, token) == 403
    answer = client.get("/page-token")
    assert answer.headers["Cache-Control"] == "no-store"
    assert posts(house, client, answer.get_json()["token"]) == 201


def test_no_other_site_reads_a_token(house: House):
    answer = till(house).get("/page-token", headers={"Origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_phone_hears_which_keys_were_called_back_while_its_code_may_live(
    house: House, clock: Clock
):
    # given a phone that asks for its card again and again
    api, path = house.api("member"), f"/cards/{house.joined.card_id}"
    tag = api.get(path).headers["ETag"]

    def told() -> str | None:
        answer = api.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 304
        return answer.headers.get("Revoked-Keys")

    assert told() is None

    # when the key of its code is called back
    now = house.tools.now()
    change(
        house.tools,
        lambda ring: ring.with_new_key(now),
        lambda ring: ring.activated(2, now),
        lambda ring: ring.revoked(1, now),
    )

    # then it hears so, until no code of that key can be alive
    assert told() == "1"
    clock.forward(timedelta(minutes=11))
    assert told() is None
