"""What operators write: variables and addresses."""

from __future__ import annotations

from app.settings import Settings, SettingsError
from app.store import redis_address
from scripts.fuzzing.catalogue import target, text_of
from signing.codes import canonical_origin

_WHOLE = {
    "PUNCHPROOF_DATA": "/srv/data",
    "PUNCHPROOF_HOST": "127.0.0.1",
    "PUNCHPROOF_PORT": "8443",
    "PUNCHPROOF_ORIGIN": "https://stamps.example:8443",
    "PUNCHPROOF_PKCS11_MODULE": "/usr/lib/softhsm/libsofthsm2.so",
    "PUNCHPROOF_PKCS11_TOKEN": "punchproof",
    "PUNCHPROOF_PKCS11_PIN_FILE": "/srv/token.pin",
    "DATABASE_URL": "postgresql+psycopg://anna:word@host/books",
    "REDIS_URL": "rediss://anna:word@host:6380/1",
    "PUNCHPROOF_PROXY_HOPS": "2",
    "PUNCHPROOF_KEY_AGE_ALARM": "30",
    "PUNCHPROOF_SMTP_URL": "smtp://anna:word@mail.example:587",
    "PUNCHPROOF_MAIL_FROM": "shop@stamps.example",
    "PUNCHPROOF_LOG_LEVEL": "debug",
}


def _environments() -> list[bytes]:
    few = {"REDIS_URL": "redis://", "PUNCHPROOF_ORIGIN": "http://[::1]:80/"}
    relay = {**few, "PUNCHPROOF_SMTP_URL": "smtp://h:25?starttls=never"}
    relay["PUNCHPROOF_MAIL_FROM"] = "a.b+c@xn--d.example"
    return [
        b"\0".join(f"{name}={value}".encode() for name, value in each.items())
        for each in (_WHOLE, few, relay)
    ]


@target(seeds=_environments, allowed=(SettingsError,))
def variables(data: bytes) -> None:
    """The environment, as Python reads it: bytes that are no text among it."""
    # Files are not for this: which ones somebody may name is theirs.
    pairs = (piece.partition("=")[::2] for piece in text_of(data).split("\0"))
    Settings.from_env({n: v for n, v in pairs if n and not n.endswith("_FILE")})


def _addresses() -> list[bytes]:
    return [
        b"redis://anna:word@host:6379/3?socket_timeout=2",
        b"rediss://host?ssl_cert_reqs=required&max_connections=10",
        b"unix:///run/redis.sock?db=2",
        b"redis+sentinel://anna:w%20rd@a:26379,b,[::1]:3/master/2?sentinel_password=x",
        b"rediss+cluster://a:1,b:2?protocol=3&health_check_interval=4",
    ]


@target(seeds=_addresses, allowed=(SettingsError,))
def redis_urls(data: bytes) -> None:
    """``REDIS_URL`` in its three forms."""
    redis_address.read(text_of(data))


@target(
    seeds=lambda: [b"https://stamps.example:8443", b"http://[::1]:8000/"],
    allowed=(ValueError,),
)
def origins(data: bytes) -> None:
    """An origin, as it is signed into codes."""
    text = canonical_origin(text_of(data))
    if canonical_origin(text) != text:
        raise AssertionError("an origin with two spellings")
