"""Real Chromium windows: phones, and tills whose camera sees a real picture.

A camera sees a film. A test takes the QR from the phone's screen as it was drawn there,
makes a film of it, and takes a Chromium for the till with that film; or gives the till
a ``Camera``, whose film is written anew while it runs.

With ``PUNCHPROOF_PICTURES`` naming a directory, pictures of the pages are left there
for people to look at.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Locator,
    Page,
    Playwright,
    Route,
)

from app.programme import limits, sessions, staff
from app.programme.founding import Charter, Founded
from app.settings import Settings
from app.store.tables import StaffMember, Table
from app.tools import Tools, open_tools
from scripts.parts import browser as chromium
from scripts.parts import redis_server
from tests.conftest import FirstFounding
from tests.running import Service, enrol, free_port, running, sign_in
from tests.servers import wipe

PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
DESK = {"width": 1280, "height": 800}
_WIDTH, _HEIGHT = 640, 480


@dataclass(frozen=True)
class Window:
    """A page in a browser of its own, and what the page complained of."""

    page: Page
    context: BrowserContext
    complaints: list[str]


class Browsers:
    """Chromiums that live as long as the run: starting one takes long.

    Each window has a memory of its own. What a camera films is named when Chromium
    starts, so a browser's camera has a name of its own, which is led to a test's film;
    Chromium looks behind it whenever the camera starts.
    """

    def __init__(self, playwright: Playwright, cameras: Path) -> None:
        self._chromium = playwright.chromium
        self._cameras = cameras
        self._running: dict[tuple[str, int], Browser] = {}

    def take(self, kind: str, number: int, film: Path | None) -> Browser:
        """Give a browser by its number among those with such a camera."""
        camera = self._cameras / f"{number}.y4m"
        if film:
            camera.unlink(missing_ok=True)
            camera.symlink_to(film)
        running = self._running.get((kind, number))
        if running is None or not running.is_connected():
            running = self._start(kind, camera)
        self._running[kind, number] = running
        return running

    def close(self) -> None:
        for browser in self._running.values():
            browser.close()

    def _start(self, kind: str, camera: Path) -> Browser:
        arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
        ]
        devices = "=device-count=0" if kind == "blind" else ""
        arguments.append(f"--use-fake-device-for-media-stream{devices}")
        if kind == "filming":
            arguments.append(f"--use-file-for-fake-video-capture={camera}")
        # Whoever has no film for it does not allow the camera.
        allows = "" if kind == "filming" else "=deny"
        arguments.append(f"--use-fake-ui-for-media-stream{allows}")
        return self._chromium.launch(executable_path=chromium.find(), args=arguments)


@pytest.fixture(scope="session")
def browsers(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browsers]:
    browsers = Browsers(playwright, tmp_path_factory.mktemp("cameras"))
    yield browsers
    browsers.close()


@pytest.fixture
def launch(browsers: Browsers) -> Callable[..., Browser]:
    """Take a Chromium with a film for its camera, or without a camera."""
    taken: Counter[str] = Counter()

    def take(film: Path | None = None, *, has_camera: bool = True) -> Browser:
        kind = "filming" if film else "watching" if has_camera else "blind"
        taken[kind] += 1
        return browsers.take(kind, taken[kind], film)

    return take


@pytest.fixture
def open_window(
    launch: Callable[..., Browser], service: Service, served_settings: Settings
) -> Iterator[Callable[..., Window]]:
    """Open a page of the service; nothing may go wrong in it unseen.

    Windows that need no camera share a test's browser, each with a memory of its own.
    """
    windows: list[Window] = []
    common: list[Browser] = []

    def start(
        path: str,
        *,
        browser: Browser | None = None,
        cookies: dict[str, str] | None = None,
        viewport: dict[str, int] = PHONE,
        **options: object,
    ) -> Window:
        if browser is None:
            common[:] = common or [launch()]
            browser = common[0]
        context = browser.new_context(
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
        window.context.close()
    for window in windows:
        assert window.complaints == []


def _note(complaints: list[str], kind: str, text: str) -> None:
    # A refusal is an answer with a status of 4xx, which Chromium reports as an error.
    if kind == "error" and "Failed to load resource" not in text:
        complaints.append(text)


@dataclass(frozen=True)
class Served:
    """A service with stores of its own, and this process's tools for them."""

    settings: Settings
    tools: Tools
    service: Service
    first_founding: FirstFounding = field(default_factory=FirstFounding)


@contextmanager
def serving(data: Path, keys: Path) -> Iterator[Served]:
    """Run a service until the block ends.

    Its Redis is its own, for it reports there while other tests are played.

    Args:
        data: where it keeps its books and its log.
        keys: where its ring lies, and the passphrase beside it.
    """
    port = free_port()
    with ExitStack() as stack:
        directory = stack.enter_context(TemporaryDirectory(prefix="pp-redis-"))
        redis = stack.enter_context(redis_server.start(Path(directory)))
        settings = Settings(
            data=data,
            host="127.0.0.1",
            port=port,
            origin=f"http://localhost:{port}",
            keys=keys / "keys",
            keys_passphrase_file=keys / "keys.passphrase",
            database_url=f"sqlite:///{data / 'books.sqlite3'}",
            redis_url=redis.url,
        )
        tools = open_tools(settings)
        stack.callback(tools.close)
        tools.database.migrate()
        service = stack.enter_context(running(settings, workers=1, logs=data))
        yield Served(settings, tools, service)


@pytest.fixture(scope="session")
def everyday(
    tmp_path_factory: pytest.TempPathFactory, key_directory: Path
) -> Iterator[Served]:
    """One service serves the run; ``shop`` empties its books for each test."""
    with serving(tmp_path_factory.mktemp("service"), key_directory) as served:
        yield served


@pytest.fixture(scope="module")
def served(everyday: Served) -> Served:
    """The service of a module; one that has another ring has another."""
    return everyday


@pytest.fixture
def served_settings(served: Served) -> Settings:
    return served.settings


@pytest.fixture
def own_tools(served: Served) -> Tools:
    return served.tools


@pytest.fixture
def service(served: Served) -> Service:
    return served.service


@pytest.fixture(autouse=True)
def shop(served: Served) -> Founded:
    """Empty books, an empty Redis, and a shop in them."""
    wipe(served.settings.redis_url)
    clear_the_books(served.tools)
    return served.first_founding.again(
        served.tools,
        Charter(
            name="Kaffe & Brød", location="Nyhavn", owner="Sofie", limits=limits.NONE
        ),
    )


def clear_the_books(tools: Tools) -> None:
    with tools.database.begin() as tx:
        for table in reversed(Table.metadata.sorted_tables):
            tx.execute(table.delete())


@pytest.fixture
def phone(open_window: Callable[..., Window]) -> Page:
    """Anna's phone, joined, showing her card."""
    return join_on(open_window("/join").page, "Anna")


def join_on(page: Page, name: str, button: str = "Get my card") -> Page:
    """Join on a phone's page; it shows the card then."""
    page.get_by_role("textbox").fill(name)
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/card/*")
    return page


#: By promises: what Playwright asks again and again, our pages would have to evaluate.
#: Not by who controls the page: one that was on its way while the worker took over is
#: its own until it is loaded again, and then the worker has it.
_SHELL = """async () => {
  const late = new Promise((_, fail) =>
    setTimeout(fail, 15_000, new Error("the phone keeps no shell")));
  await Promise.race([navigator.serviceWorker.ready, late]);
}"""


def keeps_its_shell(phone: Page) -> None:
    """Wait until the phone keeps the page for times without a network."""
    phone.evaluate(_SHELL)


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


def console_cookies(tools: Tools, shop: Founded) -> dict[str, str]:
    """Sign the owner in at the console, without the time that a password takes."""
    with tools.database.begin() as tx:
        token = sessions.grant(tx, tools, "console", staff_id=shop.staff_id)
    return {"pp_console": token}


def add_barista(tools: Tools, name: str, pin: str) -> None:
    with tools.database.begin() as tx:
        tx.add(
            StaffMember(
                name=name, role="barista", pin_hash=staff.hash_pin(pin),
                created_at=tools.now(),
            )
        )  # fmt: skip


def type_pin(page: Page, pin: str, button: str = "Sign in") -> None:
    """Type a PIN on the till's pad and send it."""
    for digit in pin:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name=button).click()


@dataclass
class Network:
    """What the network does to the stamps of one till."""

    #: ``good``; ``cut``: nothing gets out; ``deaf``: the server hears, no reply comes.
    mode: str = "good"
    heard: list[str] = field(default_factory=list)

    def __call__(self, route: Route) -> None:
        if self.mode == "cut":
            return route.abort()
        self.heard.append(route.request.post_data_json["request_id"])
        if self.mode == "deaf":
            route.fetch()
            return route.abort()
        return route.continue_()


class Camera:
    """A camera that looks at one thing after another.

    Chromium reads each frame of the film from the file when its turn comes, so the
    film is written over in place.
    """

    def __init__(self, film: Path) -> None:
        self.film = film
        film.write_bytes(_film(None))

    def hold(self, picture: Locator | None) -> None:
        """Hold a picture on a screen before it; None takes it away."""
        shot = picture.screenshot() if picture else None
        with self.film.open("r+b") as film:
            film.write(_film(shot))


@pytest.fixture
def film_of(tmp_path: Path) -> Callable[[Locator], Path]:
    """Make the film of a camera that is held to a picture on a screen."""
    numbers = count()

    def make(picture: Locator) -> Path:
        path = tmp_path / f"camera-{next(numbers)}.y4m"
        path.write_bytes(_film(picture.screenshot()))
        return path

    return make


def _film(shot: bytes | None) -> bytes:
    """Draw what a camera sees that is held to a screenshot, or to nothing."""
    frame = Image.new("L", (_WIDTH, _HEIGHT), 90)
    if shot:
        seen = Image.open(BytesIO(shot)).convert("L")
        seen.thumbnail((_HEIGHT - 160, _HEIGHT - 160))
        frame.paste(seen, ((_WIDTH - seen.width) // 2, (_HEIGHT - seen.height) // 2))
    grey = bytes([128]) * (_WIDTH * _HEIGHT // 2)
    head = f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F15:1 Ip A1:1 C420jpeg\n".encode()
    return head + (b"FRAME\n" + frame.tobytes() + grey) * 3


def show_code(phone: Page, link: str = "Show my code") -> Locator:
    """Show the phone's code; gives its picture, as drawn."""
    phone.get_by_role("link", name=link).click()
    picture = phone.locator("#code [data-part=picture] svg")
    picture.wait_for()
    return picture


def code_on(picture: Locator) -> str:
    """Read the code on a screen with a decoder that is not ours; gives its link."""
    seen = Image.open(BytesIO(picture.screenshot()))
    (found,) = zxingcpp.read_barcodes(seen)
    return _here(found.text)


def sheets_of(pdf: Path) -> list[Image.Image]:
    """Print a PDF's sheets as a label printer would: 203 dots an inch."""
    document = pypdfium2.PdfDocument(pdf)
    sheets = [sheet.render(scale=203 / 72).to_pil() for sheet in document]
    document.close()
    return sheets


def codes_on_paper(sheets: list[Image.Image]) -> list[str]:
    """Read every code on printed sheets with a decoder that is not ours; links."""
    found = [each for sheet in sheets for each in zxingcpp.read_barcodes(sheet)]
    return [_here(each.text) for each in found]


def _here(link: str) -> str:
    """Give the path of a link: its host in capitals would be another to cookies."""
    return "/S/" + link.rpartition("/")[2]


def keep_picture(shown: Page | Image.Image, name: str, *, whole: bool = False) -> None:
    """Leave a picture for people to look at, where they said that they want any.

    Args:
        shown: a page as it is on the screen, or a printed sheet.
        name: a path without its ending; ``/`` parts it.
        whole: the page down to its end.
    """
    directory = pictures()
    if directory is None:
        return
    path = directory / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(shown, Image.Image):
        shown.save(path)
        return
    size = shown.viewport_size
    if whole and size:
        # A window that is high enough, so that what stands at its edges stays there.
        height = shown.evaluate("document.documentElement.scrollHeight")
        shown.set_viewport_size({**size, "height": max(size["height"], height)})
    try:
        shown.screenshot(path=path)
    except Error:
        # A busy machine's Chromium may have no frame to give at that moment.
        shown.screenshot(path=path)
    if whole and size:
        shown.set_viewport_size(size)


def pictures() -> Path | None:
    """Where pictures are left; None where nobody wants any."""
    where = os.environ.get("PUNCHPROOF_PICTURES")
    return Path(where) if where else None
