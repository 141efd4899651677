"""Invitations to cards that are not for everyone: guessed, used again and at once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID, uuid4

from app.programme import eligible
from app.programme import shop as shops
from app.programme.eligible import Rules
from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import API, must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Who may use one at once, of all who try.
_USES: Final = 2


@dataclass(frozen=True, slots=True)
class _Club:
    """A card for a group alone."""

    programme: str
    group_id: UUID

    def invitation(self, shop: Shop, uses: int = 1) -> str:
        made = eligible.invite(
            shop.inside,
            self.group_id,
            name="Attacked",
            most_uses=uses,
            last_day=None,
            by=shop.leader,
        )
        return eligible.invitation(shop.inside, made).code

    def join(self, shop: Shop, code: str | None) -> Answer:
        body = {"name": "Mallory", "programme": self.programme}
        if code is not None:
            body["invitation"] = code
        # From addresses of their own, so that no limit hides what the rule says.
        line = {"X-Forwarded-For": f"198.51.100.{secrets.randbelow(256)}"}
        return shop.wire.ask("POST", f"{API}/members", body, headers=line)


def _club(shop: Shop) -> _Club:
    tools, by, before = shop.inside, shop.leader, shop.booked()["settings"]
    group_id = eligible.add_group(
        tools, name=f"Club {uuid4().hex[:8]}", staff_may_add=True, by=by
    )
    made = shops.save_programme(
        tools,
        programme_id=None,
        name="The club's card",
        reward="Biscuit",
        stamps_required=10,
        terms="",
        is_open=True,
        voucher_days=None,
        by=by,
    )
    eligible.save_rules(tools, made.programme_id, Rules(group_id=group_id), by=by)
    # What the shop itself has set up here is no find.
    shop.honest["settings"] += shop.booked()["settings"] - before
    return _Club(str(made.programme_id), group_id)


@attack(Need.INSIDE)
def invitations_guessed(shop: Shop, volley: Volley) -> None:
    """Has no invitation and guesses; 58 bits stop them, and a limit for each network.

    Near misses of a real one too: a letter changed, a part of it, none at all.
    """
    club = _club(shop)
    real = club.invitation(shop, 100)
    bare = real.replace("-", "")
    near = [bare[:-1], bare + "2", bare[::-1], "%" * 12, "_" * 12, f"{bare}' OR '1'='1"]
    near += [
        f"{bare[:at]}{_other(bare[at])}{bare[at + 1 :]}" for at in range(len(bare))
    ]
    drawn = ["".join(secrets.choice(_ALPHABET) for _ in bare) for _ in range(20)]
    volley.throw(
        (
            partial(club.join, shop, code)
            for code in volley.share([None, *near, *drawn])
        ),
        by={"not_eligible", "invalid_request"},
    )


@attack(Need.INSIDE)
def an_invitation_used_at_once(shop: Shop, volley: Volley) -> None:
    """Has an invitation for two and twenty friends; the books count who was in."""
    club = _club(shop)
    code = club.invitation(shop, _USES)
    volley.at_once(
        [partial(club.join, shop, code) for _ in range(20)],
        by={"not_eligible", "try_again"},
        wins=_USES,
    )


@attack(Need.INSIDE)
def an_invitation_used_again(shop: Shop, volley: Volley) -> None:
    """Was let in once; the code is used up for friends, and for who was put out."""
    club = _club(shop)
    code = club.invitation(shop)
    member = must(club.join(shop, code), "joining by invitation")["member_id"]
    eligible.take_out(shop.inside, club.group_id, UUID(member), by=shop.leader)
    friend = shop.join(name="Mallory")
    body = {"programme": club.programme, "invitation": code}
    volley.throw(
        [
            partial(club.join, shop, code),
            partial(shop.wire.ask, "POST", f"{API}/cards", body, token=friend.token),
            partial(
                shop.wire.ask,
                "POST",
                f"{API}/cards",
                {"programme": club.programme},
                token=friend.token,
            ),
        ],
        by={"not_eligible"},
    )


def _other(letter: str) -> str:
    return "2" if letter != "2" else "3"
