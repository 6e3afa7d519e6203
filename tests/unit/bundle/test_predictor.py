from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from trilho import bundle
from trilho.errors import CannotPredict
from unit.bundle.tables import bundled, cancer, diabetes, mixed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("predictors")


@pytest.fixture(scope="module")
def linear(folder: Path) -> bundle.Predictor:
    """All numbers, takes no nulls."""
    frame, truth = cancer()
    return bundle.open(
        bundled(make_pipeline(StandardScaler(), LogisticRegression()), frame, truth, folder / "linear").path
    )


@pytest.fixture(scope="module")
def strict(folder: Path) -> bundle.Predictor:
    """Words and numbers; nulls filled, unknown plans refused."""
    frame, truth = mixed()
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder())
    numbers = SimpleImputer(strategy="median")
    transform = ColumnTransformer([("numbers", numbers, ["income", "age"]), ("words", words, ["plan"])])
    model = make_pipeline(transform, RandomForestClassifier(10, random_state=0))
    return bundle.open(bundled(model, frame, truth, folder / "strict").path)


def rows_of(frame: pd.DataFrame, count: int = 3) -> dict[str, list[object]]:
    return {name: frame[name].tolist()[:count] for name in frame.columns}


def test_lists_arrays_a_frame_and_a_matrix_give_the_same_answers(linear: bundle.Predictor) -> None:
    frame, _ = cancer()
    wanted = linear.predict_frame(frame)
    for found in (
        linear.predict({name: frame[name].tolist() for name in frame}),
        linear.predict({name: frame[name].to_numpy() for name in reversed(frame.columns)}),
        linear.predict_matrix(frame.to_numpy()),
    ):
        assert (found.labels == wanted.labels).all()
        assert found.probabilities is not None
        assert wanted.probabilities is not None
        assert (found.probabilities == wanted.probabilities).all()


def test_a_column_the_model_does_not_know_is_ignored(linear: bundle.Predictor) -> None:
    rows = rows_of(cancer()[0])
    assert (linear.predict({**rows, "extra": ["a"] * 3}).labels == linear.predict(rows).labels).all()


def test_a_missing_column_is_named(linear: bundle.Predictor) -> None:
    rows = rows_of(cancer()[0])
    del rows["mean area"]
    with pytest.raises(CannotPredict, match="'mean area' is missing"):
        linear.predict(rows)


def test_a_null_where_the_model_takes_none_is_refused_with_column_and_row(linear: bundle.Predictor) -> None:
    rows = rows_of(cancer()[0])
    rows["mean area"][1] = None
    with pytest.raises(
        CannotPredict, match=r"'mean area', row 1: null cannot be predicted: the model takes no missing"
    ):
        linear.predict(rows)
    matrix = cancer()[0].to_numpy().copy()
    matrix[2, 3] = np.nan
    with pytest.raises(CannotPredict, match=r"'mean area', row 2: null"):
        linear.predict_matrix(matrix)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_always_refused(linear: bundle.Predictor, strict: bundle.Predictor, value: float) -> None:
    rows = rows_of(cancer()[0])
    rows["mean area"][2] = value
    with pytest.raises(CannotPredict, match=r"'mean area', row 2: -?inf cannot be predicted: it is infinite"):
        linear.predict(rows)
    people = rows_of(mixed()[0])
    people["income"][0] = value
    with pytest.raises(CannotPredict, match=r"'income', row 0: -?inf"):
        strict.predict(people)


def test_a_number_too_large_for_the_model_is_refused(strict: bundle.Predictor) -> None:
    people = rows_of(mixed()[0])
    people["income"][0] = 1e301
    with pytest.raises(CannotPredict, match=r"'income', row 0: 1e\+301 cannot be predicted: it is beyond ±1e\+"):
        strict.predict(people)


def test_text_in_a_number_column_is_refused(linear: bundle.Predictor) -> None:
    rows = rows_of(cancer()[0])
    rows["mean area"][1] = "large"
    with pytest.raises(CannotPredict, match=r"'mean area', row 1: 'large' is not a number"):
        linear.predict(rows)


def test_an_unknown_category_is_refused_where_the_model_refuses_it(strict: bundle.Predictor) -> None:
    people = rows_of(mixed()[0])
    people["plan"][2] = "z"
    with pytest.raises(CannotPredict, match=r"(?s)'plan', row 2: 'z' cannot be predicted.*one of: [ab], [ab]\."):
        strict.predict(people)


def test_what_the_model_leaves_out_may_hold_anything_its_kind_allows(strict: bundle.Predictor) -> None:
    people = rows_of(mixed()[0])
    people["city"] = ["nobody knows it", None, "Recife"]
    assert len(strict.predict(people).labels) == 3


def test_columns_of_different_lengths_are_refused(linear: bundle.Predictor) -> None:
    rows = rows_of(cancer()[0])
    rows["mean area"].append(1.0)
    with pytest.raises(CannotPredict, match="'mean area' has 4 rows"):
        linear.predict(rows)


def test_no_rows_give_no_answers_of_the_right_shape(linear: bundle.Predictor, strict: bundle.Predictor) -> None:
    nothing = linear.predict({name: [] for name in linear.schema.names})
    assert nothing.labels.dtype == np.int64
    assert nothing.probabilities is not None
    assert nothing.probabilities.shape == (0, 2)
    assert strict.predict({name: [] for name in strict.schema.names}).labels.dtype == object


def test_a_matrix_of_another_width_and_one_for_a_model_with_words_are_refused(
    linear: bundle.Predictor, strict: bundle.Predictor
) -> None:
    for predictor in (linear, strict):
        with pytest.raises(CannotPredict, match="does not fit the model"):
            predictor.predict_matrix(np.zeros((1, 6)))


def test_many_rows_are_answered_in_pieces_as_in_one(linear: bundle.Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, _ = cancer()
    whole = linear.predict_frame(frame)
    monkeypatch.setattr(linear._compiled, "_rows", 100)
    pieces = linear.predict_frame(frame)
    assert (pieces.labels == whole.labels).all()
    assert pieces.probabilities is not None
    assert np.abs(pieces.probabilities - whole.probabilities).max() < 1e-12  # type: ignore[operator]


def test_numbers_come_back_as_doubles_for_regression(folder: Path) -> None:
    frame, truth = diabetes()
    predictor = bundle.open(bundled(Ridge(), frame, truth, folder / "ridge").path)
    found = predictor.predict_frame(frame)
    assert found.labels.dtype == np.float64
    assert found.labels.shape == (len(frame),)
    assert found.probabilities is None


def test_several_threads_get_their_own_answers(linear: bundle.Predictor) -> None:
    matrix = cancer()[0].to_numpy()
    wanted = linear.predict_matrix(matrix).labels
    wrong: list[int] = []

    def ask(row: int) -> None:
        answers = [linear.predict_matrix(matrix[row : row + 1]).labels[0] for _ in range(50)]
        wrong.extend(row for answer in answers if answer != wanted[row])

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_unknown_category_that_is_a_number_is_refused_where_the_model_refuses_it(folder: Path) -> None:
    frame, truth = cancer()
    rooms_of = pd.Categorical(np.tile([1, 2, 3], 190)[: len(frame)])
    frame = pd.DataFrame({"rooms": rooms_of, "size": frame["mean radius"]})
    columns = ColumnTransformer([("words", OneHotEncoder(), ["rooms"]), ("numbers", StandardScaler(), ["size"])])
    built = bundled(make_pipeline(columns, LogisticRegression()), frame, truth, folder / "rooms")
    predictor = bundle.open(built.path)
    [rooms, _] = predictor.schema.fields
    assert (rooms.kind, rooms.closed) == ("category", True)
    assert len(predictor.predict({"rooms": [1, 3], "size": [14.0, 9.0]}).labels) == 2
    with pytest.raises(CannotPredict, match="Column 'rooms', row 1: '4' cannot be predicted"):
        predictor.predict({"rooms": [1, 4], "size": [14.0, 9.0]})
