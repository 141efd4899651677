"""The calls of the API. Each reads, calls one verb of the programme, and answers."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from app.programme import (
    by_hand,
    cards,
    codes,
    eligible,
    members,
    rewards,
    shop,
    stamping,
)
from app.programme import staff as people
from app.programme.codes import IssuedCode, Spent
from app.programme.errors import NotFound
from app.programme.purchases import Order
from app.programme.sessions import MemberCaller
from app.web.api import bodies, reward_bodies
from app.web.api.description import described, document
from app.web.shared import access, earned, same_browser
from signing import qr

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.post("/members")
@described(takes=bodies.NewMember, gives=bodies.JoinedAnswer, is_open=True)
def post_member() -> ResponseReturnValue:
    """Join: make a member with a card."""
    body = bodies.read(bodies.NewMember)
    tools = access.tools()
    device = request.remote_addr or "127.0.0.1"
    members.may_join(tools, device)
    joined = members.join(
        tools,
        programme_id=body.programme,
        name=body.name,
        email=body.email,
        locale=body.locale,
        terms_version=body.terms_version,
        invite=body.invite,
        invitation=_invitation(body.invitation),
        birthday=bodies.read_day(body.birthday, "birthday"),
        device=device,
        browser=request.user_agent.string,
    )
    answer = {
        "member_id": str(joined.member_id),
        "card_id": str(joined.card_id),
        "token": joined.token,
    }
    return answer, HTTPStatus.CREATED


@bp.post("/cards")
@described(takes=bodies.NewCard, gives=bodies.TakenAnswer)
def post_card() -> ResponseReturnValue:
    """Take a card in another programme."""
    caller = access.member()
    body = bodies.read(bodies.NewCard)
    taken = members.take_card(
        access.tools(),
        caller.member_id,
        body.programme,
        terms_version=body.terms_version,
        invitation=_invitation(body.invitation),
        birthday=bodies.read_day(body.birthday, "birthday"),
    )
    status = HTTPStatus.CREATED if taken.is_new else HTTPStatus.OK
    return {"card_id": str(taken.card_id)}, status


def _invitation(text: str | None) -> str | None:
    """Count that somebody tries an invitation's code."""
    if text:
        eligible.may_try(access.tools(), request.remote_addr or "127.0.0.1")
    return text or None


@bp.get("/cards/<card_id>")
@described(gives=bodies.CardAnswer, status=200)
def get_card(card_id: str) -> ResponseReturnValue:
    """Read a card; with ``If-None-Match``, ask only whether it changed."""
    wanted = bodies.read_id(card_id)
    tools = access.tools()
    caller = access.member_or_staff()
    tag, owner = cards.tag(tools, wanted)
    _must_own(caller, owner)
    answer = Response(status=HTTPStatus.NOT_MODIFIED)
    answer.set_etag(tag)
    if not request.if_none_match.contains(tag):
        state = cards.card(tools, wanted)
        answer = jsonify(cards.whole_answer_of(state))
        answer.set_etag(state.tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    if revoked := codes.keys_revoked_lately(tools):
        # A phone that shows a code of one of them asks for another at once.
        answer.headers["Revoked-Keys"] = ", ".join(map(str, revoked))
    return answer


@bp.post("/cards/<card_id>/code")
@described(gives=bodies.CodeAnswer)
def post_card_code(card_id: str) -> ResponseReturnValue:
    """Issue the code that the customer's phone shows for a stamp."""
    wanted = _own_card(card_id)
    return _code(stamping.card_code(access.tools(), wanted))


@bp.post("/cards/<card_id>/stamps")
@described(takes=bodies.CodeOnly, gives=bodies.StampAnswer)
def post_card_stamp(card_id: str) -> ResponseReturnValue:
    """Collect the stamps of a till's or a printed code."""
    wanted = _own_card(card_id)
    body = bodies.read(bodies.CodeOnly)
    spent = stamping.collect(access.tools(), body.code, card_id=wanted)
    same_browser.has_collected(spent)
    return answer_of(spent)


@bp.post("/vouchers/<voucher_id>/code")
@described(gives=bodies.CodeAnswer)
def post_voucher_code(voucher_id: str) -> ResponseReturnValue:
    """Issue the code that the customer's phone shows to use a voucher."""
    wanted = bodies.read_id(voucher_id)
    member = access.member()
    return _code(rewards.voucher_code(access.tools(), wanted, member.member_id))


@bp.get("/cards/<card_id>/rewards")
@described(gives=reward_bodies.RewardList, status=200)
def get_card_rewards(card_id: str) -> ResponseReturnValue:
    """List what may be chosen for what is on the card, and what is missing."""
    wanted = _own_card(card_id)
    tools = access.tools()
    found = rewards.offers(tools, cards.card(tools, wanted))
    return jsonify([_offer(each) for each in found])


@bp.post("/cards/<card_id>/exchanges")
@described(takes=reward_bodies.Choose, gives=reward_bodies.ExchangeAnswer)
def post_exchange(card_id: str) -> ResponseReturnValue:
    """Exchange what is on the card for a reward."""
    wanted = bodies.read_id(card_id)
    member = access.member()
    body = bodies.read(reward_bodies.Choose)
    spent = rewards.choose(
        access.tools(),
        wanted,
        body.reward_id,
        member_id=member.member_id,
        request_id=body.request_id,
        edition=body.edition,
    )
    return answer_of(spent)


@bp.post("/terminals")
@described(takes=bodies.NewTerminal, gives=bodies.TerminalAnswer, is_open=True)
def post_terminal() -> ResponseReturnValue:
    """Make the device that presents an enrolment code a terminal."""
    body = bodies.read(bodies.NewTerminal)
    enrolled = people.enrol(access.tools(), body.code, name=body.name)
    answer = {
        "terminal_id": str(enrolled.terminal_id),
        "name": enrolled.name,
        "location": enrolled.location_name,
        "token": enrolled.token,
    }
    return answer, HTTPStatus.CREATED


@bp.get("/staff")
@described(gives=bodies.StaffList, status=200)
def get_staff() -> ResponseReturnValue:
    """List who may sign in at this terminal."""
    names = people.staff_at(access.tools(), access.terminal())
    return jsonify([{"staff_id": str(one.staff_id), "name": one.name} for one in names])


@bp.post("/staff-sessions")
@described(takes=bodies.Pin, gives=bodies.SessionAnswer)
def post_staff_session() -> ResponseReturnValue:
    """Sign a staff member in at this terminal."""
    terminal = access.terminal()
    body = bodies.read(bodies.Pin)
    signed_in = people.sign_in(access.tools(), terminal, body.staff_id, body.pin)
    answer = {
        "staff_id": str(signed_in.staff_id),
        "name": signed_in.name,
        "token": signed_in.token,
    }
    return answer, HTTPStatus.CREATED


@bp.post("/stamp-codes")
@described(takes=bodies.Bought, gives=bodies.CodeAnswer)
def post_stamp_code() -> ResponseReturnValue:
    """Issue the code that a till shows for a customer to collect."""
    staff = access.staff()
    body = bodies.read(bodies.Bought)
    issued = stamping.stamp_code(access.tools(), staff, body.stamps, order_of(body))
    return _code(issued, code_id=issued.nonce.hex())


@bp.get("/stamp-codes/<code_id>")
@described(gives=bodies.StampCodeAnswer, status=200)
def get_stamp_code(code_id: str) -> ResponseReturnValue:
    """Tell the till what became of the stamp code that it shows."""
    staff = access.staff()
    state = stamping.stamp_code_state(access.tools(), code_id, staff)
    return jsonify(
        state=state.state,
        member_name=state.member_name,
        card_number=state.card_number,
        stamp_id=str(state.stamp_id) if state.stamp_id else None,
        stamps_given=state.told.get("stamps_given"),
        **(_in_words(state.told) if state.told else {}),
    )


@bp.post("/stamps")
@described(takes=bodies.Scan, gives=bodies.StampAnswer)
def post_stamp() -> ResponseReturnValue:
    """Give stamps to the card whose code was scanned."""
    staff = access.staff()
    body = bodies.read(bodies.Scan)
    spent = stamping.stamp(
        access.tools(),
        body.code,
        stamps=body.stamps,
        request_id=body.request_id,
        staff=staff,
        order=order_of(body),
    )
    same_browser.has_scanned(spent, staff)
    return answer_of(spent, with_name=True)


@bp.post("/card-searches")
@described(takes=bodies.Search, gives=bodies.FoundList, status=200)
def post_card_search() -> ResponseReturnValue:
    """Find the card of a customer whose phone is dead."""
    # A POST: what is looked for is a name, and addresses are written in logs.
    staff = access.staff()
    body = bodies.read(bodies.Search)
    found = by_hand.find(access.tools(), body.q, staff=staff)
    return jsonify(
        [
            {
                "card_id": str(one.card_id),
                "member_name": one.member_name,
                "number_end": one.number_end,
            }
            for one in found
        ]
    )


@bp.post("/hand-stamps")
@described(takes=bodies.ByHand, gives=bodies.StampAnswer)
def post_hand_stamp() -> ResponseReturnValue:
    """Give stamps to a card that nobody showed, where a manager allows it."""
    staff = access.staff()
    body = bodies.read(bodies.ByHand)
    spent = by_hand.give(
        access.tools(),
        body.card_id,
        stamps=body.stamps,
        request_id=body.request_id,
        staff=staff,
        order=order_of(body),
    )
    return answer_of(spent, with_name=True)


@bp.post("/redemptions")
@described(takes=bodies.Redeem, gives=bodies.RedemptionAnswer)
def post_redemption() -> ResponseReturnValue:
    """Redeem the voucher whose code was scanned."""
    staff = access.staff()
    body = bodies.read(bodies.Redeem)
    spent = rewards.redeem(
        access.tools(),
        body.code,
        request_id=body.request_id,
        staff=staff,
        amount=body.amount,
    )
    return answer_of(spent, with_name=True)


@bp.post("/stamps/<stamp_id>/reversal")
@described(takes=bodies.Reason, gives=bodies.ReversalAnswer)
def post_stamp_reversal(stamp_id: str) -> ResponseReturnValue:
    """Take a stamp back, with a reason."""
    wanted = bodies.read_id(stamp_id)
    staff = access.staff()
    body = bodies.read(bodies.Reason)
    return answer_of(
        stamping.reverse_stamp(access.tools(), wanted, staff=staff, reason=body.reason)
    )


@bp.post("/redemptions/<redemption_id>/reversal")
@described(takes=bodies.Reason, gives=bodies.ReversalAnswer)
def post_redemption_reversal(redemption_id: str) -> ResponseReturnValue:
    """Give a redeemed voucher back, with a reason."""
    wanted = bodies.read_id(redemption_id)
    staff = access.staff()
    body = bodies.read(bodies.Reason)
    return answer_of(
        rewards.reverse_redemption(
            access.tools(), wanted, staff=staff, reason=body.reason
        )
    )


@bp.get("/openapi.json")
def get_description() -> ResponseReturnValue:
    """Describe the calls above, OpenAPI 3.1."""
    return jsonify(document())


def _own_card(card_id: str) -> UUID:
    """Read the id of a card of the customer who asks; another's is not to be found."""
    wanted = bodies.read_id(card_id)
    member = access.member()
    _, owner = cards.tag(access.tools(), wanted)
    _must_own(member, owner)
    return wanted


def _must_own(caller: object, owner: UUID) -> None:
    if isinstance(caller, MemberCaller) and caller.member_id != owner:
        raise NotFound


def _offer(offer: rewards.Offer) -> dict[str, Any]:
    plan = offer.reward.plan
    return {
        "reward_id": str(offer.reward.reward_id),
        "kind": plan.kind,
        "name": plan.name,
        "about": plan.about,
        "unit": plan.unit,
        "price": plan.price,
        "worth": plan.worth,
        "edition": offer.reward.edition,
        "missing": offer.missing,
        "left": offer.reward.left,
        "why": offer.why_not,
    }


def _code(issued: IssuedCode, **more: str) -> ResponseReturnValue:
    answer: dict[str, Any] = {
        "code": issued.code,
        "url": issued.url,
        "not_after": issued.not_after.isoformat(),
        "short": issued.short,
        **more,
    }
    if request.args.get("picture") == "svg":
        answer["picture"] = qr.svg(issued.url)
    return answer, HTTPStatus.CREATED


def order_of(body: bodies.Bought, till_number: str | None = None) -> Order:
    """Read what a body says was bought."""
    items = tuple((item.item_id, item.quantity) for item in body.items)
    return Order(items, body.amount, till_number)


def answer_of(spent: Spent, *, with_name: bool = False) -> ResponseReturnValue:
    """Answer a spending: 201 the first time, 200 with the same body after."""
    answer: Mapping[str, Any] = spent.answer
    if with_name:
        # Added here and not kept in the ledger, which names nobody.
        card_id = UUID(answer["card"]["card_id"])
        name = cards.member_name(access.tools(), card_id)
        answer = {**answer, "member_name": name}
        answer |= _in_words(answer)
    status = HTTPStatus.OK if spent.is_repeat else HTTPStatus.CREATED
    return make_response(jsonify(answer), status)


def _in_words(answer: Mapping[str, Any]) -> Mapping[str, str | list[str]]:
    """Say to staff what came of a visit, and how the card stands."""
    currency = shop.currency(access.tools())
    words = {
        "holds": earned.holds(answer["card"], currency),
        "owes": earned.owes(answer["card"], currency),
    }
    if "given" not in answer:
        return words
    gained = earned.gained(answer, currency)
    return {**words, "earned": earned.of_visit(answer, currency), "gained": gained}
