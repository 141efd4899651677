"""Punchproof: a stamp card that cannot be copied.

``create_app`` wires the rooms together and holds no rule. The rule that a code counts
once is told in ``app.programme.codes``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.tools import Tools

# Flask is imported where it is used: scripts work with the rooms below without it.

#: The largest body that we read, in bytes: no form of ours comes near.
MOST_BODY = 64 * 1024


def import_surfaces() -> None:
    """Import what ``create_app`` will need: a server does so while it waits."""
    import app.web  # noqa: F401, PLC0415


def create_app(tools: Tools) -> Flask:
    """Make the WSGI application over tools that are open.

    Args:
        tools: keys, stores, clock; the caller closes them.
    """
    from flask import Flask  # noqa: PLC0415
    from werkzeug.middleware.proxy_fix import ProxyFix  # noqa: PLC0415

    from app import web  # noqa: PLC0415

    settings = tools.settings
    app = Flask("app", static_folder=None)
    app.config.update(
        SESSION_COOKIE_NAME="__Host-pp_page" if settings.is_secure else "pp_page",
        SESSION_COOKIE_SECURE=settings.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=MOST_BODY,
        # A till's page stays open all day; the token is as good as its cookie.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    app.extensions["punchproof"] = tools
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    web.register(app)
    return app


def create_app_from_environment() -> Flask:
    """Make the application as a server does: settings from the environment.

    Raises:
        SettingsError: a setting makes no sense.
        KeyRingError: there is no ring, or it cannot be read.
    """
    from app import logs  # noqa: PLC0415
    from app.programme.alarms import Voice  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415
    from app.store.errors import StoreDown  # noqa: PLC0415
    from app.tools import open_tools  # noqa: PLC0415

    settings = Settings.from_env(os.environ)
    logs.set_up(settings.log_level)
    tools = open_tools(settings)
    app = create_app(tools)
    with suppress(StoreDown):
        # The store's memory is known from now on, not from the first code that it
        # does not know: that one may be a thief's.
        tools.nonces.watch()
    report = partial(tools.report, Voice(tools).look)
    report()
    # A fork of this process is another worker, and has to say so by itself.
    app.before_request(report)
    return app
