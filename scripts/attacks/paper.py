"""Printed stamps: collected twice, after they were called back, made up."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from app.programme import batches, members, printing
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley

_COUNT: Final = 12
_AT_ONCE: Final = 32


def _printed(shop: Shop) -> tuple[UUID, list[str]]:
    """Make a batch and put it on paper; its links."""
    tools, by = shop.inside, shop.leader
    batch_id = batches.make(
        tools,
        name="Attacked",
        programme_id=members.default_programme(tools).programme_id,
        location_id=None,
        stamps=1,
        count=_COUNT,
        last_day=(tools.now() + timedelta(days=30)).date(),
        by=by,
    )
    shop.honest["batches"] += 1
    drawn = printing.put_on_paper(
        tools,
        batch_id,
        layout="attacked",
        by=by,
        draw=lambda stamps: json.dumps([stamp.url for stamp in stamps]).encode(),
    )
    urls: list[str] = json.loads(drawn)
    shop.secrets |= {url.rpartition("/")[2] for url in urls}
    return batch_id, urls


@attack(Need.INSIDE, signal="spent_code")
def a_printed_stamp_twice(shop: Shop, volley: Volley) -> None:
    """Copies a stamp on paper, and collects copy after copy; it counts once."""
    _, urls = _printed(shop)
    must(shop.phone.collect(urls[0]), "collecting a printed stamp")
    shop.honest["stamps"] += 1
    other = shop.join(name="Mallory")
    volley.throw(
        (partial(other.collect, url) for url in volley.share([urls[0]])),
        by={"code_spent"},
    )


@attack(Need.INSIDE)
def a_printed_stamp_by_many_at_once(shop: Shop, volley: Volley) -> None:
    """Shares a photo of a stamp on paper with friends who collect in one moment."""
    _, urls = _printed(shop)
    friends = [shop.join() for _ in range(_AT_ONCE)]
    for url in urls[: 1 + min(volley.size // 100, _COUNT - 1)]:
        volley.at_once(
            [partial(friend.collect, url) for friend in friends],
            by={"code_spent", "code_in_use", "try_again"},
        )
        shop.honest["stamps"] += 1


@attack(Need.INSIDE)
def printed_stamps_after_they_were_called_back(shop: Shop, volley: Volley) -> None:
    """Found the pile that was reported lost; nothing of it counts any more."""
    batch_id, urls = _printed(shop)
    batches.revoke(shop.inside, batch_id, reason="lost", by=shop.leader)
    shop.honest["called back"] += 1
    volley.throw(
        (partial(shop.phone.collect, url) for url in volley.share(urls)),
        by={"code_revoked"},
    )
