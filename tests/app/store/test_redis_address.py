"""What ``REDIS_URL`` may say, and how it is understood."""

from __future__ import annotations

import inspect

import pytest
import redis

from app.settings import SettingsError
from app.store.redis_address import OPTIONS, Address, Form, read

THREE = (("one", 26379), ("two", 26380), ("three", 26379))


@pytest.mark.parametrize(
    "url",
    ["redis://host:6379/0", "rediss://:pw@host", "unix:///run/redis.sock?db=1"],
)
def test_one_server_is_left_to_redis_py(url):
    assert read(url) == Address(Form.SERVER, url=url)


def test_sentinels_are_named_with_their_service():
    address = read("redis+sentinel://one,two:26380,three:26379/mymaster")

    assert address == Address(Form.SENTINEL, hosts=THREE, service="mymaster")


def test_a_sentinel_address_may_name_secrets_a_db_and_options():
    address = read(
        "rediss+sentinel://pp:p%40ss@one:1,[::1]:2/my%2Dmaster/3"
        "?sentinel_password=guard&sentinel_username=watch&socket_timeout=0.7"
        "&ssl_ca_certs=/etc/ca.pem"
    )

    shared = {"ssl": True, "socket_timeout": 0.7, "ssl_ca_certs": "/etc/ca.pem"}
    assert address.hosts == (("one", 1), ("::1", 2))
    assert address.service == "my-master"
    assert address.options == shared | {"username": "pp", "password": "p@ss", "db": 3}
    assert address.sentinel_options == shared | {
        "username": "watch",
        "password": "guard",
    }


def test_the_servers_password_is_not_told_to_the_sentinels():
    address = read("redis+sentinel://:secret@one/mymaster")

    assert address.options == {"password": "secret"}
    assert address.sentinel_options == {}


@pytest.mark.parametrize("path", ["", "/", "/0"])
def test_a_cluster_is_named_by_some_of_its_servers(path):
    address = read(f"redis+cluster://:secret@one:7000,two{path}")

    assert address.form is Form.CLUSTER
    assert address.hosts == (("one", 7000), ("two", 6379))
    assert address.options == {"password": "secret"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "none of redis://"),
        ("http://host", "none of redis://"),
        ("redis-sentinel://one/mymaster", "none of redis://"),
        ("sentinel://one:26379", "none of redis://"),
        ("redis+sentinel://", "none of redis://"),
        ("redis+sentinel://one:26379", "what the Sentinels call the master"),
        ("redis+sentinel://one/mymaster/x", "what the Sentinels call the master"),
        ("redis+sentinel://one:0/mymaster", "not HOST:PORT: one:0"),
        ("redis+sentinel://one:70000/mymaster", "not HOST:PORT: one:70000"),
        ("redis+sentinel://one,,two/mymaster", "not HOST:PORT"),
        ("redis+sentinel://::1/mymaster", "not HOST:PORT"),
        ("redis+cluster://one/1", "neither one nor a db"),
        ("redis+cluster://one?db=1", "no option db"),
        ("redis+cluster://one?sentinel_password=x", "no option sentinel_password"),
        ("redis+sentinel://one/m?retry_on_timeout=1", "no option retry_on_timeout"),
        ("redis+cluster://one?socket_timeout=soon", "option of no sense"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(url, why):
    with pytest.raises(SettingsError, match=why):
        read(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://:s3cret@host",
        "redis+sentinel://:s3cret@one",
        "redis+cluster://:s3cret@one:0",
        "redis+sentinel://one/m?sentinel_password=s3cret&socket_timeout=soon",
    ],
)
def test_no_secret_is_repeated(url):
    with pytest.raises(SettingsError) as refusal:
        read(url)

    assert "s3cret" not in str(refusal.value)
    assert "s3cret" not in repr(read("redis+cluster://:s3cret@one"))


def test_the_options_are_known_to_redis_py():
    assert set(inspect.signature(redis.Redis).parameters) >= OPTIONS
