"""A real Chromium, and the models it looks at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from pages import Stage, made_once, staged
from trilho import bundle

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Shown = Callable[..., AbstractContextManager[tuple[Any, Stage]]]


@pytest.fixture(scope="module")  # as long as it is there, its event loop runs in this thread
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("apt-get install chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bundle.Predictor]:
    """One of the page's models by its name in `pages.MODELS`."""
    return made_once(tmp_path_factory.mktemp)


@pytest.fixture
def shown(chromium: Any, model_of: Callable[[str], bundle.Predictor]) -> Shown:
    """Opens the page of a model; fails if the page asked another host, or a script of it failed."""

    @contextmanager
    def show(name: str, *, key: str | None = None, path: str = "/", **context: Any) -> Iterator[tuple[Any, Stage]]:
        with staged(model_of(name) if name else None, name=name or "tried", key=key) as stage:
            opened = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **context})
            page = opened.new_page()
            asked: list[str] = []
            failed: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("pageerror", lambda error: failed.append(str(error)))
            page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
            try:
                page.goto(stage.address + path)
                if path == "/" and name:
                    page.wait_for_selector("html[data-ready]")
                yield page, stage
                assert [url for url in asked if not url.startswith((stage.address, "blob:", "data:"))] == []
                # A refused request is told on the console, too: that is meant.
                assert [text for text in failed if "Failed to load resource" not in text] == []
            finally:
                opened.close()

    return show
