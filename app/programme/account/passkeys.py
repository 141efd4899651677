"""Passkeys: a key in the member's phone or password store that signs them in.

The library ``webauthn`` verifies; here is what the books hold:

1. A challenge is sealed with the ring for five minutes, and for one use: to register by
   one member, or to sign in. Nothing is written until it is answered.
2. What is verified writes the challenge down, whose key is unique: of many answers at
   once, and of one answer played again, one counts.
3. A counter that does not grow is refused by a conditional update: that key was copied.
   Passkeys that are kept in several devices do not count, and always say 0.

A passkey signs in without any mail, so the device must have asked for its owner's
finger, face or PIN (user verification). No attestation is asked for: which make of
device it is says nothing here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.programme import sessions
from app.programme.account import devices
from app.programme.errors import InvalidRequest, LimitReached, NotFound
from app.programme.networks import network_of
from app.store.database import Tx, changed
from app.store.limits import LimitHit
from app.store.tables import Member, Passkey, Shop, SpentChallenge
from app.tools import Tools
from signing import links
from signing.errors import LinkExpired, LinkForged

#: How long a challenge may be answered.
ANSWERED_WITHIN: Final = timedelta(minutes=5)
#: Passkeys that a member may have.
MOST: Final = 10
_REGISTER, _SIGN_IN = "passkey-register", "passkey-sign-in"
_TRIES: Final = "60/hour"
_CHALLENGE_BYTES: Final = 32
#: As long as any answer of an authenticator that we ask for no attestation.
_ANSWER_LENGTH: Final = 16_384


@dataclass(frozen=True, slots=True)
class Offer:
    """What a browser is asked, and the seal that it must bring back."""

    #: For ``navigator.credentials``, as JSON has it.
    options: dict[str, Any]
    seal: str


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its member sees it."""

    #: base64url.
    credential_id: str
    name: str
    created_at: datetime
    used_at: datetime | None


def passkeys(tools: Tools, member_id: UUID) -> list[PasskeyView]:
    """List a member's passkeys, the oldest first."""
    with tools.database.read() as tx:
        rows = tx.scalars(
            select(Passkey)
            .where(Passkey.member_id == member_id)
            .order_by(Passkey.created_at)
        ).all()
    return [
        PasskeyView(
            bytes_to_base64url(row.credential_id), row.name, row.created_at, row.used_at
        )
        for row in rows
    ]


def remove(tools: Tools, member_id: UUID, credential_id: str) -> None:
    """Take a passkey's right away.

    Raises:
        NotFound: the member has no such passkey.
    """
    try:
        named = base64url_to_bytes(credential_id)
    except ValueError as error:
        raise NotFound from error
    with tools.database.begin() as tx:
        gone = delete(Passkey).where(
            Passkey.credential_id == named, Passkey.member_id == member_id
        )
        if not changed(tx, gone):
            raise NotFound


def offer_registration(tools: Tools, member_id: UUID) -> Offer:
    """Ask a browser for a new passkey.

    Raises:
        InvalidRequest: ``passkey``: the member has as many as one may have.
        NotFound: no such member.
    """
    with tools.database.read() as tx:
        member, shop = tx.get(Member, member_id), tx.get(Shop, 1)
        known = tx.scalars(
            select(Passkey.credential_id).where(Passkey.member_id == member_id)
        ).all()
    if member is None:
        raise NotFound
    if len(known) >= MOST:
        raise InvalidRequest({"passkey": "too_many_passkeys"})
    shop_name = shop.name if shop else "Punchproof"
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    options = webauthn.generate_registration_options(
        rp_id=_host(tools),
        rp_name=shop_name,
        user_id=member_id.bytes,
        user_name=member.email or member.name or shop_name,
        user_display_name=member.name or member.email or shop_name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    seal = _sealed(tools, challenge, _REGISTER, member_id.hex)
    return Offer(json.loads(webauthn.options_to_json(options)), seal)


def register(
    tools: Tools,
    member_id: UUID,
    answer: Mapping[str, Any],
    seal: str,
    *,
    browser: str | None = None,
) -> PasskeyView:
    """Keep the passkey that a browser made.

    Args:
        tools: books, ring and clock.
        member_id: who asked for it.
        answer: the browser's; not trusted.
        seal: of the offer; not trusted.
        browser: what the device says of itself, to name the passkey by.

    Raises:
        InvalidRequest: ``passkey``: it does not answer the offer, the offer is too old
            or was answered before, or the passkey is known already.
    """
    challenge = _opened(tools, seal, _REGISTER, member_id.hex)
    try:
        made = webauthn.verify_registration_response(
            credential=_bounded(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(tools),
            expected_origin=tools.settings.origin,
            require_user_verification=True,
        )
    except Exception as error:
        # The library's CBOR, ASN.1 and key parsers each have faults of their own.
        raise _refusal() from error
    row = Passkey(
        credential_id=made.credential_id,
        member_id=member_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=devices.name_of(browser) or "Passkey",
        created_at=tools.now(),
    )
    try:
        with tools.database.begin() as tx:
            _spend(tx, tools, challenge)
            tx.add(row)
            tx.flush()
            _must_have_room(tx, member_id)
    except IntegrityError as error:
        raise _refusal() from error
    return PasskeyView(
        bytes_to_base64url(row.credential_id), row.name, row.created_at, None
    )


def offer_sign_in(tools: Tools) -> Offer:
    """Ask a browser for a passkey of this shop, whoever's it is."""
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    options = webauthn.generate_authentication_options(
        rp_id=_host(tools),
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    seal = _sealed(tools, challenge, _SIGN_IN, "")
    return Offer(json.loads(webauthn.options_to_json(options)), seal)


def sign_in(
    tools: Tools,
    answer: Mapping[str, Any],
    seal: str,
    *,
    device: str | None = None,
    browser: str | None = None,
) -> str:
    """Sign in with a passkey; arguments as for ``register``.

    Args:
        tools: books, ring, limits and clock.
        answer: the browser's; not trusted.
        seal: of the offer; not trusted.
        device: the network address that asks.
        browser: what the device says of itself.

    Returns:
        A token.

    Raises:
        InvalidRequest: ``passkey``: not known, or it does not answer the offer, the
            offer is too old or was answered before, or its counter went back.
        LimitReached: ``passkey``: this network tries too often.
    """
    _may(tools, device)
    challenge = _opened(tools, seal, _SIGN_IN, "")
    known = _known(tools, answer)
    try:
        seen = webauthn.verify_authentication_response(
            credential=_bounded(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(tools),
            expected_origin=tools.settings.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except Exception as error:
        raise _refusal() from error
    try:
        with tools.database.begin() as tx:
            _spend(tx, tools, challenge)
            _count(tx, tools, known.credential_id, seen.new_sign_count)
            return sessions.grant(
                tx,
                tools,
                "member",
                member_id=known.member_id,
                device=devices.name_of(browser),
            )
    except IntegrityError as error:
        raise _refusal() from error


def _known(tools: Tools, answer: Mapping[str, Any]) -> Passkey:
    try:
        credential_id = base64url_to_bytes(str(answer["id"]))
    except (KeyError, ValueError) as error:
        raise _refusal() from error
    with tools.database.read() as tx:
        row = tx.get(Passkey, credential_id)
    if row is None:
        raise _refusal()
    return row


def _count(tx: Tx, tools: Tools, credential_id: bytes, count: int) -> None:
    """Keep a counter that has grown; a copy's has not."""
    grown = update(Passkey).where(
        Passkey.credential_id == credential_id,
        or_(Passkey.sign_count < count, (Passkey.sign_count == 0) & (count == 0)),
    )
    if not changed(tx, grown.values(sign_count=count, used_at=tools.now())):
        raise _refusal()


def _must_have_room(tx: Tx, member_id: UUID) -> None:
    there = tx.scalar(
        select(func.count()).select_from(Passkey).where(Passkey.member_id == member_id)
    )
    if (there or 0) > MOST:
        raise InvalidRequest({"passkey": "too_many_passkeys"})


def _spend(tx: Tx, tools: Tools, challenge: bytes) -> None:
    tx.add(SpentChallenge(challenge=challenge, spent_at=tools.now()))
    tx.flush()


def _sealed(tools: Tools, challenge: bytes, purpose: str, whose: str) -> str:
    facts = {"challenge": challenge.hex(), "member": whose}
    return links.seal(facts, tools.keys.ring, purpose=purpose, now=tools.now())


def _opened(tools: Tools, seal: str, purpose: str, whose: str) -> bytes:
    try:
        facts = links.open_(
            seal,
            tools.keys.ring,
            purpose=purpose,
            max_age=ANSWERED_WITHIN,
            now=tools.now(),
        )
        challenge = bytes.fromhex(facts["challenge"])
    except (LinkForged, LinkExpired, KeyError, ValueError) as error:
        raise _refusal() from error
    if facts.get("member") != whose:
        raise _refusal()
    return challenge


def _bounded(answer: Mapping[str, Any]) -> dict[str, Any]:
    if len(json.dumps(answer)) > _ANSWER_LENGTH:
        raise _refusal()
    return dict(answer)


def _may(tools: Tools, device: str | None) -> None:
    network = network_of(device) if device else None
    if network is None:
        return
    try:
        tools.limits.hit("passkey", network, limit=_TRIES)
    except LimitHit as error:
        raise LimitReached("passkey", error.retry_after) from error


def _host(tools: Tools) -> str:
    return urlsplit(tools.settings.origin).hostname or ""


def _refusal() -> InvalidRequest:
    return InvalidRequest({"passkey": "not_accepted"})
