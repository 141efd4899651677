"""Every setting of an installation: its variable, unit, default and meaning.

Settings come from the environment and nowhere else. A secret may also be given as
``<VARIABLE>_FILE``, the path of a file that holds it. README lists them; a test
holds that list to this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class SettingsError(Exception):
    """A setting is missing or makes no sense; the sentence says which and why."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: name, default as shown to people, meaning."""

    name: str
    default: str
    meaning: str
    is_secret: bool = False


VARIABLES = (
    Variable("PUNCHPROOF_DATA", ".data", "directory of everything that is kept"),
    Variable("PUNCHPROOF_HOST", "127.0.0.1", "address that the server listens on"),
    Variable("PUNCHPROOF_PORT", "8000", "port that the server listens on, 1 to 65535"),
    Variable(
        "PUNCHPROOF_ORIGIN",
        "http://localhost:PORT",
        "public origin, signed into every code: codes of another origin are nothing "
        "here; https but on the machine itself",
    ),
    Variable(
        "PUNCHPROOF_KEYS",
        "DATA/keys",
        "directory of the sealed key ring",
    ),
    Variable(
        "PUNCHPROOF_KEYS_PASSPHRASE_FILE",
        "DATA/keys.passphrase",
        "file with the ring's passphrase, 256 random bits in hex, mode 0600",
    ),
    Variable(
        "PUNCHPROOF_PKCS11_MODULE",
        "no token",
        "the maker's PKCS#11 library (.so) of a token that keeps signing keys; this "
        "and the next two go together",
    ),
    Variable("PUNCHPROOF_PKCS11_TOKEN", "no token", "the token's label"),
    Variable(
        "PUNCHPROOF_PKCS11_PIN_FILE",
        "no token",
        "file with the PIN of the token's user, mode 0600",
    ),
    Variable(
        "DATABASE_URL",
        "sqlite:///DATA/punchproof.sqlite3",
        "the books: SQLite, or postgresql+psycopg://… (15 or newer)",
        is_secret=True,
    ),
    Variable(
        "REDIS_URL",
        "a server of our own in DATA",
        "the nonce store: redis://, rediss:// or unix://; a master that Sentinels "
        "watch, redis+sentinel://HOST:PORT,…/SERVICE; a cluster, "
        "redis+cluster://HOST:PORT,…; each server with appendonly yes and "
        "maxmemory-policy noeviction",
        is_secret=True,
    ),
    Variable(
        "PUNCHPROOF_PROXY_HOPS",
        "0",
        "how many trusted proxies stand before the server and set X-Forwarded-For",
    ),
    Variable(
        "PUNCHPROOF_KEY_AGE_ALARM",
        "90",
        "days after which a key that still signs raises an alarm, 1 to 3650",
    ),
    Variable(
        "PUNCHPROOF_METRICS_TOKEN_FILE",
        "no /metrics",
        "file with the bearer token, 16 characters or more, that `/metrics` asks for",
    ),
    Variable(
        "PUNCHPROOF_SMTP_URL",
        "files in DATA/mail",
        "the mail server: smtp://USER:PASSWORD@HOST:587 (STARTTLS, required) or "
        "smtps://… (TLS from the start); smtp://HOST:25?starttls=never, without a "
        "password, for a relay in a network of one's own",
        is_secret=True,
    ),
    Variable(
        "PUNCHPROOF_MAIL_FROM",
        "no address",
        "the address that mail comes from; goes together with the one before",
    ),
    Variable("PUNCHPROOF_LOG_LEVEL", "info", "debug, info, warning or error"),
)

#: A name or an address, as ``signing`` takes them: ASCII, so ``xn--`` for others.
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9](?:[a-z0-9.\-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_DIGITS_MOST = 20
_TOKEN_LEAST = 16
#: A label's field in PKCS#11.
_TOKEN_LABEL_MOST = 32
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LEVELS = frozenset({"debug", "info", "warning", "error"})
#: An address as SMTP takes it without extensions: no quotes, no comments.
_MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?",
    re.IGNORECASE,
)
_MAIL_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Which token keeps signing keys."""

    #: The maker's PKCS#11 library.
    module: Path
    label: str
    pin_file: Path


class MailSecurity(StrEnum):
    """How the way to the mail server is kept from others."""

    STARTTLS = "starttls"
    TLS = "tls"
    #: As it is: for a relay in a network of one's own.
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Which mail server takes our mail."""

    host: str
    port: int
    security: MailSecurity
    #: The address that mail comes from.
    sender: str
    #: Both or neither; None: the server asks for none.
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process needs to know, read once at its start."""

    data: Path
    host: str
    port: int
    #: ``scheme://host[:port]`` in lower case, without a slash at the end.
    origin: str
    keys: Path
    keys_passphrase_file: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    proxy_hops: int = 0
    log_level: str = "info"
    #: For how long a key may sign before that is an alarm.
    key_age_alarm: timedelta = timedelta(days=90)
    #: Holds the token that ``/metrics`` asks for; None: there is no such page.
    metrics_token_file: Path | None = None
    #: None: signing keys are files of the ring.
    token: TokenSettings | None = None
    #: None: mail is written to files in ``mail_files``.
    mail: MailSettings | None = None

    @property
    def mail_files(self) -> Path:
        """Where mail is put while there is no mail server."""
        return self.data / "mail"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by https, so that ``__Host-`` cookies hold."""
        return self.origin.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read all settings.

        Args:
            environ: usually ``os.environ``; not trusted to be complete.

        Returns:
            The settings, each checked.

        Raises:
            SettingsError: one of them makes no sense, or ``REDIS_URL`` is missing
                (``scripts/serve`` starts a server and fills it in).
        """
        data = Path(environ.get("PUNCHPROOF_DATA", ".data")).absolute()
        port = _whole(environ, "PUNCHPROOF_PORT", 8000, 1, _LAST_PORT)
        keys = Path(environ.get("PUNCHPROOF_KEYS", data / "keys")).absolute()
        passphrase = environ.get(
            "PUNCHPROOF_KEYS_PASSPHRASE_FILE", str(data / "keys.passphrase")
        )
        level = environ.get("PUNCHPROOF_LOG_LEVEL", "info").lower()
        if level not in _LEVELS:
            raise SettingsError(f"PUNCHPROOF_LOG_LEVEL is none of {sorted(_LEVELS)}")
        redis_url = _secret(environ, "REDIS_URL")
        if not redis_url:
            raise SettingsError("REDIS_URL is not set, and there is no nonce store")
        return cls(
            data=data,
            host=environ.get("PUNCHPROOF_HOST", "127.0.0.1"),
            port=port,
            origin=_origin(
                environ.get("PUNCHPROOF_ORIGIN", f"http://localhost:{port}")
            ),
            keys=keys,
            keys_passphrase_file=Path(passphrase).absolute(),
            database_url=_secret(environ, "DATABASE_URL")
            or f"sqlite:///{data / 'punchproof.sqlite3'}",
            redis_url=redis_url,
            proxy_hops=_whole(environ, "PUNCHPROOF_PROXY_HOPS", 0, 0, 10),
            log_level=level,
            key_age_alarm=timedelta(
                days=_whole(environ, "PUNCHPROOF_KEY_AGE_ALARM", 90, 1, 3650)
            ),
            metrics_token_file=_metrics_token_file(environ),
            token=token_settings(environ),
            mail=_mail(environ),
        )


def _secret(environ: Mapping[str, str], name: str) -> str | None:
    """Read a secret from its variable or from the file that ``_FILE`` names."""
    path = environ.get(f"{name}_FILE")
    if path is None:
        return environ.get(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}_FILE cannot be read: {path}") from error


def _metrics_token_file(environ: Mapping[str, str]) -> Path | None:
    name = "PUNCHPROOF_METRICS_TOKEN_FILE"
    path = environ.get(name)
    if not path:
        return None
    file = Path(path).absolute()
    if read_token(file) is None:
        raise SettingsError(
            f"{name} names no file that we can read, with a token of "
            f"{_TOKEN_LEAST} characters or more: {file}"
        )
    return file


def read_token(path: Path) -> str | None:
    """Read a bearer token of our own from its file, as it is now.

    Returns:
        The token; None if there is no such file, or nothing in it that nobody guesses.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return token if len(token) >= _TOKEN_LEAST else None


def token_settings(environ: Mapping[str, str]) -> TokenSettings | None:
    """Read which token keeps signing keys; None without one.

    Args:
        environ: as for ``Settings.from_env``, but nothing else has to be in it.

    Raises:
        SettingsError: only some of its settings are there, or the label is too long.
    """
    names = [f"PUNCHPROOF_PKCS11_{name}" for name in ("MODULE", "TOKEN", "PIN_FILE")]
    module, label, pin_file = (environ.get(name, "") for name in names)
    missing = [name for name in names if not environ.get(name)]
    if len(missing) == len(names):
        return None
    if missing:
        raise SettingsError(f"a token is half set up: {' and '.join(missing)} missing")
    try:
        length = len(label.encode())
    except UnicodeEncodeError as error:
        # What is no UTF-8 comes from the environment as half characters.
        raise SettingsError("PUNCHPROOF_PKCS11_TOKEN is no UTF-8") from error
    if length > _TOKEN_LABEL_MOST:
        raise SettingsError(
            f"PUNCHPROOF_PKCS11_TOKEN is longer than {_TOKEN_LABEL_MOST} bytes"
        )
    return TokenSettings(Path(module).absolute(), label, Path(pin_file).absolute())


def _mail(environ: Mapping[str, str]) -> MailSettings | None:
    """Read which mail server takes our mail; the address may hold a password."""
    name = "PUNCHPROOF_SMTP_URL"
    url, sender = _secret(environ, name), environ.get("PUNCHPROOF_MAIL_FROM", "")
    if not url and not sender:
        return None
    if not url:
        raise SettingsError(f"PUNCHPROOF_MAIL_FROM is set, and {name} is missing")
    if not _MAIL_ADDRESS.fullmatch(sender):
        raise SettingsError(f"PUNCHPROOF_MAIL_FROM is no mail address: {sender!r}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"{name} cannot be read") from error
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    is_open = options == {"starttls": "never"}
    if (
        parts.scheme not in _MAIL_PORTS
        or not parts.hostname
        or parts.path not in ("", "/")
        or (options and not (is_open and parts.scheme == "smtp"))
        or port == 0
    ):
        raise SettingsError(f"{name} is not smtp:// or smtps:// with a host")
    if bool(parts.username) != bool(parts.password):
        raise SettingsError(f"{name} has a user or a password, and not both")
    if is_open and parts.password:
        raise SettingsError(f"{name} would send its password for all to read")
    secure = {"smtp": MailSecurity.STARTTLS, "smtps": MailSecurity.TLS}
    return MailSettings(
        host=parts.hostname,
        port=port or _MAIL_PORTS[parts.scheme],
        security=MailSecurity.NEVER if is_open else secure[parts.scheme],
        sender=sender,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _whole(
    environ: Mapping[str, str], name: str, default: int, low: int, high: int
) -> int:
    text = environ.get(name, str(default))
    # Python reads no number of thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MOST
    if not (is_number and low <= int(text) <= high):
        raise SettingsError(f"{name} is not a whole number from {low} to {high}")
    return int(text)


def _origin(text: str) -> str:
    """Check a public origin and write it the one way that codes are signed with.

    As browsers write it: lower case, and no port that its scheme has anyway.
    """
    found = _ORIGIN.fullmatch(text.strip().rstrip("/").lower())
    if found is None:
        raise SettingsError(f"PUNCHPROOF_ORIGIN is not scheme://host[:port]: {text!r}")
    scheme, host = found["scheme"], found["host"]
    port = int(found["port"] or _PORTS[scheme])
    if not 1 <= port <= _LAST_PORT:
        raise SettingsError(f"PUNCHPROOF_ORIGIN has no port from 1 to {_LAST_PORT}")
    if scheme == "http" and host.strip("[]") not in _LOOPBACK:
        # Cookies and cameras of other machines' browsers need it.
        raise SettingsError("PUNCHPROOF_ORIGIN must be https, but on localhost")
    return f"{scheme}://{host}" + ("" if port == _PORTS[scheme] else f":{port}")
