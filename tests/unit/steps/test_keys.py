from __future__ import annotations

import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.steps import keys
from trilho.steps.keys import STEPS, difference, ingest_ingredients, ingredients, key
from unit.steps.cases import module, project

LATER = STEPS[1:]
MADE = {step: f"digest of {step}" for step in STEPS}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shop.csv").write_text("a,target\n1,0\n2,1\n", encoding="utf-8")
    module(tmp_path, "mine", "def build(x):\n    return x\n\ndef train(X, y):\n    return X\n")
    return tmp_path


def found(step: str, root: Path, made: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    answer = ingredients(step, project(root, **changes), made or MADE)
    assert answer is not None
    return answer


def stale(root: Path, **changes: Any) -> list[str]:
    """The steps whose own key is another after the change, though all before them made the same as before."""
    return [step for step in STEPS if key(found(step, root)) != key(found(step, root, **changes))]


def test_equal_projects_have_equal_keys(root: Path) -> None:
    assert stale(root) == []
    assert all(len(key(found(step, root))) == 24 for step in STEPS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"data": {"options": {"separator": ";"}}}, ["ingest"]),
        ({"data": {"kinds": {"a": "category"}}}, ["ingest"]),
        ({"data": {"drop": ("a",)}}, ["ingest"]),
        ({"data": {"checks": {"a": {"min": 0}}}}, ["ingest"]),
        ({"target": "a"}, ["ingest"]),
        ({"task": "regression"}, ["ingest", "split", "evaluate", "register"]),
        ({"split": {"method": "stratified"}}, ["split"]),
        ({"split": {"test_size": 0.3}}, ["split"]),
        ({"split": {"random_state": 1}}, ["split"]),
        ({"split": {"group_by": "a"}}, ["split"]),
        ({"split": {"time_column": "a"}}, ["split"]),
        ({"transform": {"using": "standard_scaler"}}, ["transform"]),
        ({"transform": {"params": {"a": 1}}}, ["transform"]),
        ({"transform": {"using": "mine:build"}}, ["transform", "evaluate", "register"]),
        ({"train": {"params": {"n_estimators": 11}}}, ["train"]),
        ({"train": {"random_state": 1}}, ["train"]),
        ({"train": {"estimator": "mine:train"}}, ["train", "evaluate", "register"]),
        ({"train": {"sample_weight": "a"}}, ["split", "transform", "train", "evaluate"]),
        ({"train": {"trusted_types": ("a.B",)}}, ["register"]),
        ({"evaluate": {"metrics": ("accuracy",)}}, ["evaluate"]),
        ({"primary_metric": "accuracy"}, ["evaluate"]),
        ({"positive_class": 0}, ["evaluate"]),
        ({"register": {"name": "other"}}, ["register"]),
        ({"model_dir": Path("out")}, ["register"]),
        ({"steps": {"split": "mine:build"}}, ["split"]),
        ({"steps": {"transform": "mine:build"}}, ["transform", "evaluate", "register"]),
        ({"steps": {"train": "mine:train"}}, ["train", "evaluate", "register"]),
        ({"steps": {"evaluate": "mine:build"}}, ["evaluate"]),
        ({"steps": {"register": "mine:build"}}, ["register"]),
        # What concerns neither the model nor its package.
        ({"evaluate": {"thresholds": {"f1": 0.9}}}, []),
        ({"evaluate": {"max_latency": 0.1}}, []),
        ({"register": {"promote": "never"}}, []),
        ({"serve": {"port": 9000}}, []),
        ({"monitor": {"window": 9.0}}, []),
        ({"profile": "team", "tracking_uri": "http://a", "experiment": "b"}, []),
    ],
)
def test_a_change_makes_the_right_steps_stale(root: Path, changes: dict[str, Any], expected: list[str]) -> None:
    assert stale(root, **changes) == expected


BEFORE = {
    "ingest": [],
    "split": ["ingest"],
    "transform": ["ingest", "split"],
    "train": ["ingest", "split", "transform"],
    "evaluate": ["ingest", "split", "transform", "train"],
    "register": ["ingest", "split", "transform", "train", "evaluate"],
}


@pytest.mark.parametrize("step", STEPS)
def test_another_output_of_a_step_before_makes_a_step_stale(root: Path, step: str) -> None:
    depends = [
        name for name in STEPS if key(found(step, root)) != key(found(step, root, {**MADE, name: "another digest"}))
    ]
    assert depends == BEFORE[step]


def test_changed_content_makes_only_ingest_stale(root: Path) -> None:
    before = {step: key(found(step, root)) for step in STEPS}
    (root / "shop.csv").write_text("a,target\n1,0\n3,1\n", encoding="utf-8")
    assert [step for step in STEPS if key(found(step, root)) != before[step]] == ["ingest"]


# A model file names the code it runs, it does not hold it: the same bytes may answer otherwise.
@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({"transform": {"using": "mine:build"}}, "build", ["transform", "evaluate", "register"]),
        ({"steps": {"transform": "mine:build"}}, "build", ["transform", "evaluate", "register"]),
        ({"train": {"estimator": "mine:train"}}, "train", ["train", "evaluate", "register"]),
        ({"steps": {"train": "mine:train"}}, "train", ["train", "evaluate", "register"]),
        ({"steps": {"split": "mine:build"}}, "build", ["split"]),
        ({"steps": {"evaluate": "mine:build"}}, "build", ["evaluate"]),
        ({"steps": {"register": "mine:build"}}, "build", ["register"]),
        ({"steps": {"split": "mine:build"}}, "train", []),
    ],
)
def test_changed_code_makes_the_right_steps_stale(
    root: Path, changes: dict[str, Any], name: str, expected: list[str]
) -> None:
    before = {step: key(found(step, root, **changes)) for step in STEPS}
    text = (root / "mine.py").read_text(encoding="utf-8")
    module(root, "mine", text.replace(f"def {name}(", f"def {name}(more=1, *").replace("more=1, *x", "x, more=1"))
    assert [step for step in STEPS if key(found(step, root, **changes)) != before[step]] == expected


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("scikit-learn", ["transform", "train", "evaluate", "register"]),
        ("mlflow", ["register"]),
        ("skl2onnx", ["register"]),
    ],
)
def test_another_version_of_a_package_makes_the_right_steps_stale(
    root: Path, package: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {step: key(found(step, root)) for step in STEPS}
    monkeypatch.setattr(keys, "version", lambda name: "0.0.1" if name == package else version(name))
    if package == "scikit-learn":
        monkeypatch.setattr(keys, "code_fingerprint", lambda *_: "scikit-learn 0.0.1")
    assert [step for step in STEPS if key(found(step, root)) != before[step]] == expected


def test_another_format_makes_a_step_stale(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(found("train", root))
    monkeypatch.setitem(keys.FORMATS, "train", 99)
    assert key(found("train", root)) != before


@pytest.mark.parametrize("source", ["mine:build", "sqlite:///shop.db#orders"])
def test_what_only_reading_tells_has_no_ingredients_before(root: Path, source: str) -> None:
    assert ingredients("ingest", project(root, data={"source": source}), {}) is None
    assert ingredients("ingest", project(root, steps={"ingest": "mine:build"}), {}) is None


def test_what_reading_told_is_what_a_look_tells(root: Path) -> None:
    known = found("ingest", root)
    assert ingest_ingredients(project(root), known["content"]) == known


def test_ingredients_are_as_they_are_read_back_from_the_cache(root: Path) -> None:
    params = {"since": datetime.date(2026, 1, 31), "class_weight": {0: 1, "other": 2}, "names": ("a", "b"), 3: None}
    train = found("train", root, train={"params": params})["train"]
    assert train["params"] == {
        "since": "2026-01-31",
        "class_weight": {"0": 1, "other": 2},
        "names": ["a", "b"],
        "3": None,
    }
    assert key(found("train", root, train={"params": params})) == key(found("train", root, train={"params": params}))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), ("1", 1), (None, "None"), (0, False), ([1], 1)])
def test_values_that_only_look_alike_have_other_keys(root: Path, one: Any, other: Any) -> None:
    before, now = (found("train", root, train={"params": {"max_features": value}}) for value in (one, other))
    assert key(before) != key(now)
    assert difference(before, now).startswith("max_features changed: ")


# Why a step is stale.


def why(root: Path, step: str, before: dict[str, Any], now: dict[str, Any]) -> str:
    return difference(found(step, root, **before), found(step, root, **now))


def test_a_changed_param_is_worded_with_both_values(root: Path) -> None:
    before, now = ({"train": {"params": {"max_depth": depth}}} for depth in (6, 8))
    assert why(root, "train", before, now) == "max_depth changed: 6 → 8"


@pytest.mark.parametrize(
    ("step", "before", "now", "expected"),
    [
        ("train", {"params": {}}, {"params": {"max_depth": 8}}, "max_depth added: 8"),
        ("train", {"params": {"max_depth": None}}, {"params": {}}, "max_depth removed: None"),
        ("train", {"params": {"w": {"a": 1, "b": 2}}}, {"params": {"w": {"a": 1, "b": 3}}}, "w.b changed: 2 → 3"),
        ("train", {"params": {"w": 1}}, {"params": {"w": {"a": 1}}}, "w removed: 1 and 1 more"),
        ("train", {"random_state": 1}, {"random_state": 2}, "train.random_state changed: 1 → 2"),
        ("train", {"params": {"a": [1, 2]}}, {"params": {"a": (1, 3)}}, "a changed: [1, 2] → [1, 3]"),
        ("train", {"params": {"a": 1, "b": 1}}, {"params": {"a": 2, "b": 2}}, "a changed: 1 → 2 and 1 more"),
        ("split", {"test_size": 0.2}, {"test_size": 0.25}, "split.test_size changed: 0.2 → 0.25"),
        ("transform", {"params": {"mean": True}}, {"params": {"mean": False}}, "mean changed: True → False"),
        ("ingest", {"kinds": {}, "name": "data"}, {"kinds": {"a": "text"}}, "data.kinds.a added: text"),
    ],
)  # fmt: skip
def test_a_change_is_worded_with_its_place(
    root: Path, step: str, before: dict[str, Any], now: dict[str, Any], expected: str
) -> None:
    section = before.pop("name", step)
    assert why(root, step, {section: before}, {section: now}) == expected


def test_changed_content_and_code_are_worded_without_their_fingerprints(root: Path) -> None:
    before = found("ingest", root)
    (root / "shop.csv").write_text("a,target\n9,0\n9,1\n", encoding="utf-8")
    assert difference(before, found("ingest", root)) == "content changed"
    before = found("train", root, train={"estimator": "mine:train"})
    module(root, "mine", "def train(X, y):\n    return y\n")
    assert difference(before, found("train", root, train={"estimator": "mine:train"})) == "code of mine:train changed"


def test_another_output_is_worded_by_the_nearest_step_before(root: Path) -> None:
    def other(**made: str) -> str:
        return difference(found("evaluate", root), found("evaluate", root, {**MADE, **made}))

    assert other(train="x") == "train changed"
    assert other(ingest="x", split="x", train="x") == "train changed"


def test_a_change_of_ones_own_says_more_than_that_of_a_step_before(root: Path) -> None:
    now = found("train", root, {**MADE, "split": "x"}, train={"params": {"max_depth": 8}})
    before = found("train", root, train={"params": {"max_depth": 6}})
    assert difference(before, now) == "max_depth changed: 6 → 8"


def test_long_values_are_cut(root: Path) -> None:
    before, now = ({"train": {"params": {"layers": value}}} for value in (list(range(100)), "x" * 39))
    said = why(root, "train", before, now)
    assert said == f"layers changed: {str(list(range(100)))[:39]}… → {'x' * 39}"


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=4), PLAIN, max_size=4), st.dictionaries(st.text(max_size=4), PLAIN, max_size=4))
def test_any_two_ingredients_can_be_compared(before: dict[str, Any], now: dict[str, Any]) -> None:
    assert difference(before, now)
    assert difference(before, before) == "its entry is gone"
    assert key(before) == key(dict(reversed(before.items())))
