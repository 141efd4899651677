"""Thieves who hold our keys, or what were our keys, and clocks that were shifted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app, logs
from app.programme import codes
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.codes import SHOWN
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Wire
from signing import codes as signed
from signing import keyfiles
from signing.codes import Code, Kind
from signing.keyring import KeyRing

_ORIGINS: Final = (
    "http://localhost",
    "https://localhost",
    "http://127.0.0.1:8000",
    "https://stamps.example",
)
_PAPER: Final = timedelta(days=30)
_PATIENCE_S: Final = 60.0


def _forge(shop: Shop, kind: Kind, **changes: object) -> str:
    """Sign a code with the shop's own key; nobody issued it."""
    facts = {
        "ring": shop.inside.keys.ring,
        "origin": shop.origin,
        # A breath more than the second that is cut off: as ours.
        "not_after": _end(shop, kind),
        "nonce": signed.new_nonce(),
        **changes,
    }
    return signed.sign(kind, **facts).text  # type: ignore[arg-type]


def _end(shop: Shop, kind: Kind) -> datetime:
    life = codes.LIFETIME.get(kind, _PAPER)
    return shop.inside.now() + life + timedelta(seconds=2)


@attack(Need.INSIDE, signal="unissued_code")
def a_stolen_key_without_issue_records(shop: Shop, volley: Volley) -> None:
    """Has the signing key and makes codes; nobody issued them, and we are warned."""
    kinds = (*SHOWN, Kind.PRINTED_STAMP)
    volley.throw(
        (partial(shop.knock, kind, _forge(shop, kind)) for kind in volley.share(kinds)),
        by={"code_unknown"},
    )


@attack(Need.INSIDE, signal="unissued_code")
def living_codes_signed_anew(shop: Shop, volley: Volley) -> None:
    """Has the key, and signs a living code's nonce as another kind or for longer.

    Its issue record is sealed for that very code.
    """
    tries = []
    for kind in SHOWN:
        code = _read(shop, shop.fresh(kind))
        for text, door in _changed(shop, code):
            tries.append(partial(shop.knock, door, text))
    volley.throw(volley.share(tries), by={"code_unknown", "code_in_use"})


def _changed(shop: Shop, code: Code) -> Iterator[tuple[str, Kind]]:
    for kind in Kind:
        if kind is not code.kind:
            yield _forge(shop, kind, nonce=code.nonce, not_after=code.not_after), kind
    for by in (timedelta(seconds=1), timedelta(minutes=5), timedelta(days=365)):
        later = code.not_after + by
        yield _forge(shop, code.kind, nonce=code.nonce, not_after=later), code.kind


def _read(shop: Shop, text: str) -> Code:
    return signed.verify(text, shop.inside.keys.ring, origin=shop.origin)


@attack(Need.INSIDE, signal="spent_code")
def spent_codes_signed_anew(shop: Shop, volley: Volley) -> None:
    """Has the key, and gives a spent nonce a new life; the books know the nonce."""
    spent = [shop.spend(kind) for kind in (Kind.CARD, Kind.STAMP)]
    tries = []
    for one in spent:
        code = _read(shop, one.code)
        for text, door in _changed(shop, code):
            if door is not Kind.ENROLMENT:
                tries.append(partial(shop.knock, door, text))
    volley.throw(volley.share(tries), by={"code_spent"})


@attack(Need.INSIDE)
def codes_of_another_address(shop: Shop, volley: Volley) -> None:
    """Has codes of our own key, made for another address; the address is signed."""
    others = [(kind, origin) for kind in SHOWN for origin in _ORIGINS]
    volley.throw(
        (
            partial(shop.knock, kind, _forge(shop, kind, origin=origin))
            for kind, origin in volley.share(others)
        ),
        by={"code_invalid"},
    )


@attack(Need.INSIDE)
def a_pending_key(shop: Shop, volley: Volley) -> None:
    """Has a key that was made and never put in the ring; it is nobody's."""
    tools = shop.inside
    ring = tools.keys.ring.with_new_key(tools.now())
    pending = ring.activated(ring.last_key_id, tools.now())
    volley.throw(
        (
            partial(shop.knock, kind, _forge(shop, kind, ring=pending))
            for kind in volley.share(SHOWN)
        ),
        by={"code_invalid"},
    )


@attack(Need.INSIDE, signal="spent_code")
def shifted_clocks(shop: Shop, volley: Volley) -> None:
    """Finds a machine of ours whose clock is off; a code counts once there, too.

    By an hour, a day and a year, both ways: for spent codes, and for living ones.
    """
    spent = [shop.spend(kind) for kind in (Kind.CARD, Kind.STAMP, Kind.VOUCHER)]
    for by in (timedelta(hours=1), timedelta(days=1), timedelta(days=365)):
        for shift in (by, -by):
            with _machine(shop, shift) as wire:
                there = _standing(shop, wire)
                replays = [partial(there.knock, one.kind, one.code) for one in spent]
                # To a machine that is ahead our sessions are over, in the end.
                volley.throw(
                    volley.share(replays), by={"code_spent", "unauthenticated"}
                )
        with _machine(shop, by) as wire:
            there = _standing(shop, wire)
            living = [(kind, shop.fresh(kind)) for kind in SHOWN]
            volley.throw(
                (partial(there.knock, *one) for one in volley.share(living)),
                by={"code_expired", "code_in_use", "unauthenticated"},
            )


def _standing(shop: Shop, wire: Wire) -> Shop:
    """The same people and devices, at another machine of the shop."""
    there = replace(shop, wire=wire)
    vars(there)["till"] = replace(shop.till, wire=wire)
    vars(there)["phone"] = replace(shop.phone, wire=wire)
    return there


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def _machine(shop: Shop, shift: timedelta) -> Iterator[Wire]:
    """Serve the shop by one more process, whose clock is off."""
    tools = shop.inside
    off = replace(tools, now=lambda: tools.now() + shift)
    # Else its lines would stand in what this command tells.
    logs.set_up("error")
    server = make_server(
        "127.0.0.1", 0, create_app(off), threaded=True, request_handler=_Quiet
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    wire = Wire(f"http://127.0.0.1:{server.server_port}")
    try:
        yield wire
    finally:
        wire.close()
        server.shutdown()
        thread.join()
        server.server_close()


@attack(Need.OWN)
def a_retired_key(shop: Shop, volley: Volley) -> None:
    """Kept real codes and a key until it was retired; it verifies paper alone."""
    stolen = shop.inside.keys.ring
    out = [(kind, shop.fresh(kind)) for kind in SHOWN]
    _change_keys(shop, _with_next_key)
    _change_keys(shop, lambda ring, now: ring.retired(stolen.active.key_id, now))
    _throw_old(shop, volley, stolen, out)


@attack(Need.OWN)
def a_revoked_key(shop: Shop, volley: Volley) -> None:
    """Stole the key, and it was called back; nothing of it counts any more.

    Not what the thief signs, and not what customers still show.
    """
    stolen = shop.inside.keys.ring
    out = [(kind, shop.fresh(kind)) for kind in SHOWN]
    _change_keys(
        shop,
        lambda ring, now: _with_next_key(ring, now).revoked(stolen.active.key_id, now),
    )
    _throw_old(shop, volley, stolen, out)


def _throw_old(
    shop: Shop, volley: Volley, stolen: KeyRing, out: list[tuple[Kind, str]]
) -> None:
    made_up = [(kind, _forge(shop, kind, ring=stolen)) for kind in SHOWN]
    volley.throw(
        (partial(shop.knock, *one) for one in volley.share(out + made_up)),
        by={"code_revoked"},
    )


def _with_next_key(ring: KeyRing, now: datetime) -> KeyRing:
    more = ring.with_new_key(now)
    return more.activated(more.last_key_id, now)


def _change_keys(shop: Shop, step: Callable[[KeyRing, datetime], KeyRing]) -> None:
    """Write another ring, and wait until every worker has it."""
    tools = shop.inside
    settings = tools.settings
    passphrase = keyfiles.read_passphrase(settings.keys_passphrase_file)
    ring = step(keyfiles.load(settings.keys, passphrase), tools.now())
    keyfiles.save(settings.keys, ring, passphrase)
    tools.keys.refresh()
    done = threading.Event()
    last = tools.now() + timedelta(seconds=_PATIENCE_S)
    while not done.wait(0.2) and tools.now() < last:
        if all(worker.ring == ring.digest for worker in tools.workers.live()):
            done.set()
