"""What a challenger would have answered, beside what the champion did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import cohen_kappa_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from shipped import Shipped
from trilho.journal import read
from trilho.monitoring import Change, Report, Sample, Shadow, ask_challenger
from trilho.monitoring.html import render
from trilho.monitoring.shadow import _labels, _numbers
from trilho.monitoring.wording import shadow_words
from unit.bundle.tables import bundled, cancer, diabetes, mixed
from unit.monitoring.test_faults import written
from unit.monitoring.windows import SINCE, UNTIL, journaled, report, trained


def drawn(champion: Shipped, folder: Path, frame: pd.DataFrame | None = None) -> Sample:
    """The rows that it answered, from a journal on disk."""
    written(folder, champion, champion.frame if frame is None else frame)
    sample = Sample("tried", "3")
    for part in read(folder, since=SINCE, until=UNTIL):
        sample.add(part)
    return sample


def asked(champion: Shipped, challenger: Shipped, folder: Path, *, min_rows: int = 50) -> Shadow:
    return ask_challenger(drawn(champion, folder), champion.schema, challenger.predictor, "4", min_rows=min_rows)


@pytest.fixture(scope="module")
def stump(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """A tree of one question, for the table of all numbers."""
    frame, truth = cancer()
    model = DecisionTreeClassifier(max_depth=1, random_state=0)
    return Shipped(bundled(model, frame, truth, tmp_path_factory.mktemp("stump")).path, frame, truth)


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shipped, Shipped]:
    frame, truth = diabetes()
    models = make_pipeline(StandardScaler(), LinearRegression()), DecisionTreeRegressor(max_depth=3, random_state=0)
    first, second = (bundled(model, frame, truth, tmp_path_factory.mktemp("regression")).path for model in models)
    return Shipped(first, frame, truth), Shipped(second, frame, truth)


def test_a_champion_that_is_asked_for_its_own_rows_agrees_with_itself(shipped: Shipped, tmp_path: Path) -> None:
    found = asked(shipped, shipped, tmp_path)
    assert (found.rows, found.refused, found.problem) == (len(shipped.frame), 0, "")
    assert (found.agreement, found.kappa, found.changes) == (1.0, 1.0, ())
    assert found.interval is not None
    assert found.interval[1] == 1.0 > found.interval[0] > 0.97


def test_where_two_models_differ_is_counted(numbers: Shipped, stump: Shipped, tmp_path: Path) -> None:
    found = asked(numbers, stump, tmp_path)
    before, after = numbers.answers().labels, stump.answers().labels
    assert found.agreement == pytest.approx((before == after).mean())
    assert found.kappa == pytest.approx(cohen_kappa_score(before, after))
    assert found.interval is not None
    assert found.interval[0] < (before == after).mean() < found.interval[1]
    pairs = [(one.champion, one.challenger, one.rows) for one in found.changes]
    counts = [
        ("0", "1", int(((before == 0) & (after == 1)).sum())),
        ("1", "0", int(((before == 1) & (after == 0)).sum())),
    ]
    assert pairs == sorted(counts, key=lambda pair: -pair[2])


def test_numbers_are_compared_by_their_distance_and_by_concordance(
    regression: tuple[Shipped, Shipped], tmp_path: Path
) -> None:
    linear, tree = regression
    found = asked(linear, tree, tmp_path)
    before, after = linear.answers().labels, tree.answers().labels
    covariance = np.cov(before, after, bias=True)
    lin = 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (before.mean() - after.mean()) ** 2)
    assert found.agreement == pytest.approx(lin)
    assert found.difference == pytest.approx(np.abs(before - after).mean())
    assert (found.interval, found.kappa, found.changes) == (None, None, ())


def test_rows_that_the_challenger_does_not_take_are_counted_and_all_others_asked(
    words: Shipped, tmp_path: Path
) -> None:
    frame, truth = mixed(missing=False)
    frame = frame[["age", "income"]]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    strict = Shipped(bundled(model, frame, truth, tmp_path / "strict").path, frame, truth)
    found = asked(words, strict, tmp_path / "journal")
    whole = words.frame["income"].notna()
    assert 0 < found.refused == (~whole).sum()
    assert found.rows == whole.sum()
    before, after = words.answers(words.frame[whole]).labels, strict.answers(words.frame[whole]).labels
    assert found.agreement == pytest.approx((before == after).mean())


def test_a_feature_that_the_journal_does_not_keep_is_named(numbers: Shipped, stump: Shipped) -> None:
    sample, rows = Sample("tried", "3"), journaled(numbers, trained(numbers))
    columns = {name: values for name, values in rows.columns.items() if name != "mean area"}
    sample.add(type(rows)(**{**vars(rows), "columns": columns}))
    found = ask_challenger(sample, numbers.schema, stump.predictor, "4", min_rows=10)
    assert found.problem == "The journal does not keep 'mean area', which it asks for."
    assert found.agreement is None


def test_too_few_rows_or_another_task_give_no_figures(
    numbers: Shipped, regression: tuple[Shipped, Shipped], tmp_path: Path
) -> None:
    few = drawn(numbers, tmp_path, numbers.frame[:30])
    found = ask_challenger(few, numbers.schema, numbers.predictor, "4", min_rows=31)
    assert (found.agreement, found.problem) == (None, "31 answers of both are needed, there are 30.")
    found = ask_challenger(few, numbers.schema, regression[0].predictor, "4", min_rows=10)
    assert found.problem == "It does regression, the champion classification."
    nothing = ask_challenger(Sample("tried", "3"), numbers.schema, numbers.predictor, "4", min_rows=0)
    assert nothing.agreement is None


LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=60)


@given(LABELS)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    before, after = zip(*pairs, strict=True)
    found = _labels(Shadow(version="4", rows=len(pairs)), before, after)
    if len({*before, *after}) > 1:
        assert found.kappa == pytest.approx(cohen_kappa_score(before, after))
    else:
        assert (found.agreement, found.kappa) == (1.0, None)
    assert sum(change.rows for change in found.changes) <= sum(one != other for one, other in pairs)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(-1e3, 1e3))
def test_concordance_is_one_for_the_same_numbers_and_no_more_for_others(values: list[float], moved: float) -> None:
    numbers, empty = np.array(values), Shadow(version="4", rows=len(values))
    assert _numbers(empty, numbers, numbers).agreement == pytest.approx(1.0)
    other = _numbers(empty, numbers, numbers + moved)
    assert other.agreement is not None
    assert other.agreement <= 1 + 1e-9
    assert other.difference == pytest.approx(abs(moved), abs=1e-6)


def test_labels_of_one_value_and_two_types_are_the_same() -> None:
    assert _labels(Shadow(version="4", rows=3), [0, 1, 1], [0.0, 1.0, 1.0]).agreement == 1.0


def test_the_page_the_words_and_the_json_say_it(numbers: Shipped) -> None:
    shadow = Shadow(
        version="4",
        rows=1000,
        refused=3,
        agreement=0.96,
        interval=(0.945, 0.971),
        kappa=0.91,
        changes=(Change(champion="0", challenger="1", rows=40),),
    )
    told = replace(
        report(numbers, journaled(numbers, trained(numbers))), shadow=shadow, label_names={"1": "<b>ill</b>"}
    )
    words = shadow_words(shadow, told.label_names)
    assert words == (
        "the same label for 96.0% of 1,000 rows (94.5% to 97.1%); kappa 0.91; 40 called <b>ill</b> instead of 0; "
        "it does not take 3 others"
    )
    page = render(told)
    assert "asked for rows that v3 answered" in page
    assert "&lt;b&gt;ill&lt;/b&gt; instead of 0" in page
    assert "<b>ill" not in page
    assert Report.from_json(told.to_json()).shadow == shadow
    assert "The challenger" not in render(replace(told, shadow=None))
