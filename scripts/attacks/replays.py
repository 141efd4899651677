"""Codes that were used, or are over: the same again, by anybody, in any way."""

from __future__ import annotations

import secrets
import sys
import time
from datetime import datetime
from functools import partial
from typing import Final
from uuid import uuid4

from scripts.attacks.catalogue import Need, attack
from scripts.attacks.codes import SHOWN
from scripts.attacks.parts import must
from scripts.attacks.shop import Shop, Spent
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer
from signing.codes import Kind

#: Kinds that are spent for stamps or a reward.
_WORTH: Final = (Kind.CARD, Kind.STAMP, Kind.VOUCHER)


@attack()
def replay_by_the_same(shop: Shop, volley: Volley) -> None:
    """Sends a request of their own again; it gets its first answer, and no more."""
    for spent in [shop.spend(kind) for kind in _WORTH]:
        volley.throw(
            (partial(shop.respend, each) for each in volley.share([spent])),
            by={"the first answer"},
            verdict=partial(_same_answer, spent),
        )


def _same_answer(spent: Spent, answer: Answer) -> str | None:
    is_same = answer.status == 200 and answer.body == spent.answer  # noqa: PLR2004
    return "the first answer" if is_same else None


@attack(signal="spent_code")
def replay_by_another(shop: Shop, volley: Volley) -> None:
    """Presents a code that somebody else has spent; its nonce is in the books."""
    for spent in [shop.spend(kind) for kind in _WORTH]:
        volley.throw(
            (
                partial(shop.knock, spent.kind, each)
                for each in volley.share([spent.code])
            ),
            by={"code_spent"},
        )


@attack(signal="spent_code")
def screenshot_at_a_second_till(shop: Shop, volley: Volley) -> None:
    """Shows a screenshot at another till a moment later; the code is spent."""
    for spent in (shop.spend(Kind.CARD), shop.spend(Kind.VOUCHER)):
        till = shop.second_till
        door = till.scan if spent.kind is Kind.CARD else till.redeem
        volley.throw(
            (partial(door, each) for each in volley.share([spent.code])),
            by={"code_spent"},
        )


@attack(signal="spent_code")
def photograph_of_the_till(shop: Shop, volley: Volley) -> None:
    """Photographs a till's code that somebody else collects; it goes to one card."""
    spent, thief = shop.spend(Kind.STAMP), shop.join(name="Mallory")
    volley.throw(
        (partial(thief.collect, each) for each in volley.share([spent.code])),
        by={"code_spent"},
    )


@attack()
def one_voucher_by_many_codes(shop: Shop, volley: Volley) -> None:
    """Keeps many codes of one voucher and uses each; its row is changed once."""
    phone = shop.with_voucher()
    voucher = phone.vouchers()[0]
    count = min(max(volley.size, 2), 200)
    shown = [
        must(phone.show_voucher(voucher), "showing it")["code"] for _ in range(count)
    ]
    must(shop.till.redeem(shown.pop()), "using a voucher")
    shop.honest["redemptions"] += 1
    volley.throw(
        (partial(shop.till.redeem, code) for code in shown), by={"voucher_spent"}
    )
    volley.throw([partial(phone.show_voucher, voucher)], by={"voucher_spent"})


@attack()
def enrolment_code_twice(shop: Shop, volley: Volley) -> None:
    """Reads an enrolment code off a screen after a till was made by it."""
    code = shop.enrolment_code()
    must(shop.enrol(code), "enrolling a till")
    shop.honest.update(tills=1, sessions=1)
    volley.throw(
        (partial(shop.enrol, each) for each in volley.share([code])),
        by={"code_spent"},
    )


@attack()
def one_request_for_many_codes(shop: Shop, volley: Volley) -> None:
    """Gives a request's name to other codes too; a request counts for one code."""
    spent = shop.spend(Kind.CARD)
    count = min(max(volley.size, 2), 500)
    codes = [shop.fresh(Kind.CARD) for _ in range(count)]
    volley.throw(
        (partial(shop.till.scan, code, request_id=spent.request_id) for code in codes),
        by={"invalid_request"},
    )


@attack(signal="spent_code")
def stamps_undone_and_collected_again(shop: Shop, volley: Volley) -> None:
    """Has a stamp undone, and presents its code again; an undo revives no code."""
    spent = shop.spend(Kind.STAMP)
    must(shop.till.undo("stamps", spent.entry_id), "undoing a stamp")
    shop.honest["undone"] += 1
    if shop.tools is None:
        # From outside only what is left on the card can be seen.
        shop.honest["stamps"] -= 1
    thief = shop.join(name="Mallory")
    volley.throw(
        (partial(thief.collect, each) for each in volley.share([spent.code])),
        by={"code_spent"},
    )


@attack()
def undone_twice(shop: Shop, volley: Volley) -> None:
    """Has a stamp undone again and again, to a card below nothing; once is all."""
    spent = shop.spend(Kind.CARD)
    first = shop.till.undo("stamps", spent.entry_id)
    must(first, "undoing a stamp")
    shop.honest["undone"] += 1
    if shop.tools is None:
        shop.honest["stamps"] -= 1
    again = Spent(Kind.CARD, "", "", spent.phone, spent.entry_id, first.body)
    volley.throw(
        (
            partial(shop.till.undo, "stamps", each.entry_id)
            for each in volley.share([again])
        ),
        by={"the first answer"},
        verdict=partial(_same_answer, again),
    )


@attack(Need.INSIDE)
def codes_that_ran_out(shop: Shop, volley: Volley) -> None:
    """Kept a real code a moment too long; its end is signed."""
    dead = [(kind, shop.dead(kind)) for kind in SHOWN]
    volley.throw(
        (partial(shop.knock, *each) for each in volley.share(dead)),
        # Two at a time are told that the other is at it.
        by={"code_expired", "code_in_use"},
    )


@attack()
def codes_kept_until_they_ran_out(shop: Shop, volley: Volley) -> None:
    """Keeps living codes by the clock on the wall; long forms alone wait for that."""
    if volley.size < _PATIENT:
        return
    shown = [
        must(shop.phone.show(), "showing a code"),
        must(shop.till.offer(), "showing"),
    ]
    last = max(datetime.fromisoformat(one["not_after"]).timestamp() for one in shown)
    wait = last - time.time() + 2
    print(
        f"  waiting {wait:.0f} s until codes have run out", file=sys.stderr, flush=True
    )
    time.sleep(max(0.0, wait))
    over = list(
        zip((Kind.CARD, Kind.STAMP), [one["code"] for one in shown], strict=True)
    )
    volley.throw(
        (partial(shop.knock, *each) for each in volley.share(over)),
        by={"code_expired", "code_in_use"},
    )


#: Tries from which on an attack may wait for minutes.
_PATIENT: Final = 1000


@attack()
def a_retry_that_is_none(shop: Shop, volley: Volley) -> None:
    """Guesses the name of another till's request; each till has names of its own."""
    spent = shop.spend(Kind.CARD)
    names = [spent.request_id, f"{shop.till.terminal_id}:{spent.request_id}"]
    made_up = [uuid4().hex, secrets.token_hex(8)]
    volley.throw(
        (
            partial(shop.second_till.scan, spent.code, request_id=name)
            for name in volley.share([*names, *made_up])
        ),
        by={"code_spent", "invalid_request"},
    )
