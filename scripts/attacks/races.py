"""All at once: two to two hundred requests in one moment, on several processes."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Final
from uuid import uuid4

from scripts.attacks.catalogue import attack
from scripts.attacks.parts import must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer
from signing.codes import Kind

_SIZES: Final = (2, 8, 64, 200)
#: The size of a volley that races with so many at most.
_SMALL: Final = 100
#: A server that has its hands full says "try again", and has written nothing.
_LOST: Final = frozenset({"code_in_use", "code_spent", "try_again"})


def _sizes(volley: Volley) -> list[int]:
    rounds = max(1, volley.size // sum(_SIZES))
    sizes = [size for size in _SIZES if size <= max(volley.size, 64)]
    return sizes * min(rounds, 4) if volley.size > _SMALL else sizes


@attack()
def one_card_code_at_many_tills_at_once(shop: Shop, volley: Volley) -> None:
    """Has accomplices at two tills who scan one code in one moment; one claims it."""
    for size in _sizes(volley):
        code = shop.join(name="Bo").code()
        tills = (shop.till, shop.second_till)
        tries = [partial(tills[n % 2].scan, code) for n in range(size)]
        volley.at_once(tries, by=_LOST)
        shop.honest["stamps"] += 1


@attack()
def one_till_code_by_many_phones_at_once(shop: Shop, volley: Volley) -> None:
    """Forwards a till's code to friends who collect in one moment; one has it."""
    friends = [shop.join() for _ in range(min(max(_sizes(volley)), 64))]
    for size in _sizes(volley):
        code = shop.fresh(Kind.STAMP)
        tries = [partial(friends[n % len(friends)].collect, code) for n in range(size)]
        answers = volley.at_once(tries, by=_LOST, wins=_most_by_one(size, len(friends)))
        shop.honest["stamps"] += 1
        _must_agree(volley, answers, "two cards had one code's stamp")


def _must_agree(volley: Volley, answers: list[Answer], else_: str) -> None:
    """Take two different successes for an acceptance."""
    if len({answer.body for answer in answers if answer.is_success}) > 1:
        volley.accept(else_)


def _most_by_one(size: int, friends: int) -> int:
    """How often the card that has the stamp may ask: each time it hears the same."""
    return -(-size // friends)


@attack()
def one_request_sent_many_times_at_once(shop: Shop, volley: Volley) -> None:
    """Sends one request many times in one moment; every answer is the first one."""
    for size in _sizes(volley):
        code, request_id = shop.join(name="Bo").code(), uuid4().hex
        scan = partial(shop.till.scan, code, request_id=request_id)
        answers = volley.at_once([scan] * size, by=_LOST, wins=size)
        shop.honest["stamps"] += 1
        _must_agree(volley, answers, "one request had two answers")


@attack()
def one_voucher_by_many_codes_at_once(shop: Shop, volley: Volley) -> None:
    """Shows a voucher on many phones, scanned in one moment; it is used once."""
    for size in _sizes(volley)[:3]:
        phone = shop.with_voucher()
        voucher = phone.vouchers()[0]
        shown = [
            must(phone.show_voucher(voucher), "showing a voucher")["code"]
            for _ in range(size)
        ]
        tills = (shop.till, shop.second_till)
        tries = [partial(tills[n % 2].redeem, code) for n, code in enumerate(shown)]
        volley.at_once(tries, by={"voucher_spent", "try_again"})
        shop.honest["redemptions"] += 1


@attack()
def one_enrolment_code_on_many_devices_at_once(shop: Shop, volley: Volley) -> None:
    """Forwards an enrolment code to many devices; one of them is a till."""
    for size in _sizes(volley)[:3]:
        code = shop.enrolment_code()
        volley.at_once([partial(shop.enrol, code)] * size, by=_LOST)
        shop.honest.update(tills=1, sessions=1)


@attack()
def one_stamp_undone_many_times_at_once(shop: Shop, volley: Volley) -> None:
    """Undoes one stamp at two tills in one moment; an entry is reversed once."""
    for size in _sizes(volley)[:3]:
        spent = shop.spend(Kind.CARD)
        tills = (shop.till, shop.second_till)
        tries = [
            partial(tills[n % 2].undo, "stamps", spent.entry_id) for n in range(size)
        ]
        answers = volley.at_once(tries, by={"try_again"}, wins=size)
        shop.honest["undone"] += 1
        if shop.tools is None:
            shop.honest["stamps"] -= 1
        _must_agree(volley, answers, "one stamp was undone twice")


@attack(signal="guesses")
def pins_guessed_at_once(shop: Shop, volley: Volley) -> None:
    """Guesses a PIN on many lines in one moment, to be ahead of the limit."""
    till, who = shop.new_till(2), shop.people[2 % len(shop.people)]
    wrong = [f"{number:04}" for number in range(10_000) if f"{number:04}" != who.pin]
    pins = secrets.SystemRandom().sample(wrong, 64)
    tries = [partial(shop.sign_in, till.terminal, who, pin) for pin in pins]
    volley.at_once(tries, by={"unauthenticated", "limit_reached", "try_again"}, wins=0)
    judge_guesses(volley)


#: Wrong guesses that a limit lets somebody make within its window.
GUESSES: Final = 5


def judge_guesses(volley: Volley) -> None:
    """Take every guess that was looked at beyond the limit for an acceptance."""
    beyond = volley.refused["unauthenticated"] - GUESSES
    if beyond > 0:
        volley.accept(f"{beyond} guesses were looked at beyond the limit", beyond)
