"""Sentences that the customer's modules show; scripts bring none of their own."""

from __future__ import annotations

from flask_babel import gettext


def card_texts() -> dict[str, str]:
    """Return what the card's page says while it lives."""
    return {
        "hold": gettext("Hold this to the scanner"),
        "about_voucher": gettext("Hold this to the scanner to use it"),
        "no_network": gettext("No connection."),
        "busy": gettext("The shop's server does not answer."),
        "signed_out": gettext("Your card is not on this phone any more."),
        "slow_down": gettext("Too many codes in a short time."),
        # {age} is put in by the page: "5 minutes ago".
        "kept": gettext("No connection. This is your card as it was {age}."),
        "copied": gettext("Link copied."),
        "sound_on": gettext("Sound on"),
        "sound_off": gettext("Sound off"),
    }


def scan_texts() -> dict[str, str]:
    """Return what the scanning page says."""
    return {
        "starting": gettext("Starting the camera."),
        "denied": gettext(
            "The camera is not allowed here. Allow it in the browser's settings for "
            "this page, then try again."
        ),
        "none": gettext(
            "This phone shows no camera. Open the phone's own camera and hold it to "
            "the code."
        ),
        "busy": gettext("Another app holds the camera. Close it, then try again."),
        "lost": gettext("The camera stopped."),
        "insecure": gettext("The camera needs a secure page (https)."),
        "failed": gettext(
            "This browser can't read codes. Open the phone's own camera and hold it "
            "to the code."
        ),
        "not_ours": gettext("Not one of our codes"),
        "not_ours_text": gettext("Ask the barista to show a stamp, then scan that."),
        "own_text": gettext("This code is for the till. Ask the barista for a stamp."),
        "wrong_kind": gettext("This gives no stamp"),
        "collecting": gettext("Collecting"),
        "waiting": gettext("Waiting for the network"),
        "waiting_text": gettext("Nothing is counted yet. Trying again by itself."),
        "again": gettext("Scan again"),
        "done": gettext("Done"),
        "cancel": gettext("Cancel"),
        "failed_title": gettext("That did not work"),
        "failed_text": gettext("Nothing was counted. Try again."),
    }
