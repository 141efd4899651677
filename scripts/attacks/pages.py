"""Pages: posts from other sites, frames, names that are markup, ways out."""

from __future__ import annotations

import secrets
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from scripts.attacks.catalogue import Need, attack
from scripts.attacks.parts import API, FORM, Browser
from scripts.attacks.shop import Shop
from scripts.attacks.volley import Try, Volley, refusal
from scripts.attacks.wire import Answer
from signing.codes import Kind

_ID: Final = "00000000-0000-4000-8000-000000000000"
#: Every address of a page that changes something; a test holds it to the router.
POSTS: Final = (
    "/language",
    "/join",
    "/collect",
    "/card/{card_id}/terms",
    "/account/mail",
    "/account/erase",
    "/merge/{text}",
    "/account/details",
    "/account/devices/sign-out",
    "/account/devices/sign-out-others",
    "/account/e-mail",
    "/account/e-mail/code",
    "/account/e-mail/stop",
    "/account/passkeys",
    "/account/passkeys/offer",
    "/account/passkeys/remove",
    "/e-mail/{side}/{link}",
    "/sign-in",
    "/sign-in/code",
    "/sign-in/mail/{link}",
    "/sign-in/passkey",
    "/sign-in/passkey/offer",
    "/counter/enrol",
    "/counter/sign-in",
    "/counter/sign-out",
    "/counter/my-card",
    "/console/sign-in",
    "/console/sign-out",
    "/console/programme",
    "/console/locations",
    "/console/locations/{location_id}",
    "/console/locations/{location_id}/hours",
    "/console/joining",
    "/console/limits",
    "/card/{card_id}/earning",
    "/card/{card_id}/rewards/{reward_id}",
    "/console/earning/new/{kind}",
    "/console/earning/{rule_id}",
    "/console/earning/{rule_id}/switch",
    "/console/rewards/exchanges",
    "/console/rewards/new",
    "/console/rewards/preview",
    "/console/rewards/{reward_id}",
    "/console/rewards/{reward_id}/calling-off",
    "/console/rewards/{reward_id}/codes",
    "/console/rewards/{reward_id}/move",
    "/console/rewards/{reward_id}/withdrawal",
    "/voucher/{voucher_id}/cancel",
    "/voucher/{voucher_id}/open",
    "/console/cards/{card_id}/pause",
    "/console/cards/{card_id}/erase",
    "/console/cards/{card_id}/merge",
    "/console/entries/{entry_id}/undo",
    "/console/signals/{signal_id}",
    "/console/signals/{signal_id}/{way}",
    "/console/terminals/by-hand",
    "/console/terminals/new",
    "/console/terminals/{terminal_id}/revoke",
    "/console/staff/new",
    "/console/staff/{staff_id}/name",
    "/console/staff/{staff_id}/pin",
    "/console/staff/{staff_id}/console-access",
    "/console/staff/{staff_id}/own-card",
    "/console/staff/{staff_id}/sign-out",
    "/console/staff/{staff_id}/own-card/{card_id}/remove",
    "/console/staff/{staff_id}/{to}",
    "/console/shop",
    "/console/setup/shop",
    "/console/setup/card",
    "/console/setup/look",
    "/console/setup/till",
    "/console/setup/barista",
    "/console/printing/new",
    "/console/groups",
    "/console/groups/{group_id}",
    "/console/groups/{group_id}/invitations",
    "/console/groups/{group_id}/members",
    "/console/groups/{group_id}/members/{member_id}/out",
    "/console/invitations/{invitation_id}/end",
    "/console/items",
    "/console/items/{item_id}",
    "/console/items/{item_id}/move",
    "/console/items/{item_id}/on-sale",
    "/console/tiers",
    "/console/tiers/new",
    "/console/tiers/{tier_id}",
    "/console/tiers/{tier_id}/remove",
    "/console/plans/new",
    "/console/plans/{plan_id}",
    "/console/cards/{card_id}/tier",
    "/console/cards/{card_id}/membership",
    "/console/cards/{card_id}/memberships/{membership_id}/refund",
    "/console/programmes/new",
    "/console/programmes/{programme_id}",
    "/console/programmes/{programme_id}/eligibility",
    "/console/programmes/{programme_id}/limits",
    "/console/programmes/{programme_id}/terms",
    "/console/programmes/{programme_id}/terms/{number}/call-back",
    "/counter/customer",
    "/counter/membership",
    "/join/{programme_id}",
    "/console/printing/{batch_id}/print",
    "/console/printing/{batch_id}/revoke",
    "/console/purchases/{purchase_id}/refund",
)
#: Calls that a browser with cookies could be made to send. Joining and enrolling are
#: open to anybody and take nothing from cookies.
CALLS: Final = (
    "/cards/{card_id}/code",
    "/cards/{card_id}/stamps",
    "/cards/{card_id}/exchanges",
    "/vouchers/{voucher_id}/code",
    "/staff-sessions",
    "/stamp-codes",
    "/stamps",
    "/card-searches",
    "/hand-stamps",
    "/redemptions",
    "/stamps/{stamp_id}/reversal",
    "/redemptions/{redemption_id}/reversal",
    "/cards",
    "/purchases",
    "/purchases/{purchase_id}/refund",
)
#: Open to anybody, by no cookie.
OPEN: Final = ("/members", "/terminals")
#: Posts that a mail program sends; the link is the right to them, and no cookie is.
BY_LINK: Final = ("/unsubscribe/{text}",)
_SITE: Final = "https://elsewhere.example"
#: Pages that anybody may see.
_PAGES: Final = ("/join", "/counter/", "/counter/enrol", "/console/sign-in", "/offline")
_MARKUP: Final = "<script>alert(1)</script>"


@attack(Need.CONSOLE)
def posts_from_another_site(shop: Shop, volley: Volley) -> None:
    """Lets the owner's browser post from a page of theirs; a post needs our token.

    To every form, and to every call of the API that a cookie could open.
    """
    others = Browser(shop.wire).page_token()
    tokens: list[dict[str, str]] = [
        {},
        {"X-CSRFToken": ""},
        {"X-CSRFToken": "made-up"},
        {"X-CSRFToken": others},
        {"X-CSRF-Token": shop.owner.page_token()[:-1]},
    ]
    cookies = {
        **shop.owner.cookies,
        shop.cookie("member"): shop.phone.token,
        shop.cookie("terminal"): shop.till.terminal,
        shop.cookie("staff"): shop.till.staff,
    }
    post = partial(shop.wire.ask, "POST", cookies=cookies)
    fields = _fields(shop)
    tries = [
        partial(
            post,
            path,
            body,
            headers={**kind, **token, "Origin": _SITE, "Referer": _SITE},
        )
        for path in _paths(shop)
        for token in tokens
        for kind, body in (
            (FORM, urlencode({**fields, "csrf_token": "made-up"}).encode()),
            ({"Content-Type": "text/plain"}, b'{"stamps": 5}'),
        )
    ]
    volley.throw(volley.share(tries), by={"page_too_old"})


def _paths(shop: Shop) -> list[str]:
    ids = {"card_id": shop.phone.card_id, "terminal_id": shop.till.terminal_id}
    ids |= {"staff_id": shop.people[0].staff_id, "to": "inactive", "way": "dismiss"}
    for name in (
        "entry",
        "signal",
        "location",
        "voucher",
        "stamp",
        "redemption",
        "batch",
        "item",
        "member",
        "programme",
        "purchase",
        "group",
        "invitation",
        "tier",
        "plan",
        "membership",
        "rule",
        "reward",
    ):
        ids[f"{name}_id"] = _ID
    ids |= {
        "number": "2",
        "side": "new",
        "kind": "visit",
        "link": "made-up",
        "text": "x",
    }
    return [path.format(**ids) for path in (*POSTS, *(API + call for call in CALLS))]


def _fields(shop: Shop) -> dict[str, str]:
    return {
        "name": "Mallory",
        "allow": "yes",
        "language": "da",
        "pin": "4071",
        "email": "mallory@elsewhere.example",
        "password": "correct horse battery",
        "code": shop.fresh(Kind.STAMP),
    }


@attack()
def pages_in_a_frame_or_with_a_script(shop: Shop, volley: Volley) -> None:
    """Frames a page or gets a script into it; the policy allows neither."""
    wanted = {
        "content-security-policy": ("frame-ancestors 'none'", "script-src 'self'"),
        "x-content-type-options": ("nosniff",),
        "cross-origin-opener-policy": ("same-origin",),
        "cross-origin-resource-policy": ("same-origin",),
    }
    paths = [*_PAGES, f"/S/{shop.fresh(Kind.STAMP)}", "/no-such-page", f"{API}/staff"]

    def judge(answer: Answer) -> str | None:
        missing = [
            word
            for name, words in wanted.items()
            for word in words
            if word not in answer.headers.get(name, "")
        ]
        policy = answer.headers.get("content-security-policy", "")
        return None if missing or "unsafe-inline" in policy else "the policy"

    volley.throw(
        (partial(shop.wire.ask, "GET", path) for path in volley.share(paths)),
        by={"the policy"},
        verdict=judge,
    )


@attack(Need.CONSOLE)
def markup_in_names(shop: Shop, volley: Volley) -> None:
    """Is called a script, and waits until the owner reads it; names are names."""
    phone = shop.join(name=f"Bo {_MARKUP}")
    code = phone.code()
    shop.till.scan(code)
    shop.honest["stamps"] += 1
    own = Browser(shop.wire, {shop.cookie("member"): phone.token})
    tries: list[Try] = [
        partial(_page, own, f"/card/{phone.card_id}"),
        partial(_page, own, f"/card/{phone.card_id}/face"),
        partial(_page, shop.owner, "/console/"),
        partial(_page, own, f"/join?name={quote(_MARKUP)}"),
        partial(_page, own, f"/S/{quote(_MARKUP)}"),
        partial(_page, Browser(shop.wire), f"/console/sign-in?next={quote(_MARKUP)}"),
    ]
    volley.throw(volley.share(tries), by={"a name"}, verdict=_without_markup, lanes=1)


def _page(browser: Browser, path: str) -> Answer:
    return browser.ask("GET", path, headers={"Accept": "text/html"})


def _without_markup(answer: Answer) -> str | None:
    return None if _MARKUP in answer.text else "a name"


@attack(Need.CONSOLE)
def ways_to_another_site(shop: Shop, volley: Volley) -> None:
    """Sends a link of ours that leads on to theirs; we lead nowhere else."""
    targets = [
        f"{_SITE}/",
        "//elsewhere.example/",
        "/\\elsewhere.example",
        "/console//elsewhere.example/../../..//elsewhere.example",
        "/console/\t//elsewhere.example",
        "javascript:alert(1)",
        "/console/@elsewhere.example",
    ]
    browser = Browser(shop.wire)
    token = browser.page_token()
    tries: list[Try] = [
        partial(
            shop.owner.ask, "GET", f"/console/sign-in?next={quote(target, safe='')}"
        )
        for target in targets
    ]
    for target in targets:
        form = {"language": "da", "next": target, "csrf_token": token}
        headers = {**FORM, "Referer": f"{shop.wire.url}/"}
        body = urlencode(form).encode()
        tries.append(partial(browser.ask, "POST", "/language", body, headers))
    volley.throw(
        volley.share(tries),
        by={"stayed here"},
        verdict=partial(_stays, shop.wire.netloc),
        lanes=1,
    )


def _stays(netloc: str, answer: Answer) -> str | None:
    where = urlsplit(answer.headers.get("location", "/").replace("\\", "/"))
    is_here = where.netloc in {"", netloc} and where.scheme in {"", "http", "https"}
    return "stayed here" if is_here else None


@attack()
def paths_out_of_the_files(shop: Shop, volley: Volley) -> None:
    """Asks for files beside those that are served; a path is looked up, not opened."""
    outs = [
        "/static/shared/../../../app/settings.py",
        "/static/shared/%2e%2e/%2e%2e/%2e%2e/settings.py",
        "/static/customer/..%2f..%2f..%2fviews.py",
        "/static/counter/%252e%252e/views.py",
        "/static/console//etc/passwd",
        "/logo/..%2f..%2fkeys.png",
        f"/logo/{secrets.token_hex(8)}.png",
        "/.git/config",
        "/.env",
        "/keys/ring.json",
        "/metrics",
    ]
    volley.throw(
        (partial(shop.wire.ask, "GET", path) for path in volley.share(outs)),
        by={"not_found", "led back"},
        verdict=_leads_back,
    )


def _leads_back(answer: Answer) -> str | None:
    is_led = answer.status == HTTPStatus.PERMANENT_REDIRECT
    return "led back" if is_led else refusal(answer)


@attack()
def link_previews(shop: Shop, volley: Volley) -> None:
    """Opens the links of living codes, as previews do; opening spends nothing."""
    code, phone = shop.fresh(Kind.STAMP), shop.join(name="Bo")
    ways = [
        ("GET", f"/S/{code}"),
        ("GET", f"/s/{code.lower()}"),
        ("HEAD", f"/S/{code}"),
    ]
    volley.throw(
        (partial(shop.wire.ask, *way) for way in volley.share(ways)),
        by={"only looked"},
        verdict=lambda answer: "only looked" if answer.is_success else answer.code,
    )
    if phone.collect(code).is_success:
        shop.honest["stamps"] += 1
    else:
        volley.accept("a link that was opened had spent its code")
