#!/usr/bin/env python3
"""Print a code that makes one device a till, for a machine without a screen.

The server must be running. The code lives for ten minutes and is good once: open the
link on the device, or paste the code at /counter/ there.

    python scripts/enrol.py --location "Main counter"

Exit status: 0 printed, 1 no server runs there or its stores give no answer, 2 wrong
arguments, 3 there is no such location.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.parts import environment

    environment.enter()

from app.programme import founding, shop, staff
from app.programme.codes import IssuedCode
from app.settings import Settings, SettingsError
from app.store.errors import StoreDown
from app.tools import Tools, open_tools
from scripts.parts import installation
from signing.errors import SigningError


class NoLocation(Exception):
    """No location has this name; the sentence lists those that there are."""


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, issue a code, print it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--location", metavar="NAME", help="default: the oldest")
    parser.add_argument("--data", metavar="DIR", help="data directory; default .data")
    parser.add_argument("--json", action="store_true", help="tell it as JSON")
    options = parser.parse_args(argv)
    environ = dict(os.environ)
    data = installation.data_directory(environ, options.data)
    named = {"REDIS_URL", "REDIS_URL_FILE"} & set(environ)
    if not installation.join(data, environ) and not named:
        return _fail(1, f"no server runs on {data}; start one with scripts/serve")
    try:
        tools = open_tools(Settings.from_env(environ))
        try:
            issued = staff.enrolment_code(tools, _location(tools, options.location))
        finally:
            tools.close()
    except NoLocation as error:
        return _fail(3, str(error))
    except StoreDown as error:
        return _fail(1, f"the stores give no answer: {error.__cause__ or error}")
    except (SettingsError, SigningError) as error:
        return _fail(1, str(error))
    print(_as_json(issued) if options.json else _as_sentence(issued))
    return 0


def _location(tools: Tools, name: str | None) -> UUID:
    """Find a location by its name; the oldest when there is none given."""
    places = shop.locations(tools)
    if name is None:
        oldest = founding.first_location(tools)
        if oldest is None:
            raise NoLocation("there is no location yet; scripts/serve makes the first")
        return oldest
    for place in places:
        if place.name.casefold() == name.strip().casefold():
            return place.location_id
    names = ", ".join(place.name for place in places) or "none"
    raise NoLocation(f"no location is called {name!r}; there are: {names}")


def _as_json(issued: IssuedCode) -> str:
    not_after = issued.not_after.isoformat().replace("+00:00", "Z")
    return json.dumps({"code": issued.code, "url": issued.url, "not_after": not_after})


def _as_sentence(issued: IssuedCode) -> str:
    until = issued.not_after.astimezone().strftime("%H:%M:%S")
    return f"Open once, until {until}, on what shall be the till:\n{issued.url}"


def _fail(status: int, sentence: str) -> int:
    print(f"enrol: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
