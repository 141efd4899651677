"""What the programme refuses, and why.

A refusal is an answer, not a fault: each class has a ``code`` that never changes
(API clients, translations and signals key on it) and carries the facts that a
person may need. Status and sentence are the web room's: ``app.web.shared.errors``
has one line for each code, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from app.store.errors import StoreDown

__all__ = ["StoreDown"]


class Refused(Exception):
    """Base of every refusal."""

    code: ClassVar[str]


class CodeInvalid(Refused):
    """Malformed, forged or of an unknown key. Says no more: a forger reads it."""

    code = "code_invalid"


class CodeWrongKind(Refused):
    """The code is ours, but not for this door."""

    code = "code_wrong_kind"


class CodeExpired(Refused):
    """The code is ours but too old; a fresh one is shown in a moment."""

    code = "code_expired"

    #: On paper, where nothing fresh is shown in a moment.
    is_printed = False

    def __init__(self, *, is_printed: bool = False) -> None:
        super().__init__(is_printed)
        self.is_printed = is_printed


class CodeRevoked(Refused):
    """The code's key, or its printed batch, was revoked after it was issued."""

    code = "code_revoked"

    #: On paper, where nothing fresh is shown in a moment.
    is_printed = False

    def __init__(self, *, is_printed: bool = False) -> None:
        super().__init__(is_printed)
        self.is_printed = is_printed


class CodeUnknown(Refused):
    """The code is ours, but nothing says that we issued it."""

    code = "code_unknown"


class CodeSpent(Refused):
    """The code counted before, for another request."""

    code = "code_spent"

    def __init__(
        self, spent_at: datetime | None = None, place: str | None = None
    ) -> None:
        super().__init__(spent_at, place)
        #: When it was spent; None where the books do not say.
        self.spent_at = spent_at
        #: Where; for staff only.
        self.place = place


class CodeInUse(Refused):
    """Another request is spending the code right now."""

    code = "code_in_use"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class VoucherSpent(Refused):
    """The voucher was redeemed or voided."""

    code = "voucher_spent"


class VoucherExpired(Refused):
    """The voucher was not used before its end."""

    code = "voucher_expired"

    def __init__(self, ended_at: datetime) -> None:
        super().__init__(ended_at)
        #: The last second in which it was good.
        self.ended_at = ended_at


class VoucherEarly(Refused):
    """The voucher is for a day that has not come."""

    code = "voucher_early"

    def __init__(self, starts_at: datetime) -> None:
        super().__init__(starts_at)
        #: When that for which it is good begins.
        self.starts_at = starts_at


class AmountNeeded(Refused):
    """The voucher is worth money: how much of it is used, of what is left?"""

    code = "amount_needed"

    def __init__(self, rest: int, currency: str, reward: str) -> None:
        super().__init__(rest, currency, reward)
        #: What is left, in minor units; no more than that can be used.
        self.rest = rest
        self.currency = currency
        self.reward = reward


class RewardUnavailable(Refused):
    """The reward can't be had, by this member or by anybody."""

    code = "reward_unavailable"

    def __init__(self, why: str, most: int | None = None, tier: str = "") -> None:
        super().__init__(why, most, tier)
        #: A stable word: ``sold_out``, ``budget_used``, ``had``, ``not_yet``, ``over``,
        #: ``closed``, ``called_off``, ``changed``, ``tier`` or ``too_late``.
        self.why = why
        #: Of ``tier``: which one it takes.
        self.tier = tier
        #: Of ``had``: how many one member may have.
        self.most = most


class NotEnough(Refused):
    """There is less on the card than it costs."""

    code = "not_enough"

    def __init__(self, missing: int, unit: str) -> None:
        super().__init__(missing, unit)
        self.missing = missing
        #: ``stamp``, ``point`` or ``cent``.
        self.unit = unit


class ReceiptCounted(Refused):
    """The till system's receipt brought a purchase before."""

    code = "receipt_counted"

    def __init__(self, counted_at: datetime) -> None:
        super().__init__(counted_at)
        self.counted_at = counted_at


class PurchaseRefunded(Refused):
    """What should come back of a purchase has come back before."""

    code = "purchase_refunded"


class CardClosed(Refused):
    """The card takes no stamps: it, or its programme, is closed, or it is paused."""

    code = "card_closed"

    #: Nothing counts on it until a manager says otherwise, its vouchers neither.
    is_paused = False

    def __init__(self, *, is_paused: bool = False) -> None:
        super().__init__(is_paused)
        self.is_paused = is_paused


class NotEligible(Refused):
    """The rules of the programme leave this member out."""

    code = "not_eligible"

    #: Why, a stable word: ``own_card``, ``needs_visits``; None where there is nothing
    #: more to say.
    why: str | None = None

    def __init__(
        self,
        why: str | None = None,
        *,
        card_id: UUID | None = None,
        staff_id: UUID | None = None,
        group: str | None = None,
        needed: int | None = None,
        have: int | None = None,
    ) -> None:
        super().__init__(why, card_id, staff_id, group, needed, have)
        self.why = why
        #: For which group a card is.
        self.group = group
        #: How many visits or purchases, or years, are asked for.
        self.needed = needed
        #: How many visits or purchases there are.
        self.have = have
        #: Of an own card: which, and whose.
        self.card_id = card_id
        self.staff_id = staff_id


class LimitReached(Refused):
    """A limit was met; it has a name."""

    code = "limit_reached"

    #: How many the limit allows, where people may know it.
    most: int | None = None
    #: The card, person, till or location that it is about, where it is kept.
    whose_id: UUID | None = None

    def __init__(
        self,
        limit: str,
        retry_after: timedelta | None,
        most: int | None = None,
        whose_id: UUID | None = None,
    ) -> None:
        super().__init__(limit, retry_after, most, whose_id)
        self.limit = limit
        #: None: waiting does not help.
        self.retry_after = retry_after
        self.most = most
        self.whose_id = whose_id


class Unauthenticated(Refused):
    """Nobody known is asking: no token, or one that has ended."""

    code = "unauthenticated"


class Forbidden(Refused):
    """Somebody known is asking for what is not theirs."""

    code = "forbidden"


class NotFound(Refused):
    """No such thing, or none that this person may know of."""

    code = "not_found"


class InvalidRequest(Refused):
    """The request makes no sense; ``fields`` says where."""

    code = "invalid_request"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(dict(fields))
        #: Field name to reason, a stable word such as ``too_long``.
        self.fields = dict(fields)


class ErasedBefore(Refused):
    """The person was forgotten already; nothing is left to forget."""

    code = "erased_before"


class TryAgain(Refused):
    """A store is away; nothing was written."""

    code = "try_again"
