"""Files that every page uses: the shop's colour, and what machines ask about health."""

from __future__ import annotations

import base64
from http import HTTPStatus

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from app.programme import readiness, shop
from app.programme.errors import NotFound, StoreDown
from app.web.shared import access, languages

bp = Blueprint(
    "shared",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/shared",
)


@bp.get("/shop.css")
def shop_css() -> Response:
    """Give the shop's one colour, and ink that can be read on it."""
    try:
        colour = shop.shop(access.tools()).colour
    except (NotFound, StoreDown):
        colour = shop.DEFAULT_COLOUR
    css = f":root{{--shop:{colour};--on-shop:{shop.ink_on(colour)}}}\n"
    answer = Response(css, mimetype="text/css")
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer


@bp.get("/logo/<name>.png")
def logo(name: str) -> Response:
    """Give the shop's logo: a PNG that we wrote ourselves, and may do nothing."""
    answer = Response(shop.logo(access.tools(), name), mimetype="image/png")
    # Another picture has another name.
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@bp.get("/page-token")
def page_token() -> Response:
    """Give a page that was open for long a new form token, to post on with.

    No page of another origin can read the answer.
    """
    return jsonify(token=generate_csrf())


@bp.post("/language")
def choose_language() -> AnyResponse:
    """Speak another language from now on, and go back to the page."""
    return languages.choose()


@bp.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Give the public keys that codes are verified with now.

    Source:
        RFC 7517 and RFC 8037; ``alg`` by RFC 9864.
    """
    keys = [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "Ed25519",
            "use": "sig",
            "kid": str(key.key_id),
            "x": base64.urlsafe_b64encode(key.public_bytes).decode().rstrip("="),
        }
        for key in access.tools().keys.ring.keys
        if key.state.verifies
    ]
    answer = jsonify(keys=keys)
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@bp.get("/livez")
def livez() -> ResponseReturnValue:
    """Say that this process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether this process can give a stamp, and if not, why.

    Anybody may ask, so that it tells words of ours and no path, address or message.
    """
    tools = access.tools()
    ready = readiness.look(tools)
    status = HTTPStatus.OK if ready.is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return (
        jsonify(
            status="ok" if ready.is_well else "not ready",
            checks=ready.checks,
            problems=ready.problems,
            # To be compared with ``scripts/keys.py list``; tells nothing secret.
            ring=tools.keys.ring.digest[:16],
        ),
        status,
    )
