"""The welcome mail: who gets one, and what it is told.

It goes to whoever joins with an e-mail address. Nobody can be made to get many: an
address gets three a day and a network sends forty an hour, beyond which joining goes on
and the mail does not. Nothing that the joiner sees tells the one from the other, nor
whether an address was known before.

What it says is what was promised at that moment: the programme as it was joined. It
opens the card's page and holds no token: the link works on the phone that has the card.
"""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from app.programme.networks import network_of
from app.store import outbox
from app.store.database import Tx
from app.store.limits import LimitHit
from app.store.tables import Card, Member, Programme
from app.tools import Tools

KIND: Final = "welcome"
_PER_ADDRESS, _PER_NETWORK = "3/day", "40/hour"
#: What mail programs turn into a link. A name that holds one is somebody who wants our
#: mail to carry theirs.
_LINK_LIKE: Final = re.compile(r"[:/@\\]|\bwww\b|\w\.\w{2,}", re.IGNORECASE)


def may_write(tools: Tools, email: str | None, device: str | None) -> bool:
    """Count a welcome mail, and tell whether it may be sent.

    Args:
        tools: the limits.
        email: where to; None: no mail.
        device: the network address that asks; None: nobody's, as for scripts.
    """
    if email is None:
        return False
    network = network_of(device) if device else None
    try:
        if network is not None:
            tools.limits.hit("welcome_network", network, limit=_PER_NETWORK)
        tools.limits.hit("welcome_address", email.casefold(), limit=_PER_ADDRESS)
    except LimitHit:
        return False
    return True


def write(
    tx: Tx, tools: Tools, member: Member, programme: Programme, card_id: UUID
) -> None:
    """Put the mail to a new member in the outbox.

    Args:
        tx: the transaction of the joining.
        tools: the clock.
        member: with an address.
        programme: that was joined.
        card_id: the new card.
    """
    if member.email is None:
        return
    card = tx.get_one(Card, card_id)
    facts = {
        "name": greeting_name(member.name),
        "number": card.number,
        "opened_at": card.opened_at.isoformat(),
        "programme": programme.name,
        "reward": programme.reward,
        "stamps_required": programme.stamps_required,
        "terms": programme.terms,
        "voucher_days": programme.voucher_days,
    }
    outbox.put(
        tx,
        KIND,
        member.email,
        facts,
        now=tools.now(),
        member_id=member.member_id,
        locale=member.locale,
    )


def greeting_name(name: str | None) -> str | None:
    """Tell how a mail may greet; None for a name that would become a link in it."""
    return None if name is None or _LINK_LIKE.search(name) else name
