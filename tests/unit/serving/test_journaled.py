"""What reaches the journal of a request, and what true labels make of it: through the real door, on every schema."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pages import png
from trilho.bundle import Predictor
from trilho.journal import Journal, Keeper, Rows, label, read, read_labelled
from trilho.serving.asking import Desk
from trilho.serving.counting import Counts
from trilho.serving.door import application
from trilho.serving.door.rows import typical_row
from trilho.serving.feedback import read_feedback
from trilho.serving.slot import Served, Slot
from unit.serving.knocking import form, knock

ModelOf = Callable[[str], Predictor]


def journaling(predictor: Predictor, journal: Journal) -> object:
    served = Served(predictor=predictor, name="tried", version="12", since=time.time())
    return application(Desk(Slot(served), Counts(), journal), served)


def rows_in(folder: Path) -> list[Rows]:
    return list(read(folder, since=0, until=1e11))


def test_of_an_image_its_digest_and_size_are_kept_and_not_the_image(tmp_path: Path, model_of: ModelOf) -> None:
    journal = Journal(tmp_path)
    door = journaling(model_of("scans"), journal)
    picture = png(240)
    body, headers = form({"scan": picture, "age": "61"})
    answer = knock(door, "POST", "/predict", body, headers)
    assert answer.status == 200, answer.body
    journal.close()
    for _ in range(2):
        [rows] = rows_in(tmp_path)
        assert rows.ids.tolist() == [answer.json["predictions"][0]["id"]]
        assert list(rows.columns) == ["scan.sha256", "scan.bytes", "age"]
        assert rows.columns["scan.sha256"].tolist() == [hashlib.sha256(picture).hexdigest()]
        assert rows.columns["scan.bytes"].tolist() == [float(len(picture))]
        assert rows.columns["age"].tolist() == [61.0]
        assert not any(picture[:64] in path.read_bytes() for path in tmp_path.rglob("predictions-*.*"))
        assert Keeper(tmp_path).tidy(time.time()).problem == ""


@pytest.mark.parametrize("name", ["breast-cancer", "customers", "two-hundred"])
def test_answers_meet_their_truth_by_the_id_that_the_client_was_given(
    tmp_path: Path, model_of: ModelOf, name: str
) -> None:
    predictor, journal = model_of(name), Journal(tmp_path)
    row = typical_row(predictor.schema)
    answer = knock(journaling(predictor, journal), "POST", "/predict", [row, row])
    first, second = answer.json["predictions"]
    word = predictor.schema.label_names[0]
    body = f'[{{"id": "{second["id"]}", "label": "{word}"}}]'.encode()
    label(tmp_path, read_feedback(body, predictor.schema, now=time.time()))
    journal.close()
    assert Keeper(tmp_path).tidy(time.time()).problem == ""
    [found] = read_labelled(tmp_path, since=0, until=1e11)
    assert found.rows.ids.tolist() == [second["id"]]
    assert found.truth.tolist() == [predictor.schema.labels[0]]
    assert found.rows.labels.dtype.kind == found.truth.dtype.kind, "they can be compared"
    [both] = rows_in(tmp_path)
    assert both.ids.tolist() == [first["id"], second["id"]]
    assert list(both.columns) == list(predictor.schema.names)
    np.testing.assert_array_equal(both.versions, ["12", "12"])
