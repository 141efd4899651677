"""The mail of an account comes by a real mail server, in its reader's language."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from app.programme import members
from app.programme.account import addresses, sign_in
from app.programme.founding import Founded
from app.tools import Tools
from app.translations import LANGUAGES, Language
from app.worker import loop
from app.worker.carriers import Smtp
from tests.app.worker.conftest import Server

pytestmark = pytest.mark.usefixtures("founded")

EMAIL = "anna@example.org"
IN_EACH = pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.tag)
Post = Callable[[], list[EmailMessage]]


@pytest.fixture
def post(tools: Tools, serve_mail: Callable) -> Post:
    """Deliver what waits; the mails that came."""
    server = Server()
    carrier = Smtp(serve_mail(server))

    def deliver() -> list[EmailMessage]:
        server.taken.clear()
        while loop.deliver_one(tools, carrier).took:
            pass
        return server.mails

    return deliver


def join(tools: Tools, language: Language) -> members.Joined:
    return members.join(tools, name="Anna", email=EMAIL, locale=language.tag)


def words(mail: EmailMessage) -> str:
    """Read a mail; both of its forms say the same, with nothing left open."""
    plain = mail.get_body(("plain",)).get_content()
    page = mail.get_body(("html",)).get_content()
    for text in (plain, page, mail["Subject"]):
        assert "%(" not in text
    return plain


def path_of(text: str, begins: str) -> str:
    """Find a link's last part in a mail."""
    return text.partition(begins)[2].split()[0].rstrip(".>)")


@IN_EACH
def test_the_welcome_has_the_number_and_the_way_in_on_another_phone(
    tools: Tools, founded: Founded, post: Post, language: Language
):
    join(tools, language)

    (mail,) = post()

    assert mail["To"] == EMAIL
    assert mail["Content-Language"] == language.tag
    text = words(mail)
    assert language.locale != "en" or "On another phone, sign in there" in text
    assert f"{tools.settings.origin}/card" in text


@IN_EACH
def test_the_code_and_the_link_of_a_mail_open_the_card(
    tools: Tools, post: Post, language: Language
):
    join(tools, language)
    post()

    asked = sign_in.ask(tools, EMAIL, device=None, locale=language.tag)
    (mail,) = post()

    text = words(mail)
    link = path_of(text, "/sign-in/mail/")
    assert sign_in.link_works(tools, link)
    digits = "".join(filter(str.isdecimal, text.partition("\n\n")[2]))[:6]
    assert digits in text.replace(" ", "")
    assert sign_in.by_link(tools, link)
    # They are spent together.
    assert not sign_in.link_works(tools, link)
    assert asked


@IN_EACH
def test_a_change_of_address_is_asked_of_both_mailboxes(
    tools: Tools, post: Post, language: Language
):
    joined = join(tools, language)
    post()
    addresses.ask(tools, joined.member_id, EMAIL)
    (first,) = post()
    assert addresses.say_yes(
        tools, path_of(words(first), "/e-mail/new/"), "new"
    ).is_done

    addresses.ask(tools, joined.member_id, "anna@example.net")
    mails = {mail["To"]: words(mail) for mail in post()}

    assert mails.keys() == {EMAIL, "anna@example.net"}
    new = path_of(mails["anna@example.net"], "/e-mail/new/")
    old = path_of(mails[EMAIL], "/e-mail/old/")
    assert not addresses.say_yes(tools, new, "new").is_done
    assert addresses.say_yes(tools, old, "old").is_done
    assert members.member(tools, joined.member_id).email == "anna@example.net"


@IN_EACH
def test_an_address_that_no_card_has_is_told_so(
    tools: Tools, post: Post, language: Language
):
    sign_in.ask(tools, "nobody@example.org", device=None, locale=language.tag)

    (mail,) = post()

    assert mail["To"] == "nobody@example.org"
    assert f"{tools.settings.origin}/join" in words(mail)
