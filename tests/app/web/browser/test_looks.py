from __future__ import annotations
import os
from pathlib import Path
import pytest
from app.translations import LANGUAGES
from tests.app.web.browser.stage import Stage
from tests.app.web.browser.customer_states import CUSTOMER
from tests.app.web.browser.counter_states import COUNTER

SIZES = {"phone": (390,844), "narrow": (320,568), "flat": (844,390), "tablet": (820,1180), "tabletflat": (1180,820), "desk": (1280,800)}
WHERE = Path(os.environ.get("PICS", "/tmp/card-pics"))
ONLY = os.environ.get("ONLY", "").split()
LANGS = os.environ.get("LANGS", "en").split()
THEMES = os.environ.get("THEMES", "light dark").split()
WANT = os.environ.get("SIZES", " ".join(SIZES)).split()

@pytest.mark.parametrize("surface", ["customer", "counter"])
@pytest.mark.parametrize("tag", LANGS)
def test_looks(tag, surface, launch, open_window, own_tools, shop):
    language = next(each for each in LANGUAGES if each.tag == tag)
    stage = Stage(own_tools, shop, language, launch(), open_window)
    WHERE.mkdir(parents=True, exist_ok=True)
    bad = []
    for name, state in {"customer": CUSTOMER, "counter": COUNTER}[surface].items():
        if ONLY and not any(name == o or (o.endswith("*") and name.startswith(o[:-1])) for o in ONLY):
            continue
        try:
            page = state(stage)
        except Exception as e:
            bad.append((name, str(e)[:400])); continue
        for size in WANT:
            w, h = SIZES[size]
            page.set_viewport_size({"width": w, "height": h})
            for theme in THEMES:
                if theme == "dark" and size not in ("phone", "tablet") and len(THEMES) > 1: continue
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                full = surface == "customer" and size in ("phone","narrow","tablet","desk") and not page.evaluate("!!document.querySelector('dialog[open], #answer:not([hidden]), #news:not([hidden])')")
                page.screenshot(path=WHERE / f"{surface}~{name}~{tag}~{size}~{theme}.png", full_page=full)
        page.context.close()
    assert not bad, bad
