"""Calls about purchases: from a till system, lately at a till, and what comes back."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from app.programme import purchases, stamping
from app.web.api import bodies, purchase_bodies
from app.web.api.description import described
from app.web.api.views import answer_of, bp, order_of
from app.web.shared import access


@bp.post("/purchases")
@described(takes=purchase_bodies.Receipt, gives=bodies.StampAnswer)
def post_purchase() -> ResponseReturnValue:
    """Write a till system's purchase, for the card whose code was scanned."""
    till = access.staff_or_terminal()
    body = bodies.read(purchase_bodies.Receipt)
    spent = stamping.stamp(
        access.tools(),
        body.code,
        stamps=body.stamps,
        request_id=body.request_id,
        staff=till,
        order=order_of(body, body.till_number),
    )
    return answer_of(spent, with_name=True)


@bp.get("/purchases")
@described(gives=purchase_bodies.PurchaseList, status=200)
def get_purchases() -> ResponseReturnValue:
    """List what was bought lately at this location."""
    staff = access.staff()
    return jsonify(
        [
            {
                "purchase_id": str(each.purchase_id),
                "at": each.at.isoformat(),
                "amount": each.amount,
                "currency": each.currency,
                "till_number": each.till_number,
                "member_name": each.member_name,
                "number_end": each.card_number[-4:],
                "lines": [line.told() for line in each.lines],
            }
            for each in purchases.lately(access.tools(), staff)
        ]
    )


@bp.post("/purchases/<purchase_id>/refund")
@described(takes=purchase_bodies.GivenBack, gives=purchase_bodies.RefundAnswer)
def post_refund(purchase_id: str) -> ResponseReturnValue:
    """Take back what of a purchase came back, with a reason."""
    wanted = bodies.read_id(purchase_id)
    staff = access.staff()
    body = bodies.read(purchase_bodies.GivenBack)
    spent = purchases.refund(
        access.tools(),
        wanted,
        lines=body.lines,
        staff=staff,
        reason=body.reason,
        request_id=staff.request(body.request_id),
    )
    return answer_of(spent, with_name=True)
