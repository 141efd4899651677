"""A stage for looking at pages: a shop, people, cards in any state, and a window.

What stands on the stage is made through the programme, as life would make it; each
look at it is a fresh phone or till. ``customer_states`` and ``counter_states`` list
everything that a person may have before them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from playwright.sync_api import Browser, Locator, Page, Route

from app import translations
from app.programme import (
    batches,
    cards,
    members,
    printing,
    sessions,
    staff,
    stamping,
)
from app.programme import shop as shops
from app.programme.cards import ProgrammeView
from app.programme.founding import Founded
from app.programme.members import Joined
from app.programme.sessions import ConsoleCaller, StaffCaller
from app.store.tables import Card, Programme
from app.tools import Tools
from app.translations import Language
from tests.app.web.browser import painted
from tests.conftest import bring_forward

#: Nothing moves while it is looked at: axe measures contrast.
STILL = "reduce"


@dataclass
class Stage:
    """One shop, and windows on it that speak one language."""

    tools: Tools
    shop: Founded
    language: Language
    browser: Browser
    open_window: Callable[..., object]
    viewport: dict[str, int] = field(
        default_factory=lambda: {"width": 390, "height": 844}
    )
    motion: str = STILL

    def said(self, english: str) -> str:
        """Translate a sentence, to find what stands on the page."""
        return translations.catalogue(self.language.locale).gettext(english)

    # People and things -------------------------------------------------------

    @property
    def owner(self) -> ConsoleCaller:
        return ConsoleCaller(self.shop.staff_id, "Sofie", "owner")

    def join(self, name: str | None = "Anna") -> Joined:
        return members.join(self.tools, name=name, locale=self.language.tag)

    def terminal(self) -> tuple[UUID, str]:
        code = staff.enrolment_code(self.tools, self.shop.location_id).code
        enrolled = staff.enrol(self.tools, code)
        return enrolled.terminal_id, enrolled.token

    def barista(self) -> StaffCaller:
        terminal_id, _ = self.terminal()
        return StaffCaller(
            self.shop.staff_id,
            "Sofie",
            "owner",
            terminal_id,
            self.shop.location_id,
            "Nyhavn",
        )

    def give(self, card_id: UUID, stamps: int) -> UUID | None:
        """Give stamps; the id of the last entry comes back."""
        last, by = None, self.barista()
        for part in [5] * (stamps // 5) + [stamps % 5] * bool(stamps % 5):
            code = stamping.card_code(self.tools, card_id).code
            spent = stamping.stamp(
                self.tools, code, stamps=part, request_id=uuid4().hex, staff=by
            )
            last = UUID(spent.answer["stamp_id"])
        return last

    def card(self, stamps: int = 0, name: str | None = "Anna") -> Joined:
        joined = self.join(name)
        self.give(joined.card_id, stamps)
        return joined

    def programme(self, **changed: object) -> ProgrammeView:
        now = next(
            each
            for each in shops.programmes(self.tools)
            if each.programme_id == self.shop.programme_id
        )
        facts: dict[str, object] = {
            "programme_id": now.programme_id,
            "name": now.name,
            "reward": now.reward,
            "stamps_required": now.stamps_required,
            "terms": now.terms,
            "is_open": now.is_open,
            "voucher_days": now.voucher_days,
        }
        saved = shops.save_programme(self.tools, **{**facts, **changed}, by=self.owner)  # type: ignore[arg-type]
        bring_forward(self.tools)
        return saved

    def second_card(self, joined: Joined) -> UUID:
        lunch = self.programme(programme_id=None, name="Lunch club", reward="Free soup")
        with self.tools.database.begin() as tx:
            programme = tx.get_one(Programme, lunch.programme_id)
            return cards.open_card(tx, self.tools, joined.member_id, programme)

    def close_card(self, card_id: UUID) -> None:
        with self.tools.database.begin() as tx:
            tx.get_one(Card, card_id).closed_at = self.tools.now()

    def earlier(self, **ago: float) -> Tools:
        """Give the same tools as they were a while ago."""
        then = self.tools.now() - timedelta(**ago)
        return dataclasses.replace(self.tools, now=lambda: then)

    def printed(self, *, is_revoked: bool = False) -> str:
        """Print one stamp; its link comes back."""
        batch_id = batches.make(
            self.tools,
            name="Spring market",
            programme_id=self.shop.programme_id,
            location_id=self.shop.location_id,
            stamps=1,
            count=1,
            last_day=self.tools.now().date() + timedelta(days=90),
            by=self.owner,
        )
        links: list[str] = []

        def draw(stamps: list[printing.PrintedStamp]) -> bytes:
            links.extend(stamp.url for stamp in stamps)
            return b""

        printing.put_on_paper(
            self.tools, batch_id, layout="a4", by=self.owner, draw=draw
        )
        if is_revoked:
            batches.revoke(self.tools, batch_id, reason="Lost", by=self.owner)
        return links[0]

    # Windows ----------------------------------------------------------------

    def window(self, path: str, **options: object) -> Page:
        options.setdefault("reduced_motion", self.motion)
        window = self.open_window(
            path,
            browser=self.browser,
            viewport=self.viewport,
            locale=self.language.tag,
            timezone_id="Europe/Copenhagen",
            **options,
        )
        page: Page = window.page  # type: ignore[attr-defined]
        return page

    def phone(self, joined: Joined, path: str = "/card", **options: object) -> Page:
        """Open a page on the phone of somebody who has joined."""
        return self.window(path, cookies={"pp_member": joined.token}, **options)

    def till(self, *, fails: str = "", is_signed_in: bool = True) -> Page:
        """Open a till over a painted camera, or over one that fails from the start."""
        terminal_id, terminal = self.terminal()
        cookies = {"pp_terminal": terminal}
        if is_signed_in:
            with self.tools.database.begin() as tx:
                cookies["pp_staff"] = sessions.grant(
                    tx,
                    self.tools,
                    "staff",
                    terminal_id=terminal_id,
                    staff_id=self.shop.staff_id,
                )
        page = self.filming("/livez", fails=fails, cookies=cookies)
        page.goto("/counter/")
        if is_signed_in and fails:
            page.locator("[data-trouble]").wait_for()
        elif is_signed_in:
            page.locator("#main[data-state=scanning]").wait_for(state="attached")
        return page

    def filming(self, path: str, *, fails: str = "", **options: object) -> Page:
        """Open a window whose next page has a camera of paint."""
        page = self.window(path, **options)
        painted.install(page)
        if fails:
            page.evaluate(
                "(name) => sessionStorage.setItem('camera-fails', name)",
                f'"{fails}"',
            )
        return page

    def button(self, place: Page | Locator, english: str) -> Locator:
        return place.get_by_role("button", name=self.said(english))


def cut(route: Route) -> None:
    """Let nothing through."""
    route.abort()


def scan(page: Page, code: str) -> None:
    """Scan at a till with a hand scanner, which types as fast as no person does."""
    page.evaluate(
        """(keys) => {
          for (const key of keys) {
            const pressed = new KeyboardEvent("keydown", { key, bubbles: true });
            document.dispatchEvent(pressed);
          }
        }""",
        [*code, "Enter"],
    )


def linger(page: Page) -> None:
    """Let what leaves by itself after a few seconds stay: somebody looks at it."""
    page.evaluate(
        """() => {
          const wait = globalThis.setTimeout;
          globalThis.setTimeout = (then, ms, ...rest) =>
            wait(then, ms >= 3000 && ms <= 5000 ? 600_000 : ms, ...rest);
        }"""
    )


#: A name for what is seen, and how to get there.
States = dict[str, Callable[[Stage], Page]]
