"""Sessions: of another till, of a stopped one, ended, planted, in the wrong cookie."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Final

from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import API, Browser, Till, must
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Try, Volley
from scripts.attacks.wire import Answer
from signing.codes import Kind

_NOBODY: Final = frozenset({"unauthenticated"})
_KINDS: Final = ("member", "terminal", "staff", "console")


@attack(Need.CONSOLE)
def a_stopped_till(shop: Shop, volley: Volley) -> None:
    """Took a till home; the owner has stopped it, and with it whoever is at it."""
    till = shop.new_till()
    code = shop.fresh(Kind.CARD)
    stopped = shop.owner.send(f"/console/terminals/{till.terminal_id}/revoke", {})
    if stopped.status >= 400:  # noqa: PLR2004
        must(stopped, "stopping a till")
    shop.honest["removed tills"] += 1
    tries: list[Try] = [
        partial(till.scan, code),
        till.offer,
        partial(shop.sign_in, till.terminal, shop.people[0]),
        partial(shop.wire.ask, "GET", f"{API}/staff", token=till.terminal),
        partial(till.undo, "stamps", till.terminal_id),
    ]
    volley.throw(volley.share(tries), by=_NOBODY)


@attack()
def a_session_at_another_till(shop: Shop, volley: Volley) -> None:
    """Carries a person's cookie to another till; a session belongs to one till."""
    cookies = {
        shop.cookie("staff"): shop.till.staff,
        shop.cookie("terminal"): shop.second_till.terminal,
    }
    volley.throw(
        (
            partial(shop.wire.ask, "GET", "/counter/", cookies=each)
            for each in volley.share([cookies])
        ),
        by={"asked for a PIN"},
        verdict=_shows_no_scanner,
    )


def _shows_no_scanner(answer: Answer) -> str | None:
    is_scanner = (
        "counter/scan" in answer.text or "/static/shared/scanner/" in answer.text
    )
    return None if is_scanner or not answer.is_success else "asked for a PIN"


@attack()
def a_session_that_was_ended(shop: Shop, volley: Volley) -> None:
    """Copied a cookie before its owner signed out; the books say that it ended."""
    till = shop.new_till()
    browser = _browser_of(shop, till)
    must(browser.call("/counter/sign-out", {}), "signing out")
    code = shop.fresh(Kind.CARD)
    volley.throw(
        volley.share(
            [till.offer, partial(till.scan, code), partial(till.redeem, code)]
        ),
        by=_NOBODY,
    )


@attack(Need.CONSOLE)
def a_session_that_was_replaced(shop: Shop, volley: Volley) -> None:
    """Copied the owner's cookie before they signed in again; the first one ended."""
    account = shop.account
    if account is None:
        return
    facts = {"email": account.email, "password": account.password}
    browser, name = Browser(shop.wire), shop.cookie("console")
    signed_in = browser.send("/console/sign-in", facts)
    copied = dict(browser.cookies)
    if name not in copied:
        must(signed_in, "signing in to the console")
    browser.send("/console/sign-in", facts)
    shop.honest["sessions"] += 2
    shop.secrets |= {copied[name], browser.cookies[name]}
    is_same = browser.cookies[name] == copied[name]
    volley.note("the same token again" if is_same else None, "a new token")
    spy = partial(shop.wire.ask, "GET", cookies=copied)
    volley.throw(
        (
            partial(spy, path)
            for path in volley.share(("/console/feed", "/console/keys"))
        ),
        by=_NOBODY,
    )


def _browser_of(shop: Shop, till: Till) -> Browser:
    held = {
        shop.cookie("terminal"): till.terminal,
        shop.cookie("staff"): till.staff,
    }
    return Browser(shop.wire, held)


@attack()
def cookies_of_one_kind_at_the_door_of_another(shop: Shop, volley: Volley) -> None:
    """Puts a good token into the cookie of another kind; it stays what it is."""
    held = {
        "member": shop.phone.token,
        "terminal": shop.till.terminal,
        "staff": shop.till.staff,
    }
    doors = {
        "staff": ("POST", f"{API}/stamp-codes"),
        "terminal": ("GET", f"{API}/staff"),
        "member": ("POST", f"{API}/cards/{shop.phone.card_id}/code"),
        "console": ("GET", "/console/feed"),
    }
    token = Browser(shop.wire)
    form = {"X-CSRFToken": token.page_token(), "Referer": f"{shop.wire.url}/"}
    tries = [
        partial(
            shop.wire.ask,
            *doors[door],
            headers=form,
            cookies={**token.cookies, shop.cookie(door): value},
        )
        for door in _KINDS
        for kind, value in held.items()
        if door != kind
    ]
    volley.throw(volley.share(tries), by=_NOBODY)


@attack()
def tokens_in_other_places(shop: Shop, volley: Volley) -> None:
    """Sends a good token where none is read: address, body, other schemes."""
    token = shop.till.staff
    path = f"{API}/stamp-codes"
    ask = partial(shop.wire.ask, "POST")
    tries = [
        partial(ask, f"{path}?token={token}", {"stamps": 1}),
        partial(ask, f"{path}?access_token={token}", {"stamps": 1}),
        partial(ask, path, {"stamps": 1}, headers={"Authorization": f"Basic {token}"}),
        partial(ask, path, {"stamps": 1}, headers={"Authorization": token}),
        partial(ask, path, {"stamps": 1}, headers={"X-Auth-Token": token}),
        partial(ask, path, {"stamps": 1}, headers={"Proxy-Authorization": token}),
        partial(ask, path, {"stamps": 1}, cookies={"token": token}),
        partial(ask, path, {"stamps": 1}, token=token[:-1]),
        partial(ask, path, {"stamps": 1}, token=token + "="),
        partial(ask, path, {"stamps": 1}, token=token.swapcase()),
    ]
    volley.throw(volley.share(tries), by=_NOBODY)


@attack(Need.CONSOLE)
def session_fixation(shop: Shop, volley: Volley) -> None:
    """Plants cookies before somebody signs in; each sign-in makes its own token.

    What was planted stays worth nothing.
    """
    shop.owner.ask("GET", "/console/")
    for _ in range(2):
        planted = {shop.cookie(kind): secrets.token_urlsafe(32) for kind in _KINDS}
        page = Browser(shop.wire)
        page.page_token()
        planted |= page.cookies
        victim = Browser(shop.wire, dict(planted))
        _sign_in_everywhere(shop, victim)
        for kind in ("terminal", "staff", "console"):
            name = shop.cookie(kind)
            is_planted = victim.cookies.get(name) == planted[name]
            volley.note(
                "a planted token was kept" if is_planted else None, "a new token"
            )
        spy = partial(shop.wire.ask, cookies=planted)
        tries = [
            partial(spy, "GET", "/console/feed"),
            partial(spy, "GET", f"{API}/staff"),
            partial(spy, "POST", f"{API}/stamp-codes", {"stamps": 1}),
        ]
        volley.throw(volley.share(tries), by=_NOBODY)


def _sign_in_everywhere(shop: Shop, victim: Browser) -> None:
    who = shop.people[0]
    must(victim.call("/counter/enrol", {"code": shop.enrolment_code()}), "enrolling")
    pin = {"staff_id": who.staff_id, "pin": who.pin}
    must(victim.call("/counter/sign-in", pin), "signing in at a till")
    account = shop.account
    if account is not None:
        facts = {"email": account.email, "password": account.password}
        victim.send("/console/sign-in", facts)
        shop.honest["sessions"] += 1
    shop.honest.update(tills=1, sessions=2)
    shop.secrets |= {
        victim.cookies[shop.cookie(kind)] for kind in ("terminal", "staff")
    }


@attack()
def page_cookies_made_up(shop: Shop, volley: Volley) -> None:
    """Changes the cookie of a page to say who they are; it is sealed, and says not."""
    browser = Browser(shop.wire)
    browser.page_token()
    name, real = next(iter(browser.cookies.items()))
    head, _, rest = real.partition(".")
    forged = [
        "eyJzdGFmZl9pZCI6IjEifQ.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb",
        f"{head}.{rest[:-4]}AAAA",
        f"eyJyb2xlIjoib3duZXIifQ.{rest}",
        ".".join([head, "", ""]),
        "a" * 3000,
        "%00",
    ]
    ask = partial(shop.wire.ask, "GET", "/console/feed")
    volley.throw(
        (partial(ask, cookies={name: value}) for value in volley.share(forged)),
        by=_NOBODY,
    )
