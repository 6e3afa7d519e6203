"""The report of monitoring in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shipped import KINDS
from trilho.monitoring.html import render
from unit.monitoring.test_html import performance
from unit.monitoring.windows import journaled, report, trained


@pytest.mark.parametrize("kind", ["all numbers", "categories and missing", "200 columns"])
@pytest.mark.parametrize("width", [1280, 390])
def test_report_fits_the_screen_and_asks_nobody(chromium: Any, tmp_path: Path, kind: str, width: int) -> None:
    shipped = KINDS[kind](tmp_path)
    frame = trained(shipped)
    number = next(field.name for field in shipped.schema.fields if field.kind == "number")
    frame[number] = frame[number] * 3 + 1
    file = tmp_path / "report.html"
    file.write_text(render(report(shipped, journaled(shipped, frame)), performance(0.9, 0.8)), encoding="utf-8")
    page = chromium.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    try:
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if len(shipped.schema.fields) > 16:
            page.fill("#filter", number)
            assert page.locator("[data-column]:visible").count() < len(shipped.schema.fields)
            assert page.locator(f'[data-column="{number}"]').is_visible()
        assert (asked, said) == ([file.as_uri()], [])
    finally:
        page.close()


def test_report_is_whole_without_scripts(chromium: Any, tmp_path: Path) -> None:
    shipped = KINDS["all numbers"](tmp_path)
    file = tmp_path / "report.html"
    file.write_text(render(report(shipped, journaled(shipped, trained(shipped)))), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        assert page.locator("#filter").is_hidden(), "it would do nothing"
        assert page.locator("[data-column]:visible").count() >= 30
    finally:
        context.close()
