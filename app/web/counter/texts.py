"""The sentences that the till's JavaScript says, in the language of the page.

Placeholders in braces are filled in by ``words.js``. Where a sentence depends on a
number, every number that can occur is spelled out here, because only gettext knows
each language's plurals.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import ngettext

from app.web.shared import reasons

#: Stamps that one scan may give.
MOST_STAMPS = 5
#: Up to here "N more to go" is said; beyond it the count alone is.
MOST_TO_GO = 30
#: Up to here scans that wait are counted; the queue holds no more.
MOST_WAITING = 50

Texts = Mapping[str, "str | list[str] | Texts"]


def scanner_texts() -> Texts:
    """What to say for each state of the scanner: title, sentence, way on."""
    return {
        "starting": {"title": _("Starting the camera"), "text": ""},
        "denied": {
            "title": _("The camera is not allowed"),
            "text": _(
                "Allow the camera for this site in the browser's settings, "
                "then try again. Codes can also be typed."
            ),
            "again": _("Allow the camera"),
        },
        "none": {
            "title": _("No camera found"),
            "text": _("Connect a camera or a hand scanner, or type the code."),
            "again": _("Try again"),
        },
        "busy": {
            "title": _("The camera is in use"),
            "text": _("Another app holds it. Close that app, then try again."),
            "again": _("Try again"),
        },
        "lost": {
            "title": _("The camera stopped"),
            "text": _("Start it again, or type the code."),
            "again": _("Start the camera"),
        },
        "insecure": {
            "title": _("The camera needs a safe address"),
            "text": _(
                "Open this page with https:// at the front. "
                "Until then codes can be typed."
            ),
        },
        "failed": {
            "title": _("Codes cannot be read"),
            "text": _(
                "Load the page again. If it stays so, update the browser, "
                "use a hand scanner, or type the code."
            ),
            "again": _("Load again"),
        },
    }


def sign_in_texts() -> Texts:
    """What the PIN pad says."""
    return {
        "pin_for": _("PIN of {name}"),
        "typed": [
            ngettext("%(num)d digit typed", "%(num)d digits typed", n)
            for n in range(13)
        ],
        "wrong": _("That PIN is not right. Try once more."),
        "short": _("Type all digits of your PIN."),
        "limit": _("Too many tries. Wait {time}."),
        "network": _("No connection. Try again in a moment."),
        "ended": _("You were signed out. Your PIN, please."),
        "locked": _("The till is locked. Your PIN, please."),
        "nobody": _("Nobody works here yet. A manager adds people in the console."),
    }


def enrol_texts() -> Texts:
    """What the page says that makes a device a till."""
    return {
        "scanner": scanner_texts(),
        "got": _("Code read. One tap to go."),
        "wrong_kind": _("That is another code. Scan the one from the console."),
        "unreadable": _("That is not a whole code. It has 128 letters and digits."),
        "limit": _("Too many tries. Wait {time}."),
        "network": _("No connection. Try again in a moment."),
    }


def till_texts() -> Texts:
    """What the till says while it works."""
    return {
        "scanner": scanner_texts(),
        "sign_in": sign_in_texts(),
        "given": _given_texts(),
        "refused": _refused_texts(),
        "kinds": _kind_texts(),
        "amount": _amount_texts(),
        "waiting": _waiting_texts(),
        "stamp_code": _stamp_code_texts(),
        "queue": _queue_texts(),
        "training": _training_texts(),
        "sale": _sale_texts(),
        "refund": _refund_texts(),
        "by_hand": _by_hand_texts(),
        "latest": {
            "stamp": [
                ngettext("%(num)d stamp", "%(num)d stamps", n)
                for n in range(1, MOST_STAMPS + 1)
            ],
            "for": _("{what} for {name}"),
            "undo": _("Undo"),
            "undo_what": _("Undo: {what}"),
            "undone": _("Undone"),
        },
        "prompt": _("Scan the customer's code"),
        "held": _("Thank you. Take the phone away."),
        "foreign": _("That is not one of our codes."),
        "unreadable": _("A code has 7 letters and digits."),
        # Kept in the books, and told to each reader in their own language.
        "reason": reasons.AT_THE_TILL,
        "light_on": _("Light on"),
        "light_off": _("Light off"),
    }


def _given_texts() -> Texts:
    counts = range(1, MOST_STAMPS + 1)
    return {
        "stamps_for": [
            ngettext("%(num)d stamp for {name}", "%(num)d stamps for {name}", n)
            for n in counts
        ],
        "stamps": [
            ngettext("%(num)d stamp given", "%(num)d stamps given", n) for n in counts
        ],
        "gained": _("Given: {what}"),
        "gained_for": _("{what} for {name}"),
        "nothing": _("Noted: nothing earned this time"),
        "nothing_for": _("Noted for {name}: nothing earned this time"),
        "holds": _("{what} on the card"),
        "owes": _("The card is still short of {what}: what comes next pays for it."),
        "progress": _("{stamps} of {required}"),
        "progress_to_go": _("{stamps} of {required} — {to_go}"),
        "to_go": [
            ngettext("one more to go", "%(num)d more to go", n)
            for n in range(1, MOST_TO_GO + 1)
        ],
        "full": _("Card full: {reward}"),
        "next_card": _("{stamps} of {required} on the next card"),
        "voucher_for": _("{reward} for {name}"),
        "hand_over": _("Hand it over."),
        "todo": _todo_texts(),
        "undone": _("Undone"),
        "undone_stamp": _("The stamps are off the card again."),
        "undone_redemption": _("The reward is back on the card."),
        "undone_expired": _("Its last day is over: it can't be used any more."),
    }


def _todo_texts() -> Texts:
    """What to do for a voucher of each kind, where it is not handed over."""
    return {
        "percent": _("Take {percent} off."),
        "money": _("Take {sum} off."),
        "rest": _("{left} is left of it."),
        "all_used": _("That was all of it."),
        "delivery": _("This delivery is free."),
        "merchandise": _("Hand it over."),
        "early_access": _("They may have what is new, today."),
        "vip": _("Treat them as your guest of honour."),
        "event": _("Let them in."),
    }


def _amount_texts() -> Texts:
    """What the number pad says that asks how much of a voucher is used."""
    return {
        "left": _("{left} is left"),
        "all": _("All of it: {left}"),
        "at_most": _("At most {most}, and more than nothing."),
    }


def _refused_texts() -> Texts:
    """What to do next, where the server's own sentence does not say it."""
    show = _("Ask them to open their card and show the code.")
    manager = _("Ask your manager.")
    return {
        "spent_at": _("Used at {time}, {place}."),
        "spent_next": _("Ask for a fresh code."),
        "next": {
            "code_invalid": "",
            "code_wrong_kind": show,
            "code_expired": "",
            "code_revoked": "",
            "code_unknown": "",
            "code_spent": "",
            "voucher_spent": _("Their card shows what is left."),
            "voucher_expired": _("Their card shows what is left."),
            "voucher_early": "",
            "amount_needed": _("Scan their code again, and type it."),
            "receipt_counted": "",
            "purchase_refunded": "",
            "card_closed": manager,
            "not_eligible": manager,
            "limit_reached": "",
            "forbidden": manager,
            "page_too_old": "",
        },
        "other": _("That did not work"),
        "other_next": _("Scan again. If it stays so, tell your manager."),
    }


def _kind_texts() -> Texts:
    """What a code is that this till does not take."""
    return {
        "stamp": {
            "title": _("This is a till's code"),
            "text": _("Customers collect it with their own phone."),
        },
        "printed": {
            "title": _("This is a printed stamp"),
            "text": _("Customers collect it with their own phone."),
        },
        "enrolment": {
            "title": _("This code makes a till"),
            "text": _("It is for a new device. Scan the code on the customer's phone."),
        },
        "newer": {
            "title": _("Not known here"),
            "text": _("Load this page again, then scan once more."),
        },
    }


def _waiting_texts() -> Texts:
    return {
        "checking": {"title": _("One moment"), "text": _("Waiting for the answer.")},
        "network": {
            "title": _("Waiting for the network"),
            "text": _("Not confirmed yet. Trying again by itself."),
        },
        "busy": {
            "title": _("Waiting for the server"),
            "text": _("Nothing is counted yet. Trying again by itself."),
        },
        "in_use": {
            "title": _("Just being used"),
            "text": _("Another till holds this code. Trying again by itself."),
        },
        "stopped": _("Stopped. Nothing was counted."),
        "stopped_unsure": _("Stopped. It may have counted: look at their card."),
    }


def _queue_texts() -> Texts:
    """What is said of scans that wait for their answer."""
    counts = range(1, MOST_WAITING + 1)
    return {
        "waiting": [ngettext("%(num)d waiting", "%(num)d waiting", n) for n in counts],
        "told": [
            ngettext("%(num)d to look at", "%(num)d to look at", n) for n in counts
        ],
        "voucher": _("Reward"),
        "states": {
            "waiting": _("Waiting"),
            "refused": _("Refused"),
            "left": _("Not confirmed"),
        },
        "means": {
            "waiting": _("not confirmed yet"),
            "refused": _("nothing was counted"),
            "left": _("it may have counted: look at their card"),
        },
        "confirmed": _("Confirmed:"),
        "scanned": _("{what}, scanned at {time}."),
        "died": _("The code died while waiting"),
        "died_next": _("Nothing was counted. Ask them to show a fresh code."),
    }


def _sale_texts() -> Texts:
    """What is said of what was bought."""
    return {
        "tile": _("{name}, {price}"),
        "tile_chosen": _("{name}, {price}: {count} of it"),
        "less": _("One {name} less"),
        "more": _("One {name} more"),
        "typed": _("as typed"),
        "other": _("Other"),
        "summary": [
            ngettext("%(num)d item · {sum}", "%(num)d items · {sum}", n)
            for n in range(1, MOST_WAITING + 1)
        ],
    }


def _refund_texts() -> Texts:
    """What is said when something comes back."""
    return {
        "number": _("card ···· {number}"),
        "back": _("Came back"),
        "no_line": _("Choose what comes back."),
        "no_reason": _("Choose why."),
        "network": _("No connection. Try again in a moment."),
        "pay_back": _("Pay back {sum}"),
        "off": _("What it had given is off the card again."),
        "owes_all": _("The card is short of {what} now: what comes next pays for it."),
        "owes": [
            ngettext(
                "The card is %(num)d stamp short now: the next one pays for it.",
                "The card is %(num)d stamps short now: the next ones pay for them.",
                n,
            )
            for n in range(1, MOST_TO_GO + 1)
        ],
    }


def _by_hand_texts() -> Texts:
    """What is said when the customer's phone is dead."""
    return {
        "number": _("card ···· {number}"),
        "nobody": _("Nobody found. Try the whole card number."),
        "nameless": _("No name"),
        "short": _("Type three letters of the name, or all eight digits."),
        "give": [
            ngettext("Give %(num)d stamp by hand", "Give %(num)d stamps by hand", n)
            for n in range(1, MOST_STAMPS + 1)
        ],
        "network": _("No connection. Try again in a moment."),
        "limit": _("That was often enough for now. Wait {time}."),
    }


def _training_texts() -> Texts:
    """What a till in training says; never what it says of a real stamp."""
    return {
        "left": _("{minutes} min left"),
        "over": _("Training is over. Stamps are real again."),
        "wait": _("First the scans that wait must have their answer."),
        "not_here": _("Not in training: that code would be real."),
        "nothing": _("Nothing was given. The code is not used up."),
        "stamps": [
            ngettext("Practice: %(num)d stamp", "Practice: %(num)d stamps", n)
            for n in range(1, MOST_STAMPS + 1)
        ],
        "voucher": _("Practice: a reward"),
    }


def _stamp_code_texts() -> Texts:
    return {
        "collected": _("Collected by {name}"),
        "collected_anonymous": _("Collected"),
        "card": _("{what} · card {number}"),
        "over": _("This code has ended"),
        "failed": _("No code could be made. Try again."),
        "seconds": _("Seconds left: {seconds}"),
    }
