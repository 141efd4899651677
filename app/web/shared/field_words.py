"""What is wrong with a field that somebody filled in: stable words as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext

from app.web.shared import reward_words

#: The stable words of ``InvalidRequest.fields``, as sentences.
FIELD_SENTENCES: Final[Mapping[str, Any]] = {
    "missing": lazy_gettext("Please fill this in."),
    "too_long": lazy_gettext("That is too long."),
    "too_short": lazy_gettext("That is too short."),
    "too_simple": lazy_gettext("That is too easy to guess."),
    "bad_characters": lazy_gettext("There are characters in it that can't be shown."),
    "not_an_email": lazy_gettext("That is not an e-mail address."),
    "not_a_locale": lazy_gettext("That is not a language."),
    "not_a_number": lazy_gettext("That is not a whole number."),
    "not_an_id": lazy_gettext("That is not an id."),
    "not_json": lazy_gettext("That is not a JSON object."),
    "not_digits": lazy_gettext("Use 4 to 8 digits."),
    "out_of_range": lazy_gettext("That is too little or too much."),
    "out_of_date": lazy_gettext("The terms have changed. Please read them again."),
    "used_before": lazy_gettext("That was used for another request."),
    "wrong_type": lazy_gettext("That is not of the right kind."),
    "unexpected": lazy_gettext("We do not know this."),
    "taken": lazy_gettext("Somebody has that already."),
    "not_a_colour": lazy_gettext("That is not a colour like #0f5c4a."),
    "not_a_timezone": lazy_gettext("That is not a time zone."),
    "not_a_shape": lazy_gettext("That is not a shape."),
    "not_a_png": lazy_gettext("That is not a picture we can use. Choose a PNG."),
    "not_square": lazy_gettext("The picture has to be square."),
    "wrong_size": lazy_gettext("The picture has to be 48 to 512 pixels wide."),
    "too_large": lazy_gettext("That picture is too large: 56 kB at most."),
    "not_a_role": lazy_gettext("That is not a role."),
    "not_a_card": lazy_gettext("There is no card with this number."),
    "not_a_phone": lazy_gettext("That is not a phone number."),
    "not_a_birthday": lazy_gettext("That is not a day in the past."),
    "changed_lately": lazy_gettext("It was changed within a year and stays for now."),
    "same_email": lazy_gettext("That is your address already, and confirmed."),
    "wrong_code": lazy_gettext("That is not the code in the mail."),
    "dead_code": lazy_gettext("This code is used up. Ask for a new one."),
    "not_accepted": lazy_gettext("This passkey is not known here."),
    "too_many_passkeys": lazy_gettext(
        "You have as many as one may have. Remove one first."
    ),
    "not_a_day": lazy_gettext("That is not a day."),
    "too_soon": lazy_gettext("That is too soon: members have to be told in time."),
    "announced_before": lazy_gettext(
        "Another change is announced already. Call it back first."
    ),
    "no_other_card": lazy_gettext(
        "There is no other open card on which people could collect. Make one first."
    ),
    "no_way_in": lazy_gettext(
        "Nobody could have this card: nobody is in the group, and there is no way into "
        "it. Make an invitation, or let staff put people in."
    ),
    "not_an_amount": lazy_gettext("That is not a sum of money, such as 3.50."),
    "too_many": lazy_gettext("That is too many."),
    "unknown": lazy_gettext("There is no such thing here."),
    "has_membership": lazy_gettext(
        "That card has a paid membership. Put the other card to it instead."
    ),
    "same_person": lazy_gettext("It is the same customer's card."),
    "not_the_digits": lazy_gettext("Those are not the last four digits of the card."),
    "not_a_time": lazy_gettext("Give both times, such as 7:30 and 18:00."),
    **reward_words.FIELD_SENTENCES,
}
