"""A certificate of our own, so that phones in the same network open their camera.

Browsers give the camera to https pages only. Nobody vouches for this certificate, so
each phone asks once whether to go on. The authority that signs it is forgotten as
soon as it has signed: there is no key that could make another for some other site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

# Browsers refuse more than 398 days; a day goes to clocks that are behind.
_LIFE = timedelta(days=396)
_BEHIND = timedelta(days=1)
_RENEW_BEFORE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files that a server takes, PEM, mode 0600; the key is PKCS#8."""

    chain: Path
    key: Path


def certificate_for(
    directory: Path, names: Sequence[str], *, now: datetime
) -> Certificate:
    """Return a certificate for these names; keep the one in ``directory`` if it fits.

    Args:
        directory: made with mode 0700 if missing.
        names: host names and IP addresses.
        now: aware.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Certificate(directory / "chain.pem", directory / "key.pem")
    if not _fits(made, names, now):
        _make(made, names, now)
    return made


def _fits(made: Certificate, names: Sequence[str], now: datetime) -> bool:
    """Whether the files are whole, of one pair, for all names, and not near the end."""
    try:
        leaf = x509.load_pem_x509_certificate(made.chain.read_bytes())
        key = load_pem_private_key(made.key.read_bytes(), password=None)
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    hosts = set(named.value.get_values_for_type(x509.DNSName))
    hosts |= {str(a) for a in named.value.get_values_for_type(x509.IPAddress)}
    return (
        key.public_key() == leaf.public_key()
        and hosts >= set(names)
        and leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc - _RENEW_BEFORE
    )


def _make(made: Certificate, names: Sequence[str], now: datetime) -> None:
    leaf = trustme.CA(organization_name="Punchproof").issue_cert(
        *names,
        organization_name="Punchproof on this network",
        not_before=now - _BEHIND,
        not_after=now + _LIFE,
    )
    key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # The key first: a pair that does not match is made again at the next start.
    _write(made.key, pem)
    _write(made.chain, b"".join(blob.bytes() for blob in leaf.cert_chain_pems))


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_bytes(data)
    fresh.replace(path)
