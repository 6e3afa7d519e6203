from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.settings import BY_NAME, MAPPINGS, SCALARS, SETTINGS, Origin, format_duration, parse_duration


def test_no_setting_is_defined_twice() -> None:
    assert len(BY_NAME) == len(SETTINGS)


def test_no_setting_is_a_section_of_another() -> None:
    for setting in SETTINGS:
        assert not any(other.name.startswith(f"{setting.name}.") for other in SETTINGS)


def test_every_setting_is_explained_by_a_sentence() -> None:
    for setting in SETTINGS:
        assert setting.help.endswith((".", "?")), setting.name
        assert len(setting.help) > 15, setting.name


def test_no_two_settings_share_an_environment_name() -> None:
    names = [name for setting in SETTINGS for name in setting.env]
    assert len(names) == len(set(names))
    assert "TRILHO_PROFILE" not in names


def test_every_scalar_has_an_environment_name_and_nothing_else_has() -> None:
    assert BY_NAME["train.estimator"].env == ("TRILHO_TRAIN_ESTIMATOR",)
    assert BY_NAME["tracking_uri"].env == ("TRILHO_TRACKING_URI", "MLFLOW_TRACKING_URI")
    assert BY_NAME["experiment"].env[-1] == "MLFLOW_EXPERIMENT_NAME"
    assert all(bool(setting.env) == (setting.kind in SCALARS) for setting in SETTINGS)


def test_a_setting_is_required_or_has_a_default_or_may_be_absent() -> None:
    for setting in SETTINGS:
        assert not (setting.required and (setting.default is not None or setting.derived)), setting.name
        assert not (setting.kind in MAPPINGS and setting.default is not None), setting.name


def test_choice_defaults_are_choices() -> None:
    for setting in SETTINGS:
        if setting.kind == "choice":
            assert setting.choices
            assert setting.default in (None, *setting.choices)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2.0), ("500ms", 0.5), ("24h", 86_400.0), ("15m", 900.0), ("7d", 604_800.0), ("1.5 h", 5400.0), (" 0s ", 0)],
)
def test_a_duration_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "s", "-1s", "2 weeks", "1h30m", "1e3s", "٣s", "2s 3s", "9" * 400 + "d"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="for example 2s or 24h"):
        parse_duration(text)


@given(st.text(max_size=30) | st.from_regex(r"\d*\.?\d+ *[a-z]{1,2}"))
def test_any_text_is_a_duration_or_a_clear_mistake(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= parse_duration(text) < float("inf")


@given(st.integers(0, 10**9).map(lambda milliseconds: milliseconds / 1000))
def test_a_formatted_duration_reads_back_as_the_same_seconds(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1e-12, abs=1e-12)


def test_a_duration_is_written_in_the_largest_whole_unit() -> None:
    assert [format_duration(value) for value in (86_400.0, 5400.0, 2.0, 0.25, 0.0)] == [
        "1d",
        "90m",
        "2s",
        "250ms",
        "0s",
    ]


def test_an_origin_reads_as_words() -> None:
    assert str(Origin(source="flag")) == "flag"
    assert str(Origin(source="environment", detail="MLFLOW_TRACKING_URI")) == "env MLFLOW_TRACKING_URI"
    assert str(Origin(source=".env", detail="TRILHO_PROFILE", line=3)) == ".env, line 3 (TRILHO_PROFILE)"
    assert str(Origin(source="profile", detail="team", line=31)) == "profile team, line 31"
    assert str(Origin(source="file", line=12)) == "trilho.yaml, line 12"
    assert str(Origin(source="default")) == "default"
    assert str(Origin(source="inferred", detail="task")) == "inferred from task"
