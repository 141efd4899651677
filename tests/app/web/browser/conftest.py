"""Real Chromium windows: phones, and tills whose camera sees a real picture.

A camera's picture is fixed when Chromium starts. So a test takes the QR from the
phone's screen as it was drawn there, makes a film of it, and starts the till's
Chromium with that film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    sync_playwright,
)

from app.programme.founding import Charter, Founded, found
from app.settings import Settings
from app.store.tables import Table
from app.tools import Tools, open_tools
from scripts.parts import browser as chromium
from scripts.parts.redis_server import RunningRedis
from tests.running import Service, enrol, free_port, running, sign_in

PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
_WIDTH, _HEIGHT = 1280, 720


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@dataclass(frozen=True)
class Window:
    """A page in a browser of its own, and what the page complained of."""

    page: Page
    context: BrowserContext
    complaints: list[str]


@pytest.fixture
def launch(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """Start a Chromium with a film for its camera, or without a camera."""
    with ExitStack() as stack:

        def start(film: Path | None = None, *, has_camera: bool = True) -> Browser:
            arguments = [
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
            ]
            count = "" if has_camera else "=device-count=0"
            arguments.append(f"--use-fake-device-for-media-stream{count}")
            if film:
                arguments += [
                    "--use-fake-ui-for-media-stream",
                    f"--use-file-for-fake-video-capture={film}",
                ]
            browser = playwright.chromium.launch(
                executable_path=chromium.find(),
                args=arguments,
            )
            stack.callback(browser.close)
            return browser

        yield start


@pytest.fixture
def open_window(
    launch: Callable[..., Browser], service: Service, served_settings: Settings
) -> Iterator[Callable[..., Window]]:
    """Open a page of the service; nothing may go wrong in it unseen."""
    windows: list[Window] = []

    def start(
        path: str,
        *,
        browser: Browser | None = None,
        cookies: dict[str, str] | None = None,
        viewport: dict[str, int] = PHONE,
        **options: object,
    ) -> Window:
        context = (browser or launch()).new_context(
            viewport=viewport, base_url=served_settings.origin, **options
        )
        context.set_default_timeout(15_000)
        for name, value in (cookies or {}).items():
            context.add_cookies(
                [{"name": name, "value": value, "url": served_settings.origin}]
            )
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: _note(complaints, said.type, said.text))
        page.goto(path)
        windows.append(Window(page, context, complaints))
        return windows[-1]

    yield start
    for window in windows:
        assert window.complaints == []


def _note(complaints: list[str], kind: str, text: str) -> None:
    # A refusal is an answer with a status of 4xx, which Chromium reports as an error.
    if kind == "error" and "Failed to load resource" not in text:
        complaints.append(text)


@pytest.fixture(scope="module")
def served_settings(
    tmp_path_factory: pytest.TempPathFactory,
    key_directory: Path,
    redis_server: RunningRedis,
) -> Settings:
    """One service serves a module; ``shop`` empties its books for each test."""
    data, port = tmp_path_factory.mktemp("service"), free_port()
    return Settings(
        data=data,
        host="127.0.0.1",
        port=port,
        origin=f"http://localhost:{port}",
        keys=key_directory / "keys",
        keys_passphrase_file=key_directory / "keys.passphrase",
        database_url=f"sqlite:///{data / 'books.sqlite3'}",
        redis_url=redis_server.url,
    )


@pytest.fixture(scope="module")
def own_tools(served_settings: Settings) -> Iterator[Tools]:
    tools = open_tools(served_settings)
    tools.database.migrate()
    yield tools
    tools.close()


@pytest.fixture(scope="module")
def service(served_settings: Settings, own_tools: Tools) -> Iterator[Service]:
    with running(served_settings, workers=1, logs=served_settings.data) as service:
        yield service


@pytest.fixture(autouse=True)
def shop(own_tools: Tools, redis_url: str) -> Founded:
    """Empty books, an empty Redis, and a shop in them."""
    with own_tools.database.begin() as tx:
        for table in reversed(Table.metadata.sorted_tables):
            tx.execute(table.delete())
    return found(
        own_tools, Charter(name="Kaffe & Brød", location="Nyhavn", owner="Sofie")
    )


@pytest.fixture
def phone(open_window: Callable[..., Window]) -> Page:
    """Anna's phone, joined, showing her card."""
    return join_on(open_window("/join").page, "Anna")


def join_on(page: Page, name: str) -> Page:
    """Join on a phone's page; it shows the card then."""
    page.get_by_role("textbox").fill(name)
    page.get_by_role("button", name="Get my card").click()
    page.wait_for_url("**/card/*")
    return page


@pytest.fixture
def make_till(
    service: Service,
    own_tools: Tools,
    shop: Founded,
    launch: Callable[..., Browser],
    open_window: Callable[..., Window],
) -> Callable[..., Page]:
    """Open the scanner of a new till where Sofie is signed in, over a film."""

    def start(film: Path | None, **options: object) -> Page:
        return open_window(
            "/counter/",
            browser=launch(film, **options),
            cookies=till_cookies(service, own_tools, shop),
            viewport=TABLET,
        ).page

    return start


def till_cookies(service: Service, tools: Tools, shop: Founded) -> dict[str, str]:
    """Enrol a device and sign in, as its pages would; gives its cookies."""
    with service.client() as client:
        terminal = enrol(client, tools, shop)
        return {"pp_terminal": terminal, "pp_staff": sign_in(client, terminal, shop)}


@pytest.fixture
def film_of(tmp_path: Path) -> Callable[[Locator], Path]:
    """Make the film of a camera that is held to a picture on a screen."""
    numbers = iter(range(1000))

    def make(picture: Locator) -> Path:
        shot = Image.open(BytesIO(picture.screenshot())).convert("L")
        shot.thumbnail((_HEIGHT - 160, _HEIGHT - 160))
        frame = Image.new("L", (_WIDTH, _HEIGHT), 90)
        frame.paste(shot, ((_WIDTH - shot.width) // 2, (_HEIGHT - shot.height) // 2))
        path = tmp_path / f"camera-{next(numbers)}.y4m"
        grey = bytes([128]) * (_WIDTH * _HEIGHT // 2)
        with path.open("wb") as film:
            film.write(
                f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F15:1 Ip A1:1 C420jpeg\n".encode()
            )
            for _ in range(3):
                film.write(b"FRAME\n" + frame.tobytes() + grey)
        return path

    return make


def show_code(phone: Page) -> Locator:
    """Show the phone's code; gives its picture, as drawn."""
    phone.get_by_role("link", name="Show my code").click()
    picture = phone.locator("#code [data-part=picture] svg")
    picture.wait_for()
    return picture
