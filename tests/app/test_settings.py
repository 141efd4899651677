"""Settings: each variable is read, checked and named when it makes no sense."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import (
    VARIABLES,
    MailSecurity,
    MailSettings,
    Settings,
    SettingsError,
    TokenSettings,
)
from signing.codes import canonical_origin

REDIS = {"REDIS_URL": "unix:///run/redis.sock"}


def read(**environ: str) -> Settings:
    return Settings.from_env(REDIS | environ)


def test_without_any_but_the_nonce_store_there_are_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    settings = Settings.from_env(REDIS)

    data = tmp_path / ".data"
    assert settings == Settings(
        data=data,
        host="127.0.0.1",
        port=8000,
        origin="http://localhost:8000",
        keys=data / "keys",
        keys_passphrase_file=data / "keys.passphrase",
        database_url=f"sqlite:///{data}/punchproof.sqlite3",
        redis_url="unix:///run/redis.sock",
        proxy_hops=0,
        log_level="info",
    )


def test_every_variable_is_read(tmp_path: Path):
    (tmp_path / "f").write_text("a token that nobody guesses")
    environ = {
        "PUNCHPROOF_DATA": str(tmp_path / "a"),
        "PUNCHPROOF_HOST": "0.0.0.0",  # noqa: S104 -- only read
        "PUNCHPROOF_PORT": "9000",
        "PUNCHPROOF_ORIGIN": "https://stamps.example",
        "PUNCHPROOF_KEYS": str(tmp_path / "b"),
        "PUNCHPROOF_KEYS_PASSPHRASE_FILE": str(tmp_path / "c"),
        "PUNCHPROOF_PKCS11_MODULE": str(tmp_path / "d.so"),
        "PUNCHPROOF_PKCS11_TOKEN": "the shop's",
        "PUNCHPROOF_PKCS11_PIN_FILE": str(tmp_path / "e"),
        "DATABASE_URL": "postgresql+psycopg://books",
        "REDIS_URL": "rediss://nonces",
        "PUNCHPROOF_PROXY_HOPS": "2",
        "PUNCHPROOF_KEY_AGE_ALARM": "30",
        "PUNCHPROOF_METRICS_TOKEN_FILE": str(tmp_path / "f"),
        "PUNCHPROOF_SMTP_URL": "smtp://shop%40x:p%3Aw@mail.example",
        "PUNCHPROOF_MAIL_FROM": "stamps@shop.example",
        "PUNCHPROOF_LOG_LEVEL": "WARNING",
    }

    settings = Settings.from_env(environ)

    assert settings == Settings(
        data=tmp_path / "a",
        host="0.0.0.0",  # noqa: S104 -- only read
        port=9000,
        origin="https://stamps.example",
        keys=tmp_path / "b",
        keys_passphrase_file=tmp_path / "c",
        database_url="postgresql+psycopg://books",
        redis_url="rediss://nonces",
        proxy_hops=2,
        log_level="warning",
        key_age_alarm=timedelta(days=30),
        metrics_token_file=tmp_path / "f",
        token=TokenSettings(tmp_path / "d.so", "the shop's", tmp_path / "e"),
        mail=MailSettings(
            "mail.example",
            587,
            MailSecurity.STARTTLS,
            "stamps@shop.example",
            "shop@x",
            "p:w",
        ),
    )
    # and none is missing here, or in the list that people read
    assert {variable.name for variable in VARIABLES} == environ.keys()


@pytest.mark.parametrize("content", [None, "", "short", "\xe9" * 16])
def test_a_token_that_anybody_guesses_stops_the_start(
    tmp_path: Path, content: str | None
):
    file = tmp_path / "metrics.token"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError, match="PUNCHPROOF_METRICS_TOKEN_FILE"):
        read(PUNCHPROOF_METRICS_TOKEN_FILE=str(file))


def test_the_books_and_keys_lie_in_the_data_directory(tmp_path: Path):
    settings = read(PUNCHPROOF_DATA=str(tmp_path))

    assert settings.keys.parent == settings.keys_passphrase_file.parent == tmp_path
    assert str(tmp_path) in settings.database_url


def test_the_port_is_in_the_origin_unless_one_is_given():
    assert read(PUNCHPROOF_PORT="8123").origin == "http://localhost:8123"


@pytest.mark.parametrize(
    ("name", "field"),
    [("DATABASE_URL", "database_url"), ("REDIS_URL", "redis_url")],
)
def test_a_secret_may_lie_in_a_file(tmp_path: Path, name: str, field: str):
    secret = tmp_path / "secret"
    secret.write_text("redis://:pw@host/0\n", encoding="utf-8")

    settings = read(**{f"{name}_FILE": str(secret), name: "redis://other"})

    assert getattr(settings, field) == "redis://:pw@host/0"


def test_every_secret_may_lie_in_a_file():
    assert {variable.name for variable in VARIABLES if variable.is_secret} == {
        "DATABASE_URL",
        "REDIS_URL",
        "PUNCHPROOF_SMTP_URL",
    }


def test_a_token_that_is_half_set_up_is_told_with_what_it_lacks():
    told = "PUNCHPROOF_PKCS11_TOKEN and PUNCHPROOF_PKCS11_PIN_FILE missing"

    with pytest.raises(SettingsError, match=told):
        read(PUNCHPROOF_PKCS11_MODULE="/usr/lib/softhsm/libsofthsm2.so")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_secrets_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None
):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match="DATABASE_URL_FILE cannot be read"):
        read(DATABASE_URL_FILE=str(path))


def test_no_secret_is_in_the_repr():
    settings = read(
        DATABASE_URL="postgresql+psycopg://u:s3cret@host/books",
        REDIS_URL="redis://:s3cret@host/0",
        PUNCHPROOF_SMTP_URL="smtps://shop:s3cret@host",
        PUNCHPROOF_MAIL_FROM="stamps@shop.example",
    )

    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings)


@pytest.mark.parametrize(
    "environ",
    [
        {
            "PUNCHPROOF_PKCS11_TOKEN": "é" * 17,
            "PUNCHPROOF_PKCS11_MODULE": "a.so",
            "PUNCHPROOF_PKCS11_PIN_FILE": "pin",
        },
        {"PUNCHPROOF_PORT": "0"},
        {"PUNCHPROOF_PORT": "65536"},
        {"PUNCHPROOF_PORT": "http"},
        {"PUNCHPROOF_PORT": "-1"},
        {"PUNCHPROOF_PORT": ""},
        {"PUNCHPROOF_PORT": "٨٠"},
        {"PUNCHPROOF_PROXY_HOPS": "11"},
        {"PUNCHPROOF_PROXY_HOPS": "1.0"},
        {"PUNCHPROOF_LOG_LEVEL": "loud"},
        {"PUNCHPROOF_ORIGIN": ""},
        {"PUNCHPROOF_ORIGIN": "stamps.example"},
        {"PUNCHPROOF_ORIGIN": "ftp://stamps.example"},
        {"PUNCHPROOF_ORIGIN": "https://"},
        {"PUNCHPROOF_ORIGIN": "https://stamps.example/shop"},
        {"PUNCHPROOF_ORIGIN": "https://stamps.example?a=1"},
        {"PUNCHPROOF_ORIGIN": "https://stamps.example#a"},
        {"PUNCHPROOF_ORIGIN": "https://anna@stamps.example"},
        {"PUNCHPROOF_ORIGIN": "https://:pw@stamps.example"},
        {"PUNCHPROOF_ORIGIN": "https://stamps.example:0"},
        {"PUNCHPROOF_ORIGIN": "https://stamps.example:65536"},
        {"PUNCHPROOF_ORIGIN": "https://stamps.example:"},
        {"PUNCHPROOF_ORIGIN": "https://stamps.example:١"},  # noqa: RUF001 -- a digit, but not ours
        {"PUNCHPROOF_ORIGIN": "https://[::1"},
        {"PUNCHPROOF_ORIGIN": "https://stämps.example"},
        {"PUNCHPROOF_ORIGIN": "https://stamps example"},
        {"REDIS_URL": ""},
    ],
    ids=str,
)
def test_a_value_that_makes_no_sense_is_named(environ: dict[str, str]):
    with pytest.raises(SettingsError, match=next(iter(environ))):
        read(**environ)


def test_a_nonce_store_is_asked_for():
    with pytest.raises(SettingsError, match="REDIS_URL"):
        Settings.from_env({})


@pytest.mark.parametrize(
    "origin", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000"]
)
def test_http_is_for_the_machine_itself(origin: str):
    settings = read(PUNCHPROOF_ORIGIN=origin)

    assert settings.origin == origin
    assert not settings.is_secure


@pytest.mark.parametrize(
    "origin",
    [
        "http://stamps.example",
        "http://192.168.1.7:8000",
        "http://localhost.stamps.example",
        "http://127.0.0.1.stamps.example",
        "http://0.0.0.0:8000",
    ],
)
def test_http_is_for_no_other_machine(origin: str):
    with pytest.raises(SettingsError, match="must be https"):
        read(PUNCHPROOF_ORIGIN=origin)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://x:443", "https://x"),
        ("https://x:0443", "https://x"),
        ("http://localhost:80", "http://localhost"),
        ("https://x:80", "https://x:80"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://x:08443", "https://x:8443"),
        (" HTTPS://Stamps.Example/ ", "https://stamps.example"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
    ],
)
def test_an_origin_has_one_spelling(written: str, origin: str):
    settings = read(PUNCHPROOF_ORIGIN=written)

    assert settings.origin == origin
    assert settings.is_secure == origin.startswith("https")


@pytest.mark.parametrize(
    "origin",
    [
        "https://stamps.example",
        "https://a-b.example:8443",
        "https://[::1]:8000",
        "http://localhost:1",
        "https://xn--stmps-gra.example",
    ],
)
def test_codes_are_signed_with_the_origin_as_the_settings_write_it(origin: str):
    assert canonical_origin(read(PUNCHPROOF_ORIGIN=origin).origin) == origin


def mail_settings(url: str, sender: str = "stamps@shop.example") -> MailSettings | None:
    return read(PUNCHPROOF_SMTP_URL=url, PUNCHPROOF_MAIL_FROM=sender).mail


@pytest.mark.parametrize(
    ("url", "port", "security"),
    [
        ("smtp://host", 587, MailSecurity.STARTTLS),
        ("smtp://host:25/", 25, MailSecurity.STARTTLS),
        ("smtps://host", 465, MailSecurity.TLS),
        ("smtp://host:25?starttls=never", 25, MailSecurity.NEVER),
    ],
)
def test_the_way_to_the_mail_server_is_open_only_where_that_is_said(
    url: str, port: int, security: MailSecurity
):
    found = mail_settings(url)

    assert found is not None
    assert (found.host, found.port, found.security) == ("host", port, security)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "https://mail.example",
        "smtp://",
        "smtp://shop:s3cret@",
        "smtp://host:0",
        "smtp://host:99999",
        "smtp://host:port",
        "smtp://host/path",
        "smtp://[::1",
        "smtp://user@host",
        "smtp://:s3cret@host",
        "smtp://host?starttls=maybe",
        "smtps://host?starttls=never",
        "smtp://host?other=1",
        # for all to read
        "smtp://shop:s3cret@host?starttls=never",
    ],
)
def test_a_mail_server_that_makes_no_sense_is_named_and_its_password_is_not(url: str):
    with pytest.raises(SettingsError, match="PUNCHPROOF_SMTP_URL") as raised:
        mail_settings(url)

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "shop",
        "Shop <a@b.example>",
        "a@b.example\nBcc: c@d.example",
        "a b@c.example",
    ],
)
def test_mail_comes_from_an_address(sender: str):
    with pytest.raises(SettingsError, match="PUNCHPROOF_MAIL_FROM"):
        mail_settings("smtp://host", sender)


def test_a_sender_without_a_server_is_half_set_up():
    with pytest.raises(SettingsError, match="PUNCHPROOF_SMTP_URL is missing"):
        read(PUNCHPROOF_MAIL_FROM="stamps@shop.example")


def test_a_number_of_thousands_of_digits_is_no_number():
    with pytest.raises(SettingsError, match="PUNCHPROOF_PORT"):
        read(PUNCHPROOF_PORT="9" * 5000)


def test_a_label_that_is_no_text_is_refused():
    with pytest.raises(SettingsError, match="no UTF-8"):
        read(
            PUNCHPROOF_PKCS11_MODULE="m.so",
            PUNCHPROOF_PKCS11_TOKEN="shop\udcff",
            PUNCHPROOF_PKCS11_PIN_FILE="pin",
        )
