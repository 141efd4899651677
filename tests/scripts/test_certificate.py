"""The certificate that opens the camera on phones in the same network."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from scripts.parts.certificate import certificate_for

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
NAMES = ["192.168.1.20", "localhost"]


@pytest.fixture
def made(tmp_path):
    return certificate_for(tmp_path / "certificate", NAMES, now=NOW)


def leaf_of(made):
    return x509.load_pem_x509_certificate(made.chain.read_bytes())


def test_it_is_for_the_address_and_lives_no_longer_than_browsers_allow(made):
    leaf = leaf_of(made)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == NAMES[:1]
    assert names.get_values_for_type(x509.DNSName) == NAMES[1:]
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert life <= timedelta(days=398)


def test_a_server_can_load_it_and_nobody_else_can_read_it(made):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)

    assert made.key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600


def test_it_is_kept_while_it_fits(made):
    before = made.chain.read_bytes()

    certificate_for(made.chain.parent, NAMES, now=NOW + timedelta(days=300))

    assert made.chain.read_bytes() == before


@pytest.mark.parametrize(
    ("names", "later"),
    [
        (["10.0.0.7", "localhost"], timedelta()),
        (NAMES, timedelta(days=390)),
        (NAMES, timedelta(days=800)),
    ],
    ids=["another address", "near its end", "long dead"],
)
def test_it_is_made_again_when_it_no_longer_fits(made, names, later):
    before = leaf_of(made)

    again = certificate_for(made.chain.parent, names, now=NOW + later)

    assert leaf_of(again).serial_number != before.serial_number
    assert leaf_of(again).not_valid_after_utc > NOW + later + timedelta(days=300)


def test_a_torn_file_is_made_again(made):
    made.key.write_bytes(made.key.read_bytes()[:40])

    again = certificate_for(made.chain.parent, NAMES, now=NOW)

    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(again.chain, again.key)
