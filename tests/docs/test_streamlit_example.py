"""The Streamlit example, run by Streamlit's own test harness against a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import free_port
from documented import ROOT
from model_server import running
from shipped import KINDS, all_numbers, categories_and_missing

testing: Any = pytest.importorskip("streamlit.testing.v1", reason="pip install streamlit")
APP = ROOT / "examples" / "streamlit" / "app.py"


def opened(address: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MODEL_SERVER", address)
    return testing.AppTest.from_file(str(APP), default_timeout=60).run()


def test_thirty_inputs_are_filled_at_random_and_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = all_numbers(tmp_path)
    with running(shipped) as server:
        app = opened(server.address, monkeypatch)
        assert not app.exception
        typical = {one.label: one.value for one in app.number_input}
        assert typical == {field.name: field.typical for field in shipped.schema.fields}
        assert len(typical) == 30
        app.button[0].click().run()
        assert not app.exception
        drawn = {one.label: one.value for one in app.number_input}
        assert drawn != typical
        for field in shipped.schema.fields:
            assert field.minimum is not None
            assert field.maximum is not None
            assert field.minimum <= drawn[field.name] <= field.maximum
        found = shipped.predictor.predict({name: [value] for name, value in drawn.items()})
        assert app.metric[0].value == str(found.labels[0])
        assert any("tried v3" in caption.value for caption in app.caption)

        app.number_input[0].set_value(1000.0).run()
        assert not app.exception
        changed = shipped.predictor.predict(
            {**{name: [value] for name, value in drawn.items()}, "mean radius": [1000.0]}
        )
        assert app.metric[0].value == str(changed.labels[0])


@pytest.mark.parametrize("kind", list(KINDS))
def test_any_model_gets_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    shipped = KINDS[kind](tmp_path)
    with running(shipped) as server:
        app = opened(server.address, monkeypatch)
        app.button[0].click().run()
        assert not app.exception
        assert len(app.number_input) + len(app.selectbox) + len(app.checkbox) == len(shipped.schema.fields)
        assert len(app.metric) == 1, [warning.value for warning in app.warning]


def test_a_missing_value_and_a_new_champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "numbers").mkdir()
    words, numbers = categories_and_missing(tmp_path / "words"), all_numbers(tmp_path / "numbers")
    with running(words) as server:
        app = opened(server.address, monkeypatch)
        app.number_input[0].set_value(None).run()
        assert len(app.metric) == 1
        with running(numbers, version="4") as other:
            server.slot.swap(other.slot.served)  # type: ignore[arg-type]
        app.run()
        assert not app.exception
        assert len(app.number_input) == 30
        assert len(app.metric) == 1
        assert any("tried v4" in caption.value for caption in app.caption)


def test_a_server_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(f"http://127.0.0.1:{free_port()}", monkeypatch)
    assert not app.exception
    assert "No answer from the model server" in app.error[0].value
