"""Takes the pictures in docs/images from running servers: python tests/browser/screenshots.py"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from playwright.sync_api import sync_playwright

from browser.conftest import FLAGS
from pages import MODELS, png, staged

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def ask(page: Any, times: int) -> None:
    for _ in range(times):
        page.click("#random")
        page.click("#predict")
        page.wait_for_timeout(300)


def breast_cancer(page: Any) -> None:
    ask(page, 4)
    page.fill("#c1", "44")
    page.click("#predict")
    page.wait_for_timeout(600)


def image(page: Any) -> None:
    for shade in (30, 210):
        file = {"name": f"scan-{shade}.png", "mimeType": "image/png", "buffer": png(shade, size=(320, 240))}
        page.set_input_files("#c0", file)
        page.click("#predict")
        page.wait_for_timeout(600)


def two_hundred(page: Any) -> None:
    ask(page, 2)
    page.fill("#filter", "brake")


PICTURES = [
    ("page", "breast-cancer", WIDE, "light", "en-GB", breast_cancer),
    ("page-dark", "customers", {"width": 1280, "height": 958}, "dark", "pt-BR", lambda page: ask(page, 4)),
    ("page-200", "two-hundred", WIDE, "light", "en-GB", two_hundred),
    ("page-image", "scans", WIDE, "light", "en-GB", image),
    ("page-phone", "customers", PHONE, "light", "en-GB", lambda page: ask(page, 1)),
    ("page-phone-dark", "breast-cancer", PHONE, "dark", "pt-BR", lambda page: ask(page, 1)),
]


def main() -> None:
    """Take all of them."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for name, model, viewport, scheme, locale, act in PICTURES:
            with tempfile.TemporaryDirectory() as folder, staged(MODELS[model](Path(folder)), name=model) as stage:
                context = browser.new_context(viewport=viewport, color_scheme=scheme, locale=locale)
                page = context.new_page()
                page.goto(stage.address)
                page.wait_for_selector("html[data-ready]")
                act(page)
                page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
                page.wait_for_timeout(300)
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                picture.quantize(128, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
