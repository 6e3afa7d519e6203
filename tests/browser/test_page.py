"""The page in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pages import MODELS, png
from trilho.bundle import Predictor

from .conftest import Shown

pytestmark = pytest.mark.xdist_group("browser")
ModelOf = Callable[[str], Predictor]


def answered(page) -> str:  # type: ignore[no-untyped-def]  # playwright may be absent
    """Press Predict, and what the page then says."""
    before = page.locator("#id").text_content()
    page.click("#predict")
    page.wait_for_function("before => document.getElementById('id').textContent !== before", arg=before)
    return str(page.locator("#label").text_content())


@pytest.mark.parametrize("name", [name for name in MODELS if name != "scans"])
def test_typical_row_is_predicted_at_once_on_every_model(name: str, shown: Shown, model_of: ModelOf) -> None:
    with shown(name) as (page, _):
        said = answered(page)
        schema = model_of(name).schema
        if schema.labels:
            assert said in schema.label_names
            assert page.locator("#bars li").count() == len(schema.labels)
        else:
            assert float(said.replace(",", "")) > 0
            assert not page.locator("#bars").is_visible()
        assert page.title() == name


def test_filled_row_is_predicted_with_probabilities_as_bars(shown: Shown, model_of: ModelOf) -> None:
    with shown("breast-cancer") as (page, _):
        for place, field in enumerate(model_of("breast-cancer").schema.fields):
            page.fill(f"#c{place}", str(field.maximum))
        assert answered(page) == "malignant"
        first = page.locator("#bars li").first
        assert first.locator(".name").text_content() == "malignant"
        whole, filled = (first.locator(part).bounding_box()["width"] for part in (".bar", ".bar i"))
        assert filled > whole * 0.95
        assert not page.locator("#outside").is_visible()


def test_random_rows_differ_lie_inside_the_training_range_and_are_predicted(shown: Shown) -> None:
    with shown("customers") as (page, _):
        rows = set()
        for _ in range(5):
            page.click("#random")
            assert page.locator(".is-wrong, .is-outside").count() == 0
            rows.add(page.locator("#code").text_content())
            assert answered(page) in ("stays", "leaves")
        assert len(rows) == 5
        assert page.locator("#history li").count() == 5


def test_input_outside_the_training_range_is_marked_and_told_with_the_answer(shown: Shown) -> None:
    with shown("breast-cancer") as (page, _):
        page.fill("#c0", "99,5")  # a comma is a decimal point
        assert "above the training range" in page.locator("#c0-mark").text_content()
        answered(page)
        assert "1 input lies outside" in page.locator("#outside").text_content()
        page.fill("#c0", "14")
        assert page.locator("#c0-mark").text_content() == ""


def test_bad_input_is_named_and_focused_and_nothing_is_sent(shown: Shown) -> None:
    with shown("breast-cancer") as (page, _):
        sent = []
        page.on("request", lambda request: sent.append(request.url) if "predict" in request.url else None)
        page.fill("#c3", "much")
        page.fill("#c5", "")
        page.click("#predict")
        assert page.locator("#c3-mark").text_content() == "not a number"
        assert page.locator("#c5-mark").text_content() == "needs a value"
        assert page.evaluate("document.activeElement.id") == "c3"
        assert page.locator("#c3").get_attribute("aria-invalid") == "true"
        assert sent == []


def test_what_the_server_refuses_is_said_at_its_input(shown: Shown) -> None:
    with shown("customers") as (page, _):
        page.fill("#c0", "1e300")
        page.click("#predict")
        page.wait_for_selector("#problem:visible")
        assert "'income'" in page.locator("#problem").text_content()
        assert "beyond" in page.locator("#c0-mark").text_content()
        page.fill("#c0", "90")
        answered(page)
        assert not page.locator("#problem").is_visible()


def test_promotion_under_the_open_page_changes_footer_and_version_without_reload(
    shown: Shown, model_of: ModelOf
) -> None:
    with shown("breast-cancer") as (page, stage):
        page.fill("#c0", "15.5")
        assert "v12" in page.locator("#facts").text_content()
        assert "by ana" in page.locator("#facts").text_content()
        page.evaluate("window.same = true")
        stage.promote(model_of("breast-cancer"), name="breast-cancer", version="13")
        page.wait_for_function("() => document.getElementById('version').textContent === 'v13'", timeout=20_000)
        assert "Version 13" in page.locator("#news").text_content()
        page.wait_for_function("() => document.getElementById('facts').textContent.includes('by joão')")
        answered(page)
        assert "version 13" in page.locator("#by").text_content()
        assert page.evaluate("window.same") is True
        assert page.input_value("#c0") == "15.5"


def test_version_with_other_columns_makes_the_form_anew_and_keeps_what_was_typed(
    shown: Shown, model_of: ModelOf
) -> None:
    with shown("customers") as (page, stage):
        page.fill("#c1", "33")
        stage.promote(model_of("hostile"), name="customers", version="13")
        page.wait_for_function("() => document.querySelectorAll('.field').length === 6", timeout=20_000)
        page.wait_for_selector("html[data-ready]")
        assert "other columns" in page.locator("#news").text_content()
        answered(page)
        stage.promote(model_of("customers"), name="customers", version="12")
        page.wait_for_function("() => document.querySelectorAll('.field').length === 7", timeout=20_000)


def test_server_that_is_gone_is_shown_and_found_again(shown: Shown) -> None:
    with shown("progression") as (page, _):
        page.route("**/health", lambda route: route.abort())
        page.wait_for_selector("#dot.gone", timeout=20_000)
        page.unroute("**/health")
        page.wait_for_selector("#dot:not(.gone)", timeout=20_000)


def test_first_model_appears_on_the_waiting_page_by_itself(shown: Shown, model_of: ModelOf) -> None:
    with shown("") as (page, stage):
        assert "No model is in charge yet" in page.locator("h1").text_content()
        stage.promote(model_of("progression"), name="first", version="1")
        page.wait_for_selector("html[data-ready]", timeout=20_000)
        assert page.locator("#model").text_content() == "first"


def test_keyboard_alone_fills_predicts_and_gives_feedback(shown: Shown) -> None:
    with shown("breast-cancer") as (page, stage):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "c0":
                break
        page.keyboard.press("Control+a")
        page.keyboard.type("20")
        page.keyboard.press("ArrowUp")
        assert float(page.input_value("#c0")) == pytest.approx(20.211)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "c1"  # the sliders are for the mouse
        page.keyboard.press("Enter")
        page.wait_for_selector("#found:visible")
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "was-right":
                break
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('noted').textContent !== ''")
        assert stage.notes[0]["id"] == page.locator("#id").text_content()


def test_feedback_sends_the_prediction_id_and_what_was_true(shown: Shown) -> None:
    with shown("breast-cancer") as (page, stage):
        said = answered(page)
        page.click("#was-wrong")
        page.wait_for_function("() => document.getElementById('noted').textContent !== ''")
        assert said == "benign"
        assert stage.notes == [{"id": page.locator("#id").text_content(), "label": 0}]
    with shown("progression") as (page, stage):
        answered(page)
        page.click("#was-wrong")
        page.fill("#true-label", "151,5")
        page.click("#send-truth")
        page.wait_for_function("() => document.getElementById('noted').textContent !== ''")
        assert stage.notes[0]["label"] == 151.5


@pytest.mark.parametrize(
    "pasted",
    [
        '{"income": 1234.5, "age": 41, "member": true, "city": "Recife", "plan": "b"}',
        '[{"income": 1234.5, "age": 41, "member": true, "city": "Recife", "plan": "b"}]',
        '{"dataframe_split": {"columns": ["income","age","member","city","plan"], '
        '"data": [[1234.5, 41, true, "Recife", "b"]]}}',
        'income,age,member,city,plan\n1234.5,41,true,"Recife",b\n',
        "income;age;member;city;plan\r\n1234.5;41;true;Recife;b\r\n",
        "1234.5\t41\ttrue\tRecife\tb\tstreet 3\t2020-05-05",
    ],
)
def test_pasted_row_fills_the_inputs(pasted: str, shown: Shown) -> None:
    with shown("customers") as (page, _):
        page.click("#paste")
        page.fill("#pasted", pasted)
        page.click("#paste-take")
        assert not page.locator("#paste-dialog").is_visible()
        assert [page.input_value(f"#c{place}") for place in (0, 1, 3, 4)] == ["1234.5", "41", "Recife", "b"]
        assert page.is_checked("[name=c2][value=true]")


@pytest.mark.parametrize(
    ("pasted", "says"),
    [("", "nothing"), ("{", "neither"), ("a,b\n1,2", "2 values for 7"), ('{"x": 1}', "No column fits: x")],
)
def test_paste_that_does_not_fit_is_explained(pasted: str, says: str, shown: Shown) -> None:
    with shown("customers") as (page, _):
        page.click("#paste")
        page.fill("#pasted", pasted)
        page.click("#paste-take")
        assert says in page.locator("#paste-problem").text_content()
        page.keyboard.press("Escape")
        assert not page.locator("#paste-dialog").is_visible()


def test_page_speaks_portuguese_to_a_portuguese_browser(shown: Shown) -> None:
    with shown("customers", locale="pt-BR") as (page, _):
        assert page.locator("#random").text_content() == "Linha aleatória"
        answered(page)
        assert "versão 12" in page.locator("#by").text_content()
        assert re.search(r"\d%", page.locator("#bars").text_content())
        page.fill("#c1", "999")
        assert "acima do intervalo" in page.locator("#c1-mark").text_content()
        assert page.evaluate("document.documentElement.lang") == "pt-BR"


@pytest.mark.parametrize("name", list(MODELS))
def test_phone_needs_no_sideways_scrolling(name: str, shown: Shown) -> None:
    with shown(name, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        if name == "scans":
            page.set_input_files("#c0", {"name": "x" * 90 + ".png", "mimeType": "image/png", "buffer": png(9)})
        answered(page)
        page.wait_for_function("() => document.getElementById('answer').getBoundingClientRect().top < innerHeight")
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_two_hundred_columns_are_filtered_and_grouped(shown: Shown) -> None:
    with shown("two-hundred") as (page, _):
        assert page.locator(".group").count() == 6
        page.fill("#filter", "BRAKE load 2")
        assert page.locator(".field:visible").count() == 3
        page.fill("#filter", "nothing like it")
        assert page.locator("#nothing").is_visible()
        page.fill("#filter", "")
        assert page.locator(".field:visible").count() == 200


def test_filter_does_not_hide_what_is_missing(shown: Shown) -> None:
    with shown("two-hundred") as (page, _):
        page.fill("#c0", "")
        page.fill("#filter", "axle")
        page.click("#predict")
        assert page.evaluate("document.activeElement.id") == "c0"
        assert page.locator("#c0").is_visible()


def test_image_is_shown_and_predicted(shown: Shown) -> None:
    with shown("scans") as (page, _):
        page.click("#predict")
        assert page.locator("#c0-mark").text_content() == "needs a value"
        page.set_input_files("#c0", {"name": "light.png", "mimeType": "image/png", "buffer": png(240)})
        page.wait_for_selector(".drop img:visible")
        assert answered(page) == "light"
        page.set_input_files("#c0", {"name": "dark.png", "mimeType": "image/png", "buffer": png(20)})
        assert answered(page) == "dark"
        page.set_input_files("#c0", {"name": "no.png", "mimeType": "image/png", "buffer": b"no"})
        page.click("#predict")
        page.wait_for_selector("#problem:visible")
        assert "no image file" in page.locator("#problem").text_content()


def test_hostile_names_run_nothing_and_are_sent_as_they_are(shown: Shown, model_of: ModelOf) -> None:
    with shown("hostile") as (page, stage):
        page.click("#random")
        said = answered(page)
        assert said in model_of("hostile").schema.label_names
        page.click("#was-right")
        page.wait_for_function("() => document.getElementById('noted').textContent !== ''")
        assert stage.notes[0]["label"] == said
        assert page.title() == "hostile"
        assert page.locator("main b, main i:not(.bar i)").count() == 0


def test_row_of_this_session_comes_back_with_a_click(shown: Shown) -> None:
    with shown("breast-cancer") as (page, _):
        page.fill("#c0", "11.25")
        answered(page)
        page.fill("#c0", "22")
        answered(page)
        page.locator("#history button").nth(1).click()
        assert page.input_value("#c0") == "11.25"
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.locator("#history li").count() == 2
        page.click("#clear")
        assert page.locator("#history li").count() == 0


@pytest.mark.parametrize("name", ["customers", "hostile", "scans"])
def test_copied_commands_give_the_answer_of_the_page(name: str, shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "light.png").write_bytes(png(200))
    with shown(name) as (page, _):
        page.click("#random")
        if name == "scans":
            page.set_input_files("#c0", str(tmp_path / "light.png"))
        said = answered(page)
        curl = page.locator("#code").text_content()
        page.click("#tab-python")
        python = page.locator("#code").text_content()
        script = tmp_path / "ask.py"
        script.write_text(python, encoding="utf-8")
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        for command in (["sh", "-c", curl], [sys.executable, str(script)]):
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
            assert done.returncode == 0, done.stderr
            found = json.loads(done.stdout)["predictions"][0]["label"] if command[0] == "sh" else done.stdout
            assert (found == said) if command[0] == "sh" else (repr(said) in found)


def test_key_is_asked_for_once_and_kept_for_the_tab(shown: Shown) -> None:
    with shown("progression", key="secret") as (page, _):
        page.click("#predict")
        page.fill("#key", "wrong")
        page.click("#key-use")
        page.wait_for_selector("#key-problem:visible")
        page.fill("#key", "secret")
        page.keyboard.press("Enter")
        page.wait_for_selector("#found:visible")
        answered(page)
        page.reload()
        page.wait_for_selector("html[data-ready]")
        answered(page)
        assert not page.locator("#key-dialog").is_visible()
        assert "$TRILHO_API_KEY" in page.locator("#code").text_content()
        assert "secret" not in page.content()


def test_sliders_move_the_value_through_the_training_range(shown: Shown) -> None:
    with shown("breast-cancer") as (page, _):
        slide = page.locator("[data-place='0'] .slide")
        box = slide.bounding_box()
        page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
        assert float(page.input_value("#c0")) == pytest.approx(28.11, abs=3)
        assert page.locator("#c0-mark").text_content() == ""


def test_documentation_works_without_a_network(shown: Shown) -> None:
    with shown("breast-cancer", path="/docs") as (page, _):
        page.wait_for_selector("#operations-model-predict")
        page.locator("#operations-model-predict button.opblock-summary-control").click()
        page.locator("#operations-model-predict button.execute").click()
        page.wait_for_selector("#operations-model-predict .live-responses-table .response-col_status")
        assert (
            "200"
            in page.locator(
                "#operations-model-predict .live-responses-table .response .response-col_status"
            ).text_content()
        )
