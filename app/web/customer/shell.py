"""The installable app: its manifest, and the service worker that keeps the shell.

The shell is what every page looks alike in: sheets, modules, icons, the offline page.
Never a page with anybody's data, an answer of the API, a code's link or a token. Its
version is a hash of what is in it, so a new release of any file makes a new shell.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import url_for
from flask_babel import gettext

from app.programme.shop import ShopView
from app.translations import DIRECTORY
from app.web.shared import languages

_HERE = Path(__file__).parent
_WEB = _HERE.parent
_WORKER = _HERE / "static" / "sw.js"
#: Folders of the shell: static endpoint, folder, which files.
_FOLDERS = (
    ("customer.static", _HERE / "static", ("*.css", "*.js")),
    ("shared.static", _WEB / "shared" / "static", ("*.css", "*.js")),
    ("shared.static", _WEB / "shared" / "static", ("icons/*",)),
)
#: Beside the static files: the shop's colour.
_PAGES = ("/shop.css",)


def manifest(shop: ShopView) -> dict[str, Any]:
    """Describe the app to the phone that installs it.

    Source:
        https://www.w3.org/TR/appmanifest/
    """
    return {
        "id": "/card",
        "name": shop.name,
        "lang": languages.spoken().tag,
        "dir": languages.spoken().direction,
        "short_name": shop.name[:12],
        "description": gettext("Your stamp card"),
        "start_url": "/card",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f2ea",
        "theme_color": shop.colour,
        "icons": [
            *_logo(shop),
            _icon("icon.svg", "any", "any"),
            _icon("icon-192.png", "192x192", "any"),
            _icon("icon-512.png", "512x512", "any"),
            _icon("maskable-512.png", "512x512", "maskable"),
        ],
    }


def service_worker(shop: ShopView) -> str:
    """Return the worker's source, with the shell's version and list set before it.

    The page for no network is kept in the language of who asks: another language is
    another worker, which the browser fetches at the next page.
    """
    files = [url_for(endpoint, filename=name) for endpoint, name, _ in _shell_files()]
    # The page for no network wears the shop's logo too.
    files += [url_for("shared.logo", name=shop.logo)] if shop.logo else []
    tag = languages.spoken().tag
    offline = url_for("customer.offline", language=tag)
    own = f"{shop.name}{shop.colour}{shop.logo}{tag}".encode()
    version = hashlib.blake2b(_content() + own, digest_size=8).hexdigest()
    shell = {
        "version": version,
        "files": [*files, *_PAGES, offline],
        "offline": offline,
    }
    return f"self.SHELL = {json.dumps(shell)};\n{_WORKER.read_text(encoding='utf-8')}"


def _logo(shop: ShopView) -> list[dict[str, str]]:
    """Put the shop's own logo before our icons; its name ends with its size."""
    if shop.logo is None:
        return []
    side = shop.logo.rpartition("-")[2]
    return [
        {
            "src": url_for("shared.logo", name=shop.logo),
            "sizes": f"{side}x{side}",
            "type": "image/png",
            "purpose": "any",
        }
    ]


def _icon(name: str, sizes: str, purpose: str) -> dict[str, str]:
    return {
        "src": url_for("shared.static", filename=f"icons/{name}"),
        "sizes": sizes,
        "type": "image/svg+xml" if name.endswith(".svg") else "image/png",
        "purpose": purpose,
    }


@cache
def _shell_files() -> tuple[tuple[str, str, Path], ...]:
    """List the shell's static files: endpoint, name in it, path on disk."""
    return tuple(
        (endpoint, path.relative_to(folder).as_posix(), path)
        for endpoint, folder, patterns in _FOLDERS
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
        if path != _WORKER
    )


@cache
def _content() -> bytes:
    """Digest what the shell is made of; templates too, for the offline page."""
    digest = hashlib.blake2b()
    paths = [path for _, _, path in _shell_files()]
    templates = (_WEB / "shared" / "templates", _HERE / "templates")
    for folder in templates:
        paths += sorted(folder.rglob("*.html"))
    paths += sorted(DIRECTORY.glob("*.po"))
    for path in (*paths, _WORKER):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()
