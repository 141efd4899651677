"""What the kinds of signals are, and from when on each is one.

==================== =========================================================
kind                 raised when
==================== =========================================================
spent_code           a code that was used is tried by another
unissued_code        a code has our good signature, and we never made it
by_hand              stamps are given to a card that nobody showed; each time
own_card             somebody tries to stamp a card that is known as their own
own_phone            a till is the very browser that holds the card it stamps
guesses              a limit of guesses at a PIN or a password refuses
limit_met            a limit of ``app.programme.limits`` by the hour is met
favourite            one card gets far more from one person than others do
after_hours          stamps are given while the location is closed
card_in_two_places   one card is stamped at two locations within minutes
person_in_two_places one person gives at two locations within minutes
join_burst           one device gets card after card
quick_reward         a reward is handed out soon after its card was made
many_undos           one person takes back far more than is usual
==================== =========================================================

Thresholds were set with ``scripts/simulate.py``, on other seeds than those of the
figures in the README.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

#: A used code tried by another; see ``codes``.
SPENT: Final = "spent_code"
#: Signed by our key, and not by us.
UNISSUED: Final = "unissued_code"
#: Given to a card that nobody showed; written by ``by_hand`` with the stamps.
BY_HAND: Final = "by_hand"
OWN_CARD: Final = "own_card"
OWN_PHONE: Final = "own_phone"
GUESSES: Final = "guesses"
LIMIT_MET: Final = "limit_met"
FAVOURITE: Final = "favourite"
AFTER_HOURS: Final = "after_hours"
CARD_IN_TWO_PLACES: Final = "card_in_two_places"
PERSON_IN_TWO_PLACES: Final = "person_in_two_places"
JOIN_BURST: Final = "join_burst"
QUICK_REWARD: Final = "quick_reward"
MANY_UNDOS: Final = "many_undos"

#: The gravest first, as lists have them.
ALL: Final = (
    UNISSUED,
    OWN_PHONE,
    OWN_CARD,
    GUESSES,
    FAVOURITE,
    AFTER_HOURS,
    PERSON_IN_TWO_PLACES,
    CARD_IN_TWO_PLACES,
    MANY_UNDOS,
    QUICK_REWARD,
    JOIN_BURST,
    LIMIT_MET,
    SPENT,
    BY_HAND,
)
#: Kept for whoever asks; nobody is told that there is a new one.
QUIET: Final = frozenset({BY_HAND})
STATES: Final = ("new", "looked_at", "dismissed", "confirmed")

#: What one card got from one person, within these days.
FAVOURITE_DAYS: Final = timedelta(days=14)
#: At least so many stamps, and so many times what that person's tenth card got.
FAVOURITE_LEAST, FAVOURITE_TIMES = 15, 3.0
#: On at least so many days: an office fetches as many on one.
FAVOURITE_ON_DAYS: Final = 3
#: Two stamps of one card, or two of one person, at two locations.
TWO_PLACES_WITHIN: Final = timedelta(minutes=10)
#: Cards of one device within this time.
BURST_WITHIN, BURST_LEAST = timedelta(hours=1), 5
#: From a card's first day to a reward that was handed out.
QUICK_WITHIN: Final = timedelta(hours=24)
#: Undoings of one person on one day: so many, and such a share of what they gave.
UNDOS_LEAST, UNDOS_SHARE = 5, 0.12
#: Redemptions that one person took back within a week.
UNREDEEMED_LEAST, UNREDEEMED_WITHIN = 3, timedelta(days=7)
