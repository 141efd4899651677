"""Headers of every answer: what a browser may do with it, and who may keep it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import Flask, Response, g, request

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: No inline script or style, nothing from elsewhere, never in a frame.
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
#: A worker goes by the policy of its own script's answer.
_SCANNER_SCRIPTS: Final = "/static/shared/scanner/"
_ERRORS: Final = 400


def scans(view: Callable[_P, _R]) -> Callable[_P, _R]:
    """Mark a view whose page reads codes: it may compile WebAssembly and film."""

    @wraps(view)
    def marked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        g.scans = True
        return view(*args, **kwargs)

    return marked


def register(app: Flask) -> None:
    """Set the headers of every answer of ``app``."""
    app.after_request(_set_headers)


def _set_headers(response: Response) -> Response:
    is_file = request.path.startswith("/static/") and response.status_code < _ERRORS
    may_scan = g.get("scans", False) or request.path.startswith(_SCANNER_SCRIPTS)
    policy = dict(_POLICY)
    if may_scan:
        policy["script-src"] += " 'wasm-unsafe-eval'"
    headers = response.headers
    headers.setdefault(
        "Content-Security-Policy",
        "; ".join(f"{name} {value}" for name, value in policy.items()),
    )
    headers["Permissions-Policy"] = (
        f"camera=({'self' if may_scan else ''}), microphone=(), geolocation=()"
    )
    # A code in an address must not travel to another host.
    headers["Referrer-Policy"] = "same-origin"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if "Cache-Control" not in headers:
        # Files are asked after by their ETag each time; nothing else is kept.
        headers["Cache-Control"] = "no-cache" if is_file else "no-store"
    return response
