"""The customer's addresses. A view asks the programme and lays the answer out."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from flask import (
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.programme import cards, codes, rewards, stamping, terms
from app.programme import history as histories
from app.programme import shop as shops
from app.programme.account import asked as forms
from app.programme.cards import CardState
from app.programme.errors import (
    InvalidRequest,
    NotFound,
    Refused,
    StoreDown,
)
from app.programme.history import HistoryLine
from app.programme.members import Joined
from app.web.customer import faces, gives, joining, landings, lines, shell
from app.web.customer.landings import Said
from app.web.customer.room import bp, respond
from app.web.customer.sentences import card_texts, scan_texts
from app.web.shared import access, promises, same_browser
from app.web.shared.headers import scans

#: As far back as the page of everything goes.
_HISTORY = 200
#: As far back as news is looked for: more than happens between two looks.
_RECENT = 30


@bp.get("/")
def home() -> AnyResponse:
    """Lead to the card, or to joining."""
    known = access.member_or_none()
    return redirect(url_for("customer.newest" if known else "customer.join"))


@bp.get("/card")
def newest() -> AnyResponse:
    """Lead to the newest card."""
    known = access.member_or_none()
    mine = cards.cards_of(access.tools(), known.member_id) if known else []
    if not mine:
        return redirect(url_for("customer.join"))
    return redirect(url_for("customer.card", card_id=mine[0].card_id))


@bp.get("/card/<uuid:card_id>")
def card(card_id: UUID) -> str:
    """Show a card."""
    tools = access.tools()
    mine = _my_card(card_id)
    happened = histories.of_card(tools, card_id, limit=faces.SHOWN_LINES + 1)
    new = _just_given(happened) if "new" in request.args else 0
    # Oldest first, as they lie in a wallet: a new one does not move the others.
    all_mine = list(reversed(cards.cards_of(tools, mine.member_id)))
    return render_template(
        "customer/card.html",
        view=faces.face(
            mine,
            happened,
            now=tools.now(),
            new=new,
            offers=rewards.offers(tools, mine),
        ),
        news=None,
        gives=gives.of_card(mine),
        parts=faces.parts(joining.shape()),
        all_mine=all_mine if len(all_mine) > 1 else [],
        terms=mine.programme.terms,
        promise=promises.of_vouchers(mine.programme.voucher_days),
        coming=_coming(mine),
        keeps=_keeps(mine),
        has_offers=joining.has_offers(mine.member_id),
        join_url=f"{tools.settings.origin}/join",
        texts=card_texts(),
    )


@bp.get("/card/<uuid:card_id>/face")
def face(card_id: UUID) -> str:
    """Show only what changes on the card's page, and the news since `after`."""
    tools = access.tools()
    mine = _my_card(card_id)
    happened = histories.of_card(tools, card_id, limit=_RECENT)
    news = faces.news_since(request.args.get("after", ""), mine, happened)
    return render_template(
        "customer/face.html",
        view=faces.face(
            mine,
            happened,
            now=tools.now(),
            new=len(news.postmarks) if news else 0,
            offers=rewards.offers(tools, mine),
        ),
        coming=_coming(mine),
        keeps=_keeps(mine),
        news=news,
        gives=gives.of_card(mine),
    )


@bp.post("/card/<uuid:card_id>/terms")
def accept_terms(card_id: UUID) -> AnyResponse:
    """Note that new terms were read; changed ones again are shown again."""
    _my_card(card_id)
    version = request.form.get("terms_version", default=0, type=int)
    with suppress(InvalidRequest):
        cards.accept_terms(access.tools(), card_id, version)
    return redirect(url_for("customer.card", card_id=card_id), 303)


@bp.get("/card/<uuid:card_id>/history")
def history(card_id: UUID) -> str:
    """Show everything that happened to a card."""
    tools = access.tools()
    _my_card(card_id)
    happened = histories.of_card(tools, card_id, limit=_HISTORY)
    return render_template(
        "customer/history.html",
        lines=[lines.line_of(row, tools.now()) for row in happened],
        back_url=url_for("customer.card", card_id=card_id),
    )


@bp.get("/scan")
@scans
def scan() -> str | AnyResponse:
    """Scan the code on a till's screen, for a card of this phone."""
    known = access.member_or_none()
    mine = cards.cards_of(access.tools(), known.member_id) if known else []
    open_cards = [row for row in mine if not (row.is_closed or row.paused_at)]
    if not open_cards:
        return redirect(url_for("customer.newest" if mine else "customer.join"))
    asked = request.args.get("card", "")
    chosen = next((c for c in open_cards if str(c.card_id) == asked), open_cards[0])
    return render_template(
        "customer/scan.html",
        cards=open_cards,
        chosen=chosen.card_id,
        back_url=url_for("customer.card", card_id=chosen.card_id),
        texts=scan_texts(),
    )


@bp.get("/S/<code>")
@bp.get("/s/<code>")
def landing(code: str) -> Response:
    """Say what a code is and what to do with it. Spends nothing."""
    tools = access.tools()
    known = access.member_or_none()
    mine = cards.cards_of(tools, known.member_id) if known else []
    open_cards = [row for row in mine if not row.is_closed]
    marks: list[str] = []
    if known is None:
        joining.prepare()
    try:
        seen = codes.peek(tools, code)
        said = landings.of_peek(seen, has_card=bool(mine))
        if said.can_collect:
            marks = faces.waiting_marks(
                int(seen.record.get("stamps", "1")),
                seen.record.get("place") or shops.shop(tools).name,
                seen.code.nonce.hex(),
                tools.now(),
            )
    except (Refused, StoreDown) as refusal:
        said = landings.of_refusal(refusal, has_card=bool(mine))
    return _landing_page(said, code=code, open_cards=open_cards, marks=marks)


@bp.post("/collect")
def collect() -> Response:
    """Collect a till's code on a card of this phone, made on the spot if need be."""
    tools = access.tools()
    code = request.form.get("code", "")
    known = access.member_or_none()
    mine = cards.cards_of(tools, known.member_id) if known else []
    new: Joined | None = None
    try:
        if not mine:
            # A code that is good for nothing shall not leave an empty card behind.
            seen = codes.peek(tools, code)
            if not landings.of_peek(seen, has_card=False).can_collect:
                return landing(code)
            new = joining.join_now()
        card_id = new.card_id if new else _chosen(mine)
        same_browser.has_collected(stamping.collect(tools, code, card_id=card_id))
    except (Refused, StoreDown) as refusal:
        said = landings.of_refusal(refusal, has_card=bool(mine or new))
        answer = _landing_page(said)
    else:
        answer = make_response(
            redirect(url_for("customer.card", card_id=card_id, new=1), 303)
        )
    if new:
        access.set_cookie(answer, "member", new.token)
    return answer


@bp.get("/manifest.webmanifest")
def manifest() -> Response:
    """Describe the installable app."""
    answer = jsonify(shell.manifest(shops.shop(access.tools())))
    answer.mimetype = "application/manifest+json"
    return answer


@bp.get("/sw.js")
def service_worker() -> Response:
    """Serve the service worker from the root, so that it may watch every page."""
    answer = make_response(shell.service_worker(shops.shop(access.tools())))
    answer.mimetype = "text/javascript"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@bp.get("/offline")
def offline() -> str:
    """Show the page that the phone keeps for times without a network."""
    return render_template("customer/offline.html")


def _coming(mine: CardState) -> promises.ComingChange | None:
    """Tell what will change for a card."""
    tools = access.tools()
    found = terms.coming(tools, mine.programme.programme_id)
    return promises.of_change(*found, tools.now()) if found else None


def _keeps(mine: CardState) -> str:
    """Tell what the next round is promised, where that is not what this one is."""
    if mine.next_round is None:
        return ""
    following = promises.of_figures(mine.next_round, access.tools().now())
    told = gettext(
        "This card keeps what was promised when you began it. The next one: "
        "%(promise)s",
        promise=following,
    )
    return str(told)


def _my_card(card_id: UUID) -> CardState:
    """Read a card of the caller; somebody else's is not found."""
    caller = access.member()
    found = cards.card(access.tools(), card_id)
    if found.member_id != caller.member_id:
        raise NotFound
    return found


def _landing_page(
    said: Said,
    *,
    code: str = "",
    open_cards: list[CardState] | None = None,
    marks: list[str] | None = None,
) -> Response:
    page = render_template(
        "customer/landing.html",
        said=said,
        code=code,
        cards=open_cards or [],
        asks_name=forms.asked(access.tools())["name"] != "hidden",
        postmarks=marks or [],
        parts=faces.parts(joining.shape()) if marks else "",
    )
    return respond(page, said.status)


def _chosen(mine: list[CardState]) -> UUID:
    """Return the card that the form names if it is one of theirs, else the newest."""
    asked = request.form.get("card_id", "")
    usable = [row for row in mine if not row.is_closed] or mine
    return next((c.card_id for c in mine if str(c.card_id) == asked), usable[0].card_id)


def _just_given(happened: list[HistoryLine]) -> int:
    """Count the stamps of the newest entry that gave any, if it is the news."""
    earned = [row for row in happened[:3] if row.kind == "EARN"]
    return earned[0].units if earned else 0
